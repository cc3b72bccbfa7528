//! What people declare of one object. A closed set: a new kind stops the build wherever a decision is made.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::Name;
use super::duration::Duration;
use super::host::Label;
use super::imburse::{ImburseKey, ImburseTenant};
use super::place::Place;
use super::untrusted::escape;

/// One declared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spec {
    QlikTenant(QlikTenant),
    QlikKey(QlikKey),
    ImburseTenant(ImburseTenant),
    ImburseKey(ImburseKey),
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Who may manage their own API keys.
    pub manage_api_keys: Option<ManageApiKeys>,
    /// Where that is declared, which may be a profile.
    #[serde(default)]
    pub at: Option<Place>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManageApiKeys {
    /// Through the tenant's user default.
    Everyone,
    /// Through a custom role.
    Role(RoleGrant),
}

impl Grants {
    pub fn to_everyone(&self) -> bool {
        self.manage_api_keys == Some(ManageApiKeys::Everyone)
    }

    pub fn by_role(&self) -> Option<&RoleGrant> {
        match &self.manage_api_keys {
            Some(ManageApiKeys::Role(role)) => Some(role),
            Some(ManageApiKeys::Everyone) | None => None,
        }
    }
}

/// A custom role that gives the permission, and who is to have it at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleGrant {
    /// Names of roles are unique in a tenant.
    pub name: String,
    /// The owners of the tenant's declared keys.
    #[serde(default)]
    pub key_owners: bool,
    /// They are there, or the grant is refused: only owners are made.
    #[serde(default)]
    pub users: Vec<User>,
    /// By name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// What the role may allow besides, by the vendor's names of permissions. Whoever is given the role gets that too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also_allows: BTreeSet<String>,
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
    /// A user of the tenant, by impersonation with the account's `key_client`. Made if absent.
    User(User),
}

impl Owner {
    pub fn way(&self) -> Way {
        match self {
            Self::Client => Way::Client,
            Self::Configured(name) => Way::Configured(name.clone()),
            Self::User(_) => Way::Impersonation,
        }
    }

    /// Whom it names, in one word: by what a user is looked up, and nothing else of it.
    pub fn word(&self) -> String {
        match self {
            Self::Client => "client".to_owned(),
            Self::Configured(name) => format!("configured:{name}"),
            Self::User(user) => {
                let (field, value) = user.key().parts();
                format!("user:{field}:{value}")
            }
        }
    }

    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            Self::Client | Self::Configured(_) => None,
        }
    }

    /// Whether its keys are minted with the account's `key_client`, which a tenant must trust for it.
    pub fn needs_key_client(&self) -> bool {
        match self {
            Self::Client | Self::User(_) => true,
            Self::Configured(_) => false,
        }
    }
}

/// A way of owning: what a rehearsal finds out about. Whose name a user has makes no difference to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Client,
    Configured(Name),
    Impersonation,
}

/// A declared user of a tenant. At least one of `id`, `subject` and `email` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    /// Of one tenant only, so no user is ever made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Unique in a tenant; a user is made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a user is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey<'a> {
    Id(&'a str),
    Subject(&'a str),
    Email(&'a str),
}

impl User {
    /// The surest of what is declared.
    pub fn key(&self) -> UserKey<'_> {
        match (&self.id, &self.subject, &self.email) {
            (Some(id), _, _) => UserKey::Id(id),
            (None, Some(subject), _) => UserKey::Subject(subject),
            (None, None, email) => UserKey::Email(email.as_deref().unwrap_or_default()),
        }
    }
}

impl<'a> UserKey<'a> {
    /// As the vendor calls it, and its value.
    pub fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Id(id) => ("id", id),
            Self::Subject(subject) => ("subject", subject),
            Self::Email(email) => ("email", email),
        }
    }
}

/// As messages name a user; the text is the declaration's own.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, value) = self.key().parts();
        f.pad(&format!("{field} {}", escape(value)))
    }
}

/// What a sink's payload looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The token and a newline.
    #[default]
    Token,
    /// `QLIK_TENANT`, `QLIK_REGION`, `QLIK_SERVER`, `QLIK_TENANT_URL`, `QLIK_API_KEY`: `NAME=value`, one a line.
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

    /// As desired state names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Env => "env",
            Self::Json => "json",
            Self::QlikCli => "qlik-cli",
            Self::Stackone => "stackone",
        }
    }
}
