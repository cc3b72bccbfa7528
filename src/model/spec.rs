//! What people declare of one object. A closed set: a new kind stops the build wherever a decision is made.

use serde::{Deserialize, Serialize};

use super::address::Name;
use super::duration::Duration;
use super::host::Label;

/// One declared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spec {
    QlikTenant(QlikTenant),
    QlikKey(QlikKey),
}

/// A declared Qlik Cloud tenant, its profile already applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikTenant {
    /// The account in settings whose credentials and region it uses.
    pub account: Name,
    pub display_name: Option<String>,
    /// One DNS label; the region's suffix comes from the account.
    pub alias: Option<Label>,
    /// This tenant exists under this hostname (its first label); it is never created.
    pub adopt: Option<Label>,
    /// Set once, while settling a tenant we made; otherwise a difference is drift.
    pub api_key_limits: KeyLimits,
    pub grants: Grants,
}

/// Declared limits on API keys. What is `None` was not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimits {
    pub max_expiry: Option<Duration>,
    pub max_keys_per_user: Option<u32>,
}

impl KeyLimits {
    pub fn is_declared(self) -> bool {
        self.max_expiry.is_some() || self.max_keys_per_user.is_some()
    }
}

/// Declared permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Who may manage their own API keys.
    pub manage_api_keys: Option<ManageApiKeys>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManageApiKeys {
    /// Through the tenant's user default.
    Everyone,
}

/// A declared Qlik API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikKey {
    pub description: String,
    pub owner: Owner,
    pub expires_in: Duration,
    /// A key that expires within this gets a successor. Shorter than `expires_in`.
    pub renew_before: Duration,
    /// A sink named in settings.
    pub deliver_to: Name,
    pub deliver_as: Shape,
    /// This key exists; it is never minted, and its secret is its owner's affair.
    pub adopt: Option<String>,
}

/// As whom a key is minted. The vendor lets a caller mint only for itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The account's `key_client`, as its bot user.
    Client,
    /// An owner of the account's settings, with an API key of its own.
    Configured(Name),
}

/// What a sink's payload looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The token and a newline.
    #[default]
    Token,
    /// `QLIK_TENANT`, `QLIK_REGION`, `QLIK_SERVER`, `QLIK_API_KEY`, quoted for any POSIX shell.
    Env,
    /// One JSON object.
    Json,
    /// A whole `contexts.yml` of qlik-cli, with one context.
    QlikCli,
    /// What StackOne's form asks for: tenant name, region, API key.
    Stackone,
}

impl Shape {
    pub const ALL: [(&'static str, Self); 5] = [
        ("token", Self::Token),
        ("env", Self::Env),
        ("json", Self::Json),
        ("qlik-cli", Self::QlikCli),
        ("stackone", Self::Stackone),
    ];
}
