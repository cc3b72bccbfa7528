//! Tenants that the ledger binds and nothing declares any more. Nothing is deleted for them, and nothing of theirs is
//! renewed.

use jiff::Timestamp;

use crate::model::address::{Address, Vendor};
use crate::model::live::{KeyLive, LedgerFacts, LedgerLive, Observed, OurKey, Seen, Undeclared};
use crate::model::record::Binding;
use crate::model::untrusted::Untrusted;

use super::action::Plan;
use super::finding::Finding;
use super::refusal::Code;
use super::scene::Scene;

/// The number of keys that are named in one sentence; the rest is counted.
const NAMED: usize = 5;

pub(super) fn find(scene: &Scene, plan: &mut Plan) {
    let LedgerLive::Present(facts) = &scene.live.ledger else { return };
    for (address, record) in &facts.records {
        let said = scene.desired.has_lost(address, &record.group) && scene.desired.selection.judges(address);
        if let (true, Some(binding)) = (said, record.state.binding()) {
            plan.findings.push(tenant(scene, facts, address, binding));
        }
    }
}

fn tenant(scene: &Scene, facts: &LedgerFacts, address: &Address, binding: &Binding) -> Finding {
    let bound = match address.vendor {
        Vendor::Qlik => binding.hostname.to_string(),
        Vendor::Imburse => format!("tenant {}", binding.tenant_id),
    };
    let unreadable = match scene.live.undeclared.get(address) {
        Some(Observed::Unreadable(unreadable)) => Some(unreadable),
        Some(Observed::Present(_) | Observed::Absent) | None => None,
    };
    let keys = match (keys_of(scene, facts, address), unreadable) {
        (Some((keys, seen)), _) => words(&keys, seen, address.vendor, scene.now),
        (None, Some(unreadable)) => {
            format!("which keys of ours live there could not be read: {}", unreadable.why.raw())
        }
        (None, None) => "which keys of ours live there was not read (--preflight full asks)".to_owned(),
    };
    Finding::new(
        Code::Undeclared,
        format!("bound to {bound} in the ledger and no longer declared; nothing is deleted, and {keys}"),
        format!(
            "declare {address} again, if it is still wanted; if its file was moved, name the folder that it lies in too"
        ),
    )
    .or(format!("if it was renamed: qlik-apply ledger mv {address} NEW"))
    .or(format!(
        "only once nobody needs its keys any more, and the tenant is given up: qlik-apply ledger forget {address}"
    ))
    .of(address)
}

/// The keys of ours that are known to live there. `None`: nobody has looked.
fn keys_of(scene: &Scene, facts: &LedgerFacts, address: &Address) -> Option<(Vec<OurKey>, Seen)> {
    let is_live = |key: &OurKey| key.expires.is_none_or(|expires| expires > scene.now);
    if let Some(Observed::Present(Undeclared { keys, seen })) = scene.live.undeclared.get(address) {
        return Some((keys.iter().filter(|key| is_live(key)).cloned().collect(), *seen));
    }
    // A snapshot may be older than the desired state that left it out.
    let of_us = |key: &&KeyLive| key.marker.as_ref().is_some_and(|marker| marker.is_of(&facts.id));
    if let Some(Some(Observed::Present(keys))) = scene.live.qlik.tenants.get(address).map(|live| &live.keys) {
        let ours = keys.values().filter(of_us).filter(|key| key.is_live(scene.now)).map(OurKey::of).collect();
        return Some((ours, Seen::Vendor));
    }
    if let Some(Some(Observed::Present(keys))) = scene.live.imburse.tenants.get(address).map(|live| &live.keys) {
        let of_us = |key: &&crate::model::imburse::ListedKey| key.marker.as_ref().is_some_and(|m| m.is_of(&facts.id));
        return Some((keys.values().filter(of_us).map(OurKey::of_imburse).collect(), Seen::Vendor));
    }
    None
}

fn words(keys: &[OurKey], seen: Seen, vendor: Vendor, now: Timestamp) -> String {
    let source = match seen {
        Seen::Vendor => "",
        Seen::Sinks => ", as its sink remembers",
    };
    if keys.is_empty() {
        return match seen {
            Seen::Vendor => "no key of ours lives there".to_owned(),
            Seen::Sinks => "no sink that was looked into holds a live key of it".to_owned(),
        };
    }
    let mut ordered: Vec<&OurKey> = keys.iter().collect();
    ordered.sort_by_key(|key| (key.expires.unwrap_or(Timestamp::MAX), key.id.clone()));
    let mut named: Vec<String> = ordered.iter().take(NAMED).map(|key| one(key, vendor, now)).collect();
    if keys.len() > NAMED {
        named.push(format!("{} more", keys.len() - NAMED));
    }
    let (subject, them) = if keys.len() == 1 { ("a key of ours lives", "it") } else { ("keys of ours live", "them") };
    let nobody = match vendor {
        Vendor::Qlik => "nobody renews",
        Vendor::Imburse => "nobody looks after",
    };
    format!("{subject} there{source}, and {nobody} {them}: {}", named.join(", "))
}

fn one(key: &OurKey, vendor: Vendor, now: Timestamp) -> String {
    let OurKey { id, name, expires } = key;
    let id = Untrusted::from(id.as_str());
    let until = match (expires, vendor) {
        (Some(at), _) => format!("ends {at:.0}, in {}", super::action::remaining(now, *at)),
        (None, Vendor::Imburse) => "does not end".to_owned(),
        (None, Vendor::Qlik) => "no end is known".to_owned(),
    };
    format!("{id} ({name}), {until}")
}
