//! Where live state is read from, and how much of it is read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::clock::Clocks;
use crate::model::live::{LedgerFacts, Unreadable};
use crate::model::settings;
use crate::model::untrusted::Untrusted;
use crate::provider::imburse::ImburseReader;
use crate::provider::qlik::QlikReader;
use crate::sink::SinkReaders;

/// The depth to which sinks and kept keys are checked before a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// Needs no right to write anywhere; what was not checked is listed.
    Read,
    /// Sinks are looked into, and asked if they could be written.
    Sinks,
    /// And of what is in place, whatever its renewal will need: owners, permissions, limits. Keys of tenants that are no longer
    /// declared are listed.
    Full,
}

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// The facts that a plan of this desired state needs.
    Needed,
    /// For a snapshot: also what plans of changed declarations will need.
    All,
}

/// The fate of a tenant's token once it was read. Its connection is closed in either case: as many are open as tenants
/// are read side by side, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Nothing follows, so its token is ended.
    ForGood,
    /// Something may be done there: its token is kept where minting looks likely, and ended where not.
    UnlessDue,
}

/// How well the place of the ledger keeps it.
pub struct LedgerPlace {
    /// True if it is shared, or somebody says that it outlives the machine.
    pub durable: bool,
    /// The work tree or checkout around it, in words: others get copies of what lies there.
    pub lies_in: Option<Untrusted>,
}

/// The places that live state is read from, and the extent of the reading.
pub struct Sources<'a> {
    pub qlik: &'a QlikReader,
    pub imburse: &'a ImburseReader,
    pub sinks: SinkReaders<'a>,
    pub settings: &'a BTreeMap<Name, settings::Sink>,
    pub preflight: Preflight,
    pub breadth: Breadth,
    /// True if nobody is there. Then a file sink must be declared durable, and so must a ledger on this machine.
    pub unattended: bool,
    pub ledger: LedgerPlace,
    /// Reads the ledger once more.
    pub ledger_again: &'a (dyn Fn() -> Result<LedgerFacts, Unreadable> + Sync),
    /// How many tenants are read side by side.
    pub parallelism: usize,
    /// The fate of a tenant's token while others are being read.
    pub leaving: Leaving,
    /// Told how many tenants were read, of how many.
    pub told: &'a (dyn Fn(usize, usize) + Sync),
    /// The clocks of all servers.
    pub clocks: &'a Clocks,
    /// The local clock, for deciding before any vendor has told the time.
    pub now: Timestamp,
}
