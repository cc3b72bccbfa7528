//! `limits:` in settings: a plan that would create more is refused whole, before anything is sent.

use crate::model::settings::Limits;

use super::action::{Action, Parent, Planned};
use super::refusal::{Code, Refusal};

/// Replaces creations by refusals where there are more than the limits allow.
pub(super) fn hold(limits: Limits, actions: &mut Vec<Planned>) {
    let tenants = actions.iter().filter(|p| creates_tenant(&p.action)).count();
    if exceeds(tenants, limits.create_tenants) {
        actions.retain(|p| match &p.action {
            Action::Settle(settle) => !is_made_before(&settle.parent),
            Action::Trust(trust) => !is_made_before(&trust.parent),
            Action::CreateUser(create) => !is_made_before(&create.parent),
            Action::Grant(grant) => !is_made_before(&grant.parent),
            Action::CreateTenant(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Reclaim(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => true,
        });
        for planned in actions.iter_mut() {
            match &planned.action {
                Action::CreateTenant(_) => {
                    planned.action = Action::Refuse(Refusal::new(
                        Code::OverLimit,
                        format!(
                            "{tenants} tenants are missing and one run may create at most {} (limits.create_tenants)",
                            limits.create_tenants
                        ),
                        "raise limits.create_tenants in settings if every one of them is meant; a creation costs licence quota",
                    ));
                }
                Action::CreateKey(create) if is_made_before(&create.parent) => {
                    planned.action = Action::Refuse(depends(&planned.address.parent().to_string()));
                }
                Action::CreateKey(_)
                | Action::Settle(_)
                | Action::Trust(_)
                | Action::CreateUser(_)
                | Action::Grant(_)
                | Action::Mark(_)
                | Action::Renew(_)
                | Action::Reclaim(_)
                | Action::Keep(_)
                | Action::Drift(_)
                | Action::Wait(_)
                | Action::Refuse(_) => {}
            }
        }
    }
    let keys = actions.iter().filter(|p| mints(&p.action)).count();
    if exceeds(keys, limits.mint_keys) {
        actions.retain(|p| match &p.action {
            Action::Reclaim(reclaim) => !reclaim.after_delivery,
            Action::CreateTenant(_)
            | Action::Settle(_)
            | Action::Trust(_)
            | Action::CreateUser(_)
            | Action::Grant(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_) => true,
        });
        for planned in actions.iter_mut() {
            if mints(&planned.action) {
                planned.action = Action::Refuse(Refusal::new(
                    Code::OverLimit,
                    format!(
                        "{keys} keys are to be minted and one run may mint at most {} (limits.mint_keys)",
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

fn is_made_before(parent: &Parent) -> bool {
    match parent {
        Parent::MadeBefore(_) => true,
        Parent::Exists(_) => false,
    }
}
