//! A request that is struck: which one, and what happens to it and to the program that sent it.

use std::fmt;

use serde_json::{Value, json};

use super::actor::Actor;
use super::judge;
use super::point::Strike;
use super::scene::Scene;
use super::throttled::{Refused, Throttled};

/// One request and its trouble.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    /// Counted from the start of the apply that is struck.
    pub(super) n: u64,
    /// What the request is when nothing strikes; empty where nobody knows.
    pub(super) request: String,
    /// Where it is refused before, and the next try is struck.
    pub(super) throttled: Option<Throttled>,
    pub(super) trouble: Trouble,
}

/// What happens to the request, and to the program that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Killed with the request on its way, which never arrives.
    KilledAndDropped,
    /// Killed with the request on its way, which arrives before anybody looks.
    KilledAndArrived,
    /// Killed with the request on its way, which arrives after the next run has ended.
    KilledAndLate,
    /// Killed when everything is done, with the answer on its way.
    KilledAfter,
    /// The connection is closed before anything is done.
    DroppedBefore,
    /// Everything is done, and the connection is closed without an answer.
    DroppedAfter,
    /// Half the answer, under a length that promised all of it.
    Truncated,
    /// Half the answer, and an end that is legal.
    TruncatedClosed,
    /// An error of the server's, and yet everything is done.
    ErrorAfter,
    /// An error of the server's, and nothing is done.
    ErrorBefore,
    /// Nothing is done: too many requests.
    TooMany,
    /// Done, and the answer is no JSON.
    Malformed,
    /// Done, and the answer is a page for people.
    WrongType,
    /// Every object of a list twice.
    DuplicateIds,
    /// Done when the program has given up waiting.
    Slow,
    /// Done, and the whole answer says that its connection is closed.
    Closing,
    /// Done, and after the whole answer the connection is closed without a word.
    ClosedAfter,
    /// Done, and the connection is reset between head and body of the answer.
    Reset,
    /// Nothing is done: too many requests, in words that are not the vendor's.
    TooManyOfOthers,
    /// The same words, and yet everything is done.
    TooManyAfter,
}

/// Longer than a program waits that was told `--timeout 1`, for a creation too.
const TOO_SLOW: u64 = 4_500;

impl Trouble {
    pub(super) const KILLS: [Self; 6] = [
        Self::KilledAndDropped,
        Self::KilledAndArrived,
        Self::KilledAndLate,
        Self::KilledAfter,
        Self::DroppedBefore,
        Self::DroppedAfter,
    ];

    /// How connections end, and what others than the vendor say.
    pub(super) const ENDS: [Self; 5] =
        [Self::Closing, Self::ClosedAfter, Self::Reset, Self::TooManyOfOthers, Self::TooManyAfter];

    pub(super) const ALL: [Self; 15] = [
        Self::KilledAndDropped,
        Self::KilledAndArrived,
        Self::KilledAndLate,
        Self::KilledAfter,
        Self::DroppedBefore,
        Self::DroppedAfter,
        Self::Truncated,
        Self::TruncatedClosed,
        Self::ErrorAfter,
        Self::ErrorBefore,
        Self::TooMany,
        Self::Malformed,
        Self::WrongType,
        Self::DuplicateIds,
        Self::Slow,
    ];

    pub(super) fn is_a_kill(self) -> bool {
        Self::KILLS[..4].contains(&self)
    }

    pub(super) fn action(self) -> Value {
        match self {
            Self::KilledAndDropped | Self::KilledAndArrived | Self::KilledAndLate => json!("pause"),
            Self::KilledAfter => json!("hang"),
            Self::DroppedBefore => json!("drop_before"),
            Self::DroppedAfter => json!("drop_after"),
            Self::Truncated => json!("truncate"),
            Self::TruncatedClosed => json!("truncate_close"),
            Self::ErrorAfter => json!({ "status_after": { "status": 500 } }),
            Self::ErrorBefore => json!({ "status_before": { "status": 500 } }),
            Self::TooMany => json!({ "retry_after": { "seconds": 1 } }),
            Self::Malformed => json!("malformed"),
            Self::WrongType => json!("wrong_type"),
            Self::DuplicateIds => json!("duplicate_ids"),
            Self::Slow => json!({ "slow": { "ms": TOO_SLOW } }),
            Self::Closing => json!("close"),
            Self::ClosedAfter => json!("close_after"),
            Self::Reset => json!("reset"),
            Self::TooManyOfOthers => json!({ "status_before": rate_exceeded() }),
            Self::TooManyAfter => json!({ "status_after": rate_exceeded() }),
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::KilledAndDropped => "killed before it arrives, never arrives",
            Self::KilledAndArrived => "killed before it arrives, arrives",
            Self::KilledAndLate => "killed before it arrives, arrives after the next run",
            Self::KilledAfter => "killed after it is done",
            Self::DroppedBefore => "connection closed before it is done",
            Self::DroppedAfter => "done, answer lost",
            Self::Truncated => "done, half the answer, its length broken",
            Self::TruncatedClosed => "done, half the answer, closed",
            Self::ErrorAfter => "done, answered 500",
            Self::ErrorBefore => "not done, answered 500",
            Self::TooMany => "not done, answered 429",
            Self::Malformed => "done, answered with no JSON",
            Self::WrongType => "done, answered with a page of HTML",
            Self::DuplicateIds => "done, everything listed twice",
            Self::Slow => "done after the time-out",
            Self::Closing => "done, the answer says that the connection is closed",
            Self::ClosedAfter => "done, the connection closed after the answer",
            Self::Reset => "done, the answer's head, then a reset",
            Self::TooManyOfOthers => "not done, answered 429 in other words",
            Self::TooManyAfter => "done, answered 429 in other words",
        }
    }
}

/// As a gateway in the cloud says it.
fn rate_exceeded() -> Value {
    json!({ "status": 429, "body": { "message": "Rate exceeded" }, "headers": { "retry-after": "0" } })
}

impl fmt::Display for Struck {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "request {} ({}): ", self.n, self.request)?;
        if let Some(throttled) = &self.throttled {
            throttled.fmt(out)?;
        }
        out.write_str(self.trouble.words())
    }
}

impl Struck {
    /// Every request of the scene's apply, with every one of these troubles.
    pub(super) fn all(scene: &Scene, troubles: &[Trouble]) -> Vec<Strike> {
        let mut all = Vec::new();
        for (n, request) in (1..).zip(undisturbed(scene)) {
            for trouble in troubles {
                let request = request.clone();
                all.push(Strike::Request(Self { n, request, throttled: None, trouble: *trouble }));
            }
        }
        all
    }

    /// Every request of the scene's apply that makes something, refused because there are too many, and its next try struck.
    pub(super) fn throttled(scene: &Scene) -> Vec<Strike> {
        let strike = |refused: Refused| {
            let Refused { n, request, throttled, trouble } = refused;
            Strike::Request(Self { n, request, throttled: Some(throttled), trouble })
        };
        Throttled::all(&undisturbed(scene)).into_iter().map(strike).collect()
    }

    /// The creation of the tenant; where it is refused first, once, and only by kills.
    pub(super) fn is_dear(&self) -> bool {
        let is_plain = self.throttled.as_ref().is_none_or(|throttled| throttled.is_once() && self.trouble.is_a_kill());
        self.request == "POST /api/v1/tenants" && is_plain
    }

    /// An apply with this trouble in it. Where it sends fewer requests, nothing strikes.
    pub(super) fn strike(&self, actor: &Actor, scene: &Scene) {
        let number = actor.stage.requests().len() as u64 + self.n;
        let action = self.trouble.action();
        actor.stage.fault(&match &self.throttled {
            Some(throttled) => throttled.faults(&action),
            None => json!({ "at_request": number, "action": action }),
        });
        match self.trouble {
            Trouble::KilledAndDropped => {
                actor.killed_when_held();
                actor.release(true);
            }
            Trouble::KilledAndArrived => {
                actor.killed_when_held();
                actor.release(false);
            }
            Trouble::KilledAndLate => {
                actor.killed_when_held();
                actor.stage.control("DELETE", "/faults", &Value::Null);
                // It may refuse, or wait, or do everything: the old request is still under way.
                actor.apply();
                actor.release(false);
            }
            Trouble::KilledAfter => actor.killed_when_held(),
            Trouble::Slow => disturbed(actor, scene, &["--timeout", "1"]),
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
            | Trouble::TooManyAfter => disturbed(actor, scene, &[]),
        }
        if let Some(throttled) = &self.throttled {
            throttled.was_met(&actor.stage.requests(), &action);
        }
        actor.settle_what_is_on_its_way();
        actor.stage.control("DELETE", "/faults", &Value::Null);
    }
}

fn disturbed(actor: &Actor, scene: &Scene, args: &[&str]) {
    let run = actor.apply_with(args);
    // It may have sent fewer requests, and what follows is not to be struck.
    actor.stage.control("DELETE", "/faults", &Value::Null);
    judge::disturbed(actor, scene, &run);
}

/// The requests of the scene's apply, when nothing strikes it.
fn undisturbed(scene: &Scene) -> Vec<String> {
    let actor = Actor::new(scene);
    actor.may_supersede.set(scene.renews());
    actor.apply().exits(0);
    let sent = sent(&actor);
    judge::whole(&actor, scene);
    sent
}

/// What was sent since the story began.
pub(super) fn sent(actor: &Actor) -> Vec<String> {
    let requests = actor.stage.requests().split_off(usize::try_from(actor.requests_before).unwrap());
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    requests.iter().map(|one| format!("{} {}", text(one, "method"), judge::shape(&text(one, "path")))).collect()
}
