//! From the values of the program to the published format, field by field: a new field does not compile unnoticed.

use std::collections::BTreeMap;

use crate::apply::event as events;
use crate::model::address::Address;
use crate::model::place;
use crate::model::untrusted::Untrusted;
use crate::plan::action;
use crate::plan::counts;
use crate::plan::finding;
use crate::plan::refusal::Refusal;
use crate::plan::review;
use crate::render::why::why_mint;

use crate::model::record::Record;

use super::document::{
    Action, Answer, AnswerDocument, Counts, ErrorDocument, Failed, Finding, LedgerRecord, Moved, MovedFact, Notice,
    Outcome, Place, Plan, PlanDocument, ReportDocument, ReportLine, Step, Unchecked, Verdict, Word,
};
use super::from_details::details;
use super::object::Object;
use super::words::Kind;

const VERSION: u8 = 1;

impl PlanDocument {
    pub(super) fn of(plan: &action::Plan, verdict: &crate::render::Verdict) -> Self {
        let Plan { now, hash, counts, actions, findings, notices, unchecked } = plan.into();
        Self {
            format: "qlik-plan/plan",
            version: VERSION,
            now,
            hash,
            counts,
            actions,
            findings,
            notices,
            unchecked,
            verdict: verdict.into(),
        }
    }
}

impl ReportDocument {
    pub(super) fn of(plan: &action::Plan, report: &events::Report, verdict: &crate::render::Verdict) -> Self {
        let events::Report { started, lines, stopped } = report;
        // The first of an object's actions is about the object itself; a grant or an owner has a line of its own.
        let places: BTreeMap<&Address, &place::Place> =
            plan.actions.iter().rev().map(|planned| (&planned.address, &planned.at)).collect();
        let lines = lines
            .iter()
            .map(|events::ReportLine { address, step, outcome }| ReportLine {
                address: address.to_string(),
                step: (*step).into(),
                outcome: outcome.into(),
                at: places.get(address).map(|at| Place::from(*at)),
            })
            .collect();
        Self {
            format: "qlik-plan/report",
            version: VERSION,
            started: *started,
            plan: plan.into(),
            lines,
            moved: Vec::new(),
            stopped: stopped.clone(),
            verdict: verdict.into(),
        }
    }
}

impl From<&review::Moved> for Moved {
    fn from(moved: &review::Moved) -> Self {
        let review::Moved { address, at, reviewed, now, facts } = moved;
        let side = |actions: &[action::Action]| {
            let planned = |action: &action::Action| action::Planned {
                address: address.clone(),
                at: at.clone(),
                action: action.clone(),
            };
            actions.iter().map(|action| Action::from(&planned(action))).collect()
        };
        let text = |value: &Option<Untrusted>| value.as_ref().map(|value| value.raw().to_owned());
        Self {
            address: address.to_string(),
            reviewed: side(reviewed),
            now: side(now),
            facts: facts
                .iter()
                .map(|review::MovedFact { name, reviewed, now }| MovedFact {
                    name: name.clone(),
                    reviewed: text(reviewed),
                    now: text(now),
                })
                .collect(),
        }
    }
}

impl ErrorDocument {
    pub(super) fn of(error: Failed, exit: u8, outcome: crate::render::Outcome) -> Self {
        let verdict = Verdict { exit, outcome: outcome.into(), summary: error.message.clone() };
        Self { format: "qlik-plan/error", version: VERSION, error, verdict }
    }
}

impl AnswerDocument {
    pub(super) fn of(answer: Answer, exit: u8) -> Self {
        let summary = match &answer {
            Answer::Valid { objects, .. } => format!("valid: {objects} declared"),
            Answer::LedgerMade { id, .. } => format!("made ledger {id}"),
            Answer::Ledger { records, .. } => format!("{} in the ledger", records.len()),
            Answer::Rehearsed { account, .. } => format!("rehearsed account {account}"),
            Answer::Resolved { text, .. } => text.clone(),
            Answer::Explained { address, .. } => format!("explained {address}"),
            Answer::Page { code, .. } => format!("explained {code}"),
        };
        let outcome = if exit == 0 { Word::Clean } else { Word::Refused };
        Self { format: "qlik-plan/answer", version: VERSION, answer, verdict: Verdict { exit, outcome, summary } }
    }
}

impl From<&Record> for LedgerRecord {
    fn from(record: &Record) -> Self {
        let binding = record.state.binding();
        Self {
            address: record.address.to_string(),
            uid: record.uid.to_string(),
            group: (!record.group.is_default()).then(|| record.group.to_string()),
            state: record.state.word(),
            tenant_id: binding.map(|binding| binding.tenant_id.raw().to_owned()),
            hostname: binding.map(|binding| binding.hostname.raw().to_owned()),
        }
    }
}

impl From<&crate::render::Verdict> for Verdict {
    fn from(verdict: &crate::render::Verdict) -> Self {
        let crate::render::Verdict { exit, outcome, summary } = verdict;
        Self { exit: *exit, outcome: (*outcome).into(), summary: summary.clone() }
    }
}

impl From<crate::render::Outcome> for Word {
    fn from(outcome: crate::render::Outcome) -> Self {
        match outcome {
            crate::render::Outcome::Clean => Self::Clean,
            crate::render::Outcome::Error => Self::Error,
            crate::render::Outcome::Changes => Self::Changes,
            crate::render::Outcome::Refused => Self::Refused,
            crate::render::Outcome::Partial => Self::Partial,
            crate::render::Outcome::Stale => Self::Stale,
            crate::render::Outcome::OverLimit => Self::OverLimit,
            crate::render::Outcome::Credentials => Self::Credentials,
            crate::render::Outcome::Drift => Self::Drift,
        }
    }
}

impl From<&action::Plan> for Plan {
    fn from(plan: &action::Plan) -> Self {
        let action::Plan { now, actions, facts: _, findings, notices, unchecked } = plan; // the hash covers the facts
        Self {
            now: *now,
            hash: super::hash(plan),
            counts: plan.counts().into(),
            actions: actions.iter().map(Action::from).collect(),
            findings: findings.iter().map(Finding::from).collect(),
            notices: notices
                .iter()
                .map(|action::Notice { address, at, text }| Notice {
                    address: address.as_ref().map(ToString::to_string),
                    at: at.as_ref().map(Place::from),
                    text: text.raw().to_owned(),
                })
                .collect(),
            unchecked: unchecked
                .iter()
                .map(|action::Unchecked { address, what }| Unchecked {
                    address: address.to_string(),
                    what: what.clone(),
                })
                .collect(),
        }
    }
}

impl From<counts::Counts> for Counts {
    fn from(counts: counts::Counts) -> Self {
        let counts::Counts {
            tenants_to_create,
            tenants_to_settle,
            keys_to_create,
            keys_to_renew,
            keys_to_reclaim,
            keys_to_mark,
            tenants_to_move,
            to_trust,
            objects_to_create,
            to_grant,
            kept,
            drifted,
            waiting,
            refused,
            findings,
        } = counts;
        Self {
            tenants_to_create,
            tenants_to_settle,
            keys_to_create,
            keys_to_renew,
            keys_to_reclaim,
            keys_to_mark,
            tenants_to_move,
            to_trust,
            objects: (&objects_to_create).into(),
            to_grant,
            kept,
            drifted,
            waiting,
            refused,
            findings,
        }
    }
}

impl From<&action::Planned> for Action {
    fn from(planned: &action::Planned) -> Self {
        let action::Planned { address, at, action } = planned;
        // A user is planned at its tenant's address.
        // Such an object is planned at its tenant's address.
        let object = if let action::Action::CreateObject(create) = action {
            create.object.kind().into()
        } else if address.is_tenant() {
            Object::Tenant
        } else {
            Object::Key
        };
        let said = said(action);
        Self {
            address: address.to_string(),
            kind: kind(action),
            object,
            at: at.into(),
            details: details(address.vendor, action),
            code: said.code,
            why: said.why,
            next: said.next,
        }
    }
}

fn kind(action: &action::Action) -> Kind {
    match action {
        action::Action::CreateTenant(_) | action::Action::CreateObject(_) | action::Action::CreateKey(_) => {
            Kind::Create
        }
        action::Action::MoveGroup(_) => Kind::MoveGroup,
        action::Action::Settle(_) => Kind::Settle,
        action::Action::Trust(_) => Kind::Trust,
        action::Action::Grant(_) => Kind::Grant,
        action::Action::Mark(_) => Kind::Mark,
        action::Action::Renew(_) => Kind::Renew,
        action::Action::Reclaim(_) => Kind::Reclaim,
        action::Action::Keep(_) => Kind::Keep,
        action::Action::Drift(_) => Kind::Drift,
        action::Action::Wait(_) => Kind::Wait,
        action::Action::Refuse(_) => Kind::Refuse,
    }
}

/// What an action says in words.
#[derive(Default)]
struct Said {
    code: Option<&'static str>,
    why: Option<String>,
    next: Vec<String>,
}

fn said(action: &action::Action) -> Said {
    match action {
        action::Action::CreateKey(create) => Said { why: why_mint(&create.why), ..Said::default() },
        action::Action::Renew(renew) => Said { why: why_mint(&renew.create.why), ..Said::default() },
        action::Action::Drift(drift) => Said { next: drift.next.clone(), ..Said::default() },
        action::Action::Wait(wait) => Said { why: Some(wait.why.clone()), ..Said::default() },
        action::Action::Refuse(Refusal { code, why, next }) => {
            Said { code: Some(code.as_str()), why: Some(why.raw().to_owned()), next: next.clone() }
        }
        action::Action::CreateTenant(_)
        | action::Action::Settle(_)
        | action::Action::MoveGroup(_)
        | action::Action::Trust(_)
        | action::Action::CreateObject(_)
        | action::Action::Grant(_)
        | action::Action::Mark(_)
        | action::Action::Reclaim(_)
        | action::Action::Keep(_) => Said::default(),
    }
}

impl From<&finding::Finding> for Finding {
    fn from(finding: &finding::Finding) -> Self {
        let finding::Finding { code, address, at, why, next } = finding;
        Self {
            code: code.as_str(),
            address: address.as_ref().map(ToString::to_string),
            at: at.as_ref().map(Place::from),
            why: why.raw().to_owned(),
            next: next.clone(),
        }
    }
}

impl From<&place::Place> for Place {
    fn from(at: &place::Place) -> Self {
        let place::Place { file, line, column } = at;
        Self { file: file.clone(), line: *line, column: *column }
    }
}

impl From<&events::ReportOutcome> for Outcome {
    fn from(outcome: &events::ReportOutcome) -> Self {
        match outcome {
            events::ReportOutcome::Done { detail } => Self::Done { detail: detail.raw().to_owned() },
            events::ReportOutcome::Failed(events::Failure { why, next }) => {
                Self::Failed { why: why.raw().to_owned(), next: next.clone() }
            }
            events::ReportOutcome::Skipped { because } => Self::Skipped { because: because.clone() },
        }
    }
}

impl From<events::Step> for Step {
    fn from(step: events::Step) -> Self {
        match step {
            events::Step::CreateTenant => Self::CreateTenant,
            events::Step::RecordAdoption => Self::RecordAdoption,
            events::Step::SettleName => Self::SettleName,
            events::Step::SettleAlias => Self::SettleAlias,
            events::Step::SettleLimits => Self::SettleLimits,
            events::Step::Settle => Self::Settle,
            events::Step::MoveGroup => Self::MoveGroup,
            events::Step::Trust => Self::Trust,
            events::Step::CreateObject(kind) => Self::Create(kind.into()),
            events::Step::Grant => Self::Grant,
            events::Step::Mint => Self::Mint,
            events::Step::Try => Self::Try,
            events::Step::Deliver => Self::Deliver,
            events::Step::Verify => Self::Verify,
            events::Step::Mark => Self::Mark,
            events::Step::Revoke => Self::Revoke,
            events::Step::CreateKey => Self::CreateKey,
            events::Step::RenewKey => Self::RenewKey,
            events::Step::Reclaim => Self::Reclaim,
        }
    }
}
