//! What a run amounts to, in one word: for exit codes, for JSON, for the steps of a pipeline.

use crate::apply::event::{Report, ReportOutcome};
use crate::plan::action::{Action, Plan};
use crate::plan::refusal::{Code, Refusal};

use super::summary;

/// One word for a whole run. What is told by the first that fits stands first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is as declared, was made, or waits for another run's end.
    Clean,
    /// Something is missing or due.
    Changes,
    /// Nothing is to be done or is left to do, and something differs, was found, or is nobody's.
    Drift,
    /// Something was refused or is in doubt.
    Refused,
    /// Some of it was made.
    Partial,
    /// It is no longer what was reviewed.
    Stale,
    /// It would create more than `limits:` allows.
    OverLimit,
    /// Credentials are missing or were refused.
    Credentials,
    /// Anything else.
    Error,
}

impl Outcome {
    pub const ALL: [Self; 9] = [
        Self::Clean,
        Self::Error,
        Self::Changes,
        Self::Refused,
        Self::Partial,
        Self::Stale,
        Self::OverLimit,
        Self::Credentials,
        Self::Drift,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Changes => "changes",
            Self::Drift => "drift",
            Self::Refused => "refused",
            Self::Partial => "partial",
            Self::Stale => "stale",
            Self::OverLimit => "over_limit",
            Self::Credentials => "credentials",
            Self::Error => "error",
        }
    }

    /// The exit code with `--exit-codes fine`.
    pub fn fine(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Error => 1,
            Self::Changes => 2,
            Self::Refused => 3,
            Self::Partial => 4,
            Self::Stale => 5,
            Self::OverLimit => 6,
            Self::Credentials => 7,
            Self::Drift => 8,
        }
    }

    /// The exit code otherwise. `detailed`: what is missing, drifted or due counts.
    pub fn coarse(self, detailed: bool) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Changes | Self::Drift => u8::from(detailed) * 2,
            Self::Refused | Self::Partial | Self::Stale | Self::OverLimit | Self::Credentials | Self::Error => 1,
        }
    }

    pub fn of_plan(plan: &Plan) -> Self {
        if let Some(refused) = refused(plan) {
            refused
        } else if plan.has_work() {
            Self::Changes
        } else if plan.is_amiss() {
            Self::Drift
        } else {
            Self::Clean
        }
    }

    /// Of an apply: what was left undone counts before what was refused.
    pub fn of_report(plan: &Plan, report: &Report) -> Self {
        if report.is_clean() {
            let done = if plan.is_amiss() { Self::Drift } else { Self::Clean };
            return refused(plan).unwrap_or(done);
        }
        let is_done = |outcome: &ReportOutcome| match outcome {
            ReportOutcome::Done { detail: _ } => true,
            ReportOutcome::Failed(_) | ReportOutcome::Skipped { because: _ } => false,
        };
        if report.lines.iter().any(|line| is_done(&line.outcome)) { Self::Partial } else { Self::Error }
    }
}

/// Why a plan has refusals, where it has any. What is refused for another's sake says nothing of its own.
fn refused(plan: &Plan) -> Option<Outcome> {
    let codes: Vec<Code> = plan
        .actions
        .iter()
        .filter_map(|planned| {
            let Action::Refuse(Refusal { code, why: _, next: _ }) = &planned.action else { return None };
            Some(*code)
        })
        .collect();
    let own: Vec<Code> = codes.iter().copied().filter(|code| *code != Code::Depends).collect();
    let all = |wanted: Code| !own.is_empty() && own.iter().all(|code| *code == wanted);
    if codes.is_empty() {
        None
    } else if own.iter().any(|code| matches!(code, Code::Moved | Code::NotReviewed)) {
        Some(Outcome::Stale)
    } else if all(Code::OverLimit) {
        Some(Outcome::OverLimit)
    } else if all(Code::CredentialsRefused) {
        Some(Outcome::Credentials)
    } else {
        Some(Outcome::Refused)
    }
}

/// What a run amounts to: the exit code, and the same in a word and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub exit: u8,
    pub outcome: Outcome,
    pub summary: String,
}

impl Verdict {
    pub fn of_plan(plan: &Plan, exit: u8) -> Self {
        Self { exit, outcome: Outcome::of_plan(plan), summary: summary::plan(plan) }
    }

    /// Of an apply.
    pub fn of_report(plan: &Plan, report: &Report, exit: u8) -> Self {
        let summary = if report.lines.is_empty() { summary::plan(plan) } else { summary::report(report) };
        Self { exit, outcome: Outcome::of_report(plan, report), summary }
    }
}
