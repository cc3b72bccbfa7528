//! What the ledger keeps: one record per declared tenant, for life. Final format, version 1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::hex::hex_word;
use super::host::Host;
use super::run::RunId;
use super::secret::hex;
use super::spec::Way;
use super::untrusted::Untrusted;

hex_word!(
    /// A ledger's identity: 32 hexadecimal digits.
    LedgerId, 32
);
hex_word!(
    /// A record's permanent identity: 32 hexadecimal digits. It survives a rename.
    Uid, 32
);

impl LedgerId {
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// What markers carry.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or_default()
    }
}

impl Uid {
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }
}

/// One declared tenant's record. Every write is a compare-and-swap on `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub uid: Uid,
    pub address: Address,
    /// Addresses it had before a rename, oldest first: where sinks may still hold its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<Address>,
    /// Grows by one with every write.
    pub seq: u64,
    pub state: State,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No tenant was made: the only intent so far was definitely refused, or a person cleared it.
    Free,
    /// A POST may be on its way.
    Pending(Intent),
    /// We made it; it is not settled yet.
    Bound(Binding),
    /// A run sends name, alias and limits, once each.
    Settling(Settling),
    Settled(Binding),
}

/// Written before the one POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// Tells one intent from the next.
    pub nonce: Untrusted,
    pub run: RunId,
    pub account: Name,
    pub region: Untrusted,
    /// The vendor's clock when the intent was written.
    pub date: Timestamp,
    /// SHA-256 of what the request says, without its secret.
    pub request: Untrusted,
    /// Ids of tenants listed before the intent, where a list could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Untrusted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    pub tenant_id: Untrusted,
    /// `hostnames[0]`, whole.
    pub hostname: Untrusted,
    pub account: Name,
    pub how: How,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By our POST.
    Created,
    /// Declared with `adopt:`; never settled by us.
    Adopted,
    /// An intent in doubt that a person resolved with `--adopt`.
    Resolved,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    pub binding: Binding,
    pub run: RunId,
}

impl State {
    pub fn binding(&self) -> Option<&Binding> {
        match self {
            Self::Free | Self::Pending(_) => None,
            Self::Bound(binding) | Self::Settled(binding) => Some(binding),
            Self::Settling(settling) => Some(&settling.binding),
        }
    }

    /// One word for lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pending(_) => "pending",
            Self::Bound(_) => "bound",
            Self::Settling(_) => "settling",
            Self::Settled(_) => "settled",
        }
    }
}

/// What a rehearsal on an account's source tenant found, for one way of owning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    pub account: Name,
    /// The way of owning that was rehearsed.
    pub owner: Way,
    /// A hash of the client id or the key's owner: other credentials need another rehearsal.
    pub credential: String,
    pub at: Timestamp,
    pub run: RunId,
    /// `None`: it passed. Otherwise the sentence that says what to change.
    pub failure: Option<Untrusted>,
}

impl Binding {
    /// Whether this binding is of the given host.
    pub fn is_at(&self, host: &Host) -> bool {
        self.hostname.raw().eq_ignore_ascii_case(host.as_str())
    }
}
