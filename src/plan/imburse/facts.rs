//! The live facts that an Imburse tenant's actions rest on.

use crate::model::address::Address;
use crate::model::imburse::{AccountRead, ImburseTenant, Standing, TenantRead};

use super::super::action::Action;
use super::super::fact::{Fact, fact};
use super::super::recorded::state;
use super::super::scene::Scene;

pub(in crate::plan) fn tenant(scene: &Scene, address: &Address, spec: &ImburseTenant, own: &[&Action]) -> Vec<Fact> {
    let mut facts = vec![fact("ledger record", state(scene, address))];
    let creates = own.iter().any(|action| matches!(action, Action::CreateTenant(_)));
    let account = scene.live.imburse.accounts.get(&spec.account).and_then(|live| live.account.as_ref());
    // How much of the licence is used moves by itself; whether there is room is decided anew each time.
    if let (true, Some(AccountRead::Present(account))) = (creates, account) {
        let said = if account.tenant_creation_approval_required { "asked for" } else { "not asked for" };
        facts.push(fact("approval of new tenants", said));
    }
    let Some(live) = scene.live.imburse.tenants.get(address) else { return facts };
    match &live.tenant {
        TenantRead::Present(present) => {
            facts.push(fact("tenant", present.id.raw()));
            facts.push(fact("status", standing(present.standing())));
            facts.push(fact("display_name", present.name.raw()));
        }
        TenantRead::Nowhere => facts.push(fact("tenant", "not known by an id")),
        TenantRead::Gone(_) => facts.push(fact("tenant", "gone")),
        TenantRead::Unreadable(_) => facts.push(fact("tenant", "not readable")),
    }
    facts
}

pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Usable => "usable",
        Standing::Pending => "waits for approval",
        Standing::Rejected => "rejected",
        Standing::Deleted => "deleted",
    }
}
