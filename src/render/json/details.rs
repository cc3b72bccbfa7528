//! The published format of what each kind of action needs to say. It grows by addition only.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::imburse::Imburse;
use super::object;
use super::words::{Adopted, Cause, Letter, Parent, Tenant, Time, User};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Details {
    CreateTenant(CreateTenant),
    Settle(Settle),
    MoveGroup(MoveGroup),
    Trust(Trust),
    Grant(Grant),
    Mark(Mark),
    CreateKey(CreateKey),
    Renew(Renew),
    Reclaim(Reclaim),
    KeepTenant(KeepTenant),
    KeepKey(KeepKey),
    Drift(Drift),
    Wait(Wait),
    /// What is done or kept at Imburse Payments.
    Imburse(Imburse),
    /// What is made of a tenant's objects, or kept.
    #[serde(untagged)]
    Object(object::ObjectDetails),
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CreateTenant {
    pub(super) account: String,
    /// `us`.
    pub(super) region: String,
    /// Where the request goes.
    pub(super) register: String,
}

/// What will be sent, once; what is left out is as declared already.
#[derive(Serialize, JsonSchema)]
pub(super) struct Settle {
    pub(super) account: String,
    pub(super) tenant: Parent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alias: Option<Alias>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api_key_limits: Option<Limits>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Alias {
    pub(super) label: String,
    pub(super) host: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Limits {
    /// ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_expiry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_keys_per_user: Option<u32>,
}

/// From one group's part of the estate to another's; the ledger alone changes.
#[derive(Serialize, JsonSchema)]
pub(super) struct MoveGroup {
    pub(super) from: String,
    pub(super) to: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Trust {
    pub(super) account: String,
    pub(super) tenant: Parent,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Grant {
    pub(super) account: String,
    pub(super) tenant: Parent,
    pub(super) permission: Permission,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Permission {
    ManageApiKeysToEveryone,
    ManageApiKeysByRole(ByRole),
}

/// What is missing of a grant through a role.
#[derive(Serialize, JsonSchema)]
pub(super) struct ByRole {
    /// Its name.
    pub(super) role: String,
    pub(super) step: RoleStep,
    /// Who is given the role.
    pub(super) users: Vec<Owner>,
    /// Names of groups that are given the role.
    pub(super) groups: Vec<String>,
    /// What the role allows besides this permission, and so gives them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) also_allows: Vec<String>,
}

/// What is done with the role itself.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RoleStep {
    Nothing,
    Make,
    /// The permission is added to it, for whoever has it.
    Extend,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Mark {
    pub(super) account: String,
    pub(super) tenant: Tenant,
    pub(super) owner: Owner,
    pub(super) key_id: String,
    /// As it will stand.
    pub(super) description: String,
}

/// As whom a key is minted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Owner {
    /// The account's key client.
    Client,
    /// An owner that settings name.
    Configured(String),
    /// A user of the tenant, by impersonation.
    User(User),
}

#[derive(Serialize, JsonSchema)]
pub(super) struct CreateKey {
    pub(super) account: String,
    pub(super) tenant: Parent,
    pub(super) description: String,
    pub(super) owner: Owner,
    /// ISO 8601.
    pub(super) expires_in: String,
    /// ISO 8601.
    pub(super) renew_before: String,
    /// One sink, the first by name.
    pub(super) deliver_to: String,
    pub(super) deliver_as: Shape,
    /// The other sinks. The key counts as delivered once all have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) also_deliver_to: Vec<Delivered>,
    pub(super) cause: Cause,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    Token,
    Env,
    Json,
    QlikCli,
    Stackone,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Renew {
    /// The key that is due.
    pub(super) key_id: String,
    #[schemars(with = "Time")]
    pub(super) expires: Timestamp,
    pub(super) successor: CreateKey,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Reclaim {
    pub(super) account: String,
    pub(super) tenant: Tenant,
    pub(super) owner: Owner,
    pub(super) key_id: String,
    #[schemars(with = "Option<Time>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<Timestamp>,
    /// When it ends by itself, if nobody revokes it.
    #[schemars(with = "Option<Time>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    /// Of its marker, at planning.
    pub(super) letter: Letter,
    /// Whether this plan delivers the successor first.
    pub(super) after_delivery: bool,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct KeepTenant {
    pub(super) id: String,
    pub(super) hostname: String,
    pub(super) adopted: Adopted,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct KeepKey {
    pub(super) key_id: String,
    #[schemars(with = "Option<Time>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Timestamp>,
    /// Where its secret is; none for an adopted key, whose secret is its owner's affair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivered: Option<Delivered>,
    /// The other sinks that have it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) also_delivered: Vec<Delivered>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Delivered {
    pub(super) sink: String,
    pub(super) shape: Shape,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Drift {
    pub(super) fields: Vec<DriftField>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct DriftField {
    pub(super) field: String,
    pub(super) declared: String,
    pub(super) live: String,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Wait {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run: Option<String>,
}
