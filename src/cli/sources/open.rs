//! One file, opened once and read whole: how far a link may lead, and how long a read may last.

use std::fs::{self, File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use crate::config::Source;

use super::error::{SourceError, unreadable};

/// Far above every legitimate file.
pub(super) const SIZE_MAX: u64 = 16 * 1024 * 1024;

/// So far into a file the words are that say what it is.
const HEAD: u64 = 64 * 1024;

/// Where a path may lead, over whatever links.
pub(super) enum Bound {
    /// Wherever it leads: a person chose it.
    Free,
    /// Into this folder (as shown, and as it really is), where the path was found.
    Folder { shown: PathBuf, real: PathBuf },
    /// Into this folder; the path is named on a command line that nobody watches.
    Named { shown: PathBuf, real: PathBuf },
}

/// How far a path on the command line may lead where nobody watches. The line is trusted, but what lies behind it is a
/// change under review: a folder that was replaced by a link, or a link that the shell found for `*.yaml`.
pub(super) fn bound_of_named(path: &Path, cwd: &Path) -> Bound {
    let folder = |shown: &Path, folder: &Path| match fs::canonicalize(folder) {
        Ok(real) => Bound::Named { shown: shown.to_owned(), real },
        // Then there is nothing in it to read, which is said where it is read.
        Err(_) => Bound::Free,
    };
    if !path.has_root() && !path.components().any(|part| part == Component::ParentDir) {
        return folder(Path::new("the working directory"), cwd);
    }
    // What the system itself offers under names of its own, as standard input.
    let is_systems = ["/dev", "/proc"].iter().any(|own| path.starts_with(own));
    let full = cwd.join(path);
    let is_link = fs::symlink_metadata(&full).is_ok_and(|found| found.is_symlink());
    match path.parent() {
        Some(parent) if is_link && !is_systems => folder(parent, &cwd.join(parent)),
        Some(_) | None => Bound::Free,
    }
}

impl Bound {
    pub(super) fn folder(shown: &Path, real: PathBuf) -> Self {
        Self::Folder { shown: shown.to_owned(), real }
    }

    /// The path leads where it may. One that leads nowhere gets the same answer as one that leads out of the folder:
    /// otherwise a link could ask what there is on this machine.
    pub(super) fn check(&self, path: &Path, full: &Path) -> Result<(), SourceError> {
        self.real(path, full).map(drop)
    }

    /// The path without links, if it may lead there; nothing where it may lead anywhere.
    fn real(&self, path: &Path, full: &Path) -> Result<Option<PathBuf>, SourceError> {
        let root = match self {
            Self::Free => return Ok(None),
            Self::Folder { real, .. } | Self::Named { real, .. } => real,
        };
        let path = path.to_owned();
        match fs::canonicalize(full) {
            Ok(real) if real.starts_with(root) => Ok(Some(real)),
            Err(error) if is_missing_in(root, full) => Err(unreadable(&path, full, error)),
            Ok(_) | Err(_) => Err(match self {
                Self::Named { shown, .. } => SourceError::NamedLeaves { path, folder: shown.clone() },
                Self::Folder { shown, .. } => SourceError::Leaves { path, folder: shown.clone() },
                Self::Free => return Ok(None),
            }),
        }
    }
}

/// No link, or one to a name in the folder that nothing has: who put it there may be told so.
fn is_missing_in(root: &Path, full: &Path) -> bool {
    let Ok(target) = fs::read_link(full) else { return true };
    let target = full.parent().unwrap_or(full).join(target);
    let is_inside =
        target.parent().and_then(|folder| fs::canonicalize(folder).ok()).is_some_and(|f| f.starts_with(root));
    is_inside && target.file_name().is_some() && fs::symlink_metadata(&target).is_err()
}

/// `path` is what the user said, `full` where it is.
pub(super) fn read(path: &Path, full: &Path, bound: &Bound) -> Result<Source, SourceError> {
    let unreadable = |error| unreadable(path, full, error);
    bound.check(path, full)?;
    // Before it is opened: opening a pipe would wait for somebody to write, and opening a device may do something.
    if !fs::metadata(full).map_err(unreadable)?.is_file() {
        return Err(SourceError::NotAFile(path.to_owned()));
    }
    let options = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let flags = i32::try_from(options.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(full).map_err(unreadable)?;
    let length = length(path, full, bound, &file)?;
    // No more than it has: what the kernel shows as files has no length, may have no end, and may wait for one.
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(unreadable)?;
    SourceError::text(path, bytes)
}

/// Whether a file has desired state of its own at its top. It is not read as such, so what cannot be read has none.
pub(super) fn looks_like_desired_state(full: &Path) -> bool {
    let options = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(options.bits()).unwrap_or_default();
    let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(full) else { return false };
    let Some(found) = file.metadata().ok().filter(fs::Metadata::is_file) else { return false };
    let mut head = Vec::new();
    let read = file.take(found.len().min(HEAD)).read_to_end(&mut head);
    read.is_ok() && crate::config::looks_like_desired_state(&String::from_utf8_lossy(&head))
}

/// The length of what was opened, which is looked at and not the path: that may be another file by now.
fn length(path: &Path, full: &Path, bound: &Bound, file: &File) -> Result<u64, SourceError> {
    let unreadable = |error| unreadable(path, full, error);
    let opened = file.metadata().map_err(unreadable)?;
    if !opened.is_file() {
        return Err(SourceError::NotAFile(path.to_owned()));
    }
    if let Some(real) = bound.real(path, full)? {
        let there = fs::symlink_metadata(&real).map_err(unreadable)?;
        if (there.dev(), there.ino()) != (opened.dev(), opened.ino()) {
            return Err(unreadable(std::io::Error::other("it was replaced while it was read")));
        }
    }
    if opened.len() > SIZE_MAX {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    Ok(opened.len())
}
