//! Writes to a ledger's folder, by whoever holds its lock: durable, or an error.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::contents::{Folder, Shelf as _};
use super::directory::Directory;
use super::disk::{io_error, is_temporary, make_folder, names, no_follow, shown};
use super::error::LedgerError;

/// The unit in which file systems hand out space, in bytes.
const PAGE: usize = 4_096;

/// A folder whose lock is held, until this is dropped.
pub(super) struct Locked {
    directory: Directory,
    alive: Option<File>,
    lock: File,
    broken: AtomicBool,
    /// True if the lock ends with whoever has it open last, and not with this value.
    lasting: bool,
    /// Files that hold space for the next write of another, by path.
    spares: Mutex<BTreeSet<PathBuf>>,
}

impl Locked {
    pub(super) fn new(directory: Directory, lock: File) -> Self {
        Self { directory, alive: None, lock, broken: AtomicBool::new(false), lasting: false, spares: Mutex::default() }
    }

    /// Keeps the second lock as long as the first.
    pub(super) fn keep(&mut self, alive: File) {
        self.alive = Some(alive);
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The lock's files, opened once more.
    pub(super) fn files(&self) -> Result<Vec<File>, LedgerError> {
        let path = self.directory.folder(Folder::Top);
        self.alive.iter().chain([&self.lock]).map(|file| file.try_clone().map_err(io_error("open", &path))).collect()
    }

    /// Closes the lock and gives it back only if nobody else has it open.
    pub(super) fn leave(mut self) {
        self.lasting = true;
    }

    /// Writes a file whole, so that it is there after a power cut, and stands still until it is. After a failed flush nobody knows
    /// what the disk holds, so nothing more is written by this run.
    pub(super) fn put(&self, folder: Folder, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let (draft, file) = self.draft(folder, name, bytes)?;
        let flushes = &self.directory.flushes;
        self.judged(&draft.path, flushes.now(file))?;
        let placed = self.place(draft)?;
        self.judged(&placed.path, flushes.now(placed.folder)).map(drop)
    }

    /// The same, and lets others go on meanwhile.
    pub(super) async fn put_beside(&self, folder: Folder, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let (draft, file) = self.draft(folder, name, bytes)?;
        let flushes = &self.directory.flushes;
        self.judged(&draft.path, flushes.file(file).await)?;
        let placed = self.place(draft)?;
        self.judged(&placed.path, flushes.folder(&self.directory.folder(folder), placed.folder).await)
    }

    /// Writes a file whose successor must be writable whatever becomes of the disk: first sets aside a file of its own for
    /// it, with space for `bytes` and some more. The next [`Self::put_beside`] of that name fills it, and needs neither space nor
    /// a place in the folder. (Where a disk never writes over what it holds, as Btrfs and ZFS, it needs a little.)
    pub(super) async fn put_with_spare(&self, folder: Folder, name: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let spare = self.directory.folder(folder).join(spare_name(name));
        let mut written = self.set_aside(folder, &spare, bytes.len()).await;
        if written.is_ok() {
            written = self.put_beside(folder, name, bytes).await;
        }
        match &written {
            Ok(()) => {
                self.spares().insert(spare);
            }
            Err(_) => {
                // What is left of it is swept away by the next run at the latest.
                let _ = fs::remove_file(&spare);
            }
        }
        written
    }

    fn spares(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        // The guard protects no value that a panic could have left half-changed.
        self.spares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn set_aside(&self, folder: Folder, spare: &Path, size: usize) -> Result<(), LedgerError> {
        self.unbroken()?;
        if folder != Folder::Top {
            self.make_folder(&self.directory.folder(folder))?;
        }
        remove_if_there(spare)?;
        let mut file = create(spare)?;
        // Blanks and not a hole: what was never written has no space. A page more than now, for a longer hostname.
        let filling = vec![b' '; size.saturating_add(PAGE).next_multiple_of(PAGE)];
        file.write_all(&filling).map_err(io_error("set space aside in", spare))?;
        self.judged(spare, self.directory.flushes.file(file).await).map(drop)
    }

    /// Writes the bytes to a temporary beside the file.
    fn draft(&self, folder: Folder, name: &str, bytes: &[u8]) -> Result<(Draft, File), LedgerError> {
        self.unbroken()?;
        let parent = self.directory.folder(folder);
        if folder != Folder::Top {
            // Empty folders do not survive version control.
            self.make_folder(&parent)?;
        }
        let path = parent.join(name);
        let spare = parent.join(spare_name(name));
        let (mut file, temporary) =
            match self.spares().remove(&spare).then(|| open_spare(&spare)).transpose()?.flatten() {
                Some(file) => (file, spare),
                None => {
                    let temporary = parent.join(format!(".{name}.tmp"));
                    remove_if_there(&temporary)?;
                    (create(&temporary)?, temporary)
                }
            };
        let draft = Draft { parent, path, temporary, is_placed: false };
        fill(&mut file, &draft.temporary, bytes)?;
        Ok((draft, file))
    }

    /// Puts the temporary in the file's place; returns the folder, whose entries are still to be made durable.
    fn place(&self, mut draft: Draft) -> Result<Placed, LedgerError> {
        // Another write may have failed while this one waited for the disk.
        self.unbroken()?;
        fs::rename(&draft.temporary, &draft.path).map_err(io_error("replace", &draft.path))?;
        draft.is_placed = true;
        let folder = File::open(&draft.parent).map_err(io_error("open", &draft.parent))?;
        Ok(Placed { path: draft.path.clone(), folder })
    }

    fn make_folder(&self, path: &Path) -> Result<(), LedgerError> {
        make_folder(path, &self.directory.flushes).inspect_err(|error| {
            if matches!(error, LedgerError::FsyncFailed { .. }) {
                self.broken.store(true, Ordering::SeqCst);
            }
        })
    }

    fn unbroken(&self) -> Result<(), LedgerError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(LedgerError::Stopped { place: self.directory.place() });
        }
        Ok(())
    }

    fn judged<T>(&self, path: &Path, flushed: io::Result<T>) -> Result<T, LedgerError> {
        flushed.map_err(|source| {
            self.broken.store(true, Ordering::SeqCst);
            LedgerError::FsyncFailed { file: shown(path), source }
        })
    }

    pub(super) fn remove(&self, folder: Folder, name: &str) -> Result<(), LedgerError> {
        remove_if_there(&self.directory.folder(folder).join(name))
    }

    /// Removes what a run that was cut short has left half-written.
    pub(super) fn sweep(&self) -> Result<(), LedgerError> {
        for folder in [Folder::Top, Folder::Tenants, Folder::Runs, Folder::Rehearsals] {
            let path = self.directory.folder(folder);
            for name in names(&path)?.unwrap_or_default().iter().filter(|name| is_temporary(name)) {
                remove_if_there(&path.join(name))?;
            }
        }
        Ok(())
    }

    /// Makes every later flush fail, as on a full disk.
    #[cfg(test)]
    pub(super) fn break_disk(&mut self) {
        self.directory.flushes = crate::flush::Flushes::ending(|_| Err(ErrorKind::StorageFull.into()));
    }
}

impl Drop for Locked {
    /// In this order: whoever gets `lock` next finds nobody but readers at `alive`. Said and not left to closing: a process
    /// that is just being started from another thread has copies of our files, and would keep the locks until it begins.
    fn drop(&mut self) {
        if self.lasting {
            return;
        }
        for file in self.alive.iter().chain([&self.lock]) {
            // Closing comes next, and gives back whatever this does not.
            let _ = file.unlock();
        }
    }
}

/// A file's next contents, in a temporary beside it. Removed with this value, if it does not stand in the file's place by then.
struct Draft {
    parent: PathBuf,
    path: PathBuf,
    temporary: PathBuf,
    is_placed: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_placed {
            // What is left of it is swept away by the next run at the latest.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// A file that has its next contents, and the folder that does not know it durably yet.
struct Placed {
    path: PathBuf,
    folder: File,
}

fn fill(file: &mut File, temporary: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    file.write_all(bytes).map_err(io_error("write", temporary))?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if file.metadata().map_err(io_error("look at", temporary))?.len() > length {
        file.set_len(length).map_err(io_error("write", temporary))?;
    }
    Ok(())
}
/// Swept away like every other temporary.
fn spare_name(name: &str) -> String {
    format!(".{name}.next.tmp")
}

/// A new file of mode 0600.
fn create(path: &Path) -> Result<File, LedgerError> {
    let file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io_error("create", path))?;
    // The umask may have taken more than was meant.
    if let Err(error) = file.set_permissions(Permissions::from_mode(0o600)) {
        let _ = fs::remove_file(path);
        return Err(io_error("set the mode of", path)(error));
    }
    Ok(file)
}

/// `None` where somebody removed it meanwhile.
fn open_spare(path: &Path) -> Result<Option<File>, LedgerError> {
    match OpenOptions::new().write(true).custom_flags(no_follow()).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error("open", path)(source)),
    }
}

fn remove_if_there(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(()),
        Err(source) => Err(io_error("remove", path)(source)),
    }
}
