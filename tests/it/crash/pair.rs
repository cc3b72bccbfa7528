//! Two runners on one ledger: one is stopped at a request, the other runs or is stopped in its turn, and both go on.

use std::fmt;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::stage::{APPLY, Run};

use super::actor::Actor;
use super::gate::Release;
use super::judge;
use super::place::Runner;
use super::point::Strike;
use super::scene::Scene;

/// Conflicts over records that the store refused, over all stories of a sweep.
pub(super) static CONFLICTS: AtomicUsize = AtomicUsize::new(0);

/// Where a new key's `users/me` leads: when it is answered, the key is delivered.
const TRY: &str = "GET /api/v1/users/*";

/// One meeting of two runners.
#[derive(Clone, Debug)]
pub(super) struct Met {
    first: Stop,
    second: Option<Stop>,
    end: End,
}

/// Where a runner is held.
#[derive(Clone, Debug)]
struct Stop {
    host: Host,
    n: usize,
    /// What the request is when nothing strikes.
    request: String,
    /// Done, with its answer held; else held before it is done.
    done: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Host {
    Vendor,
    Store,
}

/// What becomes of the first runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    GoesOn,
    /// Killed when the second is through, and its request arrives after all.
    KilledAndLate,
}

impl fmt::Display for Stop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.done { "after" } else { "before" };
        let host = if self.host == Host::Store { "store's " } else { "" };
        write!(out, "{done} {host}request {} ({})", self.n, self.request)
    }
}

impl fmt::Display for Met {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "one run held {}", self.first)?;
        match &self.second {
            None => write!(out, "; another runs")?,
            Some(second) => write!(out, "; another held {second}; the one goes on, then the other")?,
        }
        if self.end == End::KilledAndLate { write!(out, "; the one is killed, its request arrives") } else { Ok(()) }
    }
}

impl Met {
    /// One held at each of its requests while another runs: held and let go on, and held and killed.
    pub(super) fn all(scene: &Scene) -> Vec<Strike> {
        let mut all = Vec::new();
        for first in stops(scene) {
            for end in [End::GoesOn, End::KilledAndLate] {
                if end == End::KilledAndLate && first.done {
                    continue;
                }
                all.push(Strike::Met(Self { first: first.clone(), second: None, end }));
            }
        }
        all
    }

    /// One held at the creation of the tenant, or where a record is written, while another runs.
    pub(super) fn around_the_creation(scene: &Scene) -> Vec<Strike> {
        let is_around = |stop: &Stop| stop.writes_a_record() || stop.request == "POST /api/v1/tenants";
        let fits = |strike: &Strike| match strike {
            Strike::Met(met) => is_around(&met.first),
            Strike::Request(_) | Strike::Call(_) | Strike::Second(_) | Strike::LedgerLost | Strike::Clock(_) => false,
        };
        Self::all(scene).into_iter().filter(fits).collect()
    }

    /// Both held: the one before each change at the vendor or of a record, or after it made or tried something; the other
    /// at each such place of its own. What lies between is reading: held there, a run stands as before its next change.
    pub(super) fn crossed(scene: &Scene) -> Vec<Strike> {
        let mut stops = stops(scene);
        stops.retain(|stop| stop.done || stop.writes_a_record() || stop.host == Host::Vendor && stop.changes());
        let pair = |first: &Stop, second: &Stop| {
            Strike::Met(Self { first: first.clone(), second: Some(second.clone()), end: End::GoesOn })
        };
        stops.iter().flat_map(|first| stops.iter().map(move |second| pair(first, second))).collect()
    }

    /// Whether a request may arrive when another run has delivered.
    pub(super) fn is_late(&self) -> bool {
        self.end == End::KilledAndLate
    }

    /// What one runner alone cannot show.
    pub(super) fn telling(scene: &Scene) -> Vec<Strike> {
        let is_telling = |strike: &Strike| match strike {
            Strike::Met(met) => met.is_telling(),
            Strike::Request(_) | Strike::Call(_) | Strike::Second(_) | Strike::LedgerLost | Strike::Clock(_) => false,
        };
        // The second on a folder comes no further than its lock.
        let crossed = if scene.is_shared() { Self::crossed(scene) } else { Vec::new() };
        Self::all(scene).into_iter().chain(crossed).filter(is_telling).collect()
    }

    /// A run that is held at its `n`-th request to the vendor while another is begun; and killed then, or not.
    pub(super) fn held_at(n: usize, done: bool, killed: bool) -> Strike {
        let first = Stop { host: Host::Vendor, n, request: String::new(), done: done && !killed };
        Strike::Met(Self { first, second: None, end: if killed { End::KilledAndLate } else { End::GoesOn } })
    }

    /// A record about to be written, a tenant about to be made; or a key that the one has and has not delivered, and the
    /// other about to mint.
    fn is_telling(&self) -> bool {
        const MINT: &str = "POST /api/v1/api-keys";
        let asks = |stop: &Stop, request: &str| !stop.done && stop.request == request;
        let has_a_key = |stop: &Stop| stop.done && stop.request == TRY;
        match &self.second {
            None => self.is_dear() || asks(&self.first, "POST /api/v1/tenants") && self.end == End::GoesOn,
            Some(second) => has_a_key(&self.first) && asks(second, MINT),
        }
    }

    /// Played however short a sweep is: a record is about to be written that the other writes meanwhile.
    pub(super) fn is_dear(&self) -> bool {
        self.second.is_none() && self.end == End::GoesOn && self.first.writes_a_record()
    }

    pub(super) fn strike(&self, actor: &Actor, scene: &Scene) {
        let one = Held::start(actor, Runner::First, &self.first);
        if let Some(second) = &self.second {
            let other = Held::start(actor, Runner::Second, second);
            one.goes_on(actor, scene);
            other.goes_on(actor, scene);
        } else {
            // It does what it can, and a person what it asks for.
            actor.goes_on();
            match self.end {
                End::GoesOn => one.goes_on(actor, scene),
                End::KilledAndLate => one.killed(actor),
            }
        }
        actor.settle_what_is_on_its_way();
        actor.stage.control("DELETE", "/faults", &Value::Null);
        CONFLICTS.fetch_add(actor.stage.conflicts(), Ordering::SeqCst);
    }
}

impl Stop {
    fn changes(&self) -> bool {
        !self.request.starts_with("GET ") && !self.request.contains(" /oauth/")
    }

    fn writes_a_record(&self) -> bool {
        self.host == Host::Store && self.request.starts_with("PUT ") && self.request.contains(" tenants/")
    }
}

/// A run that stands still, or that has ended before it came so far.
struct Held {
    who: Runner,
    child: Child,
    host: Host,
    /// The vendor's number of the request that is held.
    number: Option<u64>,
}

impl Held {
    fn start(actor: &Actor, who: Runner, stop: &Stop) -> Self {
        let held_before = if stop.host == Host::Vendor { held(actor) } else { Vec::new() };
        let number = actor.stage.requests().len() + stop.n;
        match stop.host {
            Host::Vendor => {
                let action = if stop.done { "hang" } else { "pause" };
                actor.stage.fault(&json!({ "at_request": number, "action": action }));
            }
            Host::Store => {}
        }
        if let Some(gate) = actor.stage.gate(who) {
            gate.hold((stop.host == Host::Store).then_some(stop.n));
        }
        let mut command = actor.stage.program(APPLY, &["--yes"], who);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut number = None;
        loop {
            match stop.host {
                Host::Vendor => number = held(actor).into_iter().find(|one| !held_before.contains(one)),
                Host::Store => {}
            }
            let there = number.is_some()
                || stop.host == Host::Store && actor.stage.gate(who).is_some_and(super::gate::Gate::holds);
            if there || child.try_wait().unwrap().is_some() {
                if !there {
                    // What was meant for it must not strike the other.
                    actor.stage.control("DELETE", "/faults", &Value::Null);
                }
                return Self { who, child, host: stop.host, number };
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    fn release(&self, actor: &Actor) {
        if let Some(number) = self.number {
            actor.stage.control("POST", "/release", &json!({ "request": number }));
        }
        if let (Host::Store, Some(gate)) = (self.host, actor.stage.gate(self.who)) {
            gate.release(Release::GoOn);
        }
    }

    fn goes_on(self, actor: &Actor, scene: &Scene) {
        self.release(actor);
        let run = Run::of(&self.child.wait_with_output().unwrap());
        let run = actor.heard(run);
        if run.code != Some(0) {
            assert_eq!(run.code, Some(1), "{}", run.all());
            actor.is_told_what_next(&run);
        }
        judge::sinks_hold_live_keys(actor, scene);
    }

    fn killed(mut self, actor: &Actor) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.release(actor);
        let run = Run::of(&self.child.wait_with_output().unwrap());
        actor.heard(run);
    }
}

/// Numbers of the requests that the vendor holds now.
fn held(actor: &Actor) -> Vec<u64> {
    // Answers at once: nothing has to be over for it.
    let answer = actor.stage.control("GET", "/wait?requests=0", &Value::Null);
    answer["held"].as_array().unwrap().iter().filter_map(Value::as_u64).collect()
}

/// Every place where a run of the scene can be held.
fn stops(scene: &Scene) -> Vec<Stop> {
    let actor = Actor::new(scene);
    actor.may_supersede.set(scene.renews());
    if let Some(gate) = actor.stage.gate(Runner::First) {
        gate.hold(None);
    }
    actor.runs_as(Runner::First, APPLY, &["--yes"]).exits(0);
    let vendor = super::request::sent(&actor);
    let store = actor.stage.gate(Runner::First).map(super::gate::Gate::requests).unwrap_or_default();
    judge::whole(&actor, scene);
    let stop = |host, done| move |(n, request): (usize, String)| Stop { host, n, request, done };
    let mut stops: Vec<Stop> = (1..).zip(vendor.clone()).map(stop(Host::Vendor, false)).collect();
    // Made, or tried, with the answer on its way.
    let made = |request: &str| request.starts_with("POST /api/") || request == TRY;
    let after = (1..).zip(vendor).filter(|(_, request)| made(request));
    stops.extend(after.map(stop(Host::Vendor, true)));
    stops.extend((1..).zip(store).map(stop(Host::Store, false)));
    stops
}
