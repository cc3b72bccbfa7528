//! What stands in the way of a key's files, in words.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::model::live::Unreadable;
use crate::model::untrusted::escape;

use super::spot::Spot;
use super::unreadable;

pub(super) fn stranger(path: &Path) -> Unreadable {
    unreadable(
        format!("a file that qlik-plan did not write, or that was changed since, stands at {}", path.display()),
        format!("move {} away, then run this again", shown(path)),
    )
}

/// Names that begin with a dot are easily left behind.
pub(super) fn without_metadata(spot: &Spot) -> Unreadable {
    let (payload, journal) = (shown(&spot.payload), shown(&spot.journal));
    unreadable(
        format!("{} stands there without its metadata: {} is missing", spot.payload.display(), spot.journal.display()),
        format!(
            "restore {journal} from where {payload} came from: `cp …/*` leaves it out, and so does an artifact without \
             `include-hidden-files: true`; where it is lost, or if qlik-plan did not write {payload}: move that away"
        ),
    )
}

pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> Unreadable {
    let place = shown(path);
    let kind = error.kind();
    let next = if kind == ErrorKind::StorageFull || kind == ErrorKind::QuotaExceeded {
        format!("free some space on the disk that holds {place}")
    } else if kind == ErrorKind::PermissionDenied {
        format!("give the user of this process the right to read and write {place}")
    } else if kind == ErrorKind::ReadOnlyFilesystem {
        format!(
            "{place} is on a read-only disk: mount it writable, or name another `directory:` for this sink in settings"
        )
    } else if kind == ErrorKind::NotADirectory {
        format!(
            "a folder above {place} is a file: move it away, or name another `directory:` for this sink in settings"
        )
    } else if kind == ErrorKind::IsADirectory {
        format!("move the folder {place} away")
    } else {
        format!("check the disk that holds {place}")
    };
    unreadable(format!("could not {doing} {}: {error}", path.display()), next)
}

pub(super) fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}
