//! How an Imburse object's actions come about.

use crate::model::address::Address;
use crate::model::imburse::{AccountRead, ImburseKey, ImburseTenant, TenantRead};
use crate::model::live::{LedgerLive, Observed};
use crate::model::record::State;
use crate::model::spec::Spec;

use super::super::explain::key::{facts, way};
use super::super::fact::{Fact, fact};
use super::super::recorded::{ledger, record};
use super::super::scene::Scene;
use super::facts::standing;
use super::ground::Imburse;

pub(in crate::plan) fn tenant(
    scene: &Scene,
    address: &Address,
    spec: &ImburseTenant,
    read: &mut Vec<Fact>,
    path: &mut Vec<String>,
) {
    let record = record(scene, address);
    ledger(scene, record, read);
    path.push(match record.map(|record| &record.state) {
        None | Some(State::Free) if spec.adopt.is_some() => {
            "no record, and adopt: names a tenant: it is looked for there, never created".to_owned()
        }
        None | Some(State::Free) => {
            "no record binds it: it is looked for by its exact name in the account's list".to_owned()
        }
        Some(State::Pending(_)) => {
            "a creation began and its outcome was not recorded: it is never repeated unasked".to_owned()
        }
        Some(State::Bound(_) | State::Settling(_) | State::Settled(_)) => {
            "the ledger says its id: from here on differences are drift, and nothing of it is changed".to_owned()
        }
    });
    if let Some(live) = scene.live.imburse.accounts.get(&spec.account) {
        if let Some(tenants) = &live.tenants {
            read.push(fact(
                "account's tenants",
                match tenants {
                    Observed::Present(tenants) => {
                        let same = |name: &String| tenants.iter().filter(|t| t.name.raw() == name).count();
                        let same = spec.display_name.as_ref().map_or(0, same);
                        format!("{} listed, {same} of exactly this name", tenants.len())
                    }
                    Observed::Absent => "none".to_owned(),
                    Observed::Unreadable(unreadable) => unreadable.why.raw().to_owned(),
                },
            ));
        }
        match &live.account {
            Some(AccountRead::Present(account)) => {
                let most = account.max_tenants.map_or_else(|| "any number".to_owned(), |most| most.to_string());
                let approval = if account.tenant_creation_approval_required { "needs" } else { "needs no" };
                let text = format!("{} of {most} tenants used; a new tenant {approval} approval", account.tenant_usage);
                read.push(fact("licence", text));
            }
            Some(AccountRead::Forbidden(unreadable) | AccountRead::Unreadable(unreadable)) => {
                read.push(fact("licence", unreadable.why.raw()));
            }
            None => {}
        }
    }
    let Some(live) = scene.live.imburse.tenants.get(address) else { return };
    match &live.tenant {
        TenantRead::Present(present) => {
            let text = format!("{} ({}), {}", present.name.raw(), standing(present.standing()), present.id.raw());
            read.push(fact("tenant", text));
        }
        TenantRead::Gone(unreadable) | TenantRead::Unreadable(unreadable) => {
            read.push(fact("tenant", unreadable.why.raw()));
        }
        TenantRead::Nowhere => {}
    }
    if let Some(Observed::Present(keys)) = &live.keys {
        read.push(fact("keys", format!("{} listed", keys.len())));
    }
}

pub(in crate::plan) fn key(
    scene: &Scene,
    address: &Address,
    spec: &ImburseKey,
    read: &mut Vec<Fact>,
    path: &mut Vec<String>,
) {
    let tenant = address.parent();
    let record = record(scene, &tenant);
    ledger(scene, record, read);
    let live = scene.live.imburse.tenants.get(&tenant).filter(|live| matches!(live.tenant, TenantRead::Present(_)));
    let Some(live) = live else {
        path.push(format!("its tenant {tenant} is not there, or is still to be made: see qlik-plan explain {tenant}"));
        return;
    };
    if let Some(id) = &spec.adopt {
        path.push(format!("adopt: names key {id}: it is only looked for; its private key is its owner's affair"));
        return;
    }
    let Some(Spec::ImburseTenant(tenant_spec)) = scene.desired.items.get(&tenant).map(|declared| &declared.spec) else {
        return;
    };
    let asked = Imburse { scene, address: &tenant, spec: tenant_spec };
    facts(&asked, address, spec, live, record, read);
    if let LedgerLive::Present(facts) = &scene.live.ledger {
        let of_account = facts.marks_refused.iter().filter(|refused| refused.account == tenant_spec.account);
        for refused in of_account {
            read.push(fact("marks", format!("refused at {:.0}: {}", refused.at, refused.why.raw())));
        }
    }
    way(&asked, address, spec, live, record, path);
}
