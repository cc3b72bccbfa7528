//! Snapshots: the same plan anywhere, without a credential, without a network, and without a secret in the file.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{ONE_TENANT, PLAN, Run, SETTINGS, Stage, clean};

/// `qlik-plan` with these files, in a folder of its own, on a machine that has neither sandbox nor credentials.
struct Elsewhere {
    dir: TempDir,
}

impl Elsewhere {
    fn with(desired: &str, snapshot: &str) -> Self {
        let dir = TempDir::new().unwrap();
        for (file, text) in [("desired.yaml", desired), ("qlik-plan.settings.yaml", SETTINGS), ("live.json", snapshot)]
        {
            std::fs::write(dir.path().join(file), text).unwrap();
        }
        Self { dir }
    }

    fn command(&self) -> Command {
        let mut command = clean(PLAN, self.dir.path());
        command.env("QLIK_PLAN_SETTINGS", "qlik-plan.settings.yaml");
        // A connection would be refused, and say so.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        command
    }

    fn plan(&self, args: &[&str]) -> Run {
        Run::of(&self.command().args(["--live", "live.json"]).args(args).output().unwrap())
    }
}

fn snapshot(stage: &Stage) -> String {
    stage.plan(&["--snapshot", "live.json"]).exits(0);
    std::fs::read_to_string(stage.dir().join("live.json")).unwrap()
}

#[test]
fn a_plan_from_a_snapshot_is_the_same_anywhere_byte_for_byte() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let tenant = stage.tenants().remove(0);
    let edit = json!({"action": "rename_tenant", "tenant": tenant["id"], "name": "Renamed"});
    stage.control("POST", "/edit", &edit);
    let shot = snapshot(&stage);
    let now: Value = serde_json::from_str(&shot).unwrap();
    let at = now["taken"].as_str().unwrap();

    let there = Elsewhere::with(ONE_TENANT, &shot);
    let direct = stage.plan(&["--format", "json", "--at", at]).exits(0).out;
    for _ in 0..2 {
        let offline = there.plan(&["--format", "json"]).exits(0);
        assert_eq!(offline.out, direct, "{}", offline.err);
    }
    there.plan(&["--detailed-exitcode"]).exits(2).says("declared \"Acme Corp\", live \"Renamed\"");
    let later = there.plan(&["--at", "2099-01-01T00:00:00Z"]).exits(0);
    assert!(later.out.contains("2 keys to create"), "{}", later.out);
}

#[test]
fn a_change_under_review_is_planned_as_far_as_the_snapshot_goes() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let shot = snapshot(&stage);
    let more = "        more: { description: More, owner: { client: {} }, expires_in: P7D, deliver_to: files }\n    beta:\n      account: us-oem\n      display_name: Beta\n      grants: { manage_api_keys: { everyone: {} } }\n      api_keys:\n        ci: { description: CI, owner: { client: {} }, expires_in: PT12H, deliver_to: files }\n";
    let there = Elsewhere::with(&format!("{ONE_TENANT}{more}"), &shot);
    let run = there.plan(&[]).exits(0);
    assert!(run.out.contains("Plan: 1 tenant and 2 keys to create"), "{}", run.out);
    assert!(run.out.contains("qlik/acme/more  what sink files holds for it (not in the snapshot)"), "{}", run.out);

    // What was read still forbids.
    let too_long = more.replacen("expires_in: P7D", "expires_in: P90D", 1);
    let there = Elsewhere::with(&format!("{ONE_TENANT}{too_long}"), &shot);
    there.plan(&[]).exits(1).says("QP0304");
    // What nobody looked at is not taken for absent.
    let adopted = format!("{ONE_TENANT}    old: {{ account: us-oem, adopt: {{ hostname: abc123 }} }}\n");
    Elsewhere::with(&adopted, &shot).plan(&[]).exits(1).says("QP0211").says("not in the snapshot");
}

#[test]
fn a_snapshot_holds_no_secret() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let shot = snapshot(&stage);
    stage.write_desired(&ONE_TENANT.replace("CI deploys", "Other text"));
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    let plan = std::fs::read_to_string(stage.dir().join("reviewed.plan")).unwrap();
    let token = std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
    let credentials = stage.shell("printf '%s\\n' \"$QLIK_CLIENT_SECRET\" \"$QLIK_KEY_CLIENT_SECRET\"").exits(0).out;
    let secrets: Vec<&str> = credentials.lines().chain(token.trim().split('.').skip(2)).collect();
    assert_eq!(secrets.len(), 3);
    for secret in secrets {
        assert!(secret.len() > 8);
        for (file, text) in [("snapshot", &shot), ("plan", &plan)] {
            assert!(!text.contains(secret), "the {file} holds a secret");
        }
    }
}

#[test]
fn a_file_that_is_no_snapshot_is_refused_with_the_place() {
    let stage = Stage::new(ONE_TENANT);
    let shot = snapshot(&stage);
    let torn = shot.get(..shot.len() / 2).unwrap();
    for (text, place, why) in [
        (torn, format!("live.json:{}:", torn.lines().count()), "ends before"),
        ("{\"format\": \"qlik-plan/saved\"}", "live.json: ".to_owned(), "is a saved plan"),
        ("{\"format\": \"qlik-plan/snapshot\", \"version\": 7}", "live.json: ".to_owned(), "reads version 1"),
        (
            "{\"format\": \"qlik-plan/snapshot\", \"version\": 1,\n\"taken\": 5}",
            "live.json:2:".to_owned(),
            "not what a snapshot says",
        ),
    ] {
        Elsewhere::with(ONE_TENANT, text).plan(&[]).exits(1).says(&place).says(why);
    }
}

#[test]
fn a_snapshot_of_version_1_stays_readable() {
    let shot = include_str!("../../fixtures/snapshot/v1.json");
    let run = Elsewhere::with(ONE_TENANT, shot).plan(&["--detailed-exitcode"]).exits(0);
    assert!(run.out.contains("Nothing to do. 3 objects are as declared."), "{}", run.out);
}
