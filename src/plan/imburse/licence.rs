//! The licence's room for tenants, counted over everything that one plan would create.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Name};
use crate::model::imburse::AccountRead;

use super::super::action::{Action, Plan};
use super::super::limit::depends;
use super::super::refusal::{Code, Refusal};
use super::super::scene::Scene;

/// Refuses all creations of an account that has no room for all of them: which to leave out is a person's choice.
pub(super) fn hold(scene: &Scene, plan: &mut Plan) {
    let mut wanted: BTreeMap<Name, u64> = BTreeMap::new();
    for planned in &plan.actions {
        if let Action::CreateTenant(create) = &planned.action {
            *wanted.entry(create.account.clone()).or_default() += 1;
        }
    }
    for (account, wanted) in wanted {
        let Some(AccountRead::Present(found)) =
            scene.live.imburse.accounts.get(&account).and_then(|live| live.account.as_ref())
        else {
            continue;
        };
        let Some(most) = found.max_tenants.filter(|most| found.tenant_usage.saturating_add(wanted) > *most) else {
            continue;
        };
        let used = found.tenant_usage;
        let missing = if wanted == 1 { "1 tenant is".to_owned() } else { format!("{wanted} tenants are") };
        let refusal = Refusal::new(
            Code::Licence,
            format!(
                "{missing} to be created, and the licence of account {account} allows {most}, of which {used} are used"
            ),
            "ask Imburse for a larger licence, or declare fewer tenants",
        );
        let mut refused: BTreeSet<Address> = BTreeSet::new();
        for planned in &mut plan.actions {
            if matches!(&planned.action, Action::CreateTenant(create) if create.account == account) {
                planned.action = Action::Refuse(refusal.clone());
                refused.insert(planned.address.clone());
            }
        }
        for planned in &mut plan.actions {
            let parent = planned.address.parent();
            if !planned.address.is_tenant() && refused.contains(&parent) {
                planned.action = Action::Refuse(depends(&parent.to_string()));
            }
        }
        plan.unchecked.retain(|unchecked| !refused.contains(&unchecked.address.parent()));
        plan.notices.retain(|notice| !notice.address.as_ref().is_some_and(|address| refused.contains(address)));
    }
}
