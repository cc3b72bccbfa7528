//! From the values of the program to the published format, field by field: a new field does not compile unnoticed.

use crate::apply::event as events;
use crate::model::address::Address;
use crate::model::desired::Origin;
use crate::model::marker;
use crate::model::spec::{self, KeyLimits, QlikKey};
use crate::plan::action;
use crate::plan::refusal::Refusal;
use crate::render::block::why_mint;

use super::document::{
    Action, Adopted, Alias, Cause, Counts, CreateKey, CreateTenant, Delivered, Details, Drift, DriftField,
    ErrorDocument, Failed, Grant, KeepKey, KeepTenant, Kind, Letter, Limits, Mark, Notice, Object, Outcome, Owner,
    Parent, Permission, Place, Plan, PlanDocument, Reclaim, Renew, ReportDocument, ReportLine, Settle, Shape, Step,
    Tenant, Trust, Unchecked, Verdict, Wait,
};

const VERSION: u8 = 1;

impl PlanDocument {
    pub(super) fn of(plan: &action::Plan, verdict: &crate::render::Verdict) -> Self {
        let Plan { now, hash, counts, actions, notices, unchecked } = plan.into();
        Self {
            format: "qlik-plan/plan",
            version: VERSION,
            now,
            hash,
            counts,
            actions,
            notices,
            unchecked,
            verdict: verdict.into(),
        }
    }
}

impl ReportDocument {
    pub(super) fn of(plan: &action::Plan, report: &events::Report, verdict: &crate::render::Verdict) -> Self {
        let events::Report { started, lines, stopped } = report;
        let at = |address: &Address| {
            plan.actions.iter().find(|planned| planned.address == *address).map(|planned| &planned.at)
        };
        let lines = lines
            .iter()
            .map(|events::ReportLine { address, step, outcome }| ReportLine {
                address: address.to_string(),
                step: (*step).into(),
                outcome: outcome.into(),
                at: at(address).map(Place::from),
            })
            .collect();
        Self {
            format: "qlik-plan/report",
            version: VERSION,
            started: *started,
            plan: plan.into(),
            lines,
            stopped: stopped.clone(),
            verdict: verdict.into(),
        }
    }
}

impl ErrorDocument {
    pub(super) fn of(error: Failed, exit: u8) -> Self {
        let verdict = Verdict { exit, summary: error.message.clone() };
        Self { format: "qlik-plan/error", version: VERSION, error, verdict }
    }
}

impl From<&crate::render::Verdict> for Verdict {
    fn from(verdict: &crate::render::Verdict) -> Self {
        let crate::render::Verdict { exit, summary } = verdict;
        Self { exit: *exit, summary: summary.clone() }
    }
}

impl From<&action::Plan> for Plan {
    fn from(plan: &action::Plan) -> Self {
        let action::Plan { now, actions, notices, unchecked } = plan;
        Self {
            now: *now,
            hash: super::hash(plan),
            counts: plan.counts().into(),
            actions: actions.iter().map(Action::from).collect(),
            notices: notices
                .iter()
                .map(|action::Notice { address, text }| Notice {
                    address: address.as_ref().map(ToString::to_string),
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

impl From<action::Counts> for Counts {
    fn from(counts: action::Counts) -> Self {
        let action::Counts {
            tenants_to_create,
            tenants_to_settle,
            keys_to_create,
            keys_to_renew,
            keys_to_reclaim,
            keys_to_mark,
            to_trust,
            to_grant,
            kept,
            drifted,
            waiting,
            refused,
        } = counts;
        Self {
            tenants_to_create,
            tenants_to_settle,
            keys_to_create,
            keys_to_renew,
            keys_to_reclaim,
            keys_to_mark,
            to_trust,
            to_grant,
            kept,
            drifted,
            waiting,
            refused,
        }
    }
}

impl From<&action::Planned> for Action {
    fn from(planned: &action::Planned) -> Self {
        let action::Planned { address, at, action } = planned;
        let object = if address.is_tenant() { Object::Tenant } else { Object::Key };
        let said = said(action);
        Self {
            address: address.to_string(),
            kind: kind(action),
            object,
            at: at.into(),
            details: details(action),
            code: said.code,
            why: said.why,
            next: said.next,
        }
    }
}

fn kind(action: &action::Action) -> Kind {
    match action {
        action::Action::CreateTenant(_) | action::Action::CreateKey(_) => Kind::Create,
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
        action::Action::Wait(wait) => Said { why: Some(wait.why.clone()), ..Said::default() },
        action::Action::Refuse(Refusal { code, why, next }) => {
            Said { code: Some(code.as_str()), why: Some(why.raw().to_owned()), next: next.clone() }
        }
        action::Action::CreateTenant(_)
        | action::Action::Settle(_)
        | action::Action::Trust(_)
        | action::Action::Grant(_)
        | action::Action::Mark(_)
        | action::Action::Reclaim(_)
        | action::Action::Keep(_)
        | action::Action::Drift(_) => Said::default(),
    }
}

fn details(action: &action::Action) -> Option<Details> {
    Some(match action {
        action::Action::CreateTenant(create) => Details::CreateTenant(create.into()),
        action::Action::Settle(settle) => Details::Settle(settle.into()),
        action::Action::Trust(action::Trust { account, parent }) => {
            Details::Trust(Trust { account: account.to_string(), tenant: parent.into() })
        }
        action::Action::Grant(action::Grant { account, parent, what }) => Details::Grant(Grant {
            account: account.to_string(),
            tenant: parent.into(),
            permission: match what {
                action::Permission::ManageApiKeysToEveryone => Permission::ManageApiKeysToEveryone,
            },
        }),
        action::Action::Mark(mark) => Details::Mark(mark.into()),
        action::Action::CreateKey(create) => Details::CreateKey(create.into()),
        action::Action::Renew(action::Renew { create, key_id, expires }) => {
            Details::Renew(Renew { key_id: key_id.clone(), expires: *expires, successor: create.into() })
        }
        action::Action::Reclaim(reclaim) => Details::Reclaim(reclaim.into()),
        action::Action::Keep(keep) => self::keep(keep),
        action::Action::Drift(action::Drift { fields }) => Details::Drift(Drift {
            fields: fields
                .iter()
                .map(|action::DriftField { field, declared, live }| DriftField {
                    field: field.clone(),
                    declared: declared.clone(),
                    live: live.raw().to_owned(),
                })
                .collect(),
        }),
        // Its `why` stands beside `kind`.
        action::Action::Wait(action::Wait { run, why: _ }) => Details::Wait(Wait { run: run.clone() }),
        action::Action::Refuse(_) => return None,
    })
}

fn keep(keep: &action::Keep) -> Details {
    match keep {
        action::Keep::Tenant { id, hostname, adopted } => Details::KeepTenant(KeepTenant {
            id: id.raw().to_owned(),
            hostname: hostname.raw().to_owned(),
            adopted: match adopted {
                action::Adopted::No => Adopted::No,
                action::Adopted::ToRecord { account } => Adopted::ToRecord(account.to_string()),
                action::Adopted::Recorded => Adopted::Recorded,
            },
        }),
        action::Keep::Key { key_id, expires, sink, shape } => Details::KeepKey(KeepKey {
            key_id: key_id.clone(),
            expires: *expires,
            delivered: Some(Delivered { sink: sink.to_string(), shape: (*shape).into() }),
        }),
        action::Keep::AdoptedKey { key_id, expires } => {
            Details::KeepKey(KeepKey { key_id: key_id.clone(), expires: *expires, delivered: None })
        }
    }
}

impl From<&action::CreateTenant> for CreateTenant {
    fn from(create: &action::CreateTenant) -> Self {
        let action::CreateTenant { account, region } = create;
        Self {
            account: account.to_string(),
            region: region.label.to_string(),
            register: region.register().as_str().to_owned(),
        }
    }
}

impl From<&action::Settle> for Settle {
    fn from(settle: &action::Settle) -> Self {
        let action::Settle { account, parent, parts } = settle;
        let mut out = Self {
            account: account.to_string(),
            tenant: parent.into(),
            display_name: None,
            alias: None,
            api_key_limits: None,
        };
        for part in parts {
            match part {
                action::SettlePart::Name(name) => out.display_name = Some(name.clone()),
                action::SettlePart::Alias { label, host } => {
                    out.alias = Some(Alias { label: label.to_string(), host: host.clone() });
                }
                action::SettlePart::Limits(KeyLimits { max_expiry, max_keys_per_user }) => {
                    out.api_key_limits = Some(Limits {
                        max_expiry: max_expiry.map(|limit| limit.to_string()),
                        max_keys_per_user: *max_keys_per_user,
                    });
                }
            }
        }
        out
    }
}

impl From<&action::Mark> for Mark {
    fn from(mark: &action::Mark) -> Self {
        let action::Mark { account, parent, owner, key_id, description } = mark;
        Self {
            account: account.to_string(),
            tenant: parent.into(),
            owner: owner.into(),
            key_id: key_id.clone(),
            description: description.raw().to_owned(),
        }
    }
}

impl From<&action::CreateKey> for CreateKey {
    fn from(create: &action::CreateKey) -> Self {
        let action::CreateKey { account, parent, spec, why } = create;
        // An adopted key is never minted.
        let QlikKey { description, owner, expires_in, renew_before, deliver_to, deliver_as, adopt: _ } = spec;
        Self {
            account: account.to_string(),
            tenant: parent.into(),
            description: description.clone(),
            owner: owner.into(),
            expires_in: expires_in.to_string(),
            renew_before: renew_before.to_string(),
            deliver_to: deliver_to.to_string(),
            deliver_as: (*deliver_as).into(),
            cause: match why {
                action::WhyMint::Missing => Cause::Missing,
                action::WhyMint::Dead { key_id, state } => Cause::Dead { key_id: key_id.clone(), state: state.clone() },
                action::WhyMint::Supersede { key_id } => Cause::Supersede { key_id: key_id.clone() },
                action::WhyMint::Asked => Cause::Asked,
            },
        }
    }
}

impl From<&action::Reclaim> for Reclaim {
    fn from(reclaim: &action::Reclaim) -> Self {
        let action::Reclaim { account, parent, owner, key_id, created, letter, after_delivery } = reclaim;
        Self {
            account: account.to_string(),
            tenant: parent.into(),
            owner: owner.into(),
            key_id: key_id.clone(),
            created: *created,
            letter: match letter {
                marker::Letter::Undelivered => Letter::Undelivered,
                marker::Letter::Delivered => Letter::Delivered,
            },
            after_delivery: *after_delivery,
        }
    }
}

impl From<&action::Parent> for Parent {
    fn from(parent: &action::Parent) -> Self {
        match parent {
            action::Parent::Exists(tenant) => Self::Exists(tenant.into()),
            action::Parent::MadeBefore(address) => Self::MadeBefore(address.to_string()),
        }
    }
}

impl From<&action::TenantRef> for Tenant {
    fn from(tenant: &action::TenantRef) -> Self {
        let action::TenantRef { id, hostname } = tenant;
        Self { id: id.raw().to_owned(), hostname: hostname.raw().to_owned() }
    }
}

impl From<&spec::Owner> for Owner {
    fn from(owner: &spec::Owner) -> Self {
        match owner {
            spec::Owner::Client => Self::Client,
            spec::Owner::Configured(name) => Self::Configured(name.to_string()),
        }
    }
}

impl From<spec::Shape> for Shape {
    fn from(shape: spec::Shape) -> Self {
        match shape {
            spec::Shape::Token => Self::Token,
            spec::Shape::Env => Self::Env,
            spec::Shape::Json => Self::Json,
        }
    }
}

impl From<&Origin> for Place {
    fn from(at: &Origin) -> Self {
        let Origin { file, line, column } = at;
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
            events::Step::Trust => Self::Trust,
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
