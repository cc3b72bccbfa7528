//! The room in one tenant, and the needs of the keys that are planned in it.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::live::{KeyLimitsLive, Observed};
use crate::model::place::Place;
use crate::model::spec::{Owner, QlikKey, QlikTenant, User};

use super::ground::Ground;
use crate::plan::action::{Action, Parent, SettlePart, Trust};
use crate::plan::refusal::Refusal;
use crate::plan::scene::Scene;

/// The room in one tenant, counted down as keys are planned.
pub(in crate::plan) struct Slots {
    pub(super) limits: Option<KeyLimitsLive>,
    /// The reason for which limits are unknown.
    pub(super) unread: Option<Refusal>,
    /// Live keys by owner, the planned ones included.
    pub(super) used: BTreeMap<Owner, u32>,
    pub(super) everyone_may_mint: Option<bool>,
    /// True if a planned key is minted with the key client, for itself or for a user.
    pub(super) key_client_mints: bool,
    /// Owners to be made, and where the first key that is to be theirs is declared.
    pub(super) to_make: BTreeMap<String, (User, Place)>,
}

impl Slots {
    pub(super) fn new(scene: &Scene, spec: &QlikTenant, ground: &Ground, own: &[Action]) -> Self {
        let granted = own.iter().any(|action| matches!(action, Action::Grant(_)));
        let settled = own.iter().find_map(|action| {
            let Action::Settle(settle) = action else { return None };
            settle.parts.iter().find_map(|part| match part {
                SettlePart::Limits(limits) => Some(*limits),
                SettlePart::Name(_) | SettlePart::Alias { .. } => None,
            })
        });
        let (mut limits, mut unread, mut everyone) = (None, None, None);
        let mut used = BTreeMap::new();
        match ground {
            Ground::MadeBefore { .. } => {
                limits = Some(KeyLimitsLive::VENDOR_DEFAULT);
                everyone = Some(false);
            }
            Ground::Exists { live, .. } => {
                match &live.limits {
                    Some(Observed::Present(found)) => limits = Some(*found),
                    Some(Observed::Unreadable(unreadable)) => unread = Some(unreadable.into()),
                    Some(Observed::Absent) | None => {}
                }
                match &live.user_default {
                    Some(Observed::Present(role)) => everyone = Some(role.manages_api_keys),
                    Some(Observed::Unreadable(unreadable)) => unread = unread.or_else(|| Some(unreadable.into())),
                    Some(Observed::Absent) | None => {}
                }
                if let Some(Observed::Present(keys)) = &live.keys {
                    for (owner, caller) in &live.callers {
                        if let Observed::Present(caller) = caller {
                            let count =
                                keys.values().filter(|k| k.is_live(scene.now) && k.sub == caller.user_id).count();
                            used.insert(owner.clone(), u32::try_from(count).unwrap_or(u32::MAX));
                        }
                    }
                }
            }
            Ground::Refused | Ground::Waiting => {}
        }
        if let (Some(limits), Some(sent)) = (&mut limits, settled) {
            limits.max_expiry = sent.max_expiry.unwrap_or(limits.max_expiry);
            limits.max_keys_per_user = sent.max_keys_per_user.unwrap_or(limits.max_keys_per_user);
        }
        if granted || (spec.grants.to_everyone() && matches!(ground, Ground::MadeBefore { .. })) {
            everyone = Some(true);
        }
        Self { limits, unread, used, everyone_may_mint: everyone, key_client_mints: false, to_make: BTreeMap::new() }
    }

    /// A live key of that owner is revoked before others are minted.
    pub(super) fn free(&mut self, spec: &QlikKey) {
        if let Some(used) = self.used.get_mut(&spec.owner) {
            *used = used.saturating_sub(1);
        }
    }

    pub(super) fn limits(&self) -> Option<KeyLimitsLive> {
        self.limits
    }

    pub(super) fn key_client_mints(&self) -> bool {
        self.key_client_mints
    }

    /// Returns whether this plan makes an owner who is not there.
    pub(super) fn makes(&self, owner: &Owner) -> bool {
        owner.user().and_then(|user| user.subject.as_ref()).is_some_and(|subject| self.to_make.contains_key(subject))
    }

    /// Returns the place of the first key that a user is made for.
    pub(super) fn cause(&self, user: &User) -> Option<&Place> {
        self.to_make.get(user.subject.as_ref()?).map(|(_, at)| at)
    }

    /// The trust that the planned keys need, if it is not there.
    pub(super) fn trust(&self, spec: &QlikTenant, address: &Address, ground: &Ground) -> Option<Trust> {
        if !self.key_client_mints {
            return None;
        }
        match ground {
            Ground::MadeBefore { .. } => Some(trust_in(spec, Parent::MadeBefore(address.clone()))),
            Ground::Exists { at, live, .. } => match &live.key_client {
                Some(Observed::Present(consent)) if !consent.trusted => {
                    Some(trust_in(spec, Parent::Exists(at.clone())))
                }
                Some(Observed::Present(_) | Observed::Absent | Observed::Unreadable(_)) | None => None,
            },
            Ground::Refused | Ground::Waiting => None,
        }
    }
}

fn trust_in(spec: &QlikTenant, parent: Parent) -> Trust {
    Trust { account: spec.account.clone(), parent }
}
