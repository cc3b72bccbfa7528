//! What is done for a key; what differs by vendor is a part of its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::address::Name;
use crate::model::imburse::ImburseKey;
use crate::model::marker::Letter;
use crate::model::spec::{Owner, QlikKey};
use crate::model::untrusted::Untrusted;

use super::parent::{Parent, TenantRef, WhyMint};

/// A key that is to be made and delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateKey {
    pub account: Name,
    pub parent: Parent,
    pub spec: KeySpec,
    pub why: WhyMint,
}

/// What is declared of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeySpec {
    Qlik(QlikKey),
    Imburse(ImburseKey),
}

impl KeySpec {
    /// The sink, by its name in settings.
    pub fn deliver_to(&self) -> &Name {
        match self {
            Self::Qlik(spec) => &spec.deliver_to,
            Self::Imburse(spec) => &spec.deliver_to,
        }
    }

    /// As whom it is minted; `None` where a key belongs to its tenant.
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
    pub create: CreateKey,
    pub key_id: String,
    pub expires: Timestamp,
}

/// A key that gets the letter `d` in its marker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub account: Name,
    #[serde(alias = "public_key")]
    pub key_id: String,
    /// The description or name as it will stand: text and marker with `d`.
    #[serde(alias = "name")]
    pub description: Untrusted,
    #[serde(flatten)]
    pub of: MarkOf,
}

/// Where the key is that gets its mark, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MarkOf {
    Qlik {
        parent: TenantRef,
        owner: Owner,
    },
    Imburse {
        tenant_id: Untrusted,
        /// As they are: the vendor takes name and roles, or neither.
        roles: BTreeSet<Untrusted>,
    },
}

/// A key that is revoked, or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclaim {
    pub account: Name,
    #[serde(alias = "public_key")]
    pub key_id: String,
    /// The letter at planning; a key that has moved on is left alone.
    pub letter: Letter,
    /// Whether this plan delivers the successor first (and the reclaim waits for its success).
    pub after_delivery: bool,
    #[serde(flatten)]
    pub of: ReclaimOf,
}

/// Where the key is that is revoked, and what else is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReclaimOf {
    Qlik {
        parent: TenantRef,
        owner: Owner,
        created: Option<Timestamp>,
        /// When it ends by itself, if nobody revokes it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    Imburse {
        tenant_id: Untrusted,
        /// Whether a person named it with `--reclaim`.
        asked: bool,
    },
}

impl Reclaim {
    /// Whether a person named it with `--reclaim`.
    pub fn is_asked(&self) -> bool {
        match self.of {
            ReclaimOf::Qlik { .. } => false,
            ReclaimOf::Imburse { asked, .. } => asked,
        }
    }
}
