//! Reads who owns keys and who holds a declared role. Where everybody who is meant holds it, that is one request.

use std::collections::BTreeSet;

use crate::model::live::{HoldersLive, Observed, TenantLive};
use crate::model::spec::{Owner, RoleGrant};
use crate::model::untrusted::Untrusted;

use super::answer::{found, observed};
use super::visit::Visit;

/// Reads which of those who are meant hold the role; of those who do not, who they are.
pub(super) async fn read_holders(visit: &Visit<'_>, grant: &RoleGrant, meant: BTreeSet<Owner>, live: &mut TenantLive) {
    let (qlik, account, host) = (visit.sources.qlik, visit.account(), visit.host);
    let mut wanted: Vec<(Owner, Option<Untrusted>)> = Vec::new();
    for owner in meant {
        let known = match &owner {
            Owner::Configured(_) => known_id(visit, &owner, live).await,
            Owner::Client | Owner::User(_) => None,
        };
        wanted.push((owner, known));
    }
    let (mut holders, mut certain) = (HoldersLive::default(), true);
    if !wanted.is_empty() {
        match qlik.holders(account, host, &grant.name, &wanted).await {
            Ok(found) => {
                holders = HoldersLive { held_by: found.held_by, inactive: found.inactive, ..holders };
                certain = found.certain;
            }
            Err(error) => {
                live.holders = Some(Observed::Unreadable(error.unreadable()));
                return;
            }
        }
    }
    let missing: Vec<Owner> =
        wanted.into_iter().map(|(owner, _)| owner).filter(|owner| !holders.held_by.contains(owner)).collect();
    // What a role that everybody has looks like says nothing more.
    if !certain || !missing.is_empty() || !grant.groups.is_empty() {
        holders.role = Some(found(qlik.role(account, host, &grant.name).await));
    }
    for owner in missing {
        read_caller(visit, owner, live).await;
    }
    for name in &grant.groups {
        let group = found(qlik.group(account, host, name, &grant.name).await);
        holders.groups.insert(name.clone(), group);
    }
    live.holders = Some(Observed::Present(holders));
}

/// The user id of an owner with its own key: as its sink remembers it, else as the vendor tells.
async fn known_id(visit: &Visit<'_>, owner: &Owner, live: &mut TenantLive) -> Option<Untrusted> {
    let held = visit
        .desired
        .qlik_keys(visit.address)
        .filter(|(_, key, _)| key.owner == *owner)
        .find_map(|(key, _, _)| visit.base.sinks.get(key).and_then(|sink| sink.held()));
    if let Some(entry) = held {
        return Some(entry.owner.clone());
    }
    read_caller(visit, owner.clone(), live).await;
    live.caller(owner).and_then(Observed::present).map(|caller| caller.user_id.clone())
}

/// Reads who an owner is here, unless that is known.
pub(super) async fn read_caller(visit: &Visit<'_>, owner: Owner, live: &mut TenantLive) {
    let (qlik, account, host) = (visit.sources.qlik, visit.account(), visit.host);
    match live.caller(&owner) {
        // The bot that was looked for and is not there comes with its client's first token.
        Some(Observed::Absent) if owner == Owner::Client => {}
        Some(_) => return,
        None => {}
    }
    let trusted = live.key_client.as_ref().and_then(Observed::present).is_some_and(|consent| consent.trusted);
    let caller = match &owner {
        Owner::User(user) => found(qlik.person(account, host, user).await),
        Owner::Client if !trusted => found(qlik.bot(account, host).await),
        Owner::Client | Owner::Configured(_) => observed(qlik.caller(account, host, &owner).await),
    };
    live.callers.retain(|(known, _)| *known != owner);
    live.callers.push((owner, caller));
}
