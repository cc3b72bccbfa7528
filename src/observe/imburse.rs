//! Reads Imburse: a known tenant and its keys by two requests, an account's whole list where one is looked for by name,
//! or where a person asks what is unmanaged.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::imburse::{AccountLive, ImburseLive, ImburseTenant, TenantLive, TenantRead};
use crate::model::live::{LedgerLive, Live, Observed};
use crate::plan::Wishes;
use crate::provider::http::ReadError;

use super::answer::{is_free, observed};
use super::sources::{Breadth, Sources};

pub(super) async fn read(desired: &Desired, base: &Live, wishes: &Wishes, sources: &Sources<'_>) -> ImburseLive {
    let tenants = stream::iter(desired.imburse_tenants())
        .map(|(address, spec, _)| async move { (address.clone(), tenant(desired, base, sources, address, spec).await) })
        .buffer_unordered(sources.parallelism.max(1))
        .collect::<Vec<_>>()
        .await;
    // Accounts to list, and whether their own page is read too: only a creation asks for that.
    let mut wanted: BTreeMap<Name, bool> = BTreeMap::new();
    for (address, spec, _) in desired.imburse_tenants() {
        let sought = spec.adopt.is_none() && is_free(&base.ledger, address);
        let page = sought || sources.breadth == Breadth::All;
        if page || wishes.unmanaged {
            *wanted.entry(spec.account.clone()).or_default() |= page;
        }
    }
    let accounts = stream::iter(wanted)
        .map(|(name, page)| async move {
            let tenants = Some(observed(sources.imburse.list_tenants(&name).await));
            let account = if page { Some(sources.imburse.account(&name).await) } else { None };
            (name, AccountLive { tenants, account })
        })
        .buffer_unordered(sources.parallelism.max(1))
        .collect::<Vec<_>>()
        .await;
    ImburseLive { accounts: accounts.into_iter().collect(), tenants: tenants.into_iter().collect() }
}

async fn tenant(
    desired: &Desired,
    base: &Live,
    sources: &Sources<'_>,
    address: &Address,
    spec: &ImburseTenant,
) -> TenantLive {
    let binding = match &base.ledger {
        LedgerLive::Present(facts) => facts.records.get(address).and_then(|record| record.state.binding()),
        LedgerLive::Missing { .. } => None,
    };
    let id = match (binding, &spec.adopt) {
        (Some(binding), _) => {
            // Its id means nothing at another host; the plan refuses it.
            let here = desired.imburse.get(&spec.account).is_some_and(|facts| binding.is_at(&facts.host));
            if !here {
                return TenantLive::unread(TenantRead::Nowhere);
            }
            binding.tenant_id.raw()
        }
        (None, Some(id)) => id.as_str(),
        (None, None) => return TenantLive::unread(TenantRead::Nowhere),
    };
    let present = match sources.imburse.get_tenant(&spec.account, id).await {
        Ok(present) => present,
        Err(error @ ReadError::NotFound(_)) => return TenantLive::unread(TenantRead::Gone(error.unreadable())),
        Err(
            error @ (ReadError::Unauthorized(_)
            | ReadError::Disabled(_)
            | ReadError::Rejected(_)
            | ReadError::Trouble(_)),
        ) => return TenantLive::unread(TenantRead::Unreadable(error.unreadable())),
    };
    let keys = observed(sources.imburse.list_keys(&spec.account, id).await);
    let mut looked_up = BTreeMap::new();
    if let Observed::Present(listed) = &keys {
        for (key, _, _) in desired.imburse_keys(address) {
            let Some(entry) = base.sinks.get(key).and_then(|sink| sink.held()) else { continue };
            // The vendor's documents write ids in either case.
            let is_listed = listed.keys().any(|id| id.eq_ignore_ascii_case(&entry.key_id));
            if is_listed || looked_up.contains_key(&entry.key_id) {
                continue;
            }
            let read = match sources.imburse.get_key(&spec.account, id, &entry.key_id).await {
                Ok(key) => Observed::Present(key),
                Err(ReadError::NotFound(_)) => Observed::Absent,
                Err(
                    error @ (ReadError::Unauthorized(_)
                    | ReadError::Disabled(_)
                    | ReadError::Rejected(_)
                    | ReadError::Trouble(_)),
                ) => Observed::Unreadable(error.unreadable()),
            };
            looked_up.insert(entry.key_id.clone(), read);
        }
    }
    TenantLive { tenant: TenantRead::Present(Box::new(present)), keys: Some(keys), looked_up }
}
