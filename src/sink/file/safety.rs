//! Whether a folder may hold secrets: no links, nobody else may write there, and no git work tree would commit them.

use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::Access;

use crate::model::live::{Tracked, Unreadable};

use super::disk::{is_unfinished, link};
use super::index::Indexes;
use super::worktree::{self, Exposure};
use super::{Spot, failed, shown, unreadable};

const GROUP_OR_WORLD_WRITABLE: u32 = 0o022;
const WORLD_WRITABLE: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Every rule that can be checked without writing.
pub(super) fn check(directory: &Path, spot: &Spot) -> Result<(), Unreadable> {
    for folder in folders(directory, spot) {
        let Some(found) = look(folder)? else { break };
        is_folder(folder, &found)?;
        is_private(folder, &found)?;
    }
    let real = resolve(directory)?;
    for above in real.ancestors().skip(1) {
        if let Some(found) = look(above)? {
            is_not_everybodys(above, &found)?;
        }
    }
    // A folder that we make ignores all of itself. The same files by their real path: a link above the folder may lead into
    // a work tree.
    let there = look(directory)?.is_some() && !is_unfinished(directory);
    for path in [&spot.payload, &spot.payload_temporary, &spot.journal] {
        let below = path.strip_prefix(directory).unwrap_or(path);
        if there {
            is_not_committed(&real.join(below), directory)?;
        }
    }
    for (path, is) in [(&spot.payload, "the secret"), (&spot.journal, "its metadata")] {
        if let Some(found) = look(path)?
            && !found.is_file()
        {
            if found.is_symlink() {
                return Err(link(path));
            }
            return Err(unreadable(
                format!("{is} belongs at {}, where something stands that is no file", path.display()),
                format!("move {} away", shown(path)),
            ));
        }
    }
    Ok(())
}

/// The first of the key's files that a work tree tracks, the secret itself before what is said of it.
pub(super) fn tracked(directory: &Path, spot: &Spot, indexes: &Indexes) -> Result<Option<Tracked>, Unreadable> {
    let real = resolve(directory)?;
    for (path, secret) in [(&spot.payload, true), (&spot.payload_temporary, true), (&spot.journal, false)] {
        let path = real.join(path.strip_prefix(directory).unwrap_or(path));
        let root = indexes.tracks(&path, &real).map_err(|(file, error)| {
            unreadable(
                format!(
                    "whether git tracks {} is said in {}, which cannot be read: {error}",
                    path.display(),
                    file.display()
                ),
                format!(
                    "see `git ls-files --error-unmatch {}`, repair {} (`git update-index --really-refresh`, \
                     `git sparse-checkout reapply --no-sparse-index`), or name a `directory:` outside of the work tree",
                    shown(&path),
                    shown(&file)
                ),
            )
        })?;
        if let Some(root) = root {
            let file = path.strip_prefix(&root).unwrap_or(&path);
            return Ok(Some(Tracked { file: shown(file).into(), root: shown(&root).into(), secret }));
        }
    }
    Ok(None)
}

/// The least that reading asks for: no link leads elsewhere.
pub(super) fn folders_are_folders(directory: &Path, spot: &Spot) -> Result<(), Unreadable> {
    for folder in folders(directory, spot) {
        let Some(found) = look(folder)? else { break };
        is_folder(folder, &found)?;
    }
    Ok(())
}

/// What is written at most for the keys that can be on their way at once, with what they replace, in bytes.
const SPACE: u64 = 256 * 1024;
/// The same in files and folders.
const FILES: u64 = 64;

/// Whether this process may write there, and whether the disk has room.
pub(super) fn can_write(spot: &Spot) -> Result<(), Unreadable> {
    let mut nearest = spot.folder.as_path();
    while look(nearest)?.is_none() {
        nearest = nearest.parent().ok_or_else(|| failed("find", nearest, &ErrorKind::NotFound.into()))?;
    }
    rustix::fs::access(nearest, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| failed("write to", nearest, &error.into()))?;
    let Ok(disk) = rustix::fs::statvfs(nearest) else { return Ok(()) };
    // The rest is kept for root.
    let root = rustix::process::geteuid().is_root();
    let (blocks, files) = if root { (disk.f_bfree, disk.f_ffree) } else { (disk.f_bavail, disk.f_favail) };
    // Some file systems do not count; those say 0 of 0.
    if disk.f_blocks > 0 && blocks.saturating_mul(disk.f_frsize) < SPACE || disk.f_files > 0 && files < FILES {
        let place = nearest.display();
        return Err(unreadable(
            format!("the disk that holds {place} is nearly full, and a secret is stored there after it was made"),
            format!("free some space, or some inodes, on the disk that holds {}", shown(nearest)),
        ));
    }
    Ok(())
}

/// The folder of the settings and those that we make below it, from the top.
fn folders<'a>(directory: &'a Path, spot: &'a Spot) -> impl Iterator<Item = &'a Path> {
    [Some(directory), spot.folder.parent(), Some(spot.folder.as_path())].into_iter().flatten()
}

fn look(path: &Path) -> Result<Option<Metadata>, Unreadable> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, &error)),
    }
}

fn is_folder(path: &Path, found: &Metadata) -> Result<(), Unreadable> {
    if found.is_symlink() {
        return Err(link(path));
    }
    if !found.is_dir() {
        return Err(failed("use as a folder", path, &ErrorKind::NotADirectory.into()));
    }
    Ok(())
}

fn is_private(path: &Path, found: &Metadata) -> Result<(), Unreadable> {
    if found.mode() & GROUP_OR_WORLD_WRITABLE != 0 {
        return Err(unreadable(
            format!("other users may write to {}, and could replace the secrets in it", path.display()),
            format!("chmod go-w {}", shown(path)),
        ));
    }
    let us = rustix::process::geteuid();
    if found.uid() != us.as_raw() && !us.is_root() {
        return Err(unreadable(
            format!("{} belongs to another user, who could replace the secrets in it", path.display()),
            format!(
                "name a folder of your own as `directory:` of this sink in settings, or change the owner of {}",
                shown(path)
            ),
        ));
    }
    Ok(())
}

/// The sticky bit keeps others from renaming what is not theirs.
fn is_not_everybodys(path: &Path, found: &Metadata) -> Result<(), Unreadable> {
    if found.mode() & WORLD_WRITABLE != 0 && found.mode() & STICKY == 0 {
        return Err(unreadable(
            format!("everybody may write to {}, and could replace the folder of secrets below it", path.display()),
            format!("chmod o-w {}, or name another `directory:` for this sink in settings", shown(path)),
        ));
    }
    Ok(())
}

fn is_not_committed(path: &Path, directory: &Path) -> Result<(), Unreadable> {
    match worktree::exposure(path) {
        Exposure::None => Ok(()),
        Exposure::In(root) => Err(unreadable(
            format!("{} is in the git work tree {} and not ignored there", path.display(), root.display()),
            format!(
                "add {} to {}, or name a `directory:` outside of it for this sink in settings",
                pattern(directory, &root),
                shown(&root.join(".gitignore"))
            ),
        )),
        Exposure::Unknown(file, error) => Err(unreadable(
            format!(
                "whether git ignores {} is said in {}, which cannot be read: {error}",
                path.display(),
                file.display()
            ),
            format!(
                "repair {}, or name a `directory:` outside of the work tree for this sink in settings",
                shown(&file)
            ),
        )),
    }
}

/// The line that ignores the folder.
fn pattern(directory: &Path, root: &Path) -> String {
    let real = resolve(directory).unwrap_or_else(|_| directory.to_owned());
    match real.strip_prefix(root) {
        Ok(below) if !below.as_os_str().is_empty() => format!("/{}/", shown(below)),
        Ok(_) | Err(_) => "*".to_owned(),
    }
}

/// The path without links, as far as it exists, and the rest of it.
fn resolve(directory: &Path) -> Result<PathBuf, Unreadable> {
    let mut nearest = directory;
    let mut rest = Vec::new();
    loop {
        match fs::canonicalize(nearest) {
            Ok(real) => return Ok(rest.iter().rev().fold(real, |path, name| path.join(name))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed("find", nearest, &error)),
        }
        // A link that points nowhere, or a step upwards from what is not there.
        let (Some(Component::Normal(name)), Some(above), None) =
            (nearest.components().next_back(), nearest.parent(), look(nearest)?)
        else {
            return Err(unreadable(
                format!("where {} leads cannot be told", directory.display()),
                "name a path without links and `..` as `directory:` of this sink in settings",
            ));
        };
        rest.push(name);
        nearest = above;
    }
}
