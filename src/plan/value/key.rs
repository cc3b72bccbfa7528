//! The actions on a key. What differs by vendor is a part of its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::homes::Homes;
use crate::model::imburse::ImburseKey;
use crate::model::marker::Letter;
use crate::model::spec::{Owner, QlikKey};
use crate::model::untrusted::Untrusted;

use super::parent::{Parent, TenantRef, WhyMint};

/// A key that is to be made and delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    /// The account in settings whose credentials mint it.
    pub account: Name,
    /// The tenant that it is made in.
    pub parent: Parent,
    /// The declaration.
    pub spec: KeySpec,
    /// The reason for which it is minted.
    pub why: WhyMint,
    /// The keys that it replaces in one of several sinks, before they had reached all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<String>,
}

/// The declaration of a key, by vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeySpec {
    /// An API key of Qlik Cloud.
    Qlik(QlikKey),
    /// A key pair of Imburse Payments.
    Imburse(ImburseKey),
}

impl KeySpec {
    /// The sinks, by their names in settings.
    pub fn deliver_to(&self) -> &Homes {
        match self {
            Self::Qlik(spec) => &spec.deliver_to,
            Self::Imburse(spec) => &spec.deliver_to,
        }
    }

    /// Returns the owner that it is minted as; `None` where a key belongs to its tenant.
    pub fn owner(&self) -> Option<&Owner> {
        match self {
            Self::Qlik(spec) => Some(&spec.owner),
            Self::Imburse(_) => None,
        }
    }
}

/// A successor of a key that ends before long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// The successor.
    pub create: CreateKey,
    /// The vendor's id of the key that is due.
    pub key_id: String,
    /// The time at which that key ends.
    pub expires: Timestamp,
}

/// A key that gets the letter `d` in its marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The account in settings whose credentials change it.
    pub account: Name,
    /// The vendor's id of the key.
    #[serde(alias = "public_key")]
    pub key_id: String,
    /// The description or name as it will stand: text and marker with `d`.
    #[serde(alias = "name")]
    pub description: Untrusted,
    /// The part that only its vendor knows.
    #[serde(flatten)]
    pub of: MarkOf,
}

/// The place of the key that gets its mark, by vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MarkOf {
    /// A key at Qlik.
    Qlik {
        /// The tenant.
        parent: TenantRef,
        /// The declared owner, whose credentials may change the description.
        owner: Owner,
    },
    /// A key at Imburse.
    Imburse {
        /// The vendor's id of the tenant.
        tenant_id: Untrusted,
        /// The roles that the key has. They are sent unchanged, because the vendor takes name and roles together.
        roles: BTreeSet<Untrusted>,
    },
}

/// A key that is revoked, or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaim {
    /// The account in settings whose credentials revoke it.
    pub account: Name,
    /// The vendor's id of the key.
    #[serde(alias = "public_key")]
    pub key_id: String,
    /// The letter at planning; a key that has moved on is left alone.
    pub letter: Letter,
    /// True if this plan delivers the successor first. The revocation then waits for that to succeed.
    pub after_delivery: bool,
    /// The part that only its vendor knows.
    #[serde(flatten)]
    pub of: ReclaimOf,
}

/// The place of the key that is revoked, and what else is known of it, by vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReclaimOf {
    /// A key at Qlik, which is revoked.
    Qlik {
        /// The tenant.
        parent: TenantRef,
        /// The declared owner, whose credentials may revoke it.
        owner: Owner,
        /// The time of minting, by the vendor's clock; `None` where the vendor does not tell it.
        created: Option<Timestamp>,
        /// When it ends by itself, if nobody revokes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// A key at Imburse, which is deleted.
    Imburse {
        /// The vendor's id of the tenant.
        tenant_id: Untrusted,
        /// True if a person named it with `--reclaim`.
        asked: bool,
    },
}

impl Reclaim {
    /// Returns whether a person named it with `--reclaim`.
    pub fn is_asked(&self) -> bool {
        match self.of {
            ReclaimOf::Qlik { .. } => false,
            ReclaimOf::Imburse { asked, .. } => asked,
        }
    }
}
