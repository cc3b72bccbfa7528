//! Secrets of settings that programs print: asked for once, by those runs alone that need them, and shown nowhere.

use std::os::unix::fs::PermissionsExt;

use crate::aws::disguises;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SANDBOX, SETTINGS, Stage};

/// Says what it was started with, and prints the file that it is told.
const PROGRAM: &str = "#!/bin/sh
{ echo \"asked for $*\"; env | sed 's/=.*//' | grep -vxE 'PWD|OLDPWD|SHLVL|_' | sort | tr '\\n' ' '; echo; } >>ran
cat \"store/$1\"
";

/// The credentials of the sandbox lie where only the program looks.
fn stage(program: &str) -> Stage {
    let of = |name: &str| format!("{{ command: [./print, {name}, \"$HOME; `id`\"] }}");
    let mut settings = SETTINGS.to_owned();
    for name in ["QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET", "QLIK_KEY_CLIENT_ID", "QLIK_KEY_CLIENT_SECRET"] {
        settings = settings.replace(&format!("{{ env: {name} }}"), &of(name));
    }
    let stage = Stage::with_settings(ONE_TENANT, &settings);
    std::fs::create_dir(stage.dir().join("store")).unwrap();
    print(&stage, program);
    stage
        .shell("for name in QLIK_CLIENT_ID QLIK_CLIENT_SECRET QLIK_KEY_CLIENT_ID QLIK_KEY_CLIENT_SECRET; do printenv $name >store/$name; done")
        .exits(0);
    stage
}

/// Puts the program there. One that is open for writing cannot be started, and another test's child may have it open: so it is renamed.
fn print(stage: &Stage, program: &str) {
    let (draft, print) = (stage.dir().join("draft"), stage.dir().join("print"));
    std::fs::write(&draft, program).unwrap();
    std::fs::set_permissions(&draft, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::rename(draft, print).unwrap();
}

/// What the programs were started with since this was last asked.
fn ran(stage: &Stage) -> Vec<String> {
    let file = stage.dir().join("ran");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    drop(std::fs::remove_file(file));
    text.lines().map(str::to_owned).collect()
}

fn run(stage: &Stage, program: &str, args: &[&str]) -> Run {
    let mut command = stage.command(SANDBOX);
    command.args(["exec", "--", "env"]);
    for name in ["QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET", "QLIK_KEY_CLIENT_ID", "QLIK_KEY_CLIENT_SECRET"] {
        command.args(["-u", name]);
    }
    command.env("CANARY_OF_THE_RUN", "which-no-program-may-see").arg(program).args(args);
    Run::of(&command.output().unwrap())
}

#[test]
fn a_program_is_asked_once_for_each_value_and_sees_little() {
    let stage = stage(PROGRAM);
    let mut seen = vec![run(&stage, APPLY, &["ledger", "init"]).exits(0).all()];
    seen.push(run(&stage, APPLY, &["rehearse", "us-oem"]).exits(0).all());
    ran(&stage);
    seen.push(run(&stage, APPLY, &["--yes"]).exits(0).all());
    let lines = ran(&stage);
    let (asked, environments): (Vec<&String>, Vec<&String>) =
        lines.iter().partition(|line| line.starts_with("asked for "));
    let mut names: Vec<&str> = asked.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET", "QLIK_KEY_CLIENT_ID", "QLIK_KEY_CLIENT_SECRET"]);
    // No shell has touched the argument.
    assert!(asked.iter().all(|line| line.ends_with("$HOME; `id`")), "{asked:?}");
    for environment in environments {
        let few = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR"];
        assert!(environment.split_whitespace().all(|name| few.contains(&name)), "{environment}");
        assert!(environment.contains("PATH"), "{environment}");
    }
    seen.push(run(&stage, PLAN, &["--detailed-exitcode"]).exits(0).all());
    // doctor reads every secret before it plans, and asks no program twice.
    ran(&stage);
    seen.push(run(&stage, PLAN, &["doctor"]).exits(0).all());
    assert_eq!(ran(&stage).len(), 8);

    seen.extend(
        std::fs::read_dir(stage.dir().join(".qlik-plan/ledger"))
            .unwrap()
            .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok()),
    );
    assert!(seen.len() > 5, "the ledger was not read");
    for name in ["QLIK_CLIENT_SECRET", "QLIK_KEY_CLIENT_SECRET"] {
        let secret = std::fs::read_to_string(stage.dir().join("store").join(name)).unwrap();
        for form in disguises(secret.trim()) {
            assert!(seen.iter().all(|text| !text.contains(&form)), "{form}");
        }
    }
}

#[test]
fn whoever_needs_no_secret_starts_no_program() {
    let stage = stage(PROGRAM);
    run(&stage, PLAN, &["validate"]).exits(0);
    run(&stage, PLAN, &["doctor", "--scopes"]).exits(0);
    run(&stage, PLAN, &["schema", "settings"]).exits(0);
    run(&stage, PLAN, &["completions", "bash"]).exits(0);
    let mut completing = stage.command(PLAN);
    completing.env("QLIK_PLAN_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "1").args(["--", "qlik-plan", ""]);
    Run::of(&completing.output().unwrap()).exits(0);
    run(&stage, PLAN, &["--settings", "nowhere.yaml"]).exits(1);
    assert_eq!(ran(&stage), Vec::<String>::new());
    run(&stage, APPLY, &["ledger", "init"]).exits(0);
    assert_eq!(ran(&stage), Vec::<String>::new());
    run(&stage, APPLY, &["rehearse", "us-oem"]).exits(0);
    run(&stage, PLAN, &["--snapshot", "live.json"]).exits(0);
    ran(&stage);
    // Offline nobody is asked, as with a file.
    run(&stage, PLAN, &["--live", "live.json"]).exits(0);
    assert_eq!(ran(&stage), Vec::<String>::new());
}

#[test]
fn a_program_that_fails_is_named_and_nothing_that_it_printed_is() {
    let stage = stage(PROGRAM);
    run(&stage, APPLY, &["ledger", "init"]).exits(0);
    stage.forget_requests();
    const SECRET: &str = "hunter2-is-the-secret-of-all";
    for (script, what, next) in [
        (
            format!("#!/bin/sh\necho {SECRET}\necho 'the keychain is locked' >&2\nexit 51\n"),
            "./print ended with exit code 51: the keychain is locked",
            "run ./print by hand",
        ),
        (format!("#!/bin/sh\necho {SECRET}\nprintf 'x\\033[2J\\n' >&2\nexit 1\n"), "exit code 1: x\\u{1b}[2J", "next:"),
        (
            format!("#!/bin/sh\necho {SECRET}\necho not {SECRET} >&2\nexit 2\n"),
            "exit code 2: (not shown: it holds a secret)",
            "next:",
        ),
        ("#!/bin/sh\n".to_owned(), "accounts.us-oem.client.id is empty", "set the value"),
        (
            format!("#!/bin/sh\necho {SECRET}\necho\n"),
            "what ./print prints ends with a line end",
            "let ./print print it as UTF-8 text",
        ),
        (format!("#!/bin/sh\necho {SECRET}\necho {SECRET}\n"), "what ./print prints holds a line end", "on one line"),
        (format!("{SECRET}\n"), "does not begin with `#!`", "as in #!/bin/sh"),
    ] {
        print(&stage, &script);
        for (program, args) in [(APPLY, &["--yes"][..]), (PLAN, &[]), (PLAN, &["doctor"])] {
            let run = run(&stage, program, args).exits(1).says("accounts.us-oem.client.id").says(what).says(next);
            assert!(!run.all().contains(SECRET) && !run.all().contains('\u{1b}'), "{}", run.all());
        }
    }
    std::fs::remove_file(stage.dir().join("print")).unwrap();
    run(&stage, APPLY, &["--yes"]).exits(1).says("./print is not there");
    assert_eq!(stage.changes(), Vec::<String>::new());
}
