//! One point of a sweep: a scene, and what strikes the applies in it.

use std::fmt;

use serde_json::json;

use super::actor::Actor;
use super::call::Broken;
use super::judge;
use super::pair::Met;
use super::request::{Struck, Trouble};
use super::scene::Scene;
use super::second::SecondHome;
use super::sweep::Story;

/// A story with trouble in it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    scene: Scene,
    /// One apply after the other, each struck.
    strikes: Vec<Strike>,
    /// What it was drawn from, if it was.
    seed: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) enum Strike {
    Request(Struck),
    Call(Broken),
    /// Another runner on the same ledger.
    Met(Met),
    /// Everything is made, and then the ledger is gone until somebody restores it.
    LedgerLost,
    /// A key's second home.
    Second(SecondHome),
    /// Time passes.
    Clock(&'static str),
}

/// So often is a story begun anew in which a fault struck something else. One in three hits, or more: to miss them all is one
/// chance in many thousands.
const TRIES: usize = 24;

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(seed) = self.seed {
            write!(out, "QLIK_PLAN_SEED={seed} QLIK_PLAN_STORIES=1; ")?;
        }
        write!(out, "{}", self.scene.name)?;
        for strike in &self.strikes {
            match strike {
                Strike::Request(struck) => write!(out, "; {struck}")?,
                Strike::Call(broken) => write!(out, "; {broken}")?,
                Strike::Met(met) => write!(out, "; {met}")?,
                Strike::Second(second) => write!(out, "; {second}")?,
                Strike::LedgerLost => write!(out, "; the ledger is lost")?,
                Strike::Clock(time) => write!(out, "; {time} pass")?,
            }
        }
        if self.strikes.is_empty() { write!(out, "; nothing strikes") } else { Ok(()) }
    }
}

impl Strike {
    /// `false` where something else was struck than was meant. `attempt`: how often that was so before.
    pub(super) fn strike(&self, actor: &Actor, scene: &Scene, attempt: usize) -> bool {
        match self {
            Self::Request(struck) => {
                struck.strike(actor, scene);
                true
            }
            Self::Call(broken) => broken.strike(actor, scene, attempt),
            Self::Met(met) => {
                met.strike(actor, scene);
                true
            }
            Self::Second(second) => {
                second.strike(actor, scene);
                true
            }
            Self::LedgerLost => {
                actor.recover();
                let (ledger, away) = (actor.stage.ledger(), actor.stage.dir().join("ledger-away"));
                std::fs::rename(&ledger, &away).unwrap();
                let run = actor.apply();
                assert_eq!(actor.stage.tenants().len(), 1, "a ledger was lost, and another tenant was made");
                actor.is_told_what_next(&run.exits(1).says("restore"));
                std::fs::rename(&away, &ledger).unwrap();
                true
            }
            Self::Clock(time) => {
                actor.stage.control("POST", "/clock", &json!({ "advance": time }));
                actor.may_supersede.set(true);
                actor.clock_moved.set(true);
                true
            }
        }
    }
}

impl Point {
    pub(super) fn new(scene: &Scene, strikes: Vec<Strike>) -> Self {
        Self { scene: scene.clone(), strikes, seed: None }
    }

    /// One point for each of these strikes.
    pub(super) fn each(scene: &Scene, strikes: Vec<Strike>) -> Vec<Self> {
        strikes.into_iter().map(|strike| Self::new(scene, vec![strike])).collect()
    }

    pub(super) fn drawn(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// The same with a rule left out.
    pub(super) fn weakened(&self, weakness: &'static str) -> Self {
        Self { scene: self.scene.weakened(weakness), ..self.clone() }
    }

    fn requests(&self) -> impl Iterator<Item = &Struck> {
        self.strikes.iter().filter_map(|strike| match strike {
            Strike::Request(struck) => Some(struck),
            Strike::Call(_) | Strike::Met(_) | Strike::Second(_) | Strike::LedgerLost | Strike::Clock(_) => None,
        })
    }

    /// A kill at a request that changes something at a tenant.
    pub(super) fn kills_a_change(&self) -> bool {
        let change = |request: &str| request.starts_with("POST /api") || request.starts_with("PATCH /api");
        self.requests().any(|struck| change(&struck.request) && struck.trouble.is_a_kill())
    }

    fn is_late(&self) -> bool {
        let meets_late = |strike: &Strike| matches!(strike, Strike::Met(met) if met.is_late());
        self.requests().any(|struck| struck.trouble == Trouble::KilledAndLate) || self.strikes.iter().any(meets_late)
    }
}

impl Story for Point {
    fn play(&self) -> Option<usize> {
        let mut executions = 0;
        for attempt in 0..TRIES {
            let actor = Actor::new(&self.scene);
            actor.may_supersede.set(self.scene.renews() || self.is_late());
            let struck = self.strikes.iter().all(|strike| {
                let struck = strike.strike(&actor, &self.scene, attempt);
                judge::sinks_hold_live_keys(&actor, &self.scene);
                struck
            });
            if struck {
                actor.recover();
                judge::whole(&actor, &self.scene);
                return Some(executions + actor.executions());
            }
            executions += actor.executions();
        }
        None
    }

    fn is_dear(&self) -> bool {
        let meets = |strike: &Strike| matches!(strike, Strike::Met(met) if met.is_dear());
        self.requests().any(Struck::is_dear) || !self.scene.is_throttled() && self.strikes.iter().any(meets)
    }
}
