//! What was read of the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::address::Address;
use super::super::imburse::MarkRefused;
use super::super::record::{LedgerId, Record, Rehearsal};
use super::super::run::{Life, RunId, ShortRunId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerLive {
    /// There is none at `place`. With `strict` (unattended) that is never taken for a new estate.
    Missing {
        place: String,
        strict: bool,
    },
    Present(LedgerFacts),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    pub id: LedgerId,
    /// Where it is, for messages.
    pub place: String,
    #[serde(default)]
    pub records: BTreeMap<Address, Record>,
    #[serde(default)]
    pub runs: BTreeMap<RunId, Life>,
    /// Of runs that `runs` does not list.
    pub other_runs: Life,
    #[serde(default)]
    pub rehearsals: Vec<Rehearsal>,
    /// Imburse accounts whose keys the vendor did not change when a run asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks_refused: Vec<MarkRefused>,
    /// Whether its disk has hardly any space left: what becomes of a creation could not be recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nearly_full: bool,
}

impl LedgerFacts {
    pub fn life(&self, run: &RunId) -> Life {
        self.runs.get(run).copied().unwrap_or(self.other_runs)
    }

    /// The least proven of the runs that share this short id.
    pub fn life_of_short(&self, run: &ShortRunId) -> Life {
        self.runs.iter().filter(|(id, _)| id.short() == *run).map(|(_, life)| *life).min().unwrap_or(self.other_runs)
    }
}
