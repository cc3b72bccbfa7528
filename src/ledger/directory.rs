//! A ledger in a folder: what lies where, and who holds it. Nothing here writes.

use std::fs::{OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::flush::Flushes;
use crate::model::untrusted::Untrusted;
use crate::model::wait::Waits;

use super::access::Access;
use super::contents::{Folder, Shelf};
use super::disk::{io_error, is_hidden, names, no_follow, shown};
use super::error::LedgerError;
use super::format::{Found, Holder};

pub(super) const HEAD: &str = "ledger.json";
/// Held by a run for its whole life; runs try it and do not wait.
pub(super) const LOCK: &str = "lock";
/// Held by a run for its whole life, and by a reader for an instant. A second file, so that a reader never turns a run away.
pub(super) const ALIVE: &str = "alive";
pub(super) const HOLDER: &str = "holder.json";
/// How often a reader looks again when another run is named than before.
const LOOKS: usize = 5;

/// The most bytes that a run writes while it creates as many tenants as can be in flight at once.
const SPACE: u64 = 256 * 1024;
/// The most files that it writes then.
const FILES: u64 = 64;

/// The lock as a reader sees it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// With whoever held it last.
    Free(Option<Holder>),
    Held(Option<Holder>),
}

/// A ledger's folder.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(super) path: PathBuf,
    /// How long a lock is waited for.
    pub(super) patience: Duration,
    pub(super) waits: Waits,
    pub(super) flushes: Flushes,
}

impl Directory {
    pub(super) fn at(path: PathBuf, access: &Access) -> Self {
        Self { path, patience: access.timeout, waits: access.waits.clone(), flushes: access.flushes.clone() }
    }

    pub(super) fn folder(&self, folder: Folder) -> PathBuf {
        match folder {
            Folder::Top => self.path.clone(),
            Folder::Tenants | Folder::Runs | Folder::Rehearsals => self.path.join(folder.name()),
        }
    }

    /// A file in one of the folders below, by its path.
    pub(super) fn leftover(&self) -> Result<Option<String>, LedgerError> {
        for folder in Folder::BELOW {
            let path = self.folder(folder);
            let names = names(&path)?.unwrap_or_default();
            if let Some(name) = names.iter().find(|name| !is_hidden(name)) {
                return Ok(Some(shown(&path.join(name))));
            }
        }
        Ok(None)
    }

    fn refuse_strangers(&self) -> Result<(), LedgerError> {
        let ours = |name: &str| {
            [HEAD, LOCK, ALIVE, HOLDER].contains(&name)
                || is_hidden(name)
                || Folder::BELOW.iter().any(|f| f.name() == name)
        };
        match names(&self.path)?.unwrap_or_default().iter().find(|name| !ours(name)) {
            None => Ok(()),
            Some(name) => Err(LedgerError::Foreign {
                file: shown(&self.path.join(name)),
                why: "is no file of a ledger".to_owned(),
            }),
        }
    }

    /// The bytes of one file; `None` where there is none.
    pub(super) fn read(&self, folder: Folder, name: &str) -> Result<Option<Found>, LedgerError> {
        let path = self.folder(folder).join(name);
        let mut file = match OpenOptions::new().read(true).custom_flags(no_follow()).open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io_error("open", &path)(source)),
        };
        let kind = file.metadata().map_err(io_error("look at", &path))?;
        if !kind.is_file() {
            return Err(LedgerError::Foreign { file: shown(&path), why: "is not a regular file".to_owned() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io_error("read", &path))?;
        Ok(Some(Found { path: shown(&path), bytes }))
    }

    pub(super) fn watch(&self) -> Result<Watch, LedgerError> {
        let mut before = self.holder()?;
        for _ in 0..LOOKS {
            let held = self.is_held()?;
            // Named alike before and after: a run that is named and does not hold the lock is over, and did not begin meanwhile.
            let holder = self.holder()?;
            if holder == before {
                return Ok(if held { Watch::Held(holder) } else { Watch::Free(holder) });
            }
            before = holder;
        }
        // They come and go faster than we look.
        Ok(Watch::Held(None))
    }

    fn is_held(&self) -> Result<bool, LedgerError> {
        let path = self.path.join(ALIVE);
        let file = match OpenOptions::new().read(true).custom_flags(no_follow()).open(&path) {
            Ok(file) => file,
            Err(source) if source.kind() == ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(io_error("open", &path)(source)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(io_error("look at the lock", &path)(source)),
        }
    }

    /// Returns whether its disk has hardly any space, or room for hardly any file more.
    pub(super) fn is_nearly_full(&self) -> bool {
        // Nobody knows better than the writes themselves where this cannot be asked. Some file systems do not count: 0 of 0.
        rustix::fs::statvfs(&self.path).is_ok_and(|disk| {
            // The rest is kept for root.
            let root = rustix::process::geteuid().is_root();
            let (blocks, files) = if root { (disk.f_bfree, disk.f_ffree) } else { (disk.f_bavail, disk.f_favail) };
            disk.f_blocks > 0 && blocks.saturating_mul(disk.f_frsize) < SPACE || disk.f_files > 0 && files < FILES
        })
    }

    pub(super) fn holder(&self) -> Result<Option<Holder>, LedgerError> {
        Ok(self.read(Folder::Top, HOLDER)?.and_then(|found| Holder::parse(&found.bytes)))
    }
}

impl Shelf for Directory {
    fn place(&self) -> String {
        shown(&self.path)
    }

    fn head(&self) -> Result<Option<Found>, LedgerError> {
        if let Some(found) = self.read(Folder::Top, HEAD)? {
            self.refuse_strangers()?;
            return Ok(Some(found));
        }
        match self.leftover()? {
            None => Ok(None),
            Some(file) => Err(LedgerError::Torn {
                file: shown(&self.path.join(HEAD)),
                why: Untrusted::new(format!("it is missing, and yet there is {file}")),
            }),
        }
    }

    fn names(&self, folder: Folder) -> Result<Vec<String>, LedgerError> {
        Ok(names(&self.folder(folder))?.unwrap_or_default())
    }

    fn shown(&self, folder: Folder, name: &str) -> String {
        self.folder(folder).join(name).to_string_lossy().into_owned()
    }

    fn fetch(&self, folder: Folder, names: Vec<String>) -> Result<Vec<(String, Found)>, LedgerError> {
        let mut files = Vec::new();
        for name in names {
            if let Some(found) = self.read(folder, &name)? {
                files.push((name, found));
            }
        }
        Ok(files)
    }
}
