//! A ledger's folder is made, and its lock taken.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use crate::model::untrusted::escape;
use crate::model::wait::{Lock, STEP, Stake};

use super::contents::{Folder, Shelf as _};
use super::directory::{ALIVE, Directory, HEAD, HOLDER, LOCK};
use super::disk::{io_error, is_temporary, make_folder, names, no_follow, shown};
use super::durable::Locked;
use super::error::LedgerError;
use super::format::Holder;

const GITIGNORE: &str = ".gitignore";
/// A clone is a copy of a ledger, not the ledger: none is to have one by an `add --all`.
const IGNORED: &[u8] = b"*\n";

impl Directory {
    /// Makes the folder and, last, the file that makes it a ledger.
    pub(super) fn make(&self, head: &[u8]) -> Result<(), LedgerError> {
        self.refuse_to_make()?;
        make_folder(&self.path, &self.flushes)?;
        let locked = self.try_lock()?;
        // Again under the lock: another `init` may have been quicker.
        self.refuse_to_make()?;
        for folder in Folder::BELOW {
            make_folder(&self.folder(folder), &self.flushes)?;
        }
        locked.put(Folder::Top, GITIGNORE, IGNORED)?;
        locked.put(Folder::Top, HEAD, head)
    }

    fn refuse_to_make(&self) -> Result<(), LedgerError> {
        if self.read(Folder::Top, HEAD)?.is_some() {
            return Err(LedgerError::AlreadyThere { place: self.place() });
        }
        let Some(names) = names(&self.path)? else { return Ok(()) };
        // What an `init` that was cut short leaves behind is no obstacle.
        let ours = |name: &str| {
            name == LOCK || name == GITIGNORE || is_temporary(name) || Folder::BELOW.iter().any(|f| f.name() == name)
        };
        if let Some(other) = names.iter().find(|name| !ours(name)) {
            return Err(LedgerError::NotEmpty { place: self.place(), file: escape(other) });
        }
        match self.leftover()? {
            Some(file) => Err(LedgerError::NotEmpty { place: self.place(), file }),
            None => Ok(()),
        }
    }

    /// Takes the lock and says, durably, who has it.
    pub(super) fn lock(&self, holder: &Holder) -> Result<Locked, LedgerError> {
        let mut locked = self.try_lock()?;
        let path = self.path.join(ALIVE);
        let alive = open_lock(&path)?;
        self.wait_for(&alive, &path)?;
        locked.keep(alive);
        locked.put(Folder::Top, HOLDER, &holder.to_bytes()?)?;
        Ok(locked)
    }

    /// Waits for readers only, since `lock` keeps other runs away. Each of them holds it for an instant; one that is stopped in
    /// that instant, or a backup, holds it as long as it likes.
    fn wait_for(&self, alive: &File, path: &Path) -> Result<(), LedgerError> {
        let place = shown(path);
        let mut lock = Lock::new(&self.waits, place.clone(), self.patience, Stake::Nothing);
        loop {
            match alive.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(io_error("lock", path)(source)),
            }
            lock.again(alive).map_err(|why| LedgerError::Locked { place: place.clone(), why })?;
            std::thread::sleep(STEP);
        }
    }

    fn try_lock(&self) -> Result<Locked, LedgerError> {
        let path = self.path.join(LOCK);
        let lock = open_lock(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(self.busy()?),
            Err(TryLockError::Error(source)) => return Err(io_error("lock", &path)(source)),
        }
        // A lock on a file that was replaced meanwhile keeps nobody away.
        let ours = lock.metadata().map_err(io_error("look at", &path))?;
        let there = fs::symlink_metadata(&path).map_err(io_error("look at", &path))?;
        if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
            return Err(LedgerError::Conflict { what: format!("the lock file {}", shown(&path)) });
        }
        Ok(Locked::new(self.clone(), lock))
    }

    fn busy(&self) -> Result<LedgerError, LedgerError> {
        let place = self.place();
        Ok(match self.holder()? {
            Some(holder) => {
                LedgerError::Busy { place, run: holder.run, pid: holder.pid, host: holder.host, since: holder.started }
            }
            None => LedgerError::BusyUnnamed { place },
        })
    }
}

fn open_lock(path: &Path) -> Result<File, LedgerError> {
    let open = |create: bool| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(create).mode(0o600).custom_flags(no_follow()).open(path)
    };
    match open(true) {
        Ok(file) => {
            // The umask may have taken the right to open it again.
            file.set_permissions(Permissions::from_mode(0o600)).map_err(io_error("set the mode of", path))?;
            Ok(file)
        }
        Err(source) if source.kind() == ErrorKind::AlreadyExists => open(false).map_err(io_error("open", path)),
        Err(source) => Err(io_error("create", path)(source)),
    }
}
