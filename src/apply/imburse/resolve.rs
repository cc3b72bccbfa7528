//! A person's answers about an Imburse tenant in doubt. The account's list is evidence; none found never clears an
//! intent.

use jiff::{SignedDuration, Timestamp};

use crate::model::address::Address;
use crate::model::imburse::{ListedTenant, Standing};
use crate::model::live::LedgerFacts;
use crate::model::record::{Binding, How, Intent, State};
use crate::provider::imburse::ImburseReader;

use super::super::event::Failure;
use super::super::resolve::{MAY_STILL_ARRIVE, pending};
use super::super::tenant::next;
use super::super::world::World;

/// The listed tenants that may be the one in doubt: neither in the baseline nor bound, nor deleted.
///
/// # Errors
/// The list cannot be read.
pub async fn candidates(
    imburse: &ImburseReader,
    facts: &LedgerFacts,
    intent: &Intent,
) -> Result<Vec<ListedTenant>, Failure> {
    let listed = imburse.list_tenants(&intent.account).await.map_err(|error| Failure::from(error.unreadable()))?;
    let bound = |tenant: &ListedTenant| {
        facts.records.values().filter_map(|record| record.state.binding()).any(|b| b.tenant_id == tenant.id)
    };
    let new = listed.into_iter().filter(|tenant| {
        tenant.standing() != Standing::Deleted && !intent.baseline.contains(&tenant.id) && !bound(tenant)
    });
    Ok(new.collect())
}

/// Compares the list with an intent. Returns a sentence, and the steps that follow.
pub fn say_candidates(address: &Address, found: &[ListedTenant]) -> (String, Vec<String>) {
    let adopt = |tenant: &ListedTenant| {
        let created = tenant.details.created_on.as_ref().map(|on| format!(", created {on}")).unwrap_or_default();
        format!("qlik-apply resolve {address} --adopt {}   (name {}{created})", tenant.id, tenant.name)
    };
    match found {
        [] => (
            "the account lists no tenant that it had not before; lists lag, so that proves nothing".to_owned(),
            vec![format!(
                "qlik-apply resolve {address} --not-created   (an hour after the attempt, once you are sure)"
            )],
        ),
        [one] => ("the account lists exactly one tenant that it had not before".to_owned(), vec![adopt(one)]),
        several => (
            format!("the account lists {} tenants that it had not before", several.len()),
            several.iter().map(adopt).collect(),
        ),
    }
}

/// Binds a tenant in doubt to the one that a person found.
///
/// # Errors
/// Where the record is not in doubt, or the account has no such tenant, or it was there before, or is another's.
pub async fn adopt(world: &World<'_>, address: &Address, id: &str) -> Result<String, Failure> {
    let (record, intent) = pending(world, address).await?;
    let read = world.imburse.reader().get_tenant(&intent.account, id).await;
    let tenant = read.map_err(|error| Failure::from(error.unreadable()))?;
    if intent.baseline.contains(&tenant.id) {
        return Err(Failure::new(
            format!(
                "tenant {} was there before {address} was asked for at {}; it is not the one in doubt",
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
            format!("tenant {} is bound to {other}", tenant.id),
            "look for the tenant that was created at the time of the intent",
        ));
    }
    let binding = Binding {
        tenant_id: tenant.id.clone(),
        hostname: intent.region.clone(),
        account: intent.account.clone(),
        how: How::Resolved,
        at: world.now(),
    };
    world.held.swap(record.seq, &next(&record, State::Settled(binding))).await?;
    Ok(format!("{address} is bound to tenant {}; the next qlik-apply makes its keys", tenant.id))
}

/// Frees a tenant in doubt, because a person says that nothing was made. Taken an hour after the intent at the earliest,
/// by the vendor's clock: its request may still be on its way.
///
/// # Errors
/// Where the record is not in doubt, or it is too early.
pub async fn not_created(world: &World<'_>, address: &Address) -> Result<String, Failure> {
    let (record, intent) = pending(world, address).await?;
    // For the date of its answer: not the runner's clock, which may be wrong.
    world.imburse.reader().list_tenants(&intent.account).await.map_err(|error| Failure::from(error.unreadable()))?;
    let now: Timestamp = world.imburse.reader().server_time().ok_or_else(|| {
        Failure::new("the vendor's replies carry no date, so an hour cannot be measured", "look again later")
    })?;
    let wait: SignedDuration = MAY_STILL_ARRIVE - now.duration_since(intent.date);
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
