//! What was read: of the ledger, the vendor, the sinks. A value that can say "I could not read this".

mod ledger;
mod qlik;
mod sink;

use std::collections::BTreeMap;

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
    pub ledger: LedgerLive,
    /// In an unattended run, a ledger that lives on this machine alone and was not declared durable, or one that others
    /// get copies of: no tenant is created with it.
    #[serde(default)]
    pub ledger_forgets: bool,
    /// The Git work tree or checkout that the ledger's folder lies in, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger_lies_in: Option<Untrusted>,
    #[serde(flatten)]
    pub qlik: QlikLive,
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

    pub fn of_imburse(key: &imburse::Key) -> Self {
        Self { id: key.public_key.clone(), name: key.text.clone(), expires: None }
    }
}
