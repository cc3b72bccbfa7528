//! One declared key, at either vendor: what was read of it, and the decision table's way to its answer, in words.

use crate::model::address::Address;
use crate::model::duration::Duration;
use crate::model::live::{LedgerLive, Observed, SinkEntry};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;
use crate::plan::deliver::judge;
use crate::plan::fact::{Fact, fact};
use crate::plan::key::{Candidate, Judgement, Mint, Policy};
use crate::plan::recorded::life;
use crate::plan::scene::Scene;
use crate::plan::stop::Stop;
use crate::plan::vendor::TenantRules;

/// Asks the table about a declared key, and says what it answers and why.
pub(in crate::plan) fn way<'a, T: TenantRules<'a>>(
    tenant: &T,
    address: &'a Address,
    declared: &'a T::Declared,
    live: &'a T::Live,
    record: Option<&'a Record>,
    path: &mut Vec<String>,
) {
    match judge(tenant, address, declared, live, record) {
        Ok(judgement) => answer(tenant.scene(), T::POLICY, T::renew_before(declared), &judgement, path),
        Err(Stop::Wait(wait)) => path.push(format!("it waits: {}", wait.why)),
        Err(Stop::Refuse(refusal)) => {
            path.push(format!("the decision table ends in {}: {}", refusal.code, refusal.why.raw()));
        }
    }
}

fn answer<K: Candidate>(
    scene: &Scene,
    policy: &Policy,
    renew_before: Option<Duration>,
    judgement: &Judgement<'_, K>,
    path: &mut Vec<String>,
) {
    let Policy { made, ends_it, .. } = policy;
    match judgement.good {
        Some(good) => {
            path.push(format!("key {} is in the sink and lives: it is the one", good.shown().raw()));
            if let Some((expiry, renew_before)) = good.expiry().zip(renew_before) {
                let before = i64::try_from(renew_before.seconds()).unwrap_or(i64::MAX);
                let due = jiff::Timestamp::from_second(expiry.as_second().saturating_sub(before));
                let due = due.map(|due| due.to_string()).unwrap_or_else(|_| "now".to_owned());
                path.push(format!(
                    "it expires {expiry}, and is due from {due} ({renew_before} before); now is {:.0}",
                    scene.now
                ));
            }
        }
        None => path.push("no key of its own is known to live in the sink".to_owned()),
    }
    path.extend(judgement.unseen.iter().map(|what| format!("not seen: {what}")));
    path.extend(judgement.freed.iter().map(|key| {
        let key = key.shown();
        format!("key {} was {made} and never delivered, and nothing can bring it back: it is {ends_it}", key.raw())
    }));
    path.extend(judgement.reclaim.iter().map(|key| {
        let key = key.shown();
        format!(
            "key {} was {made} and never delivered, and its run ended: it is {ends_it} after a successor's delivery",
            key.raw()
        )
    }));
    path.extend(
        judgement
            .asked
            .iter()
            .map(|key| format!("key {} is {ends_it}, because the reader says that nobody uses it", key.shown().raw())),
    );
    path.extend(judgement.left.iter().map(|(key, why)| format!("key {} is left alone: {why}", key.shown().raw())));
    if judgement.mark {
        path.push("the sink holds it, and its marker does not say so yet: it is marked".to_owned());
    }
    path.push(match &judgement.mint {
        None => format!("no key is to be {made}"),
        Some(Mint::Renewal { key_id, .. }) => {
            format!("key {key_id} is due: a successor is {made}, and it is left to expire")
        }
        Some(Mint::First(_)) => {
            format!("a key is to be {made}, if limits, permissions and the sink allow it")
        }
    });
}

/// Adds what was read of a declared key's sink, and of the keys that carry its marker or its text.
pub(in crate::plan) fn facts<'a, T: TenantRules<'a>>(
    tenant: &T,
    address: &Address,
    declared: &'a T::Declared,
    live: &'a T::Live,
    record: Option<&Record>,
    read: &mut Vec<Fact>,
) {
    let (scene, homes) = (tenant.scene(), T::deliver_to(declared));
    let together = scene.live.sinks.get(address);
    for sink in homes.iter() {
        let held = match homes.are_several() {
            true => together.and_then(|together| together.homes.get(sink)),
            false => together,
        };
        let held_there = match held.and_then(|held| held.entry.as_ref()) {
            None => format!("{sink} was not looked into"),
            Some(Observed::Absent) => format!("{sink} holds nothing for it"),
            Some(Observed::Unreadable(unreadable)) => unreadable.why.raw().to_owned(),
            Some(Observed::Present(SinkEntry { key_id, delivered, expiry, .. })) => {
                let until = expiry.map(|at| format!(", until {at}")).unwrap_or_default();
                format!("{sink} holds key {key_id}, delivered {delivered}{until}")
            }
        };
        read.push(fact("sink", held_there));
        if let Some(number) = held.and_then(|held| held.number) {
            read.push(fact("version", format!("{number} in {sink}")));
        }
    }
    let uid = record.zip(address.key()).map(|(record, name)| KeyUid::of(&record.uid, name));
    let Some(Observed::Present(keys)) = T::listed(live) else { return };
    let text = tenant.asks(declared, live).text;
    for key in keys.values().filter(|key| key.is_live(scene.now)) {
        let marked = key.marker().zip(uid.as_ref()).is_some_and(|(marker, uid)| marker.uid == *uid);
        if marked || key.text().raw() == text {
            read.push(fact("key", describe(scene, key)));
        }
    }
}

fn describe<K: Candidate>(scene: &Scene, key: &K) -> String {
    let until = key.expiry().map(|at| format!(", until {at}")).unwrap_or_default();
    let marker = match (key.marker(), &scene.live.ledger) {
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
    format!("{} lives{until}: {marker}", key.shown().raw())
}
