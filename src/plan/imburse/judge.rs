//! The decision table for one key whose tenant exists. It is Qlik's, but for three things: the vendor tells no time of making, so
//! that a key came after another is known from the sink alone; a key never expires, so nothing is left to expire; and whoever
//! lists keys may have made one of the same name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;
use crate::model::desired::SinkFacts;
use crate::model::imburse::{ImburseKey, Key, TenantLive};
use crate::model::live::{LedgerFacts, Observed, SinkEntry, SinkLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;
use crate::model::run::Life;
use crate::model::untrusted::{Untrusted, escape};
use crate::model::weak::{Weak, Weakness};

use super::super::action::{Wait, WhyMint};
use super::super::key::{Stop, foreign_entry, not_marked, refuse};
use super::super::leftover::{Fate, Proofs, why_kept};
use super::super::refusal::{Code, Refusal};
use super::super::store;

const ELSEWHERE: &str = "it was made for another sink than settings name now, and it does not expire";

/// What is known of one key before a decision.
pub(super) struct Facts<'a> {
    pub(super) address: &'a Address,
    pub(super) spec: &'a ImburseKey,
    pub(super) ledger: Option<&'a LedgerFacts>,
    pub(super) record: Option<&'a Record>,
    pub(super) tenant: &'a TenantLive,
    pub(super) sink: &'a SinkLive,
    pub(super) sink_facts: &'a SinkFacts,
    /// Whether the vendor refuses to change this account's keys.
    pub(super) never_marked: bool,
    pub(super) remint: bool,
    pub(super) replace: bool,
    /// Public keys that a person says nobody uses.
    pub(super) asked: &'a BTreeSet<String>,
    pub(super) weak: Weak,
}

/// What is to be done about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement<'a> {
    /// The key in the sink, live.
    pub(super) good: Option<&'a Key>,
    /// The good key is in the sink and not marked so.
    pub(super) mark: bool,
    pub(super) mint: Option<WhyMint>,
    /// Overtaken leftovers: deleted whatever else happens.
    pub(super) freed: Vec<&'a Key>,
    /// Deleted once a successor was delivered, in this order.
    pub(super) reclaim: Vec<&'a Key>,
    /// Deleted because a person said so.
    pub(super) asked: Vec<&'a Key>,
    /// What only a look into the sink can decide.
    pub(super) unseen: Vec<String>,
    /// Named, and left alone.
    pub(super) left: Vec<(&'a Key, &'static str)>,
}

/// The decision table.
pub(super) fn judge<'a>(facts: &Facts<'a>) -> Result<Judgement<'a>, Stop> {
    let keys = match &facts.tenant.keys {
        Some(Observed::Present(keys)) => keys,
        Some(Observed::Unreadable(unreadable)) => return Err(Stop::Refuse(unreadable.into())),
        Some(Observed::Absent) | None => {
            return Err(refuse(Code::Unreadable, "the tenant's keys were not read", "plan again"));
        }
    };
    let entry = entry_of(facts)?;
    let name = facts.address.key.as_ref().unwrap_or(&facts.address.tenant);
    let uid = facts.record.map(|record| KeyUid::of(&record.uid, name));
    let of_this_ledger =
        |key: &Key| key.marker.as_ref().zip(facts.ledger).is_some_and(|(marker, ledger)| marker.is_of(&ledger.id));
    let of_this_key = |key: &Key| {
        of_this_ledger(key) && key.marker.as_ref().zip(uid.as_ref()).is_some_and(|(marker, uid)| marker.uid == *uid)
    };
    let here = |key: &Key| key.marker.as_ref().is_some_and(|marker| marker.sink == facts.sink_facts.hash);
    let letter = |key: &Key| key.marker.as_ref().map(|marker| marker.letter);
    let life = |key: &Key| match key.marker.as_ref().zip(facts.ledger) {
        Some((marker, ledger)) => ledger.life_of_short(&marker.nonce.run()),
        None => Life::Proven,
    };
    let marked: Vec<&Key> = keys.values().filter(|key| of_this_key(key)).collect();
    let strangers: Vec<&Key> =
        keys.values().filter(|key| key.text.raw() == facts.spec.name && !of_this_ledger(key)).collect();

    let blind = facts.sink_facts.blind;
    if facts.sink.entry.is_none() && !blind {
        let here: Vec<&Key> = marked.iter().copied().filter(|key| here(key)).collect();
        let elsewhere =
            marked.iter().copied().filter(|key| !here.iter().any(|one| one.public_key == key.public_key)).collect();
        return unlooked(facts, &here, elsewhere, life, &strangers);
    }
    let is_asked = |key: &Key| facts.asked.contains(&key.public_key.to_ascii_lowercase());
    // What nobody can look into is taken to hold a key that was delivered there, and that nobody has given up; of several,
    // nobody knows which.
    let is_likely = |key: &&Key| here(key) && letter(key) == Some(Letter::Delivered) && !is_asked(key);
    let good = match blind {
        true => marked.iter().copied().find(is_likely),
        false => good_key(facts, keys, entry)?,
    };
    let is_good = |key: &Key| good.is_some_and(|good| good.public_key == key.public_key);
    let others: Vec<&Key> = marked.iter().copied().filter(|key| here(key) && !is_good(key)).collect();
    let looked_for = !facts.weak.is(Weakness::NoRecovery);
    let leftovers: Vec<&Key> = others
        .iter()
        .copied()
        .filter(|key| letter(key) == Some(Letter::Undelivered) && looked_for && !is_asked(key))
        .collect();
    let in_flight = facts.weak.is(Weakness::RevokeInFlight);
    if let Some(busy) = leftovers.iter().find(|key| life(key) == Life::Alive && !in_flight) {
        return Err(busy_with(busy));
    }
    let delivered: Vec<&Key> =
        others.iter().copied().filter(|key| letter(key) == Some(Letter::Delivered) && !is_asked(key)).collect();
    if let (None, Some(first), false) = (good, delivered.first(), facts.remint) {
        return Err(delivered_elsewhere(facts, first));
    }
    if good.is_none() && marked.is_empty() && !facts.remint && !strangers.is_empty() {
        return Err(unmarked(&strangers));
    }

    let sink = facts.sink_facts;
    let fate = |key: &Key| {
        let entry = entry.filter(|_| good.is_some());
        let proofs = Proofs::of(&key.public_key, entry, sink, life(key), facts.weak);
        if good.is_none() {
            return Proofs { here_is_all: false, ..proofs }.fate();
        }
        let over = key.marker.as_ref().and_then(|marker| marker.over);
        // Its put was made for what the sink held then, and the sink has gone on: it is refused, however late it comes.
        // The number is of a place, and a renamed tenant's keys have another.
        let stayed = facts.record.is_some_and(|record| record.formerly.is_empty());
        let moved_on = stayed && over.zip(facts.sink.number).is_some_and(|(over, number)| over < number);
        Proofs { moved_on: moved_on && !facts.weak.is(Weakness::NeverOvertaken), ..proofs }.fate()
    };
    let (kept, leftovers): (Vec<&Key>, Vec<&Key>) = leftovers.into_iter().partition(|key| fate(key) == Fate::Kept);
    // One that nobody can see may be the very key in the sink: then a person has another delivered over it first.
    let over_it = blind && facts.remint;
    if let (Some(key), false) = (kept.first(), over_it) {
        return Err(cannot_be_revoked(facts, key, sink.hidden));
    }
    if let (true, Some(_), Some(key), false) = (blind, good, leftovers.first(), over_it) {
        return Err(cannot_be_seen(facts, key));
    }
    let superseded = leftovers.iter().copied().find(|key| fate(key) == Fate::Superseded);
    let mint = match (good, superseded.or(kept.first().copied())) {
        (None, _) => Some(why_first(facts, entry, &leftovers)),
        (Some(good), _) if facts.replace => Some(WhyMint::Replaced { key_id: good.public_key.clone() }),
        (Some(_), Some(leftover)) => Some(WhyMint::Supersede { key_id: leftover.public_key.clone() }),
        (Some(_), None) => None,
    };
    let (freed, leftovers): (Vec<&Key>, Vec<&Key>) = leftovers.into_iter().partition(|key| fate(key) == Fate::Freed);
    let asked: Vec<&Key> = marked.iter().copied().filter(|key| is_asked(key) && !is_good(key)).collect();
    if let (Some(good), true) = (good, facts.replace) {
        may_be_replaced(facts, good)?;
    }
    if mint.is_some() && blind && facts.never_marked {
        return match asked.is_empty() {
            true => Err(never_known(facts)),
            // First what a person gave up; no successor is made, so nothing else goes.
            false => {
                let (freed, reclaim, unseen, left) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                Ok(Judgement { good, mark: false, mint: None, freed, reclaim, asked, unseen, left })
            }
        };
    }
    let delivered_once = match blind {
        true => "it was delivered, as others were, nobody can see which of them is in the sink, and it does not expire",
        false => "it was delivered once, another key is in the sink now, and it does not expire",
    };
    let mut left: Vec<(&Key, &'static str)> = kept.into_iter().map(|key| (key, why_kept(sink))).collect();
    left.extend(delivered.into_iter().map(|key| (key, delivered_once)));
    left.extend(
        marked.iter().copied().filter(|key| !here(key) && !is_good(key) && !is_asked(key)).map(|key| (key, ELSEWHERE)),
    );
    if facts.weak.is(Weakness::Unnamed) {
        left.clear();
    }
    let mark = good.is_some_and(|good| {
        letter(good) == Some(Letter::Undelivered)
            && of_this_key(good)
            && life(good) != Life::Alive
            && !facts.never_marked
    });
    let unseen = good.filter(|_| blind).map(|good| unseen(facts, good)).into_iter().collect();
    Ok(Judgement { good, mark, mint, freed, reclaim: leftovers, asked, unseen, left })
}

/// Once another key is in its place, a key that does not say it was delivered would be taken for a leftover and deleted, though
/// somebody may still use it; and of two that say so, only a look into the sink tells which is which.
fn may_be_replaced(facts: &Facts<'_>, good: &Key) -> Result<(), Stop> {
    let (address, sink, id) = (facts.address, &facts.spec.deliver_to, id(good));
    if facts.sink_facts.blind {
        return Err(refuse(
            Code::SinkRefuses,
            format!("sink {sink} cannot be looked into, so nobody could tell afterwards which key replaced which"),
            format!("delete key {id} in the vendor's portal, then qlik-apply: it makes and delivers another"),
        ));
    }
    let is_marked = good.marker.as_ref().is_none_or(|marker| marker.letter == Letter::Delivered);
    match (is_marked, facts.never_marked) {
        (true, _) => Ok(()),
        (false, false) => Err(not_marked(address, &id)),
        (false, true) => Err(refuse(
            Code::MarkMissing,
            format!(
                "the vendor does not let key {id} be marked as delivered, so once it is replaced nobody could tell that it may \
                 be in use"
            ),
            format!("delete key {id} in the vendor's portal once nobody uses it, then qlik-apply: it makes another"),
        )),
    }
}

fn unseen(facts: &Facts<'_>, key: &Key) -> String {
    format!("whether sink {} holds key {}", facts.spec.deliver_to, id(key))
}

/// The table without a look into the sink: it is taken to hold the one key that is marked as delivered.
fn unlooked<'a>(
    facts: &Facts<'a>,
    here: &[&'a Key],
    others: Vec<&'a Key>,
    life: impl Fn(&Key) -> Life,
    strangers: &[&Key],
) -> Result<Judgement<'a>, Stop> {
    let with = |letter| here.iter().copied().filter(move |key| key.marker.as_ref().is_some_and(|m| m.letter == letter));
    if let Some(busy) = with(Letter::Undelivered).find(|key| life(key) == Life::Alive) {
        return Err(busy_with(busy));
    }
    let delivered: Vec<&Key> = with(Letter::Delivered).collect();
    let undelivered = with(Letter::Undelivered).count();
    // Of several, nobody has looked which one it is.
    let good = match delivered.as_slice() {
        [one] => Some(*one),
        [] | [_, _, ..] => None,
    };
    if here.is_empty() && !strangers.is_empty() {
        return Err(unmarked(strangers));
    }
    let sink = &facts.spec.deliver_to;
    let mut unseen: Vec<String> = with(Letter::Undelivered)
        .map(|key| format!("whether sink {sink} holds key {}, which was made and not marked as delivered", id(key)))
        .collect();
    match delivered.as_slice() {
        [] => {}
        [one] => unseen.push(self::unseen(facts, one)),
        several => {
            let ids: Vec<String> = several.iter().map(|key| id(key).to_string()).collect();
            unseen.push(format!("which of the keys {} sink {sink} holds", ids.join(", ")));
        }
    }
    let mint = match (good, facts.replace, undelivered) {
        (Some(good), true, 0) => Some(WhyMint::Replaced { key_id: good.public_key.clone() }),
        (_, true, _) if !here.is_empty() => {
            unseen.push(format!("which key in sink {sink} --replace is about"));
            None
        }
        (Some(_) | None, _, _) => here.is_empty().then_some(WhyMint::Missing),
    };
    let left = others.into_iter().map(|key| (key, ELSEWHERE)).collect();
    let (freed, reclaim, asked) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Judgement { good, mark: false, mint, freed, reclaim, asked, unseen, left })
}

/// The sink's entry, if it is one of this key.
fn entry_of<'a>(facts: &Facts<'a>) -> Result<Option<&'a SinkEntry>, Stop> {
    store::not_tracked(facts.sink, facts.address).map_err(Stop::Refuse)?;
    let entry = match &facts.sink.entry {
        None | Some(Observed::Absent) => return Ok(None),
        Some(Observed::Unreadable(unreadable)) => return Err(Stop::Refuse(unreadable.into())),
        Some(Observed::Present(entry)) => entry,
    };
    if let Some(refusal) = facts.ledger.and_then(|ledger| foreign_entry(entry, ledger)) {
        return Err(Stop::Refuse(refusal));
    }
    let of_record = facts.record.is_some_and(|record| record.uid == entry.uid);
    if !of_record || Some(&entry.key) != facts.address.key.as_ref() {
        let held = Untrusted::from(entry.key_id.as_str());
        return Err(refuse(
            Code::SinkRefuses,
            format!("its place in sink {} holds key {held} of another record", facts.spec.deliver_to),
            "move that secret away, or deliver this key to another sink",
        ));
    }
    Ok(Some(entry))
}

fn good_key<'a>(
    facts: &Facts<'a>,
    keys: &'a BTreeMap<String, Key>,
    entry: Option<&SinkEntry>,
) -> Result<Option<&'a Key>, Stop> {
    let Some(entry) = entry else { return Ok(None) };
    // The vendor's documents write ids in either case.
    let listed = keys.values().find(|key| key.public_key.eq_ignore_ascii_case(&entry.key_id));
    match (listed, facts.tenant.looked_up.get(&entry.key_id)) {
        // A list may be stale in either direction; a GET on the key is not.
        (_, Some(Observed::Present(key))) | (Some(key), None) => Ok(Some(key)),
        (_, Some(Observed::Absent)) => Ok(None),
        (_, Some(Observed::Unreadable(unreadable))) => Err(Stop::Refuse(unreadable.into())),
        (None, None) => {
            let held = Untrusted::from(entry.key_id.as_str());
            Err(refuse(
                Code::Unreadable,
                format!("key {held} of the sink is not in the tenant's list, and was not read by itself"),
                "plan again",
            ))
        }
    }
}

fn why_first(facts: &Facts, entry: Option<&SinkEntry>, leftovers: &[&Key]) -> WhyMint {
    if facts.remint {
        return WhyMint::Asked;
    }
    match (entry, leftovers.first()) {
        (Some(entry), _) => WhyMint::Dead { key_id: entry.key_id.clone(), state: "deleted".to_owned() },
        (None, Some(leftover)) => WhyMint::Supersede { key_id: leftover.public_key.clone() },
        (None, None) => WhyMint::Missing,
    }
}

fn busy_with(key: &Key) -> Stop {
    let run = key.marker.as_ref().map(|marker| marker.nonce.run().to_string());
    Stop::Wait(Wait { run, why: "another run made a key for it and may still deliver it".into() })
}

fn delivered_elsewhere(facts: &Facts, key: &Key) -> Stop {
    let (how, back) = store::deletion(facts.sink);
    Stop::Refuse(
        Refusal::new(
            Code::DeliveredElsewhere,
            format!("key {} was delivered, lives, and is not in sink {} any more{how}", id(key), facts.spec.deliver_to),
            back.unwrap_or_else(|| "restore the secret to its sink, if somebody moved it".to_owned()),
        )
        .or(format!("qlik-apply --remint {}   (makes and delivers another; this one stays)", facts.address))
        .or(format!("qlik-apply --reclaim {}   (nobody uses it: deletes it)", id(key))),
    )
}

fn cannot_be_revoked(facts: &Facts, key: &Key, hidden: bool) -> Stop {
    let why = if hidden {
        "was made for a sink of which every machine has its own, and may be in use on another machine"
    } else {
        "was made by a run whose end is not proven, and may still arrive in the sink"
    };
    Stop::Refuse(
        Refusal::new(
            Code::LeftoverKey,
            format!("key {} {why}; it does not expire", id(key)),
            format!("qlik-apply --reclaim {}   (that run's machine is gone, and nobody uses the key)", id(key)),
        )
        .or(format!("or wait until that run has ended, then plan again ({})", facts.address)),
    )
}

/// Of a leftover and a delivered key nobody can tell which came later, and so which of them the sink holds.
fn cannot_be_seen(facts: &Facts, key: &Key) -> Stop {
    let sink = &facts.spec.deliver_to;
    Stop::Refuse(
        Refusal::new(
            Code::LeftoverKey,
            format!(
                "key {} was made and not marked as delivered, sink {sink} cannot be looked into, and the key does not expire",
                id(key)
            ),
            format!("qlik-apply --reclaim {}   (another key is in the sink, and nobody uses this one)", id(key)),
        )
        .or(format!("qlik-apply --remint {}   (it may be the one in the sink: makes and delivers another, then deletes it)", facts.address))
        .or(format!("give the sink a check: (sinks.{sink} in settings), and it is looked at")),
    )
}

/// Neither sink nor vendor would tell the next run that the key was delivered, so each would make another.
fn never_known(facts: &Facts<'_>) -> Stop {
    let sink = &facts.spec.deliver_to;
    Stop::Refuse(
        Refusal::new(
            Code::SinkRefuses,
            format!(
                "sink {sink} cannot be looked into, and the vendor does not let this account's keys be marked: no later run could \
                 tell whether the key is there"
            ),
            format!("give the sink a check: (sinks.{sink} in settings), or deliver the key to a sink that can be read"),
        )
        .or("or ask the vendor to let the account's keys be changed"),
    )
}

fn unmarked(strangers: &[&Key]) -> Stop {
    const RENAME: &str = "if it is another: give this key another name, or delete that one";
    match strangers {
        [key] => Stop::Refuse(
            Refusal::new(
                Code::UnmarkedKey,
                format!("key {} has the same name and carries no marker of this ledger", id(key)),
                format!(
                    "if it is the one that is meant, declare it so: adopt: {{ public_key: {} }} (its private key stays where it is)",
                    id(key)
                ),
            )
            .or(RENAME),
        ),
        several => {
            let ids: Vec<String> = several.iter().map(|key| id(key).to_string()).collect();
            Stop::Refuse(
                Refusal::new(
                    Code::SeveralKeys,
                    format!("{} keys have the same name and no marker of this ledger: {}", several.len(), ids.join(", ")),
                    "say which of them it is: adopt: { public_key: KEY }",
                )
                .or(RENAME),
            )
        }
    }
}

fn id(key: &Key) -> String {
    escape(&key.public_key)
}
