//! Events that `apply` tells while it works, and its report at the end. Values only: who prints them is not known here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Address;
use crate::model::object::ObjectKind;
use crate::model::untrusted::Untrusted;

/// One thing that happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub address: Address,
    pub step: Step,
    pub happened: Happened,
}

/// One step of an action, as an event names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    CreateTenant,
    RecordAdoption,
    SettleName,
    SettleAlias,
    SettleLimits,
    /// The record is brought to `settled`.
    Settle,
    MoveGroup,
    Trust,
    CreateObject(ObjectKind),
    Grant,
    Mint,
    Try,
    Deliver,
    Verify,
    Mark,
    Revoke,
    /// A whole key: minted, tried, delivered, verified.
    CreateKey,
    RenewKey,
    Reclaim,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happened {
    Began,
    /// With what a reader wants to know: a hostname, a key id, where it was delivered.
    Succeeded {
        detail: Untrusted,
    },
    Failed(Failure),
    /// Because what it depends on failed, waits or was refused.
    Skipped {
        because: String,
    },
    /// Worth saying, and no failure.
    Noted {
        text: Untrusted,
    },
}

/// A failure as a user reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// One sentence on what happened, and to what. Never a body, a header or a URL's query.
    pub why: Untrusted,
    /// Commands or steps, best first. Never empty.
    pub next: Vec<String>,
}

impl Failure {
    pub fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: Untrusted::new(why), next: vec![next.into()] }
    }
}

/// The result of an apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub started: Timestamp,
    /// One line an action: what became of it, in the plan's order.
    pub lines: Vec<ReportLine>,
    /// The reason for which the run stopped early; `None` if it did not.
    pub stopped: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    pub address: Address,
    pub step: Step,
    pub outcome: ReportOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportOutcome {
    Done { detail: Untrusted },
    Failed(Failure),
    Skipped { because: String },
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.stopped.is_none()
            && self.lines.iter().all(|line| match line.outcome {
                ReportOutcome::Done { .. } => true,
                ReportOutcome::Failed(_) | ReportOutcome::Skipped { .. } => false,
            })
    }
}
