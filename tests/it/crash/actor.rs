//! The user of a story: runs the programs, is interrupted, and then does what the programs say.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::stage::{APPLY, Run, Stage};

use super::judge;
use super::scene::Scene;

pub(super) struct Actor {
    pub(super) stage: Stage,
    /// Everything that any program printed.
    said: RefCell<Vec<String>>,
    /// Ids of keys that a sink held when some program had ended.
    held: RefCell<BTreeSet<String>>,
    /// Whether the story may make a delivered key obsolete: a request that arrives after the next run's delivery.
    pub(super) may_supersede: Cell<bool>,
    /// So many requests were sent before the story begins.
    pub(super) requests_before: u64,
}

/// More rounds than any story needs: one to be told, one to make it, one to clear up after it.
const ROUNDS: usize = 5;

impl Actor {
    pub(super) fn new(scene: &Scene) -> Self {
        let stage = scene.set();
        let requests_before = stage.requests().len().try_into().unwrap();
        let actor = Self {
            stage,
            said: RefCell::default(),
            held: RefCell::default(),
            may_supersede: Cell::default(),
            requests_before,
        };
        actor.look_into_sinks();
        actor
    }

    pub(super) fn was_in_a_sink(&self, id: &str) -> bool {
        self.held.borrow().contains(id)
    }

    pub(super) fn executions(&self) -> usize {
        self.said.borrow().len()
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    pub(super) fn heard(&self, run: Run) -> Run {
        self.said.borrow_mut().push(run.all());
        self.look_into_sinks();
        run
    }

    fn look_into_sinks(&self) {
        for file in judge::below(&self.stage.dir().join(".qlik-sandbox/sinks")) {
            let payload = std::fs::read_to_string(&file).unwrap();
            self.held.borrow_mut().extend(judge::token_in(&payload).and_then(|token| judge::id_of(&token)));
        }
    }

    pub(super) fn apply(&self) -> Run {
        self.apply_with(&[])
    }

    pub(super) fn apply_with(&self, args: &[&str]) -> Run {
        self.heard(self.stage.apply(&[&["--yes"], args].concat()))
    }

    pub(super) fn plan(&self) -> Run {
        self.heard(self.stage.plan(&["--detailed-exitcode"]))
    }

    /// An apply that is killed as soon as the cloud holds a request of it; one that ends before is let end.
    pub(super) fn killed_when_held(&self) {
        let mut command = self.stage.command(APPLY);
        command.args(["--sandbox", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let held = self.stage.holds_a_request_of(&mut child);
        if held {
            child.kill().unwrap();
        }
        let run = Run::of(&child.wait_with_output().unwrap());
        assert_eq!(run.code.is_none(), held, "it was to die of the kill:\n{}", run.all());
        self.heard(run);
    }

    pub(super) fn release(&self, dropped: bool) {
        self.stage.control("POST", "/release", &json!({ "drop": dropped }));
        self.settle_what_is_on_its_way();
    }

    /// Until every request that arrived is over.
    pub(super) fn settle_what_is_on_its_way(&self) {
        let arrived = self.stage.requests().len();
        self.stage.control("GET", &format!("/wait?requests={arrived}"), &Value::Null);
    }

    /// Applies until it says that all is well, and does on the way what it asks for.
    pub(super) fn recover(&self) {
        for _ in 0..ROUNDS {
            let run = self.apply();
            if run.code == Some(0) {
                return;
            }
            let said = run.all();
            self.is_told_what_next(&run.exits(1));
            if said.contains("qlik-apply resolve qlik/acme --adopt") {
                self.resolve();
            }
        }
        panic!("{ROUNDS} rounds of apply and resolve were not enough:\n{}", self.said().join("\n----\n"));
    }

    /// P10: a run that failed names a step.
    pub(super) fn is_told_what_next(&self, run: &Run) {
        let said = run.all();
        let step = said.contains("  next: ") || said.contains("\nNext:\n") || said.contains("-> ");
        assert!(step, "it failed and says no next step:\n{said}");
    }

    /// Looks at the vendor's console, and says what is there.
    fn resolve(&self) {
        let tenants = self.stage.tenants();
        let answer = match tenants.as_slice() {
            [] => {
                // The hour in which the request may still arrive.
                self.stage.control("POST", "/clock", &json!({ "advance": "PT2H" }));
                vec!["--not-created".to_owned()]
            }
            [tenant] => {
                let host = tenant["hostnames"][0].as_str().unwrap();
                vec!["--adopt".to_owned(), host.split('.').next().unwrap().to_owned()]
            }
            more => panic!("{} tenants for one address", more.len()),
        };
        let mut command = self.stage.command(APPLY);
        command.args(["--sandbox", "resolve", "qlik/acme"]).args(answer);
        self.heard(Run::of(&command.output().unwrap())).exits(0);
    }
}
