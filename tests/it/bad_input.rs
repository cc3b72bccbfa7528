//! Bad input ends before anything is sent: the place, the way out, exit 1, no secret, no panic; the same as JSON.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage, clean};
use crate::terminal::at_a_terminal;

/// Stands wherever a value must not be repeated.
const CANARY: &str = "canary-5up3r-53cr37";

/// A file's contents, and what must be said about it: where, what, and what to do.
struct Case {
    name: &'static str,
    text: String,
    place: &'static str,
    what: &'static str,
    way_out: &'static str,
}

fn case(
    name: &'static str,
    text: impl Into<String>,
    place: &'static str,
    what: &'static str,
    way_out: &'static str,
) -> Case {
    Case { name, text: text.into(), place, what, way_out }
}

/// The good desired state with one line made bad.
fn with(line: &str, bad: &str) -> String {
    assert!(ONE_TENANT.contains(line), "{line}");
    ONE_TENANT.replacen(line, bad, 1)
}

fn desired_cases() -> Vec<Case> {
    let name = "      display_name: Acme Corp\n";
    let twice = "    globex: { account: us-oem, alias: ACME-analytics }\n";
    let levels: String =
        (1..9).map(|level| format!("l{level}: &l{level} [*l{0}, *l{0}, *l{0}]\n", level - 1)).collect();
    vec![
        case(
            "unknown key",
            with(name, &format!("      displayname: {CANARY}\n")),
            "desired.yaml:6:7",
            "unknown key `displayname`",
            "did you mean `display_name`?",
        ),
        case(
            "duplicate key",
            with(name, "      display_name: A\n      display_name: B\n"),
            "desired.yaml:7:7",
            "display_name",
            "desired.yaml:6:7",
        ),
        case("alias", with(name, "      display_name: *x\n"), "desired.yaml:6:21", "YAML aliases", "write the value"),
        case("tag", with(name, "      display_name: !text Acme\n"), "desired.yaml:6:21", "YAML tags", "leave it out"),
        case("wrong type", with(name, "      display_name: [a]\n"), "desired.yaml:6:21", "display_name", "text"),
        case(
            "two tenants with one alias",
            format!("{ONE_TENANT}{twice}"),
            "desired.yaml:13:39",
            "acme-analytics",
            "desired.yaml:7:",
        ),
        case(
            "unknown sink",
            with("deliver_to: files", "deliver_to: flies"),
            "desired.yaml:11:111",
            "called `flies`",
            "did you mean `files`?",
        ),
        case("unknown account", with("account: us-oem", "account: us-eom"), "desired.yaml:5:16", "us-eom", "us-oem"),
        case(
            "renew_before not below expires_in",
            with("renew_before: P1D", "renew_before: PT168H"),
            "desired.yaml:11:94",
            "it would always be due",
            "say less than P7D",
        ),
        case(
            "name",
            with("    acme:", "    Acme_Corp:"),
            "desired.yaml:4:5",
            "starts with a letter or digit; found 'A'",
            "`acme-corp` would do",
        ),
        case("key name", with("        ci:", "        c.i:"), "desired.yaml:11:9", "found '.'", "`c-i` would do"),
        case("empty", "", "desired.yaml:1:1", "empty", "version: 1"),
        case("bomb", format!("l0: &l0 [x, x]\n{levels}version: 1\n"), "desired.yaml:1:5", "YAML anchors", "write"),
        case("not YAML", "version: 1\nqlik: {\n", "desired.yaml:2:7", "is not closed", "close it"),
    ]
}

/// Every way of saying it to the programs, and what each must hold to.
fn refuses(stage: &Stage, name: &str, words: &[&str]) {
    stage.forget_requests();
    let plan = stage.plan(&[]);
    let apply = stage.apply(&["--yes"]);
    let json = stage.plan(&["--format", "json"]);
    let json_apply = stage.apply(&["--yes", "--format", "json"]);
    let validate = Run::of(&stage.command(PLAN).arg("validate").output().unwrap());
    for run in [&plan, &apply, &json, &json_apply, &validate] {
        assert_eq!(run.code, Some(1), "{name}: {}", run.all());
        for word in words {
            assert!(run.err.contains(word), "{name}: {word:?} is not in\n{}", run.err);
        }
        assert!(!run.all().contains(CANARY), "{name} repeats a secret:\n{}", run.all());
        assert!(!run.all().contains("panicked"), "{name}:\n{}", run.all());
    }
    assert_eq!((plan.out.as_str(), apply.out.as_str(), validate.out.as_str()), ("", "", ""), "{name}");
    for run in [json, json_apply] {
        let document = valid_json(&run);
        assert_eq!(document["format"], json!("qlik-plan/error"), "{name}");
        assert_eq!(document["verdict"]["exit"], json!(1), "{name}");
    }
    assert_eq!(stage.requests(), Vec::<Value>::new(), "{name}");
}

/// Stdout as one JSON document that the published schema describes.
#[track_caller]
fn valid_json(run: &Run) -> Value {
    let document: Value = serde_json::from_str(&run.out).unwrap();
    let schema: Value = serde_json::from_str(include_str!("../../schemas/plan.v1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new(), "{}", run.out);
    document
}

#[test]
fn a_bad_desired_state_is_refused_with_its_place_before_anything_is_sent() {
    let stage = Stage::new(ONE_TENANT);
    for Case { name, text, place, what, way_out } in desired_cases() {
        stage.write_desired(&text);
        refuses(&stage, name, &[place, what, way_out]);
    }
}

#[test]
fn what_is_no_readable_text_is_refused_with_its_path() {
    let stage = Stage::new(ONE_TENANT);
    let file = stage.dir().join("desired.yaml");
    std::fs::write(&file, b"version: 1 # gr\xfc\xdfe\n").unwrap();
    refuses(&stage, "not UTF-8", &["desired.yaml", "not UTF-8 text (byte 16", "save it as UTF-8"]);

    std::fs::File::create(&file).unwrap().set_len(17 * 1024 * 1024).unwrap();
    refuses(&stage, "17 MiB", &["desired.yaml", "larger than 16 MiB", "split it"]);

    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("nowhere.yaml", &file).unwrap();
    refuses(
        &stage,
        "dangling symlink",
        &["desired.yaml", "a link to nowhere.yaml, which is not there", "correct the link"],
    );

    std::fs::remove_file(&file).unwrap();
    refuses(&stage, "no file at all", &["the directory holds no desired state", "name a file"]);

    std::fs::create_dir(&file).unwrap();
    refuses(&stage, "a folder called like a file", &["the directory holds no desired state", "name a file"]);
    let run = stage.plan(&["desired.yaml"]).exits(1);
    assert!(run.err.contains("desired.yaml: the directory holds no desired state"), "{}", run.err);

    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, ONE_TENANT).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o0)).unwrap();
    // Root reads it all the same.
    if std::fs::read(&file).is_err() {
        refuses(&stage, "unreadable", &["desired.yaml", "cannot be read", "permissions"]);
    }
}

#[test]
fn bad_settings_are_refused_and_what_they_hold_is_not_repeated() {
    let stage = Stage::new(ONE_TENANT);
    let secret = "secret: { env: QLIK_CLIENT_SECRET }";
    for (name, from, to, words) in [
        ("a secret in place", secret, format!("secret: {CANARY}"), ["settings.yaml:7:", "secret", "env"]),
        (
            "a secret as a key",
            secret,
            format!("secret: {{ value: {CANARY} }}"),
            ["settings.yaml:7:", "`secret`", "env"],
        ),
        (
            "an unknown key",
            "region: us",
            format!("regoin: {CANARY}"),
            ["settings.yaml:5:", "regoin", "did you mean `region`?"],
        ),
        (
            "a region with dots",
            "region: us",
            "region: us.evil.example".to_owned(),
            ["settings.yaml:5:", "region", "label"],
        ),
        ("an alias", secret, format!("secret: *{CANARY}"), ["settings.yaml:7:", "alias", "write the value"]),
    ] {
        assert!(SETTINGS.contains(from));
        std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), SETTINGS.replacen(from, &to, 1)).unwrap();
        refuses(&stage, name, &words);
    }
}

#[test]
fn every_missing_credential_is_named_and_none_that_is_there_is_shown() {
    let stage = Stage::new(ONE_TENANT);
    let key = stage.dir().join("key-secret");
    let settings = SETTINGS.replace("{ env: QLIK_KEY_CLIENT_SECRET }", "{ file: key-secret }");
    std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings).unwrap();
    let plan = |words: &[&str]| {
        for format in ["text", "json"] {
            let script = format!(
                "unset QLIK_CLIENT_SECRET; QLIK_CLIENT_ID={CANARY} QLIK_KEY_CLIENT_ID=' ' {PLAN} --format {format}"
            );
            let run = stage.shell(&script).exits(1);
            for word in words {
                assert!(run.err.contains(word), "{word:?} is not in\n{}", run.err);
            }
            assert!(!run.all().contains(CANARY), "{}", run.all());
            if format == "json" {
                valid_json(&run);
            }
        }
    };
    let client = "accounts.us-oem.client.secret: the environment variable QLIK_CLIENT_SECRET is not set";
    let id = "accounts.us-oem.key_client.id is empty";
    let file = "accounts.us-oem.key_client.secret: ";
    plan(&[client, "export QLIK_CLIENT_SECRET", id, file, "key-secret cannot be read", "put the credential there"]);

    std::fs::create_dir(&key).unwrap();
    plan(&[client, id, file, "is not a file", "put the credential there"]);

    std::fs::remove_dir(&key).unwrap();
    std::os::unix::fs::symlink("nowhere", &key).unwrap();
    plan(&[client, id, file, "cannot be read"]);

    std::fs::remove_file(&key).unwrap();
    std::fs::write(&key, CANARY.repeat(10_000)).unwrap();
    plan(&[client, id, file, "too many for a credential"]);

    std::fs::write(&key, [CANARY.as_bytes(), b"\xff\xfe"].concat()).unwrap();
    plan(&[client, id, file, "is not UTF-8"]);

    assert_eq!(stage.requests(), Vec::<Value>::new());
}

#[test]
fn a_desired_state_of_200_000_lines_loads() {
    let stage = Stage::new(ONE_TENANT);
    let mut text = "version: 1\nqlik:\n  tenants:\n".to_owned();
    let keys = 40;
    let tenants = 200_000 / (4 + 5 * keys) + 1;
    for tenant in 0..tenants {
        writeln!(text, "    t{tenant}:\n      account: us-oem\n      display_name: Tenant {tenant}\n      api_keys:")
            .unwrap();
        for key in 0..keys {
            writeln!(
                text,
                "        k{key}:\n          description: Key {key}\n          owner: {{ client: {{}} }}\n          expires_in: PT12H\n          deliver_to: files"
            )
            .unwrap();
        }
    }
    assert!(text.lines().count() >= 200_000);
    stage.write_desired(&text);
    let run = Run::of(&stage.command(PLAN).arg("validate").output().unwrap()).exits(0);
    assert_eq!(run.out, format!("Valid: {} objects declared.\n", tenants * (1 + keys)));

    // The way of a plan: it is read, and only then are credentials looked for, of which there are none here.
    let run = Run::of(&stage.command(PLAN).output().unwrap()).exits(1);
    assert!(run.err.contains("the environment variable QLIK_CLIENT_ID is not set"), "{}", run.err);
}

#[test]
fn a_verb_wins_anywhere_and_what_is_neither_verb_nor_path_gets_a_hint() {
    let stage = Stage::new(ONE_TENANT);
    let plan = |args: &[&str]| Run::of(&stage.command(PLAN).args(args).output().unwrap());
    let apply = |args: &[&str]| Run::of(&stage.command(APPLY).args(args).output().unwrap());
    plan(&["desired.yaml", "validate"]).exits(0).says("Valid: 3 objects declared");
    plan(&["settings", "schema"]).exits(0).says("json-schema.org");
    stage.plan(&[]).exits(0);
    apply(&["--sandbox", "list", "ledger"]).exits(0).says("No tenant is recorded");
    stage.forget_requests();

    // A folder of a verb's name is reached as ./validate.
    std::fs::create_dir(stage.dir().join("validate")).unwrap();
    std::fs::write(stage.dir().join("validate/other.yaml"), with("alias: acme-analytics", "alais: x")).unwrap();
    plan(&["validate"]).exits(0);
    plan(&["--settings", "qlik-plan.settings.yaml", "./validate"]).exits(1).says("validate/other.yaml:7:7");
    plan(&["validate", "./validate"]).exits(1).says("validate/other.yaml:7:7");

    for (args, words) in [
        (
            &["valdate"][..],
            ["valdate is neither a command nor an existing file or directory", "did you mean validate?"],
        ),
        (&["nope"], ["nope is neither a command nor an existing file or directory", "validate, schema"]),
        (&["nope.yaml"], ["nope.yaml: there is no such file or directory", "check the path"]),
        (&["--sandbx"], ["unexpected argument '--sandbx'", "'--sandbox'"]),
        (&["--remint", "acme"], ["'acme'", "qlik/acme/ci"]),
        (&["--remint", "qlik/acme"], ["--remint qlik/acme:", "as in qlik/acme/ci"]),
        (
            &["--remint", "qlik/acme/nope"],
            ["--remint qlik/acme/nope: no such key is declared", "the address of a declared key"],
        ),
        (&["--at", "yesterday"], ["--at", "2027-01-15T00:00:00Z"]),
        (&["--parallelism", "0"], ["--parallelism", "from 1 to 256"]),
        (&["--settings", "nowhere.yaml"], ["nowhere.yaml: there is no such file", "check the path"]),
    ] {
        refuses_line(&stage, PLAN, args, &words);
    }
    for (args, words) in [
        (
            &["legder", "list"][..],
            ["legder is neither a command nor an existing file or directory", "did you mean ledger?"],
        ),
        (&["ledger", "lst"], ["lst", "did you mean list?"]),
        (&["ledger"], ["ledger takes one of: init, list, mv, forget", "qlik-apply ledger list"]),
        (&["resolve"], ["resolve needs the address of a tenant", "qlik-apply resolve qlik/NAME"]),
        (
            &["resolve", "qlik/acme/ci"],
            ["this is a key, and a tenant is meant", "give the tenant's address, qlik/acme"],
        ),
        (&["rehearse"], ["rehearse needs the name of an account", "qlik-apply rehearse ACCOUNT"]),
        (&["rehearse", "us-eom"], ["us-eom", "us-oem"]),
        (&["--settle"], ["belongs to the command resolve", "qlik-apply resolve"]),
        (&["--max-run", "1h"], ["--max-run", "PT"]),
        (&["--adopt", "x", "--settle", "resolve", "qlik/acme"], ["--adopt", "--settle"]),
    ] {
        refuses_line(&stage, APPLY, args, &words);
    }
    assert_eq!(stage.requests(), Vec::<Value>::new());
}

/// One bad command line, for a reader and for a program.
#[track_caller]
fn refuses_line(stage: &Stage, program: &str, args: &[&str], words: &[&str]) {
    for json in [false, true] {
        let mut command = stage.command(program);
        command.args(args).arg("--sandbox");
        if json {
            command.arg("--format=json");
        }
        let run = Run::of(&command.output().unwrap()).exits(1);
        for word in words {
            assert!(run.err.contains(word), "{args:?}: {word:?} is not in\n{}", run.err);
        }
        assert!(!run.err.contains("panicked"), "{}", run.err);
        if json {
            assert_eq!(valid_json(&run)["format"], json!("qlik-plan/error"), "{args:?}");
        }
    }
}

#[test]
fn at_a_terminal_settings_are_picked_up_beside_the_desired_state() {
    let stage = Stage::new(ONE_TENANT);
    let below = stage.dir().join("estate");
    std::fs::create_dir(&below).unwrap();
    for file in ["desired.yaml", "qlik-plan.settings.yaml"] {
        std::fs::rename(stage.dir().join(file), below.join(file)).unwrap();
    }
    let command = |args: &[&str]| {
        let mut command = stage.command(PLAN);
        command.args(args).env_remove("QLIK_PLAN_SETTINGS");
        command
    };
    let run = |args: &[&str]| at_a_terminal(command(args), "");
    let found = "the environment variable QLIK_CLIENT_ID is not set";
    run(&["estate"]).exits(1).says("settings: estate/qlik-plan.settings.yaml").says(found);
    run(&["estate/desired.yaml"]).exits(1).says(found);
    run(&[]).exits(1).says("there are no settings at qlik-plan.settings.yaml").says("--settings FILE");
    // The settings file is no desired state, by whatever path.
    run(&["estate/qlik-plan.settings.yaml"]).exits(1).says("is the settings file, not desired state");

    let unattended = |args: &[&str]| Run::of(&command(args).output().unwrap());
    unattended(&["estate", "--settings", "estate/qlik-plan.settings.yaml"]).exits(1).says(found);
    // Nothing real is at stake there.
    unattended(&["estate", "--sandbox"]).exits(0).says("1 tenant and 2 keys to create");
}

#[test]
fn a_reader_that_has_had_enough_is_no_error() {
    let stage = Stage::new(ONE_TENANT);
    for args in [&["schema"][..], &["--sandbox"], &["--sandbox", "--format", "json"], &["--help"], &["--version"]] {
        let mut child = stage.command(PLAN).args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let run = Run::of(&child.wait_with_output().unwrap()).exits(0);
        assert!(run.err.is_empty() || run.err.starts_with("hash: sha256:"), "{args:?}: {}", run.err);
    }
    let mut child = stage.command(PLAN).arg("nope").stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let stage = Stage::new(ONE_TENANT);
    let coloured = |args: &[&str], env: &[(&str, &str)]| {
        let run = Run::of(&stage.command(PLAN).arg("--sandbox").args(args).envs(env.iter().copied()).output().unwrap());
        run.exits(0).out.contains('\u{1b}')
    };
    assert!(!coloured(&[], &[]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "0")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "")]));
    assert!(coloured(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color", "always", "--format", "json"], &[]));

    stage.write_desired("version: 2\n");
    let errors = |args: &[&str]| {
        let run = Run::of(&stage.command(PLAN).arg("--sandbox").args(args).output().unwrap()).exits(1);
        run.err.contains('\u{1b}')
    };
    assert!(errors(&["--color", "always"]));
    assert!(!errors(&[]));
}

#[test]
fn a_working_directory_that_is_gone_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let script = format!("mkdir gone; cd gone; rmdir ../gone; exec {PLAN}");
    let run = Run::of(&sh(&script, dir.path()).output().unwrap()).exits(1);
    assert!(run.err.contains("the working directory is not there"), "{}", run.err);
}

fn sh(script: &str, dir: &Path) -> Command {
    let mut command = clean("sh", dir);
    command.args(["-euc", script]);
    command
}
