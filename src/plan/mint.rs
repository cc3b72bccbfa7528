//! What must hold before a tenant is created or a key minted. What can be known before acting is checked here.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::duration::Duration;
use crate::model::live::{KeyLimitsLive, LedgerFacts, LedgerLive, Observed, SinkLive, TenantLive, Writable};
use crate::model::record::Record;
use crate::model::spec::{ManageApiKeys, Owner, QlikKey, QlikTenant};
use crate::model::untrusted::Untrusted;

use super::action::{
    Action, CreateKey, Drift, DriftField, Keep, Mark, Notice, Parent, Plan, Reclaim, Renew, SettlePart, TenantRef,
    Trust, Unchecked, WhyMint,
};
use super::key::{self, Judgement, Mint, Stop};
use super::refusal::{Code, Refusal};
use super::tenant::{Ground, record_of, trust_in};
use super::{Scene, push};
use crate::model::marker::Letter;

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
    pub(super) fn new(scene: &Scene, address: &Address, spec: &QlikTenant, ground: &Ground, own: &[Action]) -> Self {
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
            | Action::Refuse(_) => None,
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
        let _ = address;
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

/// Whether a tenant may be created: account, licence, ledger, sinks, rehearsal.
pub(super) fn may_create(
    scene: &Scene,
    address: &Address,
    spec: &QlikTenant,
    ledger: Option<&LedgerFacts>,
) -> Result<(), Refusal> {
    let account = &spec.account;
    if scene.live.ledger_forgets {
        return Err(Refusal::new(
            Code::LedgerNotDurable,
            "with CI set, a tenant is created only with a ledger that outlives the runner, and this one is a folder on it",
            "keep the folder somewhere durable (a volume, the repository) and say --ledger-is-durable",
        ));
    }
    if !scene.desired.accounts.get(account).is_some_and(|facts| facts.has_source_tenant) {
        return Err(Refusal::new(
            Code::NoSourceTenant,
            format!("account {account} names no source tenant, where the licence key is read"),
            format!(
                "set accounts.{account}.source_tenant in settings to the first label of your existing tenant's address"
            ),
        ));
    }
    for (key, _, _) in scene.desired.qlik_keys(address) {
        let entry = scene.live.sinks.get(key).and_then(|sink| sink.entry.present());
        if let Some(entry) = entry {
            let foreign = ledger.and_then(|ledger| key::foreign_entry(entry, ledger));
            return Err(foreign.unwrap_or_else(|| {
                Refusal::new(
                    Code::SinkRefuses,
                    format!(
                        "the sink already holds key {} for {key}, so a tenant of this name was made before",
                        Untrusted::from(entry.key_id.as_str())
                    ),
                    "restore the ledger record of that tenant, or move the old secret away if it is given up",
                )
            }));
        }
    }
    let live = scene.live.accounts.get(account);
    match live.and_then(|live| live.licence.as_ref()) {
        Some(Observed::Present(licence)) if licence.valid => {}
        Some(Observed::Present(licence)) => {
            return Err(Refusal::new(
                Code::Licence,
                format!("the licence of account {account} is not valid: its status is {}", licence.status),
                "renew the subscription, or correct accounts.….source_tenant in settings",
            ));
        }
        Some(Observed::Unreadable(unreadable)) => return Err(unreadable.into()),
        Some(Observed::Absent) | None => {
            return Err(Refusal::new(
                Code::Unreadable,
                format!("the licence of account {account} was not read"),
                "plan again",
            ));
        }
    }
    rehearsed(scene, address, spec, ledger)
}

fn rehearsed(scene: &Scene, address: &Address, spec: &QlikTenant, ledger: Option<&LedgerFacts>) -> Result<(), Refusal> {
    let account = &spec.account;
    let mut owners: Vec<&Owner> = scene
        .desired
        .qlik_keys(address)
        .filter(|(_, key, _)| key.adopt.is_none())
        .map(|(_, key, _)| &key.owner)
        .collect();
    owners.sort();
    owners.dedup();
    let command = format!("qlik-apply rehearse {account}");
    for owner in owners {
        let credential = scene
            .live
            .accounts
            .get(account)
            .and_then(|live| live.credentials.iter().find(|(who, _)| who == owner).map(|(_, hash)| hash));
        let found = ledger.into_iter().flat_map(|facts| &facts.rehearsals).find(|rehearsal| {
            rehearsal.account == *account && rehearsal.owner == *owner && Some(&rehearsal.credential) == credential
        });
        match found {
            Some(rehearsal) => {
                if let (Some(failure), false) = (&rehearsal.failure, scene.wishes.unrehearsed) {
                    return Err(Refusal::new(
                        Code::RehearsalFailed,
                        format!("it declares keys, and the rehearsal on account {account} failed: {failure}"),
                        format!("change that, then: {command}"),
                    ));
                }
            }
            None if scene.wishes.unrehearsed || scene.wishes.will_rehearse => {}
            None => {
                return Err(Refusal::new(
                    Code::NotRehearsed,
                    format!(
                        "it declares keys, and nobody knows yet whether account {account} can mint one ({})",
                        words(owner)
                    ),
                    format!("{command}   (mints and removes one ten-minute key on the source tenant)"),
                )
                .or("or insist with --unrehearsed"));
            }
        }
    }
    Ok(())
}

fn words(owner: &Owner) -> String {
    match owner {
        Owner::Client => "its key_client, for itself".to_owned(),
        Owner::Configured(name) => format!("owner {name}, with its own key"),
    }
}

/// Plans one key on ground that is there or will be.
#[expect(clippy::too_many_arguments, reason = "one key stands between its tenant, its sink and the plan")]
pub(super) fn plan_key(
    scene: &Scene,
    tenant: &Address,
    tenant_spec: &QlikTenant,
    address: &Address,
    spec: &QlikKey,
    ground: &Ground,
    slots: &mut Slots,
    plan: &mut Plan,
) {
    let (parent, judgement) = match ground {
        Ground::MadeBefore => {
            if spec.adopt.is_some() {
                let refusal = Refusal::new(
                    Code::AdoptedKeyGone,
                    "a tenant that is still to be made has no key to adopt",
                    "remove adopt: from the key",
                );
                return push(plan, scene, address, Action::Refuse(refusal));
            }
            let first = Judgement {
                good: None,
                mark: false,
                mint: Some(Mint::First(WhyMint::Missing)),
                reclaim: Vec::new(),
                left: Vec::new(),
            };
            (Parent::MadeBefore(tenant.clone()), first)
        }
        Ground::Exists { at, live, record } => {
            if let Some(id) = &spec.adopt {
                return push(plan, scene, address, adopted_key(scene, live, id));
            }
            match judge(scene, tenant, address, spec, live, *record) {
                Ok(judgement) => (Parent::Exists(at.clone()), judgement),
                Err(Stop::Wait(wait)) => return push(plan, scene, address, Action::Wait(wait)),
                Err(Stop::Refuse(refusal)) => return push(plan, scene, address, Action::Refuse(refusal)),
            }
        }
        Ground::Refused | Ground::Waiting => return,
    };
    act(scene, tenant_spec, address, spec, ground, &parent, &judgement, slots, plan);
}

/// The decision table's answer, or why there is none.
pub(crate) fn judge<'a>(
    scene: &Scene<'a>,
    tenant: &Address,
    address: &'a Address,
    spec: &'a QlikKey,
    live: &'a TenantLive,
    record: Option<&'a Record>,
) -> Result<Judgement<'a>, Stop> {
    let sink_facts = scene.desired.sinks.get(&spec.deliver_to);
    let (Some(sink_facts), Some(sink)) = (sink_facts, scene.live.sinks.get(address)) else {
        return Err(key::refuse(
            Code::Unreadable,
            format!("sink {} was not read", spec.deliver_to),
            "name a sink that settings have, then plan again",
        ));
    };
    let ledger = match (record_of(scene, tenant), &scene.live.ledger) {
        (Some((facts, _)), _) | (None, LedgerLive::Present(facts)) => Some(facts),
        (None, LedgerLive::Missing { .. }) => None,
    };
    let remint = scene.wishes.remint.contains(address);
    key::judge(&key::Facts { address, spec, ledger, record, tenant: live, sink, sink_facts, remint, now: scene.now })
}

fn adopted_key(scene: &Scene, live: &TenantLive, id: &str) -> Action {
    let shown = Untrusted::from(id);
    let refuse = |why: String| {
        Action::Refuse(Refusal::new(
            Code::AdoptedKeyGone,
            why,
            "name a key that lives, or remove adopt: to have a new one minted and delivered",
        ))
    };
    match &live.keys {
        Some(Observed::Present(keys)) => match keys.get(id) {
            Some(key) if key.is_live(scene.now) => {
                Action::Keep(Keep::AdoptedKey { key_id: id.to_owned(), expires: key.expiry })
            }
            Some(_) => refuse(format!("adopt: names key {shown}, which is expired or revoked")),
            None => refuse(format!("adopt: names key {shown}, which the tenant does not list")),
        },
        Some(Observed::Unreadable(unreadable)) => Action::Refuse(unreadable.into()),
        Some(Observed::Absent) | None => refuse("the tenant's keys were not read".to_owned()),
    }
}

#[expect(clippy::too_many_arguments, reason = "one key stands between its tenant, its sink and the plan")]
fn act(
    scene: &Scene,
    tenant_spec: &QlikTenant,
    address: &Address,
    spec: &QlikKey,
    ground: &Ground,
    parent: &Parent,
    judged: &Judgement,
    slots: &mut Slots,
    plan: &mut Plan,
) {
    let account = &tenant_spec.account;
    for (key, why) in &judged.left {
        plan.notices.push(Notice {
            address: Some(address.clone()),
            text: format!("key {} is left to expire: {why}", Untrusted::from(key.id.as_str())).into(),
        });
    }
    let at = match parent {
        Parent::Exists(at) => Some(at.clone()),
        Parent::MadeBefore(_) => None,
    };
    if let (true, Some(good), Some(at)) = (judged.mark, judged.good, &at)
        && let Some(marker) = &good.marker
    {
        let description = marker.with_letter(Letter::Delivered).describe(good.text.raw());
        push(
            plan,
            scene,
            address,
            Action::Mark(Mark {
                account: account.clone(),
                parent: at.clone(),
                owner: spec.owner.clone(),
                key_id: good.id.clone(),
                description: description.into(),
            }),
        );
    }
    let delivers = match &judged.mint {
        None => false,
        Some(mint) => match may_mint(scene, address, spec, ground, slots) {
            Err(refusal) => {
                push(plan, scene, address, Action::Refuse(refusal));
                // A leftover may only be revoked after its successor, and there will be none.
                return;
            }
            Ok(unchecked) => {
                plan.unchecked.extend(unchecked.into_iter().map(|what| Unchecked { address: address.clone(), what }));
                let why = match mint {
                    Mint::First(why) => why.clone(),
                    Mint::Renewal { .. } => WhyMint::Missing,
                };
                let create = CreateKey { account: account.clone(), parent: parent.clone(), spec: spec.clone(), why };
                push(
                    plan,
                    scene,
                    address,
                    match mint {
                        Mint::First(_) => Action::CreateKey(create),
                        Mint::Renewal { key_id, expires } => {
                            Action::Renew(Renew { create, key_id: key_id.clone(), expires: *expires })
                        }
                    },
                );
                true
            }
        },
    };
    if let Some(at) = &at {
        for key in &judged.reclaim {
            push(plan, scene, address, Action::Reclaim(reclaim(account, at, spec, key, delivers)));
        }
    }
    if !delivers && let Some(good) = judged.good {
        let clean = !judged.mark && judged.reclaim.is_empty();
        if good.text.raw() != spec.description {
            let field =
                DriftField { field: "description".into(), declared: spec.description.clone(), live: good.text.clone() };
            push(plan, scene, address, Action::Drift(Drift { fields: vec![field] }));
        } else if clean {
            push(
                plan,
                scene,
                address,
                Action::Keep(Keep::Key {
                    key_id: good.id.clone(),
                    expires: good.expiry,
                    sink: spec.deliver_to.clone(),
                    shape: spec.deliver_as,
                }),
            );
        }
    }
}

fn reclaim(
    account: &crate::model::address::Name,
    at: &TenantRef,
    spec: &QlikKey,
    key: &crate::model::live::KeyLive,
    after_delivery: bool,
) -> Reclaim {
    Reclaim {
        account: account.clone(),
        parent: at.clone(),
        owner: spec.owner.clone(),
        key_id: key.id.clone(),
        created: key.created,
        letter: key.marker.as_ref().map_or(Letter::Undelivered, |marker| marker.letter),
        after_delivery,
    }
}

/// Whether the vendor and the sink would take one more key, as far as that can be known. Says what could not be checked.
fn may_mint(
    scene: &Scene,
    address: &Address,
    spec: &QlikKey,
    ground: &Ground,
    slots: &mut Slots,
) -> Result<Vec<String>, Refusal> {
    let mut unchecked = Vec::new();
    let sink = scene.live.sinks.get(address);
    sink_takes(sink, spec, &mut unchecked)?;
    if let Some(refusal) = &slots.unread {
        return Err(refusal.clone());
    }
    owner_can_mint(scene, address, spec, ground, slots, &mut unchecked)?;
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

fn sink_takes(sink: Option<&SinkLive>, spec: &QlikKey, unchecked: &mut Vec<String>) -> Result<(), Refusal> {
    match sink.map(|sink| (&sink.entry, &sink.writable)) {
        Some((_, Some(Writable::No(unreadable)))) => {
            Err(Refusal { code: Code::SinkRefuses, why: unreadable.why.clone(), next: vec![unreadable.next.clone()] })
        }
        Some((Observed::Unreadable(unreadable), _)) => Err(unreadable.into()),
        Some((Observed::Absent | Observed::Present(_), Some(Writable::Yes))) => Ok(()),
        Some((Observed::Absent | Observed::Present(_), None)) | None => {
            unchecked.push(format!("whether sink {} can be written", spec.deliver_to));
            Ok(())
        }
    }
}

fn owner_can_mint(
    scene: &Scene,
    address: &Address,
    spec: &QlikKey,
    ground: &Ground,
    slots: &mut Slots,
    unchecked: &mut Vec<String>,
) -> Result<(), Refusal> {
    let account = scene.desired.items.get(&address.parent()).and_then(|declared| match &declared.spec {
        crate::model::spec::Spec::QlikTenant(tenant) => Some(&tenant.account),
        crate::model::spec::Spec::QlikKey(_) => None,
    });
    let facts = account.and_then(|account| scene.desired.accounts.get(account));
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
                let entry = scene.live.sinks.get(address).and_then(|sink| sink.entry.present());
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
    let whose = if matches!(ground, Ground::MadeBefore) { "a new tenant allows" } else { "the tenant allows" };
    Refusal::new(
        Code::ExpiryTooLong,
        format!("expires_in is {asked}, and {whose} at most {allowed}"),
        format!("shorten expires_in, or declare api_key_limits: {{ max_expiry: {asked} }} for a tenant that we make"),
    )
}
