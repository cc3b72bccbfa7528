//! A fault that no action mends, with a code, a reason and a way out. Nothing is refused or sent for it; it counts by
//! exit code, and a plan that has one is never clean.

use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::untrusted::Untrusted;

use super::refusal::Code;

/// A fault that no action mends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The stable code, which scripts and pages refer to.
    pub code: Code,
    /// The object it is about; `None`: the estate, or the files it is declared in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// The place in desired state; `None` where it is about no declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// One sentence, lower case, without a full stop.
    pub why: Untrusted,
    /// Commands or steps, best first. Never empty.
    pub next: Vec<String>,
}

impl Finding {
    /// Makes a finding about the estate, with the first step to take.
    pub fn new(code: Code, why: impl Into<Untrusted>, next: impl Into<String>) -> Self {
        Self { code, address: None, at: None, why: why.into(), next: vec![next.into()] }
    }

    /// Adds another step.
    #[must_use]
    pub fn or(mut self, next: impl Into<String>) -> Self {
        self.next.push(next.into());
        self
    }

    /// Names the object that it is about.
    #[must_use]
    pub fn of(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }

    /// Names the place in desired state that it is about.
    #[must_use]
    pub fn at(mut self, at: &Place) -> Self {
        self.at = Some(at.clone());
        self
    }
}
