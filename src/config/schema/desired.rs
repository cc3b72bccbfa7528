//! Desired state, as its schema says it.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::imburse::Imburse;
use super::words::{
    AddressText, ByHome, Day, DeliverTo, Description, DisplayName, Duration, Email, KeyId, Life, Name, PersonText,
    Reason, RoleName, TenantLabel, Version, keys, named,
};

/// Desired state: which tenants and API keys should exist. Reviewed like code; holds no secrets.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "qlik-plan: desired state")]
pub struct DesiredFile {
    /// The version of this format.
    pub version: Version,
    /// The group that the tenants of this file belong to: one of several teams' parts of an estate. Left out: `default`. "No longer
    /// declared" is said only of tenants of groups that a run reads.
    pub group: Option<Name>,
    /// Groups that the tenants declared here may have belonged to before. Each one that is moved is an action of the plan.
    #[schemars(default)]
    pub takes_from: Vec<Name>,
    /// What should exist in Qlik Cloud.
    pub qlik: Option<Qlik>,
    /// What should exist at Imburse Payments.
    pub imburse: Option<Imburse>,
    /// Differences that are known and left, each with its reason.
    #[schemars(default)]
    pub ignore: Vec<IgnoreEntry>,
}

/// A difference that is not reported as drift.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IgnoreEntry {
    /// `qlik/TENANT`, `qlik/TENANT/KEY`, `imburse/TENANT` or `imburse/TENANT/KEY`.
    pub address: AddressText,
    /// The field that differs, as the plan names it.
    pub field: IgnoredField,
    /// Why it is left.
    pub reason: Reason,
    /// The last day on which it is ignored; from the next on it counts as drift again.
    pub until: Option<Day>,
}

#[derive(JsonSchema)]
pub enum IgnoredField {
    #[schemars(rename = "display_name")]
    DisplayName,
    #[schemars(rename = "alias")]
    Alias,
    #[schemars(rename = "api_key_limits.max_expiry")]
    MaxExpiry,
    #[schemars(rename = "api_key_limits.max_keys_per_user")]
    MaxKeysPerUser,
    #[schemars(rename = "description")]
    Description,
    #[schemars(rename = "expires_in")]
    ExpiresIn,
    #[schemars(rename = "deliver_as")]
    DeliverAs,
    #[schemars(rename = "address.street_address")]
    StreetAddress,
    #[schemars(rename = "address.extended_address")]
    ExtendedAddress,
    #[schemars(rename = "address.locality")]
    Locality,
    #[schemars(rename = "address.region")]
    Region,
    #[schemars(rename = "address.post_code")]
    PostCode,
    #[schemars(rename = "address.country")]
    Country,
    #[schemars(rename = "name")]
    Name,
    #[schemars(rename = "roles")]
    Roles,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Qlik {
    /// What many tenants share, by name. A tenant takes one with `profile: NAME`.
    #[schemars(schema_with = "named::<Profile>")]
    #[schemars(default)]
    pub profiles: BTreeMap<String, Profile>,
    /// The tenants, by name. The name is the tenant's identity here: `qlik/NAME`.
    #[schemars(schema_with = "named::<Tenant>")]
    #[schemars(default)]
    pub tenants: BTreeMap<String, Tenant>,
}

/// What many tenants share. What a tenant does not say itself is taken from its profile.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Profile {
    /// An account named in settings.
    pub account: Option<Name>,
    /// Limits on API keys, set once while a tenant that we made is set up; later differences are drift.
    pub api_key_limits: Option<ApiKeyLimits>,
    /// Permissions that are to be there.
    pub grants: Option<Grants>,
    /// API keys, by name.
    #[schemars(schema_with = "keys::<ApiKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ApiKey>,
}

/// One tenant.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tenant {
    /// An account named in settings: whose credentials and region. Required here or in the profile.
    pub account: Option<Name>,
    /// A profile to inherit from.
    pub profile: Option<Name>,
    /// The tenant's name as people see it.
    pub display_name: Option<DisplayName>,
    /// One DNS label for people to reach it by; the rest comes from the account's region.
    pub alias: Option<TenantLabel>,
    /// The tenant exists; it is never created.
    pub adopt: Option<AdoptTenant>,
    /// Limits on API keys, set once while a tenant that we made is set up. Replaces the profile's as a whole.
    pub api_key_limits: Option<ApiKeyLimits>,
    /// Permissions that are to be there. Replaces the profile's as a whole.
    pub grants: Option<Grants>,
    /// API keys, by name, besides the profile's. One of the same name needs `override: true`.
    #[schemars(schema_with = "keys::<ApiKey>")]
    #[schemars(default)]
    pub api_keys: BTreeMap<String, ApiKey>,
    /// Spaces, by name.
    #[cfg(test)]
    #[schemars(default)]
    pub spaces: BTreeMap<String, Space>,
    /// Names of the profile's keys that this tenant does not get.
    #[schemars(default)]
    pub omit: Vec<Name>,
    /// Labels, by which a run may select it: `--label tier=gold`.
    #[schemars(schema_with = "named::<Name>")]
    #[schemars(default)]
    pub labels: BTreeMap<String, Name>,
}

/// A space of a tenant. Only tests have this kind.
#[cfg(test)]
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Space {
    pub name: String,
    #[schemars(rename = "type")]
    pub kind: String,
}

/// How an existing tenant is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptTenant {
    /// The first label of its own hostname (not of an alias).
    pub hostname: TenantLabel,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ApiKeyLimits {
    /// The longest that an API key may live.
    pub max_expiry: Option<Duration>,
    /// How many active API keys one user may have.
    #[schemars(range(min = 0, max = 1000))]
    pub max_keys_per_user: Option<u16>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Grants {
    /// Who may manage their own API keys.
    pub manage_api_keys: Option<ManageApiKeys>,
}

/// Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ManageApiKeys {
    /// Every user, through the tenant's user default. The vendor advises against it: only those who require it should have it.
    Everyone(Nothing),
    /// Whoever holds a custom role. It is made if it is missing, and given to whom it is not given yet.
    Role(RoleGrant),
}

/// A custom role with the permission to manage API keys.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RoleGrant {
    /// Its name in the tenant.
    pub name: RoleName,
    /// Who is to have it. Whoever else has it keeps it.
    pub assign_to: AssignTo,
    /// What else the role allows, by the vendor's names of permissions, where it is known and meant that whoever is given the role gets
    /// that too. A role that allows anything that is not listed here is given to nobody.
    #[schemars(length(min = 1), default)]
    pub also_allows: Vec<PersonText>,
}

/// At least one of these.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub struct AssignTo {
    /// The owners of the tenant's declared keys.
    #[schemars(extend("const" = true), default)]
    pub key_owners: bool,
    /// Users of the tenant, who are there already.
    #[schemars(length(min = 1), default)]
    pub users: Vec<Grantee>,
    /// Groups of the tenant, by name, which are there already.
    #[schemars(length(min = 1), default)]
    pub groups: Vec<PersonText>,
}

/// A user, by at least one of these.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub struct Grantee {
    /// What the tenant's identity provider calls the user.
    pub subject: Option<PersonText>,
    pub email: Option<Email>,
    /// As the tenant's list of users shows it.
    pub id: Option<KeyId>,
}

/// Nothing is said beneath it yet.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Nothing {}

/// One API key. Its secret goes to a sink, never into a file that is reviewed.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [
        {
            "title": "a key that is made",
            "type": "object",
            "required": ["description", "owner", "expires_in", "deliver_to"],
            "properties": { "description": true, "owner": true, "expires_in": true, "deliver_to": true }
        },
        { "title": "a key that exists", "type": "object", "required": ["adopt"], "properties": { "adopt": true } }
    ])
)]
pub struct ApiKey {
    /// What the key is for, as the tenant shows it.
    pub description: Option<Description>,
    /// As whom it is minted.
    pub owner: Option<Owner>,
    /// How long it lives; at least a minute.
    pub expires_in: Option<Life>,
    /// A key that expires within this gets a successor. Shorter than `expires_in`; a quarter of it if left out.
    pub renew_before: Option<Duration>,
    /// A sink named in settings, or several: the key counts as delivered once all have it.
    pub deliver_to: Option<DeliverTo>,
    /// What is written into the sink, or into each by its name; `token` if left out.
    pub deliver_as: Option<ByHome<DeliverAs>>,
    /// The key exists; it is never minted, and its secret is its owner's affair.
    pub adopt: Option<AdoptKey>,
    /// Replaces the profile's key of the same name as a whole.
    #[schemars(rename = "override", default)]
    pub overrides: bool,
}

/// How an existing key is known.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AdoptKey {
    /// Its id, as the tenant's list of API keys shows it.
    pub key_id: KeyId,
}

/// Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Owner {
    /// The account's `key_client`.
    Client(Nothing),
    /// An owner named in the account's settings, with an API key of its own.
    Configured(Name),
    /// A user of the tenant, for whom the account's `key_client` mints by impersonation.
    User(User),
}

/// A user, looked up by `id`, else `subject`, else `email`. One that is absent is made, if it has a `subject`.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend("anyOf" = [
        { "title": "by subject", "type": "object", "required": ["subject"], "properties": { "subject": true } },
        { "title": "by e-mail", "type": "object", "required": ["email"], "properties": { "email": true } },
        { "title": "by id", "type": "object", "required": ["id"], "properties": { "id": true } }
    ])
)]
pub struct User {
    /// What the tenant's identity provider calls the user. Unique in a tenant, and the same in every tenant.
    pub subject: Option<PersonText>,
    pub email: Option<Email>,
    /// As the tenant's list of users shows it. It belongs to one tenant.
    pub id: Option<KeyId>,
    /// The user's name as people see it, should the user be made.
    pub name: Option<PersonText>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum DeliverAs {
    /// The token and nothing else, not even a line end.
    Token,
    /// `QLIK_TENANT`, `QLIK_REGION`, `QLIK_SERVER`, `QLIK_TENANT_URL`, `QLIK_API_KEY`: `NAME=value`, one a line.
    Env,
    /// One JSON object.
    Json,
    /// A whole `contexts.yml` with one context, for qlik-cli.
    QlikCli,
    /// One JSON object of what StackOne asks for: `tenant_name`, `region`, `api_key`.
    Stackone,
}
