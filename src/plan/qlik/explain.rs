//! How a Qlik object's actions come about.

use crate::model::address::Address;
use crate::model::live::{CallerLive, KeyLive, LedgerLive, Observed, SinkEntry, TenantLive, TenantRead};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::{Record, State};
use crate::model::spec::{QlikKey, QlikTenant, Spec};
use crate::model::untrusted::Untrusted;
use crate::plan::deliver::judge;
use crate::plan::fact::{Fact, fact};
use crate::plan::key::{Judgement, Mint};
use crate::plan::recorded::{ledger, life, record};
use crate::plan::scene::Scene;
use crate::plan::stop::Stop;

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
    let entry = scene.live.sinks.get(address).map(|sink| sink.entry.as_ref());
    read.push(fact(
        "sink",
        match entry {
            None | Some(None) => format!("{} was not looked into", spec.deliver_to),
            Some(Some(Observed::Absent)) => format!("{} holds nothing for it", spec.deliver_to),
            Some(Some(Observed::Unreadable(unreadable))) => unreadable.why.raw().to_owned(),
            Some(Some(Observed::Present(entry))) => held(spec, entry),
        },
    ));
    for key in keys_of(scene, address, spec, record, live) {
        read.push(fact("key", describe(scene, key)));
    }
    let Some(Spec::QlikTenant(tenant_spec)) = scene.desired.items.get(&tenant).map(|declared| &declared.spec) else {
        return;
    };
    let asked = Qlik { scene, address: &tenant, spec: tenant_spec };
    match judge(&asked, address, spec, live, record) {
        Ok(judgement) => way(scene, spec, &judgement, path),
        Err(Stop::Wait(wait)) => path.push(format!("it waits: {}", wait.why)),
        Err(Stop::Refuse(refusal)) => {
            path.push(format!("the decision table ends in {}: {}", refusal.code, refusal.why.raw()));
        }
    }
}

fn held(spec: &QlikKey, entry: &SinkEntry) -> String {
    let SinkEntry { key_id, delivered, expiry, .. } = entry;
    let until = expiry.map(|at| format!(", until {at}")).unwrap_or_default();
    format!("{} holds key {key_id}, delivered {delivered}{until}", spec.deliver_to)
}

/// Keys that carry this key's marker or its description.
fn keys_of<'a>(
    scene: &Scene,
    address: &Address,
    spec: &QlikKey,
    record: Option<&Record>,
    live: &'a TenantLive,
) -> Vec<&'a KeyLive> {
    let uid = record.zip(address.key()).map(|(record, name)| KeyUid::of(&record.uid, name));
    let Some(Observed::Present(keys)) = &live.keys else { return Vec::new() };
    keys.values()
        .filter(|key| key.is_live(scene.now))
        .filter(|key| {
            let marked = key.marker.as_ref().zip(uid.as_ref()).is_some_and(|(marker, uid)| marker.uid == *uid);
            marked || key.text.raw() == spec.description
        })
        .collect()
}

fn describe(scene: &Scene, key: &KeyLive) -> String {
    let until = key.expiry.map(|at| format!(", until {at}")).unwrap_or_default();
    let marker = match (&key.marker, &scene.live.ledger) {
        (Some(marker), LedgerLive::Present(facts)) => {
            let letter = match marker.letter {
                Letter::Undelivered => "not marked as delivered",
                Letter::Delivered => "marked as delivered",
            };
            let run = marker.nonce.run();
            format!("{letter}, by run {run} ({})", life(facts.life_of_short(&run)))
        }
        (Some(_), LedgerLive::Missing { .. }) => "with a marker of a ledger".to_owned(),
        (None, _) => "without a marker of ours".to_owned(),
    };
    format!("{} lives{until}: {marker}", key.id)
}

fn way(scene: &Scene, spec: &QlikKey, judgement: &Judgement<'_, KeyLive>, path: &mut Vec<String>) {
    match judgement.good {
        Some(good) => {
            path.push(format!("key {} is in the sink and lives: it is the one", good.id));
            if let Some(expiry) = good.expiry {
                let before = i64::try_from(spec.renew_before.seconds()).unwrap_or(i64::MAX);
                let due = jiff::Timestamp::from_second(expiry.as_second().saturating_sub(before));
                let due = due.map(|due| due.to_string()).unwrap_or_else(|_| "now".to_owned());
                path.push(format!(
                    "it expires {expiry}, and is due from {due} ({} before); now is {:.0}",
                    spec.renew_before, scene.now
                ));
            }
        }
        None => path.push("no key of its own is known to live in the sink".to_owned()),
    }
    path.extend(judgement.unseen.iter().map(|what| format!("not seen: {what}")));
    path.extend(judgement.freed.iter().map(|key| {
        format!("key {} was minted and never delivered, and nothing can bring it back: it is revoked", key.id)
    }));
    let reclaimed = judgement.reclaim.iter();
    path.extend(reclaimed.map(|key| {
        format!(
            "key {} was minted and never delivered, and its run ended: it is revoked after a successor's delivery",
            key.id
        )
    }));
    path.extend(judgement.left.iter().map(|(key, why)| format!("key {} is left to expire: {why}", key.id)));
    if judgement.mark {
        path.push("the sink holds it, and its marker does not say so yet: it is marked".to_owned());
    }
    path.push(match &judgement.mint {
        None => "nothing is to be minted".to_owned(),
        Some(Mint::Renewal { key_id, .. }) => {
            format!("key {key_id} is due: a successor is minted, and it is left to expire")
        }
        Some(Mint::First(_)) => "a key is to be minted, if limits, permissions and the sink allow it".to_owned(),
    });
}

fn observed<T>(read: &Observed<T>, say: impl FnOnce(&T) -> String) -> String {
    match read {
        Observed::Absent => "none".to_owned(),
        Observed::Present(value) => say(value),
        Observed::Unreadable(unreadable) => unreadable.why.raw().to_owned(),
    }
}
