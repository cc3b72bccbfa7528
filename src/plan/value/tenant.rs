//! The actions on a tenant, and the objects that are as declared. What differs by vendor is a part of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::group::Group;
use crate::model::host::{Host, Label, Region};
use crate::model::imburse::{self, PostalAddress};
use crate::model::object::Object;
use crate::model::spec::{self, KeyLimits, Owner};
use crate::model::untrusted::Untrusted;

use super::parent::{Adopted, Parent};

/// A tenant that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTenant {
    /// The account in settings whose credentials create it.
    pub account: Name,
    /// The part that only its vendor knows.
    #[serde(flatten)]
    pub of: NewTenant,
}

/// The values that a vendor is told of a new tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NewTenant {
    /// A tenant at Qlik, whose POST takes a licence key and chooses neither name nor host.
    Qlik {
        /// The region whose registration host takes the POST.
        region: Region,
    },
    /// A tenant at Imburse. Name and address go with the one POST.
    Imburse {
        /// The API's own.
        host: Host,
        /// The declared `display_name`.
        name: String,
        /// The declared address.
        address: PostalAddress,
        /// The account's answer to whether new tenants wait for a person. `None`: it could not be read.
        waits_for_approval: Option<bool>,
    },
}

/// Moves a tenant's record from one group to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveGroup {
    /// The group that its record names.
    pub from: Group,
    /// The group of the file that declares it.
    pub to: Group,
}

/// A tenant that we made and that is not set up yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settle {
    /// The account in settings whose credentials are used.
    pub account: Name,
    /// The tenant.
    pub parent: Parent,
    /// The settings that differ from the declaration and will be sent. Empty: only the record is brought up to date.
    pub parts: Vec<SettlePart>,
}

/// One setting that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettlePart {
    /// The display name.
    Name(String),
    /// The label, and the whole host that is sent.
    Alias {
        /// The declared label.
        label: Label,
        /// The whole host name: the label and the region's suffix.
        host: String,
    },
    /// The limits on API keys. A limit that was not declared is not sent.
    Limits(KeyLimits),
}

/// A tenant in which the key client is not trusted yet, so that it cannot mint there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    /// The account in settings whose key client is trusted.
    pub account: Name,
    /// The tenant.
    pub parent: Parent,
}

/// An object of a tenant that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateObject {
    /// The account in settings whose credentials create it.
    pub account: Name,
    /// The tenant that it is made in.
    pub parent: Parent,
    /// The object, as it is sent.
    #[serde(flatten)]
    pub object: Object,
}

/// A declared permission that somebody lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The account in settings whose credentials are used.
    pub account: Name,
    /// The tenant.
    pub parent: Parent,
    /// The permission, and the way in which it is given.
    pub what: Permission,
}

/// A permission and the way in which it is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// "Manage API keys" to everyone, through the user default.
    ManageApiKeysToEveryone,
    /// "Manage API keys" through a custom role.
    ManageApiKeysByRole(ByRole),
}

/// The missing parts of a grant through a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByRole {
    /// The role's name.
    pub role: String,
    /// The change of the role itself.
    pub step: RoleStep,
    /// Users who do not hold it yet; some may be made earlier in this plan.
    pub to: Vec<Owner>,
    /// Groups that do not have it yet, by name.
    pub groups: Vec<String>,
    /// The other permissions of the role, which all of them get too. Empty for a role that this plan makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_allows: Vec<Untrusted>,
}

/// The change that a role needs before it is given to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleStep {
    /// The role has the permission.
    Nothing,
    /// The role is not there, and is made with the permission alone.
    Make,
    /// The role lacks the permission, which is added for everybody who has the role.
    Extend,
}

/// An object that is as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// A tenant.
    Tenant {
        /// The vendor's id.
        id: Untrusted,
        /// The part that only its vendor knows.
        #[serde(flatten)]
        of: KeptTenant,
        /// The way in which it came under management, and if that is still to be recorded.
        adopted: Adopted,
    },
    /// A key that lives and whose secret is in its sink.
    Key {
        /// The vendor's id.
        #[serde(alias = "public_key")]
        key_id: String,
        /// The time at which it ends; `None` for a key without an end.
        #[serde(default)]
        expires: Option<Timestamp>,
        /// The sink that holds it, by its name in settings; of several, the first.
        sink: Name,
        /// The form of the payload in the sink.
        shape: KeyShape,
        /// The other sinks that hold it, with the form of the payload in each.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        also: BTreeMap<Name, KeyShape>,
    },
    /// A key that `adopt:` names and that lives. Its secret is its owner's affair.
    AdoptedKey {
        /// The vendor's id.
        #[serde(alias = "public_key")]
        key_id: String,
        /// The time at which it ends; `None` for a key without an end.
        #[serde(default)]
        expires: Option<Timestamp>,
    },
    /// A declared object of a tenant that would be made if it were missing, and is there.
    Object(Object),
}

/// The host and name of a kept tenant, by vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeptTenant {
    /// A tenant at Qlik.
    Qlik {
        /// The server's own host, whole.
        hostname: Untrusted,
    },
    /// A tenant at Imburse, which has no host of its own.
    Imburse {
        /// The vendor's name of it.
        name: Untrusted,
        /// The API's own.
        host: Host,
    },
}

/// The form of a delivered key's payload, by vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyShape {
    /// A form that a pair of keys is delivered in.
    Imburse(imburse::PairShape),
    /// A form that a token is delivered in.
    #[serde(untagged)]
    Qlik(spec::Shape),
}

impl Keep {
    /// Returns the time at which a kept key ends; `None` for a tenant and for a key without an end.
    pub fn expires(&self) -> Option<Timestamp> {
        match self {
            Self::Tenant { .. } | Self::Object(_) => None,
            Self::Key { expires, .. } | Self::AdoptedKey { expires, .. } => *expires,
        }
    }
}
