//! The same sweep at Imburse, where a name is no identity, keys do not expire, and the list is only evidence.

use std::fmt;

use serde_json::{Value, json};

use super::person::{Ground, Person};
use super::request::Trouble;
use super::sweep::Story;

/// One request of an apply, and its trouble.
#[derive(Clone)]
pub(super) struct Payment {
    ground: Ground,
    /// The rule that the programs leave out.
    weakness: Option<&'static str>,
    n: u64,
    request: String,
    trouble: Trouble,
}

impl fmt::Display for Payment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; request {} ({}): {}", self.ground.words(), self.n, self.request, self.trouble.words())
    }
}

impl Payment {
    /// Every request of an undisturbed apply, with every trouble.
    pub(super) fn all(ground: &Ground) -> Vec<Self> {
        let person = Person::new(ground, None);
        person.apply(&[]).exits(0);
        let sent = person.requests();
        person.finds_all_well();
        let each = |(n, request): (u64, String)| {
            Trouble::ALL
                .map(|trouble| Self { ground: ground.clone(), weakness: None, n, request: request.clone(), trouble })
                .into_iter()
        };
        (1..).zip(sent).flat_map(each).collect()
    }

    /// The same with a rule left out.
    pub(super) fn weakened(&self, weakness: &'static str) -> Self {
        Self { weakness: Some(weakness), ..self.clone() }
    }

    pub(super) fn is_of_a_key(&self) -> bool {
        !self.request.starts_with("GET ") && self.request.contains("/keys")
    }

    fn strike(&self, person: &Person) {
        let stage = &person.stage;
        stage.fault(&json!({ "at_request": self.n, "action": self.trouble.action() }));
        match self.trouble {
            Trouble::KilledAndDropped => {
                person.is_killed_when_held();
                person.release(true);
            }
            Trouble::KilledAndArrived => {
                person.is_killed_when_held();
                person.release(false);
            }
            Trouble::KilledAndLate => {
                person.is_killed_when_held();
                stage.control("DELETE", "/faults", &Value::Null);
                person.apply(&[]);
                person.release(false);
            }
            Trouble::KilledAfter => person.is_killed_when_held(),
            Trouble::Slow => person.is_disturbed(&["--timeout", "1"]),
            Trouble::DroppedBefore
            | Trouble::DroppedAfter
            | Trouble::Truncated
            | Trouble::TruncatedClosed
            | Trouble::ErrorAfter
            | Trouble::ErrorBefore
            | Trouble::TooMany
            | Trouble::Malformed
            | Trouble::WrongType
            | Trouble::DuplicateIds => person.is_disturbed(&[]),
        }
        person.settle_what_is_on_its_way();
        stage.control("DELETE", "/faults", &Value::Null);
    }
}

impl Story for Payment {
    fn play(&self) -> Option<usize> {
        let person = Person::new(&self.ground, self.weakness);
        self.strike(&person);
        person.sinks_hold_live_keys();
        person.recovers();
        person.finds_all_well();
        Some(person.count())
    }

    fn is_dear(&self) -> bool {
        self.request == "POST /v2/account/tenants"
    }
}
