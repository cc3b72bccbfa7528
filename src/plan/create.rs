//! Whether a tenant may be created: ledger, account, sinks, licence, rehearsal.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::live::{LedgerFacts, Live, Observed, TenantRead};
use crate::model::spec::{QlikTenant, Way};
use crate::model::untrusted::Untrusted;
use crate::model::weak::Weakness;

use super::refusal::{Code, Refusal};
use super::scene::Scene;
use super::{key, rename, unmanaged};

/// Whether what becomes of a creation can be recorded.
pub(super) fn has_space(ledger: Option<&LedgerFacts>) -> Result<(), Refusal> {
    match ledger.filter(|ledger| ledger.nearly_full) {
        None => Ok(()),
        Some(ledger) => Err(Refusal::new(
            Code::LedgerNearlyFull,
            format!(
                "the disk of the ledger at {} is nearly full, and what becomes of a creation is recorded there",
                ledger.place
            ),
            format!("free some space, or some inodes, on the disk that holds {}", ledger.place),
        )),
    }
}

/// Whether a tenant may be created: account, licence, ledger, sinks, rehearsal.
pub(super) fn may_create(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    ledger: Option<&LedgerFacts>,
) -> Result<(), Refusal> {
    let account = &spec.account;
    refuse_forgetful(scene.live)?;
    if !scene.desired.accounts.get(account).is_some_and(|facts| facts.has_source_tenant) {
        return Err(Refusal::new(
            Code::NoSourceTenant,
            format!("account {account} names no source tenant, and a new tenant gets its licence from one"),
            format!(
                "set accounts.{account}.source_tenant in settings to the first label of your existing tenant's address"
            ),
        ));
    }
    has_space(ledger)?;
    rename::refuse(scene, address, ledger)?;
    for (key, _, _) in scene.desired.qlik_keys(address) {
        let entry = scene.live.sinks.get(key).and_then(|sink| sink.held());
        if let Some(entry) = entry.filter(|_| !scene.wishes.weak.is(Weakness::MissingLedgerIsEmpty)) {
            let foreign = ledger.and_then(|ledger| key::foreign_entry(entry, ledger));
            return Err(foreign.unwrap_or_else(|| {
                Refusal::new(
                    Code::SinkRefuses,
                    format!(
                        "the sink already holds key {} for {key}, so a tenant of this name was made before",
                        Untrusted::from(entry.key_id.as_str())
                    ),
                    "restore the ledger record of that tenant, or move the old secret away if it is given up",
                )
            }));
        }
    }
    if let Some(TenantRead::ByAlias(found)) = scene.live.tenants.get(address).map(|live| &live.tenant) {
        return Err(unmanaged::refuse_found(scene, address, spec, found));
    }
    if let Some(TenantRead::Unreadable(unreadable)) = scene.live.tenants.get(address).map(|live| &live.tenant) {
        return Err(unreadable.into());
    }
    unmanaged::refuse_creation(scene, address, spec)?;
    let live = scene.live.accounts.get(account);
    match live.and_then(|live| live.licence.as_ref()) {
        Some(Observed::Present(licence)) if licence.valid => {}
        Some(Observed::Present(licence)) => {
            return Err(Refusal::new(
                Code::Licence,
                format!("the licence of account {account} is not valid: its status is {}", licence.status),
                format!("renew the subscription, or correct accounts.{account}.source_tenant in settings"),
            ));
        }
        Some(Observed::Unreadable(unreadable)) => return Err(unreadable.into()),
        Some(Observed::Absent) | None => {
            return Err(Refusal::new(
                Code::Unreadable,
                format!("the licence of account {account} was not read"),
                "plan again",
            ));
        }
    }
    rehearsed(scene, address, spec, ledger)
}

fn rehearsed(scene: &Scene, address: &Address, spec: &QlikTenant, ledger: Option<&LedgerFacts>) -> Result<(), Refusal> {
    let account = &spec.account;
    let ways: BTreeSet<Way> = scene
        .desired
        .qlik_keys(address)
        .filter(|(_, key, _)| key.adopt.is_none())
        .map(|(_, key, _)| key.owner.way())
        .collect();
    let command = format!("qlik-apply rehearse {account}");
    for way in &ways {
        let credential = scene
            .live
            .accounts
            .get(account)
            .and_then(|live| live.credentials.iter().find(|(known, _)| known == way).map(|(_, hash)| hash));
        let found = ledger.into_iter().flat_map(|facts| &facts.rehearsals).find(|rehearsal| {
            rehearsal.account == *account && rehearsal.owner == *way && Some(&rehearsal.credential) == credential
        });
        match found {
            Some(rehearsal) => {
                if let (Some(failure), false) = (&rehearsal.failure, scene.wishes.unrehearsed) {
                    return Err(Refusal::new(
                        Code::RehearsalFailed,
                        format!("it declares keys, and the rehearsal on account {account} failed: {failure}"),
                        format!("change that, then: {command}"),
                    ));
                }
            }
            None if scene.wishes.unrehearsed || scene.wishes.will_rehearse => {}
            None => {
                return Err(Refusal::new(
                    Code::NotRehearsed,
                    format!(
                        "it declares keys, and nobody knows yet whether account {account} can mint one ({})",
                        words(way)
                    ),
                    format!("{command}   (mints and removes one ten-minute key on the source tenant)"),
                )
                .or("or insist with --unrehearsed"));
            }
        }
    }
    Ok(())
}

fn words(way: &Way) -> String {
    match way {
        Way::Client => "its key_client, for itself".to_owned(),
        Way::Configured(name) => format!("owner {name}, with its own key"),
        Way::Impersonation => "its key_client, on a user's behalf".to_owned(),
    }
}

/// Unattended, nothing is created with a ledger that the next run may not have: this run would leave a tenant that nobody
/// knows of.
pub(super) fn refuse_forgetful(live: &Live) -> Result<(), Refusal> {
    const DURABLE: &str = "say so in settings: ledger: { kind: directory, path: …, durable: true }";
    if !live.ledger_forgets {
        return Ok(());
    }
    Err(match &live.ledger_lies_in {
        Some(there) => Refusal::new(
            Code::LedgerNotDurable,
            format!(
                "the ledger lies in {there}; a clone is a copy of a ledger, not the ledger, and the next run would not know \
                 what this one creates"
            ),
            format!("move the folder out of every checkout, to storage that all runs share, and {DURABLE}"),
        ),
        None => Refusal::new(
            Code::LedgerNotDurable,
            "an unattended run creates a tenant only with a ledger that outlives the machine, and this one is a folder on it",
            format!("keep the folder on storage that all runs share, outside of every checkout, and {DURABLE}"),
        ),
    }
    .or("or keep the ledger in a bucket: ledger: { kind: object-store, url: … }"))
}

/// A missing ledger is not an empty one.
pub(super) fn refuse_missing(scene: &Scene, place: &str, strict: bool) -> Result<(), Refusal> {
    let ours = scene.live.sinks.values().find_map(|sink| sink.held());
    let why = match ours {
        Some(entry) => {
            format!("there is no ledger at {place}, and a sink holds keys of ledger {}", entry.ledger.short())
        }
        None if strict => {
            format!("there is no ledger at {place}, and an unattended run does not take that for a new estate")
        }
        None => return Ok(()),
    };
    Err(Refusal::new(Code::LedgerMissing, why, format!("restore the ledger to {place} from its backup"))
        .or("if there never was one: qlik-apply ledger init"))
}
