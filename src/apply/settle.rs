//! The requests that set up a tenant of our making: name, alias, limits once; and the trust and the permission that
//! keys need.

use crate::model::address::Address;
use crate::model::host::Host;
use crate::model::live::Unreadable;
use crate::model::record::{Binding, Record, Settling, State};
use crate::plan::action::{Grant, Permission, Settle, SettlePart, TenantRef, Trust};
use crate::provider::http::{Outcome, ReadError, RejectionKind};

use super::event::{Failure, Happened, Step};
use super::outcome::{Known, host_of, known};
use super::people;
use super::tenant::next;
use super::world::World;

/// Claims the settling in the ledger, sends each part once, and records it as settled.
pub(super) async fn settle(
    world: &World<'_>,
    address: &Address,
    settle: &Settle,
    at: &TenantRef,
) -> Result<String, Failure> {
    let host = host_of(world.desired, &settle.account, at)?;
    let (claimed, binding) = claim(world, address).await?;
    let mut done = Vec::new();
    let mut taken = None;
    for part in &settle.parts {
        let step = step_of(part);
        world.begin(address, step);
        match send(world, settle, &host, at, part).await {
            Ok(said) => {
                world.tell(address, step, Happened::Succeeded { detail: value(part).as_str().into() });
                done.push(said);
            }
            Err(Refused { failure, lasting: true }) => {
                world.tell(address, step, Happened::Failed(failure.clone()));
                taken = Some(failure);
            }
            // The record stays `settling`: the next run reads what is there and sends the rest.
            Err(Refused { failure, lasting: false }) => return Err(failure),
        }
    }
    world.held.swap(claimed.seq, &next(&claimed, State::Settled(binding))).await?;
    match taken {
        None => Ok(done.join(", ")),
        Some(failure) => Err(failure),
    }
}

async fn claim(world: &World<'_>, address: &Address) -> Result<(Record, Binding), Failure> {
    let record = world.held.record(address).await?.ok_or_else(|| {
        Failure::new(format!("the ledger has no record of {address} any more"), "restore the ledger, then plan again")
    })?;
    let binding = record.state.binding().ok_or_else(|| {
        Failure::new(format!("the ledger's record of {address} is {} now", record.state.word()), "plan again")
    })?;
    let settling = Settling { binding: binding.clone(), run: world.held.run().clone() };
    let claimed = next(&record, State::Settling(settling));
    world.held.swap(record.seq, &claimed).await?;
    Ok((claimed, binding.clone()))
}

struct Refused {
    failure: Failure,
    /// Sending it again would be refused again: an alias that is taken.
    lasting: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, lasting: false }
    }
}

async fn send(
    world: &World<'_>,
    settle: &Settle,
    host: &Host,
    at: &TenantRef,
    part: &SettlePart,
) -> Result<String, Refused> {
    let (account, id) = (&settle.account, at.id.raw());
    let outcome = match part {
        SettlePart::Name(name) => world.qlik.rename(account, host, id, name).await,
        SettlePart::Alias { host: alias, .. } => world.qlik.set_alias(account, host, id, alias).await,
        SettlePart::Limits(limits) => world.qlik.set_limits(account, host, id, limits).await,
    };
    let is_alias = matches!(part, SettlePart::Alias { .. });
    if let (true, Outcome::Rejected(rejection)) = (is_alias, &outcome)
        && matches!(rejection.kind, RejectionKind::Invalid | RejectionKind::Conflict)
    {
        let why = format!("the alias was refused: {}", rejection.sentence());
        let next = "choose another alias; the tenant and its keys do not need one".to_owned();
        return Err(Refused { failure: Failure { why: why.into(), next: vec![next] }, lasting: true });
    }
    match known(outcome) {
        Known::Done(()) => Ok(words(part)),
        Known::Not(failure) => Err(failure.into()),
        // Replacing a value by itself changes nothing, so looking is enough.
        Known::Unclear(failure) => match is_there(world, settle, host, id, part).await {
            Ok(true) => Ok(words(part)),
            Ok(false) => Err(failure.into()),
            Err(unreadable) => Err(Failure::from(unreadable).into()),
        },
    }
}

async fn is_there(
    world: &World<'_>,
    settle: &Settle,
    host: &Host,
    id: &str,
    part: &SettlePart,
) -> Result<bool, Unreadable> {
    let unreadable = |error: ReadError| error.unreadable();
    match part {
        SettlePart::Name(name) => {
            let tenant = world.qlik.reader().tenant(&settle.account, host, Some(id)).await.map_err(unreadable)?;
            Ok(tenant.name.raw() == name)
        }
        SettlePart::Alias { host: alias, .. } => {
            let tenant = world.qlik.reader().tenant(&settle.account, host, Some(id)).await.map_err(unreadable)?;
            Ok(tenant.alias().is_some_and(|live| live.raw().eq_ignore_ascii_case(alias)))
        }
        SettlePart::Limits(declared) => {
            let live = world.qlik.reader().limits(&settle.account, host, id).await.map_err(unreadable)?;
            Ok(declared.max_expiry.is_none_or(|d| d == live.max_expiry)
                && declared.max_keys_per_user.is_none_or(|d| d == live.max_keys_per_user))
        }
    }
}

fn step_of(part: &SettlePart) -> Step {
    match part {
        SettlePart::Name(_) => Step::SettleName,
        SettlePart::Alias { .. } => Step::SettleAlias,
        SettlePart::Limits(_) => Step::SettleLimits,
    }
}

/// Returns the words for a part that is listed among others.
fn words(part: &SettlePart) -> String {
    match part {
        SettlePart::Name(_) => format!("name {}", value(part)),
        SettlePart::Alias { .. } => format!("alias {}", value(part)),
        SettlePart::Limits(_) => value(part),
    }
}

fn value(part: &SettlePart) -> String {
    match part {
        SettlePart::Name(name) => name.clone(),
        SettlePart::Alias { host, .. } => host.clone(),
        SettlePart::Limits(limits) => {
            let mut words = Vec::new();
            words.extend(limits.max_expiry.map(|d| format!("max_expiry {d}")));
            words.extend(limits.max_keys_per_user.map(|n| format!("max_keys_per_user {n}")));
            words.join(", ")
        }
    }
}

/// Trusts the account's key client in a tenant.
pub(super) async fn trust(world: &World<'_>, trust: &Trust, at: &TenantRef) -> Result<String, Failure> {
    let host = host_of(world.desired, &trust.account, at)?;
    match known(world.qlik.trust(&trust.account, &host).await) {
        Known::Done(()) => Ok(String::new()),
        Known::Not(failure) => Err(failure),
        Known::Unclear(failure) => match world.qlik.reader().consent(&trust.account, &host).await {
            Ok(consent) if consent.trusted => Ok(String::new()),
            Ok(_) => Err(failure),
            Err(error) => Err(error.unreadable().into()),
        },
    }
}

/// Gives a declared permission that is missing.
pub(super) async fn grant(
    world: &World<'_>,
    address: &Address,
    grant: &Grant,
    at: &TenantRef,
) -> Result<String, Failure> {
    match &grant.what {
        Permission::ManageApiKeysToEveryone => to_everyone(world, grant, at).await,
        Permission::ManageApiKeysByRole(by) => people::grant_by_role(world, address, grant, by, at).await,
    }
}

async fn to_everyone(world: &World<'_>, grant: &Grant, at: &TenantRef) -> Result<String, Failure> {
    let host = host_of(world.desired, &grant.account, at)?;
    let role = world
        .qlik
        .reader()
        .user_default(&grant.account, &host)
        .await
        .map_err(|error| Failure::from(error.unreadable()))?;
    let said = "\"Manage API keys\" to everyone".to_owned();
    if role.manages_api_keys {
        return Ok(said);
    }
    match known(world.qlik.permit(&grant.account, &host, role.id.raw()).await) {
        Known::Done(()) => Ok(said),
        Known::Not(failure) => Err(failure),
        Known::Unclear(failure) => match world.qlik.reader().user_default(&grant.account, &host).await {
            Ok(role) if role.manages_api_keys => Ok(said),
            Ok(_) => Err(failure),
            Err(error) => Err(error.unreadable().into()),
        },
    }
}
