//! `--only renewals`: of a plan, what keeps delivered keys alive. It only leaves out, and says what.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Notice, Plan, Planned, WhyMint};
use crate::model::address::Address;

/// Leaves out everything that is no renewal. What creates, sets up, grants or trusts waits for an apply of its own, and so does
/// a key that no run delivered yet.
pub(super) fn renewals(plan: &mut Plan) {
    let mut left: BTreeMap<Address, BTreeSet<&'static str>> = BTreeMap::new();
    for Planned { address, action, .. } in &plan.actions {
        if let Some(deed) = no_renewal(action) {
            left.entry(address.clone()).or_default().insert(deed);
        }
    }
    plan.actions.retain(|planned| {
        // A leftover goes after its successor, and there will be none.
        let alone = matches!(planned.action, Action::Reclaim(_)) && left.contains_key(&planned.address);
        no_renewal(&planned.action).is_none() && !alone
    });
    plan.notices.extend(left.into_iter().map(|(address, deeds)| {
        let deeds = deeds.into_iter().collect::<Vec<_>>().join(", ");
        Notice::of(&address, format!("left out by --only renewals: {deeds}; an apply without it does that"))
    }));
}

/// Returns the deed of an action that is no renewal, and nothing of one that is.
fn no_renewal(action: &Action) -> Option<&'static str> {
    match action {
        Action::CreateTenant(_) => Some("create the tenant"),
        Action::MoveGroup(_) => Some("record the tenant as another group's"),
        Action::Settle(_) => Some("set up the tenant"),
        Action::Trust(_) => Some("trust the key client"),
        Action::CreateObject(_) => Some("create what a key needs in the tenant"),
        Action::Grant(_) => Some("grant a permission"),
        Action::CreateKey(create) => match create.why {
            // A run delivered it, and nothing renewed it in time.
            WhyMint::Dead { .. } => None,
            WhyMint::Missing | WhyMint::Supersede { .. } | WhyMint::Asked | WhyMint::Replaced { .. } => {
                Some("create the key")
            }
        },
        Action::Renew(_)
        | Action::Mark(_)
        | Action::Reclaim(_)
        | Action::Keep(_)
        | Action::Drift(_)
        | Action::Wait(_)
        | Action::Refuse(_) => None,
    }
}
