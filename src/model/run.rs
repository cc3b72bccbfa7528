//! One invocation that may change something, and what is known of its end.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::hex::hex_word;
use super::secret::hex;
use super::untrusted::Untrusted;

hex_word!(
    /// Sixteen hexadecimal digits, chosen at random when a run starts.
    RunId, 16
);
hex_word!(
    /// The first four digits of a [`RunId`]: what a marker has room for.
    ShortRunId, 4
);

impl RunId {
    /// Makes an identity from random bytes.
    pub fn new(random: [u8; 8]) -> Self {
        Self(hex(&random))
    }

    /// Returns the first four digits, which markers carry.
    pub fn short(&self) -> ShortRunId {
        ShortRunId::parse(self.0.get(..4).unwrap_or_default()).unwrap_or_else(ShortRunId::zero)
    }
}

impl ShortRunId {
    pub(crate) fn zero() -> Self {
        Self("0000".to_owned())
    }
}

/// A run as the ledger records it, before its first request. Final format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The run's identity, which intents and markers name.
    pub id: RunId,
    /// The time of its start.
    pub started: Timestamp,
    /// The run stops itself this long after its start.
    pub max_run: Duration,
    /// The machine that it runs on, for messages.
    pub host: Untrusted,
    /// The number of its process on that machine, for messages.
    pub pid: u32,
    /// The time of its end, written last and only when no put is unaccounted for. `None`: it is at work, or it died.
    pub ended: Option<Timestamp>,
}

/// The state of knowledge about a run's end. The order is from the least proven to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// The run may still send requests.
    Alive,
    /// The clock is past the time at which it stops itself. It may be paused, so nothing is proven.
    OverByClock,
    /// The run recorded `ended`, or the directory lock was free after it.
    Proven,
}
