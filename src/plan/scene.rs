//! The values that every decision looks at, and the place that it writes to.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::duration::Duration;
use crate::model::live::Live;
use crate::model::settings::Limits;

use super::action::{Action, Plan, Planned};
use super::estate::{Estate, NOTHING};
use super::finding::Finding;

/// The wishes of a person for this one run, beyond desired state and settings.
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
    /// `--only renewals`: leave out whatever is no renewal of a delivered key.
    pub only_renewals: bool,
    /// `--live FILE`: what the snapshot does not have was not looked at, and is listed as unchecked.
    pub offline: bool,
    /// `--warn-within`: name kept keys that will be due, or end, within this.
    pub warn_within: Option<Duration>,
    /// `--unmanaged`: name the tenants that nobody manages here.
    pub unmanaged: bool,
    /// The limits that this run is held to.
    pub limits: Limiting,
    /// Found before anything was planned, as by whoever read the files.
    pub findings: Vec<Finding>,
}

/// The limits of settings that one run is held to, where it is one of several shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limiting {
    /// A shard may do its share, so that all together do no more than one run may.
    #[default]
    Share,
    /// The plan is a part of one that is held to them when the parts are merged.
    WhenMerged,
    /// A shard does its part of a merged plan, which was held to them.
    Merged,
}

impl Limiting {
    /// Returns the limits to hold a plan to; `None` for none.
    pub(super) fn of_run(self, desired: &Desired) -> Option<Limits> {
        let Limits { create_tenants, mint_keys, objects } = desired.limits;
        match (self, desired.selection.shard) {
            (Self::WhenMerged, Some(_)) => None,
            (Self::Share, Some(shard)) => {
                let (create_tenants, mint_keys) = (shard.share(create_tenants), shard.share(mint_keys));
                Some(Limits { create_tenants, mint_keys, objects })
            }
            (Self::Merged, _) | (Self::Share | Self::WhenMerged, None) => Some(desired.limits),
        }
    }
}

/// The values that every decision looks at.
pub(crate) struct Scene<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) live: &'a Live,
    pub(crate) wishes: &'a Wishes,
    pub(crate) now: Timestamp,
    /// The facts about the whole estate.
    pub(super) estate: &'a Estate<'a>,
}

impl<'a> Scene<'a> {
    pub(crate) fn of(desired: &'a Desired, live: &'a Live, wishes: &'a Wishes, now: Timestamp) -> Self {
        Self { desired, live, wishes, now, estate: &NOTHING }
    }

    /// The same by the clock that judges one tenant's keys: its host's own.
    pub(super) fn by_the_clock_of(&self, tenant: &Address) -> Self {
        let ahead = self.live.clocks.get(tenant).map_or(0, |clock| clock.ahead);
        let now = Timestamp::from_second(self.now.as_second().saturating_add(ahead)).unwrap_or(self.now);
        let Self { desired, live, wishes, estate, .. } = self;
        Self { desired, live, wishes, now: if ahead == 0 { self.now } else { now }, estate }
    }
}

/// Appends one action for an object.
pub(super) fn push(plan: &mut Plan, scene: &Scene, address: &Address, action: Action) {
    if let Some(declared) = scene.desired.items.get(address) {
        plan.actions.push(Planned { address: address.clone(), at: declared.at.clone(), action });
    }
}
