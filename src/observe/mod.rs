//! Reads ledger, vendor and sinks into one live value. What it holds of a vendor cannot create; what a plan still needs is the
//! planner's answer to one question.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::imburse::ImburseLive;
use crate::model::live::{
    AccountLive, ClockLive, LedgerLive, Live, Observed, QlikLive, SinkLive, StoreLive, TenantLive, TenantRead,
    Unreadable, Writable,
};
use crate::model::settings;
use crate::model::spec::Way;
use crate::plan::Wishes;

mod answer;
mod imburse;
mod people;
mod sources;
mod strangers;
mod tenant;
mod undeclared;
mod visit;

use answer::{is_free, observed};

pub use sources::{Breadth, Leaving, LedgerPlace, Preflight, Sources};

/// Reads everything that a plan of `desired` needs. What cannot be read is in the value, with the reason.
pub async fn observe(desired: &Desired, ledger: LedgerLive, wishes: &Wishes, sources: &Sources<'_>) -> Live {
    let sinks = look_into_sinks(desired, &ledger, sources).await;
    let stores = ask_stores(desired, sources).await;
    let base = Live {
        ledger,
        ledger_forgets: sources.unattended && (!sources.ledger.durable || sources.ledger.lies_in.is_some()),
        ledger_lies_in: sources.ledger.lies_in.clone(),
        qlik: QlikLive::default(),
        sinks,
        stores,
        imburse: ImburseLive::default(),
        undeclared: BTreeMap::new(),
        bound_since: BTreeSet::new(),
        clocks: BTreeMap::new(),
    };
    let (mut done, total) = (0, desired.qlik_tenants().count());
    (sources.told)(done, total);
    let reads: Vec<(Address, tenant::Read)> = stream::iter(desired.qlik_tenants())
        .map(|(address, spec, _)| {
            let base = &base;
            async move { (address, spec, tenant::read(desired, base, wishes, sources, address, spec).await) }
        })
        .buffer_unordered(sources.parallelism.max(1))
        .inspect(|_| {
            done += 1;
            (sources.told)(done, total);
        })
        .map(|(address, spec, read)| async move {
            tenant::leave(desired, sources, address, spec, &read).await;
            (address.clone(), read)
        })
        .buffer_unordered(sources.parallelism.max(1))
        .collect()
        .await;
    let accounts = read_accounts(desired, &base, wishes, undecided(&reads), sources).await;
    let tenants = judge_refused_credentials(reads, &accounts);
    let imburse = imburse::read(desired, &base, wishes, sources).await;
    let clocks = clocks(desired, &tenants, sources);
    let undeclared = undeclared::read(desired, &base.ledger, sources).await;
    let mut live = Live { qlik: QlikLive { accounts, tenants }, imburse, clocks, undeclared, ..base };
    strangers::account_for(desired, &mut live, sources).await;
    live
}

/// The clocks of tenants' own hosts, where they differ from the vendors' time.
fn clocks(
    desired: &Desired,
    tenants: &BTreeMap<Address, TenantLive>,
    sources: &Sources<'_>,
) -> BTreeMap<Address, ClockLive> {
    let astray = sources.clocks.astray(ClockLive::NEGLIGIBLE);
    if astray.is_empty() {
        return BTreeMap::new();
    }
    let mut clocks = BTreeMap::new();
    for (address, spec, _) in desired.qlik_tenants() {
        let Some(TenantRead::Present(present)) = tenants.get(address).map(|live| &live.tenant) else { continue };
        let region = desired.qlik.get(&spec.account).map(|facts| &facts.region);
        // Asked by the ledger's name for it, or by the declared one.
        let asked = region.zip(spec.adopt.as_ref()).map(|(region, label)| region.host(label).to_string());
        let names = present.hostnames.iter().map(|name| name.raw().to_ascii_lowercase()).chain(asked);
        let found = names.filter_map(|host| astray.get_key_value(&host)).next();
        if let Some((host, ahead)) = found {
            clocks.insert(address.clone(), ClockLive { host: host.as_str().into(), ahead: *ahead });
        }
    }
    clocks
}

/// Accounts whose credentials were refused at a tenant and worked at none: the source tenant decides what that means.
fn undecided(reads: &[(Address, tenant::Read)]) -> BTreeSet<Name> {
    let refused = reads.iter().filter(|(_, read)| read.refused.is_some()).map(|(_, read)| read.account.clone());
    let worked = |account: &Name| {
        reads.iter().any(|(_, read)| read.account == *account && matches!(read.live.tenant, TenantRead::Present(_)))
    };
    refused.filter(|account| !worked(account)).collect()
}

/// 401 counts as "not there" only where the same credentials worked elsewhere in this run.
fn judge_refused_credentials(
    reads: Vec<(Address, tenant::Read)>,
    accounts: &BTreeMap<Name, AccountLive>,
) -> BTreeMap<Address, TenantLive> {
    let mut worked: BTreeSet<Name> = reads
        .iter()
        .filter(|(_, read)| matches!(read.live.tenant, TenantRead::Present(_)))
        .map(|(_, read)| read.account.clone())
        .collect();
    worked.extend(
        accounts
            .iter()
            .filter(|(_, live)| matches!(live.licence, Some(Observed::Present(_))))
            .map(|(account, _)| account.clone()),
    );
    reads
        .into_iter()
        .map(|(address, mut read)| {
            if let (Some(refused), true) = (read.refused.take(), worked.contains(&read.account)) {
                read.live.tenant = TenantRead::Gone(Unreadable {
                    why: format!("the credentials that work elsewhere are refused there: {}", refused.why).into(),
                    next: "look in My Qlik whether the tenant still exists and belongs to this subscription".to_owned(),
                    credentials: false,
                });
            }
            (address, read.live)
        })
        .collect()
}

async fn look_into_sinks(desired: &Desired, ledger: &LedgerLive, sources: &Sources<'_>) -> BTreeMap<Address, SinkLive> {
    let mut looks = Vec::new();
    for (address, homes) in desired.deliveries() {
        let Some(facts) = desired.sink_facts(homes) else { continue };
        let former: Vec<Address> = former_addresses(ledger, &address.parent())
            .iter()
            .filter_map(|old| address.key().map(|key| old.with_key(key.clone())))
            .collect();
        looks.push(async move {
            let mut each = Vec::new();
            for name in desired.in_order(homes) {
                each.push((name.clone(), look_into(name, address, &former, sources).await?));
            }
            let live = match homes.are_several() {
                true => SinkLive::of_homes(each, &facts.hash),
                false => each.pop()?.1,
            };
            Some((address.clone(), live))
        });
    }
    let looked = stream::iter(looks).buffer_unordered(sources.parallelism.max(1));
    looked.filter_map(std::future::ready).collect().await
}

/// Looks into one sink. `None`: there is none of that name.
async fn look_into(name: &Name, address: &Address, former: &[Address], sources: &Sources<'_>) -> Option<SinkLive> {
    let sink = sources.sinks.get(name)?;
    let refusal = not_durable(sources, name).map(Writable::No);
    // Git's index may be read by everybody who may plan, so what it has is seen in every plan.
    let (tracked, refusal) = match sink.tracked(address, former) {
        Ok(tracked) => (tracked, refusal),
        Err(unreadable) => (None, refusal.or(Some(Writable::No(unreadable)))),
    };
    Some(match sources.preflight {
        Preflight::Read => SinkLive { writable: refusal, tracked, ..SinkLive::default() },
        Preflight::Sinks | Preflight::Full => {
            let look = sink.look(address, former).await;
            SinkLive {
                entry: look.entry,
                number: sink.number(&look.version),
                writable: match refusal {
                    Some(refusal) => Some(refusal),
                    None => Some(sink.preflight(address).await),
                },
                until: look.until,
                deleted: look.deleted,
                trouble: sink.trouble(address).await,
                tracked,
                homes: BTreeMap::new(),
            }
        }
    })
}

/// Asks the stores of the declared keys about themselves.
async fn ask_stores(desired: &Desired, sources: &Sources<'_>) -> BTreeMap<Name, StoreLive> {
    if sources.preflight == Preflight::Read {
        return BTreeMap::new();
    }
    let names: BTreeSet<&Name> = desired.deliveries().flat_map(|(_, homes)| homes.iter()).collect();
    let mut stores = BTreeMap::new();
    for name in names {
        if let Some(sink) = sources.sinks.get(name)
            && let Some(store) = sink.store().await
        {
            stores.insert(name.clone(), store);
        }
    }
    stores
}

fn former_addresses(ledger: &LedgerLive, tenant: &Address) -> Vec<Address> {
    match ledger {
        LedgerLive::Present(facts) => facts.records.get(tenant).map(|r| r.formerly.clone()).unwrap_or_default(),
        LedgerLive::Missing { .. } => Vec::new(),
    }
}

fn not_durable(sources: &Sources<'_>, sink: &Name) -> Option<Unreadable> {
    match sources.settings.get(sink) {
        Some(settings::Sink::File { durable: false, directory, .. }) if sources.unattended => Some(Unreadable {
            why: format!(
                "sink {sink} is a folder of this machine ({}), and an unattended run delivers a secret only where it outlives the machine",
                directory.display()
            )
            .into(),
            next: format!("if the folder is durable, say so in settings: sinks.{sink}.durable: true"),
            credentials: false,
        }),
        Some(
            settings::Sink::File { .. }
            | settings::Sink::Command(_)
            | settings::Sink::Vault(_)
            | settings::Sink::Aws(_)
            | settings::Sink::Kubernetes(_)
            | settings::Sink::Azure(_) | settings::Sink::Gcp(_) | settings::Sink::StackOne(_)
            | settings::Sink::GitLab(_) | settings::Sink::GitHub(_),
        )
        | None => None,
    }
}

/// Licence and credentials, of the accounts with a tenant that is to be created, and of those that are undecided.
async fn read_accounts(
    desired: &Desired,
    base: &Live,
    wishes: &Wishes,
    undecided: BTreeSet<Name>,
    sources: &Sources<'_>,
) -> BTreeMap<Name, AccountLive> {
    let mut wanted: BTreeMap<Name, BTreeSet<Way>> =
        undecided.into_iter().map(|account| (account, BTreeSet::new())).collect();
    for (address, spec, _) in desired.qlik_tenants() {
        if wishes.unmanaged && sources.qlik.lists_tenants(&spec.account) {
            wanted.entry(spec.account.clone()).or_default();
        }
        if sources.breadth == Breadth::All || (spec.adopt.is_none() && is_free(&base.ledger, address)) {
            let ways = wanted.entry(spec.account.clone()).or_default();
            ways.extend(
                desired.qlik_keys(address).filter(|(_, k, _)| k.adopt.is_none()).map(|(_, k, _)| k.owner.way()),
            );
        }
    }
    let reads = stream::iter(wanted)
        .map(|(account, ways)| async move {
            let has_source = desired.qlik.get(&account).is_some_and(|facts| facts.has_source_tenant);
            let licence = if has_source { Some(observed(sources.qlik.licence(&account).await)) } else { None };
            let credentials = ways
                .into_iter()
                .filter_map(|way| sources.qlik.credential_hash(&account, &way).map(|hash| (way, hash)))
                .collect();
            let organization = if sources.qlik.lists_tenants(&account) {
                Some(observed(sources.qlik.organization_tenants(&account).await))
            } else {
                None
            };
            (account, AccountLive { licence, organization, credentials })
        })
        .buffer_unordered(sources.parallelism.max(1))
        .collect::<Vec<_>>()
        .await;
    reads.into_iter().collect()
}
