//! The last line: what a plan or a report amounts to, as one sentence that agrees with its numbers.

use crate::apply::event::{Report, ReportOutcome, Step};
use crate::model::object::ObjectKind;
use crate::plan::action::{Action, Adopted, Keep, Plan};
use crate::plan::counts::Counts;

use super::layout::{count, join_and};

/// `Plan: 1 tenant and 2 keys to create, 1 tenant to set up; 3 unchanged, 1 refused.`
pub fn plan(plan: &Plan) -> String {
    let Counts {
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
    } = plan.counts();
    let adoptions = adoptions_to_record(plan);
    let work = phrases(&[
        (
            &created(tenants_to_create, |kind| objects_to_create.get(&kind).copied().unwrap_or(0), keys_to_create),
            " to create",
        ),
        (&[(tenants_to_move, "tenant")], " to record as another group's"),
        (&[(tenants_to_settle, "tenant")], " to set up"),
        (&[(keys_to_renew, "key")], " to renew"),
        (&[(keys_to_reclaim, "key")], " to revoke"),
        (&[(keys_to_mark, "key")], " to mark"),
        (&[(to_grant, "permission")], " to grant"),
        (&[(to_trust, "key client")], " to trust"),
        (&[(adoptions, "adoption")], " to record"),
    ]);
    let mut trouble = states(&[(drifted, "drifted"), (waiting, "waiting"), (refused, "refused")]);
    if findings > 0 {
        trouble.push(count(findings, "finding"));
    }
    if work.is_empty() && trouble.is_empty() {
        return match kept {
            0 => "Nothing to do: nothing is declared.".into(),
            1 => "Nothing to do. 1 object is as declared.".into(),
            n => format!("Nothing to do. {n} objects are as declared."),
        };
    }
    let mut rest = states(&[(kept.saturating_sub(adoptions), "unchanged")]);
    rest.extend(trouble);
    let parts = [work.join(", "), rest.join(", ")].into_iter().filter(|part| !part.is_empty());
    format!("Plan: {}.", parts.collect::<Vec<_>>().join("; "))
}

/// Adopted tenants that apply writes into the ledger; nothing is sent for them.
fn adoptions_to_record(plan: &Plan) -> usize {
    let to_record = |action: &Action| {
        matches!(action, Action::Keep(Keep::Tenant { adopted: Adopted::ToRecord { .. }, id: _, of: _ }))
    };
    plan.actions.iter().filter(|planned| to_record(&planned.action)).count()
}

/// `Applied: 1 tenant and 2 keys created, 1 tenant set up; 1 failed.`
pub fn report(report: &Report) -> String {
    let done = |step: Step| {
        let is_done = |outcome: &ReportOutcome| match outcome {
            ReportOutcome::Done { detail: _ } => true,
            ReportOutcome::Failed(_) | ReportOutcome::Skipped { because: _ } => false,
        };
        report.lines.iter().filter(|line| line.step == step && is_done(&line.outcome)).count()
    };
    let work = phrases(&[
        (&created(done(Step::CreateTenant), |kind| done(Step::CreateObject(kind)), done(Step::CreateKey)), " created"),
        (&[(done(Step::MoveGroup), "tenant")], " recorded as another group's"),
        (&[(done(Step::Settle), "tenant")], " set up"),
        (&[(done(Step::RenewKey), "key")], " renewed"),
        (&[(done(Step::Reclaim), "leftover key")], " revoked"),
        (&[(done(Step::Mark), "key")], " marked"),
        (&[(done(Step::Grant), "permission")], " granted"),
        (&[(done(Step::Trust), "key client")], " trusted"),
        (&[(done(Step::RecordAdoption), "adoption")], " recorded"),
    ]);
    let failed = report.lines.iter().filter(|line| matches!(line.outcome, ReportOutcome::Failed(_))).count();
    let skipped = report.lines.iter().filter(|line| matches!(line.outcome, ReportOutcome::Skipped { .. })).count();
    let work = if work.is_empty() { "nothing".to_owned() } else { work.join(", ") };
    let rest = states(&[(failed, "failed"), (skipped, "skipped")]);
    let early = if report.stopped.is_some() { "Stopped early. " } else { "" };
    if rest.is_empty() {
        format!("{early}Applied: {work}.")
    } else {
        format!("{early}Applied: {work}; {}.", rest.join(", "))
    }
}

/// What is made, in the order of making.
fn created(tenants: usize, objects: impl Fn(ObjectKind) -> usize, keys: usize) -> Vec<(usize, &'static str)> {
    let objects = ObjectKind::ALL.iter().map(|kind| (objects(*kind), kind.word()));
    [(tenants, "tenant")].into_iter().chain(objects).chain([(keys, "key")]).collect()
}

/// Nouns that share a predicate, and the predicate.
type Phrase<'a> = (&'a [(usize, &'a str)], &'a str);

/// Each phrase whose nouns occur: `1 tenant and 2 keys` + ` to create`.
fn phrases(all: &[Phrase<'_>]) -> Vec<String> {
    all.iter()
        .filter_map(|(nouns, predicate)| {
            let counted: Vec<String> = nouns.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(*n, noun)).collect();
            (!counted.is_empty()).then(|| format!("{}{predicate}", join_and(&counted)))
        })
        .collect()
}

/// `2 refused`, for each that occurs.
fn states(all: &[(usize, &str)]) -> Vec<String> {
    all.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect()
}
