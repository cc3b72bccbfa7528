//! What git has in its index of a folder's files. Whether rules ignore them makes no difference to what is there already.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gix_hash::Kind;
use gix_index::File;
use gix_index::decode::Options;
use gix_index::entry::Mode;

use super::worktree::{Fault, Tree, is_nothing, work_tree};

/// No index of a repository that people work in is larger.
const LARGEST: usize = 1 << 30;

/// The indexes that were read, each until its file changes: many keys lie in one work tree.
#[derive(Debug, Default)]
pub(super) struct Indexes(Mutex<BTreeMap<PathBuf, Kept>>);

/// What was read of an index, and of which file.
type Kept = (Stamp, Arc<Vec<Entry>>);

/// Tells a file from what stood in its place before: git replaces its index, and does not write into it.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

/// One path of an index, from the work tree's root.
#[derive(Debug)]
struct Entry {
    path: Vec<u8>,
    /// A folder of a sparse index, which says nothing of the files in it.
    is_folder: bool,
}

impl Indexes {
    /// The root of a work tree that tracks this file. The path is absolute and without links, and lies below `folder`.
    ///
    /// # Errors
    /// The file that would say so, and cannot be read.
    pub(super) fn tracks(&self, path: &Path, folder: &Path) -> Result<Option<PathBuf>, Fault> {
        let mut below = path.to_owned();
        // Also in work trees farther out: a repository may have been begun inside another.
        while let Some(tree) = work_tree(&below)? {
            if self.has(&tree, path, folder)? {
                return Ok(Some(tree.root));
            }
            below = tree.root;
        }
        Ok(None)
    }

    fn has(&self, tree: &Tree, path: &Path, folder: &Path) -> Result<bool, Fault> {
        let file = tree.git.join("index");
        let Ok(path) = path.strip_prefix(&tree.root) else { return Ok(false) };
        let path = path.as_os_str().as_bytes();
        let folder = folder.strip_prefix(&tree.root).map(|folder| folder.as_os_str().as_bytes()).unwrap_or_default();
        let entries = self.entries(tree, &file, folder)?;
        if entries.iter().any(|entry| !entry.is_folder && entry.path == path) {
            return Ok(true);
        }
        if let Some(sparse) = entries.iter().find(|entry| entry.is_folder && path.starts_with(&entry.path)) {
            let error =
                format!("its entry {} is a whole folder (a sparse index)", String::from_utf8_lossy(&sparse.path));
            return Err((file, io::Error::new(ErrorKind::Unsupported, error)));
        }
        Ok(false)
    }

    /// What the index has below the folder, and the folders of a sparse index that the folder may lie in.
    fn entries(&self, tree: &Tree, file: &Path, folder: &[u8]) -> Result<Arc<Vec<Entry>>, Fault> {
        let stamp = match fs::metadata(file) {
            Ok(found) => Stamp {
                place: (found.dev(), found.ino()),
                length: found.len(),
                changed: (found.mtime(), found.mtime_nsec()),
            },
            // Nothing was ever added.
            Err(error) if is_nothing(&error) => return Ok(Arc::default()),
            Err(error) => return Err((file.to_owned(), error)),
        };
        // What is kept is whole whenever the lock is free.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(file) {
            Some((then, entries)) if *then == stamp => Ok(Arc::clone(entries)),
            Some(_) | None => {
                let entries = Arc::new(read(file, hash_of(&tree.common)?, folder)?);
                kept.insert(file.to_owned(), (stamp, Arc::clone(&entries)));
                Ok(entries)
            }
        }
    }
}

fn read(file: &Path, hash: Kind, folder: &[u8]) -> Result<Vec<Entry>, Fault> {
    let options = Options { thread_limit: Some(1), alloc_limit_bytes: Some(LARGEST), ..Options::default() };
    let index = File::at(file, hash, false, options)
        .map_err(|error| (file.to_owned(), io::Error::new(ErrorKind::InvalidData, error.to_string())))?;
    let concerns = |path: &[u8], is_folder: bool| {
        path.starts_with(folder) || is_folder && folder.starts_with(path.strip_suffix(b"/").unwrap_or(path))
    };
    Ok(index
        .entries()
        .iter()
        .map(|entry| (entry.path(&index), entry.mode == Mode::DIR))
        .filter(|(path, is_folder)| concerns(path, *is_folder))
        .map(|(path, is_folder)| Entry { path: path.to_vec(), is_folder })
        .collect())
}

/// Of the repository's names of objects: `git init --object-format`.
fn hash_of(common: &Path) -> Result<Kind, Fault> {
    let file = common.join("config");
    let text = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if is_nothing(&error) => return Ok(Kind::Sha1),
        Err(error) => return Err((file, error)),
    };
    let mut section = String::new();
    let mut hash = Kind::Sha1;
    for line in text.lines().map(|line| line.trim().to_ascii_lowercase()) {
        if line.starts_with('[') {
            section = line;
        } else if section.starts_with("[extensions]")
            && let Some((name, value)) = line.split_once('=')
            && name.trim() == "objectformat"
            && value.trim() == "sha256"
        {
            hash = Kind::Sha256;
        }
    }
    Ok(hash)
}
