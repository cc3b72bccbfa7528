//! The same sweep at Imburse, where a name is no identity, keys do not expire, and the list is only evidence.

use std::fmt;

use serde_json::{Value, json};

use super::person::{Ground, Person};
use super::request::Trouble;
use super::sweep::Story;
use super::throttled::{Refused, Throttled};

/// One request of an apply, and its trouble.
#[derive(Clone)]
pub(super) struct Payment {
    ground: Ground,
    /// The rule that the programs leave out.
    weakness: Option<&'static str>,
    n: u64,
    request: String,
    /// Where it is refused before, and the next try is struck.
    throttled: Option<Throttled>,
    trouble: Trouble,
}

impl fmt::Display for Payment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; request {} ({}): ", self.ground.words(), self.n, self.request)?;
        if let Some(throttled) = &self.throttled {
            throttled.fmt(out)?;
        }
        out.write_str(self.trouble.words())
    }
}

impl Payment {
    /// Every request of an undisturbed apply, with every trouble.
    pub(super) fn all(ground: &Ground) -> Vec<Self> {
        Self::with(ground, &Trouble::ALL)
    }

    /// Every request of an undisturbed apply, with each of these troubles.
    pub(super) fn with(ground: &Ground, troubles: &[Trouble]) -> Vec<Self> {
        let mut all = Vec::new();
        for (n, request) in (1..).zip(undisturbed(ground)) {
            for trouble in troubles.iter().copied() {
                let (ground, request) = (ground.clone(), request.clone());
                all.push(Self { ground, weakness: None, n, request, throttled: None, trouble });
            }
        }
        all
    }

    /// Every request that makes something, refused because there are too many, and its next try struck.
    pub(super) fn throttled(ground: &Ground) -> Vec<Self> {
        let each = |refused: Refused| {
            let Refused { n, request, throttled, trouble } = refused;
            Self { ground: ground.clone(), weakness: None, n, request, throttled: Some(throttled), trouble }
        };
        Throttled::all(&undisturbed(ground)).into_iter().map(each).collect()
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
        let action = self.trouble.action();
        stage.fault(&match &self.throttled {
            Some(throttled) => throttled.faults(&action),
            None => json!({ "at_request": self.n, "action": action }),
        });
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
            | Trouble::DuplicateIds
            | Trouble::Closing
            | Trouble::ClosedAfter
            | Trouble::Reset
            | Trouble::TooManyOfOthers
            | Trouble::TooManyAfter => person.is_disturbed(&[]),
        }
        if let Some(throttled) = &self.throttled {
            throttled.was_met(&stage.requests(), &action);
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
        let is_plain = self.throttled.as_ref().is_none_or(|throttled| throttled.is_once() && self.trouble.is_a_kill());
        self.request == "POST /v2/account/tenants" && is_plain
    }
}

/// The requests of an apply when nothing strikes it.
fn undisturbed(ground: &Ground) -> Vec<String> {
    let person = Person::new(ground, None);
    person.apply(&[]).exits(0);
    let sent = person.requests();
    person.finds_all_well();
    sent
}
