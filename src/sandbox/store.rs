//! The state directory: loading what was kept, saving what a request changed before it is answered.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::earlier;
use super::error::LoadError;
use super::files::{self, FileError};
use super::journal::Journal;
use super::random;
use super::state::{Change, State};
use super::token::hash;

/// The format that this program writes, and the latest that it reads.
const FORMAT: u32 = 2;

fn first_format() -> u32 {
    1
}

/// `state.json`, and the first line of the journal that belongs to it: it says how the journal is read, and which one belongs to it.
#[derive(Serialize, Deserialize)]
struct Head {
    /// Grows when an older program could not read the files any more. Before it was written it was 1.
    #[serde(default = "first_format")]
    format: u32,
    #[serde(default)]
    state: String,
}

/// The open, locked state directory.
pub(super) struct Store {
    directory: PathBuf,
    /// The one that stands in the journal's first line, and in `state.json`.
    state: String,
    /// There once the state is loaded.
    journal: Option<Journal>,
    /// Two servers never share a state: whoever holds this is the server.
    _lock: File,
}

impl Store {
    /// `None`: another server holds the state.
    pub(super) fn open(directory: &Path) -> Result<Option<Self>, FileError> {
        files::make_directory(directory)?;
        let Some(lock) = files::lock(&directory.join("lock"))? else { return Ok(None) };
        let ignore = directory.join(".gitignore");
        if !ignore.exists() {
            files::write(&ignore, b"*\n")?;
        }
        Ok(Some(Self { directory: directory.to_owned(), state: random::uuid(), journal: None, _lock: lock }))
    }

    pub(super) fn load(&mut self) -> Result<State, LoadError> {
        let (head, journal) = (self.head(), self.journal());
        let mut state = State::default();
        match files::read_json::<Head>(&head)? {
            Some(Head { format: 1, .. }) => self.convert(&mut state)?,
            Some(Head { format, .. }) if format > FORMAT => return Err(LoadError::Later { head, format }),
            Some(Head { state: id, .. }) => {
                self.state = id;
                let Some(found) = self.read(&mut state, true)? else {
                    return Err(LoadError::Missing { missing: journal, part: head });
                };
                self.journal = Some(found);
            }
            None => {
                self.read(&mut state, false)?;
                let part = if state.is_empty() { earlier::first_file(&self.directory)? } else { Some(journal) };
                if let Some(part) = part {
                    return Err(LoadError::Missing { missing: head, part });
                }
                // From now on a folder without `state.json` has lost it.
                self.begin(&mut state)?;
            }
        }
        state.index();
        Ok(state)
    }

    /// A kill on the way leaves `state.json` as it was, and a journal that says which one it was made from.
    fn convert(&mut self, state: &mut State) -> Result<(), LoadError> {
        let head = self.head();
        self.state = hash(&files::read(&head)?.unwrap_or_default());
        self.read(&mut State::default(), true)?;
        if let Some(file) = files::read_json(&head)? {
            state.follow(earlier::load(&self.directory, file)?);
        }
        self.begin(state)?;
        Ok(earlier::remove(&self.directory)?)
    }

    /// The journal first: without `state.json` one in which nothing is yet counts for nothing.
    fn begin(&mut self, state: &mut State) -> Result<(), FileError> {
        self.write_anew(state)?;
        files::write(&self.head(), &serde_json::to_vec(&self.first()).unwrap_or_default())
    }

    fn first(&self) -> Head {
        Head { format: FORMAT, state: self.state.clone() }
    }

    /// `ours`: it must be the journal that belongs to `state.json`.
    fn read(&self, state: &mut State, ours: bool) -> Result<Option<Journal>, LoadError> {
        let (path, head) = (self.journal(), self.head());
        let not_ours = |line: usize, error: &serde_json::Error| {
            // The message of a fault would quote the content, which holds secrets.
            LoadError::Line { journal: path.clone(), line, column: error.column() }
        };
        let mut lines = 0;
        let found = Journal::read(&path, |line, bytes| {
            lines = line;
            if line == 1 {
                let first: Head = serde_json::from_slice(bytes).map_err(|error| not_ours(line, &error))?;
                let foreign = LoadError::Foreign { head: head.clone(), part: path.clone() };
                return if ours && first.state != self.state { Err(foreign) } else { Ok(false) };
            }
            let change: Change = serde_json::from_slice(bytes).map_err(|error| not_ours(line, &error))?;
            let whole = change.whole;
            state.follow(change);
            Ok(whole)
        })?;
        match found {
            // Without a first line it is nobody's.
            Some(_) if lines == 0 => Err(LoadError::Foreign { head, part: path }),
            found => Ok(found),
        }
    }

    /// A request's change is one line: it is there whole, or not at all. What could not be saved is still to be saved.
    pub(super) fn save(&mut self, state: &mut State) -> Result<(), FileError> {
        if !state.has_changed() {
            return Ok(());
        }
        let Some(journal) = &mut self.journal else { return self.write_anew(state) };
        journal.append(|to| state.change(to))?;
        state.saved();
        if journal.is_long() && self.write_anew(state).is_err() {
            // Everything is in the journal as it is. It only goes on growing for a while.
            self.journal.as_mut().map(Journal::put_off);
        }
        Ok(())
    }

    fn write_anew(&mut self, state: &mut State) -> Result<(), FileError> {
        let first = self.first();
        let journal = Journal::anew(self.journal(), |to| {
            serde_json::to_writer(&mut *to, &first)?;
            to.write_all(b"\n")?;
            state.write(to)
        })?;
        self.journal = Some(journal);
        Ok(())
    }

    fn head(&self) -> PathBuf {
        self.directory.join("state.json")
    }

    fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }
}
