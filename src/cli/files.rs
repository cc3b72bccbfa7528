//! Files that a run is told to write or read by name: whole, and never over somebody else's.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use crate::model::untrusted::escape;

use super::exit::Problem;

/// Far above every plan and snapshot.
const SIZE_MAX: u64 = 256 * 1024 * 1024;
/// Where a file of ours names its format.
const HEAD: usize = 256;

/// Sees that a name is no folder's, before anything is read for a file that could not be written.
pub(super) fn may_be_written(option: &str, file: Option<&Path>) -> Result<(), Problem> {
    let Some(file) = file.filter(|file| file.is_dir()) else { return Ok(()) };
    let shown = escape(&file.to_string_lossy());
    Err(Problem::new(
        format!("{option} {shown}: this is a folder, and a file to write is meant"),
        format!("name the file behind {option}, and the folder behind that, as in {option} FILE {shown}"),
    ))
}

/// Writes a file whole or not at all. One that is there already is replaced only if it is of the same kind.
pub(super) fn save(path: &Path, text: &str, format: &str, option: &str) -> Result<(), Problem> {
    let shown = escape(&path.to_string_lossy());
    let cannot = |error: io::Error| {
        Problem::new(
            format!("{option} {shown}: it cannot be written: {error}"),
            "name a file in a folder that you may write",
        )
    };
    if is_anothers(path, format).map_err(cannot)? {
        return Err(Problem::new(
            format!("{option} {shown}: there is a file of another kind already, and it is left as it is"),
            "name another file, or remove that one",
        ));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".qlik-plan-").tempfile_in(folder).map_err(cannot)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(())
}

fn is_anothers(path: &Path, format: &str) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    file.take(HEAD as u64).read_to_end(&mut head)?;
    let named = format!("\"format\": \"{format}\"");
    Ok(!head.is_empty() && !String::from_utf8_lossy(&head).contains(&named))
}

/// Reads a file whole, as text.
pub(super) fn load(path: &Path, option: &str) -> Result<String, Problem> {
    let shown = escape(&path.to_string_lossy());
    let problem = |why: String| Problem::new(format!("{option} {shown}: {why}"), "name a file that can be read");
    let found = fs::metadata(path).map_err(|error| problem(format!("it cannot be read: {error}")))?;
    if !found.is_file() {
        return Err(problem("it is no file".to_owned()));
    }
    if found.len() > SIZE_MAX {
        return Err(problem("it is larger than 256 MiB".to_owned()));
    }
    // No more than it has: what the kernel shows as files has no length, and may wait for one.
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(found.len()).read_to_end(&mut bytes))
        .map_err(|error| problem(format!("it cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| problem("it is no text".to_owned()))
}
