//! What a shell hands over without a file: `-` for standard input, and the pipes that it names below `/dev/fd`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::config::Source;

use super::error::SourceError;
use super::open::SIZE_MAX;

/// How standard input is named on a command line.
pub(crate) const STDIN: &str = "-";

/// Whether this is read to its end and cannot be read again. No other pipe is: one in a folder may wait for ever.
pub(crate) fn is_stream(path: &Path) -> bool {
    let handed =
        path == Path::new("/dev/stdin") || ["/dev/fd", "/proc/self/fd"].iter().any(|own| path.starts_with(own));
    path == Path::new(STDIN) || handed && fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

pub(super) fn read(path: &Path) -> Result<Source, SourceError> {
    let unreadable = |error: io::Error| SourceError::Unreadable { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        up_to_limit(io::stdin().lock(), &mut bytes).map_err(unreadable)?;
    } else {
        up_to_limit(File::open(path).map_err(unreadable)?, &mut bytes).map_err(unreadable)?;
    }
    if u64::try_from(bytes.len()).map_or(true, |length| length > SIZE_MAX) {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    SourceError::text(path, bytes)
}

fn up_to_limit(stream: impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    stream.take(SIZE_MAX + 1).read_to_end(bytes)
}
