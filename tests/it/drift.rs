//! Differences that people know of, and keys that will be due.

use serde_json::json;

use crate::stage::{ONE_TENANT, Stage};

fn renamed() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let tenant = stage.tenants().remove(0);
    stage.control("POST", "/edit", &json!({"action": "rename_tenant", "tenant": tenant["id"], "name": "Renamed"}));
    stage
}

fn ignoring(entry: &str) -> String {
    format!("{ONE_TENANT}ignore:\n  - {{ address: qlik/acme, {entry} }}\n")
}

#[test]
fn an_ignored_difference_is_no_drift_and_stays_named_with_its_reason() {
    let stage = renamed();
    stage.plan(&["--detailed-exitcode"]).exits(2).says("1 drifted");
    stage.write_desired(&ignoring("field: display_name, reason: the customer renames it"));
    let run = stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do. 3 objects are as declared.");
    let said = "display_name differs (declared \"Acme Corp\", live \"Renamed\"); ignored: the customer renames it";
    assert!(run.out.contains(said), "{}", run.out);
}

#[test]
fn another_difference_of_the_same_tenant_still_counts() {
    let stage = renamed();
    let tenant = stage.tenants().remove(0);
    stage.control("POST", "/edit", &json!({"action": "set_limits", "tenant": tenant["id"], "max_keys_per_user": 7}));
    stage.write_desired(&ignoring("field: display_name, reason: the customer renames it"));
    let run = stage.plan(&["--detailed-exitcode"]).exits(2).says("api_key_limits.max_keys_per_user: declared \"10\"");
    assert!(!run.out.contains("display_name: declared"), "{}", run.out);
}

#[test]
fn an_ignored_difference_counts_again_after_its_last_day() {
    let stage = renamed();
    stage.write_desired(&ignoring("field: display_name, reason: until the merger, until: 2099-06-30"));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("ignored until 2099-06-30: until the merger");
    stage.plan(&["--at", "2099-06-30T23:59:59Z"]).exits(0).says("ignored until 2099-06-30: until the merger");
    let later = stage.plan(&["--at", "2099-07-01T00:00:00Z"]).exits(0);
    let said = "it was ignored until 2099-06-30 (until the merger), and counts again; see desired.yaml:14";
    assert!(later.out.contains(said) && later.out.contains("1 drifted"), "{}", later.out);
}

#[test]
fn a_keys_description_can_be_ignored_too() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(&ONE_TENANT.replace("CI deploys", "Other words"));
    stage.plan(&["--detailed-exitcode"]).exits(2).says("description: declared \"Other words\", live \"CI deploys\"");
    let changed = ONE_TENANT.replace("CI deploys", "Other words");
    let entry = "ignore: [{ address: qlik/acme/ci, field: description, reason: set once }]\n";
    stage.write_desired(&format!("{changed}{entry}"));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("ignored: set once");
}

#[test]
fn keys_that_will_be_due_are_named_in_time() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let quiet = stage.plan(&["--warn-within", "P5D"]).exits(0);
    assert!(!quiet.out.contains("due soon"), "{}", quiet.out);
    let run = stage.plan(&["--warn-within", "P7D", "--detailed-exitcode"]).exits(0);
    let line = run.out.lines().find(|line| line.contains("due soon") && line.contains("qlik/acme/ci")).unwrap();
    let expires = stage.live_keys()[0]["expiry"].as_str().unwrap_or_default().to_owned();
    assert!(line.contains("and qlik-apply renews it from "), "{line} {expires}");
}
