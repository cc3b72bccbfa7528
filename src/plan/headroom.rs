//! Whether one more key can be minted: the sink, the owner and its permission, the tenant's limits, what is used already.

use std::collections::BTreeMap;

use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::live::{KeyLimitsLive, Observed, SinkLive, Writable};
use crate::model::spec::{ManageApiKeys, Owner, QlikTenant};

use super::Scene;
use super::action::{Action, Parent, SettlePart, Trust};
use super::mint::Case;
use super::refusal::{Code, Refusal};
use super::tenant::{Ground, trust_in};

/// What one tenant has room for, counted down as keys are planned.
pub(super) struct Slots {
    limits: Option<KeyLimitsLive>,
    /// Why limits are unknown.
    unread: Option<Refusal>,
    /// Live keys by owner, the planned ones included.
    used: BTreeMap<Owner, u32>,
    everyone_may_mint: Option<bool>,
    client_mints: bool,
}

impl Slots {
    pub(super) fn new(scene: &Scene, spec: &QlikTenant, ground: &Ground, own: &[Action]) -> Self {
        let granted = own.iter().any(|action| matches!(action, Action::Grant(_)));
        let settled = own.iter().find_map(|action| match action {
            Action::Settle(settle) => settle.parts.iter().find_map(|part| match part {
                SettlePart::Limits(limits) => Some(*limits),
                SettlePart::Name(_) | SettlePart::Alias { .. } => None,
            }),
            Action::CreateTenant(_)
            | Action::Trust(_)
            | Action::Grant(_)
            | Action::Mark(_)
            | Action::CreateKey(_)
            | Action::Renew(_)
            | Action::Reclaim(_)
            | Action::Keep(_)
            | Action::Drift(_)
            | Action::Wait(_)
            | Action::Refuse(_)
            | Action::Imburse(_) => None,
        });
        let (mut limits, mut unread, mut everyone) = (None, None, None);
        let mut used = BTreeMap::new();
        match ground {
            Ground::MadeBefore => {
                limits = Some(KeyLimitsLive::VENDOR_DEFAULT);
                everyone = Some(false);
            }
            Ground::Exists { live, .. } => {
                match &live.limits {
                    Some(Observed::Present(found)) => limits = Some(*found),
                    Some(Observed::Unreadable(unreadable)) => unread = Some(unreadable.into()),
                    Some(Observed::Absent) | None => {}
                }
                match &live.user_default {
                    Some(Observed::Present(role)) => everyone = Some(role.manages_api_keys),
                    Some(Observed::Unreadable(unreadable)) => unread = unread.or_else(|| Some(unreadable.into())),
                    Some(Observed::Absent) | None => {}
                }
                if let Some(Observed::Present(keys)) = &live.keys {
                    for (owner, caller) in &live.callers {
                        if let Observed::Present(caller) = caller {
                            let count =
                                keys.values().filter(|k| k.is_live(scene.now) && k.sub == caller.user_id).count();
                            used.insert(owner.clone(), u32::try_from(count).unwrap_or(u32::MAX));
                        }
                    }
                }
            }
            Ground::Refused | Ground::Waiting => {}
        }
        if let (Some(limits), Some(sent)) = (&mut limits, settled) {
            limits.max_expiry = sent.max_expiry.unwrap_or(limits.max_expiry);
            limits.max_keys_per_user = sent.max_keys_per_user.unwrap_or(limits.max_keys_per_user);
        }
        let declared = spec.grants.manage_api_keys == Some(ManageApiKeys::Everyone);
        if granted || (declared && matches!(ground, Ground::MadeBefore)) {
            everyone = Some(true);
        }
        Self { limits, unread, used, everyone_may_mint: everyone, client_mints: false }
    }

    /// The trust that the planned keys need, if it is not there.
    pub(super) fn trust(&self, spec: &QlikTenant, address: &Address, ground: &Ground) -> Option<Trust> {
        if !self.client_mints {
            return None;
        }
        match ground {
            Ground::MadeBefore => Some(trust_in(spec, Parent::MadeBefore(address.clone()))),
            Ground::Exists { at, live, .. } => match &live.key_client {
                Some(Observed::Present(consent)) if !consent.trusted => {
                    Some(trust_in(spec, Parent::Exists(at.clone())))
                }
                Some(Observed::Present(_) | Observed::Absent | Observed::Unreadable(_)) | None => None,
            },
            Ground::Refused | Ground::Waiting => None,
        }
    }
}

/// Whether the vendor and the sink would take one more key, as far as that can be known. Says what could not be checked.
pub(super) fn may_mint(case: &Case<'_>, slots: &mut Slots) -> Result<Vec<String>, Refusal> {
    let Case { scene, address, spec, ground, .. } = *case;
    let mut unchecked = Vec::new();
    let sink = scene.live.sinks.get(address);
    sink_takes(sink, &spec.deliver_to, &mut unchecked)?;
    if let Some(refusal) = &slots.unread {
        return Err(refusal.clone());
    }
    owner_can_mint(case, slots, &mut unchecked)?;
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
    Ok(unchecked)
}

pub(super) fn sink_takes(sink: Option<&SinkLive>, name: &Name, unchecked: &mut Vec<String>) -> Result<(), Refusal> {
    match sink.map(|sink| (&sink.entry, &sink.writable)) {
        Some((_, Some(Writable::No(unreadable)))) => {
            Err(Refusal { code: Code::SinkRefuses, why: unreadable.why.clone(), next: vec![unreadable.next.clone()] })
        }
        Some((Some(Observed::Unreadable(unreadable)), _)) => Err(unreadable.into()),
        Some((_, Some(Writable::Yes))) => Ok(()),
        Some((_, None)) | None => {
            unchecked.push(format!("whether sink {name} can be written"));
            Ok(())
        }
    }
}

fn owner_can_mint(case: &Case<'_>, slots: &mut Slots, unchecked: &mut Vec<String>) -> Result<(), Refusal> {
    let Case { scene, tenant_spec, address, spec, ground, .. } = *case;
    let facts = scene.desired.accounts.get(&tenant_spec.account);
    let mut own_role = false;
    match &spec.owner {
        Owner::Client => {
            if !facts.is_some_and(|facts| facts.has_key_client) {
                return Err(Refusal::new(
                    Code::NoOwnerCredentials,
                    "its account names no key_client, and only a tenant-level client can mint keys for itself",
                    "add key_client to the account in settings: a tenant-level OAuth client of the source tenant, published to the region",
                ));
            }
            slots.client_mints = true;
        }
        Owner::Configured(name) => {
            if matches!(ground, Ground::MadeBefore) {
                return Err(Refusal::new(
                    Code::OwnerElsewhere,
                    format!(
                        "owner {name} has an API key of another tenant; nobody has one of a tenant that is still to be made"
                    ),
                    "let the account's key client own it: owner: { client: {} }",
                ));
            }
        }
    }
    if let Ground::Exists { at, live, .. } = ground {
        match live.caller(&spec.owner) {
            Some(Observed::Present(caller)) => {
                if caller.tenant_id != at.id {
                    return Err(Refusal::new(
                        Code::OwnerElsewhere,
                        format!("its owner's credentials belong to tenant {}, not to this one", caller.tenant_id),
                        "name an owner whose tenant: in settings is this tenant, or owner: { client: {} }",
                    ));
                }
                let entry = scene.live.sinks.get(address).and_then(|sink| sink.held());
                if let Some(entry) = entry.filter(|entry| entry.owner != caller.user_id) {
                    return Err(Refusal::new(
                        Code::OwnerChanged,
                        format!(
                            "the key in its sink belongs to user {}, and the declared owner is {}",
                            entry.owner, caller.user_id
                        ),
                        "declare it under another name, and remove this one once the new key is in use",
                    ));
                }
                own_role = caller.manages_api_keys;
            }
            Some(Observed::Unreadable(unreadable)) => return Err(unreadable.into()),
            Some(Observed::Absent) | None => {
                unchecked.push("its owner's headroom and permission (known once the key client is trusted)".to_owned());
            }
        }
        if let (Owner::Client, Some(Observed::Unreadable(unreadable))) = (&spec.owner, &live.key_client) {
            return Err(unreadable.into());
        }
    }
    if slots.everyone_may_mint == Some(false) && !own_role {
        if tenant_spec.grants.manage_api_keys == Some(ManageApiKeys::Everyone) {
            return Err(Refusal::new(
                Code::Depends,
                format!("its owner needs the permission that {} declares, and that grant is refused", case.tenant),
                format!("resolve {} first", case.tenant),
            ));
        }
        return Err(Refusal::new(
            Code::NoPermission,
            "its owner may not manage API keys: neither the user default nor a role of its own allows it",
            "declare it for the tenant: grants: { manage_api_keys: { everyone: {} } }",
        )
        .or("or give the owner a role with \"Manage API keys\" (Administration > Manage users)"));
    }
    Ok(())
}

fn too_long(asked: Duration, allowed: Duration, ground: &Ground) -> Refusal {
    let (whose, or) = match ground {
        Ground::MadeBefore => ("a new tenant allows", format!("declare api_key_limits: {{ max_expiry: {asked} }}")),
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
