//! One declared tenant: what its record and the vendor's answers ask for, and then its keys.

use crate::model::address::Address;
use crate::model::imburse::{AccountRead, ImburseTenant};
use crate::model::live::LedgerLive;
use crate::model::place::Place;
use crate::model::record::{Intent, State};
use crate::model::run::Life;

use super::super::action::{Action, CreateTenant, NewTenant, Plan, Planned, Wait};
use super::super::create::refuse_missing;
use super::super::ground::Stop;
use super::super::ignore;
use super::super::limit::depends;
use super::super::refusal::{Code, Refusal};
use super::super::scene::{Scene, push};
use super::create::may_create;
use super::found::{adopt, bound};
use super::ground::{Case, Ground};
use super::key;

pub(super) fn plan(scene: &Scene, address: &Address, spec: &ImburseTenant, at: &Place, plan: &mut Plan) {
    let case = Case { scene, address, spec };
    let mut own = Vec::new();
    let ground = match decide(&case, &mut own, plan) {
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
    for action in &mut own {
        if let Action::Drift(drift) = action {
            let (fields, mut said) = ignore::split(scene, address, std::mem::take(&mut drift.fields));
            drift.fields = fields;
            plan.notices.append(&mut said);
        }
    }
    own.retain(|action| !matches!(action, Action::Drift(drift) if drift.fields.is_empty()));
    if let (true, Ground::Exists { live, .. }) = (own.is_empty(), &ground) {
        own.extend(super::found::kept(&case, live));
    }
    let mut keys = Plan::empty(plan.now);
    for (key_address, key_spec, _) in scene.desired.imburse_keys(address) {
        key::roles(key_address, key_spec, &mut keys);
        match &ground {
            Ground::Refused => push(&mut keys, scene, key_address, Action::Refuse(depends(&address.to_string()))),
            Ground::Waiting => {
                let wait = Wait { run: None, why: format!("its tenant {address} waits") };
                push(&mut keys, scene, key_address, Action::Wait(wait));
            }
            Ground::MadeBefore { .. } | Ground::Exists { .. } => {
                key::plan(&case, &ground, key_address, key_spec, &mut keys);
            }
        }
    }
    if matches!(ground, Ground::MadeBefore { .. }) {
        spend_nothing_in_vain(address, &mut own, &mut keys);
    }
    plan.actions.extend(own.into_iter().map(|action| Planned { address: address.clone(), at: at.clone(), action }));
    plan.actions.append(&mut keys.actions);
    plan.findings.append(&mut keys.findings);
    plan.notices.append(&mut keys.notices);
    plan.unchecked.append(&mut keys.unchecked);
    key::undeclared(&case, &ground, plan);
}

/// A tenant counts against the licence for ever, so it is not created before all its keys can be made.
fn spend_nothing_in_vain(address: &Address, own: &mut Vec<Action>, keys: &mut Plan) {
    let refused = |planned: &Planned| matches!(planned.action, Action::Refuse(_));
    let Some(first) = keys.actions.iter().find(|planned| refused(planned)).map(|planned| planned.address.clone())
    else {
        return;
    };
    let why = format!("its key {first} is refused, and a tenant is created only when all its keys can be made");
    *own = vec![Action::Refuse(Refusal::new(Code::Depends, why, format!("resolve {first} first")))];
    for planned in keys.actions.iter_mut().filter(|planned| !refused(planned)) {
        planned.action = Action::Refuse(depends(&address.to_string()));
    }
    keys.unchecked.clear();
}

fn decide<'a>(case: &Case<'a>, actions: &mut Vec<Action>, plan: &mut Plan) -> Result<Ground<'a>, Stop> {
    let Case { scene, address, spec } = *case;
    let (facts, record) = match &scene.live.ledger {
        LedgerLive::Present(facts) => (Some(facts), facts.records.get(address)),
        LedgerLive::Missing { place, strict } => {
            refuse_missing(scene, place, *strict)?;
            (None, None)
        }
    };
    let Some(account) = scene.desired.imburse.get(&spec.account) else {
        return Err(Refusal::new(
            Code::Unreadable,
            format!("settings have no account {} of vendor imburse", spec.account),
            "add it under accounts:",
        )
        .into());
    };
    let read = scene.live.imburse.tenants.get(address);
    match record.map(|record| &record.state) {
        None | Some(State::Free) => match (&spec.adopt, &spec.display_name) {
            (Some(id), _) => adopt(case, account, id, read, record, actions),
            (None, Some(name)) => {
                may_create(case, account, name, facts, plan)?;
                let waits = match scene.live.imburse.accounts.get(&spec.account).and_then(|a| a.account.as_ref()) {
                    Some(AccountRead::Present(account)) => Some(account.tenant_creation_approval_required),
                    Some(AccountRead::Forbidden(_) | AccountRead::Unreadable(_)) | None => None,
                };
                let of = NewTenant::Imburse {
                    host: account.host.clone(),
                    name: name.clone(),
                    address: spec.address.clone().unwrap_or_default(),
                    waits_for_approval: waits,
                };
                actions.push(Action::CreateTenant(CreateTenant { account: spec.account.clone(), of }));
                Ok(Ground::MadeBefore { waits_for_approval: waits == Some(true) })
            }
            (None, None) => Err(Refusal::new(
                Code::Unreadable,
                "it says no display_name, by which it would be found or made",
                "add display_name:",
            )
            .into()),
        },
        Some(State::Pending(intent)) => {
            let life = facts.map_or(Life::Proven, |facts| facts.life(&intent.run));
            if life == Life::Alive {
                return Err(Stop::Wait(Wait {
                    run: Some(intent.run.to_string()),
                    why: "another run is creating this tenant".into(),
                }));
            }
            Err(in_doubt(case, intent).into())
        }
        // Only `settled` is ever written for Imburse: name and address go with the one POST.
        Some(State::Bound(binding) | State::Settled(binding)) => bound(case, account, binding, read, record, actions),
        Some(State::Settling(settling)) => bound(case, account, &settling.binding, read, record, actions),
    }
}

fn in_doubt(case: &Case<'_>, intent: &Intent) -> Refusal {
    let Case { address, .. } = case;
    Refusal::new(
        Code::TenantInDoubt,
        format!(
            "a run asked for this tenant at {} at {} and did not learn the outcome; there may be one already",
            intent.date, intent.region
        ),
        format!("qlik-apply resolve {address}   (lists what the account has that it had not before)"),
    )
    .or(format!("qlik-apply resolve {address} --adopt TENANT_ID   (it is there)"))
    .or(format!("qlik-apply resolve {address} --not-created      (it is not, an hour after the attempt)"))
}
