//! The values read of Qlik's accounts, tenants, people and keys.

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
    /// The accounts that were read, by their name in settings.
    #[serde(default)]
    pub accounts: BTreeMap<Name, AccountLive>,
    /// The declared tenants, by address.
    #[serde(default)]
    pub tenants: BTreeMap<Address, TenantLive>,
}

/// The values read of one account. They are read only where something is to be created.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLive {
    /// The licence, from the source tenant; `None` where it was not read.
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
    /// True if the status is `Ok` and the vendor does not say that the licence is invalid.
    pub valid: bool,
}

/// One entry of the organization's list. It may lag, and strangers may create too: it is evidence for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTenant {
    /// The tenant's id, the same as at the tenant's own host.
    pub id: Untrusted,
    /// The display name; empty where the list has none.
    pub name: Untrusted,
    /// The whole host names: the server's own first, aliases after it.
    pub hostnames: Vec<Untrusted>,
    /// `active`, `disabled`, `deleted`, `deactivated`.
    pub status: Untrusted,
    /// The time of creation; `None` where the list has none that can be read.
    pub created: Option<Timestamp>,
}

impl ListedTenant {
    /// Returns whether it is active. A list that says no status is taken to list active tenants.
    pub fn is_active(&self) -> bool {
        matches!(self.status.raw(), "active" | "")
    }

    /// Returns whether one of its host names is `host`, in whichever case.
    pub fn has_host(&self, host: &str) -> bool {
        self.hostnames.iter().any(|known| known.raw().eq_ignore_ascii_case(host))
    }

    /// Returns the server's own host of it; empty where the list has none.
    pub fn hostname(&self) -> Untrusted {
        self.hostnames.first().cloned().unwrap_or_default()
    }
}

/// One declared tenant as read, with what its keys depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantLive {
    /// The tenant itself, or why there is none to look at.
    pub tenant: TenantRead,
    /// Every key of the tenant that the vendor lists, by id; `None` where the tenant was not read.
    #[serde(default)]
    pub keys: Option<Observed<BTreeMap<String, KeyLive>>>,
    /// Keys that a sink names and the list does not, by GET.
    #[serde(default)]
    pub looked_up: BTreeMap<String, Observed<KeyLive>>,
    /// The tenant's limits on keys. They are read where limits are declared or a key is to be minted.
    #[serde(default)]
    pub limits: Option<Observed<KeyLimitsLive>>,
    /// The role `UserDefault`. It is read where the grant is declared or a key is to be minted.
    #[serde(default)]
    pub user_default: Option<Observed<RoleLive>>,
    /// The role of a declared grant and its holders. They are read only where such a grant is declared.
    #[serde(default)]
    pub holders: Option<Observed<HoldersLive>>,
    /// The consent of the tenant to the key client. Read where that client is to mint.
    #[serde(default)]
    pub key_client: Option<Observed<ConsentLive>>,
    /// The users who mint or are granted something, by owner. They are read where a key is to be minted, a marker's
    /// maker must be known, or somebody's grant is missing.
    #[serde(default)]
    pub callers: Vec<(Owner, Observed<CallerLive>)>,
    /// The names of the tenant's spaces. Read where spaces are declared.
    #[cfg(test)]
    #[serde(default)]
    pub spaces: Option<Observed<std::collections::BTreeSet<String>>>,
}

impl TenantLive {
    /// Makes a value for a tenant of which nothing else was read.
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
            #[cfg(test)]
            spaces: None,
        }
    }

    /// Returns what was read of an owner; `None` where nobody asked.
    pub fn caller(&self, owner: &Owner) -> Option<&Observed<CallerLive>> {
        self.callers.iter().find(|(who, _)| who == owner).map(|(_, caller)| caller)
    }
}

/// The outcome of looking for one declared tenant: at its binding, its adoption, its alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRead {
    /// No record binds it and no adoption is declared: there was nowhere to look.
    Nowhere,
    /// The bound or adopted tenant was read.
    Present(QlikTenantLive),
    /// A tenant answers at the declared alias, and nothing binds it. It is named to a person and never adopted by
    /// itself.
    ByAlias(QlikTenantLive),
    /// The host of a binding or an adoption answers that there is no such tenant.
    Gone(Unreadable),
    /// The host answers 401 with the code `TENANT_DISABLED`: the tenant was deactivated and waits to be purged.
    Disabled,
    /// Another tenant answers at the bound host.
    Other {
        /// The id of the tenant that answered.
        found: Untrusted,
    },
    /// The tenant could not be read, which says nothing about whether it is there.
    Unreadable(Unreadable),
}

/// `GET /tenants/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikTenantLive {
    /// The vendor's id, which never changes.
    pub id: Untrusted,
    /// The display name.
    pub name: Untrusted,
    /// The whole host names. The first is the server's own, the second the alias.
    pub hostnames: Vec<Untrusted>,
    /// The vendor's word: `active`, `disabled`, `deleted` or `user-access-disabled`.
    pub status: Untrusted,
    /// The time of creation, by the vendor's clock.
    #[serde(default)]
    pub created: Option<Timestamp>,
}

impl QlikTenantLive {
    /// Returns the host that a person chose; `None` where the tenant has none.
    pub fn alias(&self) -> Option<&Untrusted> {
        self.hostnames.get(1)
    }
}

/// One entry of `GET /api-keys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLive {
    /// The vendor's id, which is also the `jti` of the token.
    pub id: String,
    /// The description without the marker.
    pub text: Untrusted,
    /// The marker at the end of the description; `None` for a key that no run of ours made, or whose description a
    /// person changed.
    pub marker: Option<Marker>,
    /// The vendor's word for its state.
    pub status: KeyStatus,
    /// The user id of the owner.
    pub sub: Untrusted,
    /// The user id of whoever made it: the owner too, since the vendor lets a caller mint for itself only.
    pub created_by: Untrusted,
    /// The time of minting, by the vendor's clock.
    pub created: Option<Timestamp>,
    /// The time at which it ends by itself; `None` where the vendor does not tell it.
    pub expiry: Option<Timestamp>,
}

/// The state of a key as the vendor tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// The key can be used, until it expires.
    Active,
    /// The key ended by itself.
    Expired,
    /// The key was revoked, which cannot be undone.
    Revoked,
    /// The vendor used a word that its documents do not have. It is taken for active wherever that is the careful
    /// reading.
    Unknown,
}

impl KeyLive {
    /// Returns whether it can still be used, as the vendor's list and its expiry say.
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
    /// The longest life of a new key. Keys that exist keep theirs.
    pub max_expiry: Duration,
    /// The most active keys that one user can have.
    pub max_keys_per_user: u32,
}

impl KeyLimitsLive {
    /// The vendor's documented defaults, which a new tenant has.
    pub const VENDOR_DEFAULT: Self = Self { max_expiry: Duration::from_seconds(24 * 3_600), max_keys_per_user: 5 };
}

/// The role `UserDefault`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleLive {
    /// The vendor's id of the role.
    pub id: Untrusted,
    /// True if the caller may change the role.
    pub can_edit: bool,
    /// True if it assigns the scope `api-keys` ("Manage API keys").
    pub manages_api_keys: bool,
    /// The other scopes that it assigns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_allows: Vec<Untrusted>,
    /// True for one of the vendor's own roles, whose scopes do not tell all that it allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
}

/// The live side of a declared grant through a role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldersLive {
    /// `None`: not read, because everybody who is meant holds it. `Absent`: there is no such role.
    #[serde(default)]
    pub role: Option<Observed<RoleLive>>,
    /// The declared users and key owners who hold the role with its permission, as far as was asked.
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
    /// The vendor's id of the group.
    pub id: Untrusted,
    /// True if it has the declared role.
    pub has_role: bool,
}

/// `GET /oauth-clients/{id}/connection-configs/me`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentLive {
    /// True if the consent method is `trusted`, so that the client can act in this tenant.
    pub trusted: bool,
}

/// `GET /users/me` as the minter, or the user's record as the administrator reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallerLive {
    /// The vendor's id of the user, in this tenant only.
    pub user_id: Untrusted,
    /// The tenant that answered, to compare with the bound one.
    pub tenant_id: Untrusted,
    /// True if a role of the user or of its groups, other than the user default, assigns `api-keys`.
    pub manages_api_keys: bool,
    /// The names of its groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Untrusted>,
    /// The vendor's word, such as `active`; empty where it was not told.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub status: Untrusted,
}

impl CallerLive {
    /// Returns whether anybody can act as this user: only `active` users can.
    pub fn is_active(&self) -> bool {
        matches!(self.status.raw(), "active" | "")
    }
}

fn is_empty(text: &Untrusted) -> bool {
    text.raw().is_empty()
}
