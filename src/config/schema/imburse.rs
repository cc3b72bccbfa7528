//! `imburse:` of desired state, as its schema says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::words::{AddressLine, ByHome, DeliverTo, DisplayName, ImburseId, KeyName, Name, Role, keys, named};

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Imburse {
    /// What many tenants share, by name. A tenant takes one with `profile: NAME`.
    #[schemars(schema_with = "named::<ImburseProfile>")]
    #[schemars(default)]
    pub profiles: BTreeMap<String, ImburseProfile>,
    /// The tenants, by name. The name is the tenant's identity here: `imburse/NAME`.
    #[schemars(schema_with = "named::<ImburseTenant>")]
    #[schemars(default)]
    pub tenants: BTreeMap<String, ImburseTenant>,
}

/// What many tenants share. What a tenant does not say itself is taken from its profile.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ImburseProfile {
    /// An account of vendor imburse, named in settings.
    pub account: Option<Name>,
    /// Sent when a tenant is created; later differences are drift.
    pub address: Option<PostalAddress>,
    /// API keys, by name.
    #[schemars(schema_with = "keys::<ImburseKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ImburseKey>,
}

/// One tenant at Imburse Payments.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [
        {
            "title": "a tenant that is made",
            "type": "object",
            "required": ["display_name"],
            "properties": {
                "display_name": true,
                "address": {
                    "type": "object",
                    "required": ["street_address", "locality", "post_code", "country"],
                    "properties": { "street_address": true, "locality": true, "post_code": true, "country": true }
                }
            },
            "anyOf": [
                { "title": "with an address", "type": "object", "required": ["address"], "properties": { "address": true } },
                { "title": "with a profile", "type": "object", "required": ["profile"], "properties": { "profile": true } }
            ]
        },
        { "title": "a tenant that exists", "type": "object", "required": ["adopt"], "properties": { "adopt": true } }
    ])
)]
pub struct ImburseTenant {
    /// An account of vendor imburse, named in settings. Required here or in the profile.
    pub account: Option<Name>,
    /// A profile to inherit from.
    pub profile: Option<Name>,
    /// The vendor's name of it. A tenant that no ledger knows is found by it.
    pub display_name: Option<DisplayName>,
    /// Sent when it is created; later differences are drift. Replaces the profile's as a whole.
    pub address: Option<PostalAddress>,
    /// The tenant exists; it is never created.
    pub adopt: Option<AdoptImburseTenant>,
    /// API keys, by name, besides the profile's. One of the same name needs `override: true`.
    #[schemars(schema_with = "keys::<ImburseKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ImburseKey>,
    /// Names of the profile's keys that this tenant does not get.
    #[schemars(default)]
    pub omit: Vec<Name>,
    /// Labels, by which a run may select it: `--label tier=gold`.
    #[schemars(schema_with = "named::<Name>")]
    #[schemars(default)]
    pub labels: BTreeMap<String, Name>,
}

/// A postal address, as the vendor asks for it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PostalAddress {
    pub street_address: Option<AddressLine>,
    pub extended_address: Option<AddressLine>,
    pub locality: Option<AddressLine>,
    pub region: Option<AddressLine>,
    pub post_code: Option<AddressLine>,
    pub country: Option<AddressLine>,
}

/// How an existing tenant is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptImburseTenant {
    /// Its `tenantId`.
    pub tenant_id: ImburseId,
}

/// One tenant API key: a public and a private key. The private key goes to a sink, never into a file that is reviewed.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [
        {
            "title": "a key that is made",
            "type": "object",
            "required": ["name", "roles", "deliver_to"],
            "properties": { "name": true, "roles": true, "deliver_to": true }
        },
        { "title": "a key that exists", "type": "object", "required": ["adopt"], "properties": { "adopt": true } }
    ])
)]
pub struct ImburseKey {
    /// What the key is called at the vendor.
    pub name: Option<KeyName>,
    /// What it may do, as in `tenant-admin`. A set; one that the vendor does not document is a warning.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub roles: Option<Vec<Role>>,
    /// A sink named in settings, or several: the key counts as delivered once all have it.
    pub deliver_to: Option<DeliverTo>,
    /// What is written into the sink, or into each by its name; `imburse` if left out.
    pub deliver_as: Option<ByHome<ImburseShape>>,
    /// The key exists; it is never made, and its private key is its owner's affair.
    pub adopt: Option<AdoptImburseKey>,
    /// Replaces the profile's key of the same name as a whole.
    #[schemars(rename = "override", default)]
    pub overrides: bool,
}

/// How an existing key is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptImburseKey {
    /// Its public key, as the tenant's list of keys shows it.
    pub public_key: ImburseId,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ImburseShape {
    /// The JSON that the vendor prints for a new key.
    Imburse,
    /// `IMBURSE_BASE_URL`, `IMBURSE_ACCOUNT_ID`, `IMBURSE_TENANT_ID`, `IMBURSE_PUBLIC_KEY`, `IMBURSE_PRIVATE_KEY`: `NAME=value`, one a line.
    Env,
    /// One JSON object.
    Json,
}
