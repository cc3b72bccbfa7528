//! One point of a sweep: a scene, and what strikes the applies in it.

use std::fmt;

use super::actor::Actor;
use super::call::Broken;
use super::judge;
use super::request::{Struck, Trouble};
use super::scene::Scene;

/// A story with trouble in it.
#[derive(Clone, Debug)]
pub(super) struct Point {
    scene: Scene,
    /// One apply after the other, each struck.
    strikes: Vec<Strike>,
}

/// So often is a story begun anew in which a fault struck something else.
const TRIES: usize = 5;

#[derive(Clone, Debug)]
pub(super) enum Strike {
    Request(Struck),
    Call(Broken),
}

impl fmt::Display for Point {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.scene.name)?;
        for strike in &self.strikes {
            match strike {
                Strike::Request(struck) => write!(out, "; {struck}")?,
                Strike::Call(broken) => write!(out, "; {broken}")?,
            }
        }
        Ok(())
    }
}

impl Point {
    /// One point for each of these strikes.
    pub(super) fn each(scene: &Scene, strikes: Vec<Strike>) -> Vec<Self> {
        strikes.into_iter().map(|strike| Self { scene: scene.clone(), strikes: vec![strike] }).collect()
    }

    /// Plays the story to its end; gives the number of programs that ran.
    pub(super) fn play(&self) -> usize {
        let mut executions = 0;
        for _ in 0..TRIES {
            let actor = Actor::new(&self.scene);
            actor.may_supersede.set(self.scene.renews() || self.is_late());
            let struck = self.strikes.iter().all(|strike| match strike {
                Strike::Request(struck) => {
                    struck.strike(&actor, &self.scene);
                    true
                }
                Strike::Call(broken) => broken.strike(&actor, &self.scene),
            });
            if struck {
                actor.recover();
                judge::whole(&actor, &self.scene);
                return executions + actor.executions();
            }
            executions += actor.executions();
        }
        panic!("what was to be struck was not seen in {TRIES} runs");
    }

    fn is_late(&self) -> bool {
        self.strikes.iter().any(|strike| match strike {
            Strike::Request(struck) => struck.trouble == Trouble::KilledAndLate,
            Strike::Call(_) => false,
        })
    }

    /// Run in every sweep, however short: the request that must never be sent twice.
    pub(super) fn is_dear(&self) -> bool {
        self.strikes.iter().any(|strike| match strike {
            Strike::Request(struck) => struck.request == "POST /api/v1/tenants",
            Strike::Call(_) => false,
        })
    }
}
