//! One key of a tenant that is there or will be: the decision table's answer as actions.

use crate::model::address::Address;
use crate::model::imburse::{ImburseKey, Key, MarkRefused, TENANT_ROLES};
use crate::model::live::{LedgerFacts, LedgerLive, Observed, SinkLive};
use crate::model::marker::{KeyUid, Letter};
use crate::model::untrusted::{Untrusted, escape};

use super::super::action::{
    Action, CreateKey, Drift, DriftField, Keep, KeyShape, KeySpec, Mark, MarkOf, Notice, Parent, Plan, Reclaim,
    ReclaimOf, TenantRef, Unchecked, Wait,
};
use super::super::finding::Finding;
use super::super::headroom::sink_takes;
use super::super::key::{self, Judgement, Mint, Question, Stop, refuse};
use super::super::refusal::{Code, Refusal};
use super::super::scene::{Scene, push};
use super::super::{drift, ignore};
use super::ground::{Case, Ground};

/// Names the live keys of one that is refused or waited for, but for those that the refusal itself names.
fn name_all(case: &Case<'_>, ground: &Ground, address: &Address, stop: &Stop, plan: &mut Plan) {
    let (Ground::Exists { live, record: Some(record), .. }, LedgerLive::Present(ledger), Some(name)) =
        (ground, &case.scene.live.ledger, &address.key)
    else {
        return;
    };
    let Some(Observed::Present(keys)) = &live.keys else { return };
    let (uid, held) = (KeyUid::of(&record.uid, name), case.scene.live.sinks.get(address).and_then(SinkLive::held));
    let of_this_key = |key: &&Key| {
        key.marker.as_ref().is_some_and(|marker| marker.is_of(&ledger.id) && marker.uid == uid)
            && held.is_none_or(|held| !held.key_id.eq_ignore_ascii_case(&key.public_key))
            && !stop.names(&key.public_key)
    };
    for key in keys.values().filter(of_this_key) {
        let id = escape(&key.public_key);
        plan.notices.push(Notice {
            address: Some(address.clone()),
            at: None,
            text: format!("key {id} is ours and does not expire; what becomes of it is not decided while this is so")
                .into(),
        });
    }
}

/// The vendor's list of roles is open, so an unknown one is worth a warning and no more.
pub(super) fn roles(address: &Address, spec: &ImburseKey, plan: &mut Plan) {
    let unknown: Vec<&str> =
        spec.roles.iter().map(String::as_str).filter(|role| !TENANT_ROLES.contains(role)).collect();
    if !unknown.is_empty() {
        let text = format!(
            "the vendor documents no role {}; if it is a new one, nothing is wrong",
            unknown.iter().map(|role| escape(role)).collect::<Vec<_>>().join(", ")
        );
        plan.notices.push(Notice { address: Some(address.clone()), at: None, text: text.into() });
    }
}

pub(super) fn plan(case: &Case<'_>, ground: &Ground, address: &Address, spec: &ImburseKey, plan: &mut Plan) {
    let scene = case.scene;
    match ground {
        Ground::MadeBefore { waits_for_approval } => {
            if spec.adopt.is_some() {
                let refusal = Refusal::new(
                    Code::AdoptedKeyGone,
                    "a tenant that is still to be made has no key to adopt",
                    "remove `adopt:` from the key",
                );
                return push(plan, scene, address, Action::Refuse(refusal));
            }
            if *waits_for_approval {
                let why = format!("its tenant {} is made first, and then waits for approval", case.address);
                return push(plan, scene, address, Action::Wait(Wait { run: None, why }));
            }
            let parent = Parent::MadeBefore(case.address.clone());
            act(case, &parent, address, spec, &Judgement::first(), plan);
        }
        Ground::Exists { at, live, .. } => {
            if let Some(id) = &spec.adopt {
                return adopted(scene, address, spec, id, live, plan);
            }
            match judged(case, ground, address, spec) {
                Ok(judgement) => act(case, &Parent::Exists(at.clone()), address, spec, &judgement, plan),
                Err(stop) => {
                    name_all(case, ground, address, &stop, plan);
                    push(plan, scene, address, stop.into());
                }
            }
        }
        Ground::Refused | Ground::Waiting => {}
    }
}

/// The decision table's answer, or why there is none.
pub(super) fn judged<'a>(
    case: &Case<'a>,
    ground: &Ground<'a>,
    address: &'a Address,
    spec: &'a ImburseKey,
) -> Result<Judgement<'a, Key>, Stop> {
    let scene = case.scene;
    let Ground::Exists { live, record, .. } = ground else {
        return Err(refuse(Code::Unreadable, "its tenant was not read", "plan again"));
    };
    let sink_facts = scene.desired.sinks.get(&spec.deliver_to);
    let (Some(sink_facts), Some(sink)) = (sink_facts, scene.live.sinks.get(address)) else {
        return Err(refuse(
            Code::Unreadable,
            format!("sink {} was not read", spec.deliver_to),
            "name a sink that settings have, then plan again",
        ));
    };
    let ledger = match &scene.live.ledger {
        LedgerLive::Present(facts) => Some(facts),
        LedgerLive::Missing { .. } => None,
    };
    key::judge(&Question {
        policy: &key::IMBURSE,
        address,
        text: &spec.name,
        deliver_to: &spec.deliver_to,
        renew_before: None,
        ledger,
        record: *record,
        keys: live.keys.as_ref(),
        looked_up: &live.looked_up,
        caller: None,
        whose: None,
        sink,
        sink_facts,
        never_marked: never_marked(case, ledger, sink_facts.blind),
        remint: scene.wishes.remint.contains(address),
        replace: scene.wishes.replace.contains(address),
        asked: &scene.wishes.reclaim,
        now: scene.now,
        weak: scene.wishes.weak,
    })
}

/// Whether the vendor refused to change a key of this account. With a sink that nobody can look into, for good: there the mark is
/// all that tells a delivered key from a leftover.
fn never_marked(case: &Case<'_>, ledger: Option<&LedgerFacts>, blind: bool) -> bool {
    let account = &case.spec.account;
    let facts = case.scene.desired.imburse.get(account);
    let refused = ledger.map(|ledger| ledger.marks_refused.as_slice()).unwrap_or_default();
    let holds = |one: &MarkRefused, facts| one.holds(account, facts, if blind { one.at } else { case.scene.now });
    facts.is_some_and(|facts| refused.iter().any(|one| holds(one, facts)))
}

fn adopted(
    scene: &Scene,
    address: &Address,
    spec: &ImburseKey,
    id: &str,
    live: &crate::model::imburse::TenantLive,
    plan: &mut Plan,
) {
    let keys = match &live.keys {
        Some(Observed::Present(keys)) => keys,
        Some(Observed::Unreadable(unreadable)) => {
            return push(plan, scene, address, Action::Refuse(unreadable.into()));
        }
        Some(Observed::Absent) | None => {
            let refusal = Refusal::new(Code::Unreadable, "the tenant's keys were not read", "plan again");
            return push(plan, scene, address, Action::Refuse(refusal));
        }
    };
    let Some(key) = keys.values().find(|key| key.public_key.eq_ignore_ascii_case(id)) else {
        let refusal = Refusal::new(
            Code::AdoptedKeyGone,
            format!("`adopt:` names key {id}, and the tenant has no such key"),
            "correct the public_key, or remove `adopt:` to have a key made",
        );
        return push(plan, scene, address, Action::Refuse(refusal));
    };
    if !drift(scene, address, spec, key, None, plan) {
        let keep = Keep::AdoptedKey { key_id: key.public_key.clone(), expires: None };
        push(plan, scene, address, Action::Keep(keep));
    }
}

fn act(
    case: &Case<'_>,
    parent: &Parent,
    address: &Address,
    spec: &ImburseKey,
    judged: &Judgement<'_, Key>,
    plan: &mut Plan,
) {
    let scene = case.scene;
    let account = &case.spec.account;
    let sink = scene.desired.sinks.get(&spec.deliver_to);
    let (hidden, sink_hash) = (sink.is_some_and(|sink| sink.hidden), sink.map(|sink| &sink.hash));
    for (key, why) in &judged.left {
        let id = escape(&key.public_key);
        let here = key.marker.as_ref().is_some_and(|marker| sink_hash == Some(&marker.sink));
        // It may well be the one in another machine's sink, where all is as it should be.
        if hidden && !here {
            let text = format!("key {id} is left alone: {why}; if nobody uses it: qlik-apply --reclaim {id}").into();
            plan.notices.push(Notice { address: Some(address.clone()), at: None, text });
            continue;
        }
        let next = format!("qlik-apply --reclaim {id}   (nobody uses it: deletes it)");
        let mut found =
            Finding::new(Code::OutsideItsSink, format!("key {id} lives and is left alone: {why}"), next).of(address);
        if let Some(declared) = scene.desired.items.get(address) {
            found = found.at(&declared.at);
        }
        plan.findings.push(found);
    }
    for what in &judged.unseen {
        plan.unchecked.push(Unchecked { address: address.clone(), what: what.clone() });
    }
    let at = match parent {
        Parent::Exists(at) => Some(at),
        Parent::MadeBefore(_) => None,
    };
    if let (true, Some(good), Some(at)) = (judged.mark, judged.good, at)
        && let Some(marker) = &good.marker
    {
        let mark = Mark {
            account: account.clone(),
            key_id: good.public_key.clone(),
            description: marker.with_letter(Letter::Delivered).describe(good.text.raw()).into(),
            of: MarkOf::Imburse { tenant_id: at.id.clone(), roles: good.roles.clone() },
        };
        push(plan, scene, address, Action::Mark(mark));
    }
    if let Some(at) = at {
        for key in &judged.freed {
            push(plan, scene, address, Action::Reclaim(reclaim(case, at, key, false, false)));
        }
    }
    let delivers = match &judged.mint {
        // Nothing there is due, as nothing ends.
        None | Some(Mint::Renewal { .. }) => false,
        Some(Mint::First(why)) => {
            let mut unchecked = Vec::new();
            if let Err(refusal) = sink_takes(scene.live.sinks.get(address), address, &spec.deliver_to, &mut unchecked) {
                // A leftover may only be revoked after its successor, and there will be none.
                return push(plan, scene, address, Action::Refuse(refusal));
            }
            plan.unchecked.extend(unchecked.into_iter().map(|what| Unchecked { address: address.clone(), what }));
            let (account, parent) = (account.clone(), parent.clone());
            let create = CreateKey { account, parent, spec: KeySpec::Imburse(spec.clone()), why: why.clone() };
            push(plan, scene, address, Action::CreateKey(create));
            true
        }
    };
    if let Some(at) = at {
        let mut give_up = |key: &Key, asked: bool| {
            let reclaim = reclaim(case, at, key, delivers, asked);
            push(plan, scene, address, Action::Reclaim(reclaim));
        };
        judged.reclaim.iter().for_each(|key| give_up(key, false));
        judged.asked.iter().for_each(|key| give_up(key, true));
    }
    if !delivers && let Some(good) = judged.good {
        let clean = !judged.mark;
        let keep = Keep::Key {
            key_id: good.public_key.clone(),
            expires: None,
            sink: spec.deliver_to.clone(),
            shape: KeyShape::Imburse(spec.deliver_as),
        };
        let kept = Action::Keep(keep);
        if !drift(scene, address, spec, good, clean.then(|| kept.clone()), plan) && clean {
            push(plan, scene, address, kept);
        }
    }
}

/// Says what differs and is not ignored; whether there was something to say.
fn drift(
    scene: &Scene,
    address: &Address,
    spec: &ImburseKey,
    key: &Key,
    kept: Option<Action>,
    plan: &mut Plan,
) -> bool {
    let mut fields = Vec::new();
    // An adopted key may declare neither.
    if !spec.name.is_empty() && key.text.raw() != spec.name {
        fields.push(DriftField { field: "name".into(), declared: spec.name.clone(), live: key.text.clone() });
    }
    let live: Vec<&str> = key.roles.iter().map(Untrusted::raw).collect();
    if !spec.roles.is_empty() && !spec.roles.iter().map(String::as_str).eq(live.iter().copied()) {
        let declared = spec.roles.iter().cloned().collect::<Vec<_>>().join(", ");
        fields.push(DriftField { field: "roles".into(), declared, live: live.join(", ").into() });
    }
    if spec.adopt.is_none() {
        fields.extend(drift::shape(scene, address, &key.public_key, spec.deliver_as.as_str()));
    }
    let (fields, mut ignored) = ignore::split(scene, address, fields);
    plan.notices.append(&mut ignored);
    let drifted = !fields.is_empty();
    if drifted {
        // Keys there are never renewed. An adopted one is its owner's affair.
        let next = if spec.adopt.is_none() { drift::of_key_next(address, None) } else { Vec::new() };
        push(plan, scene, address, Action::Drift(Drift { fields, next, kept: kept.map(Box::new) }));
    }
    drifted
}

fn reclaim(case: &Case<'_>, at: &TenantRef, key: &Key, after_delivery: bool, asked: bool) -> Reclaim {
    Reclaim {
        account: case.spec.account.clone(),
        key_id: key.public_key.clone(),
        letter: key.marker.as_ref().map_or(Letter::Undelivered, |marker| marker.letter),
        after_delivery: after_delivery && !asked,
        of: ReclaimOf::Imburse { tenant_id: at.id.clone(), asked },
    }
}

/// Keys with our marker that no declared key answers for.
pub(super) fn undeclared(case: &Case<'_>, ground: &Ground, plan: &mut Plan) {
    let (Ground::Exists { live, record: Some(record), .. }, LedgerLive::Present(facts)) =
        (ground, &case.scene.live.ledger)
    else {
        return;
    };
    let Some(Observed::Present(keys)) = &live.keys else { return };
    let declared: Vec<KeyUid> = case
        .scene
        .desired
        .imburse_keys(case.address)
        .filter_map(|(key, _, _)| key.key.as_ref().map(|name| KeyUid::of(&record.uid, name)))
        .collect();
    for key in keys.values() {
        if let Some(marker) = key.marker.as_ref().filter(|m| m.is_of(&facts.id) && !declared.contains(&m.uid)) {
            plan.notices.push(Notice {
                address: Some(case.address.clone()), at: None,
                text: format!(
                    "key {} ({}) was made for a key that is no longer declared (marker {}); it does not expire: delete it \
                     at the vendor if nobody uses it",
                    Untrusted::from(key.public_key.as_str()),
                    key.text,
                    marker.uid
                )
                .into(),
            });
        }
    }
}
