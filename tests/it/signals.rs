//! A terminal that is closed, and who else asks a program to end: what is in flight is finished first, and a run that was told not to
//! care does not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::stage::{APPLY, ONE_TENANT, Run, SANDBOX, Stage, clean};

const TENANTS: &str = "/api/v1/tenants";

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// An apply whose creation of a tenant is at the vendor, started by this shell line, which ends with `exec`.
fn creating(stage: &Stage, line: &str) -> Child {
    stage.fault(&json!({ "match": { "method": "POST", "path": TENANTS }, "nth": 1, "action": "pause" }));
    let mut command = stage.command("sh");
    command.args(["-c", &format!("{line} {APPLY} --sandbox --yes")]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    stage.control("GET", "/wait", &Value::Null);
    child
}

/// Waits until the program has said that it stops.
fn until_it_stops(err: &mut impl std::io::BufRead) {
    let mut line = String::new();
    while !line.contains("stopping: nothing new is started") {
        line.clear();
        assert_ne!(err.read_line(&mut line).unwrap(), 0, "it ended without a word of stopping");
    }
}

#[test]
fn a_terminal_that_closes_tells_it_twice_and_the_tenant_is_still_recorded() {
    // Its shell passes the signal on, and the kernel sends another when the shell is gone: that is no second request to hurry.
    let stage = Stage::new(ONE_TENANT);
    let mut child = creating(&stage, "exec");
    let mut err = BufReader::new(child.stderr.take().unwrap());
    send(&child, Signal::HUP);
    until_it_stops(&mut err);
    send(&child, Signal::HUP);
    stage.control("POST", "/release", &Value::Null);
    let run = Run::of(&child.wait_with_output().unwrap()).exits(1);
    run.says("1 tenant created").says("Stopped early");
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 0));
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}

#[test]
fn a_slow_creation_is_finished_when_the_terminal_goes_and_nobody_reads_any_more() {
    for signal in [Signal::HUP, Signal::QUIT, Signal::TERM, Signal::INT] {
        let stage = Stage::new(ONE_TENANT);
        let slow = json!({ "match": { "method": "POST", "path": TENANTS }, "action": { "slow": { "ms": 300 } } });
        let mut child = creating(&stage, "exec");
        stage.fault(&slow);
        // Both ends are gone: what it writes fails from now on.
        drop((child.stdout.take(), child.stderr.take()));
        send(&child, signal);
        stage.control("POST", "/release", &Value::Null);
        assert_eq!(child.wait().unwrap().code(), Some(1), "{signal:?}");
        // The tenant is bound, not in doubt: the next run goes on.
        stage.settle();
        assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2), "{signal:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_started_to_outlive_its_terminal_does() {
    // `nohup`, and what a shell without job control starts in the background.
    for (line, signal) in [
        ("exec nohup", Signal::HUP),
        ("trap '' HUP; exec", Signal::HUP),
        ("trap '' INT QUIT; exec", Signal::INT),
        ("trap '' INT QUIT; exec", Signal::QUIT),
    ] {
        let stage = Stage::new(ONE_TENANT);
        let child = creating(&stage, line);
        send(&child, signal);
        stage.control("POST", "/release", &Value::Null);
        Run::of(&child.wait_with_output().unwrap()).exits(0).says("2 keys created");
        assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2), "{line}");
    }
}

fn serving(dir: &std::path::Path, line: &str) -> (Child, Value) {
    let mut command: Command = clean("sh", dir);
    command.args(["-c", &format!("{line} {SANDBOX} serve --listen 127.0.0.1:0")]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    (child, serde_json::from_str(&ready).unwrap())
}

#[test]
fn a_sandbox_whose_terminal_closes_ends_as_at_an_interrupt() {
    for signal in [Signal::HUP, Signal::QUIT, Signal::INT, Signal::TERM] {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, ready) = serving(dir.path(), "exec");
        assert!(ready["proxy"].is_string());
        send(&child, signal);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_command_in_the_sandbox_answers_its_terminal_itself() {
    let dir = tempfile::tempdir().unwrap();
    // The terminal's signals reach both; who only passes them on would make two of each.
    let script = "trap 'echo hung up; exit 7' HUP; trap 'exit 8' TERM; kill -HUP $PPID; kill -HUP $$; exit 9";
    let mut command = clean(SANDBOX, dir.path());
    let run = Run::of(&command.args(["exec", "--", "sh", "-c", script]).output().unwrap()).exits(7);
    assert_eq!(run.out, "hung up\n");
}
