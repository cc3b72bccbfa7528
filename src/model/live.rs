//! What was read: of the ledger, the vendor, the sinks. A value that can say "I could not read this".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::duration::Duration;
use super::imburse::{ImburseLive, MarkRefused};
use super::marker::Marker;
use super::record::{LedgerId, Record, Rehearsal, Uid};
use super::run::{Life, RunId, ShortRunId};
use super::secret::Fingerprint;
use super::spec::{Owner, Way};
use super::untrusted::Untrusted;

/// Everything a plan is made from, besides desired state and the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    pub ledger: LedgerLive,
    /// In an unattended run, a ledger that lives on this machine alone and was not declared durable, or one that others
    /// get copies of: no tenant is created with it.
    #[serde(default)]
    pub ledger_forgets: bool,
    /// The Git work tree or checkout that the ledger's folder lies in, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_lies_in: Option<Untrusted>,
    #[serde(default)]
    pub accounts: BTreeMap<Name, AccountLive>,
    #[serde(default)]
    pub tenants: BTreeMap<Address, TenantLive>,
    /// By key address.
    #[serde(default)]
    pub sinks: BTreeMap<Address, SinkLive>,
    /// By sink: what is known of its store as a whole.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<Name, StoreLive>,
    #[serde(default, skip_serializing_if = "ImburseLive::is_empty")]
    pub imburse: ImburseLive,
    /// Keys of ours in tenants that the ledger binds and nothing declares, as far as anybody looked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undeclared: BTreeMap<Address, Observed<Undeclared>>,
    /// Tenants whose host's clock differs from the others'. A plan of a time that was given has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clocks: BTreeMap<Address, ClockLive>,
}

/// A host's clock that differs from the vendors' time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLive {
    pub host: Untrusted,
    /// In seconds; behind, where it is negative.
    pub ahead: i64,
}

impl ClockLive {
    /// In seconds: less is the way of the network.
    pub const NEGLIGIBLE: i64 = 60;
    /// In seconds: more than this is no clock to judge a key by.
    pub const BELIEVED: i64 = 3_600;

    pub fn is_believed(&self) -> bool {
        self.ahead.saturating_abs() <= Self::BELIEVED
    }
}

/// What is known of a tenant that is bound and no longer declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeclared {
    pub keys: Vec<OurKey>,
    pub seen: Seen,
}

/// Where keys were seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// The vendor lists them.
    Vendor,
    /// Sinks hold them; what the vendor says was not read.
    Sinks,
}

/// A key that this ledger's runs made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OurKey {
    pub id: String,
    /// Its description at the vendor, or its name in desired state.
    pub name: Untrusted,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl OurKey {
    pub fn of(key: &KeyLive) -> Self {
        Self { id: key.id.clone(), name: key.text.clone(), expires: key.expiry }
    }

    pub fn of_imburse(key: &super::imburse::Key) -> Self {
        Self { id: key.public_key.clone(), name: key.text.clone(), expires: None }
    }
}

/// What became of reading one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    Absent,
    Present(T),
    Unreadable(Unreadable),
}

impl<T> Observed<T> {
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// Why something could not be read, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    pub why: Untrusted,
    pub next: String,
    /// The vendor refused the credentials.
    #[serde(default)]
    pub credentials: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerLive {
    /// There is none at `place`. With `strict` (unattended) that is never taken for a new estate.
    Missing {
        place: String,
        strict: bool,
    },
    Present(LedgerFacts),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    pub id: LedgerId,
    /// Where it is, for messages.
    pub place: String,
    #[serde(default)]
    pub records: BTreeMap<Address, Record>,
    #[serde(default)]
    pub runs: BTreeMap<RunId, Life>,
    /// Of runs that `runs` does not list.
    pub other_runs: Life,
    #[serde(default)]
    pub rehearsals: Vec<Rehearsal>,
    /// Imburse accounts whose keys the vendor did not change when a run asked for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks_refused: Vec<MarkRefused>,
    /// Whether its disk has hardly any space left: what becomes of a creation could not be recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nearly_full: bool,
}

impl LedgerFacts {
    pub fn life(&self, run: &RunId) -> Life {
        self.runs.get(run).copied().unwrap_or(self.other_runs)
    }

    /// The least proven of the runs that share this short id.
    pub fn life_of_short(&self, run: &ShortRunId) -> Life {
        self.runs.iter().filter(|(id, _)| id.short() == *run).map(|(_, life)| *life).min().unwrap_or(self.other_runs)
    }
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

/// One key's place in its sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkLive {
    /// `None`: not looked into, as with `--preflight read`.
    #[serde(default)]
    pub entry: Option<Observed<SinkEntry>>,
    /// The sink's own number for what stands there, where it has one: it only grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// `None`: not checked.
    #[serde(default)]
    pub writable: Option<Writable>,
    /// When the store deletes what is there by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What was there and was deleted, where the store remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
    /// Git has the key's files in its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked: Option<Tracked>,
}

/// A version that a store has deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The command that brings it back; `None` where nothing can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
}

/// A file of a sink that git would commit again with every change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// The work tree.
    pub root: Untrusted,
    /// The file, from there.
    pub file: Untrusted,
    /// It is the secret itself and not only what is said of it.
    pub secret: bool,
}

/// What is known of a sink's store as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLive {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenLive>,
    /// It deletes everything after as many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keeps_seconds: Option<u64>,
}

/// A token that a store is reached with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLive {
    /// `None`: it lives for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// `None`: it may be used without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
}

impl SinkLive {
    /// What is there, as far as anybody looked.
    pub fn held(&self) -> Option<&SinkEntry> {
        self.entry.as_ref().and_then(Observed::present)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writable {
    Yes,
    No(Unreadable),
}

/// The metadata kept beside a secret. It says nothing of the secret but its fingerprint. Final format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkEntry {
    pub ledger: LedgerId,
    /// Of the tenant's record.
    pub uid: Uid,
    pub key: Name,
    pub key_id: String,
    /// Of the payload as stored.
    pub fingerprint: Fingerprint,
    pub marker: Marker,
    pub tenant_id: Untrusted,
    /// The owner's user id.
    pub owner: Untrusted,
    pub expiry: Option<Timestamp>,
    pub delivered: Timestamp,
    /// The keys of ours that it was delivered over: minted before by runs that were over, and never marked as delivered. From
    /// then on nothing can bring one of them back into the sink, so none needs another successor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<String>,
    /// `None`: delivered by a version that did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_as: Option<MadeAs>,
}

/// What was declared of a key when it was made, where neither vendor nor payload tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeAs {
    /// `env`, as desired state names shapes.
    pub shape: String,
    /// The owner as it was declared, such as `user:subject:auth0|stackone`; none at Imburse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
