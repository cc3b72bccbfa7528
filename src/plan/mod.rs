//! Desired state, live state and the time → a plan. Pure, total, synchronous; imports only the model.

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::desired::{Declared, Desired};
use crate::model::live::{LedgerLive, Live};

use action::{Action, Notice, Plan};
use estate::Estate;
use qlik::Qlik;
use refusal::Code;
use scene::Scene;

pub mod asked;
mod assume;
mod create;
mod deliver;
mod drift;
mod due;
mod estate;
pub mod explain;
mod facts;
mod ground;
pub mod hurdles;
mod ignore;
mod imburse;
mod key;
mod leftover;
mod limit;
pub mod merge;
pub mod needs;
mod only;
mod qlik;
mod recorded;
mod rename;
pub mod review;
mod scene;
mod stop;
mod store;
mod tenant;
mod undeclared;
mod unmanaged;
mod value;
mod vendor;

pub use scene::{Limiting, Wishes};
pub use value::{action, counts, fact, finding, refusal};

/// Compares what is declared with what is there.
///
/// Total: whatever could not be read becomes a refusal that says so. The result depends on the arguments alone.
pub fn plan(desired: &Desired, live: &Live, wishes: &Wishes, now: Timestamp) -> Plan {
    let mut plan = Plan::empty(now);
    let read = live;
    let filled;
    let live = if wishes.offline {
        (filled, plan.unchecked) = assume::fill(desired, live);
        &filled
    } else {
        live
    };
    let estate = Estate::of(desired, live);
    let scene = Scene { desired, live, wishes, now, estate: &estate };
    for (address, spec, at) in desired.qlik_tenants() {
        let by_its_host = live.clocks.contains_key(address).then(|| scene.by_the_clock_of(address));
        let scene = by_its_host.as_ref().unwrap_or(&scene);
        tenant::plan(&Qlik { scene, address, spec }, at, &mut plan);
    }
    imburse::plan(&scene, &mut plan);
    // Side by side they were planned; by address they are shown and done.
    plan.actions.sort_by(|a, b| a.address.cmp(&b.address));
    if wishes.only_renewals {
        // Before the limits, so that what waits for a review never stops a renewal.
        only::renewals(&mut plan);
    }
    plan.facts = facts::of(&scene, &plan.actions);
    if let Some(within) = wishes.warn_within {
        due::warn(&scene, within, &mut plan);
    }
    qlik::role::warn(&scene, &mut plan);
    store::notices(&scene, &mut plan);
    estate_notices(&scene, &mut plan);
    plan.notices.extend(left_aside(desired));
    plan.findings.extend(wishes.findings.iter().cloned());
    undeclared::find(&scene, &mut plan);
    if wishes.unmanaged {
        let estate = Estate::of(desired, read);
        unmanaged::notices(&Scene { desired, live: read, wishes, now, estate: &estate }, &mut plan);
    }
    merge::finish(plan, wishes.limits.of_run(desired))
}

/// Returns whether there are tenants that nobody manages here, and a person asked for them.
pub fn finds_unmanaged(desired: &Desired, live: &Live, wishes: &Wishes) -> bool {
    let any = || {
        let estate = Estate::of(desired, live);
        unmanaged::any(&Scene { desired, live, wishes, now: Timestamp::UNIX_EPOCH, estate: &estate })
    };
    wishes.unmanaged && any()
}

/// Says of a plan for a part of the estate that it is one, and how large a part.
fn left_aside(desired: &Desired) -> Option<Notice> {
    let selection = &desired.selection;
    if !selection.is_by_choice() {
        return None;
    }
    let part = |of_tenants| {
        let is_one = |(address, _): &(&Address, &Declared)| address.is_tenant() == of_tenants;
        let (here, all) = (desired.of_all_shards().filter(is_one).count(), desired.all().filter(is_one).count());
        format!("{here} of {all}")
    };
    let selection = selection.of_all_shards();
    Some(Notice::general(format!(
        "{selection}: {} declared tenants and {} keys were looked at; this plan says nothing of the others",
        part(true),
        part(false)
    )))
}

/// Adds the notices about the estate as a whole.
fn estate_notices(scene: &Scene, plan: &mut Plan) {
    // An unattended run refuses to create with it, and says so there.
    if let Some(there) = scene.live.ledger_lies_in.as_ref().filter(|_| plan.counts().tenants_to_create > 0) {
        plan.notices.push(Notice::general(format!(
            "the ledger lies in {there}; a clone is a copy of a ledger, not the ledger, and a run with an older copy would \
             create the same tenants again. Keep it out of every checkout"
        )));
    }
    match &scene.live.ledger {
        LedgerLive::Missing { place, .. } => {
            let taken_for_lost = plan.actions.iter().any(
                |planned| matches!(&planned.action, Action::Refuse(refusal) if refusal.code == Code::LedgerMissing),
            );
            if !taken_for_lost && (plan.has_work() || plan.has_refusals()) {
                plan.notices.push(Notice {
                    address: None,
                    at: None,
                    text: format!("new estate: there is no ledger at {place} yet; `qlik-apply ledger init` makes it")
                        .into(),
                });
            }
        }
        LedgerLive::Present(_) => {}
    }
}

#[cfg(test)]
mod kinds;
#[cfg(test)]
mod linear;
