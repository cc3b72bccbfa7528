//! Private files in the state directory: written whole or not at all, readable by their owner only, locked.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// What the file system refused, and where.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {}", path.display())]
pub struct FileError {
    verb: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

pub(super) fn refused(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |source| FileError { verb, path: path.to_owned(), source }
}

/// Mode 0700 whatever the umask, also where the directory was there before.
pub(super) fn make_directory(path: &Path) -> Result<(), FileError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused("make the directory", path))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(refused("close to others", path))
}

/// Temporary file and rename: a reader, or a run after a kill, sees the old bytes or the new ones.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace(path, |mut file| file.write_all(bytes)).map(drop)
}

/// As `write`, for more than one holds at once. The file goes on being written at its end.
pub(super) fn replace(path: &Path, fill: impl FnOnce(&File) -> io::Result<()>) -> Result<File, FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary);
    let file = file.map_err(refused("write", &temporary))?;
    // The mode above is for files that are new; a leftover keeps the mode it had.
    file.set_permissions(Permissions::from_mode(0o600)).map_err(refused("close to others", &temporary))?;
    fill(&file).map_err(refused("write", &temporary))?;
    std::fs::rename(&temporary, path).map_err(refused("replace", path))?;
    Ok(file)
}

pub(super) fn read(path: &Path) -> Result<Option<String>, FileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused("read", path)(error)),
    }
}

/// The file's JSON. What it says about a fault names the line, never the content: the content holds secrets.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, FileError> {
    let Some(text) = read(path)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        let place = format!("not what this program wrote, line {} column {}", error.line(), error.column());
        refused("use", path)(io::Error::new(io::ErrorKind::InvalidData, place))
    })
}

pub(super) fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(refused("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn names(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let entries = std::fs::read_dir(directory).map_err(refused("list", directory))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(refused("list", directory))).collect()
}

/// Held as long as the value lives; a killed process lets go. `None`: somebody else holds it.
pub(super) fn lock(path: &Path) -> Result<Option<File>, FileError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(refused("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(refused("lock", path)(error)),
    }
}
