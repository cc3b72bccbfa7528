//! Paths on the command line → files of desired state and settings, read whole.

mod error;
mod folder;
mod open;
mod stream;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::Source;
use crate::plan::finding::Finding;
use crate::plan::refusal::Code;
pub(crate) use error::SourceError;
use error::{shown, unreadable};
pub(crate) use folder::{SETTINGS_NAME, SETTINGS_VARIABLE};
use open::Bound;
pub(crate) use stream::is_stream;

/// Desired state as it was read.
pub(crate) struct Gathered {
    pub(crate) sources: Vec<Source>,
    /// Files that look like desired state, lie where it was looked for, and were not read. As shown, in order.
    pub(crate) unread: Vec<PathBuf>,
}

/// What to say of files that were not read, and what to do about them.
pub(crate) fn not_read(unread: &[PathBuf]) -> Option<Finding> {
    const NAMED: usize = 5;
    let mut names: Vec<String> = unread.iter().take(NAMED).map(|path| shown(path)).collect();
    let (noun, them) = match unread.len() {
        0 => return None,
        1 => ("1 file that looks like desired state was".to_owned(), "it"),
        n => (format!("{n} files that look like desired state were"), "them"),
    };
    if unread.len() > NAMED {
        names.push(format!("{} more", unread.len() - NAMED));
    }
    let next = "--recursive, to read folders below; a file is called NAME.yaml or NAME.yml to be read";
    let finding = Finding::new(Code::NotRead, format!("{noun} not read: {}", names.join(", ")), next);
    Some(finding.or(format!("or name {them} on the command line, or move {them} away")))
}

/// How paths are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) cwd: &'a Path,
    pub(crate) settings_file: Option<&'a Path>,
    /// A person is there, and answers for the links that the command line names.
    pub(crate) attended: bool,
    /// `--recursive`.
    pub(crate) recursive: bool,
}

/// Reads desired state: files, and the `*.yaml` and `*.yml` of directories, in sorted order; what lies below them too, if
/// that was asked for.
/// Without a path, the working directory. A settings file is left out of a directory; named itself, it is an error.
/// No link leads out of a directory that is named.
///
/// # Errors
/// Everything that cannot be read, each with its path.
pub(crate) fn gather(paths: &[PathBuf], reading: Reading<'_>) -> Result<Gathered, Vec<SourceError>> {
    let Reading { cwd, settings_file, attended, recursive } = reading;
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here } else { paths };
    let settings_stream = settings_file.filter(|path| stream::is_stream(path));
    let settings_file = settings_file.map(|path| resolved(&cwd.join(path)));
    let is_settings = |path: &Path| {
        path.file_name().is_some_and(|name| name == SETTINGS_NAME) || settings_file.as_ref() == Some(&resolved(path))
    };
    let (mut sources, mut errors, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    // A file that is named twice, or named and in a named directory, is one file.
    let mut seen = BTreeSet::new();
    for path in paths {
        if stream::is_stream(path) {
            // Named twice, it would be empty the second time.
            if seen.insert(path.clone()) {
                let is_settings = settings_stream == Some(path);
                match if is_settings { Err(SourceError::Twice(path.clone())) } else { stream::read(path) } {
                    Ok(source) => sources.push(source),
                    Err(error) => errors.push(error),
                }
            }
            continue;
        }
        let full = cwd.join(path);
        let bound = if attended { Bound::Free } else { open::bound_of_named(path, cwd) };
        let files =
            match bound.check(path, &full).and_then(|()| fs::metadata(&full).map_err(|e| unreadable(path, &full, e))) {
                Err(error) => Err(error),
                Ok(found) if found.is_dir() => folder::list(path, &full, recursive, is_settings).map(|listed| {
                    unread.extend(listed.unread);
                    (listed.files, listed.bound)
                }),
                Ok(_) if is_settings(&full) => Err(SourceError::IsSettings(path.clone())),
                Ok(_) => Ok((vec![path.clone()], bound)),
            };
        let (files, bound) = match files {
            Ok(files) => files,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for file in files {
            let full = cwd.join(&file);
            if seen.insert(resolved(&full)) {
                match open::read(&file, &full, &bound) {
                    Ok(source) => sources.push(source),
                    Err(error) => errors.push(error),
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    unread.retain(|path| !seen.contains(&resolved(&cwd.join(path))));
    unread.sort();
    unread.dedup();
    Ok(Gathered { sources, unread })
}

/// Reads the settings file.
///
/// # Errors
/// It is missing, unreadable, too large or no text.
pub(crate) fn load_settings(path: &Path) -> Result<Source, SourceError> {
    if stream::is_stream(path) { stream::read(path) } else { open::read(path, path, &Bound::Free) }
}

/// The same file by whatever path; a path that cannot be resolved stands for itself.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn reading<'a>(cwd: &'a Path, settings_file: Option<&'a Path>) -> Reading<'a> {
        Reading { cwd, settings_file, attended: true, recursive: false }
    }

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
        let found = gather(&[], reading(dir.path(), Some(Path::new("own.yaml")))).unwrap().sources;
        assert_eq!(names(&found), ["a.yaml", "b.yml"]);
        let found = gather(&["b.yml".into(), ".".into(), "./b.yml".into()], reading(dir.path(), None)).unwrap().sources;
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
        let errors = gather(&paths, reading(dir.path(), None)).err().unwrap();
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
        fs::write(&path, vec![b'#'; usize::try_from(open::SIZE_MAX).unwrap()]).unwrap();
        assert_eq!(load_settings(&path).unwrap().text.len(), 16 * 1024 * 1024);
    }
}
