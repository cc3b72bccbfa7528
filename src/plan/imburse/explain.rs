//! How an Imburse object's actions come about.

use crate::model::address::{Address, Name};
use crate::model::imburse::{AccountRead, ImburseKey, ImburseTenant, TenantRead};
use crate::model::live::{LedgerLive, Observed};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::State;

use super::super::fact::{Fact, fact};
use super::super::recorded::{ledger, life, record};
use super::super::scene::Scene;
use super::facts::standing;

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
    let entry = scene.live.sinks.get(address).and_then(|sink| sink.entry.as_ref());
    let sink = &spec.deliver_to;
    read.push(fact(
        "sink",
        match entry {
            None => format!("{sink} was not looked into"),
            Some(Observed::Absent) => format!("{sink} holds nothing for it"),
            Some(Observed::Unreadable(unreadable)) => unreadable.why.raw().to_owned(),
            Some(Observed::Present(entry)) => {
                format!("{sink} holds key {}, delivered {}", entry.key_id, entry.delivered)
            }
        },
    ));
    if let Some(number) = scene.live.sinks.get(address).and_then(|sink| sink.number) {
        read.push(fact("version", format!("{number} in {sink}")));
    }
    let uid = record.zip(address.key()).map(|(record, name)| KeyUid::of(&record.uid, name));
    let Some(Observed::Present(keys)) = &live.keys else { return };
    for key in keys.values() {
        let marked = key.marker.as_ref().zip(uid.as_ref()).is_some_and(|(marker, uid)| marker.uid == *uid);
        if !marked && key.text.raw() != spec.name {
            continue;
        }
        let marker = match (&key.marker, &scene.live.ledger) {
            (Some(marker), LedgerLive::Present(facts)) => {
                let letter = match marker.letter {
                    Letter::Undelivered => "not marked as delivered",
                    Letter::Delivered => "marked as delivered",
                };
                let run = marker.nonce.run();
                let over = marker.over.map(|over| format!(", made over version {over}")).unwrap_or_default();
                format!("{letter}, by run {run} ({}){over}", life(facts.life_of_short(&run)))
            }
            (Some(_), LedgerLive::Missing { .. }) => "with a marker of a ledger".to_owned(),
            (None, _) => "without a marker of ours".to_owned(),
        };
        read.push(fact("key", format!("{}: {marker}", key.public_key)));
    }
    if let LedgerLive::Present(facts) = &scene.live.ledger {
        let of_account =
            facts.marks_refused.iter().filter(|refused| tenant_account(scene, &tenant) == Some(&refused.account));
        for refused in of_account {
            read.push(fact("marks", format!("refused at {:.0}: {}", refused.at, refused.why.raw())));
        }
    }
    let held = match entry {
        Some(Observed::Present(entry)) => keys.get(&entry.key_id),
        Some(Observed::Absent | Observed::Unreadable(_)) | None => None,
    };
    path.push(match held {
        Some(key) => format!("key {} is in the sink and listed: it is the one", key.public_key),
        None => "the sink holds no listed key of it: what carries its marker, or its name, decides".to_owned(),
    });
}

fn tenant_account<'a>(scene: &'a Scene<'_>, tenant: &Address) -> Option<&'a Name> {
    let mut tenants = scene.desired.imburse_tenants();
    tenants.find(|(address, _, _)| *address == tenant).map(|(_, spec, _)| &spec.account)
}
