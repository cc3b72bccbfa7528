//! The declaration of one object. A closed set: a new kind stops the build wherever a decision is made.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::address::Name;
use super::duration::Duration;
use super::homes::{Homes, Shapes};
use super::host::Label;
use super::imburse::{ImburseKey, ImburseTenant};
use super::place::Place;
use super::untrusted::escape;

/// One declared object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spec {
    /// A tenant at Qlik Cloud.
    QlikTenant(QlikTenant),
    /// An API key of a Qlik tenant.
    QlikKey(QlikKey),
    /// A tenant at Imburse Payments.
    ImburseTenant(ImburseTenant),
    /// A key pair of an Imburse tenant.
    ImburseKey(ImburseKey),
    /// A space at Qlik. Only tests have this kind.
    #[cfg(test)]
    QlikSpace(super::object::Space),
}

impl Spec {
    /// The account in settings that a tenant names; `None` for a part of one.
    pub fn account(&self) -> Option<&Name> {
        match self {
            Self::QlikTenant(tenant) => Some(&tenant.account),
            Self::ImburseTenant(tenant) => Some(&tenant.account),
            Self::QlikKey(_) | Self::ImburseKey(_) => None,
            #[cfg(test)]
            Self::QlikSpace(_) => None,
        }
    }

    /// Returns whether `adopt:` names it: it is there, and it is never made.
    pub fn is_adopted(&self) -> bool {
        match self {
            Self::QlikTenant(tenant) => tenant.adopt.is_some(),
            Self::QlikKey(key) => key.adopt.is_some(),
            Self::ImburseTenant(tenant) => tenant.adopt.is_some(),
            Self::ImburseKey(key) => key.adopt.is_some(),
            #[cfg(test)]
            Self::QlikSpace(_) => false,
        }
    }

    /// The sinks that a key is delivered to; `None` where nothing is delivered, as of an adopted key.
    pub fn deliver_to(&self) -> Option<&Homes> {
        let homes = match self {
            Self::QlikKey(key) => &key.deliver_to,
            Self::ImburseKey(key) => &key.deliver_to,
            Self::QlikTenant(_) | Self::ImburseTenant(_) => return None,
            #[cfg(test)]
            Self::QlikSpace(_) => return None,
        };
        (!self.is_adopted()).then_some(homes)
    }

    /// Returns whether a key lives longer than so many seconds. One at Imburse never ends.
    pub fn outlives(&self, seconds: u64) -> bool {
        match self {
            Self::QlikKey(key) => key.expires_in.seconds() > seconds,
            Self::ImburseKey(_) => true,
            Self::QlikTenant(_) | Self::ImburseTenant(_) => false,
            #[cfg(test)]
            Self::QlikSpace(_) => false,
        }
    }

    /// The fields that can differ from the declaration, as a drift names them.
    pub fn drift_fields(&self) -> &'static [&'static str] {
        match self {
            Self::QlikTenant(_) => {
                &["display_name", "alias", "api_key_limits.max_expiry", "api_key_limits.max_keys_per_user"]
            }
            Self::QlikKey(_) => &["description", "expires_in", "deliver_as"],
            Self::ImburseTenant(_) => &[
                "display_name",
                "address.street_address",
                "address.extended_address",
                "address.locality",
                "address.region",
                "address.post_code",
                "address.country",
            ],
            Self::ImburseKey(_) => &["name", "roles", "deliver_as"],
            // It is made and never changed.
            #[cfg(test)]
            Self::QlikSpace(_) => &[],
        }
    }
}

/// A declared Qlik Cloud tenant, its profile already applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikTenant {
    /// The account in settings whose credentials and region it uses.
    pub account: Name,
    /// The name that people see; `None` where it was not declared and is not compared.
    pub display_name: Option<String>,
    /// One DNS label; the region's suffix comes from the account.
    pub alias: Option<Label>,
    /// The first label of the hostname of a tenant that exists. Such a tenant is never created.
    pub adopt: Option<Label>,
    /// The limits on API keys. They are sent once to a tenant that we made; otherwise a difference is drift.
    pub api_key_limits: KeyLimits,
    /// The permissions that somebody in the tenant is to have.
    pub grants: Grants,
}

/// Declared limits on API keys. What is `None` was not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimits {
    /// The longest life of a new key; the vendor's `max_api_key_expiry`.
    pub max_expiry: Option<Duration>,
    /// The most active keys of one user; the vendor takes 0 to 1000.
    pub max_keys_per_user: Option<u32>,
}

impl KeyLimits {
    /// Returns whether at least one of the limits was declared.
    pub fn is_declared(self) -> bool {
        self.max_expiry.is_some() || self.max_keys_per_user.is_some()
    }
}

/// Declared permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// The permission "Manage API keys": to everyone or through a role. `None` where it was not declared.
    pub manage_api_keys: Option<ManageApiKeys>,
    /// The place of the declaration, which may lie in a profile.
    #[serde(default)]
    pub at: Option<Place>,
}

/// The way in which "Manage API keys" is granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManageApiKeys {
    /// Through the tenant's user default.
    Everyone,
    /// Through a custom role.
    Role(RoleGrant),
}

impl Grants {
    /// Returns whether every user of the tenant is to have it.
    pub fn to_everyone(&self) -> bool {
        self.manage_api_keys == Some(ManageApiKeys::Everyone)
    }

    /// Returns the custom role that carries it, if it is granted through one.
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
    /// The role's name, which is unique in a tenant.
    pub name: String,
    /// True if the owners of the tenant's declared keys are to have it.
    #[serde(default)]
    pub key_owners: bool,
    /// The users who are to have it. The grant is refused if one is not there: only owners are made.
    #[serde(default)]
    pub users: Vec<User>,
    /// The groups that are to have it, by name.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The other permissions that the role may allow, in the vendor's names. Whoever is given the role gets these too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub also_allows: BTreeSet<String>,
}

/// A declared Qlik API key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikKey {
    /// The text that people see, without the marker. The vendor does not keep it unique.
    pub description: String,
    /// The user that the key acts as.
    pub owner: Owner,
    /// The life of the key from its minting.
    pub expires_in: Duration,
    /// A key that expires within this gets a successor. Shorter than `expires_in`.
    pub renew_before: Duration,
    /// The sinks, as settings name them.
    pub deliver_to: Homes,
    /// The form of the payload that each sink gets.
    pub deliver_as: Shapes<Shape>,
    /// The vendor's id of a key that exists. Such a key is never minted, and its secret is its owner's affair.
    pub adopt: Option<String>,
}

/// The user that a key is minted as. The vendor lets a caller mint only for itself.
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
    /// Returns the way of owning, which a rehearsal is about.
    pub fn way(&self) -> Way {
        match self {
            Self::Client => Way::Client,
            Self::Configured(name) => Way::Configured(name.clone()),
            Self::User(_) => Way::Impersonation,
        }
    }

    /// Returns one word for the owner: by what a user is looked up, and nothing else of it.
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

    /// Returns the declared user; `None` for owners that settings name.
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::User(user) => Some(user),
            Self::Client | Self::Configured(_) => None,
        }
    }

    /// Returns whether its keys are minted with the account's `key_client`, which a tenant must trust for it.
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
    /// The key client mints for its own bot user.
    Client,
    /// The owner of that name mints with its own API key.
    Configured(Name),
    /// The key client mints in the name of a user.
    Impersonation,
}

/// A declared user of a tenant. At least one of `id`, `subject` and `email` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    /// The vendor's id, which holds in one tenant only. No user is ever made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The subject at the identity provider, unique in a tenant. A user is made with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The e-mail address, to look the user up by or to make it with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name to make the user with; it is never looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The one attribute that a user is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKey<'a> {
    /// The vendor's id.
    Id(&'a str),
    /// The subject.
    Subject(&'a str),
    /// The e-mail address, where neither id nor subject is declared.
    Email(&'a str),
}

impl User {
    /// Returns the surest attribute that is declared: id, then subject, then e-mail address.
    pub fn key(&self) -> UserKey<'_> {
        match (&self.id, &self.subject, &self.email) {
            (Some(id), _, _) => UserKey::Id(id),
            (None, Some(subject), _) => UserKey::Subject(subject),
            (None, None, email) => UserKey::Email(email.as_deref().unwrap_or_default()),
        }
    }
}

impl<'a> UserKey<'a> {
    /// Returns the vendor's name of the attribute, and its value.
    pub fn parts(self) -> (&'static str, &'a str) {
        match self {
            Self::Id(id) => ("id", id),
            Self::Subject(subject) => ("subject", subject),
            Self::Email(email) => ("email", email),
        }
    }
}

/// Shows a user as messages name it. The text is the declaration's own and is escaped.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (field, value) = self.key().parts();
        f.pad(&format!("{field} {}", escape(value)))
    }
}

/// The form of a sink's payload.
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
    /// The three values that StackOne's form asks for: tenant name, region, API key.
    Stackone,
}

impl Shape {
    /// Every form with the word that desired state uses for it.
    pub const ALL: [(&'static str, Self); 5] = [
        ("token", Self::Token),
        ("env", Self::Env),
        ("json", Self::Json),
        ("qlik-cli", Self::QlikCli),
        ("stackone", Self::Stackone),
    ];

    /// Returns the word that desired state uses for this form.
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
