//! Whether a person is there, and what is only done then: a settings file that was not named, a ledger or a sink on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};
use crate::terminal::{Streams, at, at_a_terminal};

/// A variable as the system sets it, and the systems that set nothing else that tools look at.
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("Azure Pipelines", "TF_BUILD", "True"),
    ("GitHub Actions", "GITHUB_ACTIONS", "true"),
    ("GitLab CI", "GITLAB_CI", "true"),
    ("Jenkins", "JENKINS_URL", "https://jenkins.example/"),
    ("Jenkins without a URL of its own", "JENKINS_HOME", "/var/jenkins_home"),
    ("TeamCity", "TEAMCITY_VERSION", "2026.1 (build 210000)"),
    ("AWS CodeBuild", "CODEBUILD_BUILD_ID", "estate:b1e6661e"),
    ("CircleCI", "CIRCLECI", "true"),
    ("Buildkite", "BUILDKITE", "true"),
    ("Travis CI", "TRAVIS", "true"),
    ("AppVeyor", "APPVEYOR", "True"),
    ("Drone", "DRONE", "true"),
    ("Bitbucket Pipelines", "BITBUCKET_BUILD_NUMBER", "12"),
    ("Bamboo", "bamboo_buildKey", "EST-PLAN-JOB1"),
    ("Semaphore", "SEMAPHORE", "true"),
    ("Cirrus CI", "CIRRUS_CI", "true"),
    ("Harness", "HARNESS_BUILD_ID", "7"),
    ("whatever sets CI", "CI", "true"),
    ("a pipeline that quietens another tool", "CI", "false"),
    ("the same", "CI", "0"),
    ("the same", "CI", ""),
];

/// Where a job runs: the variable that it finds, and which of its streams are a terminal.
type Job = (&'static str, Option<(&'static str, &'static str)>, Option<Streams>, String);

/// Each system with a terminal, as some give their jobs one, and jobs without any variable and with less than a terminal.
fn jobs() -> Vec<Job> {
    let systems = SYSTEMS.iter().map(|(name, variable, value)| {
        (*name, Some((*variable, *value)), Some(Streams::InputAndError), format!("{variable} is set"))
    });
    let bare = [
        ("cron", None, None, "standard input is not a terminal".to_owned()),
        ("input from a pipe", None, Some(Streams::Error), "standard input is not a terminal".to_owned()),
        ("messages into a log", None, Some(Streams::Input), "standard error is not a terminal".to_owned()),
    ];
    systems.chain(bare).collect()
}

fn run(mut command: Command, job: &Job) -> Run {
    let (_, variable, streams, _) = job;
    if let Some((name, value)) = variable {
        command.env(name, value);
    }
    match streams {
        Some(streams) => at(command, *streams, ""),
        None => Run::of(&command.output().unwrap()),
    }
}

/// A repository whose pull request brought settings of its own.
struct PullRequest {
    cloud: Cloud,
}

/// Its programs leave a file, and its account's credentials go to another domain.
const OF_A_STRANGER: &str = "version: 1
accounts:
  us-oem:
    vendor: qlik
    region: us
    domain: collector.example
    source_tenant: mycorp
    client: { id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }
    key_client: { id: { env: QLIK_KEY_CLIENT_ID }, secret: { env: QLIK_KEY_CLIENT_SECRET } }
sinks:
  files: { kind: command, deliver: [./run-me], check: [./run-me], allow_env: [QLIK_CLIENT_SECRET] }
";

impl PullRequest {
    fn new() -> Self {
        let cloud = Cloud::new(ONE_TENANT);
        let tenants = cloud.stage.dir().join("tenants");
        std::fs::create_dir(&tenants).unwrap();
        std::fs::rename(cloud.stage.dir().join("desired.yaml"), tenants.join("acme.yaml")).unwrap();
        std::fs::rename(cloud.settings_file(), cloud.stage.dir().join("trusted.yaml")).unwrap();
        std::fs::write(tenants.join("qlik-plan.settings.yaml"), OF_A_STRANGER).unwrap();
        let program = "#!/bin/sh\ntouch ran\necho '{}'\n";
        std::fs::write(tenants.join("run-me"), program).unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(tenants.join("run-me"), executable).unwrap();
        Self { cloud }
    }

    fn dir(&self) -> &Path {
        self.cloud.stage.dir()
    }

    /// No settings file is named; the environment leads to the sandbox.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = self.cloud.command(program, args);
        command.env_remove("QLIK_PLAN_SETTINGS");
        for name in ["HTTPS_PROXY", "SSL_CERT_FILE"] {
            command.env(name, self.cloud.variable(name));
        }
        command
    }

    fn program_ran(&self) -> bool {
        self.dir().join("tenants/ran").exists()
    }

    fn hosts(&self) -> Vec<String> {
        let requests = self.cloud.stage.requests();
        requests.iter().map(|one| format!("{}{}", one["host"], one["path"])).collect()
    }
}

#[test]
fn unattended_no_settings_of_a_pull_request_are_taken_whatever_the_ci_system() {
    let pull_request = PullRequest::new();
    pull_request.cloud.stage.forget_requests();
    for job in jobs() {
        let (name, .., rule) = &job;
        for (program, args) in [(PLAN, ["tenants", "--preflight=full"]), (APPLY, ["tenants", "--yes"])] {
            let run = run(pull_request.command(program, &args), &job).exits(1);
            run.says(&format!("no settings file is named, and an unattended run ({rule}) picks up none by itself"))
                .says("next: say --settings FILE, or set QLIK_PLAN_SETTINGS: from the base branch or the runner");
        }
        assert_eq!(pull_request.hosts(), Vec::<String>::new(), "{name}");
        assert!(!pull_request.program_ran(), "{name}");
    }
    // In the format of programs too.
    let json = run(pull_request.command(PLAN, &["tenants", "--format=json"]), &jobs()[0]).exits(1);
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["format"], json!("qlik-plan/error"));
    assert!(json["error"]["message"].as_str().unwrap().contains("(TF_BUILD is set)"), "{json}");

    // A person who checks such a branch out and names the directory is told what is used; the proxy's record is what the
    // jobs above were looked up in.
    let attended = at_a_terminal(pull_request.command(PLAN, &["tenants", "--preflight=full"]), "").exits(1);
    attended.says("settings: tenants/qlik-plan.settings.yaml");
    assert!(pull_request.hosts().iter().any(|host| host.contains("collector.example")), "{:?}", pull_request.hosts());
    assert!(pull_request.program_ran());
}

#[test]
fn the_settings_of_the_working_directory_are_not_replaced_by_those_beside_the_desired_state() {
    let pull_request = PullRequest::new();
    let (own, theirs) = (pull_request.dir().join("qlik-plan.settings.yaml"), "tenants/qlik-plan.settings.yaml");
    std::fs::copy(pull_request.dir().join("trusted.yaml"), &own).unwrap();
    for path in ["tenants", "tenants/acme.yaml"] {
        for (program, extra) in [(PLAN, "--preflight=full"), (APPLY, "--yes")] {
            at_a_terminal(pull_request.command(program, &[path, extra]), "yes\n")
                .exits(1)
                .says(&format!("qlik-plan.settings.yaml and {theirs} differ"))
                .says(&format!(
                    "next: look at {theirs}, then name the one that is meant: --settings qlik-plan.settings.yaml"
                ));
        }
    }
    at_a_terminal(pull_request.command(PLAN, &["validate", "tenants"]), "").exits(1).says("differ");
    // The sandbox takes settings from where it finds them, and two that differ are two there as well.
    at_a_terminal(pull_request.command(PLAN, &["tenants", "--sandbox"]), "").exits(1).says("differ");
    Run::of(&pull_request.command(PLAN, &["tenants", "--sandbox"]).output().unwrap()).exits(1).says("differ");
    assert_eq!(pull_request.hosts(), Vec::<String>::new());
    assert!(!pull_request.program_ran());

    // The same text is the same settings, and the name of the working directory's is told.
    let found = "there is no ledger at ";
    std::fs::copy(&own, pull_request.dir().join(theirs)).unwrap();
    let plan = || pull_request.command(PLAN, &["tenants"]);
    at_a_terminal(plan(), "").exits(1).says("settings: qlik-plan.settings.yaml\n").says(found);
    // A link out of the folder is refused whatever it is called, and what cannot be read is not passed over for the other.
    std::fs::remove_file(pull_request.dir().join(theirs)).unwrap();
    std::os::unix::fs::symlink("../qlik-plan.settings.yaml", pull_request.dir().join(theirs)).unwrap();
    at_a_terminal(plan(), "").exits(1).says("is a link that leads to no file inside tenants");
    std::fs::remove_file(&own).unwrap();
    std::os::unix::fs::symlink("nowhere", &own).unwrap();
    std::fs::remove_file(pull_request.dir().join(theirs)).unwrap();
    std::fs::write(pull_request.dir().join(theirs), OF_A_STRANGER).unwrap();
    at_a_terminal(plan(), "").exits(1).says("differ");
    assert!(!pull_request.program_ran());
}

#[test]
fn settings_that_are_named_are_taken_in_silence_and_an_empty_name_is_none() {
    let pull_request = PullRequest::new();
    let with = |value: &str, args: &[&str]| {
        let mut command = pull_request.command(PLAN, args);
        command.env("QLIK_PLAN_SETTINGS", value);
        command
    };
    for command in [
        with("trusted.yaml", &["tenants", "--unrehearsed"]),
        with("", &["tenants", "--unrehearsed", "--settings", "trusted.yaml"]),
    ] {
        let run = at_a_terminal(command, "").exits(0).says("1 tenant and 2 keys to create");
        assert!(!run.all().contains("settings:"), "{}", run.all());
    }
    assert!(!pull_request.program_ran());
    // Empty is as good as unset: at a terminal as elsewhere.
    Run::of(&with("", &["tenants"]).output().unwrap()).exits(1).says("no settings file is named");
    let found = at_a_terminal(with("", &["validate", "tenants"]), "").exits(0);
    found.says("settings: tenants/qlik-plan.settings.yaml").says("Valid: 3 objects declared.\n");
    Run::of(&with("", &["validate", "tenants"]).output().unwrap())
        .exits(0)
        .says("references into settings were not checked");
}

/// A folder of a job's own: settings from the runner, desired state, nothing of an earlier run.
struct Runner {
    dir: tempfile::TempDir,
    settings: PathBuf,
}

impl Runner {
    fn new(cloud: &Cloud) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = dir.path().join("settings.yaml");
        std::fs::copy(cloud.settings_file(), &settings).unwrap();
        std::fs::copy(cloud.stage.dir().join("desired.yaml"), dir.path().join("desired.yaml")).unwrap();
        Self { dir, settings }
    }

    fn command(&self, cloud: &Cloud, args: &[&str]) -> Command {
        let mut command = cloud.command(APPLY, args);
        command.current_dir(self.dir.path()).env("QLIK_PLAN_SETTINGS", &self.settings);
        command
    }
}

#[test]
fn a_ledger_that_ends_with_its_job_creates_nothing_whatever_the_ci_system() {
    let desired = "version: 1\nqlik: { tenants: { acme: { account: us-oem, display_name: Acme Corp } } }\n";
    let cloud = Cloud::new(desired);
    cloud.write_settings(&SETTINGS.replace(", durable: true", ""));
    for job in jobs() {
        let runner = Runner::new(&cloud);
        drop(run(runner.command(&cloud, &["ledger", "init"]), &job).exits(0));
        run(runner.command(&cloud, &["--yes"]), &job)
            .exits(1)
            .says(&format!("unattended: {}", job.3))
            .says("QP0215")
            .says("an unattended run creates a tenant only with a ledger that outlives the machine")
            .says("durable: true");
        assert_eq!(cloud.stage.tenants().len(), 0, "{}", job.0);
    }
    // A person at a terminal has a machine that stays.
    let runner = Runner::new(&cloud);
    drop(at_a_terminal(runner.command(&cloud, &["ledger", "init"]), "").exits(0));
    at_a_terminal(runner.command(&cloud, &[]), "yes\n").exits(0).says("Do this? Only 'yes' is taken:").says("Made:");
    assert_eq!(cloud.stage.tenants().len(), 1);
    // Whoever is not there is not asked, and why is said.
    for job in jobs().into_iter().rev().take(4) {
        let runner = Runner::new(&cloud);
        let run = run(runner.command(&cloud, &["--sandbox"]), &job).exits(1);
        run.says(&format!("nobody at a terminal to confirm it ({}); nothing was sent", job.3));
    }
}

#[test]
fn in_the_sandbox_nothing_is_at_stake_and_settings_are_found_by_themselves() {
    let stage = Stage::new(ONE_TENANT);
    for job in jobs() {
        let mut command = stage.command(PLAN);
        command.arg("--sandbox").env_remove("QLIK_PLAN_SETTINGS");
        let run = run(command, &job).exits(0).says("1 tenant and 2 keys to create");
        assert!(!run.err.contains("unattended"), "{}: {}", job.0, run.err);
    }
}
