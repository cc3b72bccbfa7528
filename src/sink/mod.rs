//! Where secrets rest. The one match on kinds is here; each kind has a module of its own.

pub mod access;
mod command;
mod file;
pub mod payload;
mod vault;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::live::{Deleted, Observed, SinkEntry, StoreLive, Tracked, Unreadable, Writable};
use crate::model::marker::SinkHash;
use crate::model::secret::Fingerprint;
use crate::model::settings;
use crate::model::untrusted::Untrusted;

use self::access::{Access, Lock};
use self::command::CommandSink;
use self::file::FileSink;
use self::payload::Payload;
use self::vault::VaultSink;

pub use self::file::enclosing as work_tree;

/// One sink of the settings.
#[derive(Clone, Debug)]
pub enum Sink {
    /// A folder on this machine.
    File(FileSink),
    /// Programs of the user's own.
    Command(CommandSink),
    /// A KV v2 engine.
    Vault(VaultSink),
}

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
struct Seen {
    entry: Option<Observed<SinkEntry>>,
    version: Version,
    until: Option<Timestamp>,
    deleted: Option<Deleted>,
}

impl Seen {
    fn new(entry: Option<Observed<SinkEntry>>, version: Version) -> Self {
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

impl Sink {
    /// The sink of the settings; nothing is read or written yet.
    pub fn of(settings: &settings::Sink, access: Access) -> Self {
        match settings {
            settings::Sink::File { directory, .. } => {
                Self::File(FileSink::at(directory.clone(), settings.hash(), access))
            }
            settings::Sink::Command(command) => Self::Command(CommandSink::of(command, settings.hash(), access)),
            settings::Sink::Vault(vault) => Self::Vault(VaultSink::of(vault, settings.hash(), access)),
        }
    }

    /// From now on whatever outlives this run keeps the ledger's lock.
    pub fn bequeath(&mut self, lock: std::sync::Arc<Lock>) {
        match self {
            Self::Command(command) => command.bequeath(lock),
            // Their writes end with this process, or are refused when they come late.
            Self::File(_) | Self::Vault(_) => {}
        }
    }

    /// What markers carry of this sink.
    pub fn hash(&self) -> SinkHash {
        match self {
            Self::File(file) => file.hash(),
            Self::Command(command) => command.hash(),
            Self::Vault(vault) => vault.hash(),
        }
    }

    /// Where a key's secret rests, for messages.
    pub fn place(&self, address: &Address) -> String {
        match self {
            Self::File(file) => file.place(address),
            Self::Command(command) => command.place(address),
            Self::Vault(vault) => vault.place(address),
        }
    }

    /// What is there for a key; where nothing is, at the addresses it had before, the latest first.
    pub async fn look(&self, address: &Address, formerly: &[Address]) -> Look {
        let Seen { entry, version, until, deleted } = self.look_at(address).await;
        if entry == Some(Observed::Absent) {
            for former in formerly.iter().rev() {
                // A rename is a tenant's; its keys keep their names.
                let former = match (&former.key, &address.key) {
                    (None, Some(key)) => former.with_key(key.clone()),
                    (Some(_), _) | (None, None) => former.clone(),
                };
                let Seen { entry, until, .. } = self.look_at(&former).await;
                if entry != Some(Observed::Absent) {
                    return Look { entry, version, at: former, until, deleted: None };
                }
            }
        }
        Look { entry, version, at: address.clone(), until, deleted }
    }

    /// What git has in its index of the key's files, at any of its addresses. Asks for no right but to read the work tree.
    pub fn tracked(&self, address: &Address, formerly: &[Address]) -> Result<Option<Tracked>, Unreadable> {
        match self {
            Self::File(file) => {
                std::iter::once(address).chain(formerly).find_map(|at| file.tracked(at).transpose()).transpose()
            }
            Self::Command(_) | Self::Vault(_) => Ok(None),
        }
    }

    /// What is known of the store as a whole; `None` where it says nothing of itself.
    pub async fn store(&self) -> Option<StoreLive> {
        match self {
            Self::Vault(vault) => Some(vault.store().await),
            Self::File(_) | Self::Command(_) => None,
        }
    }

    /// The sink's own number for what stands at an address, where it has one. It grows with every change, and a put that comes
    /// late is refused by it.
    pub fn number(&self, version: &Version) -> Option<u64> {
        match (self, version) {
            (Self::Vault(_), Version::Nothing) => Some(0),
            (Self::Vault(_), Version::Number(number)) => Some(*number),
            (Self::Vault(_), Version::Payload(_) | Version::Word(_) | Version::Unknown | Version::Unseen)
            | (Self::File(_) | Self::Command(_), _) => None,
        }
    }

    /// What is held for any key of a tenant, where that can be listed without asking anybody; what cannot be read is left out.
    pub fn entries(&self, tenant: &Address) -> Option<Vec<SinkEntry>> {
        match self {
            Self::File(file) => Some(file.entries(tenant)),
            Self::Command(_) | Self::Vault(_) => None,
        }
    }

    async fn look_at(&self, address: &Address) -> Seen {
        match self {
            Self::File(file) => {
                let (entry, version) = file.look(address);
                Seen::new(Some(entry), version)
            }
            Self::Command(command) => {
                let (entry, version) = command.look(address).await;
                Seen::new(entry, version)
            }
            Self::Vault(vault) => vault.look(address).await,
        }
    }

    /// Whether a put can succeed, as far as can be known without writing.
    pub async fn preflight(&self, address: &Address) -> Writable {
        let found = match self {
            Self::File(file) => file.preflight(address),
            Self::Command(command) => command.preflight(address).await,
            Self::Vault(vault) => vault.preflight(address).await,
        };
        match found {
            Ok(()) => Writable::Yes,
            Err(why) => Writable::No(why),
        }
    }

    /// Waits until a put at this address will not have to wait for somebody else's lock.
    ///
    /// # Errors
    /// Somebody holds it, and will not give it up in time.
    pub async fn ready(&self, address: &Address) -> Result<(), Unreadable> {
        match self {
            Self::File(file) => file.ready(address).await,
            // A program takes its own locks, and a vault has none.
            Self::Command(_) | Self::Vault(_) => Ok(()),
        }
    }

    /// Stores a payload if what stands there is still `version`.
    pub async fn put(&self, address: &Address, version: &Version, payload: &Payload, entry: &SinkEntry) -> Put {
        if entry.fingerprint != payload.fingerprint() || address.key.as_ref() != Some(&entry.key) {
            let why = format!("the metadata for {address} does not describe what is to be delivered there");
            return Put::Refused(unreadable(why, "report this as a defect of qlik-plan; nothing was written"));
        }
        let put = match self {
            Self::File(file) => file.put(address, version, payload, entry).await,
            Self::Command(command) => command.put(address, version, payload, entry).await,
            Self::Vault(vault) => match vault.put(address, version, payload, entry).await {
                Ok(None) => Ok(()),
                Ok(Some(until)) => return Put::StoredUntil(until),
                Err(outcome) => Err(outcome),
            },
        };
        match put {
            Ok(()) => Put::Stored,
            Err(outcome) => outcome,
        }
    }

    /// Reads the payload again and compares it with what `entry` says of it.
    pub async fn read_back(&self, address: &Address, entry: &SinkEntry) -> ReadBack {
        match self {
            Self::File(file) => file.read_back(address, entry),
            Self::Command(command) => command.read_back(address, entry).await,
            Self::Vault(vault) => vault.read_back(address, entry).await,
        }
    }
}

fn unreadable(why: impl Into<String>, next: impl Into<String>) -> Unreadable {
    Unreadable { why: Untrusted::new(why), next: next.into(), credentials: false }
}

/// What was found at an address whose key is `address.key`, or why it is none of ours.
fn of_key(address: &Address, entry: SinkEntry, place: &str) -> Result<SinkEntry, Unreadable> {
    if address.key.as_ref() == Some(&entry.key) {
        return Ok(entry);
    }
    Err(unreadable(
        format!("{place} holds the key {} and not {address}", entry.key),
        format!("move what is at {place} to where it belongs, or away"),
    ))
}
