//! Why a key is refused or waited for, with the way out, in the words of either vendor.

use crate::model::address::Address;
use crate::model::homes::Homes;
use crate::model::live::SinkLive;
use crate::model::marker::Letter;
use crate::model::untrusted::Untrusted;
use crate::plan::action::Wait;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::store;

use super::candidate::Candidate;
use super::policy::Policy;
use super::question::Question;
use crate::plan::stop::{Stop, refuse};

pub(super) fn busy_with<K: Candidate>(policy: &Policy, key: &K) -> Stop {
    let why = format!("another run {} a key for it and may still deliver it", policy.made);
    Stop::Wait(Wait { run: key.run(), why })
}

pub(super) fn delivered_elsewhere<K: Candidate>(question: &Question<'_, K>, key: &K) -> Stop {
    let (policy, address, id) = (question.policy, question.address, key.shown());
    let (how, back) = store::deletion(question.sink);
    let why = format!("key {id} was delivered, lives, and is not in {} any more{how}", missing_in(question, key));
    let back = back.unwrap_or_else(|| "restore the secret to its sink, if somebody moved it".to_owned());
    let this_one = if policy.ends { "is left to expire" } else { "stays" };
    let remint =
        format!("qlik-apply --remint {address}   ({} and delivers another; this one {this_one})", policy.makes);
    let refusal = Refusal::new(Code::DeliveredElsewhere, why, back).or(remint);
    Stop::Refuse(match policy.ends {
        true => refusal,
        false => refusal.or(format!("qlik-apply --reclaim {id}   (nobody uses it: deletes it)")),
    })
}

/// The sinks that do not show a key, in words.
fn missing_in<K: Candidate>(question: &Question<'_, K>, key: &K) -> String {
    let lacks = |live: &SinkLive| match &live.entry {
        None => false,
        Some(entry) => entry.present().is_none_or(|entry| !key.has_id(&entry.key_id)),
    };
    let names = question.sink.homes.iter().filter(|(_, live)| lacks(live)).map(|(name, _)| name.clone());
    match Homes::of(names) {
        Some(homes) if homes.are_several() => format!("any of the sinks {homes}"),
        Some(homes) => homes.named(),
        None => question.deliver_to.named(),
    }
}

/// A sink that takes nothing would get one more key with every run.
pub(super) fn not_in_all<K: Candidate>(question: &Question<'_, K>, first: &K, second: &K) -> Stop {
    let (policy, address, sinks) = (question.policy, question.address, question.deliver_to);
    Stop::Refuse(
        Refusal::new(
            Code::LeftoverKey,
            format!(
                "keys {} and {} were {} and neither reached {}; one more may fare no better",
                first.shown(),
                second.shown(),
                policy.made,
                sinks.named()
            ),
            "see in the output of those runs which sink did not take them, and mend it",
        )
        .or(format!("then qlik-apply --remint {address}   ({} and delivers one to all of {sinks})", policy.makes)),
    )
}

/// Keys that read like the declared one and have no marker of this ledger.
pub(super) fn unmarked<K: Candidate>(policy: &Policy, strangers: &[&K]) -> Stop {
    let Policy { text, adopt, secret, .. } = policy;
    let end = if policy.ends { "revoke" } else { "delete" };
    let rename = format!("if it is another: give this key another {text}, or {end} that one");
    match strangers {
        [key] => {
            let (id, lives) = (key.shown(), if policy.ends { ", lives," } else { "" });
            Stop::Refuse(
                Refusal::new(
                    Code::UnmarkedKey,
                    format!("key {id} has the same {text}{lives} and carries no marker of this ledger"),
                    format!(
                        "if it is the one that is meant, declare it so: adopt: {{ {adopt}: {id} }} (its {secret} stays where it is)"
                    ),
                )
                .or(rename),
            )
        }
        several => {
            let ids: Vec<String> = several.iter().map(|key| key.shown().to_string()).collect();
            Stop::Refuse(
                Refusal::new(
                    Code::SeveralKeys,
                    format!(
                        "{} keys have the same {text} and no marker of this ledger: {}",
                        several.len(),
                        ids.join(", ")
                    ),
                    format!("say which of them it is: adopt: {{ {adopt}: KEY }}"),
                )
                .or(rename),
            )
        }
    }
}

/// A leftover that has no end, and that something may still bring into the sink.
pub(super) fn cannot_be_revoked<K: Candidate>(question: &Question<'_, K>, key: &K) -> Stop {
    let why = if question.sink_facts.hidden {
        "was made for a sink of which every machine has its own, and may be in use on another machine"
    } else {
        "was made by a run whose end is not proven, and may still arrive in the sink"
    };
    let id = key.shown();
    Stop::Refuse(
        Refusal::new(
            Code::LeftoverKey,
            format!("key {id} {why}; it does not expire"),
            format!("qlik-apply --reclaim {id}   (that run's machine is gone, and nobody uses the key)"),
        )
        .or(format!("or wait until that run has ended, then plan again ({})", question.address)),
    )
}

/// Refuses where nobody can tell if a leftover or a delivered key came later, and so which of them the sink holds.
pub(super) fn cannot_be_seen<K: Candidate>(question: &Question<'_, K>, key: &K) -> Stop {
    let (sink, id) = (question.deliver_to.named(), key.shown());
    Stop::Refuse(
        Refusal::new(
            Code::LeftoverKey,
            format!(
                "key {id} was made and not marked as delivered, {sink} cannot be looked into, and the key does not expire"
            ),
            format!("qlik-apply --reclaim {id}   (another key is in the sink, and nobody uses this one)"),
        )
        .or(format!(
            "qlik-apply --remint {}   (it may be the one in the sink: makes and delivers another, then deletes it)",
            question.address
        ))
        .or(format!("give the sink a check: (sinks.{} in settings), and it is looked at", question.deliver_to.first())),
    )
}

/// Neither sink nor vendor would tell the next run that the key was delivered, so each would make another.
pub(super) fn never_known<K: Candidate>(question: &Question<'_, K>) -> Stop {
    let sink = question.deliver_to;
    let blind = match sink.are_several() {
        true => format!("one of the sinks {sink}"),
        false => sink.named(),
    };
    Stop::Refuse(
        Refusal::new(
            Code::SinkRefuses,
            format!(
                "{blind} cannot be looked into, and the vendor does not let this account's keys be marked: no later run could \
                 tell whether the key is there"
            ),
            format!("give the sink a check: (sinks.{} in settings), or deliver the key to a sink that can be read", sink.first()),
        )
        .or("or ask the vendor to let the account's keys be changed"),
    )
}

/// Once another key is in its place, a key that does not say it was delivered would be taken for a leftover and revoked, though
/// somebody may still use it; and of two that say so, only ages or a look into the sink tell which is which.
pub(super) fn may_be_replaced<K: Candidate>(question: &Question<'_, K>, good: &K) -> Result<(), Stop> {
    let (address, sink, id) = (question.address, question.deliver_to.named(), good.shown());
    if question.sink_facts.blind && !question.policy.ages {
        return Err(refuse(
            Code::SinkRefuses,
            format!("{sink} cannot be looked into, so nobody could tell afterwards which key replaced which"),
            format!("delete key {id} in the vendor's portal, then qlik-apply: it makes and delivers another"),
        ));
    }
    match (good.letter() == Some(Letter::Undelivered), question.never_marked) {
        (false, _) => Ok(()),
        (true, false) => Err(not_marked(address, &id)),
        (true, true) => Err(refuse(
            Code::MarkMissing,
            format!(
                "the vendor does not let key {id} be marked as delivered, so once it is replaced nobody could tell that it may \
                 be in use"
            ),
            format!("delete key {id} in the vendor's portal once nobody uses it, then qlik-apply: it makes another"),
        )),
    }
}

fn not_marked(address: &Address, id: &Untrusted) -> Stop {
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
