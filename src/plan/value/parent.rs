//! What actions at either vendor name: the tenant they need and how it came under management, and why a key is made.

use serde::{Deserialize, Serialize};

use crate::model::address::{Address, Name};
use crate::model::untrusted::Untrusted;

/// The tenant that an action needs: there already, or made earlier in this plan. The only "known after apply".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parent {
    Exists(TenantRef),
    MadeBefore(Address),
}

/// A tenant that exists: its id and the server's own host of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRef {
    pub id: Untrusted,
    pub hostname: Untrusted,
}

/// How a kept tenant came under management.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adopted {
    No,
    /// Declared with `adopt:` and not in the ledger yet: apply records it, and sends nothing.
    ToRecord {
        account: Name,
    },
    Recorded,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyMint {
    Missing,
    /// The sink names a key that is no longer live.
    Dead {
        key_id: String,
        state: String,
    },
    /// A leftover must be superseded before it is revoked.
    Supersede {
        key_id: String,
    },
    /// A person said `--remint`.
    Asked,
    /// A person said `--replace`: this key is in the sink and works, and another is to take its place.
    Replaced {
        key_id: String,
    },
}
