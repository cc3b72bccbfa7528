//! Paths on the command line → files of desired state and settings, read whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use crate::config::Source;
use crate::model::untrusted::escape;

/// A settings file of this name is found by itself, and is never desired state.
pub(crate) const SETTINGS_NAME: &str = "qlik-plan.settings.yaml";
/// Far above every legitimate file.
const SIZE_MAX: u64 = 16 * 1024 * 1024;

/// Why a path gives no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("{}: there is no such file or directory; check the path", shown(.0))]
    Missing(PathBuf),
    #[error("{}: is a link to {}, which is not there; correct the link", shown(.path), shown(.target))]
    Dangling { path: PathBuf, target: PathBuf },
    #[error("{}: cannot be read: {error}; check its permissions", shown(.path))]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: is larger than 16 MiB; split it into several files, they are merged", shown(.0))]
    TooLarge(PathBuf),
    #[error("{}: is not UTF-8 text (byte {byte} is the first that does not fit); save it as UTF-8", shown(.path))]
    NotText { path: PathBuf, byte: usize },
    #[error("{}: is neither a file nor a directory; name a YAML file", shown(.0))]
    NotAFile(PathBuf),
    #[error("{}: the directory holds no desired state (*.yaml or *.yml); name a file, or another directory", shown(.0))]
    NoYaml(PathBuf),
    #[error("{}: is the settings file, not desired state; name it with --settings", shown(.0))]
    IsSettings(PathBuf),
}

fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

/// Reads desired state: files, and the `*.yaml` and `*.yml` of directories, without recursion and in sorted order.
/// Without a path, the working directory. A settings file is left out of a directory; named itself, it is an error.
///
/// # Errors
/// Everything that cannot be read, each with its path.
pub(crate) fn gather(
    paths: &[PathBuf],
    cwd: &Path,
    settings_file: Option<&Path>,
) -> Result<Vec<Source>, Vec<SourceError>> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let settings_file = settings_file.map(|path| resolved(&cwd.join(path)));
    let is_settings = |path: &Path| {
        path.file_name().is_some_and(|name| name == SETTINGS_NAME) || settings_file.as_ref() == Some(&resolved(path))
    };
    let (mut sources, mut errors) = (Vec::new(), Vec::new());
    // A file that is named twice, or named and in a named directory, is one file.
    let mut seen = BTreeSet::new();
    for path in paths {
        let full = cwd.join(path);
        let files = match fs::metadata(&full) {
            Err(error) => Err(unreadable(path, &full, error)),
            Ok(found) if found.is_dir() => list(path, &full, is_settings),
            Ok(_) if is_settings(&full) => Err(SourceError::IsSettings(path.clone())),
            Ok(_) => Ok(vec![path.clone()]),
        };
        match files {
            Ok(files) => {
                for file in files {
                    let full = cwd.join(&file);
                    if seen.insert(resolved(&full)) {
                        match read(&file, &full) {
                            Ok(source) => sources.push(source),
                            Err(error) => errors.push(error),
                        }
                    }
                }
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(sources) } else { Err(errors) }
}

/// Reads the settings file.
///
/// # Errors
/// It is missing, unreadable, too large or no text.
pub(crate) fn load_settings(path: &Path) -> Result<Source, SourceError> {
    read(path, path)
}

/// Why there is nothing to read at a path.
fn unreadable(path: &Path, full: &Path, error: io::Error) -> SourceError {
    let path = path.to_owned();
    if error.kind() != io::ErrorKind::NotFound {
        return SourceError::Unreadable { path, error };
    }
    match fs::read_link(full) {
        Ok(target) => SourceError::Dangling { path, target },
        Err(_) => SourceError::Missing(path),
    }
}

/// The same file by whatever path; a path that cannot be resolved stands for itself.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn list(path: &Path, full: &Path, is_settings: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, SourceError> {
    let unreadable = |error| unreadable(path, full, error);
    // `./a.yaml` reads as `a.yaml`.
    let shown = if path.components().all(|part| part == Component::CurDir) { Path::new("") } else { path };
    let mut files = Vec::new();
    for entry in fs::read_dir(full).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = PathBuf::from(entry.file_name());
        let is_yaml = name.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        let is_hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
        if is_yaml && !is_hidden && !entry.path().is_dir() && !is_settings(&entry.path()) {
            files.push(shown.join(name));
        }
    }
    files.sort();
    if files.is_empty() { Err(SourceError::NoYaml(path.to_owned())) } else { Ok(files) }
}

/// `path` is what the user said, `full` where it is.
fn read(path: &Path, full: &Path) -> Result<Source, SourceError> {
    let unreadable = |error| unreadable(path, full, error);
    // Before it is opened: opening a pipe would wait for somebody to write.
    let found = fs::metadata(full).map_err(unreadable)?;
    if !found.is_file() {
        return Err(SourceError::NotAFile(path.to_owned()));
    }
    if found.len() > SIZE_MAX {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    let mut bytes = Vec::new();
    // It may have grown since.
    File::open(full).and_then(|file| file.take(SIZE_MAX + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > SIZE_MAX) {
        return Err(SourceError::TooLarge(path.to_owned()));
    }
    let text = String::from_utf8(bytes)
        .map_err(|error| SourceError::NotText { path: path.to_owned(), byte: error.utf8_error().valid_up_to() + 1 })?;
    Ok(Source { name: path.to_string_lossy().into_owned(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[Source]) -> Vec<&str> {
        sources.iter().map(|source| source.name.as_str()).collect()
    }

    #[test]
    fn a_directory_gives_its_yaml_in_order_without_settings_and_without_what_lies_below() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(dir.path().join(name), "version: 1\n").unwrap();
        for name in ["b.yml", "a.yaml", "notes.txt", ".hidden.yaml", SETTINGS_NAME, "own.yaml"] {
            write(name);
        }
        fs::create_dir_all(dir.path().join("below.yaml")).unwrap();
        write("below.yaml/c.yaml");
        let found = gather(&[], dir.path(), Some(Path::new("own.yaml"))).unwrap();
        assert_eq!(names(&found), ["a.yaml", "b.yml"]);
        let found = gather(&["b.yml".into(), ".".into(), "./b.yml".into()], dir.path(), None).unwrap();
        assert_eq!(names(&found), ["b.yml", "a.yaml", "own.yaml"]);
    }

    #[test]
    fn every_path_that_gives_nothing_is_named_at_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("empty")).unwrap();
        fs::write(dir.path().join("latin.yaml"), b"version: 1 # gr\xfc\xdfe\n").unwrap();
        fs::write(dir.path().join(SETTINGS_NAME), "version: 1\n").unwrap();
        File::create(dir.path().join("huge.yaml")).unwrap().set_len(17 * 1024 * 1024).unwrap();
        let paths = ["missing.yaml", "empty", "latin.yaml", "huge.yaml", SETTINGS_NAME].map(PathBuf::from);
        let errors = gather(&paths, dir.path(), None).err().unwrap();
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(shown.len(), 5);
        for (error, start) in shown.iter().zip([
            "missing.yaml: there is no such file",
            "empty: the directory holds no desired state",
            "latin.yaml: is not UTF-8 text (byte 16 ",
            "huge.yaml: is larger than 16 MiB",
            "qlik-plan.settings.yaml: is the settings file",
        ]) {
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn a_file_of_exactly_the_limit_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("full.yaml");
        fs::write(&path, vec![b'#'; usize::try_from(SIZE_MAX).unwrap()]).unwrap();
        assert_eq!(load_settings(&path).unwrap().text.len(), 16 * 1024 * 1024);
    }
}
