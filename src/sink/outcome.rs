//! What a sink answers, whatever its kind: what it holds, and what became of a put.

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::live::{Deleted, Observed, SinkEntry, Unreadable};
use crate::model::secret::Fingerprint;
use crate::model::untrusted::Untrusted;

/// What a sink holds for one key, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// `None`: the sink cannot be looked into.
    pub entry: Option<Observed<SinkEntry>>,
    /// Of the address that was asked for: what a put there must still find.
    pub version: Version,
    /// The address that the entry was found under: the one asked for, or one it had before a rename.
    pub at: Address,
    /// When the sink deletes what is there by itself.
    pub until: Option<Timestamp>,
    /// What was deleted there, where the sink remembers it.
    pub deleted: Option<Deleted>,
}

/// What stands at one address.
pub(super) struct Seen {
    pub(super) entry: Option<Observed<SinkEntry>>,
    pub(super) version: Version,
    pub(super) until: Option<Timestamp>,
    pub(super) deleted: Option<Deleted>,
}

impl Seen {
    pub(super) fn new(entry: Option<Observed<SinkEntry>>, version: Version) -> Self {
        Self { entry, version, until: None, deleted: None }
    }
}

/// What stood at an address, to be compared before it is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Nothing,
    Payload(Fingerprint),
    /// The sink's own word for it.
    Word(Untrusted),
    /// The sink's own number for it.
    Number(u64),
    /// It could not be read, or it is not ours: nothing may replace it.
    Unknown,
    /// The sink cannot be looked into: whatever is there is replaced.
    Unseen,
}

/// What became of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a key whose delivery nobody looked at is a lost key"]
pub enum Put {
    /// Stored and durable.
    Stored,
    /// Stored and durable, and the sink deletes it by itself at this time.
    StoredUntil(Timestamp),
    /// Stored and durable, and the store says this of it.
    StoredBut(Untrusted),
    /// Definitely not stored.
    Refused(Unreadable),
    /// Something else stands there than was looked at. Definitely not stored.
    Conflict,
    /// Perhaps stored: read back to know.
    Unknown(Unreadable),
}

/// What a sink gives back after a put.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a delivery counts only when it was read back"]
pub enum ReadBack {
    Same,
    /// Another payload is there; the sentence says what is known of it.
    Other(String),
    Absent,
    Unreadable(Unreadable),
    /// The sink cannot be looked into.
    Unseen,
}

pub(super) fn unreadable(why: impl Into<String>, next: impl Into<String>) -> Unreadable {
    Unreadable { why: Untrusted::new(why), next: next.into(), credentials: false }
}

/// What was found at an address whose key is `address.key()`, or why it is none of ours.
pub(super) fn of_key(address: &Address, entry: SinkEntry, place: &str) -> Result<SinkEntry, Unreadable> {
    if address.key() == Some(&entry.key) {
        return Ok(entry);
    }
    Err(unreadable(
        format!("{place} holds the key {} and not {address}", entry.key),
        format!("move what is at {place} to where it belongs, or away"),
    ))
}
