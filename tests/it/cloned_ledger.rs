//! A ledger that lies where others get a copy of it: in a Git work tree, or in the folder that a CI job was given.
//!
//! What Git does here was seen with git 2.39: `clone` copies what is committed and nothing else; `clean -ffdx`, which GitHub's
//! checkout action and GitLab's runner do between jobs, removes what a `.gitignore` leaves out.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cloud::Cloud;
use crate::stage::{APPLY, PLAN, Run, SETTINGS, clean};
use crate::terminal::at_a_terminal;

const DESIRED: &str = "version: 1\nqlik: { tenants: { acme: { account: us-oem, display_name: Acme Corp } } }\n";

/// A cloud, and a folder with repositories that hold settings, desired state and a ledger.
struct Estate {
    cloud: Cloud,
    dir: tempfile::TempDir,
}

impl Estate {
    fn new() -> Self {
        Self { cloud: Cloud::new(DESIRED), dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// A folder with settings, whose ledger is at `ledger`, and desired state.
    fn lay_out(&self, below: &str, ledger: &str) -> PathBuf {
        let folder = self.path(below);
        std::fs::create_dir_all(&folder).unwrap();
        self.cloud.write_settings(&SETTINGS.replace(".qlik-plan/ledger", ledger));
        std::fs::copy(self.cloud.settings_file(), folder.join("settings.yaml")).unwrap();
        std::fs::write(folder.join("desired.yaml"), DESIRED).unwrap();
        folder
    }

    fn git(&self, folder: &Path, args: &[&str]) {
        let mut git = clean("git", folder);
        git.env("HOME", self.dir.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        git.args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]);
        drop(Run::of(&git.args(args).output().unwrap()).exits(0));
    }

    fn command(&self, folder: &Path, program: &str, args: &[&str]) -> Command {
        let mut command = self.cloud.command(program, args);
        command.current_dir(folder).env("QLIK_PLAN_SETTINGS", "settings.yaml");
        command
    }

    /// Unattended: no terminal, no variable.
    fn run(&self, folder: &Path, program: &str, args: &[&str]) -> Run {
        self.cloud.ends(&mut self.command(folder, program, args))
    }

    #[track_caller]
    fn creates_nothing(&self, folder: &Path, place: &str) {
        for (program, args) in [
            (PLAN, &["desired.yaml"][..]),
            (APPLY, &["--yes", "desired.yaml"]),
            (APPLY, &["--yes", "--ledger-is-durable", "desired.yaml"]),
        ] {
            let run = self.run(folder, program, args).exits(1).says("QP0215").says(place);
            run.says("a clone is a copy of a ledger, not the ledger")
                .says("next: move the folder out of every checkout");
        }
        assert_eq!(self.cloud.stage.tenants().len(), 0);
    }
}

#[test]
fn two_clones_of_a_repository_with_a_ledger_buy_no_tenant_at_all() {
    let estate = Estate::new();
    let origin = estate.lay_out("origin", "ledger");
    estate.git(&origin, &["init", "-q"]);
    let made = estate.run(&origin, APPLY, &["ledger", "init"]).exits(0).says("warning: it lies in the Git work tree ");
    drop(made.says("next: move the folder out of every checkout"));
    // A new ledger is left out of a commit; somebody insists.
    estate.git(&origin, &["add", "--all"]);
    estate.git(&origin, &["add", "--force", "ledger/ledger.json"]);
    estate.git(&origin, &["commit", "-qm", "estate"]);
    for run in ["run1", "run2"] {
        estate.git(estate.dir.path(), &["clone", "-q", "origin", run]);
        estate.creates_nothing(&estate.path(run), "the ledger lies in the Git work tree ");
        std::fs::remove_dir_all(estate.path(run)).unwrap();
    }

    // At a terminal it is a person's own machine, and a warning.
    estate.git(estate.dir.path(), &["clone", "-q", "origin", "person"]);
    let person = estate.path("person");
    let warned = at_a_terminal(estate.command(&person, APPLY, &["desired.yaml"]), "no\n").exits(1);
    warned
        .says("the ledger lies in the Git work tree ")
        .says("a run with an older copy would create the same tenants again");
    at_a_terminal(estate.command(&person, APPLY, &["desired.yaml"]), "yes\n")
        .exits(0)
        .says("Applied: 1 tenant created");
    // What creates nothing goes on anywhere.
    estate.run(&person, PLAN, &["--detailed-exitcode", "desired.yaml"]).exits(0).says("Nothing to do");
    assert_eq!(estate.cloud.stage.tenants().len(), 1);
}

#[test]
fn a_ledger_that_git_ignores_is_refused_too_since_no_clone_has_it_and_a_clean_removes_it() {
    let estate = Estate::new();
    let folder = estate.lay_out("checkout", "ledger");
    estate.git(&folder, &["init", "-q"]);
    std::fs::write(folder.join(".gitignore"), "/ledger/\n").unwrap();
    estate.git(&folder, &["add", "--all"]);
    estate.git(&folder, &["commit", "-qm", "estate"]);
    drop(estate.run(&folder, APPLY, &["ledger", "init"]).exits(0));
    estate.creates_nothing(&folder, "the ledger lies in the Git work tree ");
    estate.git(&folder, &["clean", "-qffdx"]);
    assert!(!folder.join("ledger").exists());
}

#[test]
fn every_kind_of_work_tree_is_one() {
    let estate = Estate::new();
    let main = estate.lay_out("main", "ledger");
    std::fs::write(main.join("readme"), "").unwrap();
    estate.git(&main, &["init", "-q"]);
    estate.git(&main, &["add", "readme"]);
    estate.git(&main, &["commit", "-qm", "x"]);
    // `.git` is a file there.
    estate.git(&main, &["worktree", "add", "-q", "../linked"]);
    let super_folder = estate.path("super");
    std::fs::create_dir(&super_folder).unwrap();
    estate.git(&super_folder, &["init", "-q"]);
    estate.git(&super_folder, &["submodule", "--quiet", "add", main.to_str().unwrap(), "sub"]);
    let in_place = |below: &str| {
        let folder = estate.lay_out(below, "ledger");
        drop(estate.run(&folder, APPLY, &["ledger", "init"]).exits(0));
        estate.creates_nothing(&folder, "the ledger lies in the Git work tree ");
    };
    for below in ["linked", "linked/deep/down", "super/sub"] {
        in_place(below);
    }
    // A folder elsewhere, and a link to it from outside: the folder counts, not the way to it.
    let target = main.join("kept");
    std::fs::create_dir(&target).unwrap();
    let outside = estate.lay_out("outside", "../link/ledger");
    std::os::unix::fs::symlink(&target, estate.path("link")).unwrap();
    drop(estate.run(&outside, APPLY, &["ledger", "init"]).exits(0));
    estate.creates_nothing(&outside, "the ledger lies in the Git work tree ");

    // Git's own variables make a work tree of a folder without a .git, and unmake none.
    let plain = estate.lay_out("plain", "ledger");
    drop(estate.run(&plain, APPLY, &["ledger", "init"]).exits(0));
    let run = |folder: &Path, variables: &[(&str, &Path)]| {
        let mut command = estate.command(folder, PLAN, &["desired.yaml"]);
        estate.cloud.ends(command.envs(variables.iter().copied()))
    };
    let git_dir = main.join(".git");
    let said = "as GIT_DIR or GIT_WORK_TREE says";
    run(&plain, &[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &plain)]).exits(1).says("QP0215").says(said);
    run(&plain, &[("GIT_DIR", &git_dir)]).exits(1).says("QP0215").says(said);
    run(&plain, &[("GIT_DIR", &git_dir), ("GIT_WORK_TREE", &main)]).exits(0).says("1 tenant to create");
    run(&estate.path("linked"), &[("GIT_DIR", Path::new("/nowhere")), ("GIT_WORK_TREE", Path::new("/nowhere"))])
        .exits(1)
        .says("QP0215")
        .says("the ledger lies in the Git work tree ");

    // What a CI system was handed need not be a work tree: CodePipeline gives CodeBuild an archive.
    run(&plain, &[("CODEBUILD_BUILD_ID", Path::new("estate:1")), ("CODEBUILD_SRC_DIR", &plain)])
        .exits(1)
        .says("QP0215")
        .says("of this CI job; a clone is a copy of a ledger, not the ledger");

    // Out of all of these, with a word in settings or on the command line, it is as it was.
    estate.run(&plain, PLAN, &["desired.yaml"]).exits(0).says("1 tenant to create");
    std::fs::write(
        plain.join("settings.yaml"),
        std::fs::read_to_string(plain.join("settings.yaml")).unwrap().replace("ledger, durable: true", "ledger"),
    )
    .unwrap();
    estate.run(&plain, PLAN, &["desired.yaml"]).exits(1).says("QP0215").says("a folder on it");
    estate.run(&plain, APPLY, &["--yes", "--ledger-is-durable", "desired.yaml"]).exits(0).says("1 tenant created");
    assert_eq!(estate.cloud.stage.tenants().len(), 1);
}
