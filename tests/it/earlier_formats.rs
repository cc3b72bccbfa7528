//! What version 0.1.0 wrote is read by this one: ledger, markers, sinks' metadata, snapshots and saved plans.

use std::path::{Path, PathBuf};

use qlik_plan::model::marker::SinkHash;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{PLAN, Run, Stage, clean};

/// When the estate was made, by the sandbox's clock: its keys have nearly a day left.
const MADE: &str = "2026-11-27T15:30:00Z";

/// The hash of the sink's path on the machine where the estate was made, as its markers have it.
const SINK_THEN: &str = ":8c8d:";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v0.1.0").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap()
}

/// Copies a folder; every text in it is changed by `change`.
fn copy(from: &Path, to: &Path, change: &impl Fn(String) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, target) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &target, change);
        } else {
            std::fs::write(target, change(std::fs::read_to_string(path).unwrap())).unwrap();
        }
    }
}

/// Leaves a folder to its owner alone, as the sandbox and the file sink demand.
#[cfg(unix)]
fn keep_private(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        if path.is_dir() {
            keep_private(&path);
        }
    }
}

/// The estate of 0.1.0 with a sandbox that runs on its state, at the time when it was made.
fn estate(desired: &str) -> Stage {
    let stage = Stage::prepared(&text(desired), &text("qlik-plan.settings.yaml"), |dir| {
        let state = dir.canonicalize().unwrap().join(".qlik-sandbox");
        let sink = SinkHash::of("file", &state.join("sinks/files").to_string_lossy());
        let home = format!(":{sink}:");
        copy(&fixture("state"), &state, &|text| {
            text.replace(SINK_THEN, &home).replace("\"sink\": \"8c8d\"", &format!("\"sink\": \"{sink}\""))
        });
        keep_private(dir);
    });
    stage.control("POST", "/clock", &json!({ "now": MADE }));
    stage
}

#[test]
fn an_estate_of_0_1_0_is_as_declared_and_an_apply_changes_nothing() {
    let stage = estate("desired.yaml");
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do. 6 objects are as declared.");
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0);
    let changes: Vec<String> = stage.changes().into_iter().filter(|one| !one.ends_with("/identity/hmac")).collect();
    assert_eq!(changes, Vec::<String>::new());
}

#[test]
fn keys_of_0_1_0_are_renewed_when_they_are_due() {
    let stage = estate("desired.yaml");
    stage.control("POST", "/clock", &json!({ "now": "2026-11-28T10:00:00Z" }));
    stage.apply(&["--yes"]).exits(0).says("2 keys");
    stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!(stage.live_keys().len(), 4, "the two that were due are left to expire");
}

#[test]
fn a_saved_plan_of_0_1_0_is_applied() {
    let stage = estate("more.yaml");
    std::fs::copy(fixture("more.plan"), stage.dir().join("more.plan")).unwrap();
    stage.apply(&["--plan", "more.plan"]).exits(0).says("2 tenants and 2 keys created");
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

/// `qlik-plan` of a snapshot, where nothing else is.
fn offline(desired: &str, snapshot: &str, args: &[&str]) -> Run {
    let dir = TempDir::new().unwrap();
    std::fs::copy(fixture(desired), dir.path().join("desired.yaml")).unwrap();
    for file in ["qlik-plan.settings.yaml", snapshot] {
        std::fs::copy(fixture(file), dir.path().join(file)).unwrap();
    }
    let mut command = clean(PLAN, dir.path());
    // Nobody listens there: a request would be an error.
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml");
    Run::of(&command.args(["--live", snapshot]).args(args).arg("desired.yaml").output().unwrap())
}

#[test]
fn a_snapshot_of_0_1_0_is_planned_from() {
    offline("desired.yaml", "after.snapshot.json", &["--detailed-exitcode"]).exits(0).says("6 objects are as declared");
    let run = offline("more.yaml", "more.snapshot.json", &["--format", "json", "--detailed-exitcode"]).exits(2);
    let (now, then): (Value, Value) =
        (serde_json::from_str(&run.out).unwrap(), serde_json::from_str(&text("more.json")).unwrap());
    let verbs = |plan: &Value| -> Vec<String> {
        let actions = plan["actions"].as_array().unwrap().iter();
        actions.map(|one| format!("{} {} {}", one["kind"], one["object"], one["address"])).collect()
    };
    assert!(!verbs(&then).is_empty());
    assert_eq!(verbs(&now), verbs(&then));
}
