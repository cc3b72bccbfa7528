//! The decision table for one key whose tenant exists, at either vendor: which of the live keys is it, and what is to be done about
//! the others.
//!
//! The delivery is the fence: a leftover is revoked only after another key was delivered over it, and only where nothing can
//! bring it back. The same table, in small, is what the project's protocol checks explored exhaustively. In what vendors differ
//! is a [`Policy`].

mod candidate;
mod policy;
mod question;
mod refusals;

use jiff::Timestamp;

use crate::model::live::SinkEntry;
use crate::model::marker::Letter;
use crate::model::run::Life;

use super::action::{WhyMint, remaining};
use super::leftover::{Fate, Proofs, SPARED, why_kept};
use super::stop::Stop;

pub(crate) use candidate::Candidate;
pub(crate) use policy::{IMBURSE, Policy, QLIK};
pub(crate) use question::{Question, Whose};

/// The decision about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement<'a, K> {
    /// The key in the sink, live.
    pub(crate) good: Option<&'a K>,
    /// The good key is in the sink and not marked so.
    pub(crate) mark: bool,
    pub(crate) mint: Option<Mint>,
    /// Overtaken leftovers: revoked whatever else happens.
    pub(crate) freed: Vec<&'a K>,
    /// Revoked once a successor was delivered, in this order.
    pub(crate) reclaim: Vec<&'a K>,
    /// Revoked because a person said so.
    pub(crate) asked: Vec<&'a K>,
    /// The questions that only a look into the sink can answer.
    pub(crate) unseen: Vec<String>,
    /// In one of several sinks, or replaced there: somebody may use them. A successor's metadata names them.
    pub(crate) replaces: Vec<&'a K>,
    /// Named, and left alone: something may still bring them back, or a person may use them, or they are for another sink.
    pub(crate) left: Vec<(&'a K, &'static str)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mint {
    First(WhyMint),
    Renewal { key_id: String, expires: Timestamp },
}

impl<K> Judgement<'_, K> {
    /// Decides for a key whose tenant is still to be made.
    pub(crate) fn first() -> Self {
        Self { mint: Some(Mint::First(WhyMint::Missing)), ..Self::nothing() }
    }

    fn nothing() -> Self {
        Self {
            good: None,
            mark: false,
            mint: None,
            freed: Vec::new(),
            reclaim: Vec::new(),
            asked: Vec::new(),
            unseen: Vec::new(),
            replaces: Vec::new(),
            left: Vec::new(),
        }
    }
}

/// The decision table.
pub(crate) fn judge<'a, K: Candidate>(question: &Question<'a, K>) -> Result<Judgement<'a, K>, Stop> {
    let (policy, sink) = (question.policy, &question.sink_facts);
    let keys = question.keys()?;
    let entry = question.entry()?;
    let owner = question.caller.or(entry.map(|entry| &entry.owner));
    let live = || keys.values().filter(|key| key.is_live(question.now));
    if let (None, Some(whose)) = (owner, &question.whose)
        && let Some(key) = live().find(|key| question.is_of_this_key(key))
    {
        return Err(whose(key));
    }
    let by_us = |key: &K| owner.zip(key.created_by()).is_none_or(|(owner, by)| by == owner);
    let marked: Vec<&K> = live().filter(|key| question.is_of_this_key(key) && by_us(key)).collect();
    let is_stranger = |key: &K| key.text().raw() == question.text && !(question.is_of_this_ledger(key) && by_us(key));
    let strangers: Vec<&K> = live().filter(|key| is_stranger(key)).collect();
    let here = |key: &K| key.is_for(&sink.hash);

    // A live state may have been taken by somebody who could look. What a sink is known to hold is never guessed.
    let blind = sink.blind && question.sink.entry.is_none();
    if question.sink.entry.is_none() && !blind {
        return unlooked(question, &marked, &strangers);
    }
    let good = match blind {
        true => likely(question, &marked),
        false => question.held(entry)?.filter(|key| !question.is_half_seen(*key)),
    };
    let is_good = |key: &K| good.is_some_and(|good| good.id() == key.id());
    let is_asked = |key: &K| question.is_asked(key);
    let others = || marked.iter().copied().filter(|key| here(key) && !is_good(key) && !is_asked(key));
    let with = |letter| others().filter(move |key| key.letter() == Some(letter));
    let leftovers: Vec<&K> = with(Letter::Undelivered).collect();
    if let Some(busy) = leftovers.iter().find(|key| question.life(*key) == Life::Alive) {
        return Err(refusals::busy_with(policy, *busy));
    }
    let delivered: Vec<&K> = with(Letter::Delivered).collect();
    // A run that is over put a key into one of several sinks, and not into all.
    let begun = good.is_none() && leftovers.iter().any(|key| question.is_in_one(key));
    if question.deliver_to.are_several() && (begun || blind) && !question.remint {
        let proven = leftovers.iter().copied().filter(|key| question.life(*key) == Life::Proven);
        if let [first, second, ..] = newer(question, &marked, proven).as_slice() {
            return Err(refusals::not_in_all(question, first, second));
        }
    }
    if let (None, Some(first), false, false) = (good, delivered.first(), question.remint, begun) {
        return Err(refusals::delivered_elsewhere(question, first));
    }
    if good.is_none() && marked.is_empty() && !question.remint && !strangers.is_empty() {
        return Err(refusals::unmarked(policy, &strangers));
    }

    let (replaces, leftovers): (Vec<&K>, Vec<&K>) =
        leftovers.into_iter().partition(|key| question.is_in_one(key) || question.was_in_one(key));
    let fates: Vec<(&K, Fate)> = leftovers.iter().map(|key| (*key, fate(question, entry, good, key))).collect();
    let of = |fate: Fate| fates.iter().filter(move |(_, one)| *one == fate).map(|(key, _)| *key);
    // Where keys have no end, a person is asked about each that cannot be revoked, and about each that nobody can see beside a
    // good one: it may be the very key in the sink. Then a person may have another delivered over it first.
    let over_it = (blind || sink.half_blind) && question.remint;
    if !policy.ends && !over_it {
        if let Some(key) = of(Fate::Kept).next() {
            return Err(refusals::cannot_be_revoked(question, key));
        }
        if let (true, Some(_), Some(key)) = (blind, good, leftovers.first()) {
            return Err(refusals::cannot_be_seen(question, key));
        }
    }
    let superseded = of(Fate::Superseded).next().or_else(|| of(Fate::Kept).next().filter(|_| !policy.ends));
    let mint = match (good, due(question, good), superseded) {
        (None, _, _) => {
            let entry = entry.filter(|_| replaces.is_empty());
            Some(Mint::First(why_first(question, entry, replaces.first().or(leftovers.first()))))
        }
        (Some(good), _, _) if question.replace => {
            refusals::may_be_replaced(question, good)?;
            Some(Mint::First(WhyMint::Replaced { key_id: good.id().to_owned() }))
        }
        (Some(_), Some((good, expires)), _) => Some(Mint::Renewal { key_id: good.id().to_owned(), expires }),
        (Some(_), None, Some(leftover)) => Some(Mint::First(WhyMint::Supersede { key_id: leftover.id().to_owned() })),
        (Some(_), None, None) => None,
    };
    let asked: Vec<&K> = marked.iter().copied().filter(|key| is_asked(key) && !is_good(key)).collect();
    if mint.is_some() && (blind || sink.half_blind) && question.never_marked {
        return match asked.is_empty() {
            true => Err(refusals::never_known(question)),
            // First what a person gave up; no successor is made, so nothing else goes.
            false => Ok(Judgement { good, asked, ..Judgement::nothing() }),
        };
    }
    let (mut freed, mut reclaim, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for (key, fate) in fates {
        match fate {
            Fate::Freed => freed.push(key),
            Fate::Superseded => reclaim.push(key),
            Fate::Spared if mint.is_some() => reclaim.push(key),
            Fate::Spared => left.push((key, SPARED)),
            Fate::Kept => left.push((key, why_kept(sink))),
        }
    }
    left.extend(replaces.iter().map(|key| (*key, policy.why_replaced(good.is_none()))));
    // They were delivered: a person may use one, and only a person can tell.
    left.extend(delivered.into_iter().map(|key| match question.is_in_one(key) {
        true => (key, policy.why_replaced(true)),
        false => (key, policy.why_delivered(good.is_some(), blind)),
    }));
    let elsewhere = marked.iter().copied().filter(|key| !here(key) && !is_good(key) && !is_asked(key));
    left.extend(elsewhere.map(|key| (key, policy.why_elsewhere(sink.hidden))));
    let mark = good.is_some_and(|good| {
        good.letter() == Some(Letter::Undelivered)
            && question.is_of_this_key(good)
            && by_us(good)
            && question.life(good) != Life::Alive
            && !question.never_marked
    });
    let unseen = good.filter(|_| blind).map(|good| unseen(question, good)).into_iter().collect();
    Ok(Judgement { good, mark, mint, freed, reclaim, asked, unseen, replaces, left })
}

/// Returns the key that a sink is taken to hold which nobody can look into: one that was delivered there and that
/// nobody has given up. It is the newest, or, where nobody knows the newest, any.
fn likely<'a, K: Candidate>(question: &Question<'a, K>, marked: &[&'a K]) -> Option<&'a K> {
    let hash = &question.sink_facts.hash;
    let mut likely = marked
        .iter()
        .copied()
        .filter(|key| key.is_for(hash) && key.letter() == Some(Letter::Delivered) && !question.is_asked(key));
    match question.policy.ages {
        true => likely.max_by_key(|key| (key.created(), key.id())),
        false => likely.next(),
    }
}

/// Returns those of these keys that are newer than every delivered one for these sinks, as far as the vendor tells.
fn newer<'a, K: Candidate>(
    question: &Question<'a, K>,
    marked: &[&'a K],
    keys: impl Iterator<Item = &'a K>,
) -> Vec<&'a K> {
    let here = |key: &&K| key.is_for(&question.sink_facts.hash) && key.letter() == Some(Letter::Delivered);
    let newest = marked.iter().copied().filter(here).filter_map(Candidate::created).max();
    keys.filter(|key| !question.policy.ages || key.created() > newest).collect()
}

/// Decides about a leftover beside the key in the sink.
fn fate<K: Candidate>(question: &Question<'_, K>, entry: Option<&SinkEntry>, good: Option<&K>, key: &K) -> Fate {
    let sink = &question.sink_facts;
    let proofs = Proofs::of(key.id(), entry.filter(|_| good.is_some()), sink, question.life(key));
    let Some(good) = good else { return Proofs { here_is_all: false, ..proofs }.fate() };
    let later = question.policy.ages && good.created() > key.created();
    let moved_on = match question.policy.ages {
        true => later && sink.compares_versions,
        // Its put was made for what the sink held then, and the sink has gone on: it is refused, however late it comes. The number
        // is of a place, and a renamed tenant's keys have another.
        false => {
            let over = key.marker().and_then(|marker| marker.over);
            let stayed = question.record.is_some_and(|record| record.formerly.is_empty());
            stayed && over.zip(question.sink.number).is_some_and(|(over, number)| over < number)
        }
    };
    Proofs { moved_on, later, ..proofs }.fate()
}

/// The table without a look into the sink: it is taken to hold the newest key that is marked as delivered, or, where nobody
/// knows the newest, the only one. Whatever would need the look is said, and left to an apply, which looks.
fn unlooked<'a, K: Candidate>(
    question: &Question<'a, K>,
    marked: &[&'a K],
    strangers: &[&K],
) -> Result<Judgement<'a, K>, Stop> {
    let (policy, sink) = (question.policy, question.deliver_to.named());
    let (here, others): (Vec<&K>, Vec<&K>) =
        marked.iter().copied().partition(|key| key.is_for(&question.sink_facts.hash));
    let with = |letter| here.iter().copied().filter(move |key| key.letter() == Some(letter));
    if let Some(busy) = with(Letter::Undelivered).find(|key| question.life(key) == Life::Alive) {
        return Err(refusals::busy_with(policy, busy));
    }
    if here.is_empty() && !strangers.is_empty() {
        return Err(refusals::unmarked(policy, strangers));
    }
    let delivered: Vec<&K> = with(Letter::Delivered).collect();
    let good = match (policy.ages, delivered.as_slice()) {
        (true, several) => several.iter().copied().max_by_key(|key| (key.created(), key.id())),
        (false, [one]) => Some(*one),
        (false, [] | [_, _, ..]) => None,
    };
    let undelivered: Vec<&K> = with(Letter::Undelivered).collect();
    let not_marked = |key: &&K| {
        format!("whether {sink} holds key {}, which was {} and not marked as delivered", key.shown(), policy.made)
    };
    let mut unseen: Vec<String> = undelivered.iter().map(not_marked).collect();
    match (good, delivered.as_slice()) {
        (None, []) => {}
        (Some(good), _) => unseen.push(self::unseen(question, good)),
        (None, several) => {
            let ids: Vec<String> = several.iter().map(|key| key.shown().to_string()).collect();
            unseen.push(format!("which of the keys {} {sink} holds", ids.join(", ")));
        }
    }
    let is_clear = undelivered.is_empty();
    let mint = match (good, due(question, good)) {
        (Some(good), _) if is_clear && question.replace => {
            Some(Mint::First(WhyMint::Replaced { key_id: good.id().to_owned() }))
        }
        (Some(_), Some((good, expires))) if is_clear => Some(Mint::Renewal { key_id: good.id().to_owned(), expires }),
        (None, _) if here.is_empty() => Some(Mint::First(WhyMint::Missing)),
        (Some(_) | None, _) => None,
    };
    if question.replace && mint.is_none() {
        unseen.push(format!("which key in {sink} --replace is about"));
    }
    let older = delivered.into_iter().filter(|key| good.is_some_and(|good| good.id() != key.id()));
    let mut left: Vec<(&K, &'static str)> = older.map(|key| (key, policy.why_delivered(true, true))).collect();
    left.extend(others.into_iter().map(|key| (key, policy.why_elsewhere(question.sink_facts.hidden))));
    Ok(Judgement { good, mint, unseen, left, ..Judgement::nothing() })
}

fn unseen<K: Candidate>(question: &Question<'_, K>, key: &K) -> String {
    format!("whether {} holds key {}", question.deliver_to.named(), key.shown())
}

fn due<'a, K: Candidate>(question: &Question<'_, K>, good: Option<&'a K>) -> Option<(&'a K, Timestamp)> {
    let (good, expiry) = good.and_then(|good| good.expiry().map(|expiry| (good, expiry)))?;
    question.renew_before.is_some_and(|before| remaining(question.now, expiry) <= before).then_some((good, expiry))
}

fn why_first<K: Candidate>(question: &Question<'_, K>, entry: Option<&SinkEntry>, leftover: Option<&&K>) -> WhyMint {
    if question.remint {
        return WhyMint::Asked;
    }
    match (entry, leftover) {
        (Some(entry), _) => {
            let expired = entry.expiry.is_some_and(|expiry| expiry <= question.now);
            let state = if expired { "expired" } else { question.policy.ended };
            WhyMint::Dead { key_id: entry.key_id.clone(), state: state.to_owned() }
        }
        (None, Some(leftover)) => WhyMint::Supersede { key_id: leftover.id().to_owned() },
        (None, None) => WhyMint::Missing,
    }
}
