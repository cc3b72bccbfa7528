//! One key of a tenant that is there or will be, at either vendor: the decision table's answer as actions.

use crate::model::address::{Address, Name};
use crate::model::live::{LedgerLive, Observed, SinkLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::record::Record;

use super::action::{
    Action, CreateKey, Drift, Keep, Mark, Notice, Parent, Plan, Reclaim, Renew, TenantRef, Unchecked, Wait, WhyMint,
};
use super::ground::Ground;
use super::key::{self, Candidate, Judgement, Mint, Policy, Question};
use super::refusal::{Code, Refusal};
use super::scene::push;
use super::stop::{Stop, refuse};
use super::store::sink_takes;
use super::vendor::{Asks, On, TenantRules};
use super::{drift, ignore};

/// Plans one key on ground that is there or will be.
pub(super) fn plan<'a, T: TenantRules<'a>>(on: &On<'a, '_, T>, room: &mut T::Room, plan: &mut Plan) {
    let On { tenant, address, declared, ground } = *on;
    let scene = tenant.scene();
    match ground {
        Ground::MadeBefore { waits_for_approval } => {
            if T::adopts(declared).is_some() {
                let refusal = Refusal::new(
                    Code::AdoptedKeyGone,
                    "a tenant that is still to be made has no key to adopt",
                    "remove `adopt:` from the key",
                );
                return push(plan, scene, address, Action::Refuse(refusal));
            }
            if *waits_for_approval {
                let why = format!("its tenant {} is made first, and then waits for approval", tenant.address());
                return push(plan, scene, address, Action::Wait(Wait { run: None, why }));
            }
            act(on, &Parent::MadeBefore(tenant.address().clone()), &Judgement::first(), room, plan);
        }
        Ground::Exists { at, live, record } => {
            if let Some(id) = T::adopts(declared) {
                return tenant.adopted(address, declared, id, live, plan);
            }
            match judge(tenant, address, declared, live, *record) {
                Ok(judgement) => act(on, &Parent::Exists(at.clone()), &judgement, room, plan),
                Err(stop) => {
                    name_all(on, live, *record, &stop, plan);
                    push(plan, scene, address, stop.into());
                }
            }
        }
        Ground::Refused | Ground::Waiting => {}
    }
}

/// The decision table's answer, or why there is none.
pub(super) fn judge<'a, T: TenantRules<'a>>(
    tenant: &T,
    address: &'a Address,
    declared: &'a T::Declared,
    live: &'a T::Live,
    record: Option<&'a Record>,
) -> Result<Judgement<'a, T::Listed>, Stop> {
    let (scene, deliver_to) = (tenant.scene(), T::deliver_to(declared));
    let sink_facts = scene.desired.sink_facts(deliver_to);
    let (Some(sink_facts), Some(sink)) = (sink_facts, scene.live.sinks.get(address)) else {
        return Err(refuse(
            Code::Unreadable,
            format!("{} was not read", deliver_to.named()),
            "name a sink that settings have, then plan again",
        ));
    };
    let ledger = match &scene.live.ledger {
        LedgerLive::Present(facts) => Some(facts),
        LedgerLive::Missing { .. } => None,
    };
    let Asks { text, looked_up, caller, whose, never_marked, asked } = tenant.asks(declared, live);
    key::judge(&Question {
        policy: T::POLICY,
        address,
        text,
        deliver_to,
        renew_before: T::renew_before(declared),
        ledger,
        record,
        keys: T::listed(live),
        looked_up,
        caller,
        whose,
        sink,
        sink_facts,
        never_marked,
        remint: scene.wishes.remint.contains(address),
        replace: scene.wishes.replace.contains(address),
        asked,
        now: scene.now,
    })
}

fn act<'a, T: TenantRules<'a>>(
    on: &On<'a, '_, T>,
    parent: &Parent,
    judged: &Judgement<'_, T::Listed>,
    room: &mut T::Room,
    plan: &mut Plan,
) {
    let On { tenant, address, declared, .. } = *on;
    let (scene, account, policy) = (tenant.scene(), tenant.account(), T::POLICY);
    // Also where nothing is due: that it can have no successor is worth knowing before the key ends.
    if let (Some(_), Some(refusal)) = (judged.good, tenant.refuses(on)) {
        return push(plan, scene, address, Action::Refuse(refusal));
    }
    for (key, why) in &judged.left {
        tenant.leave(on, key, why, plan);
    }
    for what in &judged.unseen {
        plan.unchecked.push(Unchecked { address: address.clone(), what: what.clone() });
    }
    let at = match parent {
        Parent::Exists(at) => Some(at),
        Parent::MadeBefore(_) => None,
    };
    for (key, at) in judged.freed.iter().zip(at.into_iter().cycle()) {
        tenant.free(room, declared);
        push(plan, scene, address, reclaim(on, at, key, false, false));
    }
    if let (true, Some(good), Some(at)) = (judged.mark, judged.good, at)
        && let Some(marker) = good.marker()
    {
        let mark = Mark {
            account: account.clone(),
            key_id: good.id().to_owned(),
            description: marker.with_letter(Letter::Delivered).describe(good.text().raw()).into(),
            of: tenant.mark(at, declared, good),
        };
        push(plan, scene, address, Action::Mark(mark));
    }
    if let Some(mint) = &judged.mint {
        let mut unchecked = Vec::new();
        let may = sink_takes(scene.live.sinks.get(address), address, T::deliver_to(declared), &mut unchecked)
            .and_then(|()| tenant.may_make(on, room, &mut unchecked));
        if let Err(refusal) = may {
            // A leftover may only be revoked after its successor, and there will be none.
            for key in &judged.reclaim {
                let Policy { made, ends_it, .. } = policy;
                let what = format!("{made} and not marked as delivered; it is {ends_it} once another key is delivered");
                plan.notices.push(named(policy, address, *key, &what));
            }
            return push(plan, scene, address, Action::Refuse(refusal));
        }
        plan.unchecked.extend(unchecked.into_iter().map(|what| Unchecked { address: address.clone(), what }));
        let why = match mint {
            Mint::First(why) => why.clone(),
            Mint::Renewal { .. } => WhyMint::Missing,
        };
        let (account, parent) = (account.clone(), parent.clone());
        let replaces = judged.replaces.iter().map(|key| key.id().to_owned()).collect();
        let create = CreateKey { account, parent, spec: tenant.spec(declared), why, replaces };
        let action = match mint {
            Mint::First(_) => Action::CreateKey(create),
            Mint::Renewal { key_id, expires } => {
                Action::Renew(Renew { create, key_id: key_id.clone(), expires: *expires })
            }
        };
        push(plan, scene, address, action);
    }
    let delivers = judged.mint.is_some();
    if let Some(at) = at {
        for key in &judged.reclaim {
            push(plan, scene, address, reclaim(on, at, key, delivers, false));
        }
        for key in &judged.asked {
            push(plan, scene, address, reclaim(on, at, key, false, true));
        }
    }
    if let (false, Some(good)) = (delivers, judged.good) {
        keep(on, good, judged.mark, plan);
        tenant.stands(on, room, good, plan);
    }
}

/// A key that works: as declared, or drifted.
fn keep<'a, T: TenantRules<'a>>(on: &On<'a, '_, T>, good: &T::Listed, marks: bool, plan: &mut Plan) {
    let On { tenant, address, declared, .. } = *on;
    let scene = tenant.scene();
    let (homes, shape) = (T::deliver_to(declared), |home: &Name| tenant.shape(declared, home));
    let kept = Action::Keep(Keep::Key {
        key_id: good.id().to_owned(),
        expires: good.expiry(),
        sink: homes.first().clone(),
        shape: shape(homes.first()),
        also: homes.others().map(|home| (home.clone(), shape(home))).collect(),
    });
    let (fields, mut ignored) = ignore::split(scene, address, tenant.drift(address, declared, good));
    plan.notices.append(&mut ignored);
    if !fields.is_empty() {
        let renewal = good.expiry().zip(T::renew_before(declared));
        let next = drift::of_key_next(address, renewal);
        let kept = (!marks).then(|| Box::new(kept));
        push(plan, scene, address, Action::Drift(Drift { fields, next, kept }));
    } else if !marks {
        push(plan, scene, address, kept);
    }
}

/// A live key of ours that is not the one in the sink, and what becomes of it.
pub(super) fn named<K: Candidate>(policy: &Policy, address: &Address, key: &K, what: &str) -> Notice {
    let id = key.shown();
    let text = match (policy.ends, key.expiry()) {
        (false, _) => format!("key {id} does not expire and is {what}"),
        (true, Some(at)) => format!("key {id} lives until {at:.0} and is {what}"),
        (true, None) => format!("key {id} lives without end and is {what}"),
    };
    Notice::of(address, text)
}

/// Names the live keys of one that is refused or waited for, but for those that the refusal itself names.
fn name_all<'a, T: TenantRules<'a>>(
    on: &On<'a, '_, T>,
    live: &'a T::Live,
    record: Option<&Record>,
    stop: &Stop,
    plan: &mut Plan,
) {
    let (scene, address) = (on.tenant.scene(), on.address);
    let (Some(record), Some(name), Some(Observed::Present(keys))) = (record, address.key(), T::listed(live)) else {
        return;
    };
    let LedgerLive::Present(ledger) = &scene.live.ledger else { return };
    let (uid, held) = (KeyUid::of(&record.uid, name), scene.live.sinks.get(address).and_then(SinkLive::held));
    let of_this_key = |key: &&T::Listed| {
        key.marker().is_some_and(|marker| marker.is_of(&ledger.id) && marker.uid == uid)
            && key.is_live(scene.now)
            && held.is_none_or(|held| !key.has_id(&held.key_id))
            && !stop.names(key.id())
    };
    for key in keys.values().filter(of_this_key) {
        let what = "ours; what becomes of it is not decided while this is so";
        plan.notices.push(named(T::POLICY, address, key, what));
    }
}

fn reclaim<'a, T: TenantRules<'a>>(
    on: &On<'a, '_, T>,
    at: &TenantRef,
    key: &T::Listed,
    after_delivery: bool,
    asked: bool,
) -> Action {
    let On { tenant, declared, .. } = *on;
    Action::Reclaim(Reclaim {
        account: tenant.account().clone(),
        key_id: key.id().to_owned(),
        letter: key.letter().unwrap_or(Letter::Undelivered),
        after_delivery,
        of: tenant.reclaim(at, declared, key, asked),
    })
}
