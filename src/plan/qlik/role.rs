//! A grant through a custom role: who is meant, who lacks it, what stands in the way. And the vendor's warning where everyone is.

use std::collections::BTreeSet;

use crate::model::address::Address;
use crate::model::live::{CallerLive, HoldersLive, Observed, RoleLive, TenantLive};
use crate::model::place::Place;
use crate::model::spec::{Owner, QlikTenant, RoleGrant, Spec, User};
use crate::model::untrusted::{Untrusted, escape};

use super::ground::Ground;
use super::slots::Slots;
use crate::plan::action::{Action, ByRole, Grant, Notice, Parent, Permission, Plan, RoleStep};
use crate::plan::finding::Finding;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;

/// Returns whom a declared role is to be given to, besides groups: named users, and the owners of the tenant's declared
/// keys.
pub(crate) fn meant(scene: &Scene, address: &Address, grant: &RoleGrant) -> BTreeSet<Owner> {
    let users = grant.users.iter().cloned().map(Owner::User);
    if !grant.key_owners {
        return users.collect();
    }
    let keys = scene.desired.qlik_keys(address).filter(|(_, key, _)| key.adopt.is_none());
    users.chain(keys.map(|(_, key, _)| key.owner.clone())).collect()
}

/// Refuses whatever keeps the grant, or a part of it, from being given.
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

/// Refuses a role that cannot be made as declared.
fn of_role(grant: &RoleGrant, holders: &HoldersLive) -> Option<Refusal> {
    match &holders.role {
        Some(Observed::Unreadable(unreadable)) => Some(unreadable.into()),
        Some(Observed::Present(RoleLive { can_edit: false, manages_api_keys: false, .. })) => Some(Refusal::new(
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

/// Refuses a role that would give anybody more than is declared (the fourth promise).
fn gives_more(grant: &RoleGrant, holders: &HoldersLive) -> Option<Refusal> {
    let Some(Observed::Present(role)) = &holders.role else { return None };
    let name = Untrusted::from(grant.name.as_str());
    if role.built_in {
        return Some(Refusal::new(
            Code::GrantsMore,
            format!("role {name} is one of the vendor's own, and whoever is given it gets all that it allows"),
            "declare a role of another name: one that is missing is made, with this permission only",
        ));
    }
    let undeclared = |also: &&Untrusted| !grant.also_allows.contains(also.raw());
    if !role.also_allows.iter().any(|also| undeclared(&also)) {
        return None;
    }
    let all: Vec<String> = role.also_allows.iter().map(ToString::to_string).collect();
    let listed: Vec<String> = role.also_allows.iter().map(|also| flow_scalar(also.raw())).collect();
    Some(
        Refusal::new(
            Code::GrantsMore,
            format!("role {name} also allows {}, and whoever is given it gets that too", all.join(", ")),
            "declare a role of another name: one that is missing is made, with this permission only",
        )
        .or(format!("if all of that is meant, say so beside its name: also_allows: [{}]", listed.join(", "))),
    )
}

/// Writes a text so that it can be pasted into a list in YAML: names of permissions have colons.
fn flow_scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let ends = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.ends_with(':');
    if ends && text.chars().all(|c| plain(c) || c == ':') { text.to_owned() } else { format!("\"{}\"", escape(text)) }
}

/// Returns whether the grant, once given, lets an owner manage keys.
pub(super) fn covers(spec: &QlikTenant, live: Option<&TenantLive>, owner: &Owner, caller: Option<&CallerLive>) -> bool {
    let Some(grant) = spec.grants.by_role() else { return false };
    let holders = match live.map(|live| &live.holders) {
        // In a tenant that is still to be made, nothing stands in the way.
        None => None,
        Some(Some(Observed::Present(holders))) if of_role(grant, holders).is_none() => Some(holders),
        Some(Some(Observed::Present(_) | Observed::Absent | Observed::Unreadable(_)) | None) => return false,
    };
    if holders.is_some_and(|holders| holders.held_by.contains(owner)) {
        return true;
    }
    if holders.is_some_and(|holders| gives_more(grant, holders).is_some()) {
        return false;
    }
    let named = |user: &User| owner.user().is_some_and(|owner| owner.key() == user.key());
    let through = |group: &String| {
        let is_there = holders.is_some_and(|holders| matches!(holders.groups.get(group), Some(Observed::Present(_))));
        is_there && caller.is_some_and(|caller| caller.groups.iter().any(|known| known.raw() == group))
    };
    grant.key_owners || grant.users.iter().any(named) || grant.groups.iter().any(through)
}

/// Plans the missing parts of the grant, once it is known whose keys are minted.
pub(super) fn grant(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    ground: &Ground,
    slots: &Slots,
) -> Result<Option<Grant>, Refusal> {
    let Some(declared) = spec.grants.by_role() else { return Ok(None) };
    let nothing = HoldersLive::default();
    let (parent, live, holders) = match ground {
        Ground::MadeBefore { .. } => (Parent::MadeBefore(address.clone()), None, &nothing),
        Ground::Exists { at, live, .. } => {
            let Some(Observed::Present(holders)) = &live.holders else { return Ok(None) };
            if of_role(declared, holders).is_some() {
                return Ok(None);
            }
            (Parent::Exists(at.clone()), Some(*live), holders)
        }
        Ground::Refused | Ground::Waiting => return Ok(None),
    };
    let is_there = |owner: &Owner| {
        let known = live.and_then(|live| live.caller(owner)).and_then(Observed::present);
        known.is_some() || slots.makes(owner) || (*owner == Owner::Client && slots.key_client_mints())
    };
    let lacking: Vec<Owner> =
        meant(scene, address, declared).into_iter().filter(|owner| !holders.held_by.contains(owner)).collect();
    let lacks = |name: &&String| match holders.groups.get(*name) {
        Some(Observed::Present(group)) => !group.has_role,
        Some(Observed::Absent | Observed::Unreadable(_)) | None => false,
    };
    let groups: Vec<String> = declared.groups.iter().filter(lacks).cloned().collect();
    // To add the permission to a role gives its holders nothing else; to give the role does. Those who are not there yet are made
    // only where it can be given to them.
    if let (true, Some(refusal)) = (!lacking.is_empty() || !groups.is_empty(), gives_more(declared, holders)) {
        return Err(refusal);
    }
    let to: Vec<Owner> = lacking.into_iter().filter(is_there).collect();
    let step = match (&holders.role, live) {
        (Some(Observed::Absent), _) | (None, None) => RoleStep::Make,
        (Some(Observed::Present(role)), _) if !role.manages_api_keys => RoleStep::Extend,
        (Some(Observed::Present(_) | Observed::Unreadable(_)) | None, _) => RoleStep::Nothing,
    };
    if step == RoleStep::Nothing && to.is_empty() && groups.is_empty() {
        return Ok(None);
    }
    let role = holders.role.as_ref().and_then(Observed::present);
    let also_allows = role.map(|role| role.also_allows.clone()).unwrap_or_default();
    let by = ByRole { role: declared.name.clone(), step, to, groups, also_allows };
    Ok(Some(Grant { account: spec.account.clone(), parent, what: Permission::ManageApiKeysByRole(by) }))
}

/// Adds a finding for declared permissions that are given besides: a reviewer should not have to look for them.
pub(in crate::plan) fn find(plan: &mut Plan) {
    let found = plan.actions.iter().filter_map(|planned| {
        let Action::Grant(Grant { what: Permission::ManageApiKeysByRole(by), .. }) = &planned.action else {
            return None;
        };
        let ByRole { role, step: _, to, groups, also_allows } = by;
        if also_allows.is_empty() || (to.is_empty() && groups.is_empty()) {
            return None;
        }
        let all: Vec<String> = also_allows.iter().map(ToString::to_string).collect();
        let role = Untrusted::from(role.as_str());
        let why = format!("this plan gives more than a permission: role {role} also allows {}", all.join(", "));
        let next = "apply it if all of that is meant; else declare a role of another name, which is made with the permission only";
        Some(Finding::new(Code::GrantsMore, why, next).of(&planned.address).at(&planned.at))
    });
    let found: Vec<Finding> = found.collect();
    plan.findings.extend(found);
}

/// Adds a notice on users and groups of the grant that cannot be in a tenant that is still to be made.
pub(super) fn later(spec: &QlikTenant, address: &Address, ground: &Ground, slots: &Slots, plan: &mut Plan) {
    let (Some(grant), Ground::MadeBefore { .. }) = (spec.grants.by_role(), ground) else { return };
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

/// The number of further places that the warning names.
const PLACES_NAMED: usize = 3;

/// The vendor's warning, once, with the places that grant to everyone: it is about the kind of grant, and a thousand tenants need it
/// no more often than one.
pub(in crate::plan) fn warn(scene: &Scene, plan: &mut Plan) {
    let mut places: BTreeSet<&Place> = BTreeSet::new();
    let mut tenants: usize = 0;
    for (_, declared) in scene.desired.of_all_shards() {
        let Spec::QlikTenant(spec) = &declared.spec else { continue };
        if let (true, Some(at)) = (spec.grants.to_everyone(), &spec.grants.at) {
            places.insert(at);
            tenants += 1;
        }
    }
    let mut places = places.into_iter();
    let Some(first) = places.next() else { return };
    let of = if tenants == 1 { "a tenant".to_owned() } else { format!("{tenants} tenants") };
    let mut text = format!(
        "manage_api_keys goes to everyone: each user of {of} may mint keys with all their rights. The vendor's warning: \
         \"For security, only grant the Manage API keys permission to users or groups who require it.\" \
         A role does that: {{ role: {{ name: API key holders, assign_to: {{ key_owners: true }} }} }}"
    );
    let named = places.by_ref().take(PLACES_NAMED);
    let mut others: Vec<String> = named.map(|at| format!("{}:{}", at.file, at.line)).collect();
    match places.count() {
        0 => {}
        1 => others.push("1 more place".to_owned()),
        more => others.push(format!("{more} more places")),
    }
    if !others.is_empty() {
        text = format!("{text}. Also granted so at {}", others.join(", "));
    }
    plan.notices.push(Notice { address: None, at: Some(first.clone()), text: text.into() });
}
