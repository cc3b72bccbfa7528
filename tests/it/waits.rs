//! Whatever is waited for has an end: locks that others hold, servers that ask for time or say nothing, programs that do not end.
//! The run says what it waits for, and a signal or the end of its time ends it in every state.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};

const KEYS: &str = "/api/v1/api-keys";

/// Far longer than anything here lasts, and far shorter than the waits that are to be ended.
const SOON: Duration = Duration::from_secs(90);

/// Two tenants with a key each.
const TWO_TENANTS: &str = r#"version: 1
qlik:
  profiles:
    standard:
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI deploys, owner: { client: {} }, expires_in: PT20H, renew_before: PT2H, deliver_to: files }
  tenants:
    acme: { account: us-oem, profile: standard, display_name: Acme }
    globex: { account: us-oem, profile: standard, display_name: Globex }
"#;

fn made(desired: &str) -> Stage {
    let stage = Stage::new(desired);
    stage.settle();
    stage.forget_requests();
    stage
}

fn fault(stage: &Stage, method: &str, path: &str, action: &Value) {
    stage.fault(&json!({ "match": { "method": method, "path": path }, "action": action }));
}

/// The folder of a tenant's secrets; its lock is what a delivery takes.
fn secrets(stage: &Stage, tenant: &str) -> PathBuf {
    stage.secret_file(tenant, "ci").parent().unwrap().to_owned()
}

/// As a backup that is stuck, or a run that is stopped, has it.
fn lock(path: &Path) -> File {
    let file = File::open(path).unwrap();
    file.lock().unwrap();
    file
}

fn shared(path: &Path) -> File {
    let file = File::open(path).unwrap();
    file.lock_shared().unwrap();
    file
}

fn minted(stage: &Stage) -> usize {
    stage.changes().iter().filter(|change| change.starts_with("POST") && change.ends_with(KEYS)).count()
}

/// A program at work.
struct Working {
    child: Child,
    err: BufReader<std::process::ChildStderr>,
    said: String,
    began: Instant,
}

impl Working {
    fn start(stage: &Stage, program: &str, args: &[&str]) -> Self {
        let mut command = stage.command(program);
        command.arg("--sandbox").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        Self { child, err, said: String::new(), began: Instant::now() }
    }

    /// Reads what it says until it says this.
    fn until(&mut self, words: &str) {
        while !self.said.contains(words) {
            let read = self.err.read_line(&mut self.said).unwrap();
            assert_ne!(read, 0, "it ended without saying {words:?}: {}", self.said);
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// How it ended, which it did soon.
    fn ends(mut self) -> Run {
        self.err.read_to_string(&mut self.said).unwrap();
        let output = self.child.wait_with_output().unwrap();
        assert!(self.began.elapsed() < SOON, "it lasted {:?}", self.began.elapsed());
        let out = String::from_utf8(output.stdout).unwrap();
        Run { code: output.status.code(), out, err: self.said }
    }
}

// ---- locks ---------------------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_minted_into_a_folder_that_another_process_has_locked_and_other_tenants_go_on() {
    for hold in [lock, shared] {
        let stage = made(TWO_TENANTS);
        let held = hold(&secrets(&stage, "acme"));
        let args = ["--yes", "--timeout", "1", "--replace", "qlik/acme/ci", "--replace", "qlik/globex/ci"];
        let run = stage.apply(&args).exits(1);
        let run = run.says("the lock on ").says("/sinks/files/qlik/acme is held by process ");
        // The kernel tells who holds it: this process.
        let pid = std::process::id();
        run.says("was not free within 1 s").says(&format!("- see what process {pid} is (`ps -p {pid}`)"));
        assert_eq!(minted(&stage), 1, "{:?}", stage.changes());
        drop(held);
        stage.apply(&["--yes", "--replace", "qlik/acme/ci"]).exits(0);
        stage.plan(&["--detailed-exitcode"]).exits(0);
    }
}

#[test]
fn a_lock_that_is_given_up_in_time_is_waited_for_and_that_is_said() {
    let stage = made(TWO_TENANTS);
    let held = lock(&secrets(&stage, "acme"));
    let mut run = Working::start(&stage, APPLY, &["--yes", "--replace", "qlik/acme/ci"]);
    run.until("waiting for the lock on ");
    run.until(&format!("/sinks/files/qlik/acme, held by process {}; at most 2", std::process::id()));
    drop(held);
    run.ends().exits(0).says("1 key created");
}

/// Whoever locks the folder between the look and the delivery finds that the key goes, not the lock.
#[test]
fn a_key_whose_folder_is_locked_after_it_was_minted_is_revoked() {
    for last_word in ["the lock", "--max-run", "a second signal"] {
        let stage = made(TWO_TENANTS);
        stage.fault(&json!({ "match": { "method": "POST", "path": KEYS }, "nth": 1, "action": "pause" }));
        let ends: &[&str] = match last_word {
            "the lock" => &["--timeout", "2"],
            "--max-run" => &["--timeout", "300", "--max-run", "PT6S"],
            _ => &["--timeout", "300"],
        };
        let run = Working::start(&stage, APPLY, &[&["--yes", "--replace", "qlik/acme/ci"], ends].concat());
        stage.control("GET", "/wait", &Value::Null);
        let held = lock(&secrets(&stage, "acme"));
        stage.control("POST", "/release", &Value::Null);
        let mut run = run;
        run.until("minted the key");
        if last_word == "a second signal" {
            run.signal(Signal::INT);
            run.until("stopping: nothing new is started");
            // One is not enough: its secret is nowhere else.
            run.until("waiting for the lock on ");
            run.signal(Signal::TERM);
        }
        let run = run.ends().exits(1).says(last_word);
        assert!(run.all().contains(" was revoked"), "{}", run.all());
        assert_eq!(stage.live_keys().len(), 2);
        drop(held);
        stage.plan(&["--detailed-exitcode"]).exits(0);
    }
}

/// `qlik-plan` holds it for an instant; one that is stopped in that instant, for ever.
#[test]
fn a_reader_that_was_stopped_does_not_stop_an_apply_without_a_word() {
    let stage = made(ONE_TENANT);
    let alive = stage.ledger().join("alive");
    let held = shared(&alive);
    for verb in [&["--yes"][..], &["ledger", "forget", "qlik/none", "--yes"], &["rehearse", "us-oem"]] {
        let run = stage.apply(&[verb, &["--timeout", "1"]].concat()).exits(1);
        if !run.all().contains("no record") {
            run.says("/ledger/alive is held by process ")
                .says("was not free within 1 s")
                .says("next: see what process ");
        }
    }
    assert_eq!(stage.requests().len(), 0);
    let mut run = Working::start(&stage, APPLY, &["--yes"]);
    run.until("waiting for the lock on ");
    run.signal(Signal::INT);
    run.ends().exits(1).says("a signal asked to stop while the lock on ");
    let mut run = Working::start(&stage, APPLY, &["--yes", "--max-run", "PT1S"]);
    run.until("--max-run");
    run.ends().exits(1).says("the run's own time is over (--max-run PT1S) while the lock on ");
    drop(held);
    stage.apply(&["--yes"]).exits(0);
}

// ---- servers that ask for time ---------------------------------------------------------------------------------------------

#[test]
fn who_asks_for_more_time_than_there_is_patience_is_asked_once_and_that_is_said() {
    for (seconds, action) in [
        (200, json!({ "retry_after": { "seconds": 200 } })),
        (99_999_999, json!({ "retry_after": { "seconds": 99_999_999 } })),
        (500, json!({ "status_before": { "status": 503, "body": {}, "headers": { "retry-after": "500" } } })),
    ] {
        let stage = made(ONE_TENANT);
        fault(&stage, "GET", KEYS, &action);
        let run = Working::start(&stage, PLAN, &[]).ends().exits(1);
        run.says(&format!("asks for {seconds} s")).says("next: ");
        let asked = stage.requests().iter().filter(|one| one["path"].as_str().unwrap().starts_with(KEYS)).count();
        assert_eq!(asked, 1);
        // Nor is anything created early.
        stage.control("DELETE", "/faults", &Value::Null);
        fault(&stage, "POST", KEYS, &action);
        stage.forget_requests();
        let run = Working::start(&stage, APPLY, &["--yes", "--replace", "qlik/acme/ci"]).ends().exits(1);
        run.says(&format!("asks for {seconds} s"));
        assert_eq!(minted(&stage), 1);
    }
}

/// A date is seen from the reply's own `Date`; what is none of both says nothing, and is waited for as if it was not there.
#[test]
fn dates_and_garbage_in_retry_after_are_no_long_waits() {
    for (text, waits) in [
        ("Fri, 31 Dec 9999 23:59:59 GMT", true),
        ("Sun, 06 Nov 1994 08:49:37 GMT", false),
        ("soon", false),
        ("-5", false),
        ("1e9", false),
        ("", false),
    ] {
        let stage = made(ONE_TENANT);
        let action = json!({ "status_before": { "status": 429, "body": {}, "headers": { "retry-after": text } } });
        stage.fault(&json!({ "match": { "method": "GET", "path": KEYS }, "nth": 1, "action": action }));
        let run = Working::start(&stage, PLAN, &[]).ends();
        match waits {
            true => drop(run.exits(1).says("and asks for 315360000 s")),
            false => drop(run.exits(0).says("Nothing to do")),
        }
    }
}

#[test]
fn a_wait_that_was_asked_for_is_said_and_a_signal_or_the_runs_time_ends_it() {
    let stage = made(ONE_TENANT);
    fault(&stage, "GET", KEYS, &json!({ "retry_after": { "seconds": 100 } }));
    let mut run = Working::start(&stage, APPLY, &["--yes"]);
    run.until("waiting for ");
    run.until(".us.qlikcloud.com: it asks for 100 s; at most 9");
    run.signal(Signal::TERM);
    run.ends().exits(1).says("a signal asked to stop while things were read; nothing was changed");
    for program in [PLAN, APPLY] {
        let run = Working::start(&stage, program, &["--max-run", "PT8S"]).ends().exits(1);
        run.says("waiting for ").says("the run's own time is over (--max-run PT8S) while things were read");
    }
    // While it makes: what is not made is told.
    stage.control("DELETE", "/faults", &Value::Null);
    fault(&stage, "POST", KEYS, &json!({ "retry_after": { "seconds": 100 } }));
    let mut run = Working::start(&stage, APPLY, &["--yes", "--replace", "qlik/acme/ci"]);
    run.until("it asks for 100 s; at most 9");
    run.signal(Signal::INT);
    run.ends().exits(1).says("a signal asked to stop").says("Stopped early");
    assert_eq!(stage.live_keys().len(), 2);
}

#[test]
fn a_run_that_dies_while_it_waits_to_ask_for_a_tenant_again_leaves_none_in_doubt() {
    let stage = Stage::new(ONE_TENANT);
    let pattern = json!({ "method": "POST", "path": "/api/v1/tenants" });
    stage.fault(&json!({ "match": pattern, "nth": 1, "action": { "retry_after": { "seconds": 100 } } }));
    let mut run = Working::start(&stage, APPLY, &["--yes"]);
    run.until("so nothing was made; it is asked again when it does");
    run.until("it asks for 100 s; at most 9");
    run.signal(Signal::KILL);
    run.ends();
    stage.apply(&["--yes"]).exits(0);
    assert_eq!(stage.tenants().len(), 1);
}

// ---- servers and programs that say nothing -----------------------------------------------------------------------------------

#[test]
fn a_host_that_hangs_is_named_and_a_signal_or_the_runs_time_ends_the_reading() {
    let stage = made(ONE_TENANT);
    fault(&stage, "GET", KEYS, &json!("hang"));
    for program in [PLAN, APPLY] {
        let mut run = Working::start(&stage, program, &["--timeout", "300", "--max-run", "PT5S"]);
        run.until(".us.qlikcloud.com: no answer yet; at most 29");
        run.ends()
            .exits(1)
            .says("the run's own time is over (--max-run PT5S) while things were read; nothing was changed");
    }
    let run = Working::start(&stage, APPLY, &["--timeout", "300"]);
    stage.control("GET", "/wait", &Value::Null);
    run.signal(Signal::INT);
    run.ends().exits(1).says("a signal asked to stop while things were read; nothing was changed");
    stage.control("DELETE", "/faults", &Value::Null);
    stage.control("POST", "/release", &Value::Null);
    stage.apply(&["--yes"]).exits(0);
}

#[test]
fn a_program_of_a_sink_that_does_not_end_is_named_and_the_run_ends_at_last_whatever_it_does() {
    let settings = SETTINGS.replace(
        "{ kind: file, directory: ./secrets, durable: true }",
        "{ kind: command, deliver: [./put], timeout: PT10M }",
    );
    let desired = ONE_TENANT.replace("\n        reporting:", "\n        #");
    let cloud = Cloud::new(&desired);
    cloud.write_settings(&settings);
    let put = cloud.stage.dir().join("put");
    std::fs::write(&put, "#!/bin/sh\ncat >/dev/null\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&put, std::fs::Permissions::from_mode(0o700)).unwrap();
    cloud.apply(&["ledger", "init"]).exits(0);
    let began = Instant::now();
    let run = cloud.apply(&["--yes", "--unrehearsed", "--timeout", "1", "--max-run", "PT4S"]).exits(1);
    assert!(began.elapsed() < SOON);
    run.says("waiting for ./put: it is at work; at most 5")
        .says("the run's own time (--max-run PT4S) is over for long, and it did not end, still waiting for ./put")
        .says("it ends now as if it was killed");
}
