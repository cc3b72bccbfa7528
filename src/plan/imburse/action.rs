//! What is done at Imburse, and what is left there as it is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{ImburseKey, PostalAddress, Shape};
use crate::model::marker::Letter;
use crate::model::untrusted::Untrusted;

use super::super::parent::{Adopted, Parent, WhyMint};

/// An action at Imburse. Drift, waiting and refusals are the same for all vendors and stand in the general list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Imburse {
    CreateTenant(CreateTenant),
    CreateKey(CreateKey),
    /// Marks our own key as delivered, because the sink holds it.
    Mark(Mark),
    /// Deletes a key that we made and never delivered, or one that a person named.
    Reclaim(Reclaim),
    Keep(Keep),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTenant {
    pub account: Name,
    pub host: Host,
    pub name: String,
    pub address: PostalAddress,
    /// Whether the account says that new tenants wait for a person. `None`: it could not be read.
    pub waits_for_approval: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    pub account: Name,
    /// `hostname` is the API's own host.
    pub parent: Parent,
    pub spec: ImburseKey,
    pub why: WhyMint,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub account: Name,
    pub tenant_id: Untrusted,
    pub public_key: String,
    /// The name as it will stand: text and marker with `d`.
    pub name: Untrusted,
    /// As they are: the vendor takes both or neither.
    pub roles: BTreeSet<Untrusted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaim {
    pub account: Name,
    pub tenant_id: Untrusted,
    pub public_key: String,
    /// The letter at planning; a key that has moved on is left alone.
    pub letter: Letter,
    /// Whether this plan delivers the successor first (and the reclaim waits for its success).
    pub after_delivery: bool,
    /// Whether a person named it with `--reclaim`.
    pub asked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    Tenant {
        id: Untrusted,
        name: Untrusted,
        host: Host,
        adopted: Adopted,
    },
    Key {
        public_key: String,
        sink: Name,
        shape: Shape,
    },
    /// `adopt: { public_key }`: there, and its private key is its owner's affair.
    AdoptedKey {
        public_key: String,
    },
}

impl Imburse {
    /// Whether `apply` sends a request for it that changes something, or writes a record.
    pub fn changes_something(&self) -> bool {
        match self {
            Self::CreateTenant(_)
            | Self::CreateKey(_)
            | Self::Mark(_)
            | Self::Reclaim(_)
            | Self::Keep(Keep::Tenant { adopted: Adopted::ToRecord { .. }, .. }) => true,
            Self::Keep(Keep::Tenant { .. } | Keep::Key { .. } | Keep::AdoptedKey { .. }) => false,
        }
    }

    /// Whether it needs a tenant that the same plan creates.
    pub fn is_in_new_tenant(&self) -> bool {
        match self {
            Self::CreateKey(create) => matches!(create.parent, Parent::MadeBefore(_)),
            Self::CreateTenant(_) | Self::Mark(_) | Self::Reclaim(_) | Self::Keep(_) => false,
        }
    }
}
