//! What was read of Qlik's accounts, tenants, people and keys.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::address::{Address, Name};
use super::super::duration::Duration;
use super::super::marker::Marker;
use super::super::observed::{Observed, Unreadable};
use super::super::spec::{Owner, Way};
use super::super::untrusted::Untrusted;

/// Everything that was read from Qlik.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikLive {
    #[serde(default)]
    pub accounts: BTreeMap<Name, AccountLive>,
    #[serde(default)]
    pub tenants: BTreeMap<Address, TenantLive>,
}

/// Read only where something is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLive {
    #[serde(default)]
    pub licence: Option<Observed<LicenceLive>>,
    /// The organization's tenants. Read where an organization client is named and a tenant is to be created or asked for.
    #[serde(default)]
    pub organization: Option<Observed<Vec<ListedTenant>>>,
    /// The credential hash of each way of owning, to match rehearsals.
    #[serde(default)]
    pub credentials: Vec<(Way, String)>,
}

/// `GET /licenses/status` at the source tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceLive {
    /// `Ok`, `Expired`, `Blacklisted`, `Missing`, as the vendor says it.
    pub status: Untrusted,
    pub valid: bool,
}

/// One entry of the organization's list. It may lag, and strangers may create too: it is evidence for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTenant {
    pub id: Untrusted,
    pub name: Untrusted,
    pub hostnames: Vec<Untrusted>,
    /// `active`, `disabled`, `deleted`, `deactivated`.
    pub status: Untrusted,
    pub created: Option<Timestamp>,
}

impl ListedTenant {
    pub fn is_active(&self) -> bool {
        matches!(self.status.raw(), "active" | "")
    }

    pub fn has_host(&self, host: &str) -> bool {
        self.hostnames.iter().any(|known| known.raw().eq_ignore_ascii_case(host))
    }

    /// The server's own host of it.
    pub fn hostname(&self) -> Untrusted {
        self.hostnames.first().cloned().unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantLive {
    pub tenant: TenantRead,
    /// Every key of the tenant that the vendor lists, by id; `None` where the tenant was not read.
    #[serde(default)]
    pub keys: Option<Observed<BTreeMap<String, KeyLive>>>,
    /// Keys that a sink names and the list does not, by GET.
    #[serde(default)]
    pub looked_up: BTreeMap<String, Observed<KeyLive>>,
    /// Read where limits are declared or a key is to be minted.
    #[serde(default)]
    pub limits: Option<Observed<KeyLimitsLive>>,
    /// Read where the grant is declared or a key is to be minted.
    #[serde(default)]
    pub user_default: Option<Observed<RoleLive>>,
    /// Read where a grant through a role is declared.
    #[serde(default)]
    pub holders: Option<Observed<HoldersLive>>,
    /// Whether the key client is trusted here. Read where it is to mint.
    #[serde(default)]
    pub key_client: Option<Observed<ConsentLive>>,
    /// Who mints or is granted something, by owner. Read where a key is to be minted, a marker's maker must be known, or
    /// somebody's grant is missing.
    #[serde(default)]
    pub callers: Vec<(Owner, Observed<CallerLive>)>,
}

impl TenantLive {
    pub fn unread(tenant: TenantRead) -> Self {
        Self {
            tenant,
            keys: None,
            looked_up: BTreeMap::new(),
            limits: None,
            user_default: None,
            holders: None,
            key_client: None,
            callers: Vec::new(),
        }
    }

    pub fn caller(&self, owner: &Owner) -> Option<&Observed<CallerLive>> {
        self.callers.iter().find(|(who, _)| who == owner).map(|(_, caller)| caller)
    }
}

/// What the ladder of DESIGN §5 found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRead {
    /// No record binds it and no adoption is declared: there was nowhere to look.
    Nowhere,
    Present(QlikTenantLive),
    /// Nothing binds it, and a tenant answers at the declared alias. That finds; it adopts nothing by itself.
    ByAlias(QlikTenantLive),
    /// The host of a binding or an adoption answers that there is no such tenant.
    Gone(Unreadable),
    /// `TENANT_DISABLED`.
    Disabled,
    /// Another tenant answers at the bound host.
    Other {
        found: Untrusted,
    },
    Unreadable(Unreadable),
}

/// `GET /tenants/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikTenantLive {
    pub id: Untrusted,
    pub name: Untrusted,
    /// The first is the server's own, the second the alias.
    pub hostnames: Vec<Untrusted>,
    pub status: Untrusted,
    #[serde(default)]
    pub created: Option<Timestamp>,
}

impl QlikTenantLive {
    pub fn alias(&self) -> Option<&Untrusted> {
        self.hostnames.get(1)
    }
}

/// One entry of `GET /api-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLive {
    pub id: String,
    /// Without the marker.
    pub text: Untrusted,
    pub marker: Option<Marker>,
    pub status: KeyStatus,
    /// The owner.
    pub sub: Untrusted,
    pub created_by: Untrusted,
    pub created: Option<Timestamp>,
    pub expiry: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    Active,
    Expired,
    Revoked,
    /// A word that the documents do not have; taken for active wherever that is the careful reading.
    Unknown,
}

impl KeyLive {
    /// Whether it can still be used, as the vendor's list and its expiry say.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.status {
            KeyStatus::Active | KeyStatus::Unknown => self.expiry.is_none_or(|expiry| expiry > now),
            KeyStatus::Expired | KeyStatus::Revoked => false,
        }
    }
}

/// `GET /api-keys/configs/{tenantId}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimitsLive {
    pub max_expiry: Duration,
    pub max_keys_per_user: u32,
}

impl KeyLimitsLive {
    /// The vendor's documented defaults, which a new tenant has.
    pub const VENDOR_DEFAULT: Self = Self { max_expiry: Duration::from_seconds(24 * 3_600), max_keys_per_user: 5 };
}

/// The role `UserDefault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleLive {
    pub id: Untrusted,
    pub can_edit: bool,
    /// Whether it assigns the scope `api-keys` ("Manage API keys").
    pub manages_api_keys: bool,
    /// What it allows besides: the other scopes that it assigns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_allows: Vec<Untrusted>,
    /// One of the vendor's own roles: what it allows is not all in its scopes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
}

/// How things stand with a declared grant through a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldersLive {
    /// `None`: not read, because everybody who is meant holds it. `Absent`: there is no such role.
    #[serde(default)]
    pub role: Option<Observed<RoleLive>>,
    /// Which of the declared users and key owners hold the role with its permission, as far as was asked.
    #[serde(default)]
    pub held_by: Vec<Owner>,
    /// Those of them who are not active, and what the vendor says they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inactive: Vec<(Owner, Untrusted)>,
    /// The declared groups, by name.
    #[serde(default)]
    pub groups: BTreeMap<String, Observed<GroupLive>>,
}

/// A group of the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLive {
    pub id: Untrusted,
    /// Whether it has the declared role.
    pub has_role: bool,
}

/// `GET /oauth-clients/{id}/connection-configs/me`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentLive {
    pub trusted: bool,
}

/// `GET /users/me` as the minter, or the user's record as the administrator reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerLive {
    pub user_id: Untrusted,
    pub tenant_id: Untrusted,
    /// Whether a role of its own or of its groups (not the user default) assigns `api-keys`.
    pub manages_api_keys: bool,
    /// Names of its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Untrusted>,
    /// As the vendor says it; empty where it was not told.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub status: Untrusted,
}

impl CallerLive {
    /// Whether anybody can act as this user: only `active` users can.
    pub fn is_active(&self) -> bool {
        matches!(self.status.raw(), "active" | "")
    }
}

fn is_empty(text: &Untrusted) -> bool {
    text.raw().is_empty()
}
