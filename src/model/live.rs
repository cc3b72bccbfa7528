//! The values read of the ledger, the vendors and the sinks. Each can say "I could not read this".

mod homes;
mod ledger;
mod qlik;
mod sink;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::imburse::{self, ImburseLive};
pub use super::observed::{Observed, Unreadable};
use super::untrusted::Untrusted;
pub use ledger::{LedgerFacts, LedgerLive};
pub use qlik::{
    AccountLive, CallerLive, ConsentLive, GroupLive, HoldersLive, KeyLimitsLive, KeyLive, KeyStatus, LicenceLive,
    ListedTenant, QlikLive, QlikTenantLive, RoleLive, TenantLive, TenantRead,
};
pub use sink::{Deleted, MadeAs, SinkEntry, SinkLive, StoreLive, TokenLive, Tracked, Writable};

/// Everything a plan is made from, besides desired state and the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The ledger, or that there is none.
    pub ledger: LedgerLive,
    /// True in an unattended run whose ledger may not last: it lives on this machine alone and was not declared
    /// durable, or others get copies of it. No tenant is created with it.
    #[serde(default)]
    pub ledger_forgets: bool,
    /// The Git work tree or checkout that the ledger's folder lies in, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_lies_in: Option<Untrusted>,
    /// The accounts and tenants at Qlik.
    #[serde(flatten)]
    pub qlik: QlikLive,
    /// The place of each delivered key in its sink, by the key's address.
    #[serde(default)]
    pub sinks: BTreeMap<Address, SinkLive>,
    /// The store behind each sink, by the sink's name in settings.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stores: BTreeMap<Name, StoreLive>,
    /// The accounts and tenants at Imburse.
    #[serde(default, skip_serializing_if = "ImburseLive::is_empty")]
    pub imburse: ImburseLive,
    /// Keys of ours in tenants that the ledger binds and nothing declares, as far as anybody looked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undeclared: BTreeMap<Address, Observed<Undeclared>>,
    /// Ids of tenants that other runs recorded after the ledger was read, and before a list of tenants was.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub bound_since: BTreeSet<Untrusted>,
    /// Tenants whose host's clock differs from the others'. A plan of a time that was given has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clocks: BTreeMap<Address, ClockLive>,
}

/// A host's clock that differs from the vendors' time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLive {
    /// The tenant's host whose replies carry this clock in `Date`.
    pub host: Untrusted,
    /// The difference in seconds; negative where the host is behind.
    pub ahead: i64,
}

impl ClockLive {
    /// The least difference that counts, in seconds. Less is due to the network.
    pub const NEGLIGIBLE: i64 = 60;
    /// The largest difference by which keys are still judged, in seconds.
    pub const BELIEVED: i64 = 3_600;

    /// Returns whether keys of this tenant may be judged by its host's own clock.
    pub fn is_believed(&self) -> bool {
        self.ahead.saturating_abs() <= Self::BELIEVED
    }
}

/// The keys of a tenant that the ledger binds and desired state no longer declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeclared {
    /// The live keys that runs of this ledger made there.
    pub keys: Vec<OurKey>,
    /// The source that the keys were read from.
    pub seen: Seen,
}

/// The source that keys of an undeclared tenant were read from.
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
    /// The vendor's id of the key: a JWT id at Qlik, the public key at Imburse.
    pub id: String,
    /// The key's description at the vendor, or its name in desired state.
    pub name: Untrusted,
    /// The time at which it ends by itself; `None` for a key without an end, as at Imburse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl OurKey {
    /// Takes the facts that are shown from a Qlik key.
    pub fn of(key: &KeyLive) -> Self {
        Self { id: key.id.clone(), name: key.text.clone(), expires: key.expiry }
    }

    /// Takes the facts that are shown from an Imburse key.
    pub fn of_imburse(key: &imburse::ListedKey) -> Self {
        Self { id: key.public_key.clone(), name: key.text.clone(), expires: None }
    }
}
