//! The published format of what an action at Imburse says, and the way there, field by field. It grows by addition only.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{ImburseKey, PairShape as Delivered, PostalAddress};
use crate::model::untrusted::Untrusted;
use crate::plan::action::{KeyShape, Parent, WhyMint};

use super::words::{Adopted, Cause, Letter};

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
    /// One sink, the first by name.
    deliver_to: String,
    deliver_as: Shape,
    /// The other sinks. The key counts as delivered once all have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_deliver_to: Vec<Place>,
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
    /// The other sinks that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    also_delivered: Vec<Place>,
}

#[derive(Serialize, JsonSchema)]
struct Place {
    sink: String,
    shape: Shape,
}

pub(super) fn create_tenant(
    account: &Name,
    host: &Host,
    name: &str,
    address: &PostalAddress,
    waits_for_approval: Option<bool>,
) -> Imburse {
    let PostalAddress { street_address, extended_address, locality, region, post_code, country } = address.clone();
    Imburse::CreateTenant(CreateTenant {
        account: account.to_string(),
        host: host.to_string(),
        display_name: name.to_owned(),
        address: Address { street_address, extended_address, locality, region, post_code, country },
        waits_for_approval,
    })
}

pub(super) fn create_key(account: &Name, parent: &Parent, spec: &ImburseKey, why: &WhyMint) -> Imburse {
    // An adopted key is never made.
    let ImburseKey { name, roles, deliver_to, deliver_as, adopt: _ } = spec;
    Imburse::CreateKey(CreateKey {
        account: account.to_string(),
        tenant: match parent {
            Parent::Exists(tenant) => Tenant::Exists(tenant.id.raw().to_owned()),
            Parent::MadeBefore(address) => Tenant::MadeBefore(address.to_string()),
        },
        name: name.clone(),
        roles: roles.iter().cloned().collect(),
        deliver_to: deliver_to.first().to_string(),
        deliver_as: deliver_as.of(deliver_to.first()).into(),
        also_deliver_to: deliver_to.others().map(|home| place(home, deliver_as.of(home))).collect(),
        cause: why.into(),
    })
}

pub(super) fn mark(
    account: String,
    tenant_id: &Untrusted,
    public_key: String,
    name: String,
    roles: &BTreeSet<Untrusted>,
) -> Imburse {
    let roles = roles.iter().map(|role| role.raw().to_owned()).collect();
    Imburse::Mark(Mark { account, tenant_id: tenant_id.raw().to_owned(), public_key, name, roles })
}

pub(super) fn reclaim(
    account: String,
    tenant_id: &Untrusted,
    public_key: String,
    letter: Letter,
    after_delivery: bool,
    asked: bool,
) -> Imburse {
    let tenant_id = tenant_id.raw().to_owned();
    Imburse::Reclaim(Reclaim { account, tenant_id, public_key, letter, after_delivery, asked })
}

pub(super) fn keep_tenant(id: String, name: &Untrusted, host: &Host, adopted: Adopted) -> Imburse {
    let (display_name, host) = (name.raw().to_owned(), host.to_string());
    Imburse::KeepTenant(KeepTenant { id, display_name, host, adopted })
}

pub(super) fn keep_key(public_key: &str, sink: &Name, shape: Delivered, also: &BTreeMap<Name, KeyShape>) -> Imburse {
    let also = also.iter().filter_map(|(home, shape)| match shape {
        KeyShape::Imburse(shape) => Some(place(home, *shape)),
        KeyShape::Qlik(_) => None,
    });
    Imburse::KeepKey(KeepKey {
        public_key: public_key.to_owned(),
        delivered: Some(place(sink, shape)),
        also_delivered: also.collect(),
    })
}

fn place(home: &Name, shape: Delivered) -> Place {
    Place { sink: home.to_string(), shape: shape.into() }
}

pub(super) fn keep_adopted_key(public_key: &str) -> Imburse {
    Imburse::KeepKey(KeepKey { public_key: public_key.to_owned(), delivered: None, also_delivered: Vec::new() })
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
