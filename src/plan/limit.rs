//! `limits:` in settings: a plan that would create more is refused whole, before anything is sent.

use crate::model::settings::Limits;

use super::action::{Action, Parent, Planned};
use super::refusal::{Code, Refusal};

/// Replaces creations by refusals where there are more than the limits allow.
pub(super) fn hold(limits: Limits, actions: &mut Vec<Planned>) {
    let tenants = actions.iter().filter(|p| creates_tenant(&p.action)).count();
    if exceeds(tenants, limits.create_tenants) {
        let in_new_tenant = |p: &Planned| matches!(p.action.parent(), Some(Parent::MadeBefore(_)));
        // What is done for a tenant goes with it; its keys are declared, and say what became of them.
        actions.retain(|p| mints(&p.action) || !in_new_tenant(p));
        for planned in actions.iter_mut() {
            if creates_tenant(&planned.action) {
                planned.action = Action::Refuse(Refusal::new(
                    Code::OverLimit,
                    format!(
                        "{tenants} {} missing and one run may create at most {} (limits.create_tenants)",
                        if tenants == 1 { "tenant is" } else { "tenants are" },
                        limits.create_tenants
                    ),
                    "raise limits.create_tenants in settings if every one of them is meant; a creation costs licence quota",
                ));
            } else if in_new_tenant(planned) {
                planned.action = Action::Refuse(depends(&planned.address.parent().to_string()));
            }
        }
    }
    let keys = actions.iter().filter(|p| mints(&p.action)).count();
    if exceeds(keys, limits.mint_keys) {
        // A leftover goes after its successor, and there will be none.
        actions.retain(|p| !matches!(&p.action, Action::Reclaim(reclaim) if reclaim.after_delivery));
        for planned in actions.iter_mut() {
            if mints(&planned.action) {
                planned.action = Action::Refuse(Refusal::new(
                    Code::OverLimit,
                    format!(
                        "{keys} {} to be minted and one run may mint at most {} (limits.mint_keys)",
                        if keys == 1 { "key is" } else { "keys are" },
                        limits.mint_keys
                    ),
                    "raise limits.mint_keys in settings if every one of them is meant",
                ));
            }
        }
    }
}

pub(super) fn depends(on: &str) -> Refusal {
    Refusal::new(Code::Depends, format!("it depends on {on}, which is refused"), format!("resolve {on} first"))
}

fn creates_tenant(action: &Action) -> bool {
    matches!(action, Action::CreateTenant(_))
}

fn mints(action: &Action) -> bool {
    matches!(action, Action::CreateKey(_) | Action::Renew(_))
}

fn exceeds(count: usize, limit: u32) -> bool {
    u32::try_from(count).map_or(true, |count| count > limit)
}
