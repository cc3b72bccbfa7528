//! Reads who owns keys and who holds a declared role: one request where everybody who is meant holds it.

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::{HoldersLive, Live, Observed, TenantLive};
use crate::model::spec::{Owner, RoleGrant};
use crate::model::untrusted::Untrusted;
use crate::plan::{Scene, Wishes};
use crate::provider::http::ReadError;

use super::Sources;
use super::tenant::observed;

#[expect(clippy::too_many_arguments, reason = "what a tenant's read is made from, and one part of it")]
pub(super) async fn read_holders(
    desired: &Desired,
    base: &Live,
    wishes: &Wishes,
    sources: &Sources<'_>,
    address: &Address,
    grant: &RoleGrant,
    host: &Host,
    live: &mut TenantLive,
) {
    let Some(account) =
        desired.qlik_tenants().find(|(known, _, _)| *known == address).map(|(_, spec, _)| &spec.account)
    else {
        return;
    };
    let meant = crate::plan::meant(&Scene::of(desired, base, wishes, sources.now), address, grant);
    let mut wanted: Vec<(Owner, Option<Untrusted>)> = Vec::new();
    for owner in meant {
        let known = match &owner {
            Owner::Configured(_) => known_id(desired, base, sources, address, account, host, &owner, live).await,
            Owner::Client | Owner::User(_) => None,
        };
        wanted.push((owner, known));
    }
    let (mut holders, mut certain) = (HoldersLive::default(), true);
    if !wanted.is_empty() {
        match sources.qlik.holders(account, host, &grant.name, &wanted).await {
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
        holders.role = Some(found(sources.qlik.role(account, host, &grant.name).await));
    }
    for owner in missing {
        read_caller(sources, account, host, owner, live).await;
    }
    for name in &grant.groups {
        let group = found(sources.qlik.group(account, host, name, &grant.name).await);
        holders.groups.insert(name.clone(), group);
    }
    live.holders = Some(Observed::Present(holders));
}

/// The user id of an owner with its own key: as its sink remembers it, else as the vendor tells.
#[expect(clippy::too_many_arguments, reason = "what a tenant's read is made from, and one part of it")]
async fn known_id(
    desired: &Desired,
    base: &Live,
    sources: &Sources<'_>,
    address: &Address,
    account: &Name,
    host: &Host,
    owner: &Owner,
    live: &mut TenantLive,
) -> Option<Untrusted> {
    let held = desired
        .qlik_keys(address)
        .filter(|(_, key, _)| key.owner == *owner)
        .find_map(|(key, _, _)| base.sinks.get(key).and_then(|sink| sink.held()));
    if let Some(entry) = held {
        return Some(entry.owner.clone());
    }
    read_caller(sources, account, host, owner.clone(), live).await;
    live.caller(owner).and_then(Observed::present).map(|caller| caller.user_id.clone())
}

/// Reads who an owner is here, unless that is known.
pub(super) async fn read_caller(
    sources: &Sources<'_>,
    account: &Name,
    host: &Host,
    owner: Owner,
    live: &mut TenantLive,
) {
    match live.caller(&owner) {
        // The bot that was looked for and is not there comes with its client's first token.
        Some(Observed::Absent) if owner == Owner::Client => {}
        Some(_) => return,
        None => {}
    }
    let trusted = live.key_client.as_ref().and_then(Observed::present).is_some_and(|consent| consent.trusted);
    let caller = match &owner {
        Owner::User(user) => found(sources.qlik.person(account, host, user).await),
        Owner::Client if !trusted => found(sources.qlik.bot(account, host).await),
        Owner::Client | Owner::Configured(_) => observed(sources.qlik.caller(account, host, &owner).await),
    };
    live.callers.retain(|(known, _)| *known != owner);
    live.callers.push((owner, caller));
}

fn found<T>(read: Result<Option<T>, ReadError>) -> Observed<T> {
    match read {
        Ok(Some(value)) => Observed::Present(value),
        Ok(None) => Observed::Absent,
        Err(error) => Observed::Unreadable(error.unreadable()),
    }
}
