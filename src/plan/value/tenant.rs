//! What is done for a tenant, or kept of it; what differs by vendor is a part of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::host::{Host, Label, Region};
use crate::model::imburse::{self, PostalAddress};
use crate::model::spec::{self, KeyLimits, Owner, User};
use crate::model::untrusted::Untrusted;

use super::parent::{Adopted, Parent};

/// A tenant that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTenant {
    /// The account in settings whose credentials create it.
    pub account: Name,
    #[serde(flatten)]
    pub of: NewTenant,
}

/// What a vendor is told of a new tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewTenant {
    Qlik {
        region: Region,
    },
    /// Name and address go with the one POST.
    Imburse {
        /// The API's own.
        host: Host,
        name: String,
        address: PostalAddress,
        /// Whether the account says that new tenants wait for a person. `None`: it could not be read.
        waits_for_approval: Option<bool>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    pub account: Name,
    pub parent: Parent,
    /// What differs from the declaration and will be sent. Empty: only the record is brought up to date.
    pub parts: Vec<SettlePart>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlePart {
    Name(String),
    /// The label, and the whole host that is sent.
    Alias {
        label: Label,
        host: String,
    },
    Limits(KeyLimits),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    pub account: Name,
    pub parent: Parent,
}

/// It has a subject, which is unique in a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    pub account: Name,
    pub parent: Parent,
    pub user: User,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub account: Name,
    pub parent: Parent,
    pub what: Permission,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// "Manage API keys" to everyone, through the user default.
    ManageApiKeysToEveryone,
    /// "Manage API keys" through a custom role.
    ManageApiKeysByRole(ByRole),
}

/// What is missing of a grant through a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByRole {
    pub role: String,
    pub step: RoleStep,
    /// Users who do not hold it yet; some may be made earlier in this plan.
    pub to: Vec<Owner>,
    /// Groups that do not have it yet, by name.
    pub groups: Vec<String>,
    /// What the role allows besides, which all of them get too. Empty of a role that this plan makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_allows: Vec<Untrusted>,
}

/// What the role itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleStep {
    Nothing,
    Make,
    /// It is there without the permission: that is added, for whoever has the role.
    Extend,
}

/// What is as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    Tenant {
        id: Untrusted,
        #[serde(flatten)]
        of: KeptTenant,
        adopted: Adopted,
    },
    Key {
        #[serde(alias = "public_key")]
        key_id: String,
        /// `None`: it has no end.
        #[serde(default)]
        expires: Option<Timestamp>,
        sink: Name,
        shape: KeyShape,
    },
    /// `adopt:` names it: it is there, and its secret is its owner's affair.
    AdoptedKey {
        #[serde(alias = "public_key")]
        key_id: String,
        /// `None`: it has no end.
        #[serde(default)]
        expires: Option<Timestamp>,
    },
}

/// Where a kept tenant is, and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptTenant {
    Qlik {
        hostname: Untrusted,
    },
    Imburse {
        name: Untrusted,
        /// The API's own.
        host: Host,
    },
}

/// What a delivered key's payload looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyShape {
    Imburse(imburse::Shape),
    #[serde(untagged)]
    Qlik(spec::Shape),
}

impl Keep {
    pub fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::Tenant { .. } => None,
            Self::Key { expires, .. } | Self::AdoptedKey { expires, .. } => *expires,
        }
    }
}
