//! The files of a folder: which are read, and which look like desired state and are not.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Component, Path, PathBuf};

use super::error::{SourceError, unreadable};
use super::open::{self, Bound};

/// A settings file of this name is found by itself, and is never desired state.
/// The variable that names the settings file. Empty counts as unset.
pub(crate) const SETTINGS_VARIABLE: &str = "QLIK_PLAN_SETTINGS";
pub(crate) const SETTINGS_NAME: &str = "qlik-plan.settings.yaml";

/// Deeper than anybody sorts tenants; a folder that is mounted into itself ends here.
const DEPTH_MAX: usize = 32;
/// Below a folder that is read without what lies below, so many entries are looked at.
const LOOKED_AT_MAX: usize = 20_000;

/// What a folder holds.
pub(super) struct Listed {
    pub(super) files: Vec<PathBuf>,
    /// Where links in it may lead.
    pub(super) bound: Bound,
    /// What has the shape of desired state and is not read. As shown.
    pub(super) unread: Vec<PathBuf>,
}

/// How a file's name is spelled.
enum Spelled {
    /// As desired state is: it is read.
    Well,
    /// A dot file, or capitals in `.yaml`: it is not, and somebody may think it is.
    Nearly,
    No,
}

/// `path` is what the user said, `full` where it is.
pub(super) fn list(
    path: &Path,
    full: &Path,
    recursive: bool,
    is_settings: impl Fn(&Path) -> bool,
) -> Result<Listed, SourceError> {
    let bound = Bound::folder(path, fs::canonicalize(full).map_err(|error| unreadable(path, full, error))?);
    // `./a.yaml` reads as `a.yaml`.
    let shown = if path.components().all(|part| part == Component::CurDir) { Path::new("") } else { path };
    let mut found = Listed { files: Vec::new(), bound, unread: Vec::new() };
    let mut folders = vec![(shown.to_path_buf(), full.to_path_buf(), 0)];
    let mut looked_at = 0;
    while let Some((shown, full, depth)) = folders.pop() {
        let is_read = depth == 0 || recursive;
        let entries = match fs::read_dir(&full).and_then(Iterator::collect::<io::Result<Vec<DirEntry>>>) {
            Ok(entries) => entries,
            Err(error) if is_read => return Err(unreadable(&shown, &full, error)),
            // What is not read need not be readable.
            Err(_) => continue,
        };
        for entry in entries {
            looked_at += usize::from(!is_read);
            if looked_at > LOOKED_AT_MAX {
                break;
            }
            let (name, at) = (entry.file_name(), entry.path());
            let shown = shown.join(&name);
            let kind = entry.file_type().map_err(|error| unreadable(&shown, &at, error))?;
            let spelled = spelled(&name);
            if kind.is_dir() {
                if !is_hidden(&name) && depth < DEPTH_MAX {
                    folders.push((shown, at, depth + 1));
                }
            } else if kind.is_symlink() {
                // What a link leads to is looked at only after it is known to lie here. A folder is read where it lies.
                let leaves = found.bound.check(&shown, &at).is_err();
                let is_folder = recursive && !is_hidden(&name) && fs::metadata(&at).is_ok_and(|found| found.is_dir());
                let is_file = matches!(spelled, Spelled::Well) && (leaves || !at.is_dir() && !is_settings(&at));
                if is_read && (is_file || leaves && is_folder) {
                    found.files.push(shown);
                }
            } else if name == SETTINGS_NAME || is_settings(&at) {
            } else if is_read && matches!(spelled, Spelled::Well) {
                found.files.push(shown);
            } else if !matches!(spelled, Spelled::No) && kind.is_file() && open::looks_like_desired_state(&at) {
                found.unread.push(shown);
            }
        }
    }
    found.files.sort();
    found.unread.sort();
    if found.files.is_empty() {
        Err(SourceError::NoYaml { path: path.to_owned(), below: found.unread.len() })
    } else {
        Ok(found)
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Copies that editors and people keep (`a.yaml~`, `a.yaml.bak`, `a.yaml.off`) are left out on purpose.
fn spelled(name: &OsStr) -> Spelled {
    let extension = Path::new(name).extension();
    if extension.is_some_and(|extension| extension == "yaml" || extension == "yml") && !is_hidden(name) {
        return Spelled::Well;
    }
    let is_like = |extension: &OsStr| extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml");
    if extension.is_some_and(is_like) { Spelled::Nearly } else { Spelled::No }
}
