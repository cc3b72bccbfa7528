//! The published format, version 1: a frozen copy of what plans and reports say. It grows by addition only.
//!
//! A choice is an object with one member. Readers pass over members that they do not know. Nothing here can hold a
//! secret: every field is text that the plan shows too.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::details::Details;
use super::object::{self, Object};
use super::words::{Kind, Time};

/// Any document that a run writes with `--format json`; `format` tells which.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema's root; documents are written one by one")]
pub(super) enum Document {
    Plan(Box<PlanDocument>),
    Report(Box<ReportDocument>),
    Error(Box<ErrorDocument>),
    Answer(Box<AnswerDocument>),
}

/// A plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct PlanDocument {
    #[schemars(extend("const" = "qlik-plan/plan"))]
    pub(super) format: &'static str,
    #[schemars(extend("const" = 1))]
    pub(super) version: u8,
    /// The time it was made for.
    #[schemars(with = "Time")]
    pub(super) now: Timestamp,
    /// Equal for plans that do the same, whenever they were made and wherever their objects are declared.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub(super) hash: String,
    pub(super) counts: Counts,
    /// In the order of doing.
    pub(super) actions: Vec<Action>,
    /// What is not as it should be and no action. A plan that has one is not `clean`.
    pub(super) findings: Vec<Finding>,
    /// What a reader should know and nothing is done about.
    pub(super) notices: Vec<Notice>,
    /// What could not be checked.
    pub(super) unchecked: Vec<Unchecked>,
    pub(super) verdict: Verdict,
}

/// An apply: the plan, and what became of it.
#[derive(Serialize, JsonSchema)]
pub(super) struct ReportDocument {
    #[schemars(extend("const" = "qlik-plan/report"))]
    pub(super) format: &'static str,
    #[schemars(extend("const" = 1))]
    pub(super) version: u8,
    #[schemars(with = "Time")]
    pub(super) started: Timestamp,
    pub(super) plan: Plan,
    /// One line an action that was begun or skipped, in the plan's order.
    pub(super) lines: Vec<ReportLine>,
    /// With `--plan`: what was reviewed and is not so any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) moved: Vec<Moved>,
    /// Why the run stopped early, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped: Option<String>,
    pub(super) verdict: Verdict,
}

/// A run that came to no plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorDocument {
    #[schemars(extend("const" = "qlik-plan/error"))]
    pub(super) format: &'static str,
    #[schemars(extend("const" = 1))]
    pub(super) version: u8,
    pub(super) error: Failed,
    pub(super) verdict: Verdict,
}

/// What a verb that makes no plan has to say.
#[derive(Serialize, JsonSchema)]
pub(super) struct AnswerDocument {
    #[schemars(extend("const" = "qlik-plan/answer"))]
    pub(super) format: &'static str,
    #[schemars(extend("const" = 1))]
    pub(super) version: u8,
    pub(super) answer: Answer,
    pub(super) verdict: Verdict,
}

/// One member, named for the verb.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Valid { objects: usize, with_settings: bool },
    LedgerMade { id: String, place: String },
    Ledger { id: String, place: String, records: Vec<LedgerRecord> },
    Rehearsed { account: String, passed: Vec<String> },
    Resolved { address: String, text: String, next: Vec<String> },
    Explained { address: String, read: Vec<Fact>, path: Vec<String>, actions: Vec<Action>, notices: Vec<String> },
    Page { code: &'static str, text: String },
}

/// One tenant's record, without what only the program needs.
#[derive(Serialize, JsonSchema)]
pub(super) struct LedgerRecord {
    pub(super) address: String,
    pub(super) uid: String,
    /// The group whose desired state declares it; none is `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// `free`, `pending`, `bound`, `settling` or `settled`.
    pub(super) state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hostname: Option<String>,
}

/// The run in one word; `--exit-codes fine` gives each an exit code of its own.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Clean,
    Error,
    Changes,
    Refused,
    Partial,
    Stale,
    OverLimit,
    Credentials,
    Drift,
}

/// Exit code and summary.
#[derive(Serialize, JsonSchema)]
pub(super) struct Verdict {
    pub(super) exit: u8,
    pub(super) outcome: Word,
    pub(super) summary: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Failed {
    pub(super) message: String,
    /// Commands or steps, best first.
    pub(super) next: Vec<String>,
    /// Faults of the configuration, where that is what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) faults: Option<Value>,
}

/// The plan that was applied: the members of a plan's document that are about the plan.
#[derive(Serialize, JsonSchema)]
pub(super) struct Plan {
    /// The time it was made for.
    #[schemars(with = "Time")]
    pub(super) now: Timestamp,
    /// Equal for plans that do the same, whenever they were made and wherever their objects are declared.
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub(super) hash: String,
    pub(super) counts: Counts,
    /// In the order of doing.
    pub(super) actions: Vec<Action>,
    /// What is not as it should be and no action. A plan that has one is not `clean`.
    pub(super) findings: Vec<Finding>,
    /// What a reader should know and nothing is done about.
    pub(super) notices: Vec<Notice>,
    /// What could not be checked.
    pub(super) unchecked: Vec<Unchecked>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Counts {
    pub(super) tenants_to_create: usize,
    pub(super) tenants_to_settle: usize,
    pub(super) keys_to_create: usize,
    pub(super) keys_to_renew: usize,
    pub(super) keys_to_reclaim: usize,
    pub(super) keys_to_mark: usize,
    pub(super) tenants_to_move: usize,
    pub(super) to_trust: usize,
    #[serde(flatten)]
    pub(super) objects: object::ObjectCounts,
    pub(super) to_grant: usize,
    pub(super) kept: usize,
    pub(super) drifted: usize,
    pub(super) waiting: usize,
    pub(super) refused: usize,
    pub(super) findings: usize,
}

/// One action.
#[derive(Serialize, JsonSchema)]
pub(super) struct Action {
    /// `VENDOR/TENANT` or `VENDOR/TENANT/KEY`.
    pub(super) address: String,
    pub(super) kind: Kind,
    pub(super) object: Object,
    pub(super) at: Place,
    /// What `kind` needs to say; none for `refuse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) details: Option<Details>,
    /// Of a refusal: stable, `docs/operations.md` explains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<&'static str>,
    /// Of a refusal or a wait, and of a key that is not simply missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// Of a refusal or a drift: commands or steps, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) next: Vec<String>,
}

/// Where the object is declared. Line and column count from 1.
#[derive(Serialize, JsonSchema)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// One thing that was read.
#[derive(Serialize, JsonSchema)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
}

/// One object that is not as it was reviewed.
#[derive(Serialize, JsonSchema)]
pub(super) struct Moved {
    pub(super) address: String,
    /// Empty: the reviewed plan does not have it.
    pub(super) reviewed: Vec<Action>,
    /// Empty: it is not declared any more.
    pub(super) now: Vec<Action>,
    /// What was read, where it differs.
    pub(super) facts: Vec<MovedFact>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct MovedFact {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reviewed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) now: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Finding {
    /// Stable; `docs/operations.md` explains it.
    pub(super) code: &'static str,
    /// None where it is about the estate or its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Place>,
    pub(super) why: String,
    /// Commands or steps, best first.
    pub(super) next: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Notice {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    /// A place of its own, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Place>,
    pub(super) text: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Unchecked {
    pub(super) address: String,
    pub(super) what: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct ReportLine {
    pub(super) address: String,
    pub(super) step: Step,
    pub(super) outcome: Outcome,
    /// Where the object is declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Place>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    Done { detail: String },
    Failed { why: String, next: Vec<String> },
    Skipped { because: String },
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    CreateTenant,
    RecordAdoption,
    SettleName,
    SettleAlias,
    SettleLimits,
    Settle,
    MoveGroup,
    Trust,
    Grant,
    Mint,
    Try,
    Deliver,
    Verify,
    Mark,
    Revoke,
    CreateKey,
    RenewKey,
    Reclaim,
    #[serde(untagged)]
    Create(object::ObjectStep),
}
