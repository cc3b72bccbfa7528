//! One tenant's declaration against its live state: what settling still sends, what drifted, which permission is missing.

use crate::model::host::Region;
use crate::model::live::{Observed, QlikTenantLive, TenantLive, TenantRead};
use crate::model::record::{How, Record};
use crate::model::spec::{KeyLimits, QlikTenant};

use super::role;
use crate::plan::action::{
    Action, Adopted, Drift, DriftField, Grant, Keep, KeptTenant, Parent, Permission, SettlePart,
};
use crate::plan::refusal::{Code, Refusal};

/// Returns the settings that a tenant of our making still lacks. A setting that cannot be read is sent.
pub(super) fn settle_parts(
    spec: &QlikTenant,
    region: &Region,
    live: Option<&QlikTenantLive>,
    limits: Option<KeyLimits>,
) -> Vec<SettlePart> {
    let mut parts = Vec::new();
    if let Some(name) = &spec.display_name
        && live.is_none_or(|live| live.name.raw() != name)
    {
        parts.push(SettlePart::Name(name.clone()));
    }
    if let Some(label) = &spec.alias {
        let host = region.host(label);
        let same =
            |live: &QlikTenantLive| live.alias().is_some_and(|alias| alias.raw().eq_ignore_ascii_case(host.as_str()));
        if !live.is_some_and(same) {
            parts.push(SettlePart::Alias { label: label.clone(), host: host.to_string() });
        }
    }
    let declared = spec.api_key_limits;
    let differs = limits.is_none_or(|live| {
        declared.max_expiry.is_some_and(|d| live.max_expiry != Some(d))
            || declared.max_keys_per_user.is_some_and(|d| live.max_keys_per_user != Some(d))
    });
    if declared.is_declared() && differs {
        parts.push(SettlePart::Limits(declared));
    }
    parts
}

/// Returns the action for a recorded tenant that is as declared.
pub(super) fn kept(live: &TenantLive, record: Option<&Record>) -> Option<Action> {
    let present = present(live)?;
    let adopted = match record.and_then(|record| record.state.binding()).map(|binding| binding.how) {
        Some(How::Adopted) => Adopted::Recorded,
        Some(How::Created | How::Resolved) | None => Adopted::No,
    };
    let of = KeptTenant::Qlik { hostname: present.hostnames.first().cloned().unwrap_or_default() };
    Some(Action::Keep(Keep::Tenant { id: present.id.clone(), of, adopted }))
}

/// Adds the differences of a tenant from its declaration.
pub(super) fn drift(spec: &QlikTenant, region: &Region, live: &TenantLive, actions: &mut Vec<Action>) {
    let mut fields = Vec::new();
    if let Some(present) = present(live) {
        if let Some(name) = spec.display_name.as_ref().filter(|name| present.name.raw() != *name) {
            fields.push(DriftField {
                field: "display_name".into(),
                declared: name.clone(),
                live: present.name.clone(),
            });
        }
        if let Some(label) = &spec.alias {
            let host = region.host(label);
            let live = present.alias().cloned().unwrap_or_else(|| "(none)".into());
            if !live.raw().eq_ignore_ascii_case(host.as_str()) {
                fields.push(DriftField { field: "alias".into(), declared: host.to_string(), live });
            }
        }
    }
    match &live.limits {
        Some(Observed::Present(limits)) => {
            if let Some(declared) = spec.api_key_limits.max_expiry.filter(|d| *d != limits.max_expiry) {
                fields.push(DriftField {
                    field: "api_key_limits.max_expiry".into(),
                    declared: declared.to_string(),
                    live: limits.max_expiry.to_string().into(),
                });
            }
            if let Some(declared) = spec.api_key_limits.max_keys_per_user.filter(|d| *d != limits.max_keys_per_user) {
                fields.push(DriftField {
                    field: "api_key_limits.max_keys_per_user".into(),
                    declared: declared.to_string(),
                    live: limits.max_keys_per_user.to_string().into(),
                });
            }
        }
        Some(Observed::Unreadable(unreadable)) if spec.api_key_limits.is_declared() => {
            actions.push(Action::Refuse(unreadable.into()));
        }
        Some(Observed::Unreadable(_) | Observed::Absent) | None => {}
    }
    if !fields.is_empty() {
        actions.push(Action::Drift(Drift::of(fields)));
    }
}

/// The declared permission, where it is missing. What a role gives is known once the keys are planned; here, what forbids it.
pub(super) fn grant(spec: &QlikTenant, parent: Parent, live: Option<&TenantLive>, actions: &mut Vec<Action>) {
    if !spec.grants.to_everyone() {
        return role::refusals(spec, live, actions);
    }
    let needed = match live.map(|live| &live.user_default) {
        None => true,
        Some(Some(Observed::Present(role))) => {
            if !role.manages_api_keys && !role.can_edit {
                actions.push(Action::Refuse(Refusal::new(
                    Code::NoPermission,
                    "the user default lacks \"Manage API keys\" and says that it cannot be edited",
                    "allow it by hand: Administration > Manage users > Permissions > User Default",
                )));
                return;
            }
            !role.manages_api_keys
        }
        Some(Some(Observed::Unreadable(unreadable))) => {
            actions.push(Action::Refuse(unreadable.into()));
            return;
        }
        Some(Some(Observed::Absent) | None) => {
            actions.push(Action::Refuse(Refusal::new(
                Code::Unreadable,
                "the tenant lists no role UserDefault, so the grant cannot be compared",
                "look at the tenant's roles as its admin",
            )));
            return;
        }
    };
    if needed {
        let what = Permission::ManageApiKeysToEveryone;
        actions.push(Action::Grant(Grant { account: spec.account.clone(), parent, what }));
    }
}

pub(super) fn present(live: &TenantLive) -> Option<&QlikTenantLive> {
    match &live.tenant {
        TenantRead::Present(present) => Some(present),
        TenantRead::Nowhere
        | TenantRead::ByAlias(_)
        | TenantRead::Gone(_)
        | TenantRead::Disabled
        | TenantRead::Other { .. }
        | TenantRead::Unreadable(_) => None,
    }
}

pub(super) fn limits(live: &TenantLive) -> Option<KeyLimits> {
    live.limits.as_ref().and_then(Observed::present).map(|limits| KeyLimits {
        max_expiry: Some(limits.max_expiry),
        max_keys_per_user: Some(limits.max_keys_per_user),
    })
}
