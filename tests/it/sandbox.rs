//! `qlik-sandbox` as a person at a shell meets it: its help, its codes, and what it says to a mistake.

use crate::stage::{ONE_TENANT, Run, SANDBOX, Stage, clean};

fn sandbox(stage: &Stage, args: &[&str]) -> Run {
    Run::of(&stage.command(SANDBOX).args(args).output().unwrap())
}

#[test]
fn help_alone_is_enough_to_begin() {
    let dir = tempfile::tempdir().unwrap();
    let help = |args: &[&str]| Run::of(&clean(SANDBOX, dir.path()).args(args).output().unwrap()).exits(0);
    help(&["--help"]).says("qlik-sandbox exec -- ./my-script").says("qlik-apply --sandbox").says("docs/sandbox.md");
    help(&["serve", "--help"]).says("`. ENV`").says("loopback only");
    help(&["exec", "--help"]).says("qlik-sandbox exec -- sh").says("The command and its arguments");
    help(&["control", "--help"]).says("GET, POST, DELETE  faults").says("control POST clock").says("reset");
    // Nothing was started for it.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_mistake_is_told_with_what_to_do() {
    let stage = Stage::new(ONE_TENANT);
    for (args, code, words) in [
        (vec!["exec", "--", "no-such-command-5a1"], 127, "cannot run no-such-command-5a1"),
        (vec!["exec", "--", "sh", "-c", "exit 7"], 7, ""),
        (vec!["exec", "--", "sh", "-c", "kill -TERM $$"], 143, ""),
        (vec!["serve"], 1, "use that one (`qlik-sandbox exec` and `control` do), stop it, or say --state"),
        (vec!["serve", "--state", "other", "--listen", "0.0.0.0:1"], 1, "use 127.0.0.1 or [::1]"),
        (vec!["control", "GET", "nonsense"], 1, "there is no control call /control/nonsense: there are requests, wait"),
        (vec!["control", "PUT", "clock"], 1, "clock takes GET, POST, not PUT"),
        (vec!["control", "POST", "faults"], 1, "this call takes a JSON body"),
        (vec!["control", "POST", "faults", "nonsense"], 1, "the body is not JSON"),
        (vec!["control", "POST", "faults", r#"{"action":"explode"}"#], 1, "expected one of `drop_before`"),
        (vec!["control", "POST", "switches", r#"{"nonsense":1}"#], 1, "expected one of `bot_may_mint`"),
        (vec!["control", "GET", "clock", "--state", "other"], 1, "start one with `qlik-sandbox serve`"),
        (vec!["control", "get", "/control/clock"], 0, r#""speed":1"#),
    ] {
        sandbox(&stage, &args).exits(code).says(words);
    }
}
