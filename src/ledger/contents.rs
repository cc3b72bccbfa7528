//! All files of a ledger, read and checked, and what they say of runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::imburse::MarkRefused;
use crate::model::live::LedgerFacts;
use crate::model::record::{LedgerId, Record, Rehearsal, State, Uid};
use crate::model::run::{Life, Run, RunId};

use super::error::LedgerError;
use super::format::{self, Found};

/// Where a ledger's files are, below its own place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Top,
    Tenants,
    Runs,
    Rehearsals,
}

impl Folder {
    pub(super) const BELOW: [Self; 3] = [Self::Tenants, Self::Runs, Self::Rehearsals];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Top => "",
            Self::Tenants => "tenants",
            Self::Runs => "runs",
            Self::Rehearsals => "rehearsals",
        }
    }
}

/// A kind of storage, as a reader sees it.
pub(super) trait Shelf {
    fn place(&self) -> String;

    /// `ledger.json`, or `None` where there is no ledger. Files of a ledger without it are a damaged ledger, not an absent one.
    fn head(&self) -> Result<Option<Found>, LedgerError>;

    /// The names in a folder, sorted.
    fn names(&self, folder: Folder) -> Result<Vec<String>, LedgerError>;

    /// A file of a folder, for messages.
    fn shown(&self, folder: Folder, name: &str) -> String;

    /// Files of a folder, by name. One that is gone before it is read was removed by a run, and is no longer there.
    fn fetch(&self, folder: Folder, names: Vec<String>) -> Result<Vec<(String, Found)>, LedgerError>;
}

/// Begins the names of files that say that a record is being renamed. Hidden, so that programs from before them pass over them.
pub(super) const RENAMING: &str = ".renaming.";

/// Which runs may still be at work.
pub(super) enum Alive {
    Nobody,
    Holder(RunId),
    /// The lock is held and nobody can say by whom.
    Anybody,
    /// There is no lock: a run that did not say `ended` is over once the store's clock is past its time, and never proven
    /// so. Where the store has told no time, nothing is claimed.
    #[cfg_attr(not(feature = "object-store"), expect(dead_code, reason = "only a store has no lock"))]
    Clock {
        now: Option<Timestamp>,
        ours: Option<RunId>,
    },
}

/// All files of a ledger.
pub(super) struct Contents {
    pub(super) id: LedgerId,
    pub(super) records: BTreeMap<Address, Record>,
    pub(super) runs: Vec<Run>,
    rehearsals: Vec<Rehearsal>,
    marks_refused: Vec<MarkRefused>,
    /// Addresses whose record was renamed and is still there, because the renaming was cut short.
    pub(super) left_behind: Vec<Address>,
    /// Files that a renaming has left, which was cut short.
    pub(super) renaming: Vec<String>,
    /// False if records of tenants were left out.
    #[cfg_attr(
        not(feature = "object-store"),
        expect(dead_code, reason = "a folder is tidied when it is opened, whole")
    )]
    pub(super) is_whole: bool,
}

impl Contents {
    pub(super) fn read(shelf: &impl Shelf) -> Result<Option<Self>, LedgerError> {
        Self::read_without(shelf, &BTreeSet::new())
    }

    /// Leaves out the records of these tenants, unless one is being renamed: what it was called before may be among the others.
    pub(super) fn read_without(shelf: &impl Shelf, left_out: &BTreeSet<Address>) -> Result<Option<Self>, LedgerError> {
        let Some(found) = shelf.head()? else { return Ok(None) };
        let id = format::read_ledger(&found)?;
        let mut records: BTreeMap<Address, Record> = BTreeMap::new();
        let mut uids: BTreeMap<Uid, Address> = BTreeMap::new();
        let mut left_behind = Vec::new();
        let names = shelf.names(Folder::Tenants)?;
        let renaming: Vec<String> = names.iter().filter(|name| name.starts_with(RENAMING)).cloned().collect();
        let mut wanted = ours(shelf, Folder::Tenants, names)?;
        let there = wanted.len();
        if renaming.is_empty() && !left_out.is_empty() {
            let left_out: BTreeSet<String> = left_out.iter().map(format::tenant_name).collect();
            wanted.retain(|name| !left_out.contains(name));
        }
        let is_whole = wanted.len() == there;
        for (name, found) in shelf.fetch(Folder::Tenants, wanted)? {
            let record = format::read_tenant(&id, &name, &found)?;
            let namesake = uids.get(&record.uid).and_then(|address| records.get(address));
            if namesake.is_some_and(|other| follows(other, &record)) {
                left_behind.push(record.address);
                continue;
            }
            if let Some(other) = namesake {
                if !follows(&record, other) {
                    let why = "has the uid of another record, so one of them is a copy".to_owned();
                    return Err(LedgerError::Foreign { file: found.path, why });
                }
                left_behind.extend(records.remove(&other.address.clone()).map(|other| other.address));
            }
            uids.insert(record.uid.clone(), record.address.clone());
            records.insert(record.address.clone(), record);
        }
        let (mut rehearsals, mut marks_refused) = (Vec::new(), Vec::new());
        for (name, found) in files(shelf, Folder::Rehearsals)? {
            if format::is_mark_refused(&name) {
                marks_refused.push(format::read_mark_refused(&id, &name, &found)?);
            } else {
                rehearsals.push(format::read_rehearsal(&id, &name, &found)?);
            }
        }
        // After the records: a run that one of them names was recorded before, and so is found here.
        let mut runs = Vec::new();
        for (name, found) in files(shelf, Folder::Runs)? {
            runs.push(format::read_run(&id, &name, &found)?);
        }
        Ok(Some(Self { id, records, runs, rehearsals, marks_refused, left_behind, renaming, is_whole }))
    }

    /// Runs that a record still names: what is known of their end matters.
    pub(super) fn named_runs(&self) -> BTreeSet<RunId> {
        let named = |record: &Record| match &record.state {
            State::Pending(intent) => Some(intent.run.clone()),
            State::Settling(settling) => Some(settling.run.clone()),
            State::Free | State::Bound(_) | State::Settled(_) => None,
        };
        self.records.values().filter_map(named).collect()
    }

    pub(super) fn ended_runs(&self) -> impl Iterator<Item = &RunId> {
        self.runs.iter().filter(|run| run.ended.is_some()).map(|run| &run.id)
    }

    /// Returns whether no record names a run that may have ended after the record was read: records are read before
    /// runs. `ended` is the runs that had ended before the reading began.
    pub(super) fn is_last_word_of(&self, ended: &BTreeSet<RunId>) -> bool {
        let named = self.named_runs();
        self.ended_runs().all(|run| ended.contains(run) || !named.contains(run))
    }

    /// Believes of no other run that it ended.
    pub(super) fn claiming_only(mut self, ended: &BTreeSet<RunId>) -> Self {
        self.runs.iter_mut().filter(|run| !ended.contains(&run.id)).for_each(|run| run.ended = None);
        self
    }

    pub(super) fn judged(self, place: String, alive: &Alive) -> LedgerFacts {
        // Runs are read after records, so one that said `ended` may have done so after a record was read that names it. Its lock,
        // or that nobody knows whose the lock is, tells that this may be so.
        let named = self.named_runs();
        let life = |run: &Run| match alive {
            Alive::Clock { ours: Some(ours), .. } if run.id == *ours => Life::Alive,
            Alive::Holder(holder) if run.id == *holder => Life::Alive,
            Alive::Anybody if named.contains(&run.id) => Life::Alive,
            _ if run.ended.is_some() => Life::Proven,
            Alive::Nobody => Life::Proven,
            Alive::Holder(_) => Life::Proven,
            Alive::Clock { now: Some(now), .. } if is_past(run, *now) => Life::OverByClock,
            Alive::Anybody | Alive::Clock { .. } => Life::Alive,
        };
        LedgerFacts {
            id: self.id,
            place,
            records: self.records,
            runs: self.runs.iter().map(|run| (run.id.clone(), life(run))).collect(),
            other_runs: match alive {
                Alive::Nobody => Life::Proven,
                // While the lock is held, what is not listed may be a run that began after we read.
                Alive::Holder(_) | Alive::Anybody => Life::Alive,
                // Either it said `ended` and was removed long ago, or it began after we read and may do anything. Nothing is
                // proven, and nothing waits for ever.
                Alive::Clock { .. } => Life::OverByClock,
            },
            rehearsals: self.rehearsals,
            marks_refused: self.marks_refused,
            nearly_full: false,
        }
    }
}

/// Those of a folder's names that are a ledger's files.
fn ours(shelf: &impl Shelf, folder: Folder, mut names: Vec<String>) -> Result<Vec<String>, LedgerError> {
    // Dot files are never the ledger's own: git's, a file browser's, or a write that was cut short.
    names.retain(|name| !name.starts_with('.'));
    match names.iter().find(|name| !name.ends_with(".json")) {
        None => Ok(names),
        Some(name) => Err(LedgerError::Foreign {
            file: crate::model::untrusted::escape(&shelf.shown(folder, name)),
            why: "is no file of a ledger".to_owned(),
        }),
    }
}

fn files(shelf: &impl Shelf, folder: Folder) -> Result<Vec<(String, Found)>, LedgerError> {
    let names = ours(shelf, folder, shelf.names(folder)?)?;
    shelf.fetch(folder, names)
}

/// Returns whether a record is the result of renaming another.
fn follows(record: &Record, other: &Record) -> bool {
    record.formerly.last() == Some(&other.address) && record.seq > other.seq
}

/// Returns whether a run has stopped itself, by the clock that its start was taken from.
fn is_past(run: &Run, now: Timestamp) -> bool {
    let lasted = now.as_second().saturating_sub(run.started.as_second());
    u64::try_from(lasted).is_ok_and(|lasted| lasted > run.max_run.seconds())
}
