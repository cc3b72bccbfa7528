//! Reads one tenant: in place with three requests, and what only matters for minting where something is to be minted.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::{KeyLive, LedgerLive, Live, Observed, TenantLive, TenantRead, Unreadable};
#[cfg(test)]
use crate::model::spec::Spec;
use crate::model::spec::{Owner, QlikTenant};
use crate::plan::Wishes;
use crate::plan::needs::{Known, Needs, needs};
use crate::provider::http::ReadError;

use super::answer::{found, is_free, observed};
use super::people;
use super::sources::{Breadth, Leaving, Preflight, Sources};
use super::visit::Visit;

/// One tenant as read, and what is decided only once every tenant was read.
pub(super) struct Read {
    pub(super) account: Name,
    pub(super) live: TenantLive,
    /// The credentials were refused at its host.
    pub(super) refused: Option<Unreadable>,
    /// Where it was asked.
    host: Option<Host>,
    /// True if a key is likely to be minted there.
    due: bool,
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
    let unread_at = |host: Option<&Host>, tenant| Read {
        account: account.clone(),
        live: TenantLive::unread(tenant),
        refused: None,
        host: host.cloned(),
        due: false,
    };
    let Some((host, id)) = whereabouts(desired, &base.ledger, address, spec) else {
        let (host, found) = at_alias(desired, sources, &base.ledger, address, spec).await;
        return unread_at(host.as_ref(), found);
    };
    let unread = |tenant| unread_at(Some(&host), tenant);
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
    #[cfg(test)]
    if desired.items.iter().any(|(part, one)| part.parent() == *address && matches!(one.spec, Spec::QlikSpace(_))) {
        live.spaces = Some(observed(sources.qlik.spaces(&spec.account, &host).await));
    }
    let visit = Visit { desired, base, wishes, sources, address, spec, host: &host };
    look_up_unlisted(&visit, &mut live).await;
    let mut minters = minters(&visit, &mut live).await;
    let due = !minters.is_empty();
    if all && client_mints(desired, &spec.account) {
        minters.insert(Owner::Client);
    }
    read_for_minting(&visit, &tenant_id, minters, &mut live).await;
    Read { account: spec.account.clone(), live, refused: None, host: Some(host), due }
}

/// The owners whose account must be looked at, as the planner says. Where a role is declared, it wants to know first who holds it.
async fn minters(visit: &Visit<'_>, live: &mut TenantLive) -> BTreeSet<Owner> {
    loop {
        let known = Known {
            desired: visit.desired,
            live: visit.base,
            wishes: visit.wishes,
            now: visit.now(),
            renewals: visit.sources.preflight == Preflight::Full,
        };
        match needs(&known, visit.address, visit.spec, live) {
            Needs::Owners(owners) => return owners,
            Needs::Holders(grant, of) => people::read_holders(visit, grant, of, live).await,
        }
    }
}

/// Ends the tokens that reading took, unless they are needed soon, and closes its connections. What fails is tried once more by
/// nobody: tokens end by themselves.
pub(super) async fn leave(desired: &Desired, sources: &Sources<'_>, address: &Address, spec: &QlikTenant, read: &Read) {
    let Some(host) = &read.host else { return };
    for (_, key, _) in desired.qlik_keys(address) {
        match &key.owner {
            Owner::Configured(owner) => sources.qlik.pause_owner(&spec.account, owner),
            Owner::Client | Owner::User(_) => {}
        }
    }
    match sources.leaving {
        Leaving::UnlessDue if read.due => sources.qlik.pause(host),
        Leaving::UnlessDue | Leaving::ForGood => drop(sources.qlik.leave(&spec.account, host).await),
    }
}

/// The ladder's first two rungs: the ledger's binding, then the declared adoption.
fn whereabouts(
    desired: &Desired,
    ledger: &LedgerLive,
    address: &Address,
    spec: &QlikTenant,
) -> Option<(Host, Option<String>)> {
    let region = &desired.qlik.get(&spec.account)?.region;
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

/// The ladder's last rung: a tenant that answers at the declared alias. It may find; it never proves absence. Also where it was
/// looked for.
async fn at_alias(
    desired: &Desired,
    sources: &Sources<'_>,
    ledger: &LedgerLive,
    address: &Address,
    spec: &QlikTenant,
) -> (Option<Host>, TenantRead) {
    let region = desired.qlik.get(&spec.account).map(|facts| &facts.region);
    let (Some(label), Some(region), true) = (&spec.alias, region, is_free(ledger, address)) else {
        return (None, TenantRead::Nowhere);
    };
    // The organization's list answers this, and more, without a bot user in somebody's tenant.
    if sources.qlik.lists_tenants(&spec.account) {
        return (None, TenantRead::Nowhere);
    }
    let host = region.host(label);
    let found = match sources.qlik.tenant(&spec.account, &host, None).await {
        Ok(found) => TenantRead::ByAlias(found),
        Err(ReadError::Trouble(trouble)) => TenantRead::Unreadable(ReadError::Trouble(trouble).unreadable()),
        Err(ReadError::Unauthorized(_) | ReadError::Disabled(_) | ReadError::NotFound(_) | ReadError::Rejected(_)) => {
            TenantRead::Nowhere
        }
    };
    (Some(host), found)
}

/// A key that a sink names and the list does not have live: only a GET on its id decides.
async fn look_up_unlisted(visit: &Visit<'_>, live: &mut TenantLive) {
    let Some(Observed::Present(keys)) = &live.keys else { return };
    let mut looked_up = BTreeMap::new();
    for (key, _, _) in visit.desired.qlik_keys(visit.address) {
        let Some(entry) = visit.base.sinks.get(key).and_then(|sink| sink.held()) else { continue };
        let now = visit.now();
        if keys.get(&entry.key_id).is_some_and(|key: &KeyLive| key.is_live(now)) {
            continue;
        }
        let read = found(visit.sources.qlik.key(visit.account(), visit.host, &entry.key_id).await);
        looked_up.insert(entry.key_id.clone(), read);
    }
    live.looked_up = looked_up;
}

/// Returns whether any key of the account is minted by its key client, so that its credentials are at hand.
fn client_mints(desired: &Desired, account: &Name) -> bool {
    desired
        .qlik_tenants()
        .filter(|(_, tenant, _)| tenant.account == *account)
        .flat_map(|(address, _, _)| desired.qlik_keys(address))
        .any(|(_, key, _)| key.adopt.is_none() && key.owner == Owner::Client)
}

async fn read_for_minting(visit: &Visit<'_>, tenant_id: &str, minters: BTreeSet<Owner>, live: &mut TenantLive) {
    if minters.is_empty() {
        return;
    }
    let (qlik, account, host) = (visit.sources.qlik, visit.account(), visit.host);
    if live.limits.is_none() {
        live.limits = Some(observed(qlik.limits(account, host, tenant_id).await));
    }
    if live.user_default.is_none() {
        live.user_default = Some(observed(qlik.user_default(account, host).await));
    }
    if minters.iter().any(Owner::needs_key_client) {
        live.key_client = Some(observed(qlik.consent(account, host).await));
    }
    let trusted = live.key_client.as_ref().and_then(Observed::present).is_some_and(|consent| consent.trusted);
    for owner in minters {
        // Without consent the client gets no token here, so there is nobody to ask.
        if owner == Owner::Client && !trusted {
            continue;
        }
        people::read_caller(visit, owner, live).await;
    }
}
