//! The published format of what an action at Imburse says, and the way there, field by field. It grows by addition only.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::imburse::{ImburseKey, PostalAddress, Shape as Delivered};
use crate::model::marker;
use crate::plan::action::{Adopted as Adoption, Parent, WhyMint};
use crate::plan::imburse::action;

use super::words::{Adopted, Cause, Kind, Letter};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Imburse {
    CreateTenant(CreateTenant),
    CreateKey(CreateKey),
    Mark(Mark),
    Reclaim(Reclaim),
    KeepTenant(KeepTenant),
    KeepKey(KeepKey),
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CreateTenant {
    account: String,
    /// The API's own.
    host: String,
    display_name: String,
    address: Address,
    /// Left out where the account could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for_approval: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct Address {
    #[serde(skip_serializing_if = "Option::is_none")]
    street_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locality: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
}

/// The tenant that a key is made in.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Tenant {
    /// Its id.
    Exists(String),
    /// The address of the action that makes it.
    MadeBefore(String),
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CreateKey {
    account: String,
    tenant: Tenant,
    name: String,
    /// In order.
    roles: Vec<String>,
    deliver_to: String,
    deliver_as: Shape,
    cause: Cause,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Imburse,
    Env,
    Json,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Mark {
    account: String,
    tenant_id: String,
    public_key: String,
    /// As it will stand.
    name: String,
    /// As they are.
    roles: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Reclaim {
    account: String,
    tenant_id: String,
    public_key: String,
    /// Of its marker, at planning.
    letter: Letter,
    /// Whether this plan delivers the successor first.
    after_delivery: bool,
    /// `--reclaim`.
    asked: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct KeepTenant {
    id: String,
    display_name: String,
    host: String,
    adopted: Adopted,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct KeepKey {
    public_key: String,
    /// Where its private key is; none for an adopted key, whose private key is its owner's affair.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<Place>,
}

#[derive(Serialize, JsonSchema)]
struct Place {
    sink: String,
    shape: Shape,
}

pub(super) fn kind(action: &action::Imburse) -> Kind {
    match action {
        action::Imburse::CreateTenant(_) | action::Imburse::CreateKey(_) => Kind::Create,
        action::Imburse::Mark(_) => Kind::Mark,
        action::Imburse::Reclaim(_) => Kind::Reclaim,
        action::Imburse::Keep(_) => Kind::Keep,
    }
}

/// Why a key is made.
pub(super) fn why(action: &action::Imburse) -> Option<&WhyMint> {
    match action {
        action::Imburse::CreateKey(create) => Some(&create.why),
        action::Imburse::CreateTenant(_)
        | action::Imburse::Mark(_)
        | action::Imburse::Reclaim(_)
        | action::Imburse::Keep(_) => None,
    }
}

impl From<&action::Imburse> for Imburse {
    fn from(action: &action::Imburse) -> Self {
        match action {
            action::Imburse::CreateTenant(create) => Self::CreateTenant(create.into()),
            action::Imburse::CreateKey(create) => Self::CreateKey(create.into()),
            action::Imburse::Mark(action::Mark { account, tenant_id, public_key, name, roles }) => Self::Mark(Mark {
                account: account.to_string(),
                tenant_id: tenant_id.raw().to_owned(),
                public_key: public_key.clone(),
                name: name.raw().to_owned(),
                roles: roles.iter().map(|role| role.raw().to_owned()).collect(),
            }),
            action::Imburse::Reclaim(reclaim) => Self::Reclaim(reclaim.into()),
            action::Imburse::Keep(keep) => self::keep(keep),
        }
    }
}

impl From<&action::CreateTenant> for CreateTenant {
    fn from(create: &action::CreateTenant) -> Self {
        let action::CreateTenant { account, host, name, address, waits_for_approval } = create;
        let PostalAddress { street_address, extended_address, locality, region, post_code, country } = address.clone();
        Self {
            account: account.to_string(),
            host: host.to_string(),
            display_name: name.clone(),
            address: Address { street_address, extended_address, locality, region, post_code, country },
            waits_for_approval: *waits_for_approval,
        }
    }
}

impl From<&action::CreateKey> for CreateKey {
    fn from(create: &action::CreateKey) -> Self {
        let action::CreateKey { account, parent, spec, why } = create;
        // An adopted key is never made.
        let ImburseKey { name, roles, deliver_to, deliver_as, adopt: _ } = spec;
        Self {
            account: account.to_string(),
            tenant: match parent {
                Parent::Exists(tenant) => Tenant::Exists(tenant.id.raw().to_owned()),
                Parent::MadeBefore(address) => Tenant::MadeBefore(address.to_string()),
            },
            name: name.clone(),
            roles: roles.iter().cloned().collect(),
            deliver_to: deliver_to.to_string(),
            deliver_as: (*deliver_as).into(),
            cause: why.into(),
        }
    }
}

impl From<&action::Reclaim> for Reclaim {
    fn from(reclaim: &action::Reclaim) -> Self {
        let action::Reclaim { account, tenant_id, public_key, letter, after_delivery, asked } = reclaim;
        Self {
            account: account.to_string(),
            tenant_id: tenant_id.raw().to_owned(),
            public_key: public_key.clone(),
            letter: match letter {
                marker::Letter::Undelivered => Letter::Undelivered,
                marker::Letter::Delivered => Letter::Delivered,
            },
            after_delivery: *after_delivery,
            asked: *asked,
        }
    }
}

fn keep(keep: &action::Keep) -> Imburse {
    match keep {
        action::Keep::Tenant { id, name, host, adopted } => Imburse::KeepTenant(KeepTenant {
            id: id.raw().to_owned(),
            display_name: name.raw().to_owned(),
            host: host.to_string(),
            adopted: match adopted {
                Adoption::No => Adopted::No,
                Adoption::ToRecord { account } => Adopted::ToRecord(account.to_string()),
                Adoption::Recorded => Adopted::Recorded,
            },
        }),
        action::Keep::Key { public_key, sink, shape } => Imburse::KeepKey(KeepKey {
            public_key: public_key.clone(),
            delivered: Some(Place { sink: sink.to_string(), shape: (*shape).into() }),
        }),
        action::Keep::AdoptedKey { public_key } => {
            Imburse::KeepKey(KeepKey { public_key: public_key.clone(), delivered: None })
        }
    }
}

impl From<Delivered> for Shape {
    fn from(shape: Delivered) -> Self {
        match shape {
            Delivered::Imburse => Self::Imburse,
            Delivered::Env => Self::Env,
            Delivered::Json => Self::Json,
        }
    }
}
