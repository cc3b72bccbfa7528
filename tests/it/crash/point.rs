//! One point of a sweep: which request is struck, and by what.

use std::fmt;

use serde_json::{Value, json};

use super::actor::Actor;
use super::judge;
use super::scene::Scene;

/// A story with trouble at one request.
#[derive(Clone, Debug)]
pub(super) struct Point {
    scene: Scene,
    /// Counted from the start of the apply that is struck.
    pub(super) n: u64,
    /// What the request is when nothing strikes.
    pub(super) request: String,
    trouble: Trouble,
}

/// What happens to the request, and to the program that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
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
}

impl Trouble {
    const KILLS: [Self; 6] = [
        Self::KilledAndDropped,
        Self::KilledAndArrived,
        Self::KilledAndLate,
        Self::KilledAfter,
        Self::DroppedBefore,
        Self::DroppedAfter,
    ];

    fn action(self) -> Value {
        match self {
            Self::KilledAndDropped | Self::KilledAndArrived | Self::KilledAndLate => json!("pause"),
            Self::KilledAfter => json!("hang"),
            Self::DroppedBefore => json!("drop_before"),
            Self::DroppedAfter => json!("drop_after"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::KilledAndDropped => "killed before it arrives, never arrives",
            Self::KilledAndArrived => "killed before it arrives, arrives",
            Self::KilledAndLate => "killed before it arrives, arrives after the next run",
            Self::KilledAfter => "killed after it is done",
            Self::DroppedBefore => "connection closed before it is done",
            Self::DroppedAfter => "done, answer lost",
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, request {} ({}): {}", self.scene.name, self.n, self.request, self.trouble.words())
    }
}

impl Point {
    /// Every request of the scene's apply, with every kill and every lost answer.
    pub(super) fn kills(scene: &Scene) -> Vec<Self> {
        Self::all(scene, &Trouble::KILLS)
    }

    fn all(scene: &Scene, troubles: &[Trouble]) -> Vec<Self> {
        let requests = undisturbed(scene);
        let mut points = Vec::new();
        for (n, request) in (1..).zip(requests) {
            for trouble in troubles {
                points.push(Self { scene: scene.clone(), n, request: request.clone(), trouble: *trouble });
            }
        }
        points
    }

    /// Plays the story to its end; gives the number of programs that ran.
    pub(super) fn play(&self) -> usize {
        let actor = Actor::new(self.scene.set(), self.trouble == Trouble::KilledAndLate);
        self.strike(&actor);
        actor.settle_what_is_on_its_way();
        actor.recover();
        judge::whole(&actor, &self.scene);
        actor.executions()
    }

    fn strike(&self, actor: &Actor) {
        actor.stage.fault(&json!({ "at_request": self.n, "action": self.trouble.action() }));
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
                // It may refuse, or do everything: the old request is still under way.
                actor.apply();
                actor.release(false);
            }
            Trouble::KilledAfter => actor.killed_when_held(),
            Trouble::DroppedBefore | Trouble::DroppedAfter => {
                let run = actor.apply();
                if run.code == Some(0) {
                    judge::no_success_without_secrets(actor, &self.scene);
                }
            }
        }
    }
}

/// The requests of the scene's apply, when nothing strikes it.
fn undisturbed(scene: &Scene) -> Vec<String> {
    let actor = Actor::new(scene.set(), false);
    actor.apply().exits(0);
    let requests = actor.stage.requests();
    judge::whole(&actor, scene);
    let text = |one: &Value, field: &str| one[field].as_str().unwrap_or_default().to_owned();
    requests.iter().map(|one| format!("{} {}", text(one, "method"), judge::shape(&text(one, "path")))).collect()
}
