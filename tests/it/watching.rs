//! What a person at a terminal sees while a run works: how far it is, its pace, and how long it will still take.

use serde_json::json;

use crate::stage::{APPLY, PLAN, Run, Stage};
use crate::terminal::{Streams, at};

/// Tenants without keys.
fn tenants(count: usize) -> String {
    let tenants = (0..count).map(|n| format!("    t-{n}: {{ account: us-oem, display_name: Tenant {n} }}\n"));
    tenants.fold("version: 1\nqlik:\n  tenants:\n".to_owned(), |text, tenant| text + &tenant)
}

/// A program whose output is a terminal; both streams arrive as one.
fn at_a_terminal(stage: &Stage, line: &str, env: &[(&str, &str)]) -> Run {
    let mut command = stage.command("sh");
    command.args(["-c", &format!("exec {line}")]).envs(env.iter().copied());
    at(command, Streams::All, "")
}

/// What was drawn over itself: everything behind a carriage return and an erased line.
fn drawn(run: &Run) -> Vec<String> {
    let parts = run.out.split("\r\u{1b}[2K").skip(1);
    parts.map(|part| part.split(['\r', '\n']).next().unwrap().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn a_terminal_shows_who_is_asked_before_the_first_tenant_is_read() {
    let stage = Stage::new(&tenants(2));
    stage.apply(&["--yes"]).exits(0);
    stage.control("POST", "/latency", &json!({ "ms": 1_500 }));
    let run = at_a_terminal(&stage, &format!("{PLAN} --sandbox"), &[("TERM", "xterm")]).exits(0);
    let seen = drawn(&run);
    assert!(seen.iter().any(|text| text.starts_with("reading: 0 of 2 tenants, asking ")), "{seen:?}");
}

#[test]
fn a_plan_keeps_to_the_width_of_a_terminal_and_not_of_a_pipe() {
    let stage = Stage::new(&tenants(3));
    for columns in [60, 80, 200] {
        let line = format!("{PLAN} --sandbox -q");
        let width = columns.to_string();
        let run = at_a_terminal(&stage, &line, &[("TERM", "dumb"), ("COLUMNS", &width)]).exits(0);
        assert!(run.out.contains("create tenant") && run.out.contains("desired.yaml:4"), "{}", run.out);
        let long: Vec<&str> = run.out.lines().filter(|line| line.chars().count() > columns).collect();
        assert!(long.iter().all(|line| line.contains("qlik-")), "only a command is longer: {long:?}");
    }
    let mut piped = stage.command(PLAN);
    piped.args(["--sandbox", "-q"]).env("COLUMNS", "60");
    let piped = Run::of(&piped.output().unwrap());
    assert!(
        piped.out.contains("tenant:       qlik/t-0, made by this plan (hostname known after apply)"),
        "{}",
        piped.out
    );
}

#[test]
fn a_terminal_shows_pace_and_remaining_time_and_a_pipe_does_not() {
    let stage = Stage::new(&tenants(5));
    stage.control("POST", "/latency", &json!({ "ms": 100 }));
    let line = format!("{APPLY} --sandbox --yes --parallelism 1");
    let run = at_a_terminal(&stage, &line, &[("TERM", "xterm")]).exits(0);
    let seen = drawn(&run);
    let paced = |text: &&String| text.contains(" of 10 actions, ") && text.ends_with(" left");
    assert!(seen.iter().filter(paced).any(|text| text.starts_with("applying: ")), "{seen:?}");
    // Nothing of it is left where the report stands, and no event is torn.
    let end = run.out.rsplit("\r\u{1b}[2K").next().unwrap();
    assert!(end.contains("Made:") && !end.contains("applying:"), "{end:?}");

    let line = format!("{PLAN} --sandbox --parallelism 1");
    let seen = drawn(&at_a_terminal(&stage, &line, &[("TERM", "xterm")]).exits(0));
    assert!(seen.iter().any(|text| text.starts_with("reading: ") && text.contains(" of 5 tenants, ")), "{seen:?}");
    // A terminal that cannot take a line back is not given one.
    assert_eq!(drawn(&at_a_terminal(&stage, &line, &[("TERM", "dumb")]).exits(0)), Vec::<String>::new());
    let piped = stage.plan(&["--parallelism", "1"]).exits(0);
    assert!(!piped.all().contains("reading:") && !piped.all().contains('\u{1b}'), "{}", piped.all());
}
