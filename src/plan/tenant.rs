//! One declared tenant: what its record and its live state ask for, and then its keys.

use crate::model::address::Address;
use crate::model::clock::rough;
use crate::model::live::{ClockLive, LedgerLive, Observed, TenantLive, TenantRead};
use crate::model::marker::KeyUid;
use crate::model::place::Place;
use crate::model::record::{Binding, State};
use crate::model::run::Life;
use crate::model::spec::QlikTenant;
use crate::model::untrusted::Untrusted;

use super::action::{Action, CreateTenant, NewTenant, Notice, Parent, Plan, Planned, Settle, TenantRef, Wait};
use super::compare::{grant, keep, limits, present, settle_parts};
use super::create::{may_create, refuse_missing};
use super::found::{adopt, bound};
use super::ground::{Case, Ground, Stop};
use super::limit::depends;
use super::refusal::{Code, Refusal};
use super::scene::{Scene, push};
use super::slots::Slots;
use super::{ignore, mint, renewable, role};

pub(super) fn plan(scene: &Scene, address: &Address, spec: &QlikTenant, at: &Place, plan: &mut Plan) {
    let mut own = Vec::new();
    let ground = match decide(scene, address, spec, &mut own) {
        Ok(ground) => ground,
        Err(Stop::Refuse(refusal)) => {
            own.push(Action::Refuse(refusal));
            Ground::Refused
        }
        Err(Stop::Wait(wait)) => {
            own.push(Action::Wait(wait));
            Ground::Waiting
        }
    };
    plan.notices.append(&mut ignore::tenant(scene, address, &ground, &mut own));
    let mut keys = Plan::empty(plan.now);
    let mut slots = Slots::new(scene, spec, &ground, &own);
    for (key_address, key_spec, _) in scene.desired.qlik_keys(address) {
        match &ground {
            Ground::Refused => {
                push(&mut keys, scene, key_address, Action::Refuse(depends(&address.to_string())));
            }
            Ground::Waiting => {
                let wait = Wait { run: None, why: format!("its tenant {address} waits") };
                push(&mut keys, scene, key_address, Action::Wait(wait));
            }
            Ground::MadeBefore | Ground::Exists { .. } => {
                let case = Case {
                    scene,
                    tenant: address,
                    tenant_spec: spec,
                    address: key_address,
                    spec: key_spec,
                    ground: &ground,
                };
                mint::plan_key(&case, &mut slots, &mut keys);
            }
        }
    }
    if let Some(trust) = slots.trust(spec, address, &ground) {
        own.push(Action::Trust(trust));
    }
    own.extend(slots.users(spec, address, &ground).map(Action::CreateUser));
    own.extend(match role::grant(scene, address, spec, &ground, &slots) {
        Ok(grant) => grant.map(Action::Grant),
        Err(refusal) => Some(Action::Refuse(refusal)),
    });
    renewable::hold(scene, address, at, &ground, slots.limits(), &mut keys);
    if matches!(ground, Ground::MadeBefore) {
        spend_nothing_in_vain(address, &mut own, &mut keys);
    }
    if !own.iter().any(|action| matches!(action, Action::Refuse(_))) {
        role::later(spec, address, &ground, &slots, plan);
    }
    own.sort_by_key(rank);
    plan.actions.extend(own.into_iter().map(|action| {
        let at = match &action {
            // What made it necessary is the key's line.
            Action::CreateUser(create) => slots.cause(&create.user).unwrap_or(at),
            Action::Grant(_) => spec.grants.at.as_ref().unwrap_or(at),
            Action::CreateTenant(_)
            | Action::Settle(_)
            | Action::Trust(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Reclaim(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => at,
        };
        Planned { address: address.clone(), at: at.clone(), action }
    }));
    plan.actions.append(&mut keys.actions);
    plan.findings.append(&mut keys.findings);
    plan.notices.append(&mut keys.notices);
    plan.unchecked.append(&mut keys.unchecked);
    undeclared_keys(scene, address, &ground, plan);
}

/// A tenant costs licence quota, and some of what its keys need (the limits) is sent once, while it is set up. So it is not
/// created before all its keys can be minted.
fn spend_nothing_in_vain(address: &Address, own: &mut Vec<Action>, keys: &mut Plan) {
    let refused = |planned: &Planned| matches!(planned.action, Action::Refuse(_));
    let Some(first) = keys.actions.iter().find(|planned| refused(planned)).map(|planned| planned.address.clone())
    else {
        return;
    };
    let why = format!("its key {first} is refused, and a tenant is created only when all its keys can be minted");
    *own = vec![Action::Refuse(Refusal::new(Code::Depends, why, format!("resolve {first} first")))];
    for planned in keys.actions.iter_mut().filter(|planned| !refused(planned)) {
        planned.action = Action::Refuse(depends(&address.to_string()));
    }
    keys.unchecked.clear();
    keys.findings.clear();
}

/// By such a clock every key would be due, or none; by another than its own, keys that still live would be renewed.
fn astray(clock: &ClockLive) -> Refusal {
    let way = if clock.ahead > 0 { "ahead of" } else { "behind" };
    Refusal::new(
        Code::ClockAstray,
        format!("the clock of {} is {} {way} the other hosts' clocks", clock.host, rough(clock.ahead)),
        "if a proxy or gateway of yours answers in its place, set its clock; else tell the vendor, and run this again",
    )
    .or("qlik-plan --at TIME shows the plan of a time that you give")
}

/// The order of doing within one tenant.
fn rank(action: &Action) -> u8 {
    match action {
        Action::CreateTenant(_) => 0,
        Action::Keep(_) => 1,
        Action::Settle(_) => 2,
        Action::Trust(_) => 3,
        Action::CreateUser(_) => 4,
        Action::Grant(_) => 5,
        Action::Drift(_) => 6,
        Action::Mark(_) | Action::CreateKey(_) | Action::Renew(_) | Action::Reclaim(_) => 7,
        Action::Wait(_) | Action::Refuse(_) => 8,
    }
}

fn decide<'a>(
    scene: &Scene<'a>,
    address: &Address,
    spec: &QlikTenant,
    actions: &mut Vec<Action>,
) -> Result<Ground<'a>, Stop> {
    let (facts, record) = match &scene.live.ledger {
        LedgerLive::Present(facts) => (Some(facts), facts.records.get(address)),
        LedgerLive::Missing { place, strict } => {
            refuse_missing(scene, place, *strict)?;
            (None, None)
        }
    };
    let Some(account) = scene.desired.accounts.get(&spec.account) else {
        return Err(Refusal::new(
            Code::Unreadable,
            format!("settings have no account {}", spec.account),
            "add it under accounts:",
        )
        .into());
    };
    let region = &account.region;
    if let Some(clock) = scene.live.clocks.get(address).filter(|clock| !clock.is_believed()) {
        return Err(astray(clock).into());
    }
    let read = scene.live.tenants.get(address);
    if let Some(TenantLive { tenant: TenantRead::Present(present), .. }) = read
        && let Some(all) = scene.twice.get(&present.id)
    {
        let all: Vec<String> = all.iter().map(ToString::to_string).collect();
        return Err(Refusal::new(
            Code::SameTenantTwice,
            format!("{} lead to one tenant, {}; a tenant has one address", all.join(" and "), present.id),
            "remove all but one of them from desired state, or correct their `adopt:`",
        )
        .into());
    }
    let state = record.map(|record| &record.state);
    match state {
        None | Some(State::Free) => match &spec.adopt {
            Some(label) => adopt(scene, address, spec, region.host(label), read, record, actions),
            None => {
                may_create(scene, address, spec, facts)?;
                let of = NewTenant::Qlik { region: region.clone() };
                actions.push(Action::CreateTenant(CreateTenant { account: spec.account.clone(), of }));
                let parent = Parent::MadeBefore(address.clone());
                let parts = settle_parts(spec, region, None, None);
                actions.push(Action::Settle(Settle { account: spec.account.clone(), parent: parent.clone(), parts }));
                grant(spec, parent, None, actions);
                Ok(Ground::MadeBefore)
            }
        },
        Some(State::Pending(intent)) => {
            let life = facts.map_or(Life::Proven, |facts| facts.life(&intent.run));
            if life == Life::Alive {
                return Err(Stop::Wait(Wait {
                    run: Some(intent.run.to_string()),
                    why: "another run is creating this tenant".into(),
                }));
            }
            Err(in_doubt(address, intent.date.to_string(), &intent.region).into())
        }
        Some(State::Bound(binding) | State::Settled(binding)) => {
            let settled = matches!(state, Some(State::Settled(_)));
            let live = bound(address, spec, region, binding, read)?;
            if settled {
                keep(spec, region, live, binding.how, actions);
            } else {
                let parts = settle_parts(spec, region, present(live), limits(live));
                actions.push(Action::Settle(Settle { account: spec.account.clone(), parent: exists(binding), parts }));
            }
            grant(spec, exists(binding), Some(live), actions);
            Ok(Ground::Exists { at: reference(binding), live, record })
        }
        Some(State::Settling(settling)) => {
            let life = facts.map_or(Life::Proven, |facts| facts.life(&settling.run));
            if life == Life::Alive {
                return Err(Stop::Wait(Wait {
                    run: Some(settling.run.to_string()),
                    why: "another run is settling this tenant".into(),
                }));
            }
            let binding = &settling.binding;
            let live = bound(address, spec, region, binding, read)?;
            let parts = settle_parts(spec, region, present(live), limits(live));
            if !parts.is_empty() && life != Life::Proven {
                return Err(Refusal::new(
                    Code::SettlingInDoubt,
                    format!(
                        "run {} began settling it, is over by the clock, and not everything is as declared",
                        settling.run
                    ),
                    format!("qlik-apply resolve {address} --settle   (once that run's machine is known to be gone)"),
                )
                .into());
            }
            actions.push(Action::Settle(Settle { account: spec.account.clone(), parent: exists(binding), parts }));
            grant(spec, exists(binding), Some(live), actions);
            Ok(Ground::Exists { at: reference(binding), live, record })
        }
    }
}

fn in_doubt(address: &Address, date: String, region: &Untrusted) -> Refusal {
    Refusal::new(
        Code::TenantInDoubt,
        format!(
            "a run asked for this tenant at {date} in region {region} and did not learn the outcome; there may be one already"
        ),
        "look at the tenants of your subscription in My Qlik for one created at that time, then one of:",
    )
    .or(format!("qlik-apply resolve {address} --adopt HOSTNAME   (it is there)"))
    .or(format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"))
}

fn exists(binding: &Binding) -> Parent {
    Parent::Exists(reference(binding))
}

fn reference(binding: &Binding) -> TenantRef {
    TenantRef { id: binding.tenant_id.clone(), hostname: binding.hostname.clone() }
}

/// Live keys with our marker that no declared key answers for.
fn undeclared_keys(scene: &Scene, address: &Address, ground: &Ground, plan: &mut Plan) {
    let (Ground::Exists { live, record: Some(record), .. }, LedgerLive::Present(facts)) = (ground, &scene.live.ledger)
    else {
        return;
    };
    let Some(Observed::Present(keys)) = &live.keys else { return };
    let declared: Vec<KeyUid> = scene
        .desired
        .qlik_keys(address)
        .filter_map(|(key, _, _)| key.key.as_ref().map(|name| KeyUid::of(&record.uid, name)))
        .collect();
    for key in keys.values().filter(|key| key.is_live(scene.now)) {
        if let Some(marker) = key.marker.as_ref().filter(|m| m.is_of(&facts.id) && !declared.contains(&m.uid)) {
            plan.notices.push(Notice {
                address: Some(address.clone()),
                at: None,
                text: format!(
                    "key {} ({}) was made for a key that is no longer declared (marker {}); it is left to expire",
                    Untrusted::from(key.id.as_str()),
                    key.text,
                    marker.uid
                )
                .into(),
            });
        }
    }
}
