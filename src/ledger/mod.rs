//! The ledger: intents, bindings and runs. The protocol is here, with the one match on kinds; storage is in a module per kind.

mod directory;
mod durable;
mod error;
mod format;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::live::LedgerFacts;
use crate::model::record::{LedgerId, Record, Rehearsal};
use crate::model::run::{Life, Run, RunId};
use crate::model::settings;

use self::directory::{Directory, Folder, Watch};
use self::durable::Locked;
pub use self::error::LedgerError;
use self::format::Holder;

/// How often a reader looks again when a run began or ended under its eyes.
const READ_ATTEMPTS: usize = 5;

/// How many ended runs are kept. They say nothing that their absence does not say; some are kept for people.
const ENDED_RUNS_KEPT: usize = 200;

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// A folder on this machine.
    Directory(Directory),
}

impl Ledger {
    /// The ledger of the settings; nothing is read or written yet.
    pub fn at(settings: &settings::Ledger) -> Self {
        match settings {
            settings::Ledger::Directory { path } => Self::Directory(Directory::at(path.clone())),
        }
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        let Self::Directory(directory) = self;
        directory.place()
    }

    /// Makes the ledger.
    ///
    /// # Errors
    /// One is there already, or the folder holds other files, or it cannot be written.
    pub fn init(&self, id: LedgerId, now: Timestamp) -> Result<(), LedgerError> {
        let Self::Directory(directory) = self;
        directory.make(&format::ledger_file(id, now)?)
    }

    /// What stands in the ledger; `None` where there is none. Waits for nobody and keeps nobody waiting.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what this ledger's files are.
    pub fn read(&self) -> Result<Option<LedgerFacts>, LedgerError> {
        self.read_by(Contents::read)
    }

    fn read_by(
        &self,
        mut read: impl FnMut(&Directory) -> Result<Option<Contents>, LedgerError>,
    ) -> Result<Option<LedgerFacts>, LedgerError> {
        let Self::Directory(directory) = self;
        for _ in 0..READ_ATTEMPTS {
            let before = directory.watch()?;
            let Some(contents) = read(directory)? else { return Ok(None) };
            // The same holder before and after: no run came in between, since a run writes its name before all else.
            if directory.watch()? == before {
                let alive = match before {
                    Watch::Free(_) => Alive::Nobody,
                    Watch::Held(Some(holder)) => Alive::Holder(holder.run),
                    Watch::Held(None) => Alive::Anybody,
                };
                return Ok(Some(contents.judged(directory.place(), &alive)));
            }
        }
        // Runs come and go faster than we read: nothing is claimed of any of them.
        Ok(read(directory)?.map(|contents| contents.judged(directory.place(), &Alive::Anybody)))
    }

    /// Takes the ledger's lock for a run, and records the run, durably, before it may do anything.
    ///
    /// # Errors
    /// There is no ledger, another run holds it, or it cannot be read or written.
    pub fn open(&self, run: Run) -> Result<Held, LedgerError> {
        let Self::Directory(directory) = self;
        // Looked for before the lock, so that opening what is not there leaves nothing behind.
        if directory.read_head()?.is_none() {
            return Err(LedgerError::Missing { place: directory.place() });
        }
        let locked = directory.lock(&Holder::of(&run))?;
        let contents = Contents::read(directory)?.ok_or_else(|| LedgerError::Missing { place: directory.place() })?;
        locked.sweep()?;
        let held = Held { id: contents.id.clone(), run, store: locked, writing: Mutex::new(()) };
        if contents.runs.iter().any(|other| other.id == held.run.id) {
            return Err(LedgerError::Conflict { what: format!("run {}", held.run.id) });
        }
        held.write_run(&held.run)?;
        held.prune(&contents.runs)?;
        Ok(held)
    }
}

/// A ledger whose lock is held: the only value that can write to it. Dropping it gives the lock back and says nothing
/// of the run's end.
pub struct Held {
    id: LedgerId,
    run: Run,
    store: Locked,
    /// One write at a time: comparing and swapping are two steps.
    writing: Mutex<()>,
}

impl Held {
    pub fn id(&self) -> &LedgerId {
        &self.id
    }

    pub fn run(&self) -> &RunId {
        &self.run.id
    }

    /// What stands in the ledger now. Our own run is alive; every other is proven over, since we hold the lock.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what this ledger's files are.
    pub fn facts(&self) -> Result<LedgerFacts, LedgerError> {
        let directory = self.store.directory();
        let contents = Contents::read(directory)?.ok_or_else(|| LedgerError::Missing { place: directory.place() })?;
        let mut facts = contents.judged(directory.place(), &Alive::Holder(self.run.id.clone()));
        facts.other_runs = Life::Proven;
        Ok(facts)
    }

    /// One tenant's record, as it stands now.
    ///
    /// # Errors
    /// A record that cannot be read, or that is not what this ledger's records are.
    pub fn record(&self, address: &Address) -> Result<Option<Record>, LedgerError> {
        self.stored(address)
    }

    /// Writes a record where there is none.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if there is one; otherwise, what kept it from being written.
    pub fn create(&self, record: &Record) -> Result<(), LedgerError> {
        let _writing = self.writing();
        if self.stored(&record.address)?.is_some() {
            return Err(LedgerError::Conflict { what: record.address.to_string() });
        }
        self.write_record(record)
    }

    /// Replaces the record whose `seq` is `expected_seq` by its successor.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if another record stands there, or `record` is not its successor; otherwise, what kept
    /// it from being written.
    pub fn swap(&self, expected_seq: u64, record: &Record) -> Result<(), LedgerError> {
        let _writing = self.writing();
        let follows = self.stored(&record.address)?.is_some_and(|stored| {
            stored.seq == expected_seq
                && stored.uid == record.uid
                && expected_seq.checked_add(1).is_some_and(|next| record.seq == next)
        });
        if !follows {
            return Err(LedgerError::Conflict { what: record.address.to_string() });
        }
        self.write_record(record)
    }

    /// Keeps what a rehearsal found; the latest of each account and owner stands.
    ///
    /// # Errors
    /// What kept it from being written.
    pub fn rehearsed(&self, rehearsal: &Rehearsal) -> Result<(), LedgerError> {
        let _writing = self.writing();
        let bytes = format::rehearsal_file(&self.id, rehearsal)?;
        self.store.put(Folder::Rehearsals, &format::rehearsal_name(rehearsal), &bytes)
    }

    /// Records that the run has ended, with no put unaccounted for, and gives the lock back.
    ///
    /// # Errors
    /// What kept it from being written; the lock is given back nevertheless.
    pub fn end(self, at: Timestamp) -> Result<(), LedgerError> {
        let _writing = self.writing();
        self.write_run(&Run { ended: Some(at), ..self.run.clone() })
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        // The guard protects no value that a panic could have left half-changed.
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self, address: &Address) -> Result<Option<Record>, LedgerError> {
        let name = format::tenant_name(address);
        let Some(found) = self.store.directory().read(Folder::Tenants, &name)? else { return Ok(None) };
        format::read_tenant(&self.id, &name, &found).map(Some)
    }

    fn write_record(&self, record: &Record) -> Result<(), LedgerError> {
        let bytes = format::tenant_file(&self.id, record)?;
        self.store.put(Folder::Tenants, &format::tenant_name(&record.address), &bytes)
    }

    fn write_run(&self, run: &Run) -> Result<(), LedgerError> {
        self.store.put(Folder::Runs, &format::run_name(&run.id), &format::run_file(&self.id, run)?)
    }

    /// Removes the oldest ended runs beyond [`ENDED_RUNS_KEPT`].
    fn prune(&self, runs: &[Run]) -> Result<(), LedgerError> {
        let mut ended: Vec<&Run> = runs.iter().filter(|run| run.ended.is_some()).collect();
        ended.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.id.cmp(&b.id)));
        ended
            .iter()
            .skip(ENDED_RUNS_KEPT)
            .try_for_each(|run| self.store.remove(Folder::Runs, &format::run_name(&run.id)))
    }
}

/// Which runs may still be at work.
enum Alive {
    Nobody,
    Holder(RunId),
    /// The lock is held and nobody can say by whom.
    Anybody,
}

/// All files of a ledger, read and checked.
struct Contents {
    id: LedgerId,
    records: BTreeMap<Address, Record>,
    runs: Vec<Run>,
    rehearsals: Vec<Rehearsal>,
}

impl Contents {
    fn read(directory: &Directory) -> Result<Option<Self>, LedgerError> {
        let Some(found) = directory.read_head()? else { return Ok(None) };
        let id = format::read_ledger(&found)?;
        let mut records = BTreeMap::new();
        let mut uids = BTreeSet::new();
        for (name, found) in directory.files(Folder::Tenants)? {
            let record = format::read_tenant(&id, &name, &found)?;
            if !uids.insert(record.uid.clone()) {
                let why = "has the uid of another record, so one of them is a copy".to_owned();
                return Err(LedgerError::Foreign { file: found.path, why });
            }
            records.insert(record.address.clone(), record);
        }
        let mut runs = Vec::new();
        for (name, found) in directory.files(Folder::Runs)? {
            runs.push(format::read_run(&id, &name, &found)?);
        }
        let mut rehearsals = Vec::new();
        for (name, found) in directory.files(Folder::Rehearsals)? {
            rehearsals.push(format::read_rehearsal(&id, &name, &found)?);
        }
        Ok(Some(Self { id, records, runs, rehearsals }))
    }

    fn judged(self, place: String, alive: &Alive) -> LedgerFacts {
        let life = |run: &Run| match alive {
            _ if run.ended.is_some() => Life::Proven,
            Alive::Nobody => Life::Proven,
            Alive::Holder(holder) if run.id != *holder => Life::Proven,
            Alive::Holder(_) | Alive::Anybody => Life::Alive,
        };
        LedgerFacts {
            id: self.id,
            place,
            records: self.records,
            runs: self.runs.iter().map(|run| (run.id.clone(), life(run))).collect(),
            // While the lock is held, what is not listed may be a run that began after we read.
            other_runs: match alive {
                Alive::Nobody => Life::Proven,
                Alive::Holder(_) | Alive::Anybody => Life::Alive,
            },
            rehearsals: self.rehearsals,
        }
    }
}

#[cfg(test)]
mod tests;
