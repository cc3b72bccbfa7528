//! Reads one tenant: in place with three requests, and what only matters for minting where something is to be minted.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::{KeyLive, LedgerLive, Live, Observed, TenantLive, TenantRead, Unreadable};
use crate::model::spec::{Owner, QlikKey, QlikTenant};
use crate::plan::key::Stop;
use crate::plan::{Scene, Wishes};
use crate::provider::http::ReadError;

use super::{Breadth, Preflight, Sources, people};

/// One tenant as read, and what is decided only once every tenant was read.
pub(super) struct Read {
    pub(super) account: Name,
    pub(super) live: TenantLive,
    /// The credentials were refused at its host.
    pub(super) refused: Option<Unreadable>,
}

pub(super) async fn read(
    desired: &Desired,
    base: &Live,
    wishes: &Wishes,
    sources: &Sources<'_>,
    address: &Address,
    spec: &QlikTenant,
) -> Read {
    let account = spec.account.clone();
    let unread = |tenant| Read { account: account.clone(), live: TenantLive::unread(tenant), refused: None };
    let Some((host, id)) = whereabouts(desired, &base.ledger, address, spec) else {
        return unread(at_alias(desired, sources, &base.ledger, address, spec).await);
    };
    let present = match sources.qlik.tenant(&spec.account, &host, id.as_deref()).await {
        Ok(present) => present,
        Err(ReadError::Unauthorized(rejection)) => {
            let refused = ReadError::Unauthorized(rejection).unreadable();
            let mut read = unread(TenantRead::Unreadable(refused.clone()));
            read.refused = Some(refused);
            return read;
        }
        Err(ReadError::Disabled(_)) => return unread(TenantRead::Disabled),
        Err(ReadError::NotFound(rejection)) => {
            return unread(TenantRead::Gone(ReadError::NotFound(rejection).unreadable()));
        }
        Err(error @ (ReadError::Rejected(_) | ReadError::Trouble(_))) => {
            return unread(TenantRead::Unreadable(error.unreadable()));
        }
    };
    let tenant_id = present.id.raw().to_owned();
    if let Some(bound) = &id
        && *bound != tenant_id
    {
        return unread(TenantRead::Other { found: present.id });
    }
    let mut live = TenantLive::unread(TenantRead::Present(present));
    live.keys = Some(observed(sources.qlik.keys(&spec.account, &host).await));
    let all = sources.breadth == Breadth::All;
    if all || spec.api_key_limits.is_declared() {
        live.limits = Some(observed(sources.qlik.limits(&spec.account, &host, &tenant_id).await));
    }
    if all || spec.grants.to_everyone() {
        live.user_default = Some(observed(sources.qlik.user_default(&spec.account, &host).await));
    }
    look_up_unlisted(desired, base, sources, address, spec, &host, &mut live).await;
    if let Some(grant) = spec.grants.by_role() {
        people::read_holders(desired, base, wishes, sources, address, grant, &host, &mut live).await;
    }
    let mut minters = minters(desired, base, wishes, sources, address, &host, &live);
    if all && client_mints(desired, &spec.account) {
        minters.insert(Owner::Client);
    }
    read_for_minting(sources, spec, &host, &tenant_id, minters, &mut live).await;
    Read { account: spec.account.clone(), live, refused: None }
}

/// Ends the token that reading took. What fails is tried once more by nobody: tokens end by themselves.
pub(super) async fn leave(desired: &Desired, base: &Live, sources: &Sources<'_>, address: &Address, spec: &QlikTenant) {
    if let Some((host, _)) = whereabouts(desired, &base.ledger, address, spec) {
        sources.qlik.leave(&spec.account, &host).await;
    }
}

/// The ladder's first two rungs: the ledger's binding, then the declared adoption.
fn whereabouts(
    desired: &Desired,
    ledger: &LedgerLive,
    address: &Address,
    spec: &QlikTenant,
) -> Option<(Host, Option<String>)> {
    let region = &desired.accounts.get(&spec.account)?.region;
    let binding = match ledger {
        LedgerLive::Present(facts) => facts.records.get(address).and_then(|record| record.state.binding()),
        LedgerLive::Missing { .. } => None,
    };
    match (binding, &spec.adopt) {
        (Some(binding), _) => {
            region.accept(binding.hostname.raw()).map(|host| (host, Some(binding.tenant_id.raw().to_owned())))
        }
        (None, Some(label)) => Some((region.host(label), None)),
        (None, None) => None,
    }
}

/// The ladder's last rung: a tenant that answers at the declared alias. It may find; it never proves absence.
async fn at_alias(
    desired: &Desired,
    sources: &Sources<'_>,
    ledger: &LedgerLive,
    address: &Address,
    spec: &QlikTenant,
) -> TenantRead {
    let region = desired.accounts.get(&spec.account).map(|facts| &facts.region);
    let is_free = super::is_free(ledger, address);
    let (Some(label), Some(region), true) = (&spec.alias, region, is_free) else { return TenantRead::Nowhere };
    // The organization's list answers this, and more, without a bot user in somebody's tenant.
    if sources.qlik.lists_tenants(&spec.account) {
        return TenantRead::Nowhere;
    }
    match sources.qlik.tenant(&spec.account, &region.host(label), None).await {
        Ok(found) => TenantRead::ByAlias(found),
        Err(ReadError::Trouble(trouble)) => TenantRead::Unreadable(ReadError::Trouble(trouble).unreadable()),
        Err(ReadError::Unauthorized(_) | ReadError::Disabled(_) | ReadError::NotFound(_) | ReadError::Rejected(_)) => {
            TenantRead::Nowhere
        }
    }
}

pub(super) fn observed<T>(read: Result<T, ReadError>) -> Observed<T> {
    match read {
        Ok(value) => Observed::Present(value),
        Err(error) => Observed::Unreadable(error.unreadable()),
    }
}

/// A key that a sink names and the list does not have live: only a GET on its id decides.
async fn look_up_unlisted(
    desired: &Desired,
    base: &Live,
    sources: &Sources<'_>,
    address: &Address,
    spec: &QlikTenant,
    host: &Host,
    live: &mut TenantLive,
) {
    let Some(Observed::Present(keys)) = &live.keys else { return };
    let mut looked_up = BTreeMap::new();
    for (key, _, _) in desired.qlik_keys(address) {
        let Some(entry) = base.sinks.get(key).and_then(|sink| sink.held()) else { continue };
        let now = now(sources, host);
        if keys.get(&entry.key_id).is_some_and(|key: &KeyLive| key.is_live(now)) {
            continue;
        }
        let found = match sources.qlik.key(&spec.account, host, &entry.key_id).await {
            Ok(Some(key)) => Observed::Present(key),
            Ok(None) => Observed::Absent,
            Err(error) => Observed::Unreadable(error.unreadable()),
        };
        looked_up.insert(entry.key_id.clone(), found);
    }
    live.looked_up = looked_up;
}

/// By the host's own clock.
fn now(sources: &Sources<'_>, host: &Host) -> jiff::Timestamp {
    sources.qlik.time_at(host).unwrap_or(sources.now)
}

/// The owners whose account must be looked at, because the decision table would mint or cannot tell whose a key is.
fn minters(
    desired: &Desired,
    base: &Live,
    wishes: &Wishes,
    sources: &Sources<'_>,
    address: &Address,
    host: &Host,
    live: &TenantLive,
) -> BTreeSet<Owner> {
    let scene = Scene::of(desired, base, wishes, now(sources, host));
    let record = match &base.ledger {
        LedgerLive::Present(facts) => facts.records.get(address),
        LedgerLive::Missing { .. } => None,
    };
    desired
        .qlik_keys(address)
        .filter(|(_, spec, _)| spec.adopt.is_none())
        .filter(|(key, spec, _)| match crate::plan::judge(&scene, address, key, spec, live, record) {
            Ok(judgement) => {
                let full = sources.preflight == Preflight::Full && judgement.good.is_some();
                let revokes = !judgement.reclaim.is_empty() || !judgement.freed.is_empty();
                judgement.mint.is_some() || revokes || full || moved(&scene, key, spec)
            }
            Err(Stop::Refuse(_)) => true,
            Err(Stop::Wait(_)) => false,
        })
        .map(|(_, spec, _)| spec.owner.clone())
        .collect()
}

/// Whether its owner is declared otherwise than when it was made: only then it is worth asking who that is.
fn moved(scene: &Scene, key: &Address, spec: &QlikKey) -> bool {
    let made_as = scene.live.sinks.get(key).and_then(|sink| sink.held()).and_then(|entry| entry.made_as.as_ref());
    let made_for = made_as.and_then(|made_as| made_as.owner.as_ref());
    made_for.is_some_and(|made_for| *made_for != spec.owner.word())
}

/// Whether any key of the account is minted by its key client: then its credentials are at hand.
fn client_mints(desired: &Desired, account: &Name) -> bool {
    desired
        .qlik_tenants()
        .filter(|(_, tenant, _)| tenant.account == *account)
        .flat_map(|(address, _, _)| desired.qlik_keys(address))
        .any(|(_, key, _)| key.adopt.is_none() && key.owner == Owner::Client)
}

async fn read_for_minting(
    sources: &Sources<'_>,
    spec: &QlikTenant,
    host: &Host,
    tenant_id: &str,
    minters: BTreeSet<Owner>,
    live: &mut TenantLive,
) {
    if minters.is_empty() {
        return;
    }
    if live.limits.is_none() {
        live.limits = Some(observed(sources.qlik.limits(&spec.account, host, tenant_id).await));
    }
    if live.user_default.is_none() {
        live.user_default = Some(observed(sources.qlik.user_default(&spec.account, host).await));
    }
    if minters.iter().any(Owner::needs_key_client) {
        live.key_client = Some(observed(sources.qlik.consent(&spec.account, host).await));
    }
    let trusted = live.key_client.as_ref().and_then(Observed::present).is_some_and(|consent| consent.trusted);
    for owner in minters {
        // Without consent the client gets no token here, so there is nobody to ask.
        if owner == Owner::Client && !trusted {
            continue;
        }
        people::read_caller(sources, &spec.account, host, owner, live).await;
    }
}
