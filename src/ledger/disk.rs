//! Folders and files of a ledger on a disk: their names, how they are made and opened, and what a disk's error says.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use crate::flush::Flushes;
use crate::model::untrusted::escape;

use super::error::LedgerError;

/// Makes a folder, and those above it, of mode 0700, each durable in its parent.
pub(super) fn make_folder(path: &Path, flushes: &Flushes) -> Result<(), LedgerError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => return Err(io_error("use as a folder", path)(ErrorKind::NotADirectory.into())),
        Err(source) if source.kind() == ErrorKind::NotFound => {}
        Err(source) => return Err(io_error("look at", path)(source)),
    }
    let parent = path.parent().ok_or_else(|| io_error("find", path)(ErrorKind::NotFound.into()))?;
    make_folder(parent, flushes)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(source) if source.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(source) => return Err(io_error("create", path)(source)),
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(io_error("set the mode of", path))?;
    File::open(parent)
        .and_then(|folder| flushes.now(folder))
        .map(drop)
        .map_err(|source| LedgerError::FsyncFailed { file: shown(path), source })
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
pub(super) fn is_hidden(name: &str) -> bool {
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
