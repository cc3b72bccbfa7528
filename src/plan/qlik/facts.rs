//! The live facts that a Qlik tenant's actions, and its keys', rest on.

use crate::model::address::Address;
use crate::model::live::{HoldersLive, Observed, TenantLive, TenantRead};
use crate::model::spec::{Owner, QlikKey, QlikTenant, RoleGrant};
use crate::model::untrusted::Untrusted;
use crate::plan::action::Action;
use crate::plan::fact::{Fact, fact};
use crate::plan::recorded::state;
use crate::plan::scene::Scene;

pub(in crate::plan) fn tenant(scene: &Scene, address: &Address, spec: &QlikTenant, own: &[&Action]) -> Vec<Fact> {
    let mut facts = vec![fact("ledger record", state(scene, address))];
    if own.iter().any(|action| matches!(action, Action::CreateTenant(_)))
        && let Some(Some(licence)) = scene.live.qlik.accounts.get(&spec.account).map(|account| &account.licence)
    {
        facts.push(fact("licence", observed(licence, |licence| licence.status.raw().to_owned())));
    }
    let Some(live) = scene.live.qlik.tenants.get(address) else { return facts };
    if let TenantRead::Present(present) = &live.tenant {
        let hostname = present.hostnames.first().map(Untrusted::raw).unwrap_or_default();
        facts.push(fact("tenant", format!("{} at {hostname}", present.id.raw())));
        facts.push(fact("status", present.status.raw()));
        facts.push(fact("display_name", present.name.raw()));
        facts.push(fact("alias", present.alias().map_or("none", Untrusted::raw)));
    } else {
        facts.push(fact("tenant", read_word(&live.tenant)));
    }
    // Both are read for minting too; that a key is due must not look like a change of its tenant.
    if spec.api_key_limits.is_declared() {
        facts.extend(limits(live));
    }
    if spec.grants.to_everyone() {
        facts.extend(user_default(live));
    }
    if let (Some(grant), Some(holders)) = (spec.grants.by_role(), &live.holders) {
        let name = format!("role {}", grant.name);
        facts.push(fact(&name, observed(holders, |holders| held(grant, holders))));
    }
    facts
}

/// Says who of those that are meant has a role, and whether it gives the permission.
pub(in crate::plan) fn held(grant: &RoleGrant, holders: &HoldersLive) -> String {
    let mut words = Vec::new();
    words.extend(holders.role.as_ref().map(|role| {
        let said = |manages| if manages { "may manage API keys" } else { "may not manage API keys" };
        observed(role, |role| {
            let also: String =
                role.also_allows.iter().map(|also| format!(", and also allows {}", also.raw())).collect();
            format!("{}{also}", said(role.manages_api_keys))
        })
    }));
    words.extend(holders.held_by.iter().map(|owner| match owner {
        Owner::Client => "held by the key client".to_owned(),
        Owner::Configured(name) => format!("held by owner {name}"),
        Owner::User(user) => format!("held by user with {user}"),
    }));
    words.extend(grant.groups.iter().filter_map(|name| {
        let said = |has_role| if has_role { "held by" } else { "not held by" };
        holders.groups.get(name).map(|group| {
            let words = observed(group, |group| said(group.has_role).to_owned());
            format!("{words} group {name}")
        })
    }));
    if words.is_empty() { "held by nobody who is meant".to_owned() } else { words.join(", ") }
}

/// Returns the facts that a key's actions rest on. The sink's contents are not among them: a plan with `--preflight
/// read` does not look, and must be the same plan. Where they matter they make another action.
pub(in crate::plan) fn key(scene: &Scene, tenant: &Address, spec: &QlikKey, own: &[&Action]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mints = own.iter().any(|action| matches!(action, Action::CreateKey(_) | Action::Renew(_)));
    if let (true, Some(live)) = (mints, scene.live.qlik.tenants.get(tenant)) {
        facts.extend(limits(live));
        facts.extend(user_default(live));
        if let Some(caller) = live.caller(&spec.owner) {
            facts.push(fact("owner", observed(caller, |caller| format!("user {}", caller.user_id.raw()))));
        }
    }
    facts
}

fn read_word(read: &TenantRead) -> &'static str {
    match read {
        TenantRead::Nowhere => "nowhere to look",
        TenantRead::Present(_) => "there",
        TenantRead::ByAlias(_) => "found by its alias only",
        TenantRead::Gone(_) => "gone",
        TenantRead::Disabled => "disabled",
        TenantRead::Other { .. } => "another one answers",
        TenantRead::Unreadable(_) => "not readable",
    }
}

fn limits(live: &TenantLive) -> Option<Fact> {
    live.limits.as_ref().map(|limits| {
        fact(
            "key limits",
            observed(limits, |limits| {
                format!("at most {}, {} keys a user", limits.max_expiry, limits.max_keys_per_user)
            }),
        )
    })
}

fn user_default(live: &TenantLive) -> Option<Fact> {
    live.user_default.as_ref().map(|role| {
        let said = |manages| if manages { "may manage API keys" } else { "may not manage API keys" };
        fact("user default", observed(role, |role| said(role.manages_api_keys).to_owned()))
    })
}

/// Says what was read. The reason for which something cannot be read changes from one attempt to the next, so only that
/// it cannot is the fact.
fn observed<T>(read: &Observed<T>, say: impl FnOnce(&T) -> String) -> String {
    match read {
        Observed::Absent => "none".to_owned(),
        Observed::Present(value) => say(value),
        Observed::Unreadable(_) => "not readable".to_owned(),
    }
}
