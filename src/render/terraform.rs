//! A plan in Terraform's representation of plans (format version 1.2), so that policies written for that can read ours.
//!
//! A tenant is a `qlik_tenant`, a key a `qlik_api_key`, and the same for `imburse_`; a user who is made a `qlik_user`; everything that happens to one object
//! is one change. What
//! Terraform has no word for is said where its readers look: a refusal is a failed check, a wait a check that is not
//! known yet, a leftover to revoke a deposed object, an adoption an import. A key's secret is never known here, so
//! `token` is null and marked as sensitive.

mod change;
mod declared;
mod document;
mod sketch;

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::plan::action::{Action, Plan, Planned};

use super::json::line;
use document::{
    Configuration, Document, ModuleConfiguration, PlannedValues, ResourceChange, ResourceConfiguration, RootModule,
    Verb,
};
use sketch::Draft;

/// Every member that a reader of format 1.2 may rely on, in one line. What is `desired` completes what the plan says of
/// objects that it does not make.
pub fn plan(plan: &Plan, desired: Option<&Desired>) -> String {
    line(&document(plan, desired))
}

/// A run that came to no plan: nothing is known, and Terraform's own mark says so.
pub fn error(message: &str, next: &[String]) -> String {
    let mut document = Document::new(None);
    document.errored = true;
    document.complete = false;
    document.checks = vec![change::failed_run(message, next)];
    line(&document)
}

/// How many objects are created, updated and deleted.
pub(super) fn counts(plan: &Plan) -> [usize; 3] {
    let mut counts = [0; 3];
    let [create, update, delete] = &mut counts;
    for change in document(plan, None).resource_changes {
        for verb in change.change.actions {
            match verb {
                Verb::Create => *create += 1,
                Verb::Update => *update += 1,
                Verb::Delete => *delete += 1,
                Verb::NoOp => {}
            }
        }
    }
    counts
}

fn document(plan: &Plan, desired: Option<&Desired>) -> Document {
    let mut document = Document::new(Some(plan.now));
    let mut rest = plan.actions.as_slice();
    let mut kinds = BTreeSet::new();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|planned| planned.address == first.address).count();
        let (group, others) = rest.split_at(same);
        object(&first.address, group, desired, &mut document);
        kinds.insert(document::kind(&first.address));
        rest = others;
    }
    // As with Terraform's own check blocks: one that fails is a warning, and the plan is whole.
    document.checks.extend(plan.findings.iter().map(change::found));
    kinds.extend(document.resource_changes.iter().map(ResourceChange::kind));
    document.configuration = Configuration {
        root_module: ModuleConfiguration { resources: kinds.into_iter().map(ResourceConfiguration::of).collect() },
    };
    document.applyable = plan.has_work();
    document.errored = plan.has_refusals();
    document.complete =
        !plan.actions.iter().any(|planned| matches!(planned.action, Action::Refuse(_) | Action::Wait(_)));
    document
}

/// Everything that the plan says of one object.
fn object(address: &Address, group: &[Planned], desired: Option<&Desired>, document: &mut Document) {
    let mut draft = Draft::default();
    for Planned { address: _, at, action } in group {
        draft.add(address, at, action);
    }
    let Draft { mut change, deposed, objects, drift, checks } = draft;
    if let (Some(change), Some(desired)) = (&mut change, desired) {
        change.complete(declared::members(desired, address));
    }
    document.checks.extend(checks);
    document.resource_drift.extend(drift);
    // Readers that keep one change per address take the last: the object itself, not what is left of an older one.
    document.resource_changes.extend(deposed);
    for change in change.map(|change| change.finish(address)).into_iter().chain(objects) {
        document.planned_values.root_module.resources.push(change.planned());
        document.resource_changes.push(change);
    }
}

impl PlannedValues {
    fn empty() -> Self {
        Self { root_module: RootModule { resources: Vec::new() } }
    }
}
