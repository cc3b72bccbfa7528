//! The folder of secrets in work trees of git: what would be committed, and what has been.

use std::process::Command;

use super::*;

/// A work tree with the folder `secrets` in it.
struct Repository(Place);

impl Repository {
    fn new() -> Self {
        Self::begun(&[])
    }

    fn begun(options: &[&str]) -> Self {
        let repository = Self(Place::new());
        repository.git("", &[&["init", "-q"], options].concat());
        repository
    }

    fn root(&self) -> PathBuf {
        fs::canonicalize(self.0.root.path()).unwrap()
    }

    /// Nothing of the tester's own configuration counts.
    fn command(&self, below: &str) -> Command {
        let mut command = Command::new("git");
        command.current_dir(self.root().join(below)).env_clear().env("PATH", "/usr/bin:/bin:/usr/local/bin");
        command.env("HOME", self.root()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]);
        command
    }

    fn git(&self, below: &str, arguments: &[&str]) -> String {
        let output = self.command(below).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn stores(&self, number: u8) {
        assert_eq!(self.0.put(&self.0.look().version, number), Put::Stored);
    }

    /// What git says of the secret, and we must say too.
    #[track_caller]
    fn tracks(&self) -> Option<Tracked> {
        let theirs = self.command("").args(["ls-files", "--error-unmatch", "secrets/qlik/acme/ci"]).output().unwrap();
        let ours = self.ours();
        assert_eq!(ours.as_ref().is_some_and(|tracked| tracked.secret), theirs.status.success(), "{ours:?}");
        ours
    }

    fn ours(&self) -> Option<Tracked> {
        self.0.sink.0.tracked(&ci(), &[]).unwrap()
    }

    #[track_caller]
    fn is_refused_until_removed_from_the_index(&self) {
        let tracked = self.tracks().unwrap();
        assert_eq!((tracked.file.raw(), tracked.secret), ("secrets/qlik/acme/ci", true));
        let why = self.0.refusal();
        assert!(why.why.raw().contains("is tracked by git in"), "{}", why.why);
        assert!(why.next.contains(" rm --cached --force -- secrets/qlik/acme/ci"), "{}", why.next);
        // The way out, as it is printed.
        let (command, _) = why.next.split_once(',').unwrap();
        let output =
            self.command("").arg("rm").args(command.split(" rm ").nth(1).unwrap().split(' ')).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.git("", &["rm", "-q", "--cached", "--force", "--ignore-unmatch", "secrets/qlik/acme/.ci.meta.json"]);
        assert_eq!(self.tracks(), None);
        self.stores(3);
    }
}

#[test]
fn a_folder_that_we_make_ignores_itself_and_one_that_was_there_is_left_as_it_is() {
    let repository = Repository::new();
    assert_eq!(repository.0.sink.preflight(&ci()), Writable::Yes);
    repository.stores(1);
    assert_eq!(fs::read_to_string(repository.0.path(".gitignore")).unwrap(), "*\n");
    repository.git("", &["add", "-A"]);
    assert_eq!(repository.git("", &["ls-files"]), "");

    let repository = Repository::new();
    fs::create_dir(repository.0.path("")).unwrap();
    let why = repository.0.refusal();
    assert!(why.why.raw().contains("git work tree") && why.next.starts_with("add /secrets/ to "), "{}", why.next);
    // The secret's name alone is not enough: a temporary stands beside it.
    fs::write(repository.root().join(".gitignore"), "ci\n").unwrap();
    assert!(repository.0.refusal().why.raw().contains(".ci.tmp"));
    fs::write(repository.root().join(".gitignore"), "/secrets/\n").unwrap();
    repository.stores(1);
    assert!(!repository.0.path(".gitignore").exists());
    repository.git("", &["add", "-A"]);
    assert_eq!(repository.git("", &["ls-files"]), ".gitignore\n");
}

#[test]
fn a_folder_whose_making_was_cut_short_is_finished_and_rules_that_are_there_are_heeded() {
    let repository = Repository::new();
    fs::create_dir(repository.0.path("")).unwrap();
    fs::write(repository.0.path(".gitignore.tmp"), "").unwrap();
    assert_eq!(repository.0.sink.preflight(&ci()), Writable::Yes);
    repository.stores(1);
    assert_eq!(fs::read_to_string(repository.0.path(".gitignore")).unwrap(), "*\n");
    assert!(!repository.0.path(".gitignore.tmp").exists());

    // Whatever lies beside them.
    let repository = Repository::new();
    fs::create_dir(repository.0.path("")).unwrap();
    fs::write(repository.0.path(".gitignore"), "").unwrap();
    fs::write(repository.0.path(".gitignore.tmp"), "*\n").unwrap();
    assert!(repository.0.refusal().why.raw().contains("git work tree"));
}

#[test]
fn a_repository_that_is_begun_later_takes_in_no_secret() {
    let place = Place::new();
    assert_eq!(place.put(&Version::Nothing, 1), Put::Stored);
    let repository = Repository(place);
    repository.git("", &["init", "-q"]);
    repository.git("", &["add", "-A"]);
    assert_eq!(repository.git("", &["ls-files"]), "");
    repository.stores(2);
}

#[test]
fn a_secret_that_git_tracks_is_refused_though_rules_ignore_it() {
    let repository = Repository::new();
    fs::create_dir(repository.0.path("")).unwrap();
    fs::write(repository.root().join(".gitignore"), "/secrets/\n").unwrap();
    repository.stores(1);
    assert_eq!(repository.tracks(), None);
    repository.git("", &["add", "-f", "secrets"]);
    repository.is_refused_until_removed_from_the_index();
    // Committed, and then removed from the disk alone: the next one would be committed in its place.
    repository.git("", &["add", "-f", "secrets"]);
    repository.git("", &["commit", "-qm", "x"]);
    fs::remove_dir_all(repository.0.path("qlik")).unwrap();
    assert!(repository.tracks().is_some());
    repository.is_refused_until_removed_from_the_index();
}

#[test]
fn metadata_that_git_tracks_is_refused_and_no_leak() {
    let repository = Repository::new();
    repository.stores(1);
    repository.git("", &["add", "-f", "secrets/qlik/acme/.ci.meta.json"]);
    let tracked = repository.tracks().unwrap();
    assert_eq!((tracked.file.raw(), tracked.secret), ("secrets/qlik/acme/.ci.meta.json", false));
    assert!(matches!(repository.0.sink.preflight(&ci()), Writable::No(_)));
}

/// Every form that an index of git has: its versions, split in two, without a checksum, with names of objects in SHA-256, and
/// an entry that only says that the file will be added.
#[test]
fn every_form_of_an_index_is_read_as_git_reads_it() {
    let forms: [(&[&str], &[&[&str]]); 7] = [
        (&[], &[&["update-index", "--index-version", "2"]]),
        (&[], &[&["update-index", "--index-version", "4"]]),
        (&[], &[&["update-index", "--split-index"]]),
        (&[], &[&["config", "index.skipHash", "true"], &["update-index", "--force-write-index"]]),
        (&["--object-format=sha256"], &[]),
        (&[], &[&["reset", "-q"], &["add", "-N", "-f", "secrets/qlik/acme/ci"]]),
        (&[], &[&["update-index", "--skip-worktree", "secrets/qlik/acme/ci"]]),
    ];
    for (options, then) in forms {
        let repository = Repository::begun(options);
        fs::write(repository.root().join("another"), "x").unwrap();
        repository.git("", &["add", "-A"]);
        repository.git("", &["commit", "-qm", "x"]);
        repository.stores(1);
        assert_eq!(repository.tracks(), None, "{then:?}");
        repository.git("", &["add", "-f", "secrets/qlik/acme/ci"]);
        for arguments in then {
            repository.git("", arguments);
        }
        assert!(repository.tracks().is_some(), "{then:?}");
        // `git rm` leaves such entries alone, and says so.
        repository.git("", &["update-index", "--no-skip-worktree", "secrets/qlik/acme/ci"]);
        repository.is_refused_until_removed_from_the_index();
    }
}

#[test]
fn further_work_trees_submodules_and_repositories_in_others_have_an_index_of_their_own() {
    // A further work tree.
    let outer = Repository::new();
    fs::write(outer.root().join("readme"), "").unwrap();
    outer.git("", &["add", "readme"]);
    outer.git("", &["commit", "-qm", "x"]);
    outer.git("", &["worktree", "add", "-q", "secrets"]);
    fs::write(outer.0.path(".gitignore"), "*\n").unwrap();
    outer.stores(1);
    assert_eq!(outer.ours(), None);
    outer.git("secrets", &["add", "-f", "qlik/acme/ci"]);
    assert_eq!(outer.ours().unwrap().file.raw(), "qlik/acme/ci");
    // A submodule.
    let outer = Repository::new();
    let other = Repository::new();
    fs::write(other.root().join("readme"), "").unwrap();
    other.git("", &["add", "readme"]);
    other.git("", &["commit", "-qm", "x"]);
    outer.git("", &["submodule", "--quiet", "add", other.root().to_str().unwrap(), "secrets"]);
    fs::write(outer.0.path(".gitignore"), "*\n").unwrap();
    outer.stores(1);
    assert_eq!(outer.ours(), None);
    outer.git("secrets", &["add", "-f", "qlik/acme/ci"]);
    assert_eq!(outer.ours().unwrap().root.raw(), outer.0.path("").canonicalize().unwrap().to_string_lossy());
    // One that was begun inside another, which tracks the file since before.
    let outer = Repository::new();
    outer.stores(1);
    outer.git("", &["add", "-f", "secrets/qlik/acme/ci"]);
    outer.git("secrets", &["init", "-q"]);
    assert_eq!(outer.ours().unwrap().root.raw(), outer.root().to_string_lossy());
}

#[test]
fn an_index_that_cannot_tell_is_refused_and_not_taken_for_an_empty_one() {
    // A sparse one keeps whole folders as one entry.
    let repository = Repository::new();
    for file in ["secrets/qlik/acme/readme", "in/readme"] {
        let file = repository.root().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    repository.git("", &["add", "-A"]);
    repository.git("", &["commit", "-qm", "x"]);
    repository.git("", &["sparse-checkout", "set", "--cone", "--sparse-index", "in"]);
    let Err(why) = repository.0.sink.0.tracked(&ci(), &[]) else { panic!("the folder is one entry") };
    assert!(why.why.raw().contains("sparse index") && why.next.contains("--no-sparse-index"), "{}", why.why);
    repository.git("", &["sparse-checkout", "reapply", "--no-sparse-index"]);
    assert_eq!(repository.ours(), None);
    // One that is cut short.
    let index = repository.root().join(".git/index");
    let whole = fs::read(&index).unwrap();
    fs::write(&index, &whole[..whole.len() - 7]).unwrap();
    let Err(why) = repository.0.sink.0.tracked(&ci(), &[]) else { panic!("it is not whole") };
    assert!(why.why.raw().contains(".git/index, which cannot be read"), "{}", why.why);
    assert!(matches!(repository.0.sink.preflight(&ci()), Writable::No(_)));
}
