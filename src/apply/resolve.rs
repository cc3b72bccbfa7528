//! A person's answers about an intent or a settling in doubt. Nothing is sent to a vendor but reads.

use jiff::{SignedDuration, Timestamp};

use crate::model::address::{Address, Name, Vendor};
use crate::model::host::Host;
use crate::model::live::{LedgerFacts, ListedTenant};
use crate::model::record::{Binding, How, Intent, Record, Settling, State};
use crate::model::run::Life;
use crate::provider::http::ReadError;

use super::event::Failure;
use super::tenant::next;
use super::world::World;

/// A POST may still be on its way this long after its intent.
pub(super) const MAY_STILL_ARRIVE: SignedDuration = SignedDuration::from_hours(1);
/// Two hosts of the vendor's need not agree to the second.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Says what the record holds now, for a person who asked only that, and the steps that follow.
pub fn explain(address: &Address, facts: &LedgerFacts) -> (String, Vec<String>) {
    let Some(record) = facts.records.get(address) else {
        return (format!("{address} has no record in the ledger; there is nothing to resolve"), Vec::new());
    };
    match &record.state {
        State::Pending(Intent { run, .. }) | State::Settling(Settling { run, .. })
            if facts.life(run) == Life::Alive =>
        {
            (format!("run {run} is at work on {address} and has not ended; wait for it"), Vec::new())
        }
        State::Pending(intent) => {
            let place = match address.vendor {
                Vendor::Qlik => format!("in region {}", intent.region),
                Vendor::Imburse => format!("of {}", intent.region),
            };
            (
                format!(
                    "{address} is in doubt: run {} asked for a tenant {} at {} with account {} and did not record an outcome",
                    intent.run, place, intent.date, intent.account
                ),
                vec![
                    "look at the tenants of your subscription in My Qlik for one created at that time, then one of:"
                        .to_owned(),
                    format!("qlik-apply resolve {address} --adopt HOSTNAME   (it is there)"),
                    format!("qlik-apply resolve {address} --not-created      (it is not)"),
                ],
            )
        }
        State::Settling(settling) => (
            format!(
                "{address} is bound to {}; run {} began to set it up and did not finish",
                settling.binding.hostname, settling.run
            ),
            vec![
                "qlik-apply reads what is there and sends the rest".to_owned(),
                format!("qlik-apply resolve {address} --settle   (if it refuses, and that run's machine is gone)"),
            ],
        ),
        State::Free | State::Bound(_) | State::Settled(_) => {
            (format!("{address} is {}; there is nothing to resolve", record.state.word()), Vec::new())
        }
    }
}

/// The listed tenants that may be the one in doubt: neither in the baseline nor bound, created since the intent.
/// `None` where nothing can be listed. None found proves nothing: lists lag, and a request may still be on its way.
///
/// # Errors
/// The list cannot be read.
pub async fn candidates(
    qlik: &crate::provider::qlik::QlikReader,
    facts: &LedgerFacts,
    intent: &Intent,
) -> Result<Option<Vec<ListedTenant>>, Failure> {
    if !qlik.lists_tenants(&intent.account) {
        return Ok(None);
    }
    let listed = qlik.organization_tenants(&intent.account).await.map_err(|error| Failure::from(error.unreadable()))?;
    let bound = |tenant: &ListedTenant| {
        facts
            .records
            .values()
            .filter_map(|record| record.state.binding())
            .any(|binding| binding.tenant_id == tenant.id || tenant.has_host(binding.hostname.raw()))
    };
    let since = |tenant: &ListedTenant| tenant.created.is_none_or(|at| at + CLOCKS_DIFFER >= intent.date);
    let new = listed.into_iter().filter(|tenant| {
        tenant.is_active() && !intent.baseline.contains(&tenant.id) && !bound(tenant) && since(tenant)
    });
    Ok(Some(new.collect()))
}

/// Compares a list with an intent. Returns a sentence, and the steps that follow.
pub fn say_candidates(address: &Address, found: &[ListedTenant]) -> (String, Vec<String>) {
    let adopt = |tenant: &ListedTenant| {
        format!("qlik-apply resolve {address} --adopt {}   (id {}, name {})", tenant.hostname(), tenant.id, tenant.name)
    };
    match found {
        [] => (
            "the organization lists no tenant made since then; lists lag, so that proves nothing".to_owned(),
            vec![format!(
                "qlik-apply resolve {address} --not-created   (an hour after the attempt, once you are sure)"
            )],
        ),
        [one] => ("the organization lists exactly one tenant made since then".to_owned(), vec![adopt(one)]),
        several => (
            format!("the organization lists {} tenants made since then", several.len()),
            several.iter().map(adopt).collect(),
        ),
    }
}

/// Binds a tenant in doubt to the one that a person found.
///
/// # Errors
/// Where the record is not in doubt, or no such tenant answers there.
pub async fn adopt(world: &World<'_>, address: &Address, host: &Host) -> Result<String, Failure> {
    let (record, intent) = pending(world, address).await?;
    let tenant = world.qlik.reader().tenant(&intent.account, host, None).await.map_err(|error| match error {
        ReadError::Unauthorized(_)
        | ReadError::Disabled(_)
        | ReadError::NotFound(_)
        | ReadError::Rejected(_)
        | ReadError::Trouble(_) => Failure::from(error.unreadable()),
    })?;
    // One that is older than the attempt was not made by it; adopted, it would be renamed and set up as if it were.
    if let Some(created) = tenant.created.filter(|created| intent.date.duration_since(*created) > CLOCKS_DIFFER) {
        return Err(Failure::new(
            format!(
                "{host} is tenant {}, created at {created:.0}, before {address} was asked for at {}; it is not the one in doubt",
                tenant.id, intent.date
            ),
            "look for a tenant that was created at the time of the attempt; one that exists is declared with adopt:",
        ));
    }
    let facts = world.held.facts()?;
    let elsewhere = facts
        .records
        .iter()
        .find(|(other, record)| *other != address && record.state.binding().is_some_and(|b| b.tenant_id == tenant.id));
    if let Some((other, _)) = elsewhere {
        return Err(Failure::new(
            format!("{host} is tenant {}, which is bound to {other}", tenant.id),
            "look for the tenant that was created at the time of the intent",
        ));
    }
    let hostname = tenant
        .hostnames
        .first()
        .cloned()
        .ok_or_else(|| Failure::new(format!("the tenant at {host} names no hostname"), "ask Qlik support"))?;
    let binding = Binding {
        tenant_id: tenant.id,
        hostname: hostname.clone(),
        account: intent.account.clone(),
        how: How::Resolved,
        at: world.now(),
    };
    world.held.swap(record.seq, &next(&record, State::Bound(binding))).await?;
    Ok(format!("{address} is bound to {hostname}; the next qlik-apply sets it up"))
}

/// Frees a tenant in doubt, because a person says that nothing was made. Taken an hour after the intent at the earliest,
/// by the vendor's clock: its request may still be on its way.
///
/// # Errors
/// Where the record is not in doubt, or it is too early.
pub async fn not_created(world: &World<'_>, address: &Address) -> Result<String, Failure> {
    let (record, intent) = pending(world, address).await?;
    let now = vendor_now(world, &intent.account).await?;
    let wait = MAY_STILL_ARRIVE - now.duration_since(intent.date);
    if wait.is_positive() {
        let minutes = wait.as_secs() / 60 + 1;
        return Err(Failure::new(
            format!("the intent of {address} is from {}, and its request may still be on its way", intent.date),
            format!("look again and say it in {minutes} minutes"),
        ));
    }
    world.held.swap(record.seq, &next(&record, State::Free)).await?;
    Ok(format!("{address} is free again; the next qlik-apply creates it"))
}

/// The vendor's time now: not the runner's, whose clock may be wrong.
async fn vendor_now(world: &World<'_>, account: &Name) -> Result<Timestamp, Failure> {
    world.qlik.reader().licence(account).await.map_err(|error| Failure::from(error.unreadable()))?;
    world.qlik.reader().server_time().ok_or_else(|| {
        Failure::new("the vendor's replies carry no date, so an hour cannot be measured", "look again later")
    })
}

/// Lets the next apply send what a dead run's settling left out: a person says that run's machine is gone.
///
/// # Errors
/// Where the record is not settling.
pub async fn settle(world: &World<'_>, address: &Address) -> Result<String, Failure> {
    let record = stored(world, address).await?;
    match &record.state {
        State::Settling(settling) => {
            world.held.swap(record.seq, &next(&record, State::Bound(settling.binding.clone()))).await?;
            Ok(format!("{address} is bound; the next qlik-apply sets it up"))
        }
        State::Free | State::Pending(_) | State::Bound(_) | State::Settled(_) => Err(Failure::new(
            format!("{address} is {}; --settle is for a tenant that a run began to set up", record.state.word()),
            format!("qlik-apply resolve {address}"),
        )),
    }
}

async fn stored(world: &World<'_>, address: &Address) -> Result<Record, Failure> {
    world.held.record(address).await?.ok_or_else(|| {
        Failure::new(format!("{address} has no record in the ledger"), "qlik-apply ledger list shows those that have")
    })
}

pub(super) async fn pending(world: &World<'_>, address: &Address) -> Result<(Record, Intent), Failure> {
    let record = stored(world, address).await?;
    match &record.state {
        State::Pending(intent) => Ok((record.clone(), intent.clone())),
        State::Free | State::Bound(_) | State::Settling(_) | State::Settled(_) => Err(Failure::new(
            format!("{address} is {}, not in doubt", record.state.word()),
            format!("qlik-apply resolve {address}"),
        )),
    }
}
