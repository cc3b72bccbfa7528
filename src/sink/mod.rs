//! Where secrets rest. The one match on kinds is here; each kind has a module of its own.

mod file;
pub mod payload;

use crate::model::address::Address;
use crate::model::live::{Observed, SinkEntry, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::settings;

use self::file::FileSink;
use self::payload::Payload;

/// One sink of the settings.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A folder on this machine.
    File(FileSink),
}

/// What a sink holds for one key, without the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub entry: Observed<SinkEntry>,
    /// Of the address that was asked for: what a put there must still find.
    pub version: Version,
    /// The address that the entry was found under: the one asked for, or one it had before a rename.
    pub at: Address,
}

/// What stood at an address, to be compared before it is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Nothing,
    Payload(Fingerprint),
    /// It could not be read, or it is not ours: nothing may replace it.
    Unknown,
}

/// What became of a put.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a key whose delivery nobody looked at is a lost key"]
pub enum Put {
    /// Stored and durable.
    Stored,
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
}

impl Sink {
    /// The sink of the settings; nothing is read or written yet.
    pub fn of(settings: &settings::Sink) -> Self {
        match settings {
            settings::Sink::File { directory, .. } => Self::File(FileSink::at(directory.clone(), settings.hash())),
        }
    }

    /// What markers carry of this sink.
    pub fn hash(&self) -> SinkHash {
        let Self::File(file) = self;
        file.hash()
    }

    /// Where a key's secret rests, for messages.
    pub fn place(&self, address: &Address) -> String {
        let Self::File(file) = self;
        file.place(address)
    }

    /// What is there for a key; where nothing is, at the addresses it had before, the latest first.
    pub fn look(&self, address: &Address, formerly: &[Address]) -> Look {
        let Self::File(file) = self;
        let (entry, version) = file.look(address);
        if entry == Observed::Absent {
            for former in formerly.iter().rev() {
                // A rename is a tenant's; its keys keep their names.
                let former = match (&former.key, &address.key) {
                    (None, Some(key)) => former.with_key(key.clone()),
                    (Some(_), _) | (None, None) => former.clone(),
                };
                let (entry, _) = file.look(&former);
                if entry != Observed::Absent {
                    return Look { entry, version, at: former };
                }
            }
        }
        Look { entry, version, at: address.clone() }
    }

    /// Whether a put can succeed, as far as can be known without writing.
    pub fn preflight(&self, address: &Address) -> Writable {
        let Self::File(file) = self;
        match file.preflight(address) {
            Ok(()) => Writable::Yes,
            Err(why) => Writable::No(why),
        }
    }

    /// Stores a payload if what stands there is still `version`.
    pub fn put(&self, address: &Address, version: &Version, payload: &Payload, entry: &SinkEntry) -> Put {
        let Self::File(file) = self;
        match file.put(address, version, payload, entry) {
            Ok(()) => Put::Stored,
            Err(outcome) => outcome,
        }
    }

    /// Reads the payload again and compares it with what `entry` says of it.
    pub fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        let Self::File(file) = self;
        file.read_back(address, entry)
    }
}
