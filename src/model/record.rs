//! The ledger's records: one per declared tenant, for life. Final format, version 1.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::group::Group;
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
    /// Makes an identity from random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }

    /// Returns the first eight digits, which markers carry.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or_default()
    }
}

impl Uid {
    /// Makes an identity from random bytes.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }
}

/// One declared tenant's record. Every write is a compare-and-swap on `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The permanent id, which markers and sinks carry.
    pub uid: Uid,
    /// The address in desired state, which `ledger mv` changes.
    pub address: Address,
    /// Addresses it had before a rename, oldest first: where sinks may still hold its keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub formerly: Vec<Address>,
    /// The group whose desired state declares it.
    #[serde(default, skip_serializing_if = "Group::is_default")]
    pub group: Group,
    /// The number of the write, which grows by one each time.
    pub seq: u64,
    /// The stage of the tenant's creation.
    pub state: State,
}

/// The stage of a tenant's creation, as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No tenant was made: the only intent so far was definitely refused, or a person cleared it.
    Free,
    /// A POST may be on its way.
    Pending(Intent),
    /// We made the tenant; its declared settings are not sent yet.
    Bound(Binding),
    /// A run sends name, alias and limits, once each. This is written before the first of these requests.
    Settling(Settling),
    /// The tenant is set up, or was adopted.
    Settled(Binding),
}

/// The record of a creation that is about to be sent. It is written and flushed before the one POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// A word at random that tells one intent from the next.
    pub nonce: Untrusted,
    /// The run that sends the POST.
    pub run: RunId,
    /// The account in settings whose credentials create the tenant.
    pub account: Name,
    /// The region's label at Qlik, or the host at Imburse, that the POST goes to.
    pub region: Untrusted,
    /// The vendor's clock when the intent was written.
    pub date: Timestamp,
    /// SHA-256 of what the request says, without its secret.
    pub request: Untrusted,
    /// Ids of tenants listed before the intent, where a list could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline: Vec<Untrusted>,
}

/// The tenant that a record stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The vendor's id, which never changes.
    pub tenant_id: Untrusted,
    /// The server's own host, whole: `hostnames[0]` at Qlik, the API's host at Imburse.
    pub hostname: Untrusted,
    /// The account in settings that manages it.
    pub account: Name,
    /// The way in which it came under management.
    pub how: How,
    /// The time at which it was bound, by the run's clock.
    pub at: Timestamp,
}

/// The way in which a tenant came under management.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Our POST made it.
    Created,
    /// Desired state names it with `adopt:`. No settings are ever sent to it.
    Adopted,
    /// An intent in doubt that a person resolved with `--adopt`.
    Resolved,
}

/// A tenant that a run is setting up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// The tenant.
    pub binding: Binding,
    /// The run that sends its settings.
    pub run: RunId,
}

impl State {
    /// Returns the tenant; `None` while none was proven to be made.
    pub fn binding(&self) -> Option<&Binding> {
        match self {
            Self::Free | Self::Pending(_) => None,
            Self::Bound(binding) | Self::Settled(binding) => Some(binding),
            Self::Settling(settling) => Some(&settling.binding),
        }
    }

    /// Returns one word for lists.
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

/// The outcome of a rehearsal on an account's source tenant, for one way of owning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsal {
    /// The account in settings.
    pub account: Name,
    /// The way of owning that was rehearsed.
    pub owner: Way,
    /// A hash of the client id or the key's owner: other credentials need another rehearsal.
    pub credential: String,
    /// The time of the rehearsal, by the run's clock.
    pub at: Timestamp,
    /// The run that rehearsed.
    pub run: RunId,
    /// `None`: it passed. Otherwise the sentence that says what to change.
    pub failure: Option<Untrusted>,
}

impl Binding {
    /// Returns whether this binding is of the given host, in whichever case.
    pub fn is_at(&self, host: &Host) -> bool {
        self.hostname.raw().eq_ignore_ascii_case(host.as_str())
    }
}
