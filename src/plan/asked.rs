//! The answer to `--reclaim` for a key that the plan does not delete: a wish is not passed over.

use crate::model::address::Address;
use crate::model::imburse::TenantRead;
use crate::model::live::{Live, Observed};

use super::action::{Action, Plan};
use super::scene::Wishes;

/// The reason for which a key that was named is not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The sink holds it, so somebody may use it.
    InItsSink(Address),
    /// The key lives in this tenant, and no declared key of ours is it.
    NotOurs(Address),
    /// No key that was read has this public key.
    Unknown,
}

/// The public keys in `wishes.reclaim` that the plan does not delete, and why. What is refused or could not be read says so itself.
pub fn unmet(plan: &Plan, live: &Live, wishes: &Wishes) -> Vec<(String, Unmet)> {
    wishes.reclaim.iter().filter_map(|id| Some((id.clone(), why(id, plan, live)?))).collect()
}

fn why(id: &str, plan: &Plan, live: &Live) -> Option<Unmet> {
    let is_it = |key: &str| key.eq_ignore_ascii_case(id);
    let deleted = plan
        .actions
        .iter()
        .any(|planned| matches!(&planned.action, Action::Reclaim(reclaim) if is_it(&reclaim.key_id)));
    if deleted {
        return None;
    }
    let refused = |tenant: &Address| {
        plan.actions.iter().any(|planned| {
            (planned.address == *tenant || planned.address.parent() == *tenant)
                && matches!(planned.action, Action::Refuse(_) | Action::Wait(_))
        })
    };
    if let Some((address, _)) = live.sinks.iter().find(|(_, sink)| sink.entries().any(|entry| is_it(&entry.key_id))) {
        return Some(Unmet::InItsSink(address.clone()));
    }
    let mut unread = false;
    for (address, tenant) in &live.imburse.tenants {
        match &tenant.keys {
            Some(Observed::Present(keys)) if keys.values().any(|key| is_it(&key.public_key)) => {
                return (!refused(address)).then(|| Unmet::NotOurs(address.clone()));
            }
            Some(Observed::Present(_) | Observed::Absent) => {}
            Some(Observed::Unreadable(_)) => unread = true,
            // One that is yet to be made has none.
            None => unread |= !matches!(tenant.tenant, TenantRead::Nowhere),
        }
    }
    (!unread).then_some(Unmet::Unknown)
}
