//! A ledger in a folder: what lies where, and who holds it.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::untrusted::{Untrusted, escape};
use crate::model::wait::{Lock, STEP, Stake, Waits};
use crate::model::weak::{Weak, Weakness};

use super::access::Access;
use super::contents::{Folder, Shelf};
use super::durable::{Locked, make_folder};
use super::error::LedgerError;
use super::format::{Found, Holder};

const HEAD: &str = "ledger.json";
/// Held by a run for its whole life; runs try it and do not wait.
const LOCK: &str = "lock";
/// Held by a run for its whole life, and by a reader for an instant. A second file, so that a reader never turns a run away.
const ALIVE: &str = "alive";
const HOLDER: &str = "holder.json";
/// How often a reader looks again when another run is named than before.
const LOOKS: usize = 5;

const GITIGNORE: &str = ".gitignore";
/// A clone is a copy of a ledger, not the ledger: none is to have one by an `add --all`.
const IGNORED: &[u8] = b"*\n";

/// What a run may write at most while it creates as many tenants as can be in flight at once, in bytes.
const SPACE: u64 = 256 * 1024;
/// The same in files.
const FILES: u64 = 64;

/// What a reader sees of the lock.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// With whoever held it last.
    Free(Option<Holder>),
    Held(Option<Holder>),
}

/// A ledger's folder.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// How long a lock is waited for.
    patience: Duration,
    waits: Waits,
    weak: Weak,
}

impl Directory {
    pub(super) fn at(path: PathBuf, access: &Access) -> Self {
        Self { path, patience: access.timeout, waits: access.waits.clone(), weak: Weak::default() }
    }

    pub(super) fn weakened(self, weak: Weak) -> Self {
        Self { weak, ..self }
    }

    pub(super) fn folder(&self, folder: Folder) -> PathBuf {
        match folder {
            Folder::Top => self.path.clone(),
            Folder::Tenants | Folder::Runs | Folder::Rehearsals => self.path.join(folder.name()),
        }
    }

    /// Makes the folder and, last, the file that makes it a ledger.
    pub(super) fn make(&self, head: &[u8]) -> Result<(), LedgerError> {
        self.refuse_to_make()?;
        make_folder(&self.path)?;
        let locked = self.try_lock()?;
        // Again under the lock: another `init` may have been quicker.
        self.refuse_to_make()?;
        for folder in Folder::BELOW {
            make_folder(&self.folder(folder))?;
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

    /// A file in one of the folders below, by its path.
    fn leftover(&self) -> Result<Option<String>, LedgerError> {
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

    /// Whether its disk has hardly any space, or room for hardly any file more.
    pub(super) fn is_nearly_full(&self) -> bool {
        // Nobody knows better than the writes themselves where this cannot be asked. Some file systems do not count: 0 of 0.
        rustix::fs::statvfs(&self.path).is_ok_and(|disk| {
            // The rest is kept for root.
            let root = rustix::process::geteuid().is_root();
            let (blocks, files) = if root { (disk.f_bfree, disk.f_ffree) } else { (disk.f_bavail, disk.f_favail) };
            disk.f_blocks > 0 && blocks.saturating_mul(disk.f_frsize) < SPACE || disk.f_files > 0 && files < FILES
        })
    }

    fn holder(&self) -> Result<Option<Holder>, LedgerError> {
        Ok(self.read(Folder::Top, HOLDER)?.and_then(|found| Holder::parse(&found.bytes)))
    }

    /// Takes the lock and says, durably, who has it.
    pub(super) fn lock(&self, holder: &Holder) -> Result<Locked, LedgerError> {
        let mut locked = self.try_lock()?;
        let path = self.path.join(ALIVE);
        let alive = open_lock(&path)?;
        if !self.weak.is(Weakness::NoLock) {
            self.wait_for(&alive, &path)?;
        }
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
            Err(TryLockError::WouldBlock) if self.weak.is(Weakness::NoLock) => {}
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

    fn files(&self, folder: Folder) -> Result<Vec<(String, Found)>, LedgerError> {
        let path = self.folder(folder);
        let mut files = Vec::new();
        for name in names(&path)?.unwrap_or_default() {
            if is_hidden(&name) {
                continue;
            }
            if !name.ends_with(".json") {
                let why = "is no file of a ledger".to_owned();
                return Err(LedgerError::Foreign { file: shown(&path.join(name)), why });
            }
            if let Some(found) = self.read(folder, &name)? {
                files.push((name, found));
            }
        }
        Ok(files)
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

/// The names in a folder, sorted; `None` where there is no folder.
pub(super) fn names(path: &Path) -> Result<Option<Vec<String>>, LedgerError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("list", path)(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error("list", path))?;
        let name = entry.file_name().into_string().map_err(|name| LedgerError::Foreign {
            file: shown(&path.join(name)),
            why: "is no file of a ledger".to_owned(),
        })?;
        names.push(name);
    }
    names.sort();
    Ok(Some(names))
}

/// Dot files are never the ledger's own: git's, a file browser's, or a write that was cut short.
fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

pub(super) fn is_temporary(name: &str) -> bool {
    is_hidden(name) && name.ends_with(".tmp")
}

/// Neither follow a link nor wait for a pipe's other end.
pub(super) fn no_follow() -> i32 {
    (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed()
}

pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

pub(super) fn io_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> LedgerError {
    let path = shown(path);
    move |source| LedgerError::Io { doing, path: path.clone(), source }
}
