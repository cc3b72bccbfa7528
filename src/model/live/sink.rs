//! The values read of sinks and of their stores.

use std::collections::BTreeMap;

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
    /// The outcome of asking whether a put would be taken; `None`: not checked.
    #[serde(default)]
    pub writable: Option<Writable>,
    /// When the store deletes what is there by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The last version that was deleted, where the store remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Deleted>,
    /// The store's words about a place that does not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Untrusted>,
    /// Git has the key's files in its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracked: Option<Tracked>,
    /// Each sink by itself, by its name in settings, where the key has several; the rest is of all of them together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub homes: BTreeMap<Name, SinkLive>,
}

/// A version that a store has deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// The sink's own number for it.
    pub version: u64,
    /// The time of deletion; `None` where the store does not tell it.
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
    /// True if it is the secret itself, and not only the metadata beside it.
    pub secret: bool,
}

/// The facts of a sink's store that hold for every key in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLive {
    /// The token that the store is reached with; `None` where there is none or it was not read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenLive>,
    /// The time in seconds after which the store deletes a secret by itself; `None` for a store that deletes nothing.
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
    /// Returns the entry that is there, as far as anybody looked.
    pub fn held(&self) -> Option<&SinkEntry> {
        self.entry.as_ref().and_then(Observed::present)
    }
}

/// The answer to whether a sink would take a put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Writable {
    /// The sink would take it, as far as can be known without writing.
    Yes,
    /// Nothing that can be known without writing speaks against it. It holds what only a write tells: "whether …".
    NotRefused(String),
    /// The sink would refuse it, with the reason and the way out.
    No(Unreadable),
}

/// The metadata kept beside a secret. It says nothing of the secret but its fingerprint. Final format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkEntry {
    /// The ledger whose run delivered it. An entry of another ledger is never overwritten.
    pub ledger: LedgerId,
    /// The permanent id of the tenant's record.
    pub uid: Uid,
    /// The key's name in desired state.
    pub key: Name,
    /// The vendor's id of the key.
    pub key_id: String,
    /// The fingerprint of the payload as stored.
    pub fingerprint: Fingerprint,
    /// The key's marker when it was delivered.
    pub marker: Marker,
    /// The vendor's id of the tenant.
    pub tenant_id: Untrusted,
    /// The owner's user id.
    pub owner: Untrusted,
    /// The time at which the key ends by itself; `None` for a key without an end.
    pub expiry: Option<Timestamp>,
    /// The time of delivery, by the run's clock.
    pub delivered: Timestamp,
    /// The keys of ours that it was delivered over: minted before by runs that were over, and never marked as delivered. From
    /// then on nothing can bring one of them back into the sink, so none needs another successor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<String>,
    /// The keys of ours that it replaced in one of several sinks, before they had reached all: somebody may use one, so none is
    /// revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// The declaration that it was made from; `None` for one that an older version delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_as: Option<MadeAs>,
}

/// The part of a key's declaration that neither vendor nor payload tells later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeAs {
    /// The form of the payload, in desired state's word: `env`.
    pub shape: String,
    /// The owner as it was declared, such as `user:subject:auth0|stackone`; `None` at Imburse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
}
