//! Settings and desired state that a shell hands over: `-` and the pipes below /dev/fd.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::stage::{ONE_TENANT, PLAN, Run, SETTINGS, Stage};

/// A plan in the sandbox with this on its standard input, through a pipe.
fn fed(stage: &Stage, input: &str, args: &[&str]) -> Run {
    let mut command = stage.command(PLAN);
    command.arg("--sandbox").args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that refuses its line reads nothing.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    Run::of(&child.wait_with_output().unwrap())
}

#[test]
fn desired_state_and_settings_come_from_standard_input() {
    let stage = Stage::new(ONE_TENANT);
    let dir = stage.dir();
    fs::write(dir.join("settings.yaml"), SETTINGS).unwrap();
    fs::write(dir.join("estate.yaml"), ONE_TENANT).unwrap();
    let planned = stage.plan(&["--settings", "settings.yaml", "estate.yaml"]).exits(0).out;
    for name in ["-", "/dev/stdin"] {
        let run = fed(&stage, ONE_TENANT, &["--settings", "settings.yaml", name]).exits(0);
        assert_eq!(run.out.replace(&format!("{name}:"), "estate.yaml:").replace("  ", ""), planned.replace("  ", ""));
        let run = fed(&stage, SETTINGS, &["--settings", name, "estate.yaml"]).exits(0);
        assert_eq!(run.out, planned);
        fed(&stage, SETTINGS, &["--settings", name, name]).exits(1).says("can be read once");
        fed(&stage, "version: 1\nqlik: {}\nqlik: {}\n", &["validate", name]).exits(1).says(&format!("{name}:3"));
    }
    // Paths in settings from a pipe are those of the working directory.
    let run = fed(&stage, SETTINGS, &["validate", "--settings", "-", "estate.yaml"]);
    run.exits(0);
}

#[test]
fn what_is_empty_or_too_large_on_standard_input_says_so() {
    let stage = Stage::new(ONE_TENANT);
    fed(&stage, "", &["validate", "-"]).exits(1).says("version");
    let large = "# line\n".repeat(3 * 1024 * 1024);
    fed(&stage, &large, &["validate", "-"]).exits(1).says("-: is larger than 16 MiB");
}
