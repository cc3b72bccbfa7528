//! One declared tenant, at either vendor: what its record and its live state ask for, and then its keys.

use crate::model::address::Address;
use crate::model::live::{LedgerLive, Observed};
use crate::model::marker::KeyUid;
use crate::model::place::Place;
use crate::model::record::State;
use crate::model::run::Life;

use super::action::{Action, MoveGroup, Notice, Plan, Planned, Wait};
use super::create::refuse_missing;
use super::ground::Ground;
use super::key::Candidate;
use super::limit::depends;
use super::refusal::{Code, Refusal};
use super::scene::{Scene, push};
use super::stop::Stop;
use super::vendor::{On, TenantRules};
use super::{deliver, ignore, recorded};

pub(super) fn plan<'a, T: TenantRules<'a>>(tenant: &T, at: &Place, plan: &mut Plan) {
    let (scene, address) = (tenant.scene(), tenant.address());
    let mut own = Vec::new();
    let ground = match decide(tenant, &mut own, plan) {
        Ok(ground) => ground,
        Err(stop) => {
            let ground = match &stop {
                Stop::Refuse(_) => Ground::Refused,
                Stop::Wait(_) => Ground::Waiting,
            };
            own.push(stop.into());
            ground
        }
    };
    if !matches!(ground, Ground::Refused | Ground::Waiting) {
        own.extend(moved(scene, address).map(Action::MoveGroup));
    }
    plan.notices.append(&mut ignore::drift(scene, address, &mut own));
    if let (false, Ground::Exists { live, record, .. }) = (own.iter().any(says_how_it_stands), &ground) {
        own.extend(tenant.kept(live, *record));
    }
    let mut room = tenant.room(&ground, &mut own);
    let mut keys = Plan::empty(plan.now);
    for (key, declared) in tenant.keys() {
        tenant.note(key, declared, &mut keys);
        match &ground {
            Ground::Refused => push(&mut keys, scene, key, Action::Refuse(depends(&address.to_string()))),
            Ground::Waiting => {
                let wait = Wait { run: None, why: format!("its tenant {address} waits") };
                push(&mut keys, scene, key, Action::Wait(wait));
            }
            Ground::MadeBefore { .. } | Ground::Exists { .. } => {
                deliver::plan(&On { tenant, address: key, declared, ground: &ground }, &mut room, &mut keys);
            }
        }
    }
    tenant.complete(at, &ground, &room, &mut own, &mut keys);
    if matches!(ground, Ground::MadeBefore { .. }) {
        spend_nothing_in_vain(address, T::POLICY.made, &mut own, &mut keys);
    }
    if !own.iter().any(|action| matches!(action, Action::Refuse(_))) {
        tenant.later(&ground, &room, plan);
    }
    own.sort_by_key(rank);
    plan.actions.extend(own.into_iter().map(|action| {
        let at = tenant.cause(&action, &room).unwrap_or(at).clone();
        Planned { address: address.clone(), at, action }
    }));
    plan.actions.append(&mut keys.actions);
    plan.findings.append(&mut keys.findings);
    plan.notices.append(&mut keys.notices);
    plan.unchecked.append(&mut keys.unchecked);
    undeclared_keys(tenant, &ground, plan);
}

/// Decides by the ledger's record of the tenant.
fn decide<'a, T: TenantRules<'a>>(
    tenant: &T,
    own: &mut Vec<Action>,
    plan: &mut Plan,
) -> Result<Ground<'a, T::Live>, Stop> {
    let (scene, address) = (tenant.scene(), tenant.address());
    let (ledger, record) = match &scene.live.ledger {
        LedgerLive::Present(facts) => (Some(facts), facts.records.get(address)),
        LedgerLive::Missing { place, strict } => {
            refuse_missing(scene, place, *strict)?;
            (None, None)
        }
    };
    tenant.sound()?;
    let Some(record) = record else { return tenant.unrecorded(ledger, None, own, plan) };
    of_its_group(scene, address)?;
    match &record.state {
        State::Free => tenant.unrecorded(ledger, Some(record), own, plan),
        State::Pending(intent) => match ledger.map_or(Life::Proven, |facts| facts.life(&intent.run)) {
            Life::Alive => Err(Stop::Wait(Wait {
                run: Some(intent.run.to_string()),
                why: "another run is creating this tenant".into(),
            })),
            Life::OverByClock | Life::Proven => Err(tenant.in_doubt(intent).into()),
        },
        State::Bound(binding) | State::Settled(binding) => tenant.bound(record, binding, own),
        State::Settling(settling) => tenant.bound(record, &settling.binding, own),
    }
}

/// Refuses a tenant that another group manages, unless the file that declares it says that it takes tenants from there.
fn of_its_group(scene: &Scene, address: &Address) -> Result<(), Refusal> {
    let Some(MoveGroup { from, to }) = moved(scene, address) else { return Ok(()) };
    if scene.desired.groups.get(&to).is_some_and(|taken| taken.contains(&from)) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::OtherGroup,
        format!("the ledger has it as a tenant of group {from}, and here group {to} declares it"),
        format!("if group {from} manages it: remove it here, or name this file's group: {from}"),
    )
    .or(format!("if group {to} is to manage it: takes_from: [{from}] at the top of this file, and remove it there")))
}

/// The move from the group that the ledger has to the one that declares it. `None`: it is the same, or no tenant was made yet.
fn moved(scene: &Scene, address: &Address) -> Option<MoveGroup> {
    let record = recorded::record(scene, address).filter(|record| record.state != State::Free)?;
    let to = &scene.desired.items.get(address)?.group;
    (record.group != *to).then(|| MoveGroup { from: record.group.clone(), to: to.clone() })
}

/// Returns whether an action tells how the tenant itself stands, so that nothing is to be said of it besides.
fn says_how_it_stands(action: &Action) -> bool {
    match action {
        Action::CreateTenant(_)
        | Action::Settle(_)
        | Action::Keep(_)
        | Action::Drift(_)
        | Action::Wait(_)
        | Action::Refuse(_) => true,
        Action::MoveGroup(_)
        | Action::Trust(_)
        | Action::CreateObject(_)
        | Action::Grant(_)
        | Action::Mark(_)
        | Action::CreateKey(_)
        | Action::Renew(_)
        | Action::Reclaim(_) => false,
    }
}

/// A tenant costs licence quota, for ever at one vendor, and some of what its keys need may be sent only while it is set up. So it
/// is not created before all its keys can be made.
fn spend_nothing_in_vain(address: &Address, made: &str, own: &mut Vec<Action>, keys: &mut Plan) {
    let refused = |planned: &Planned| matches!(planned.action, Action::Refuse(_));
    let Some(first) = keys.actions.iter().find(|planned| refused(planned)).map(|planned| planned.address.clone())
    else {
        return;
    };
    let why = format!("its key {first} is refused, and a tenant is created only when all its keys can be {made}");
    *own = vec![Action::Refuse(Refusal::new(Code::Depends, why, format!("resolve {first} first")))];
    for planned in keys.actions.iter_mut().filter(|planned| !refused(planned)) {
        planned.action = Action::Refuse(depends(&address.to_string()));
    }
    keys.unchecked.clear();
    keys.findings.clear();
}

/// The order of doing within one tenant.
fn rank(action: &Action) -> u8 {
    match action {
        Action::CreateTenant(_) | Action::MoveGroup(_) => 0,
        Action::Keep(_) => 1,
        Action::Settle(_) => 2,
        Action::Trust(_) => 3,
        Action::CreateObject(_) => 4,
        Action::Grant(_) => 5,
        Action::Drift(_) => 6,
        Action::Mark(_) | Action::CreateKey(_) | Action::Renew(_) | Action::Reclaim(_) => 7,
        Action::Wait(_) | Action::Refuse(_) => 8,
    }
}

/// Live keys with our marker that no declared key answers for.
fn undeclared_keys<'a, T: TenantRules<'a>>(tenant: &T, ground: &Ground<'a, T::Live>, plan: &mut Plan) {
    let scene = tenant.scene();
    let (Ground::Exists { live, record: Some(record), .. }, LedgerLive::Present(facts)) = (ground, &scene.live.ledger)
    else {
        return;
    };
    let Some(Observed::Present(keys)) = T::listed(live) else { return };
    let here = tenant.keys().map(|(key, _)| key);
    let passed_over = scene.desired.passed_over_of(tenant.address());
    let declared: Vec<KeyUid> =
        here.chain(passed_over).filter_map(|key| key.key().map(|name| KeyUid::of(&record.uid, name))).collect();
    for key in keys.values().filter(|key| key.is_live(scene.now)) {
        let Some(marker) = key.marker().filter(|m| m.is_of(&facts.id) && !declared.contains(&m.uid)) else { continue };
        let end = match T::POLICY.ends {
            true => "it is left to expire",
            false => "it does not expire: delete it at the vendor if nobody uses it",
        };
        let (id, text, uid) = (key.shown(), key.text(), &marker.uid);
        let text = format!("key {id} ({text}) was made for a key that is no longer declared (marker {uid}); {end}");
        plan.notices.push(Notice::of(tenant.address(), text));
    }
}
