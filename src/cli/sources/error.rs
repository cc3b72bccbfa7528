//! Why a path on the command line gives nothing to read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Source;
use crate::model::untrusted::escape;

/// Why a path gives no file. Of what a link leads to nothing is said: a change under review may have chosen it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{}: there is no such file or directory; check the path", shown(.0))]
    Missing(PathBuf),
    #[error("{}: nothing has a name like this, so the shell left the pattern as it is; check the path", shown(.0))]
    Pattern(PathBuf),
    #[error("{}: is a link to {}, which is not there; correct the link", shown(.path), shown(.target))]
    Dangling { path: PathBuf, target: PathBuf },
    #[error("{}: is a link that leads to no file inside {}, and nothing of it was read; put the file itself there, or name the file on the command line", shown(.path), shown(.folder))]
    Leaves { path: PathBuf, folder: PathBuf },
    #[error("{}: is a link that leads out of {}, which a change under review may have made, and nothing of it was read; name the place that it leads to", shown(.path), shown(.folder))]
    NamedLeaves { path: PathBuf, folder: PathBuf },
    #[error("{}: cannot be read: {error}; check its permissions", shown(.path))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: is larger than 16 MiB; split it into several files, they are merged", shown(.0))]
    TooLarge(PathBuf),
    #[error("{}: is not UTF-8 text (byte {byte} is the first that does not fit); save it as UTF-8", shown(.path))]
    NotText { path: PathBuf, byte: usize },
    #[error("{}: is neither a file nor a directory; name a YAML file", shown(.0))]
    NotAFile(PathBuf),
    #[error("{}: the directory holds no desired state (*.yaml or *.yml){}; name a file, or another directory", shown(.path), hint(*.below))]
    NoYaml { path: PathBuf, below: usize },
    #[error("{}: gives the settings already, and can be read once; name a file for one of the two", shown(.0))]
    Twice(PathBuf),
    #[error("{}: is the settings file, not desired state; name it with --settings", shown(.0))]
    IsSettings(PathBuf),
}

impl SourceError {
    /// The text of what was read, or that it is none.
    pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<Source, Self> {
        let not_text = |byte| Self::NotText { path: path.to_owned(), byte };
        let text = String::from_utf8(bytes).map_err(|error| not_text(error.utf8_error().valid_up_to() + 1))?;
        Ok(Source { name: path.to_string_lossy().into_owned(), text })
    }
}

pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

fn hint(below: usize) -> String {
    match below {
        0 => String::new(),
        1 => {
            ", and below it or spelled otherwise is 1 file that looks like it: say --recursive, or rename it".to_owned()
        }
        n => format!(
            ", and below it or spelled otherwise are {n} files that look like it: say --recursive, or rename them"
        ),
    }
}

/// Why there is nothing to read at a path.
pub(super) fn unreadable(path: &Path, full: &Path, error: io::Error) -> SourceError {
    let path = path.to_owned();
    if error.kind() != io::ErrorKind::NotFound {
        return SourceError::Unreadable { path, error };
    }
    match fs::read_link(full) {
        Ok(target) => SourceError::Dangling { path, target },
        Err(_) if path.to_string_lossy().contains(['*', '?', '[']) => SourceError::Pattern(path),
        Err(_) => SourceError::Missing(path),
    }
}
