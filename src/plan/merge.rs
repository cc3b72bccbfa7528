//! Plans of the shards of one run, made into the plan that one process would have made.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::settings::Limits;
use crate::model::untrusted::Untrusted;

use super::action::{Notice, Plan};
use super::{drift, limit, qlik};

/// Makes one plan of the plans of all shards, which were planned without limits. The order in which they are given changes nothing.
pub fn merge(parts: Vec<Plan>, limits: Limits) -> Option<Plan> {
    // Each was right when it was made; the latest says how much time is left.
    let now = parts.iter().map(|part| part.now).max()?;
    let mut merged = Plan::empty(now);
    for Plan { now: _, actions, facts, findings, notices, unchecked } in parts {
        merged.actions.extend(actions);
        merged.facts.extend(facts);
        merged.findings.extend(findings);
        merged.notices.extend(notices);
        merged.unchecked.extend(unchecked);
    }
    merged.actions.sort_by(|a, b| a.address.cmp(&b.address));
    Some(finish(merged, Some(limits)))
}

/// Does the rest once every object was planned: the limits of the run, and the sentences about the plan as a whole, in an order that does
/// not depend on how many shards it was planned by. `None`: the limits are held when the parts are merged.
pub(super) fn finish(mut plan: Plan, limits: Option<Limits>) -> Plan {
    if let Some(limits) = limits {
        limit::hold(limits, &mut plan.actions);
        let left: BTreeSet<_> = plan.actions.iter().map(|planned| &planned.address).collect();
        plan.facts.retain(|address, _| left.contains(address));
        qlik::role::find(&mut plan);
    }
    drift::say_next(&mut plan);
    plan.findings.sort_by(|a, b| (&a.address, a.code, &a.at, &a.why).cmp(&(&b.address, b.code, &b.at, &b.why)));
    plan.findings.dedup();
    // Of one subject, they stay in the order in which they were found: tenants that nobody manages are named by name.
    plan.notices.sort_by(|a, b| (&a.address, &a.at, subject(a)).cmp(&(&b.address, &b.at, subject(b))));
    let mut said: BTreeSet<(Option<Address>, Option<Place>, Untrusted)> = BTreeSet::new();
    plan.notices.retain(|notice| said.insert((notice.address.clone(), notice.at.clone(), notice.text.clone())));
    plan.unchecked.sort_by(|a, b| a.address.cmp(&b.address));
    plan
}

/// The words before the first colon, which notices on one subject share.
fn subject(notice: &Notice) -> &str {
    notice.text.raw().split(": ").next().unwrap_or_default()
}
