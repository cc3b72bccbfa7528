//! Desired state, live state and the time → a plan. Pure, total, synchronous; imports only the model.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::duration::Duration;
use crate::model::live::{LedgerLive, Live, TenantRead};
use crate::model::untrusted::Untrusted;
use crate::model::weak::Weak;

use action::{Action, Notice, Plan, Planned};
use finding::Finding;
use refusal::Code;

pub mod action;
mod assume;
mod compare;
pub mod counts;
mod create;
mod drift;
mod due;
pub mod explain;
pub mod facts;
pub mod finding;
mod found;
mod headroom;
mod ignore;
pub mod imburse;
pub mod key;
mod leftover;
mod limit;
mod mint;
pub mod needs;
pub mod refusal;
mod rename;
mod renewable;
pub mod review;
mod role;
mod standing;
mod store;
mod tenant;
mod undeclared;
mod unmanaged;

/// What a person asked of this one run, beyond desired state and settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// `--remint ADDRESS`: mint anew although a delivered key lives elsewhere.
    pub remint: BTreeSet<Address>,
    /// `--replace ADDRESS`: mint another over the key in the sink.
    pub replace: BTreeSet<Address>,
    /// `--reclaim PUBLIC_KEY`: nobody uses this key of ours, so it may be deleted at Imburse.
    pub reclaim: BTreeSet<String>,
    /// `--new ADDRESS`: create it although its name is close to one that is no longer declared.
    pub new: BTreeSet<Address>,
    /// `--unrehearsed`: create tenants with keys although minting was never rehearsed.
    pub unrehearsed: bool,
    /// The apply that follows rehearses by itself first (the sandbox does).
    pub will_rehearse: bool,
    /// `--live FILE`: what the snapshot does not have was not looked at, and is listed as unchecked.
    pub offline: bool,
    /// A rule that a test leaves out.
    pub weak: Weak,
    /// `--warn-within`: name kept keys that will be due, or end, within this.
    pub warn_within: Option<Duration>,
    /// `--unmanaged`: name the tenants that nobody manages here.
    pub unmanaged: bool,
    /// Found before anything was planned, as by whoever read the files.
    pub findings: Vec<Finding>,
}

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
    let scene = Scene { desired, live, wishes, now, twice: found_twice(live) };
    for (address, spec, at) in desired.qlik_tenants() {
        match live.clocks.contains_key(address) {
            true => tenant::plan(&scene.by_the_clock_of(address), address, spec, at, &mut plan),
            false => tenant::plan(&scene, address, spec, at, &mut plan),
        }
    }
    imburse::plan(&scene, &mut plan);
    // Side by side they were planned; by address they are shown and done.
    plan.actions.sort_by(|a, b| a.address.cmp(&b.address));
    limit::hold(desired.limits, &mut plan.actions);
    plan.facts = facts::of(&scene, &plan.actions);
    if let Some(within) = wishes.warn_within {
        due::warn(&scene, within, &mut plan);
    }
    role::warn(&scene, &mut plan);
    store::notices(&scene, &mut plan);
    estate_notices(&scene, &mut plan);
    plan.findings.extend(wishes.findings.iter().cloned());
    undeclared::find(&scene, &mut plan);
    role::find(&mut plan);
    drift::say_next(&mut plan);
    unmanaged::notices(&Scene::of(desired, read, wishes, now), &mut plan);
    plan
}

/// Whether there are tenants that nobody manages here, and a person asked for them.
pub fn finds_unmanaged(desired: &Desired, live: &Live, wishes: &Wishes) -> bool {
    wishes.unmanaged && unmanaged::any(&Scene::of(desired, live, wishes, Timestamp::UNIX_EPOCH))
}

/// What every decision looks at.
pub(crate) struct Scene<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) live: &'a Live,
    pub(crate) wishes: &'a Wishes,
    pub(crate) now: Timestamp,
    /// Live tenant ids that more than one address leads to.
    twice: BTreeMap<Untrusted, Vec<Address>>,
}

impl<'a> Scene<'a> {
    /// For asking a single question before everything is read.
    pub(crate) fn of(desired: &'a Desired, live: &'a Live, wishes: &'a Wishes, now: Timestamp) -> Self {
        Self { desired, live, wishes, now, twice: BTreeMap::new() }
    }

    /// The same by the clock that judges one tenant's keys: its host's own.
    fn by_the_clock_of(&self, tenant: &Address) -> Self {
        let ahead = self.live.clocks.get(tenant).map_or(0, |clock| clock.ahead);
        let now = Timestamp::from_second(self.now.as_second().saturating_add(ahead)).unwrap_or(self.now);
        let Self { desired, live, wishes, twice, .. } = self;
        Self { desired, live, wishes, now: if ahead == 0 { self.now } else { now }, twice: twice.clone() }
    }
}

fn found_twice(live: &Live) -> BTreeMap<Untrusted, Vec<Address>> {
    let mut found: BTreeMap<Untrusted, Vec<Address>> = BTreeMap::new();
    for (address, tenant) in &live.tenants {
        if let TenantRead::Present(present) = &tenant.tenant {
            found.entry(present.id.clone()).or_default().push(address.clone());
        }
    }
    found.retain(|_, addresses| addresses.len() > 1);
    found
}

/// What concerns the estate and no single action.
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

/// Appends one action for an object.
fn push(plan: &mut Plan, scene: &Scene, address: &Address, action: Action) {
    if let Some(declared) = scene.desired.items.get(address) {
        plan.actions.push(Planned { address: address.clone(), at: declared.at.clone(), action });
    }
}
