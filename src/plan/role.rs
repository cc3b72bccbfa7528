//! A grant through a custom role: who is meant, who lacks it, what stands in the way. And the vendor's warning where everyone is.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;
use crate::model::desired::Origin;
use crate::model::live::{CallerLive, HoldersLive, Observed, RoleLive, TenantLive};
use crate::model::spec::{Owner, QlikTenant, RoleGrant, User};
use crate::model::untrusted::Untrusted;

use super::Scene;
use super::action::{Action, ByRole, Grant, Notice, Parent, Permission, Plan, RoleStep};
use super::headroom::Slots;
use super::refusal::{Code, Refusal};
use super::tenant::Ground;

/// Whom a declared role is to be given to, besides groups: named users, and the owners of the tenant's declared keys.
pub(crate) fn meant(scene: &Scene, address: &Address, grant: &RoleGrant) -> BTreeSet<Owner> {
    let users = grant.users.iter().cloned().map(Owner::User);
    if !grant.key_owners {
        return users.collect();
    }
    let keys = scene.desired.qlik_keys(address).filter(|(_, key, _)| key.adopt.is_none());
    users.chain(keys.map(|(_, key, _)| key.owner.clone())).collect()
}

/// What keeps the grant, or a part of it, from being given.
pub(super) fn refusals(spec: &QlikTenant, live: Option<&TenantLive>, actions: &mut Vec<Action>) {
    let (Some(grant), Some(live)) = (spec.grants.by_role(), live) else { return };
    let holders = match &live.holders {
        Some(Observed::Present(holders)) => holders,
        Some(Observed::Unreadable(unreadable)) => return actions.push(Action::Refuse(unreadable.into())),
        Some(Observed::Absent) | None => {
            let why = "who has the declared role was not read";
            return actions.push(Action::Refuse(Refusal::new(Code::Unreadable, why, "plan again")));
        }
    };
    actions.extend(of_role(grant, holders).map(Action::Refuse));
    let mut missing: Vec<String> = Vec::new();
    for user in &grant.users {
        let owner = Owner::User(user.clone());
        if holders.held_by.contains(&owner) {
            continue;
        }
        match live.caller(&owner) {
            Some(Observed::Present(_)) => {}
            Some(Observed::Unreadable(unreadable)) => actions.push(Action::Refuse(unreadable.into())),
            Some(Observed::Absent) | None => missing.push(format!("no user with {user}")),
        }
    }
    for name in &grant.groups {
        match holders.groups.get(name) {
            Some(Observed::Present(_)) => {}
            Some(Observed::Unreadable(unreadable)) => actions.push(Action::Refuse(unreadable.into())),
            Some(Observed::Absent) | None => missing.push(format!("no group {}", Untrusted::from(name.as_str()))),
        }
    }
    if !missing.is_empty() {
        let refusal = Refusal::new(
            Code::GranteeMissing,
            format!("the tenant has {}, and only owners of keys are made", missing.join(" and ")),
            "let them sign in once (or invite them), or correct or remove them under assign_to",
        );
        actions.push(Action::Refuse(refusal));
    }
}

/// What keeps the role itself from being what is declared.
fn of_role(grant: &RoleGrant, holders: &HoldersLive) -> Option<Refusal> {
    match &holders.role {
        Some(Observed::Unreadable(unreadable)) => Some(unreadable.into()),
        Some(Observed::Present(RoleLive { can_edit: false, manages_api_keys: false, id: _ })) => Some(Refusal::new(
            Code::NoPermission,
            format!(
                "role {} lacks \"Manage API keys\" and says that it cannot be edited",
                Untrusted::from(grant.name.as_str())
            ),
            "declare a role of another name: one that is missing is made",
        )),
        Some(Observed::Present(_) | Observed::Absent) | None => None,
    }
}

/// Whether the grant, once given, lets an owner manage keys.
pub(super) fn covers(spec: &QlikTenant, live: Option<&TenantLive>, owner: &Owner, caller: Option<&CallerLive>) -> bool {
    let Some(grant) = spec.grants.by_role() else { return false };
    let holders = match live.map(|live| &live.holders) {
        // In a tenant that is still to be made, nothing stands in the way.
        None => None,
        Some(Some(Observed::Present(holders))) if of_role(grant, holders).is_none() => Some(holders),
        Some(Some(Observed::Present(_) | Observed::Absent | Observed::Unreadable(_)) | None) => return false,
    };
    let named = |user: &User| owner.user().is_some_and(|owner| owner.key() == user.key());
    let through = |group: &String| {
        let is_there = holders.is_some_and(|holders| matches!(holders.groups.get(group), Some(Observed::Present(_))));
        is_there && caller.is_some_and(|caller| caller.groups.iter().any(|known| known.raw() == group))
    };
    grant.key_owners || grant.users.iter().any(named) || grant.groups.iter().any(through)
}

/// What is missing of the grant, once it is known whose keys are minted.
pub(super) fn grant(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    ground: &Ground,
    slots: &Slots,
) -> Option<Grant> {
    let declared = spec.grants.by_role()?;
    let nothing = HoldersLive::default();
    let (parent, live, holders) = match ground {
        Ground::MadeBefore => (Parent::MadeBefore(address.clone()), None, &nothing),
        Ground::Exists { at, live, .. } => {
            let Some(Observed::Present(holders)) = &live.holders else { return None };
            if of_role(declared, holders).is_some() {
                return None;
            }
            (Parent::Exists(at.clone()), Some(*live), holders)
        }
        Ground::Refused | Ground::Waiting => return None,
    };
    let is_there = |owner: &Owner| {
        let known = live.and_then(|live| live.caller(owner)).and_then(Observed::present);
        known.is_some() || slots.makes(owner) || (*owner == Owner::Client && slots.key_client_mints())
    };
    let to: Vec<Owner> = meant(scene, address, declared)
        .into_iter()
        .filter(|owner| !holders.held_by.contains(owner) && is_there(owner))
        .collect();
    let lacks = |name: &&String| match holders.groups.get(*name) {
        Some(Observed::Present(group)) => !group.has_role,
        Some(Observed::Absent | Observed::Unreadable(_)) | None => false,
    };
    let groups: Vec<String> = declared.groups.iter().filter(lacks).cloned().collect();
    let step = match (&holders.role, live) {
        (Some(Observed::Absent), _) | (None, None) => RoleStep::Make,
        (Some(Observed::Present(role)), _) if !role.manages_api_keys => RoleStep::Extend,
        (Some(Observed::Present(_) | Observed::Unreadable(_)) | None, _) => RoleStep::Nothing,
    };
    if step == RoleStep::Nothing && to.is_empty() && groups.is_empty() {
        return None;
    }
    let by = ByRole { role: declared.name.clone(), step, to, groups };
    Some(Grant { account: spec.account.clone(), parent, what: Permission::ManageApiKeysByRole(by) })
}

/// Whom the grant names and who cannot be in a tenant that is still to be made.
pub(super) fn later(spec: &QlikTenant, address: &Address, ground: &Ground, slots: &Slots, plan: &mut Plan) {
    let (Some(grant), Ground::MadeBefore) = (spec.grants.by_role(), ground) else { return };
    let users = grant.users.iter().filter(|user| !slots.makes(&Owner::User((*user).clone())));
    let users = users.map(|user| format!("user with {user}"));
    let groups = grant.groups.iter().map(|name| format!("group {}", Untrusted::from(name.as_str())));
    let named: Vec<String> = users.chain(groups).collect();
    if !named.is_empty() {
        let text = format!(
            "a new tenant has nobody in it: role {} is given to {} by a later run, once they are there",
            Untrusted::from(grant.name.as_str()),
            named.join(" and ")
        );
        plan.notices.push(Notice::of(address, text));
    }
}

/// The vendor's warning, once for each place that grants to everyone.
pub(super) fn warn(scene: &Scene, plan: &mut Plan) {
    let mut places: BTreeMap<&Origin, usize> = BTreeMap::new();
    for (_, spec, _) in scene.desired.qlik_tenants() {
        if let (true, Some(at)) = (spec.grants.to_everyone(), &spec.grants.at) {
            *places.entry(at).or_default() += 1;
        }
    }
    for (at, tenants) in places {
        let of = if tenants == 1 { "a tenant".to_owned() } else { format!("{tenants} tenants") };
        let text = format!(
            "manage_api_keys goes to everyone: each user of {of} may mint keys with all their rights. The vendor's warning: \
             \"For security, only grant the Manage API keys permission to users or groups who require it.\" \
             A role does that: {{ role: {{ name: API key holders, assign_to: {{ key_owners: true }} }} }}"
        );
        plan.notices.push(Notice { address: None, at: Some(at.clone()), text: text.into() });
    }
}
