//! How a Qlik object's actions come about.

use crate::model::address::Address;
use crate::model::live::{CallerLive, Observed, TenantLive, TenantRead};
use crate::model::record::State;
use crate::model::spec::{QlikKey, QlikTenant, Spec};
use crate::model::untrusted::Untrusted;
use crate::plan::explain::key::{facts, way};
use crate::plan::fact::{Fact, fact};
use crate::plan::recorded::{ledger, record};
use crate::plan::scene::Scene;

use super::ground::Qlik;

pub(in crate::plan) fn tenant(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    read: &mut Vec<Fact>,
    path: &mut Vec<String>,
) {
    let record = record(scene, address);
    ledger(scene, record, read);
    path.push(match record.map(|record| &record.state) {
        None if spec.adopt.is_some() => {
            "no record, and adopt: names a tenant: it is looked for there, never created".into()
        }
        None => {
            "no record binds it and no adoption is declared: it is looked for at its alias, if it has one".to_owned()
        }
        Some(State::Free) => {
            "its record is free: an earlier creation was refused or cleared, so it may be created".into()
        }
        Some(State::Pending(_)) => {
            "a creation began and its outcome was not recorded: it is never repeated unasked".into()
        }
        Some(State::Bound(_)) => {
            "it was made and is not set up yet: name, alias and limits are still to be sent once".into()
        }
        Some(State::Settling(_)) => "a run began to set it up: what is not there yet depends on that run's end".into(),
        Some(State::Settled(_)) => {
            "it is set up: from now on a difference is drift, and apply does not change it".into()
        }
    });
    let Some(live) = scene.live.qlik.tenants.get(address) else {
        path.push("the vendor was not asked for it".to_owned());
        return;
    };
    vendor(live, read);
    if let (Some(grant), Some(holders)) = (spec.grants.by_role(), &live.holders) {
        let name = format!("role {}", grant.name);
        read.push(fact(&name, observed(holders, |holders| super::facts::held(grant, holders))));
    }
    for (owner, caller) in live.callers.iter().filter(|(owner, _)| owner.user().is_some()) {
        let name = owner.user().map(|user| format!("user with {user}")).unwrap_or_default();
        let words = |caller: &CallerLive| {
            let may =
                if caller.manages_api_keys { "may manage API keys by a role" } else { "has no role for API keys" };
            format!("{} ({}), {may}", caller.user_id.raw(), caller.status.raw())
        };
        read.push(fact(&name, observed(caller, words)));
    }
    path.push(match &live.tenant {
        TenantRead::Nowhere => "there was nowhere to look: absent, as far as anybody can know".to_owned(),
        TenantRead::Present(_) => "the tenant answers, and its id is compared with the record".to_owned(),
        TenantRead::ByAlias(_) => {
            "a tenant answers at its alias; an alias finds, and adopts nothing by itself".to_owned()
        }
        TenantRead::Gone(_) => {
            "its host says that there is no such tenant; it is never created anew by itself".to_owned()
        }
        TenantRead::Disabled => "it is there and disabled".to_owned(),
        TenantRead::Other { .. } => "another tenant answers at its host; nothing is sent to that one".to_owned(),
        TenantRead::Unreadable(_) => "it could not be read, which is never taken for absent".to_owned(),
    });
}

fn vendor(live: &TenantLive, read: &mut Vec<Fact>) {
    match &live.tenant {
        TenantRead::Present(present) | TenantRead::ByAlias(present) => {
            let hosts: Vec<&str> = present.hostnames.iter().map(Untrusted::raw).collect();
            let text = format!("{} ({}), {}", present.name.raw(), present.status.raw(), hosts.join(", "));
            read.push(fact("tenant", text));
        }
        TenantRead::Gone(unreadable) | TenantRead::Unreadable(unreadable) => {
            read.push(fact("tenant", unreadable.why.raw()));
        }
        TenantRead::Other { found } => read.push(fact("tenant", format!("another one: {}", found.raw()))),
        TenantRead::Nowhere | TenantRead::Disabled => {}
    }
    if let Some(keys) = &live.keys {
        read.push(fact("keys", observed(keys, |keys| format!("{} listed", keys.len()))));
    }
    if let Some(limits) = &live.limits {
        let words = |l: &crate::model::live::KeyLimitsLive| format!("{}, {} a user", l.max_expiry, l.max_keys_per_user);
        read.push(fact("key limits", observed(limits, words)));
    }
    if let Some(role) = &live.user_default {
        let words = |manages| if manages { "may manage API keys" } else { "may not manage API keys" };
        read.push(fact("user default", observed(role, |role| words(role.manages_api_keys).to_owned())));
    }
    if let Some(consent) = &live.key_client {
        let words = |trusted| if trusted { "trusted" } else { "not trusted" };
        read.push(fact("key client", observed(consent, |consent| words(consent.trusted).to_owned())));
    }
}

pub(in crate::plan) fn key(
    scene: &Scene,
    address: &Address,
    spec: &QlikKey,
    read: &mut Vec<Fact>,
    path: &mut Vec<String>,
) {
    let tenant = address.parent();
    let record = record(scene, &tenant);
    ledger(scene, record, read);
    let live = scene.live.qlik.tenants.get(&tenant).filter(|live| matches!(live.tenant, TenantRead::Present(_)));
    let Some(live) = live else {
        path.push(format!(
            "its tenant {tenant} does not answer, or is still to be made: see qlik-plan explain {tenant}"
        ));
        return;
    };
    if let Some(id) = &spec.adopt {
        path.push(format!(
            "adopt: names key {id}: it is only looked for, never minted; its secret is its owner's affair"
        ));
        return;
    }
    let Some(Spec::QlikTenant(tenant_spec)) = scene.desired.items.get(&tenant).map(|declared| &declared.spec) else {
        return;
    };
    let asked = Qlik { scene, address: &tenant, spec: tenant_spec };
    facts(&asked, address, spec, live, record, read);
    way(&asked, address, spec, live, record, path);
}

fn observed<T>(read: &Observed<T>, say: impl FnOnce(&T) -> String) -> String {
    match read {
        Observed::Absent => "none".to_owned(),
        Observed::Present(value) => say(value),
        Observed::Unreadable(unreadable) => unreadable.why.raw().to_owned(),
    }
}
