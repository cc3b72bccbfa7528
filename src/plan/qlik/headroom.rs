//! The checks before one more key is minted: the owner and its permission, the tenant's limits, the keys that count
//! already.

use crate::model::duration::Duration;
use crate::model::live::{CallerLive, Observed, SinkEntry, TenantLive};
use crate::model::spec::{Owner, User};

use super::ground::{Case, Ground};
use super::role;
use super::slots::Slots;
use crate::plan::refusal::{Code, Refusal};
use crate::plan::scene::Scene;

/// Checks that a successor of a kept key could be made, as far as that was read. Its sink and its place among others
/// are left out.
pub(super) fn could_mint(case: &Case<'_, '_>, slots: &Slots) -> Result<(), Refusal> {
    owner_can_mint(case, slots, &mut Vec::new())?;
    match slots.limits {
        Some(limits) if case.spec.expires_in > limits.max_expiry => {
            Err(too_long(case.spec.expires_in, limits.max_expiry, case.ground))
        }
        Some(_) | None => Ok(()),
    }
}

/// Checks that the vendor would make one more key, as far as that can be known. Adds what could not be checked.
pub(super) fn may_mint(case: &Case<'_, '_>, slots: &mut Slots, unchecked: &mut Vec<String>) -> Result<(), Refusal> {
    let Case { scene, address, spec, ground, .. } = *case;
    if let Some(refusal) = &slots.unread {
        return Err(refusal.clone());
    }
    let to_make = owner_can_mint(case, slots, unchecked)?;
    match slots.limits {
        None => unchecked.push("the tenant's limits on API keys".to_owned()),
        Some(limits) => {
            if spec.expires_in > limits.max_expiry {
                return Err(too_long(spec.expires_in, limits.max_expiry, ground));
            }
            let used = slots.used.entry(spec.owner.clone()).or_insert(0);
            if *used >= limits.max_keys_per_user {
                return Err(Refusal::new(
                    Code::NoHeadroom,
                    format!(
                        "its owner has {used} live keys of at most {}, and one more is needed (a successor overlaps the key it follows)",
                        limits.max_keys_per_user
                    ),
                    "raise the tenant's max_keys_per_user, or revoke keys of that owner that nobody uses",
                ));
            }
            *used += 1;
        }
    }
    // Only now, so that nobody is made, and nothing trusted, for the sake of a key that is refused.
    slots.key_client_mints |= spec.owner.needs_key_client();
    if let (Some(user), Some(declared)) = (to_make, scene.desired.items.get(address)) {
        let subject = user.subject.clone().unwrap_or_default();
        slots.to_make.entry(subject).or_insert_with(|| (user.clone(), declared.at.clone()));
    }
    Ok(())
}

/// Checks that the owner can mint, as far as that is known. Returns the owner that is to be made first.
fn owner_can_mint<'a>(
    case: &Case<'a, '_>,
    slots: &Slots,
    unchecked: &mut Vec<String>,
) -> Result<Option<&'a User>, Refusal> {
    let Case { scene, tenant_spec, spec, ground, .. } = *case;
    let facts = scene.desired.qlik.get(&tenant_spec.account);
    if spec.owner.needs_key_client() && !facts.is_some_and(|facts| facts.has_key_client) {
        return Err(Refusal::new(
            Code::NoOwnerCredentials,
            "its account names no key_client, and only a tenant-level client can mint keys for itself or for users",
            "add key_client to the account in settings: a tenant-level OAuth client of the source tenant, published to the region",
        ));
    }
    let (mut caller, mut to_make) = (None, None);
    match ground {
        Ground::Exists { at, live, .. } => {
            match live.caller(&spec.owner) {
                Some(Observed::Present(found)) => {
                    if found.tenant_id != at.id {
                        return Err(Refusal::new(
                            Code::OwnerElsewhere,
                            format!("its owner's credentials belong to tenant {}, not to this one", found.tenant_id),
                            "name an owner whose tenant: in settings is this tenant, or owner: { client: {} }",
                        ));
                    }
                    if let Some(refusal) = owner_changed(case) {
                        return Err(refusal);
                    }
                    if !found.is_active() {
                        return Err(inactive(&spec.owner, found));
                    }
                    caller = Some(found);
                }
                Some(Observed::Unreadable(unreadable)) => return Err(unreadable.into()),
                Some(Observed::Absent) if spec.owner.user().is_some() => {
                    if let Some(refusal) = owner_changed(case) {
                        return Err(refusal);
                    }
                    to_make = Some(to_be_made(case)?);
                }
                Some(Observed::Absent) | None => {
                    unchecked
                        .push("its owner's headroom and permission (known once the key client is trusted)".to_owned());
                }
            }
            if let (true, Some(Observed::Unreadable(unreadable))) = (spec.owner.needs_key_client(), &live.key_client) {
                return Err(unreadable.into());
            }
        }
        Ground::MadeBefore { .. } => match &spec.owner {
            Owner::Client => {}
            Owner::Configured(name) => {
                return Err(Refusal::new(
                    Code::OwnerElsewhere,
                    format!(
                        "owner {name} has an API key of another tenant; nobody has one of a tenant that is still to be made"
                    ),
                    "let the account's key client own it: owner: { client: {} }",
                ));
            }
            Owner::User(_) => to_make = Some(to_be_made(case)?),
        },
        Ground::Refused | Ground::Waiting => {}
    }
    may_manage_keys(case, slots, caller)?;
    Ok(to_make)
}

/// The permission to manage keys: everyone's, the owner's own, or one that this plan grants.
fn may_manage_keys(case: &Case<'_, '_>, slots: &Slots, caller: Option<&CallerLive>) -> Result<(), Refusal> {
    let Case { tenant, tenant_spec, spec, ground, .. } = *case;
    let live = match ground {
        Ground::Exists { live, .. } => Some(*live),
        Ground::MadeBefore { .. } | Ground::Refused | Ground::Waiting => None,
    };
    let own = caller.is_some_and(|caller| caller.manages_api_keys);
    if slots.everyone_may_mint != Some(false) || own || role::covers(tenant_spec, live, &spec.owner, caller) {
        return Ok(());
    }
    if tenant_spec.grants.to_everyone() || role::covers(tenant_spec, None, &spec.owner, caller) {
        return Err(Refusal::new(
            Code::Depends,
            format!("its owner needs the permission that {tenant} declares, and that grant is refused"),
            format!("resolve {tenant} first"),
        ));
    }
    let why = "its owner may not manage API keys: neither the user default nor a role of its own allows it";
    let by_hand = "or give the owner a role with \"Manage API keys\" (Administration > Manage users)";
    Err(match tenant_spec.grants.by_role() {
        Some(_) => Refusal::new(Code::NoPermission, why, "let the declared role reach it: assign_to: { key_owners: true }"),
        None => Refusal::new(
            Code::NoPermission,
            why,
            "declare it for the tenant: grants: { manage_api_keys: { role: { name: API key holders, assign_to: { key_owners: true } } } }",
        )
        .or("or for everyone in it: grants: { manage_api_keys: { everyone: {} } }"),
    }
    .or(by_hand))
}

/// A user who is not there, where one can be made of what is declared.
fn to_be_made<'a>(case: &Case<'a, '_>) -> Result<&'a User, Refusal> {
    let user = case.spec.owner.user();
    user.filter(|user| user.id.is_none() && user.subject.is_some()).ok_or_else(|| {
        let who = user.map(ToString::to_string).unwrap_or_default();
        let why = match case.ground {
            Ground::MadeBefore { .. } => {
                format!("its owner is a user with {who}, and a tenant that is still to be made has no users")
            }
            Ground::Exists { .. } | Ground::Refused | Ground::Waiting => {
                format!("its owner is a user with {who}, and the tenant has none")
            }
        };
        Refusal::new(
            Code::OwnerMissing,
            why,
            "name the owner by its subject, so that it can be made: owner: { user: { subject: … } }",
        )
        .or("or correct it, if the user is there under another id or address")
    })
}

fn inactive(owner: &Owner, caller: &CallerLive) -> Refusal {
    let who = owner.user().map_or_else(|| "its owner".to_owned(), |user| format!("its owner (user with {user})"));
    Refusal::new(
        Code::OwnerInactive,
        format!("{who} is {}, and nobody can act for a user who is not active", caller.status),
        "activate the user (Administration > Manage users), or declare another owner for a new key",
    )
}

/// Somebody else's key is in the sink: another owner is another key, so that nothing is minted twice.
pub(super) fn owner_changed(case: &Case<'_, '_>) -> Option<Refusal> {
    let Case { scene, address, spec, ground, .. } = *case;
    let Ground::Exists { live, .. } = ground else { return None };
    let entry = scene.live.sinks.get(address).and_then(|sink| sink.entries().next())?;
    let declared = match (live.caller(&spec.owner), spec.owner.user()) {
        (Some(Observed::Present(caller)), _) if caller.user_id == entry.owner => return None,
        (Some(Observed::Present(caller)), None) => caller.user_id.to_string(),
        (Some(Observed::Present(caller)), Some(user)) => format!("{} ({user})", caller.user_id),
        // Its key died with a user who is gone: then one may be made again. While it lives, it is another's.
        (Some(Observed::Absent), Some(user)) if lives(scene, live, entry) => format!("nobody yet ({user})"),
        (Some(Observed::Absent | Observed::Unreadable(_)) | None, _) => return None,
    };
    Some(
        Refusal::new(
            Code::OwnerChanged,
            format!("the key in its sink belongs to user {}, and the declared owner is {declared}", entry.owner),
            "declare it under another name, and remove this one once the new key is in use",
        )
        .or("or declare the owner again that it has"),
    )
}

fn lives(scene: &Scene, live: &TenantLive, entry: &SinkEntry) -> bool {
    let listed = live.keys.as_ref().and_then(Observed::present).and_then(|keys| keys.get(&entry.key_id));
    let looked_up = live.looked_up.get(&entry.key_id).and_then(Observed::present);
    looked_up.or(listed).is_some_and(|key| key.is_live(scene.now))
}

fn too_long(asked: Duration, allowed: Duration, ground: &Ground) -> Refusal {
    let (whose, or) = match ground {
        Ground::MadeBefore { .. } => {
            ("a new tenant allows", format!("declare api_key_limits: {{ max_expiry: {asked} }}"))
        }
        // Declared limits are sent once, to a tenant that we made; from then on a difference is drift.
        Ground::Exists { .. } | Ground::Refused | Ground::Waiting => {
            ("the tenant allows", "raise the tenant's limit on API keys by hand".to_owned())
        }
    };
    Refusal::new(
        Code::ExpiryTooLong,
        format!("expires_in is {asked}, and {whose} at most {allowed}"),
        format!("shorten expires_in, or {or}"),
    )
}
