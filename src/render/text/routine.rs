//! What a plan does as every plan does: told apart from what a reader must see, and one line a tenant where it is much.

use jiff::Timestamp;

use crate::plan::action::{
    Action, ByRole, CreateKey, CreateTenant, Grant, NewTenant, Permission, Planned, RoleStep, WhyMint,
};
use crate::render::block::Block;
use crate::render::deeds::{deed, deeds, last_word};

/// Whether an action may be told in its tenant's line. What is revoked, minted over another key, or given to people who did
/// not ask for it, is told in full.
pub(super) fn is_routine(action: &Action) -> bool {
    match action {
        Action::CreateKey(CreateKey { why, .. }) => matches!(why, WhyMint::Missing),
        Action::Grant(Grant { what, .. }) => match what {
            Permission::ManageApiKeysToEveryone => true,
            Permission::ManageApiKeysByRole(ByRole { step, also_allows, .. }) => {
                *step != RoleStep::Extend && also_allows.is_empty()
            }
        },
        Action::CreateTenant(_)
        | Action::Settle(_)
        | Action::MoveGroup(_)
        | Action::Trust(_)
        | Action::CreateObject(_)
        | Action::Mark(_)
        | Action::Renew(_)
        | Action::Keep(_) => true,
        Action::Reclaim(_) | Action::Drift(_) | Action::Wait(_) | Action::Refuse(_) => false,
    }
}

/// One block without details for each tenant, in the plan's order.
pub(super) fn by_tenant(routine: &[&Planned], now: Timestamp) -> Vec<Block> {
    let tenants = routine.chunk_by(|one, other| one.address.parent() == other.address.parent());
    tenants.filter_map(|of| tenant(of, now)).collect()
}

fn tenant(of: &[&Planned], now: Timestamp) -> Option<Block> {
    let first = of.first()?;
    let deeds = deeds(of, |planned| what(planned, now));
    let deeds: Vec<String> = deeds.iter().map(|(what, parts)| deed(what, parts, last_word)).collect();
    let address = first.address.parent().to_string();
    Some(Block { address, what: deeds.join(", "), lines: Vec::new(), ..Block::of(first, now) })
}

fn what(planned: &Planned, now: Timestamp) -> String {
    let what = Block::of(planned, now).what;
    if let Action::CreateTenant(CreateTenant { of: NewTenant::Qlik { region }, account: _ }) = &planned.action {
        return format!("{what} in {}", region.label);
    }
    what
}
