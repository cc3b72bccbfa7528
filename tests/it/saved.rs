//! A reviewed plan: what moved since is refused object by object and shown; an approved hash is all or nothing.

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, Stage};

/// Two tenants that do not depend on each other, each with one key.
const TWO_TENANTS: &str = r#"version: 1
qlik:
  profiles:
    standard:
      account: us-oem
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files }
  tenants:
    acme: { profile: standard, display_name: Acme }
    beta: { profile: standard, display_name: Beta }
"#;

/// A second key for both, so that there is work on tenants that exist.
fn more_keys() -> String {
    let more = "        more: { description: More, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files }\n  tenants:";
    TWO_TENANTS.replacen("  tenants:", more, 1)
}

fn hash(stage: &Stage) -> String {
    let plan: Value = serde_json::from_str(&stage.plan(&["--format", "json"]).out).unwrap();
    plan["hash"].as_str().unwrap().to_owned()
}

fn tenant_named(stage: &Stage, name: &str) -> Value {
    stage.tenants().into_iter().find(|tenant| tenant["name"] == json!(name)).unwrap()
}

#[test]
fn a_plan_that_is_still_true_is_applied_without_asking() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    stage.apply(&["--plan", "reviewed.plan"]).exits(0).says("1 tenant and 2 keys created");
    assert_eq!(stage.live_keys().len(), 2);
    stage.forget_requests();
    stage.apply(&["--plan", "reviewed.plan"]).exits(0).says("what was reviewed is done already");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn what_moved_is_refused_and_shown_three_ways_and_what_did_not_is_done() {
    let stage = Stage::new(TWO_TENANTS);
    stage.settle();
    stage.write_desired(&more_keys());
    stage.plan(&["--out", "reviewed.plan"]).exits(0).says("Plan: 2 keys to create");

    // Related: what acme's new key may be. Unrelated: what beta is called.
    let (acme, beta) = (tenant_named(&stage, "Acme"), tenant_named(&stage, "Beta"));
    let edit = json!({"action": "set_limits", "tenant": acme["id"], "max_api_key_expiry": "P20D"});
    stage.control("POST", "/edit", &edit);
    let edit = json!({"action": "rename_tenant", "tenant": beta["id"], "name": "Renamed"});
    stage.control("POST", "/edit", &edit);

    stage.forget_requests();
    let run = stage.apply(&["--plan", "reviewed.plan"]).exits(1).says("QP0501");
    for said in [
        "Not as reviewed any more:\n  qlik/acme/more\n      reviewed: create key (",
        "      now:      create key (",
        "      moved:    key limits: at most P30D, 10 keys a user -> at most P20D, 10 keys a user\n",
        "1 key created",
    ] {
        assert!(run.out.contains(said), "{said:?} was not said:\n{}", run.out);
    }
    let minted = |tenant: &Value| {
        let id = tenant["id"].clone();
        let now = stage.tenants().into_iter().find(|tenant| tenant["id"] == id).unwrap();
        now["keys"].as_array().unwrap().len()
    };
    assert_eq!((minted(&acme), minted(&beta)), (1, 2));
    assert!(!stage.secret_file("acme", "more").exists() && stage.secret_file("beta", "more").exists());
}

#[test]
fn the_json_report_has_the_three_way_view() {
    let stage = Stage::new(TWO_TENANTS);
    stage.settle();
    stage.write_desired(&more_keys());
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    let acme = tenant_named(&stage, "Acme");
    let edit = json!({"action": "set_limits", "tenant": acme["id"], "max_keys_per_user": 8});
    stage.control("POST", "/edit", &edit);
    let run = stage.apply(&["--plan", "reviewed.plan", "--format", "json"]).exits(1);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let [moved] = report["moved"].as_array().unwrap().as_slice() else { panic!("{}", run.out) };
    assert_eq!(moved["address"], json!("qlik/acme/more"));
    assert_eq!(
        (moved["reviewed"][0]["kind"].clone(), moved["now"][0]["kind"].clone()),
        (json!("create"), json!("create"))
    );
    assert_eq!(moved["facts"][0]["name"], json!("key limits"));
    let schema: Value = serde_json::from_str(include_str!("../../schemas/plan.v1.json")).unwrap();
    assert!(jsonschema::is_valid(&schema, &report), "{}", run.out);
}

#[test]
fn a_tenant_that_moved_takes_its_keys_with_it() {
    let stage = Stage::new(TWO_TENANTS);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    // Reviewed with one name, declared with another.
    stage.write_desired(&TWO_TENANTS.replace("display_name: Acme", "display_name: Other"));
    let run = stage.apply(&["--plan", "reviewed.plan"]).exits(1);
    assert!(run.out.contains("qlik/acme     refused, QP0501"), "{}", run.out);
    assert!(run.out.contains("qlik/acme/ci  refused, QP0214"), "{}", run.out);
    let names: Vec<Value> = stage.tenants().iter().map(|tenant| tenant["name"].clone()).collect();
    assert_eq!(names, [json!("Beta")]);
}

#[test]
fn what_nobody_reviewed_is_not_done() {
    let stage = Stage::new(TWO_TENANTS);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    stage.write_desired(&format!("{TWO_TENANTS}    gamma: {{ profile: standard, display_name: Gamma }}\n"));
    stage.apply(&["--plan", "reviewed.plan"]).exits(1).says("QP0502").says("reviewed: not part of the plan");
    assert_eq!(stage.tenants().len(), 2);
    stage.write_desired("version: 1\nqlik: { tenants: {} }\n");
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    stage.write_desired(&format!("{TWO_TENANTS}    gamma: {{ profile: standard, display_name: Gamma }}\n"));
    stage.apply(&["--plan", "reviewed.plan"]).exits(1);
    assert_eq!(stage.tenants().len(), 2);
}

#[test]
fn an_approved_hash_is_all_or_nothing_and_equal_while_nothing_moves() {
    let stage = Stage::new(TWO_TENANTS);
    stage.settle();
    stage.write_desired(&more_keys());
    let approved = hash(&stage);
    // Time passes, runs come and go, and the declaration moves to another line.
    stage.control("POST", "/clock", &json!({"advance": "PT3H"}));
    stage.write_desired(&format!("# a comment\n{}", more_keys()));
    assert_eq!(hash(&stage), approved);

    let beta = tenant_named(&stage, "Beta");
    let edit = json!({"action": "rename_tenant", "tenant": beta["id"], "name": "Renamed"});
    stage.control("POST", "/edit", &edit);
    stage.forget_requests();
    stage.apply(&["--approve", &approved]).exits(1).says("nothing was sent").says(&approved);
    assert_eq!(stage.changes(), Vec::<String>::new());

    let edit = json!({"action": "rename_tenant", "tenant": beta["id"], "name": "Beta"});
    stage.control("POST", "/edit", &edit);
    stage.apply(&["--approve", &approved]).exits(0).says("2 keys created");
}

#[test]
fn a_plan_that_did_not_look_into_sinks_has_the_hash_of_the_apply_that_does() {
    let stage = Stage::new(TWO_TENANTS);
    stage.settle();
    stage.write_desired(&more_keys());
    // One of the keys is minted because the one in the sink is dead, which only a look can tell.
    let key = &tenant_named(&stage, "Acme")["keys"][0]["id"];
    stage.control("POST", "/edit", &json!({"action": "revoke_key", "key": key}));
    let run = stage.plan(&["--preflight", "read", "--out", "reviewed.plan", "--format", "json"]).exits(0);
    let plan: Value = serde_json::from_str(&run.out).unwrap();
    stage
        .apply(&["--plan", "reviewed.plan", "--approve", plan["hash"].as_str().unwrap()])
        .exits(0)
        .says("3 keys created");
}

#[test]
fn a_key_that_became_due_since_the_review_has_moved() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    let approved = hash(&stage);
    stage.control("POST", "/clock", &json!({"advance": "P6DT1H"}));
    stage.forget_requests();
    stage.apply(&["--plan", "reviewed.plan"]).exits(1).says("QP0501").says("renew key");
    stage.apply(&["--approve", &approved]).exits(1);
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn what_was_asked_for_at_the_review_is_part_of_it() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    std::fs::remove_file(stage.secret_file("acme", "ci")).unwrap();
    stage.plan(&["--remint", "qlik/acme/ci", "--out", "reviewed.plan"]).exits(0);
    stage.apply(&["--plan", "reviewed.plan"]).exits(0).says("1 key created");
    assert!(stage.secret_file("acme", "ci").exists());
}

#[test]
fn a_file_that_is_not_the_plan_that_was_saved_is_refused_with_the_place() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    let whole = std::fs::read_to_string(stage.dir().join("reviewed.plan")).unwrap();
    let line = |needle: &str| whole.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let torn = whole.get(..whole.len() / 2).unwrap().to_owned();
    let torn_at = format!("reviewed.plan:{}:", torn.lines().count());
    let edited_at = format!("reviewed.plan:{} (qlik/acme/ci)", line("\"address\": \"qlik/acme/ci\","));
    let version = env!("CARGO_PKG_VERSION");
    let cases = [
        (torn, torn_at, "ends before"),
        (whole.replacen("CI deploys", "CI deploy5", 1), edited_at, "is not as it was saved"),
        (
            whole.replacen("\"unrehearsed\": false", "\"unrehearsed\": true", 1),
            "reviewed.plan: ".into(),
            "is not as it was saved",
        ),
        (
            whole.replacen("\"version\": 1", "\"version\": 2", 1),
            "reviewed.plan: ".into(),
            "this program reads version 1",
        ),
        (
            whole.replacen(&format!("\"program\": \"{version}\""), "\"program\": \"9.9.9\"", 1),
            "reviewed.plan: ".into(),
            "was made by version 9.9.9",
        ),
        (stage.plan(&["--format", "json"]).out, "reviewed.plan: ".into(), "is a plan to read"),
        ("version: 1\n".into(), "reviewed.plan:1:".into(), "this is no JSON"),
        ("{\"token\": \"s3cr3t\"}".into(), "reviewed.plan: ".into(), "is not a saved plan"),
        ("[\"s3cr3t\"".into(), "reviewed.plan:1:".into(), "ends before"),
    ];
    stage.forget_requests();
    for (text, place, why) in cases {
        std::fs::write(stage.dir().join("reviewed.plan"), &text).unwrap();
        let run = stage.apply(&["--plan", "reviewed.plan"]).exits(1).says(&place).says(why).says("next: ");
        assert!(!run.all().contains("s3cr3t"), "{}", run.all());
    }
    assert_eq!(stage.requests().len(), 0, "nothing is asked of the vendor for a plan that is not taken");
}

#[test]
fn saving_a_plan_never_replaces_a_file_of_another_kind() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--out", "desired.yaml"]).exits(1).says("of another kind");
    assert_eq!(std::fs::read_to_string(stage.dir().join("desired.yaml")).unwrap(), ONE_TENANT);
    stage.plan(&["--out", "nowhere/reviewed.plan"]).exits(1).says("cannot be written");
    for _ in 0..2 {
        stage.plan(&["--out", "reviewed.plan"]).exits(0);
    }
}

#[test]
fn another_plans_hash_is_told_before_anything_is_read() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    stage.forget_requests();
    let other = format!("sha256:{}", "0".repeat(64));
    stage.apply(&["--plan", "reviewed.plan", "--approve", &other]).exits(1).says("was approved");
    stage.apply(&["--approve", "sha256:12"]).exits(1).says("64 hexadecimal digits");
    assert_eq!(stage.requests().len(), 0);
    let same = hash(&stage);
    stage.apply(&["--plan", "reviewed.plan", "--approve", &same]).exits(0);
}
