//! What a newcomer types, with the real programs and nothing prepared: whatever umask, directory or CI runner it is typed in.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::needs;
use crate::stage::{APPLY, PLAN, Run, SANDBOX, clean};
use crate::terminal::at_a_terminal;

/// A working copy with the examples, as `git clone` leaves it; its owner's umask is one of those that distributions set.
struct Copy {
    dir: TempDir,
    umask: &'static str,
    env: &'static [(&'static str, &'static str)],
    /// Where commands are typed, below the copy's parent.
    cwd: PathBuf,
}

impl Copy {
    fn new(umask: &'static str, env: &'static [(&'static str, &'static str)], cwd: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let copy = Self { cwd: dir.path().join(cwd), dir, umask, env };
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let script =
            format!("mkdir -p clone elsewhere; git init -q clone; cp -r {} clone/examples", examples.display());
        Run::of(&copy.line(&script, copy.dir.path()).output().unwrap()).exits(0);
        copy
    }

    fn line(&self, script: &str, dir: &Path) -> Command {
        let mut command = clean("sh", dir);
        command.args(["-euc", &format!("umask {}; {script}", self.umask)]).envs(self.env.iter().copied());
        command
    }

    fn run(&self, script: &str) -> Run {
        Run::of(&self.line(script, &self.cwd).output().unwrap())
    }

    /// What `users/me` answers to a delivered token, from a sandbox that serves what the runs left behind.
    fn users_me(&self, key: &str) -> (u16, String) {
        let state = self.cwd.join(".qlik-sandbox");
        let token = std::fs::read_to_string(state.join("sinks/files").join(key)).unwrap();
        let record = std::fs::read(state.join("ledger/tenants/qlik.acme.json")).unwrap();
        let record: Value = serde_json::from_slice(&record).unwrap();
        let host = record["record"]["state"]["settled"]["hostname"].as_str().unwrap();
        let serving = format!("exec {SANDBOX} serve --listen 127.0.0.1:0");
        let mut server = self.line(&serving, &self.cwd).stdout(Stdio::piped()).spawn().unwrap();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        let answer = Client::at(&self.cwd).users_me(host, &token);
        server.kill().unwrap();
        server.wait().unwrap();
        answer
    }
}

fn plays(copy: &Copy, examples: &str) {
    let quickstart = format!("{examples}/quickstart");
    let run = copy.run(&format!("{PLAN} --sandbox {quickstart}")).exits(0);
    assert!(run.out.contains("Plan: 1 tenant and 2 keys to create"), "{}", run.out);
    assert!(run.out.contains(&format!("{quickstart}/desired.yaml:9")), "{}", run.out);
    copy.run(&format!("{PLAN} --sandbox --detailed-exitcode {quickstart}")).exits(2);
    let run = copy.run(&format!("{APPLY} --sandbox --yes {quickstart}")).exits(0);
    assert!(run.out.contains("Applied: 1 tenant and 2 keys created"), "{}", run.out);
    let run = copy.run(&format!("{PLAN} --sandbox --detailed-exitcode {quickstart}")).exits(0);
    assert!(run.out.contains("Nothing to do. 3 objects are as declared."), "{}", run.out);
    let run = copy.run(&format!("{APPLY} --sandbox --yes {quickstart}")).exits(0);
    assert!(run.out.contains("Nothing to do"), "{}", run.out);

    let (status, user) = copy.users_me("qlik/acme/ci");
    assert_eq!(status, 200, "{user}");
    assert!(serde_json::from_str::<Value>(&user).unwrap()["id"].is_string(), "{user}");

    // Git sees nothing of all that, and nobody else may read it.
    let run = copy
        .run("git -C ../clone status --porcelain -- . ':!examples'; ls -l .qlik-sandbox/sinks/files/qlik/acme/ci | cut -c 1-10");
    assert_eq!(run.exits(0).out, "-rw-------\n");
}

#[test]
fn in_the_clone() {
    plays(&Copy::new("022", &[], "clone"), "examples");
}

#[test]
fn with_a_group_that_may_write() {
    plays(&Copy::new("002", &[], "clone"), "examples");
}

#[test]
fn with_a_umask_that_hides_everything() {
    plays(&Copy::new("077", &[], "clone"), "./examples");
}

#[test]
fn on_a_ci_runner() {
    plays(&Copy::new("002", &[("CI", "true")], "clone"), "examples");
}

#[test]
fn from_another_directory() {
    plays(
        &Copy::new("022", &[("CI", "true"), ("HTTPS_PROXY", "http://127.0.0.1:1")], "elsewhere"),
        "../clone/examples",
    );
}

#[test]
fn many_tenants_of_two_regions() {
    let copy = Copy::new("022", &[], "clone");
    let run = copy.run(&format!("{PLAN} --sandbox --detailed-exitcode examples/many-tenants")).exits(2);
    assert!(run.out.contains("Plan: 4 tenants and 6 keys to create"), "{}", run.out);
    let run = copy.run(&format!("{APPLY} --sandbox --yes examples/many-tenants")).exits(0);
    assert!(run.out.contains("Applied: 4 tenants and 6 keys created"), "{}", run.out);
    copy.run(&format!("{PLAN} --sandbox --detailed-exitcode examples/many-tenants")).exits(0);
}

#[test]
fn the_vendors_tutorial_works_step_by_step_with_curl() {
    if !needs::programs(&["curl", "python3"]) {
        return;
    }
    let copy = Copy::new("022", &[], "clone");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/document-000.sh");
    let run = copy.run(&format!("{SANDBOX} exec -- {}", script.display())).exits(0);
    assert!(run.out.starts_with("document 000: every step works; made https://"), "{}", run.out);
}

#[test]
fn without_a_terminal_apply_does_not_guess_an_answer() {
    let copy = Copy::new("022", &[], "clone");
    let run = copy.run(&format!("{APPLY} --sandbox examples/quickstart")).exits(1);
    assert!(run.out.contains("Plan: 1 tenant and 2 keys to create"), "{}", run.out);
    assert!(
        run.err.contains("nobody at a terminal to confirm it (standard input is not a terminal); nothing was sent"),
        "{}",
        run.err
    );
    assert!(run.err.contains("--yes"), "{}", run.err);
    copy.run(&format!("{PLAN} --sandbox --detailed-exitcode examples/quickstart")).exits(2);
}

/// The blocks of a language in a text.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_readmes_first_plan_against_qlik_cloud_works_as_written() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let section = readme.split("\n## A first plan against Qlik Cloud\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let copy = Copy::new("022", &[], "elsewhere");
    let [commands] = blocks(section, "sh").try_into().unwrap();
    let [desired] = blocks(section, "yaml").try_into().unwrap();
    // A person says yes; and the tenant that README shows is planned too.
    let commands = commands.replace("qlik-apply tenants ", "qlik-apply --yes tenants ");
    assert!(commands.contains("--yes"), "{commands}");
    let programs = Path::new(PLAN).parent().unwrap().display();
    let script = format!(
        r#"PATH={programs}:$PATH
        {commands}
        qlik-plan --detailed-exitcode tenants; printf %s "$SHOWN" > tenants/acme.yaml; qlik-plan tenants"#
    );
    let mut command = copy.line(&format!("exec {SANDBOX} exec -- sh -euc \"$SCRIPT\""), &copy.cwd);
    command.env("SCRIPT", script).env("SHOWN", desired);
    let run = at_a_terminal(command, "").exits(0);
    for said in
        ["Written: estate/", "Made ledger", "Rehearsed account us-oem", "Applied: 1 tenant and ", "Nothing to do."]
    {
        assert!(run.out.contains(said), "{said:?} was not said:\n{}\n{}", run.out, run.err);
    }
    assert!(!run.out.contains("Notices:"), "a first plan carries no warning:\n{}", run.out);
}

#[test]
fn the_page_of_a_first_plan_works_as_written() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/first-plan.md")).unwrap();
    let blocks = |language: &str| blocks(&page, language);
    let copy = Copy::new("022", &[], "elsewhere");
    let [settings, desired] = blocks("yaml").try_into().unwrap();
    // The one place of it that a test may not have.
    let settings = settings.replace("/run/secrets/qlik-key-client", "key-client");
    assert!(settings.contains("{ file: key-client }"));
    std::fs::write(copy.cwd.join("qlik-plan.settings.yaml"), settings).unwrap();
    std::fs::write(copy.cwd.join("tenants.yaml"), desired).unwrap();
    let [commands] = blocks("sh").try_into().unwrap();
    let commands = commands.replace("qlik-apply tenants.yaml", "qlik-apply --yes tenants.yaml");
    let programs = Path::new(PLAN).parent().unwrap().display();
    let script = format!(
        r#"PATH={programs}:$PATH; printf %s "$QLIK_KEY_CLIENT_SECRET" > key-client
        {commands} qlik-plan --detailed-exitcode tenants.yaml"#
    );
    let mut command = copy.line(&format!("exec {SANDBOX} exec -- sh -euc \"$SCRIPT\""), &copy.cwd);
    command.env("SCRIPT", script);
    let run = at_a_terminal(command, "").exits(0);
    for said in
        ["Valid: 2 objects", "Made ledger", "Rehearsed account us-oem", "Applied: 1 tenant and 1 key", "Nothing to do."]
    {
        assert!(run.out.contains(said), "{said:?} was not said:\n{}\n{}", run.out, run.err);
    }
}
