//! Why nothing is done about an object.

use super::action::{Action, Wait};
use super::refusal::{Code, Refusal};
use crate::model::live::{LedgerFacts, SinkEntry};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Wait(Wait),
    Refuse(Refusal),
}

impl Stop {
    /// Returns whether its words name a key.
    pub(crate) fn names(&self, key_id: &str) -> bool {
        match self {
            Self::Wait(wait) => wait.why.contains(key_id),
            Self::Refuse(refusal) => refusal.why.raw().contains(key_id),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<Stop> for Action {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Wait(wait) => Self::Wait(wait),
            Stop::Refuse(refusal) => Self::Refuse(refusal),
        }
    }
}

pub(crate) fn refuse(code: Code, why: impl Into<String>, next: impl Into<String>) -> Stop {
    Stop::Refuse(Refusal::new(code, why, next))
}

/// The refusal of an entry that another ledger's run left.
pub(crate) fn foreign_entry(entry: &SinkEntry, ledger: &LedgerFacts) -> Option<Refusal> {
    (entry.ledger != ledger.id).then(|| {
        Refusal::new(
            Code::ForeignLedger,
            format!(
                "its sink holds a key that ledger {} delivered, and this is ledger {}",
                entry.ledger.short(),
                ledger.id.short()
            ),
            format!("restore ledger {}… to {} (from its backup)", entry.ledger.short(), ledger.place),
        )
        .or("if that estate is given up: move the old secrets out of the sink; its keys are left to expire")
    })
}
