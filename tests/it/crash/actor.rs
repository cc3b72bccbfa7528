//! The user of a story: runs the programs, is interrupted, and then does what the programs say.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::stage::{APPLY, PLAN, Run};

use super::judge;
use super::place::{Place, Runner};
use super::scene::Scene;

pub(super) struct Actor {
    pub(super) stage: Place,
    /// Everything that any program printed.
    said: RefCell<Vec<String>>,
    /// Ids of keys that a sink held when some program had ended.
    held: RefCell<BTreeSet<String>>,
    /// Whether the story may make a delivered key obsolete: a request that arrives after the next run's delivery.
    pub(super) may_supersede: Cell<bool>,
    /// Whether keys may have expired meanwhile.
    pub(super) clock_moved: Cell<bool>,
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
            clock_moved: Cell::default(),
            requests_before,
        };
        actor.look_into_sinks();
        actor
    }

    pub(super) fn was_in_a_sink(&self, id: &str) -> bool {
        self.held.borrow().contains(id)
    }

    pub(super) fn held(&self) -> BTreeSet<String> {
        self.held.borrow().clone()
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
        judge::at_most_one_tenant(self);
        run
    }

    fn look_into_sinks(&self) {
        for file in judge::below(&self.stage.sinks()) {
            // Another runner may be about to replace it.
            let payload = std::fs::read_to_string(&file).unwrap_or_default();
            self.held.borrow_mut().extend(judge::token_in(&payload).and_then(|token| judge::id_of(&token)));
        }
    }

    pub(super) fn apply(&self) -> Run {
        self.apply_with(&[])
    }

    pub(super) fn apply_with(&self, args: &[&str]) -> Run {
        self.runs(APPLY, &[&["--yes"], args].concat())
    }

    pub(super) fn plan(&self) -> Run {
        self.runs(PLAN, &["--detailed-exitcode"])
    }

    /// A plan that looks into the sinks, also on a runner.
    pub(super) fn looks(&self) -> Run {
        self.runs(PLAN, &["--preflight", "full"])
    }

    fn runs(&self, program: &str, args: &[&str]) -> Run {
        self.runs_as(Runner::Second, program, args)
    }

    pub(super) fn runs_as(&self, who: Runner, program: &str, args: &[&str]) -> Run {
        self.heard(Run::of(&self.stage.program(program, args, who).output().unwrap()))
    }

    /// An apply that is killed as soon as the cloud holds a request of it; one that ends before is let end.
    pub(super) fn killed_when_held(&self) {
        let mut command = self.stage.program(APPLY, &["--yes"], Runner::First);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
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
        // Nothing of the story runs any more; whoever shares a ledger sees that when its time is over.
        self.stage.runs_are_over();
        for _ in 0..ROUNDS {
            if self.goes_on() {
                return;
            }
        }
        panic!("{ROUNDS} rounds of apply and resolve were not enough:\n{}", self.said().join("\n----\n"));
    }

    /// Applies once, and does what it asks for; whether all is well.
    pub(super) fn goes_on(&self) -> bool {
        let run = self.apply();
        if run.code == Some(0) {
            return true;
        }
        let said = run.all();
        self.is_told_what_next(&run.exits(1));
        if said.contains("qlik-apply resolve qlik/acme --adopt") {
            self.resolve();
        } else if said.contains("qlik-apply resolve qlik/acme --settle") {
            self.runs(APPLY, &["resolve", "qlik/acme", "--settle"]).exits(0);
        }
        false
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
        let answer: Vec<&str> = answer.iter().map(String::as_str).collect();
        self.runs(APPLY, &[&["resolve", "qlik/acme"], &answer[..]].concat()).exits(0);
    }
}
