//! The ledger: intents, bindings and runs. The protocol is here, with the one match on kinds; storage is in a module per kind.

pub mod access;
mod contents;
mod directory;
mod disk;
mod durable;
mod error;
mod format;
mod lock;
#[cfg(feature = "object-store")]
mod object_store;
mod people;
mod reading;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::imburse::MarkRefused;
use crate::model::live::LedgerFacts;
use crate::model::record::{LedgerId, Record, Rehearsal, State};
use crate::model::run::{Life, Run, RunId};
use crate::model::settings;

use self::access::Access;
use self::contents::{Alive, Contents, Folder, Shelf as _};
use self::directory::Directory;
pub use self::error::LedgerError;
use self::format::Holder;
#[cfg(feature = "object-store")]
use self::object_store::{Before, Bucket};
#[cfg(feature = "object-store")]
use self::reading::read_whole;
use self::reading::{judged, read_directory};
use self::store::{Store, Stored};

/// How many ended runs are kept. They say nothing that their absence does not say; some are kept for people.
const ENDED_RUNS_KEPT: usize = 200;

/// Where a ledger is.
#[derive(Clone, Debug)]
pub enum Ledger {
    /// A folder on this machine.
    Directory(Directory),
    /// A bucket that several machines share.
    #[cfg(feature = "object-store")]
    Bucket(Bucket),
}

impl Ledger {
    /// The ledger of the settings; nothing is read or written yet.
    ///
    /// # Errors
    /// A store that cannot be reached like this: credentials are missing, or this program was built without it.
    pub fn at(settings: &settings::Ledger, access: &Access) -> Result<Self, LedgerError> {
        match settings {
            settings::Ledger::Directory { path, durable: _ } => {
                Ok(Self::Directory(Directory::at(path.clone(), access)))
            }
            #[cfg(feature = "object-store")]
            settings::Ledger::ObjectStore(store) => Bucket::at(store, access).map(Self::Bucket),
            #[cfg(not(feature = "object-store"))]
            settings::Ledger::ObjectStore(store) => Err(LedgerError::NotBuilt { place: store.url() }),
        }
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        match self {
            Self::Directory(directory) => directory.place(),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.place(),
        }
    }

    /// Makes the ledger.
    ///
    /// # Errors
    /// One is there already, or the place holds other files, or it cannot be written, or the store replaces what it should not.
    pub fn init(&self, id: LedgerId, now: Timestamp) -> Result<(), LedgerError> {
        let head = format::ledger_file(id.clone(), now)?;
        match self {
            Self::Directory(directory) => directory.make(&head),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => bucket.make(id.as_str(), &head),
        }
    }

    /// Reads the contents of the ledger; `None` where there is none. Waits for nobody and keeps nobody waiting.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what this ledger's files are.
    pub fn read(&self) -> Result<Option<LedgerFacts>, LedgerError> {
        self.read_without(&BTreeSet::new())
    }

    /// The same without the records of these tenants, which are not read where that can be.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_without(&self, left_out: &BTreeSet<Address>) -> Result<Option<LedgerFacts>, LedgerError> {
        match self {
            Self::Directory(directory) => read_directory(directory, left_out),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => Ok(read_whole(|| Contents::read_without(bucket, left_out))?
                .map(|contents| contents.judged(bucket.place(), &Alive::Clock { now: bucket.now(), ours: None }))),
        }
    }

    /// Records a run, durably, before it may do anything; in a folder, takes its lock first.
    ///
    /// # Errors
    /// There is no ledger, another run holds it, or it cannot be read or written.
    pub fn open(&self, run: Run) -> Result<Held, LedgerError> {
        match self {
            Self::Directory(directory) => open_directory(directory, run),
            #[cfg(feature = "object-store")]
            Self::Bucket(bucket) => open_bucket(bucket, run),
        }
    }
}

fn open_directory(directory: &Directory, run: Run) -> Result<Held, LedgerError> {
    // Looked for before the lock, so that opening what is not there leaves nothing behind.
    if directory.head()?.is_none() {
        return Err(LedgerError::Missing { place: directory.place() });
    }
    let locked = directory.lock(&Holder::of(&run))?;
    let contents = Contents::read(directory)?.ok_or_else(|| LedgerError::Missing { place: directory.place() })?;
    locked.sweep()?;
    let held = Held { id: contents.id.clone(), run, store: Store::Folder(locked), files: Mutex::default() };
    if contents.runs.iter().any(|other| other.id == held.run.id) {
        return Err(LedgerError::Conflict { what: format!("run {}", held.run.id) });
    }
    held.write_run(&held.run)?;
    held.tidy(&contents)?;
    Ok(held)
}

/// No lock: the run is recorded by the store's clock, and the record shows that the store refuses what it should.
#[cfg(feature = "object-store")]
fn open_bucket(bucket: &Bucket, run: Run) -> Result<Held, LedgerError> {
    let head = bucket.head()?.ok_or_else(|| LedgerError::Missing { place: bucket.place() })?;
    let id = format::read_ledger(&head)?;
    // Other machines judge this run by that clock.
    let run = Run { started: bucket.now().unwrap_or(run.started), ..run };
    let (name, bytes) = (format::run_name(&run.id), format::run_file(&id, &run)?);
    let stamp = bucket.put(Folder::Runs, &name, &bytes, &Before::Nothing)?;
    if let Err(error) = bucket.prove(Folder::Runs, &name, &bytes, &stamp) {
        // Nothing was done in this run's name; if its record stays, it only says so for a while.
        drop(bucket.remove(Folder::Runs, &name));
        return Err(error);
    }
    let store = Store::Bucket { bucket: bucket.clone(), ours: stamp };
    Ok(Held { id, run, store, files: Mutex::default() })
}

/// A file's turn to be read and written, with what this run knows of it.
type Turn = tokio::sync::Mutex<Option<Stored>>;

/// A ledger in which this run is recorded, and whose lock it holds where there is one: the only value that can write to it.
/// Dropping it gives the lock back and says nothing of the run's end.
pub struct Held {
    id: LedgerId,
    run: Run,
    store: Store,
    /// One write of a file at a time: comparing and swapping are two steps.
    files: Mutex<BTreeMap<String, Arc<Turn>>>,
}

impl Held {
    pub fn id(&self) -> &LedgerId {
        &self.id
    }

    pub fn run(&self) -> &RunId {
        &self.run.id
    }

    /// Reads the contents of the ledger now. Our own run is alive; under a lock, every other is proven over.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what this ledger's files are.
    pub fn facts(&self) -> Result<LedgerFacts, LedgerError> {
        self.facts_without(&BTreeSet::new())
    }

    /// The same without the records of these tenants, which are not read where that can be.
    ///
    /// # Errors
    /// As for [`Self::facts`].
    pub fn facts_without(&self, left_out: &BTreeSet<Address>) -> Result<LedgerFacts, LedgerError> {
        let ours = self.run.id.clone();
        match &self.store {
            Store::Folder(locked) => {
                let directory = locked.directory();
                let place = directory.place();
                let contents = Contents::read_without(directory, left_out)?.ok_or(LedgerError::Missing { place })?;
                Ok(LedgerFacts { other_runs: Life::Proven, ..judged(contents, directory, &Alive::Holder(ours)) })
            }
            #[cfg(feature = "object-store")]
            Store::Bucket { bucket, .. } => {
                let place = bucket.place();
                let contents = read_whole(|| Contents::read_without(bucket, left_out))?;
                let contents = contents.ok_or(LedgerError::Missing { place: place.clone() })?;
                if contents.is_whole {
                    self.tidy(&contents)?;
                } else if contents.ended_runs().count() > 2 * ENDED_RUNS_KEPT {
                    // Which of them a record names is known only of all records.
                    return self.facts();
                }
                Ok(contents.judged(place, &Alive::Clock { now: bucket.now(), ours: Some(ours) }))
            }
        }
    }

    /// One tenant's record. In a bucket, as this run read or wrote it last: a write tells whether somebody changed it since.
    ///
    /// # Errors
    /// A record that cannot be read, or that is not what this ledger's records are.
    pub async fn record(&self, address: &Address) -> Result<Option<Record>, LedgerError> {
        let name = format::tenant_name(address);
        let turn = self.turn(&name);
        let mut known = turn.lock().await;
        Ok(self.stored(&name, &mut known).await?.record.clone())
    }

    /// Writes a record where there is none.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if there is one; otherwise, what kept it from being written.
    pub async fn create(&self, record: &Record) -> Result<(), LedgerError> {
        self.write_record(record, |stored| stored.is_none()).await
    }

    /// Replaces the record whose `seq` is `expected_seq` by its successor.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] if another record stands there, or `record` is not its successor; otherwise, what kept
    /// it from being written.
    pub async fn swap(&self, expected_seq: u64, record: &Record) -> Result<(), LedgerError> {
        let follows = |stored: Option<&Record>| {
            stored.is_some_and(|stored| {
                stored.seq == expected_seq
                    && stored.uid == record.uid
                    && expected_seq.checked_add(1).is_some_and(|next| record.seq == next)
            })
        };
        self.write_record(record, follows).await
    }

    /// Keeps what a rehearsal found; the latest of each account and owner stands.
    ///
    /// # Errors
    /// What kept it from being written.
    pub async fn rehearsed(&self, rehearsal: &Rehearsal) -> Result<(), LedgerError> {
        self.keep_finding(&format::rehearsal_name(rehearsal), &format::rehearsal_file(&self.id, rehearsal)?).await
    }

    /// Records a finding about an account, in place of an earlier one.
    async fn keep_finding(&self, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let turn = self.turn(name);
        let _known = turn.lock().await;
        let read = self.store.read(Folder::Rehearsals, name).await?;
        self.store.replace(Folder::Rehearsals, name, &read.place, bytes).await.map(drop)
    }

    /// Keeps that the vendor did not change a key of an account.
    ///
    /// # Errors
    /// What kept it from being written.
    pub async fn refused_marking(&self, refused: &MarkRefused) -> Result<(), LedgerError> {
        self.keep_finding(&format::mark_refused_name(refused), &format::mark_refused_file(&self.id, refused)?).await
    }

    /// Records that the run has ended, with no put unaccounted for, and gives the lock back.
    ///
    /// # Errors
    /// What kept it from being written; the lock is given back nevertheless.
    pub fn end(self, at: Timestamp) -> Result<(), LedgerError> {
        self.write_run(&Run { ended: Some(at), ..self.run.clone() })
    }

    /// The files of the lock, opened once more: whoever has them holds the lock as well. None where there is no lock.
    ///
    /// # Errors
    /// The machine has no room for more open files.
    pub fn lock_files(&self) -> Result<Vec<File>, LedgerError> {
        match &self.store {
            Store::Folder(locked) => locked.files(),
            #[cfg(feature = "object-store")]
            Store::Bucket { .. } => Ok(Vec::new()),
        }
    }

    /// Ends without saying so: something that this run began may still be under way. A process that it started and that
    /// lives on keeps the lock.
    pub fn leave(self) {
        match self.store {
            Store::Folder(locked) => locked.leave(),
            #[cfg(feature = "object-store")]
            Store::Bucket { .. } => {}
        }
    }

    fn turn(&self, name: &str) -> Arc<Turn> {
        // The guard protects no value that a panic could have left half-changed.
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(files.entry(name.to_owned()).or_default())
    }

    async fn stored<'a>(&self, name: &str, known: &'a mut Option<Stored>) -> Result<&'a Stored, LedgerError> {
        let stored = match known.take() {
            Some(stored) if self.store.refuses_what_moved() => stored,
            Some(_) | None => {
                let read = self.store.read(Folder::Tenants, name).await?;
                let record = read.found.as_ref().map(|found| format::read_tenant(&self.id, name, found)).transpose()?;
                Stored { record, place: read.place }
            }
        };
        Ok(known.insert(stored))
    }

    async fn write_record(
        &self,
        record: &Record,
        may: impl FnOnce(Option<&Record>) -> bool,
    ) -> Result<(), LedgerError> {
        let moved = || LedgerError::Conflict { what: record.address.to_string() };
        let (name, bytes) = (format::tenant_name(&record.address), format::tenant_file(&self.id, record)?);
        let turn = self.turn(&name);
        let mut known = turn.lock().await;
        let stored = self.stored(&name, &mut known).await?;
        if !may(stored.record.as_ref()) {
            return Err(moved());
        }
        let place = stored.place.clone();
        // Whatever becomes of the write, what was known before it is known no more.
        *known = None;
        let written = match &record.state {
            // What came of the request must be recorded, however full the disk is by then.
            State::Pending(_) => self.store.replace_for_now(Folder::Tenants, &name, &place, &bytes).await,
            State::Free | State::Bound(_) | State::Settling(_) | State::Settled(_) => {
                self.store.replace(Folder::Tenants, &name, &place, &bytes).await
            }
        };
        let place = written?;
        *known = Some(Stored { record: Some(record.clone()), place });
        Ok(())
    }

    fn write_run(&self, run: &Run) -> Result<(), LedgerError> {
        let (name, bytes) = (format::run_name(&run.id), format::run_file(&self.id, run)?);
        match &self.store {
            Store::Folder(locked) => locked.put(Folder::Runs, &name, &bytes),
            #[cfg(feature = "object-store")]
            Store::Bucket { bucket, ours } => {
                bucket.put(Folder::Runs, &name, &bytes, &Before::This(ours.clone())).map(drop)
            }
        }
    }

    /// Finishes and removes what earlier runs have left.
    fn tidy(&self, contents: &Contents) -> Result<(), LedgerError> {
        self.sweep(contents)?;
        contents.renaming.iter().try_for_each(|name| self.store.remove(Folder::Tenants, name))?;
        self.prune(contents)
    }

    /// Finishes what a renaming that was cut short has left.
    fn sweep(&self, contents: &Contents) -> Result<(), LedgerError> {
        contents
            .left_behind
            .iter()
            .try_for_each(|address| self.store.remove(Folder::Tenants, &format::tenant_name(address)))
    }

    /// Removes the oldest ended runs beyond [`ENDED_RUNS_KEPT`] that no record names.
    fn prune(&self, contents: &Contents) -> Result<(), LedgerError> {
        let named = contents.named_runs();
        let mut ended: Vec<&Run> =
            contents.runs.iter().filter(|run| run.ended.is_some() && !named.contains(&run.id)).collect();
        ended.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.id.cmp(&b.id)));
        ended
            .iter()
            .skip(ENDED_RUNS_KEPT)
            .try_for_each(|run| self.store.remove(Folder::Runs, &format::run_name(&run.id)))
    }
}

#[cfg(test)]
mod tests;
