//! What a plan does as every plan does: told apart from what a reader must see, and one line a tenant where it is much.

use jiff::Timestamp;

use crate::plan::action::{
    Action, ByRole, CreateKey, CreateTenant, Grant, NewTenant, Permission, Planned, RoleStep, WhyMint,
};
use crate::render::block::Block;

/// So many keys of one kind are named in a tenant's line.
const NAMED: usize = 6;

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
    let mut deeds: Vec<(String, Vec<String>)> = Vec::new();
    for planned in of {
        let what = what(planned, now);
        let part = (!planned.address.is_tenant()).then(|| last_word(planned));
        match deeds.iter_mut().find(|(known, parts)| *known == what && !parts.is_empty() && part.is_some()) {
            Some((_, parts)) => parts.extend(part),
            None => deeds.push((what, part.into_iter().collect())),
        }
    }
    let deeds: Vec<String> = deeds.into_iter().map(|(what, parts)| deed(what, parts)).collect();
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

fn last_word(planned: &Planned) -> String {
    planned.address.to_string().rsplit('/').next().unwrap_or_default().to_owned()
}

/// `create key ci, bi`.
fn deed(what: String, mut parts: Vec<String>) -> String {
    if parts.is_empty() {
        return what;
    }
    let more = parts.len().saturating_sub(NAMED);
    parts.truncate(NAMED);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    format!("{what} {}", parts.join(", "))
}
