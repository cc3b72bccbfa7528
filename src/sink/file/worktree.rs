//! Whether git would see a path: the nearest work tree above it, and what that ignores.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// What git would do with a path. A personal excludes file does not count: a colleague has another one.
#[derive(Debug)]
pub(super) enum Exposure {
    /// It is in no work tree, or ignored.
    None,
    /// It is in this work tree, for everybody who adds all.
    In(PathBuf),
    /// This file would say so and cannot be read.
    Unknown(PathBuf, io::Error),
}

/// Of a file that need not exist; the path is absolute and without links.
pub(super) fn exposure(path: &Path) -> Exposure {
    let tree = match work_tree(path) {
        Ok(Some(found)) => found,
        Ok(None) => return Exposure::None,
        Err((file, error)) => return Exposure::Unknown(file, error),
    };
    match is_ignored(path, &tree.root, &tree.common) {
        Ok(true) => Exposure::None,
        Ok(false) => Exposure::In(tree.root),
        Err((file, error)) => Exposure::Unknown(file, error),
    }
}

pub(super) type Fault = (PathBuf, io::Error);

/// The innermost work tree that a folder is in, or is the root of. The path is absolute; it may lead through links, and need
/// not exist.
///
/// # Errors
/// A `.git` above it cannot be read.
pub fn enclosing(folder: &Path) -> Result<Option<PathBuf>, Fault> {
    let real = folder.ancestors().find_map(|above| {
        let rest = folder.strip_prefix(above).ok()?;
        Some(fs::canonicalize(above).ok()?.join(rest))
    });
    let inside = real.unwrap_or_else(|| folder.to_owned()).join("any");
    Ok(work_tree(&inside)?.map(|tree| tree.root))
}

/// A work tree and where git keeps what belongs to it.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    /// Of this work tree alone: its index is here.
    pub(super) git: PathBuf,
    /// Of all work trees of the repository: `config` and `info/exclude` are here.
    pub(super) common: PathBuf,
}

impl Tree {
    fn new(root: &Path, git: PathBuf) -> Result<Self, Fault> {
        Ok(Self { root: root.to_owned(), common: common(&git)?, git })
    }
}

/// The innermost work tree that a path lies in.
pub(super) fn work_tree(path: &Path) -> Result<Option<Tree>, Fault> {
    for root in path.ancestors().skip(1) {
        let git = root.join(".git");
        let found = match fs::metadata(&git) {
            Ok(found) => found,
            Err(error) if is_nothing(&error) => continue,
            Err(error) => return Err((git, error)),
        };
        // As git does: a folder without HEAD is no repository, and the search goes on above it.
        if found.is_dir() && git.join("HEAD").symlink_metadata().is_ok() {
            return Tree::new(root, git).map(Some);
        }
        if found.is_file() {
            let text = fs::read_to_string(&git).map_err(|error| (git.clone(), error))?;
            if let Some(elsewhere) = text.strip_prefix("gitdir:") {
                return Tree::new(root, root.join(elsewhere.trim())).map(Some);
            }
        }
    }
    Ok(None)
}

/// The folder that all work trees of one repository share.
fn common(git: &Path) -> Result<PathBuf, Fault> {
    let file = git.join("commondir");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(git.join(text.trim())),
        Err(error) if is_nothing(&error) => Ok(git.to_owned()),
        Err(error) => Err((file, error)),
    }
}

/// Git's rule: the path or a folder above it matches, the last matching line of the innermost file decides, and what
/// lies in an ignored folder cannot be taken back.
fn is_ignored(path: &Path, root: &Path, private: &Path) -> Result<bool, Fault> {
    let Ok(below) = path.strip_prefix(root) else { return Ok(false) };
    let mut rules = vec![rules_of(&private.join("info/exclude"), root)?];
    let steps: Vec<_> = below.components().collect();
    let mut current = root.to_owned();
    for (number, step) in steps.iter().enumerate() {
        rules.push(rules_of(&current.join(".gitignore"), &current)?);
        current.push(step);
        let is_folder = number + 1 < steps.len();
        for rules in rules.iter().rev() {
            match rules.matched(&current, is_folder) {
                Match::None => {}
                Match::Ignore(_) => return Ok(true),
                Match::Whitelist(_) => break,
            }
        }
    }
    Ok(false)
}

fn rules_of(file: &Path, folder: &Path) -> Result<Gitignore, Fault> {
    let text = match fs::symlink_metadata(file) {
        // Git does not follow a link here either.
        Ok(found) if !found.is_file() => String::new(),
        Ok(_) => fs::read_to_string(file).map_err(|error| (file.to_owned(), error))?,
        Err(error) if is_nothing(&error) => String::new(),
        Err(error) => return Err((file.to_owned(), error)),
    };
    let invalid = |error: ignore::Error| (file.to_owned(), io::Error::new(ErrorKind::InvalidData, error));
    let mut rules = GitignoreBuilder::new(folder);
    for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
        // Classes by name are git's and unknown to the matcher, which would take them for something else.
        if line.contains("[:") && !line.starts_with('#') {
            let error = io::Error::new(ErrorKind::InvalidData, format!("the pattern {line} is not understood"));
            return Err((file.to_owned(), error));
        }
        rules.add_line(None, &as_git_reads(line)).map_err(invalid)?;
    }
    rules.build().map_err(invalid)
}

/// The line in the matcher's words. Git knows no `{a,b}`, and takes a tab at the end for a part of the name.
fn as_git_reads(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let (mut escaped, mut in_class) = (false, false);
    for c in line.chars() {
        if !escaped && !in_class && (c == '{' || c == '}') {
            text.push('\\');
        }
        in_class = !escaped && (c == '[' || in_class && c != ']');
        escaped = c == '\\' && !escaped && !in_class;
        text.push(c);
    }
    let name = text.trim_end_matches(' ');
    match name.chars().next_back() {
        Some(last) if last.is_whitespace() => {
            let rest = name.strip_suffix(last).unwrap_or_default();
            format!("{rest}[{last}]")
        }
        Some(_) | None => text,
    }
}

pub(super) fn is_nothing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use tempfile::TempDir;

    use super::*;

    struct Repository(TempDir);

    impl Repository {
        fn new() -> Self {
            let repository = Self(TempDir::new().unwrap());
            repository.git(&["init", "-q"], "");
            repository
        }

        fn root(&self) -> PathBuf {
            fs::canonicalize(self.0.path()).unwrap()
        }

        fn command(&self, below: &str) -> Command {
            let mut command = Command::new("git");
            command.current_dir(self.root().join(below)).env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin");
            command.env("HOME", self.root()).env("GIT_CONFIG_NOSYSTEM", "1");
            command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]);
            command
        }

        fn git(&self, arguments: &[&str], below: &str) {
            let output = self.command(below).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
        }

        fn write(&self, below: &str, text: &str) {
            let path = self.root().join(below);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        /// Whether git and we ignore each of these paths, which must be the same.
        fn agree<const N: usize>(&self, paths: [&str; N], below: &str, about: &str) -> [bool; N] {
            let paths = paths.map(|path| self.root().join(path));
            let output = self.command(below).arg("check-ignore").args(&paths).output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
            let listed = String::from_utf8(output.stdout).unwrap();
            paths.map(|path| {
                let ours = match exposure(&path) {
                    Exposure::None => true,
                    Exposure::In(_) => false,
                    Exposure::Unknown(file, error) => panic!("{}: {error}", file.display()),
                };
                let theirs = listed.lines().any(|line| Path::new(line) == path);
                assert_eq!(ours, theirs, "{} under {about}", path.display());
                ours
            })
        }
    }

    #[test]
    fn we_and_git_agree_on_every_rule() {
        let rules = [
            "",
            "secrets",
            "secrets/",
            "/secrets/",
            "/secrets",
            "secrets/*",
            "secrets/**",
            "**/secrets",
            "*/secrets/",
            "*",
            "*\n!secrets",
            "secrets/\n!secrets/qlik",
            "secrets/*\n!secrets/qlik",
            "secrets/**\n!secrets/qlik/",
            "*\n!*/",
            "*\n!*/\n!ci",
            "ci",
            "/ci",
            "!ci",
            "qlik/acme/ci",
            "/secrets/qlik/acme/ci",
            "secrets/qlik/acme/.*",
            ".*",
            ".*.tmp",
            "[st]ecrets",
            "secret?",
            "# secrets",
            "\\#secrets",
            "secrets ",
            "secrets\\ ",
            "secrets\r\n",
            "\u{feff}secrets/",
            "secrets//",
            "**",
            "**/",
            "secrets/**/ci",
            "acme",
            "!acme\nacme",
            "acme\n!acme",
            "s*s",
            "/*/qlik",
            "SECRETS",
            "./secrets",
            "../secrets",
            "secrets/.",
            "/",
            "!",
            "c[!x]",
            "ci\n!*i",
            "{secrets,x}",
            "secrets/\t",
            "secrets\t",
            "secrets\t ",
            "qlik\u{b}",
        ];
        let (mut ignored, mut seen) = (0, 0);
        for rule in rules {
            let repository = Repository::new();
            repository.write("secrets/qlik/acme/x", "");
            for place in [".gitignore", "secrets/.gitignore", "secrets/qlik/.gitignore", ".git/info/exclude"] {
                repository.write(place, rule);
                let paths = ["secrets/qlik/acme/ci", "secrets/qlik/acme/.ci.tmp", "secrets/new/ci"];
                for is_ignored in repository.agree(paths, "", &format!("{rule:?} in {place}")) {
                    *(if is_ignored { &mut ignored } else { &mut seen }) += 1;
                }
                fs::remove_file(repository.root().join(place)).unwrap();
            }
        }
        assert!(ignored > 100 && seen > 100, "{ignored} ignored, {seen} seen");
    }

    #[test]
    fn an_inner_rule_outranks_an_outer_one_and_an_ignored_folder_stays_ignored() {
        for (outer, inner, exclude) in [
            ("secrets/*", "!qlik", ""),
            ("secrets/", "!*", ""),
            ("", "", "secrets"),
            ("!secrets", "", "secrets"),
            ("*.tmp", "!.ci.tmp", ""),
            ("ci", "!ci\n", "ci"),
            ("!ci", "ci", ""),
        ] {
            let repository = Repository::new();
            repository.write(".gitignore", outer);
            repository.write("secrets/.gitignore", inner);
            repository.write(".git/info/exclude", exclude);
            repository.agree(
                ["secrets/qlik/acme/ci", "secrets/qlik/acme/.ci.tmp"],
                "",
                &format!("{outer:?}, {inner:?}, {exclude:?}"),
            );
        }
    }

    #[test]
    fn outside_of_a_work_tree_nothing_is_exposed() {
        let folder = TempDir::new().unwrap();
        let path = fs::canonicalize(folder.path()).unwrap().join("a/b");
        assert!(matches!(exposure(&path), Exposure::None));
        // A folder that only looks like a repository is none, for git too.
        fs::create_dir(folder.path().join(".git")).unwrap();
        assert!(matches!(exposure(&path), Exposure::None));
    }

    #[test]
    fn a_further_work_tree_and_a_submodule_have_their_own_root() {
        let repository = Repository::new();
        repository.write("readme", "");
        repository.git(&["add", "."], "");
        repository.git(&["commit", "-qm", "x"], "");
        repository.git(&["worktree", "add", "-q", "tree"], "");
        repository.write(".gitignore", "tree/\nsecrets/");
        assert_eq!([false], repository.agree(["tree/secrets/ci"], "tree", "the outer .gitignore"));
        repository.write(".git/info/exclude", "secrets/");
        assert_eq!([true], repository.agree(["tree/secrets/ci"], "tree", "the shared exclude file"));

        let root = repository.root();
        repository.git(&["submodule", "--quiet", "add", root.to_str().unwrap(), "sub"], "");
        repository.write(".git/info/exclude", "");
        assert_eq!([false], repository.agree(["sub/secrets/ci"], "sub", "the outer .gitignore"));
        repository.write("sub/.gitignore", "secrets");
        assert_eq!([true], repository.agree(["sub/secrets/ci"], "sub", "its own .gitignore"));
    }

    #[test]
    fn the_folders_of_this_house_are_judged_as_git_judges_them() {
        let repository = Repository::new();
        repository.write(".qlik-sandbox/.gitignore", "*\n");
        assert_eq!([true], repository.agree([".qlik-sandbox/secrets/qlik/acme/ci"], "", "a .gitignore of * inside"));
        assert_eq!([false], repository.agree([".qlik-plan/secrets/qlik/acme/ci"], "", "nothing"));
    }

    #[test]
    fn rules_that_cannot_be_read_do_not_count_as_ignoring() {
        let repository = Repository::new();
        for rules in [&b"*\n\xff"[..], b"secrets[[:digit:]]\n*\n"] {
            fs::write(repository.root().join(".gitignore"), rules).unwrap();
            let path = repository.root().join("secrets/ci");
            assert!(matches!(exposure(&path), Exposure::Unknown(file, _) if file.ends_with(".gitignore")));
        }
    }
}
