//! Tenants of an account that nobody manages here: named where a person asks, and no reason against creating another.
//! A tenant gets its name in the one request that makes it, so one that may be the declared one is refused by its name.

use std::collections::BTreeSet;

use crate::model::address::Name;
use crate::model::imburse::{ListedTenant, Standing};
use crate::model::live::Observed;

use super::super::action::{Notice, Plan};
use super::super::scene::Scene;
use super::facts::standing;

/// Listed, not deleted, and neither bound, nor adopted, nor ignored.
fn unmanaged<'a>(scene: &Scene<'a>, account: &Name) -> Vec<&'a ListedTenant> {
    let Some(facts) = scene.desired.imburse.get(account) else { return Vec::new() };
    let listed = scene.live.imburse.accounts.get(account).and_then(|live| live.tenants.as_ref());
    let Some(Observed::Present(listed)) = listed else { return Vec::new() };
    let known: BTreeSet<String> = facts.known_tenants.iter().map(|id| id.to_ascii_lowercase()).collect();
    let stands = |tenant: &&ListedTenant| tenant.standing() != Standing::Deleted;
    let is_nobodys = |tenant: &&ListedTenant| {
        !scene.estate.imburse.accounts_for(&tenant.id) && !known.contains(&tenant.id.raw().to_ascii_lowercase())
    };
    let mut unmanaged: Vec<&ListedTenant> = listed.iter().filter(stands).filter(is_nobodys).collect();
    // The vendor's list may have another order every day.
    unmanaged.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    unmanaged
}

/// Returns whether there are any.
pub(in crate::plan) fn any(scene: &Scene) -> bool {
    scene.desired.imburse.keys().any(|account| !unmanaged(scene, account).is_empty())
}

/// Each of them, by account; and of which account nobody can tell.
pub(in crate::plan) fn notices(scene: &Scene, plan: &mut Plan) {
    let used: BTreeSet<&Name> = scene.desired.imburse_tenants().map(|(_, spec, _)| &spec.account).collect();
    for account in scene.desired.imburse.keys() {
        match scene.live.imburse.accounts.get(account).and_then(|live| live.tenants.as_ref()) {
            Some(Observed::Unreadable(unreadable)) => {
                plan.notices.push(Notice::unmanaged_unknown(account, &unreadable.why.to_string(), &unreadable.next));
            }
            // As with Qlik, an account that no declared tenant uses is not asked.
            Some(Observed::Absent) | None if used.contains(account) => {
                plan.notices.push(Notice::unmanaged_unknown(
                    account,
                    "its tenants were not listed",
                    "plan with its credentials",
                ));
            }
            Some(Observed::Present(_) | Observed::Absent) | None => {}
        }
        for tenant in unmanaged(scene, account) {
            let created = tenant.details.created_on.as_ref().map(|on| format!(", created {on}")).unwrap_or_default();
            let stands = match tenant.standing() {
                Standing::Usable | Standing::Deleted => String::new(),
                stands @ (Standing::Pending | Standing::Rejected) => format!(", {}", standing(stands)),
            };
            let text = format!("unmanaged in account {account}: {} ({}{created}{stands})", tenant.id, tenant.name);
            plan.notices.push(Notice { address: None, at: None, text: text.into() });
        }
    }
}
