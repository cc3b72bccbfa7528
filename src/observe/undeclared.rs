//! Reads which keys of ours live in tenants that are bound and no longer declared: from folders of secrets at no cost, from the
//! vendors where a person asks for all that can be read.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};

use crate::model::address::{Address, Vendor};
use crate::model::desired::Desired;
use crate::model::host::Host;
use crate::model::live::{KeyLive, LedgerFacts, LedgerLive, Observed, OurKey, Seen, Undeclared};
use crate::model::marker::Marker;
use crate::model::record::{Binding, Record};
use crate::model::untrusted::Untrusted;
use crate::provider::http::ReadError;

use super::sources::{Preflight, Sources};

pub(super) async fn read(
    desired: &Desired,
    ledger: &LedgerLive,
    sources: &Sources<'_>,
) -> BTreeMap<Address, Observed<Undeclared>> {
    let LedgerLive::Present(facts) = ledger else { return BTreeMap::new() };
    let left = facts
        .records
        .iter()
        .filter(|(address, record)| desired.has_lost(address, &record.group) && desired.selection.judges(address));
    let bound = left.filter_map(|(address, record)| record.state.binding().map(|binding| (address, record, binding)));
    stream::iter(bound)
        .map(|(address, record, binding)| async move {
            let asked = match sources.preflight {
                Preflight::Full => at_vendor(desired, facts, sources, address, binding).await,
                Preflight::Sinks | Preflight::Read => None,
            };
            let found = match (asked, sources.preflight) {
                (Some(asked), _) => Some(asked),
                (None, Preflight::Sinks | Preflight::Full) => in_sinks(facts, sources, address, record),
                (None, Preflight::Read) => None,
            };
            found.map(|found| (address.clone(), found))
        })
        .buffer_unordered(sources.parallelism.max(1))
        .filter_map(|found| async move { found })
        .collect()
        .await
}

/// `None`: nothing that is declared has credentials for it.
async fn at_vendor(
    desired: &Desired,
    facts: &LedgerFacts,
    sources: &Sources<'_>,
    address: &Address,
    binding: &Binding,
) -> Option<Observed<Undeclared>> {
    let account = &binding.account;
    let ours = |marker: Option<&Marker>| marker.is_some_and(|marker| marker.is_of(&facts.id));
    let keys = match address.vendor {
        Vendor::Qlik => {
            desired.qlik_tenants().find(|(_, tenant, _)| tenant.account == *account)?;
            let host: Host = desired.qlik.get(account)?.region.accept(binding.hostname.raw())?;
            let keys = sources.qlik.keys(account, &host).await;
            sources.qlik.leave(account, &host).await;
            keys.map(|keys| {
                let ours = keys.values().filter(|key: &&KeyLive| ours(key.marker.as_ref()));
                ours.map(OurKey::of).collect()
            })
        }
        Vendor::Imburse => {
            desired.imburse_tenants().find(|(_, tenant, _)| tenant.account == *account)?;
            let at = &desired.imburse.get(account)?.host;
            if !binding.is_at(at) {
                return None;
            }
            let keys = sources.imburse.list_keys(account, binding.tenant_id.raw()).await;
            keys.map(|keys| keys.values().filter(|key| ours(key.marker.as_ref())).map(OurKey::of_imburse).collect())
        }
    };
    Some(match keys {
        Ok(keys) => Observed::Present(Undeclared { keys, seen: Seen::Vendor }),
        // Without the tenant there are no keys, and nobody else is to be found for it.
        Err(ReadError::NotFound(_)) => Observed::Present(Undeclared { keys: Vec::new(), seen: Seen::Vendor }),
        Err(
            error @ (ReadError::Unauthorized(_)
            | ReadError::Disabled(_)
            | ReadError::Rejected(_)
            | ReadError::Trouble(_)),
        ) => Observed::Unreadable(error.unreadable()),
    })
}

/// Returns the keys of a tenant that folders of secrets hold, also under its earlier names. `None`: there is no such
/// sink.
fn in_sinks(
    facts: &LedgerFacts,
    sources: &Sources<'_>,
    address: &Address,
    record: &Record,
) -> Option<Observed<Undeclared>> {
    let mut keys = Vec::new();
    let mut looked = false;
    for sink in sources.sinks.all() {
        for place in std::iter::once(address).chain(&record.formerly) {
            let Some(entries) = sink.entries(place) else { continue };
            looked = true;
            let of_record = entries.into_iter().filter(|entry| entry.ledger == facts.id && entry.uid == record.uid);
            keys.extend(of_record.map(|entry| OurKey {
                name: Untrusted::from(entry.key.as_str()),
                id: entry.key_id,
                expires: entry.expiry,
            }));
        }
    }
    looked.then_some(Observed::Present(Undeclared { keys, seen: Seen::Sinks }))
}
