//! Two runners at Imburse that keep nothing: one stands still at a request, another works and finds it over, and it goes on.

use std::fmt;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::stage::{APPLY, Run};

use super::person::{Ground, Person};
use super::place::Runner;
use super::sweep::Story;

/// What the one that stands still is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// To make everything.
    Nothing,
    /// To replace a delivered key that somebody deleted.
    Dead,
}

/// One meeting.
#[derive(Clone)]
pub(super) struct Meeting {
    ground: Ground,
    weakness: Option<&'static str>,
    start: Start,
    /// Counted from the start of the one that stands still.
    n: usize,
    request: String,
    /// Done, with its answer held; else held before it is done.
    done: bool,
}

impl fmt::Display for Meeting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = match self.start {
            Start::Nothing => "new",
            Start::Dead => "a dead key",
        };
        let done = if self.done { "after" } else { "before" };
        write!(out, "imburse, on services; {start}; one run held {done} request {} ({})", self.n, self.request)?;
        write!(out, "; another runs")
    }
}

impl Meeting {
    /// Before and after each request of an undisturbed apply that changes something. What lies between is reading: held there,
    /// a run stands as before its next change.
    pub(super) fn all(ground: &Ground, start: Start) -> Vec<Self> {
        let person = start.set(ground, None);
        person.stage.forget_requests();
        person.apply(&[]).exits(0);
        let changes = (1..).zip(person.requests()).filter(|(_, request)| !request.starts_with("GET "));
        let held = changes.flat_map(|(n, request)| [false, true].map(|done| (n, request.clone(), done)));
        let meeting = |(n, request, done)| Self { ground: ground.clone(), weakness: None, start, n, request, done };
        held.map(meeting).collect()
    }

    /// The same with a rule left out.
    pub(super) fn weakened(&self, weakness: &'static str) -> Self {
        Self { weakness: Some(weakness), ..self.clone() }
    }
}

impl Start {
    fn set(self, ground: &Ground, weakness: Option<&'static str>) -> Person {
        let person = Person::new(ground, weakness);
        if self == Self::Dead {
            person.apply(&[]).exits(0);
            let (public, _) = person.pair("admin").unwrap();
            person.stage.control("POST", "/edit", &json!({ "action": "imburse_delete_key", "key": public }));
        }
        person
    }
}

impl Story for Meeting {
    fn play(&self) -> Option<usize> {
        let person = self.start.set(&self.ground, self.weakness);
        let at = person.stage.requests().len() + self.n;
        person.stage.fault(&json!({ "at_request": at, "action": if self.done { "hang" } else { "pause" } }));
        let mut command = person.stage.program(APPLY, &["--yes"], Runner::First);
        let mut one = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        assert!(person.stage.holds_a_request_of(&mut one), "it ended before it came to that request");
        person.stage.control("DELETE", "/faults", &Value::Null);
        // At first it is taken to be alive, and then to be over by the clock.
        for _ in 0..2 {
            person.apply(&[]);
            person.stage.runs_are_over();
        }
        person.apply(&[]);
        person.stage.control("POST", "/release", &json!({}));
        let run = person.heard(Run::of(&one.wait_with_output().unwrap()));
        if run.code != Some(0) {
            person.is_told_what_next(&run);
        }
        person.settle_what_is_on_its_way();
        // It may have delivered what the other took for a leftover.
        person.sinks_hold_live_keys();
        person.recovers();
        person.finds_all_well();
        Some(person.count())
    }

    fn is_dear(&self) -> bool {
        self.done && self.request.starts_with("POST /v2/account/tenants")
    }
}
