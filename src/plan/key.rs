//! The decision table for one key whose tenant exists: which of the live keys is it, and what is to be done about the others.
//!
//! The delivery is the fence: a leftover is revoked only after another key was delivered over it, and only where nothing can
//! bring it back. The same table, in small, is what the project's protocol checks explored exhaustively.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::desired::SinkFacts;
use crate::model::live::{KeyLive, LedgerFacts, Observed, SinkEntry, SinkLive, TenantLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;
use crate::model::run::Life;
use crate::model::spec::QlikKey;
use crate::model::untrusted::Untrusted;
use crate::model::weak::{Weak, Weakness};

use super::action::{Action, Wait, WhyMint, remaining};
use super::leftover::{Fate, Proofs, SPARED, elsewhere, superseded, why_kept};
use super::refusal::{Code, Refusal};
use super::store;

/// What is known of one key before a decision.
pub(crate) struct Facts<'a> {
    pub(crate) address: &'a Address,
    pub(crate) spec: &'a QlikKey,
    /// `None`: there is no ledger yet.
    pub(crate) ledger: Option<&'a LedgerFacts>,
    /// `None`: an adopted tenant that no run has recorded yet, so no marker can be its.
    pub(crate) record: Option<&'a Record>,
    pub(crate) tenant: &'a TenantLive,
    pub(crate) sink: &'a SinkLive,
    pub(crate) sink_facts: &'a SinkFacts,
    pub(crate) remint: bool,
    pub(crate) replace: bool,
    pub(crate) now: Timestamp,
    pub(crate) weak: Weak,
}

/// What is to be done about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement<'a> {
    /// The key in the sink, live.
    pub(crate) good: Option<&'a KeyLive>,
    /// The good key is in the sink and not marked so.
    pub(crate) mark: bool,
    pub(crate) mint: Option<Mint>,
    /// Overtaken leftovers: revoked whatever else happens.
    pub(crate) freed: Vec<&'a KeyLive>,
    /// Revoked once a successor was delivered, in this order.
    pub(crate) reclaim: Vec<&'a KeyLive>,
    /// What only a look into the sink can decide.
    pub(crate) unseen: Vec<String>,
    /// Named, and left to expire: something may still bring them back, or a person may use them, or they are for another sink.
    pub(crate) left: Vec<(&'a KeyLive, &'static str)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mint {
    First(WhyMint),
    Renewal { key_id: String, expires: Timestamp },
}

/// Why nothing is done about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Wait(Wait),
    Refuse(Refusal),
}

impl Stop {
    /// Whether its words name a key.
    pub(super) fn names(&self, key_id: &str) -> bool {
        match self {
            Self::Wait(wait) => wait.why.contains(key_id),
            Self::Refuse(refusal) => refusal.why.raw().contains(key_id),
        }
    }
}

impl From<Stop> for Action {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Wait(wait) => Self::Wait(wait),
            Stop::Refuse(refusal) => Self::Refuse(refusal),
        }
    }
}

/// The decision table.
pub(crate) fn judge<'a>(facts: &Facts<'a>) -> Result<Judgement<'a>, Stop> {
    let keys = match &facts.tenant.keys {
        Some(Observed::Present(keys)) => keys,
        Some(Observed::Unreadable(unreadable)) => return Err(Stop::Refuse(unreadable.into())),
        Some(Observed::Absent) | None => {
            return Err(refuse(Code::Unreadable, "the tenant's keys were not read", "plan again"));
        }
    };
    let entry = entry_of(facts)?;
    let owner = facts.tenant.caller(&facts.spec.owner).and_then(Observed::present).map(|caller| &caller.user_id);
    let owner = owner.or(entry.map(|entry| &entry.owner));

    let name = facts.address.key.as_ref().unwrap_or(&facts.address.tenant);
    let uid = facts.record.map(|record| KeyUid::of(&record.uid, name));
    let live = || keys.values().filter(|key| key.is_live(facts.now));
    let of_this_ledger =
        |key: &KeyLive| key.marker.as_ref().zip(facts.ledger).is_some_and(|(marker, ledger)| marker.is_of(&ledger.id));
    let of_this_key = |key: &KeyLive| {
        of_this_ledger(key) && key.marker.as_ref().zip(uid.as_ref()).is_some_and(|(marker, uid)| marker.uid == *uid)
    };
    if owner.is_none()
        && let Some(key) = live().find(|key| of_this_key(key))
    {
        return Err(whose(facts, key));
    }
    let by_us = |key: &KeyLive| owner.is_none_or(|owner| key.created_by == *owner);
    let marked: Vec<&KeyLive> = live().filter(|key| of_this_key(key) && by_us(key)).collect();
    let here = |key: &KeyLive| key.marker.as_ref().is_some_and(|marker| marker.sink == facts.sink_facts.hash);
    let letter = |key: &KeyLive| key.marker.as_ref().map(|marker| marker.letter);
    let is_stranger = |key: &KeyLive| key.text.raw() == facts.spec.description && !(of_this_ledger(key) && by_us(key));
    let life = |key: &KeyLive| match key.marker.as_ref().zip(facts.ledger) {
        Some((marker, ledger)) => ledger.life_of_short(&marker.nonce.run()),
        None => Life::Proven,
    };

    let blind = facts.sink_facts.blind;
    if facts.sink.entry.is_none() && !blind {
        let here: Vec<&KeyLive> = marked.iter().copied().filter(|key| here(key)).collect();
        let elsewhere = marked.iter().copied().filter(|key| !here.iter().any(|one| one.id == key.id)).collect();
        return unlooked(facts, &here, elsewhere, life, live().find(|key| is_stranger(key)));
    }
    // What nobody can look into is taken to hold the newest key that was delivered there.
    let newest = |key: &&KeyLive| (key.created, key.id.clone());
    let good = match blind {
        true => marked.iter().copied().filter(|k| here(k) && letter(k) == Some(Letter::Delivered)).max_by_key(newest),
        false => good_key(facts, keys, entry)?,
    };
    let is_good = |key: &KeyLive| good.is_some_and(|good| good.id == key.id);
    let others: Vec<&KeyLive> = marked.iter().copied().filter(|key| here(key) && !is_good(key)).collect();
    let looked_for = !facts.weak.is(Weakness::NoRecovery);
    let leftovers: Vec<&KeyLive> =
        others.iter().copied().filter(|key| letter(key) == Some(Letter::Undelivered)).filter(|_| looked_for).collect();
    let in_flight = facts.weak.is(Weakness::RevokeInFlight);
    if let Some(busy) = leftovers.iter().find(|key| life(key) == Life::Alive && !in_flight) {
        return Err(busy_with(busy));
    }
    let missing: Vec<&KeyLive> = if good.is_none() {
        others.iter().copied().filter(|key| letter(key) == Some(Letter::Delivered)).collect()
    } else {
        Vec::new()
    };
    if let (Some(first), false) = (missing.first(), facts.remint) {
        return Err(delivered_elsewhere(facts, first));
    }

    if good.is_none()
        && marked.is_empty()
        && !facts.remint
        && let Some(key) = live().find(|key| is_stranger(key))
    {
        return Err(unmarked(key));
    }

    let sink = facts.sink_facts;
    let fate = |key: &KeyLive| {
        let proofs = Proofs::of(&key.id, entry.filter(|_| good.is_some()), sink, life(key), facts.weak);
        let Some(good) = good else { return Proofs { here_is_all: false, ..proofs }.fate() };
        let later = good.created > key.created;
        let moved_on = later && sink.compares_versions && !facts.weak.is(Weakness::NeverOvertaken);
        Proofs { moved_on, later: later && !facts.weak.is(Weakness::LaterSparesNothing), ..proofs }.fate()
    };
    let mint = match (good, due(facts, good)) {
        (None, _) => Some(Mint::First(why_first(facts, entry, &leftovers))),
        (Some(good), _) if facts.replace => {
            if letter(good) == Some(Letter::Undelivered) {
                return Err(not_marked(facts.address, &Untrusted::from(good.id.as_str())));
            }
            Some(Mint::First(WhyMint::Replaced { key_id: good.id.clone() }))
        }
        (Some(_), Some((good, expires))) => Some(Mint::Renewal { key_id: good.id.clone(), expires }),
        (Some(_), None) => leftovers
            .iter()
            .find(|key| fate(key) == Fate::Superseded)
            .map(|key| Mint::First(WhyMint::Supersede { key_id: key.id.clone() })),
    };
    let mut left: Vec<(&KeyLive, &'static str)> = Vec::new();
    let (mut freed, mut reclaim) = (Vec::new(), Vec::new());
    for key in leftovers {
        match fate(key) {
            Fate::Freed => freed.push(key),
            Fate::Superseded => reclaim.push(key),
            Fate::Spared if mint.is_some() => reclaim.push(key),
            Fate::Spared => left.push((key, SPARED)),
            Fate::Kept => left.push((key, why_kept(sink))),
        }
    }
    // They were delivered: a person may use one, and only a person can tell.
    left.extend(missing.into_iter().map(|key| (key, "it was delivered; revoke it in the tenant if nobody uses it")));
    if !facts.weak.is(Weakness::Unnamed) {
        let delivered = |key: &&KeyLive| good.is_some() && letter(key) == Some(Letter::Delivered);
        left.extend(others.iter().copied().filter(delivered).map(|key| (key, superseded(blind))));
        left.extend(marked.iter().copied().filter(|key| !here(key) && !is_good(key)).map(|key| (key, elsewhere(sink))));
    }
    let mark = good.is_some_and(|good| {
        letter(good) == Some(Letter::Undelivered) && of_this_key(good) && by_us(good) && life(good) != Life::Alive
    });
    let unseen = good.filter(|_| blind).map(|good| unseen(facts, good)).into_iter().collect();
    Ok(Judgement { good, mark, mint, freed, reclaim, unseen, left })
}

fn unseen(facts: &Facts<'_>, key: &KeyLive) -> String {
    format!("whether sink {} holds key {}", facts.spec.deliver_to, Untrusted::from(key.id.as_str()))
}

/// The table without a look into the sink: it is taken to hold the newest key that is marked as delivered. Whatever would need
/// the look is said, and left to an apply, which looks.
fn unlooked<'a>(
    facts: &Facts<'a>,
    here: &[&'a KeyLive],
    others: Vec<&'a KeyLive>,
    life: impl Fn(&KeyLive) -> Life,
    stranger: Option<&KeyLive>,
) -> Result<Judgement<'a>, Stop> {
    let with = |letter| here.iter().copied().filter(move |key| key.marker.as_ref().is_some_and(|m| m.letter == letter));
    if let Some(busy) = with(Letter::Undelivered).find(|key| life(key) == Life::Alive) {
        return Err(busy_with(busy));
    }
    let good = with(Letter::Delivered).max_by_key(|key| (key.created, key.id.as_str()));
    let undelivered: Vec<&KeyLive> = with(Letter::Undelivered).collect();
    if let (None, true, Some(stranger)) = (good, here.is_empty(), stranger) {
        return Err(unmarked(stranger));
    }
    let sink = &facts.spec.deliver_to;
    let mut unseen: Vec<String> = undelivered
        .iter()
        .map(|key| {
            let id = Untrusted::from(key.id.as_str());
            format!("whether sink {sink} holds key {id}, which was minted and not marked as delivered")
        })
        .collect();
    unseen.extend(good.map(|good| format!("whether sink {sink} holds key {}", Untrusted::from(good.id.as_str()))));
    if facts.replace && !undelivered.is_empty() {
        unseen.push(format!("which key in sink {sink} --replace is about"));
    }
    let mint = match (due(facts, good), good, undelivered.is_empty()) {
        (_, Some(good), true) if facts.replace => Some(Mint::First(WhyMint::Replaced { key_id: good.id.clone() })),
        (Some((good, expires)), _, true) => Some(Mint::Renewal { key_id: good.id.clone(), expires }),
        (None, None, true) => Some(Mint::First(WhyMint::Missing)),
        (None, Some(_), _) | (_, _, false) => None,
    };
    let older = with(Letter::Delivered).filter(|key| good.is_some_and(|good| good.id != key.id));
    let mut left: Vec<(&KeyLive, &'static str)> = older.map(|key| (key, superseded(true))).collect();
    left.extend(others.into_iter().map(|key| (key, elsewhere(facts.sink_facts))));
    Ok(Judgement { good, mark: false, mint, freed: Vec::new(), reclaim: Vec::new(), unseen, left })
}

fn due<'a>(facts: &Facts, good: Option<&'a KeyLive>) -> Option<(&'a KeyLive, Timestamp)> {
    let (good, expiry) = good.and_then(|good| good.expiry.map(|expiry| (good, expiry)))?;
    (remaining(facts.now, expiry) <= facts.spec.renew_before).then_some((good, expiry))
}

fn busy_with(key: &KeyLive) -> Stop {
    let run = key.marker.as_ref().map(|marker| marker.nonce.run().to_string());
    Stop::Wait(Wait { run, why: "another run minted a key for it and may still deliver it".into() })
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
        return Err(refuse(
            Code::SinkRefuses,
            format!("its place in sink {} holds key {} of another record", facts.spec.deliver_to, entry_key(entry)),
            "move that secret away, or deliver this key to another sink",
        ));
    }
    Ok(Some(entry))
}

/// The refusal of an entry that another ledger's run left.
pub(super) fn foreign_entry(entry: &SinkEntry, ledger: &LedgerFacts) -> Option<Refusal> {
    (entry.ledger != ledger.id).then(|| {
        Refusal::new(
            Code::ForeignLedger,
            format!(
                "its sink holds a key that ledger {} delivered, and this is ledger {}",
                entry.ledger.short(),
                ledger.id.short()
            ),
            format!("restore ledger {}… to {} (from its backup)", entry.ledger.short(), ledger.place),
        )
        .or("if that estate is given up: move the old secrets out of the sink; its keys are left to expire")
    })
}

fn good_key<'a>(
    facts: &Facts<'a>,
    keys: &'a BTreeMap<String, KeyLive>,
    entry: Option<&SinkEntry>,
) -> Result<Option<&'a KeyLive>, Stop> {
    let Some(entry) = entry else { return Ok(None) };
    let found = match (keys.get(&entry.key_id), facts.tenant.looked_up.get(&entry.key_id)) {
        // A list may be stale in either direction; a GET on the id is not.
        (_, Some(Observed::Present(key))) | (Some(key), None) => Some(key),
        (_, Some(Observed::Absent)) => None,
        (_, Some(Observed::Unreadable(unreadable))) => return Err(Stop::Refuse(unreadable.into())),
        (None, None) => {
            return Err(refuse(
                Code::Unreadable,
                format!("key {} of the sink is not in the tenant's list, and was not read by itself", entry_key(entry)),
                "plan again",
            ));
        }
    };
    Ok(found.filter(|key| key.is_live(facts.now)))
}

fn why_first(facts: &Facts, entry: Option<&SinkEntry>, leftovers: &[&KeyLive]) -> WhyMint {
    if facts.remint {
        return WhyMint::Asked;
    }
    match (entry, leftovers.first()) {
        (Some(entry), _) => {
            let expired = entry.expiry.is_some_and(|expiry| expiry <= facts.now);
            let state = if expired { "expired" } else { "revoked or deleted" };
            WhyMint::Dead { key_id: entry.key_id.clone(), state: state.to_owned() }
        }
        (None, Some(leftover)) => WhyMint::Supersede { key_id: leftover.id.clone() },
        (None, None) => WhyMint::Missing,
    }
}

fn whose(facts: &Facts, key: &KeyLive) -> Stop {
    match (facts.tenant.caller(&facts.spec.owner), facts.spec.owner.user()) {
        (Some(Observed::Unreadable(unreadable)), _) => Stop::Refuse(unreadable.into()),
        (Some(Observed::Absent), Some(user)) => Stop::Refuse(
            Refusal::new(
                Code::OwnerChanged,
                format!(
                    "key {} with our marker lives and belongs to user {}, and the declared owner ({user}) is not there",
                    Untrusted::from(key.id.as_str()),
                    key.sub
                ),
                "declare the owner again that it has",
            )
            .or("or declare the key under another name; this one is left to expire"),
        ),
        (Some(Observed::Absent | Observed::Present(_)) | None, _) => refuse(
            Code::Unreadable,
            "a key with our marker lives, and its owner could not be asked whether it is ours",
            "trust the account's key client in the tenant again (oauth-clients, connection-configs), then plan again",
        ),
    }
}

fn delivered_elsewhere(facts: &Facts, key: &KeyLive) -> Stop {
    let id = Untrusted::from(key.id.as_str());
    let (how, back) = store::deletion(facts.sink);
    let why = format!("key {id} was delivered, lives, and is not in sink {} any more{how}", facts.spec.deliver_to);
    let back = back.unwrap_or_else(|| "restore the secret to its sink, if somebody moved it".to_owned());
    let remint =
        format!("qlik-apply --remint {}   (mints and delivers another; this one is left to expire)", facts.address);
    Stop::Refuse(Refusal::new(Code::DeliveredElsewhere, why, back).or(remint))
}

fn unmarked(key: &KeyLive) -> Stop {
    let id = Untrusted::from(key.id.as_str());
    Stop::Refuse(
        Refusal::new(
            Code::UnmarkedKey,
            format!("key {id} has the same description, lives, and carries no marker of this ledger"),
            format!("if it is the one that is meant, declare it so: adopt: {{ key_id: {id} }} (its secret stays where it is)"),
        )
        .or("if it is another: give this key another description, or revoke that one"),
    )
}

/// Once another key is in its place, it would be taken for a leftover and revoked, though somebody may still use it.
pub(super) fn not_marked(address: &Address, id: &impl std::fmt::Display) -> Stop {
    refuse(
        Code::MarkMissing,
        format!(
            "key {id} is in the sink and not marked as delivered yet, so once it is replaced nobody could tell that it may be in use"
        ),
        format!(
            "qlik-apply without --replace: it marks the key once the run that made it is over; then --replace {address} again"
        ),
    )
}

fn entry_key(entry: &SinkEntry) -> Untrusted {
    Untrusted::from(entry.key_id.as_str())
}

pub(super) fn refuse(code: Code, why: impl Into<String>, next: impl Into<String>) -> Stop {
    Stop::Refuse(Refusal::new(code, why, next))
}
