//! Who is in a tenant: users, their groups, and the roles that people have made.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::random;

#[derive(Serialize, Deserialize)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) subject: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default = "active")]
    pub(super) status: String,
    pub(super) client: Option<String>,
    /// By name, default and custom: names are unique in a tenant.
    pub(super) roles: Vec<String>,
    /// By id.
    #[serde(default)]
    pub(super) groups: Vec<String>,
    /// What an edit by hand grants them, in the place of a custom role of their own.
    pub(super) scopes: BTreeSet<String>,
    pub(super) created: Timestamp,
    #[serde(default)]
    pub(super) updated: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) preferred_locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) preferred_zoneinfo: Option<String>,
    /// As a caller said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) invite_expiry: Option<String>,
}

fn active() -> String {
    "active".to_owned()
}

impl User {
    pub(super) fn new(name: &str, subject: &str, now: Timestamp) -> Self {
        Self {
            id: random::object_id(),
            name: name.to_owned(),
            subject: subject.to_owned(),
            email: None,
            status: active(),
            client: None,
            roles: Vec::new(),
            groups: Vec::new(),
            scopes: BTreeSet::new(),
            created: now,
            updated: None,
            preferred_locale: None,
            preferred_zoneinfo: None,
            invite_expiry: None,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == "active"
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    /// `idp` or `custom`.
    pub(super) provider: String,
    /// By name.
    pub(super) roles: Vec<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}

impl Group {
    pub(super) fn new(name: &str, provider: &str, now: Timestamp) -> Self {
        Self {
            id: random::object_id(),
            name: name.to_owned(),
            description: String::new(),
            provider: provider.to_owned(),
            roles: Vec::new(),
            created: now,
            updated: now,
        }
    }
}

/// A seat of the subscription that somebody of this tenant has. Who has it is known by subject.
#[derive(Serialize, Deserialize)]
pub(super) struct Seat {
    /// `professional` or `analyzer`.
    pub(super) kind: String,
    pub(super) created: Timestamp,
}

/// Who is given a seat at their first use.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct AutoAssign {
    pub(super) analyzer: bool,
    pub(super) professional: bool,
}

/// What happens to groups when people log in.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct GroupSettings {
    pub(super) auto_create: bool,
    pub(super) sync_idp: bool,
}

/// What is stored and listed, and nothing else: spaces, identity providers, a tenant's own OAuth clients.
#[derive(Serialize, Deserialize)]
pub(super) struct Thing {
    /// As a caller said them, under the vendor's names.
    pub(super) fields: serde_json::Map<String, serde_json::Value>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Ids of users.
    pub(super) created_by: String,
    pub(super) updated_by: String,
}

/// A custom role. The default ones are the vendor's and not kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) scopes: BTreeSet<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
}
