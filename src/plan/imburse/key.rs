//! One key at Imburse: what the decision table asks of it, and what differs from its declaration.

use crate::model::address::Address;
use crate::model::imburse::{ImburseKey, ListedKey, MarkRefused, TENANT_ROLES, TenantLive};
use crate::model::live::{LedgerLive, Observed};
use crate::model::untrusted::{Untrusted, escape};
use crate::plan::action::{Action, Drift, DriftField, Keep, Notice, Plan};
use crate::plan::finding::Finding;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::{Scene, push};
use crate::plan::vendor::Asks;
use crate::plan::{drift, ignore};

use super::ground::Imburse;

pub(super) fn asks<'a>(tenant: &Imburse<'a>, spec: &'a ImburseKey, live: &'a TenantLive) -> Asks<'a, ListedKey> {
    let sink = tenant.scene.desired.sink_facts(&spec.deliver_to);
    let blind = sink.is_some_and(|sink| sink.blind || sink.half_blind);
    Asks {
        text: &spec.name,
        looked_up: &live.looked_up,
        caller: None,
        whose: None,
        never_marked: never_marked(tenant, blind),
        asked: &tenant.scene.wishes.reclaim,
    }
}

/// Returns whether the vendor refused to change a key of this account. With a sink that nobody can look into, the
/// refusal counts for good: there the mark is all that tells a delivered key from a leftover.
fn never_marked(tenant: &Imburse<'_>, blind: bool) -> bool {
    let Imburse { scene, spec, .. } = *tenant;
    let facts = scene.desired.imburse.get(&spec.account);
    let refused = match &scene.live.ledger {
        LedgerLive::Present(ledger) => ledger.marks_refused.as_slice(),
        LedgerLive::Missing { .. } => &[],
    };
    let holds = |one: &MarkRefused, facts| one.holds(&spec.account, facts, if blind { one.at } else { scene.now });
    facts.is_some_and(|facts| refused.iter().any(|one| holds(one, facts)))
}

/// The vendor's list of roles is open, so an unknown one is worth a warning and no more.
pub(super) fn roles(address: &Address, spec: &ImburseKey, plan: &mut Plan) {
    let unknown: Vec<&str> =
        spec.roles.iter().map(String::as_str).filter(|role| !TENANT_ROLES.contains(role)).collect();
    if !unknown.is_empty() {
        let text = format!(
            "the vendor documents no role {}; if it is a new one, nothing is wrong",
            unknown.iter().map(|role| escape(role)).collect::<Vec<_>>().join(", ")
        );
        plan.notices.push(Notice { address: Some(address.clone()), at: None, text: text.into() });
    }
}

/// Says of a live key that it is left alone, and why: it does not end by itself, so it is found, unless it may well be the one in
/// another machine's sink, where all is as it should be.
pub(super) fn leave(scene: &Scene, address: &Address, spec: &ImburseKey, key: &ListedKey, why: &str, plan: &mut Plan) {
    let id = escape(&key.public_key);
    let sink = scene.desired.sink_facts(&spec.deliver_to);
    let here = sink.as_ref().is_some_and(|sink| key.marker.as_ref().is_some_and(|marker| marker.sink == sink.hash));
    if sink.is_some_and(|sink| sink.hidden) && !here {
        let text = format!("key {id} is left alone: {why}; if nobody uses it: qlik-apply --reclaim {id}");
        plan.notices.push(Notice::of(address, text));
        return;
    }
    let next = format!("qlik-apply --reclaim {id}   (nobody uses it: deletes it)");
    let mut found =
        Finding::new(Code::OutsideItsSink, format!("key {id} lives and is left alone: {why}"), next).of(address);
    if let Some(declared) = scene.desired.items.get(address) {
        found = found.at(&declared.at);
    }
    plan.findings.push(found);
}

/// Plans an adopted key.
pub(super) fn adopted(
    scene: &Scene,
    address: &Address,
    spec: &ImburseKey,
    id: &str,
    live: &TenantLive,
    plan: &mut Plan,
) {
    let keys = match &live.keys {
        Some(Observed::Present(keys)) => keys,
        Some(Observed::Unreadable(unreadable)) => {
            return push(plan, scene, address, Action::Refuse(unreadable.into()));
        }
        Some(Observed::Absent) | None => {
            let refusal = Refusal::new(Code::Unreadable, "the tenant's keys were not read", "plan again");
            return push(plan, scene, address, Action::Refuse(refusal));
        }
    };
    let Some(key) = keys.values().find(|key| key.public_key.eq_ignore_ascii_case(id)) else {
        let refusal = Refusal::new(
            Code::AdoptedKeyGone,
            format!("`adopt:` names key {id}, and the tenant has no such key"),
            "correct the public_key, or remove `adopt:` to have a key made",
        );
        return push(plan, scene, address, Action::Refuse(refusal));
    };
    let (fields, mut ignored) = ignore::split(scene, address, drift(scene, address, spec, key));
    plan.notices.append(&mut ignored);
    let action = match fields.is_empty() {
        true => Action::Keep(Keep::AdoptedKey { key_id: key.public_key.clone(), expires: None }),
        // An adopted key is its owner's affair: what to do about it is said as of a tenant.
        false => Action::Drift(Drift::of(fields)),
    };
    push(plan, scene, address, action);
}

/// Returns the fields of a key in place that differ from its declaration.
pub(super) fn drift(scene: &Scene, address: &Address, spec: &ImburseKey, key: &ListedKey) -> Vec<DriftField> {
    let mut fields = Vec::new();
    // An adopted key may declare neither.
    if !spec.name.is_empty() && key.text.raw() != spec.name {
        fields.push(DriftField { field: "name".into(), declared: spec.name.clone(), live: key.text.clone() });
    }
    let live: Vec<&str> = key.roles.iter().map(Untrusted::raw).collect();
    if !spec.roles.is_empty() && !spec.roles.iter().map(String::as_str).eq(live.iter().copied()) {
        let declared = spec.roles.iter().cloned().collect::<Vec<_>>().join(", ");
        fields.push(DriftField { field: "roles".into(), declared, live: live.join(", ").into() });
    }
    if spec.adopt.is_none() {
        fields.extend(drift::shape(scene, address, &key.public_key, |home| spec.deliver_as.of(home).as_str()));
    }
    fields
}
