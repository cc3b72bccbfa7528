//! One key of a tenant that is there or will be: the decision table's answer as actions.

use std::collections::BTreeSet;

use crate::model::address::{Address, Name};
use crate::model::live::{KeyLive, LedgerLive, Observed, SinkLive, TenantLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;
use crate::model::spec::QlikKey;
use crate::model::untrusted::Untrusted;
use crate::model::weak::Weakness;

use super::action::{
    Action, CreateKey, Drift, Keep, KeyShape, KeySpec, Mark, MarkOf, Notice, Parent, Plan, Reclaim, ReclaimOf, Renew,
    TenantRef, Unchecked, WhyMint,
};
use super::ground::{Case, Ground, record_of};
use super::headroom::{may_mint, owner_changed};
use super::key::{self, Judgement, Mint, Question, Stop};
use super::refusal::{Code, Refusal};
use super::scene::{Scene, push};
use super::slots::Slots;
use super::{drift, ignore, standing};

/// Plans one key on ground that is there or will be.
pub(super) fn plan_key(case: &Case<'_>, slots: &mut Slots, plan: &mut Plan) {
    let Case { scene, tenant, address, spec, ground, .. } = *case;
    let (parent, judgement) = match ground {
        Ground::MadeBefore => {
            if spec.adopt.is_some() {
                let refusal = Refusal::new(
                    Code::AdoptedKeyGone,
                    "a tenant that is still to be made has no key to adopt",
                    "remove `adopt:` from the key",
                );
                return push(plan, scene, address, Action::Refuse(refusal));
            }
            (Parent::MadeBefore(tenant.clone()), Judgement::first())
        }
        Ground::Exists { at, live, record } => {
            if let Some(id) = &spec.adopt {
                return push(plan, scene, address, adopted_key(scene, live, id));
            }
            match judge(scene, tenant, address, spec, live, *record) {
                Ok(judgement) => (Parent::Exists(at.clone()), judgement),
                Err(stop) => {
                    name_all(case, live, *record, &stop, plan);
                    return push(plan, scene, address, stop.into());
                }
            }
        }
        Ground::Refused | Ground::Waiting => return,
    };
    act(case, &parent, &judgement, slots, plan);
}

/// The decision table's answer, or why there is none.
pub(crate) fn judge<'a>(
    scene: &Scene<'a>,
    tenant: &Address,
    address: &'a Address,
    spec: &'a QlikKey,
    live: &'a TenantLive,
    record: Option<&'a Record>,
) -> Result<Judgement<'a, KeyLive>, Stop> {
    let sink_facts = scene.desired.sinks.get(&spec.deliver_to);
    let (Some(sink_facts), Some(sink)) = (sink_facts, scene.live.sinks.get(address)) else {
        return Err(key::refuse(
            Code::Unreadable,
            format!("sink {} was not read", spec.deliver_to),
            "name a sink that settings have, then plan again",
        ));
    };
    let ledger = match (record_of(scene, tenant), &scene.live.ledger) {
        (Some((facts, _)), _) | (None, LedgerLive::Present(facts)) => Some(facts),
        (None, LedgerLive::Missing { .. }) => None,
    };
    key::judge(&Question {
        policy: &key::QLIK,
        address,
        text: &spec.description,
        deliver_to: &spec.deliver_to,
        renew_before: Some(spec.renew_before),
        ledger,
        record,
        keys: live.keys.as_ref(),
        looked_up: &live.looked_up,
        caller: live.caller(&spec.owner).and_then(Observed::present).map(|caller| &caller.user_id),
        whose: Some(Box::new(|key| whose(live, spec, key))),
        sink,
        sink_facts,
        never_marked: false,
        remint: scene.wishes.remint.contains(address),
        replace: scene.wishes.replace.contains(address),
        asked: &NOTHING_ASKED,
        now: scene.now,
        weak: scene.wishes.weak,
    })
}

/// A person may say of a key at Imburse alone that nobody uses it: here it ends by itself.
static NOTHING_ASKED: BTreeSet<String> = BTreeSet::new();

/// A key of ours lives, and nobody knows whether our credentials made it.
fn whose(live: &TenantLive, spec: &QlikKey, key: &KeyLive) -> Stop {
    match (live.caller(&spec.owner), spec.owner.user()) {
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
        (Some(Observed::Absent | Observed::Present(_)) | None, _) => key::refuse(
            Code::Unreadable,
            "a key with our marker lives, and its owner could not be asked whether it is ours",
            "trust the account's key client in the tenant again (oauth-clients, connection-configs), then plan again",
        ),
    }
}

fn adopted_key(scene: &Scene, live: &TenantLive, id: &str) -> Action {
    let shown = Untrusted::from(id);
    let refuse = |why: String| {
        Action::Refuse(Refusal::new(
            Code::AdoptedKeyGone,
            why,
            "name a key that lives, or remove `adopt:` to have a new one minted and delivered",
        ))
    };
    match &live.keys {
        Some(Observed::Present(keys)) => match keys.get(id) {
            Some(key) if key.is_live(scene.now) => {
                Action::Keep(Keep::AdoptedKey { key_id: id.to_owned(), expires: key.expiry })
            }
            Some(_) => refuse(format!("`adopt:` names key {shown}, which is expired or revoked")),
            None => refuse(format!("`adopt:` names key {shown}, which the tenant does not list")),
        },
        Some(Observed::Unreadable(unreadable)) => Action::Refuse(unreadable.into()),
        Some(Observed::Absent) | None => refuse("the tenant's keys were not read".to_owned()),
    }
}

fn act(case: &Case<'_>, parent: &Parent, judged: &Judgement<'_, KeyLive>, slots: &mut Slots, plan: &mut Plan) {
    let Case { scene, tenant_spec, address, spec, .. } = *case;
    let account = &tenant_spec.account;
    // Also where nothing is due: a change of owner is worth knowing before the key ends.
    if let (Some(_), Some(refusal)) = (judged.good, owner_changed(case)) {
        return push(plan, scene, address, Action::Refuse(refusal));
    }
    for (key, why) in &judged.left {
        plan.notices.push(named(address, key, &format!("left to expire: {why}")));
    }
    for what in &judged.unseen {
        plan.unchecked.push(Unchecked { address: address.clone(), what: what.clone() });
    }
    let at = match parent {
        Parent::Exists(at) => Some(at.clone()),
        Parent::MadeBefore(_) => None,
    };
    let at_once = scene.wishes.weak.is(Weakness::RevokeInFlight);
    let first = judged.freed.iter().chain(judged.reclaim.iter().filter(|_| at_once));
    for (key, at) in first.zip(at.iter().cycle()) {
        slots.free(spec);
        push(plan, scene, address, Action::Reclaim(reclaim(account, at, spec, key, false)));
    }
    if let (true, Some(good), Some(at)) = (judged.mark, judged.good, &at)
        && let Some(marker) = &good.marker
    {
        let description = marker.with_letter(Letter::Delivered).describe(good.text.raw());
        push(
            plan,
            scene,
            address,
            Action::Mark(Mark {
                account: account.clone(),
                key_id: good.id.clone(),
                description: description.into(),
                of: MarkOf::Qlik { parent: at.clone(), owner: spec.owner.clone() },
            }),
        );
    }
    let delivers = match &judged.mint {
        None => false,
        Some(mint) => match may_mint(case, slots) {
            Err(refusal) => {
                // A leftover may only be revoked after its successor, and there will be none.
                for key in &judged.reclaim {
                    let why = "minted and not marked as delivered; it is revoked once another key is delivered";
                    plan.notices.push(named(address, key, why));
                }
                push(plan, scene, address, Action::Refuse(refusal));
                return;
            }
            Ok(unchecked) => {
                plan.unchecked.extend(unchecked.into_iter().map(|what| Unchecked { address: address.clone(), what }));
                let why = match mint {
                    Mint::First(why) => why.clone(),
                    Mint::Renewal { .. } => WhyMint::Missing,
                };
                let create = CreateKey {
                    account: account.clone(),
                    parent: parent.clone(),
                    spec: KeySpec::Qlik(spec.clone()),
                    why,
                };
                push(
                    plan,
                    scene,
                    address,
                    match mint {
                        Mint::First(_) => Action::CreateKey(create),
                        Mint::Renewal { key_id, expires } => {
                            Action::Renew(Renew { create, key_id: key_id.clone(), expires: *expires })
                        }
                    },
                );
                true
            }
        },
    };
    if let Some(at) = &at {
        for key in judged.reclaim.iter().filter(|_| !at_once) {
            push(plan, scene, address, Action::Reclaim(reclaim(account, at, spec, key, delivers)));
        }
    }
    if !delivers && let Some(good) = judged.good {
        let clean = !judged.mark;
        let kept = Action::Keep(Keep::Key {
            key_id: good.id.clone(),
            expires: good.expiry,
            sink: spec.deliver_to.clone(),
            shape: KeyShape::Qlik(spec.deliver_as),
        });
        let (fields, mut ignored) = ignore::split(scene, address, drift::of_key(scene, address, spec, good));
        plan.notices.append(&mut ignored);
        if !fields.is_empty() {
            let next = drift::of_key_next(address, good.expiry.map(|expiry| (expiry, spec.renew_before)));
            let kept = clean.then(|| Box::new(kept));
            push(plan, scene, address, Action::Drift(Drift { fields, next, kept }));
        } else if clean {
            push(plan, scene, address, kept);
        }
        standing::find(case, slots, good, plan);
    }
}

/// A live key of ours that is not the one in the sink, and what becomes of it.
fn named(address: &Address, key: &KeyLive, what: &str) -> Notice {
    let id = Untrusted::from(key.id.as_str());
    let until = match key.expiry {
        Some(at) => format!("until {at:.0}"),
        None => "without end".to_owned(),
    };
    let text = format!("key {id} lives {until} and is {what}").into();
    Notice { address: Some(address.clone()), at: None, text }
}

/// Names the live keys of one that is refused or waited for, but for those that the refusal itself names.
fn name_all(case: &Case<'_>, live: &TenantLive, record: Option<&Record>, stop: &Stop, plan: &mut Plan) {
    let (address, scene) = (case.address, case.scene);
    let (Some(record), Some(name), Some(Observed::Present(keys))) = (record, &address.key, &live.keys) else { return };
    let LedgerLive::Present(ledger) = &scene.live.ledger else { return };
    let (uid, held) = (KeyUid::of(&record.uid, name), scene.live.sinks.get(address).and_then(SinkLive::held));
    let of_this_key = |key: &&KeyLive| {
        key.marker.as_ref().is_some_and(|marker| marker.is_of(&ledger.id) && marker.uid == uid)
            && key.is_live(scene.now)
            && held.is_none_or(|held| held.key_id != key.id)
            && !stop.names(&key.id)
    };
    for key in keys.values().filter(of_this_key) {
        plan.notices.push(named(address, key, "ours; what becomes of it is not decided while this is so"));
    }
}

fn reclaim(account: &Name, at: &TenantRef, spec: &QlikKey, key: &KeyLive, after_delivery: bool) -> Reclaim {
    Reclaim {
        account: account.clone(),
        key_id: key.id.clone(),
        letter: key.marker.as_ref().map_or(Letter::Undelivered, |marker| marker.letter),
        after_delivery,
        of: ReclaimOf::Qlik {
            parent: at.clone(),
            owner: spec.owner.clone(),
            created: key.created,
            expires: key.expiry,
        },
    }
}
