//! The values read of the ledger.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::address::Address;
use super::super::imburse::MarkRefused;
use super::super::record::{LedgerId, Record, Rehearsal};
use super::super::run::{Life, RunId, ShortRunId};

/// The ledger as a plan sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerLive {
    /// There is no ledger at the place that settings name.
    Missing {
        /// The folder or URL that was looked at, for messages.
        place: String,
        /// True in an unattended run, which never takes a missing ledger for a new estate.
        strict: bool,
    },
    /// The ledger was read whole.
    Present(LedgerFacts),
}

/// The contents of a ledger that plans are made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    /// The ledger's identity. Only keys whose marker carries its short form are ours.
    pub id: LedgerId,
    /// The folder or URL that it lies at, for messages.
    pub place: String,
    /// The record of each tenant, by its address.
    #[serde(default)]
    pub records: BTreeMap<Address, Record>,
    /// The recorded runs, and how far the end of each is known.
    #[serde(default)]
    pub runs: BTreeMap<RunId, Life>,
    /// The answer for a run that `runs` does not list.
    pub other_runs: Life,
    /// The recorded rehearsals of minting.
    #[serde(default)]
    pub rehearsals: Vec<Rehearsal>,
    /// Imburse accounts whose keys the vendor did not change when a run asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks_refused: Vec<MarkRefused>,
    /// True if its disk has hardly any space left, so that the outcome of a creation could not be recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nearly_full: bool,
}

impl LedgerFacts {
    /// Returns how far the end of `run` is known.
    pub fn life(&self, run: &RunId) -> Life {
        self.runs.get(run).copied().unwrap_or(self.other_runs)
    }

    /// Returns the least proven end among the runs that share this short id.
    pub fn life_of_short(&self, run: &ShortRunId) -> Life {
        self.runs.iter().filter(|(id, _)| id.short() == *run).map(|(_, life)| *life).min().unwrap_or(self.other_runs)
    }
}
