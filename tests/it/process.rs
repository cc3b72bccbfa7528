//! The process itself: words that are no UTF-8, no panic's code, what a signal leaves, and who may look into its memory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, SETTINGS, Stage, clean};

/// `café.yaml` as Latin-1 has it.
const LATIN: &[u8] = b"caf\xe9.yaml";

fn latin() -> OsString {
    OsStr::from_bytes(LATIN).to_owned()
}

/// An exit of the table, a word, and one JSON document where JSON was asked for.
#[track_caller]
fn ends_well(mut command: Command, what: &str) -> Run {
    let json = command.get_args().any(|arg| arg == "json");
    let run = Run::of(&command.output().unwrap());
    assert!(matches!(run.code, Some(0..=8)), "{what}: {:?}\n{}", run.code, run.all());
    assert!(!run.all().contains("internal error") && !run.all().contains("panicked"), "{what}:\n{}", run.all());
    assert!(run.code == Some(0) || !run.err.is_empty(), "{what}: nothing is said");
    if json {
        let document: Value = serde_json::from_str(&run.out).unwrap_or_else(|e| panic!("{what}: {e}\n{}", run.all()));
        assert!(run.code == Some(0) || document["error"]["message"].is_string(), "{what}:\n{}", run.out);
    }
    run
}

#[test]
fn a_file_whose_name_is_not_utf8_is_read_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    std::fs::write(dir.path().join(latin()), ONE_TENANT).unwrap();
    for format in ["text", "json"] {
        for verb in [&["validate"] as &[&str], &[]] {
            let mut command = clean(PLAN, dir.path());
            command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml");
            command.args(verb).args(["--format", format]).arg(latin());
            let run = ends_well(command, "named");
            assert!(!verb.is_empty() || run.err.contains("QLIK_CLIENT_ID"), "{}", run.err);
            assert!(verb.is_empty() || run.code == Some(0), "{}", run.err);
        }
    }
    std::fs::write(dir.path().join(latin()), "version: 2\n").unwrap();
    let mut command = clean(PLAN, dir.path());
    command.args(["validate", "--format", "json"]).arg(latin());
    assert!(ends_well(command, "faulty").out.contains("caf\u{fffd}.yaml"));
}

#[test]
fn words_and_variables_that_are_not_utf8_are_refused_or_read_and_never_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    std::fs::write(dir.path().join("desired.yaml"), ONE_TENANT).unwrap();
    for (program, words) in [
        (PLAN, &["--format"] as &[&str]),
        (PLAN, &["--also"]),
        (PLAN, &["--settings"]),
        (PLAN, &["--live"]),
        (PLAN, &["--out"]),
        (PLAN, &["--remint"]),
        (PLAN, &["explain"]),
        (PLAN, &["schema"]),
        (APPLY, &["--plan"]),
        (APPLY, &["--approve"]),
        (APPLY, &["ledger"]),
        (APPLY, &["ledger", "mv", "qlik/acme"]),
        (APPLY, &["resolve"]),
        (APPLY, &["resolve", "qlik/acme", "--adopt"]),
        (APPLY, &["rehearse"]),
        (APPLY, &["--no-such-option"]),
    ] {
        for format in [&[] as &[&str], &["--format", "json"], &["--format=json"]] {
            let mut command = clean(program, dir.path());
            command.args(format).args(words).arg(latin());
            ends_well(command, &format!("{words:?} {format:?}"));
        }
    }
    for variable in [
        "QLIK_PLAN_SETTINGS",
        "QLIK_CLIENT_ID",
        "QLIK_CLIENT_SECRET",
        "CI",
        "TERM",
        "HOME",
        "PATH",
        "COLUMNS",
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "LANG",
        "TMPDIR",
        "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "AWS_SECRET_ACCESS_KEY",
        "NOBODY_KNOWS",
    ] {
        for (program, words) in [(PLAN, &["--format", "json"] as &[&str]), (PLAN, &["validate"]), (APPLY, &["--yes"])] {
            let mut command = clean(program, dir.path());
            command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml").env(variable, latin());
            command.args(words).arg("desired.yaml");
            let run = ends_well(command, variable);
            if variable.starts_with("QLIK_CLIENT") && words != ["validate"] {
                assert!(run.err.contains(&format!("the environment variable {variable} is not UTF-8")), "{}", run.err);
            }
        }
    }
    let mut command = clean(SANDBOX, dir.path());
    command.args(["control", "GET", "requests"]).env("QLIK_SANDBOX_STATE", latin());
    ends_well(command, "QLIK_SANDBOX_STATE");
    for words in [&["exec", "--", "true"] as &[&str], &["serve", "--listen", "127.0.0.1:0"]] {
        let mut command = clean(SANDBOX, dir.path());
        command.args(words).env("QLIK_SANDBOX_STATE", latin());
        ends_well(command, "QLIK_SANDBOX_STATE").exits(1).says("is not UTF-8");
    }
}

#[test]
fn a_folder_whose_name_is_not_utf8_is_worked_in_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(latin());
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    std::fs::write(folder.join("desired.yaml"), ONE_TENANT).unwrap();
    let run = |program: &str, words: &[&str]| {
        let mut command = clean(program, &folder);
        command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml").args(words);
        ends_well(command, &format!("{words:?}"))
    };
    run(PLAN, &["validate"]).exits(0);
    run(APPLY, &["ledger", "init", "--format", "json"]);
    run(PLAN, &["--sandbox", "--format", "json"]).exits(1).says("is not UTF-8");
}

/// A program that was told to end by a signal, as its parent sees it.
fn signalled(stage: &Stage, program: &str, words: &[&str], signal: &str) -> std::process::Output {
    stage.control("POST", "/faults", &json!({ "match": { "path": "/oauth/token" }, "nth": 1, "action": "hang" }));
    let mut command = stage.command(program);
    command.arg("--sandbox").args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    assert!(stage.holds_a_request_of(&mut child), "it ended before it asked");
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait_with_output().unwrap()
}

/// The table of exit codes in docs/commands.md: a plan changes nothing and ends at once; a shell calls that 128 and the signal's number.
#[test]
fn a_signal_ends_a_plan_at_once() {
    let stage = Stage::new(ONE_TENANT);
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1), ("KILL", 9)] {
        let output = signalled(&stage, PLAN, &[], name);
        assert_eq!(output.status.signal(), Some(number), "{:?}", Run::of(&output).all());
    }
}

/// The owner of what the kernel shows of a process is its user, or root where nobody else may look (proc(5),
/// PR_SET_DUMPABLE): neither its environment, nor its memory, nor its files. A core dump follows the same mark.
#[cfg(target_os = "linux")]
#[test]
fn no_other_process_of_the_same_user_reads_environment_or_memory() {
    const NOBODY: u32 = 65_534;
    let stage = Stage::new(ONE_TENANT);
    let by_root = std::fs::metadata(stage.dir()).unwrap().uid() == 0;
    // Root owns what it shows anyway, so as root the programs are run as somebody else, from a place that these may read.
    let place = tempfile::tempdir().unwrap();
    let open = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    };
    open(place.path());
    std::fs::write(place.path().join("qlik-plan.settings.yaml"), SETTINGS).unwrap();
    std::fs::write(place.path().join("desired.yaml"), ONE_TENANT).unwrap();
    for (program, words) in [
        (PLAN, &["--sandbox"] as &[&str]),
        (APPLY, &["--sandbox", "--yes"]),
        (SANDBOX, &["serve", "--listen", "127.0.0.1:0"]),
    ] {
        let copy = place.path().join(std::path::Path::new(program).file_name().unwrap());
        std::fs::copy(program, &copy).unwrap();
        open(&copy);
        let mut command = clean(copy.to_str().unwrap(), place.path());
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        if by_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        // What it would show were it not withheld.
        let mut plain = Command::new("sleep");
        plain.arg("60");
        if by_root {
            plain.uid(NOBODY).gid(NOBODY);
        }
        let mut plain = plain.spawn().unwrap();
        let owner = |pid: u32, file: &str| std::fs::metadata(format!("/proc/{pid}/{file}")).map(|found| found.uid());
        let mut child = command.spawn().unwrap();
        // The first byte that it prints comes after it read its environment; what it holds is withheld before.
        let mut byte = [0];
        let out = std::io::Read::read(child.stdout.as_mut().unwrap(), &mut byte).unwrap();
        let found: Vec<_> = ["environ", "mem", "maps"].iter().map(|file| owner(child.id(), file).ok()).collect();
        let usual = owner(plain.id(), "environ").unwrap();
        child.kill().unwrap();
        plain.kill().unwrap();
        let said = child.wait_with_output().unwrap();
        plain.wait().unwrap();
        assert_eq!(out, 1, "{program}: {}", String::from_utf8_lossy(&said.stderr));
        assert_ne!(usual, 0, "the harness sees no difference");
        assert_eq!(found, [Some(0); 3], "{program}");
    }
}
