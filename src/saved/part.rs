//! The part of a plan that one of several shards made: what tells that parts belong together, and what whoever merges them needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::desired::Desired;
use crate::model::live::{LedgerLive, Live};
use crate::render::json::sum;

/// What a shard's plan carries besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The sum of all that is declared and selected, of the accounts, the limits and the ledger's id.
    pub(super) estate: String,
    /// The objects of this shard, with the accounts.
    pub(super) desired: Desired,
    /// True if somebody asked for tenants that nobody manages, and there are some.
    pub finds_unmanaged: bool,
    /// The command line as it was given, for commands that are printed.
    pub line: Line,
}

/// Of a command line, what printed commands are made whole with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `--settings`.
    pub settings: Option<String>,
    /// `--sandbox`.
    pub sandbox: bool,
    /// `--recursive`.
    pub recursive: bool,
    /// The paths of desired state.
    pub paths: Vec<String>,
}

impl Part {
    /// The part that goes with a shard's plan; `None` where the plan is of no shard.
    pub fn of(desired: &Desired, live: &Live, finds_unmanaged: bool, line: Line) -> Option<Self> {
        desired.selection.shard?;
        let ledger = match &live.ledger {
            LedgerLive::Present(facts) => facts.id.as_str(),
            LedgerLive::Missing { .. } => "none",
        };
        let declared: BTreeMap<_, _> = desired.all().collect();
        let selection = desired.selection.of_all_shards();
        let Desired { qlik, imburse, limits, groups, .. } = desired;
        let groups: Vec<_> = groups.iter().collect();
        let all = json!({ "declared": declared, "qlik": qlik, "imburse": imburse, "limits": limits, "groups": groups, "selection": selection, "ledger": ledger });
        let mut desired = desired.clone();
        desired.other_shards.clear();
        desired.passed_over.clear();
        Some(Self { estate: sum(&all), desired, finds_unmanaged, line })
    }
}
