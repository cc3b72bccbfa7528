//! The checks before a tenant is created: ledger, account, sinks, licence, rehearsal.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::live::{LedgerFacts, Observed, TenantRead};
use crate::model::spec::{QlikTenant, Way};

use super::unmanaged;
use crate::plan::create::{has_space, not_made_before, refuse_forgetful};
use crate::plan::refusal::{Code, Refusal};
use crate::plan::rename;
use crate::plan::scene::Scene;

/// Checks that a tenant may be created: account, licence, ledger, sinks, rehearsal.
pub(super) fn may_create(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    ledger: Option<&LedgerFacts>,
) -> Result<(), Refusal> {
    let account = &spec.account;
    refuse_forgetful(scene.live)?;
    if !scene.desired.qlik.get(account).is_some_and(|facts| facts.has_source_tenant) {
        return Err(Refusal::new(
            Code::NoSourceTenant,
            format!("account {account} names no source tenant, and a new tenant gets its licence from one"),
            format!(
                "set accounts.{account}.source_tenant in settings to the first label of your existing tenant's address"
            ),
        ));
    }
    has_space(ledger)?;
    rename::refuse(scene, address)?;
    not_made_before(scene, scene.desired.qlik_keys(address).map(|(key, _, _)| key), ledger)?;
    if let Some(TenantRead::ByAlias(found)) = scene.live.qlik.tenants.get(address).map(|live| &live.tenant) {
        return Err(unmanaged::refuse_found(scene, address, spec, found));
    }
    if let Some(TenantRead::Unreadable(unreadable)) = scene.live.qlik.tenants.get(address).map(|live| &live.tenant) {
        return Err(unreadable.into());
    }
    unmanaged::refuse_creation(scene, address, spec)?;
    let live = scene.live.qlik.accounts.get(account);
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
            .qlik
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
