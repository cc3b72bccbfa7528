//! The values that actions at either vendor share: the tenant they need, how it came under management, and why a key is
//! made.

use serde::{Deserialize, Serialize};

use crate::model::address::{Address, Name};
use crate::model::untrusted::Untrusted;

/// The tenant that an action needs: there already, or made earlier in this plan. The only "known after apply".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parent {
    /// The tenant is there.
    Exists(TenantRef),
    /// An earlier action of this plan makes the tenant. It holds the tenant's address.
    MadeBefore(Address),
}

/// A tenant that exists: its id and the server's own host of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRef {
    /// The vendor's id.
    pub id: Untrusted,
    /// The server's own host, whole.
    pub hostname: Untrusted,
}

/// The way in which a kept tenant came under management.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adopted {
    /// The tenant was not adopted: a run of ours made it, or a person resolved its creation.
    No,
    /// Declared with `adopt:` and not in the ledger yet: apply records it, and sends nothing.
    ToRecord {
        /// The account in settings that manages it from now on.
        account: Name,
    },
    /// The tenant was declared with `adopt:`, and the ledger has it.
    Recorded,
}

/// The reason for which a key is minted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyMint {
    /// No key of ours is in place.
    Missing,
    /// The sink names a key that is no longer live.
    Dead {
        /// The vendor's id of that key.
        key_id: String,
        /// The state of that key: `expired`, or the words for one that ended before its time.
        state: String,
    },
    /// A leftover must be superseded before it is revoked.
    Supersede {
        /// The vendor's id of the leftover.
        key_id: String,
    },
    /// A person said `--remint`.
    Asked,
    /// A person said `--replace`: this key is in the sink and works, and another is to take its place.
    Replaced {
        /// The vendor's id of the key in the sink.
        key_id: String,
    },
}
