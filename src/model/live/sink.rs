//! What was read of sinks and of their stores.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::address::Name;
use super::super::marker::Marker;
use super::super::observed::{Observed, Unreadable};
use super::super::record::{LedgerId, Uid};
use super::super::secret::Fingerprint;
use super::super::untrusted::Untrusted;

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
