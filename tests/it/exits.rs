//! Exit codes, the same verdict in JSON, and what a GitHub workflow is told.

use serde_json::{Value, json};

use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};

/// The exit code with fine codes, and the word in JSON.
fn fine(stage: &Stage, apply: bool, args: &[&str]) -> (i32, String) {
    let all: Vec<&str> = ["--exit-codes", "fine", "--format", "json"].iter().chain(args).copied().collect();
    let run = if apply { stage.apply(&all) } else { stage.plan(&all) };
    let document: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(document["verdict"]["exit"], json!(run.code.unwrap()), "{}", run.out);
    (run.code.unwrap(), document["verdict"]["outcome"].as_str().unwrap().to_owned())
}

#[test]
fn each_outcome_has_a_code_of_its_own_and_the_same_word_in_json() {
    let stage = Stage::new(ONE_TENANT);
    assert_eq!(fine(&stage, false, &[]), (2, "changes".into()));
    stage.settle();
    assert_eq!(fine(&stage, false, &[]), (0, "clean".into()));

    let tenant = stage.tenants().remove(0);
    stage.control("POST", "/edit", &json!({"action": "rename_tenant", "tenant": tenant["id"], "name": "Renamed"}));
    assert_eq!(fine(&stage, false, &[]), (8, "drift".into()));

    stage.write_desired(
        &ONE_TENANT
            .replace("CI deploys", "x")
            .replacen("expires_in: P7D", "expires_in: P90D", 1)
            .replacen("ci:", "ci2:", 1),
    );
    assert_eq!(fine(&stage, false, &[]), (3, "refused".into()));
    stage.write_desired("version: 2\n");
    assert_eq!(fine(&stage, false, &[]), (1, "error".into()));
}

#[test]
fn over_a_limit_has_its_own_code() {
    let settings = format!("{SETTINGS}limits: {{ create_tenants: 0 }}\n");
    let stage = Stage::with_settings(ONE_TENANT, &settings);
    assert_eq!(fine(&stage, false, &[]), (6, "over_limit".into()));
    assert_eq!(fine(&stage, true, &["--yes"]), (6, "over_limit".into()));
}

#[test]
fn missing_and_refused_credentials_have_their_own_code() {
    let stage = Stage::new(ONE_TENANT);
    let run = |command: &mut std::process::Command| Run::of(&command.output().unwrap());
    run(stage.command(PLAN).args(["--exit-codes", "fine"])).exits(7).says("QLIK_CLIENT_ID is not set");
    run(&mut stage.command(PLAN)).exits(1);
    run(stage.command(APPLY).args(["ledger", "init"])).exits(0);
    // The sandbox is the cloud here, reached as the real one is; the secret is wrong.
    let script = format!("export QLIK_CLIENT_SECRET=wrong; '{PLAN}' --exit-codes fine --format json");
    let run = stage.shell(&script).exits(7);
    let plan: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(plan["verdict"]["outcome"], json!("credentials"), "{}", run.out);
    assert_eq!(plan["actions"][0]["code"], json!("QP0219"));
}

#[test]
fn what_moved_and_what_was_made_in_part_have_their_own_codes() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    stage.write_desired(&ONE_TENANT.replace("Acme Corp", "Other"));
    assert_eq!(fine(&stage, true, &["--plan", "reviewed.plan"]), (5, "stale".into()));
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(fine(&stage, true, &["--approve", &other]), (5, "stale".into()));

    stage.fault(&json!({"match": {"method": "POST", "path": "/api/v1/api-keys"}, "action": {"status_before": {"status": 403, "body": {}}}}));
    assert_eq!(fine(&stage, true, &["--yes"]), (4, "partial".into()));
}

/// What a step wrote: names and values, by the heredoc that GitHub documents.
fn outputs(text: &str) -> Vec<(String, String)> {
    let mut lines = text.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let (name, end) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        found.push((name.to_owned(), value.join("\n")));
    }
    found
}

#[test]
fn a_github_step_gets_outputs_and_a_summary() {
    let stage = Stage::new(&ONE_TENANT.replace("Acme Corp", "Acme ````\\n# <b>x</b>"));
    let run = |args: &[&str]| {
        let mut command = stage.command(PLAN);
        command.arg("--sandbox").args(args).env("GITHUB_OUTPUT", "output").env("GITHUB_STEP_SUMMARY", "summary.md");
        Run::of(&command.output().unwrap())
    };
    let read = |file: &str| std::fs::read_to_string(stage.dir().join(file)).unwrap();
    let plan: Value = serde_json::from_str(&run(&["--format", "json", "--exit-codes", "fine"]).exits(2).out).unwrap();
    let told = outputs(&read("output"));
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["verdict", "exit", "summary", "hash"]);
    assert_eq!((told[0].1.as_str(), told[1].1.as_str()), ("changes", "2"));
    assert_eq!(json!(told[3].1), plan["hash"]);
    let ends: std::collections::BTreeSet<String> =
        read("output").lines().filter_map(|line| line.split_once("<<").map(|(_, end)| end.to_owned())).collect();
    assert_eq!(ends.len(), 4, "each value has an end of its own");

    let summary = read("summary.md");
    assert!(summary.contains("**Plan: 1 tenant and 2 keys to create"), "{summary}");
    assert!(summary.contains(plan["hash"].as_str().unwrap()), "{summary}");

    // Errors are told too, and a file that cannot be written is no error.
    run(&["nowhere.yaml"]).exits(1);
    assert_eq!(outputs(&read("output"))[4].1, "error");
    let mut command = stage.command(PLAN);
    command.args(["--sandbox"]).env("GITHUB_OUTPUT", "no/such/folder");
    Run::of(&command.output().unwrap()).exits(0).says("could not be written");
}
