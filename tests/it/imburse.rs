//! Imburse Payments, alone and beside Qlik Cloud: plan, apply, plan, and what people do behind a program's back.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{APPLY, Run, Stage};

const SETTINGS: &str = include_str!("../../examples/two-vendors/qlik-plan.settings.yaml");
const TWO_VENDORS: &str = include_str!("../../examples/two-vendors/desired.yaml");
const PROFILE: &str = include_str!("../../examples/imburse/desired.yaml");
const HOST: &str = "sandbox-api.imbursepayments.com";

const ONE_TENANT: &str = r"version: 1
imburse:
  tenants:
    uk-retail:
      account: imburse-sandbox
      display_name: UK Retail
      address: { street_address: 1 High Street, locality: London, post_code: SW1A 1AA, country: GB }
      api_keys:
        admin: { name: Admin Key, roles: [tenant-admin], deliver_to: files }
        reader: { name: Reader, roles: [tenant-app-read], deliver_to: files, deliver_as: env }
";

fn stage(desired: &str) -> Stage {
    Stage::with_settings(desired, SETTINGS)
}

fn account(stage: &Stage) -> Value {
    // The one that the settings name; the sandbox has one of its own besides.
    let id = json!("4c1f0a52-7d7e-4b8f-9a53-2f1f0c6f7b10");
    let state = stage.state();
    let accounts = state["imburse"]["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["accountId"] == id).unwrap().clone()
}

fn tenants(stage: &Stage) -> Vec<Value> {
    account(stage)["tenants"].as_array().cloned().unwrap_or_default()
}

fn edit(stage: &Stage, edit: &Value) {
    stage.control("POST", "/edit", edit);
}

fn keys(stage: &Stage) -> Vec<Value> {
    tenants(stage)[0]["keys"].as_array().unwrap().clone()
}

/// The public key that the sink holds as `admin`.
fn in_sink(stage: &Stage) -> String {
    let file = stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail/admin");
    let pair: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    pair["publicKey"].as_str().unwrap().to_owned()
}

/// What was sent to Imburse that changed something, tokens aside.
fn changes(stage: &Stage) -> Vec<String> {
    stage.changes().into_iter().filter(|change| !change.contains("hmac")).collect()
}

#[test]
fn both_vendors_are_made_in_one_run_and_then_there_is_nothing_to_do() {
    let stage = stage(TWO_VENDORS);
    stage.plan(&["--detailed-exitcode"]).exits(2).says("Plan: 2 tenants and 2 keys to create");
    stage.settle();
    assert_eq!((stage.tenants().len(), tenants(&stage).len()), (1, 1));
    assert_eq!(tenants(&stage)[0]["keys"].as_array().unwrap().len(), 1);

    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    assert_eq!(changes(&stage), Vec::<String>::new());
}

#[test]
fn tenants_of_one_profile_are_each_made_with_what_it_says_and_they_do_not() {
    let stage = Stage::with_settings(PROFILE, include_str!("../../examples/imburse/qlik-plan.settings.yaml"));
    stage.plan(&["--detailed-exitcode"]).exits(2).says("Plan: 2 tenants and 3 keys to create");
    stage.settle();
    let mut made: Vec<(String, String, Vec<String>)> = tenants(&stage)
        .iter()
        .map(|tenant| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let mut keys: Vec<String> =
                tenant["keys"].as_array().unwrap().iter().map(|key| text(&key["name"])).collect();
            keys.iter_mut().for_each(|name| name.truncate(name.find(" [qp1:").unwrap()));
            keys.sort();
            (text(&tenant["name"]), text(&tenant["address"]["locality"]), keys)
        })
        .collect();
    made.sort();
    let tenant = |name: &str, locality: &str, keys: &[&str]| {
        (name.to_owned(), locality.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        made,
        [
            tenant("UK Retail", "London", &["Admin Key", "Nightly reporting"]),
            tenant("UK Wholesale", "Liverpool", &["Admin Key"]),
        ]
    );

    // A profile that changes is drift in each of its tenants that takes it, and nothing is sent.
    stage.write_desired(&PROFILE.replacen("1 High Street", "2 High Street", 1));
    stage.forget_requests();
    let drift = stage.apply(&["--yes"]).exits(0).says("live \"1 High Street\"");
    assert_eq!((drift.out.matches("2 High Street").count(), changes(&stage)), (1, Vec::<String>::new()));
}

#[test]
fn tenants_of_both_vendors_go_side_by_side() {
    let stage = stage(TWO_VENDORS);
    stage.plan(&[]).exits(0);
    // Qlik does not answer, and Imburse's tenant is made all the same.
    stage.fault(
        &json!({ "match": { "method": "POST", "host": "register.*", "path": "/api/v1/tenants" }, "action": "pause" }),
    );
    let mut command = stage.command(APPLY);
    command.args(["--sandbox", "--yes"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    assert!(stage.holds_a_request_of(&mut child), "the creation at Qlik was not held");
    let keys = |stage: &Stage| tenants(stage).first().map_or(0, |tenant| tenant["keys"].as_array().unwrap().len());
    let began = Instant::now();
    while keys(&stage) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "Imburse's tenant waits for Qlik's");
    }
    assert_eq!(stage.tenants().len(), 0);
    stage.control("POST", "/release", &json!({}));
    stage.control("DELETE", "/faults", &Value::Null);
    drop(Run::of(&child.wait_with_output().unwrap()).exits(0));
    stage.settle();
}

#[test]
fn a_delivered_key_gets_a_token_of_its_own_and_lists_its_tenants_keys() {
    let stage = stage(ONE_TENANT);
    stage.settle();
    let file = stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail");
    let admin: Value = serde_json::from_str(&std::fs::read_to_string(file.join("admin")).unwrap()).unwrap();
    let id = tenants(&stage)[0]["tenantId"].as_str().unwrap().to_owned();
    assert_eq!((admin["tenantId"].as_str(), admin["roles"].clone()), (Some(id.as_str()), json!(["tenant-admin"])));
    let text = |name: &str| admin[name].as_str().unwrap().to_owned();
    let (public, private, account) = (text("publicKey"), text("privateKey"), text("accountId"));
    let clock = stage.control("GET", "/clock", &Value::Null);
    let now = clock["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    let client = Client::at(stage.dir());
    let (status, token) = client.imburse_token(&format!("https://{HOST}"), &public, &private, now);
    assert_eq!(status, 201, "{token}");
    let token: Value = serde_json::from_str(&token).unwrap();
    let bearer = format!("Bearer {}", token["accessToken"].as_str().unwrap());
    let headers =
        [("Authorization", bearer.as_str()), ("x-account-id", account.as_str()), ("x-tenant-id", id.as_str())];
    let (status, keys) = client.send("GET", &format!("https://{HOST}/v2/tenant/keys"), &headers, "");
    assert!(status == 200 && keys.contains(&public), "{status}: {keys}");
    assert!(keys.contains(":d]"), "it is marked as delivered: {keys}");

    let script =
        format!(r#". {}; printf '%s %s' "$IMBURSE_TENANT_ID" "$IMBURSE_BASE_URL""#, file.join("reader").display());
    assert_eq!(stage.shell(&script).exits(0).out, format!("{id} https://{HOST}"));
}

#[test]
fn what_differs_is_drift_and_nothing_is_changed() {
    let stage = stage(ONE_TENANT);
    stage.settle();
    let id = tenants(&stage)[0]["tenantId"].clone();
    edit(&stage, &json!({ "action": "imburse_rename_tenant", "tenant": id, "name": "UK Shops" }));
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0).says("live \"UK Shops\"");
    assert_eq!(changes(&stage), Vec::<String>::new());
}

#[test]
fn a_tenant_that_waits_for_approval_makes_its_keys_wait() {
    let stage = stage(ONE_TENANT);
    stage.plan(&[]).exits(0);
    let id = account(&stage)["accountId"].clone();
    edit(&stage, &json!({ "action": "imburse_set_account", "account": id, "approval_required": true }));
    stage.apply(&["--yes"]).exits(0).says("approval");
    assert_eq!(tenants(&stage).len(), 1);
    stage.apply(&["--yes"]).exits(0).says("waits for approval");
    assert_eq!(tenants(&stage)[0]["keys"], json!([]));
    let tenant = tenants(&stage)[0]["tenantId"].clone();
    edit(&stage, &json!({ "action": "imburse_approve", "tenant": tenant }));
    stage.settle();
    assert_eq!(tenants(&stage)[0]["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn an_unrecorded_tenant_of_the_same_name_is_adopted_only_by_a_persons_word() {
    let stage = stage(ONE_TENANT);
    stage.plan(&[]).exits(0);
    let id = account(&stage)["accountId"].clone();
    for name in ["UK Retail", "UK Retail Ltd"] {
        edit(&stage, &json!({ "action": "imburse_create_tenant", "account": id, "name": name }));
    }
    let refused = stage.apply(&["--yes"]).exits(1).says("QP0231");
    assert_eq!(tenants(&stage).len(), 2);
    let line = refused.out.split("adopt: { tenant_id: ").nth(1).unwrap().split(" }").next().unwrap().to_owned();
    stage.write_desired(
        &ONE_TENANT.replace("      display_name", &format!("      adopt: {{ tenant_id: {line} }}\n      display_name")),
    );
    stage.apply(&["--yes"]).exits(0).says("1 adoption recorded");
    assert_eq!(tenants(&stage).len(), 2);
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0);
    assert_eq!(changes(&stage), Vec::<String>::new());
}

#[test]
fn a_creation_whose_answer_was_lost_is_never_repeated_and_the_list_is_evidence() {
    let stage = stage(ONE_TENANT);
    stage.plan(&[]).exits(0);
    stage.fault(
        &json!({ "match": { "method": "POST", "path": "*/account/tenants" }, "nth": 1, "action": "drop_after" }),
    );
    stage.apply(&["--yes"]).exits(1).says("a tenant may have been made");
    assert_eq!(tenants(&stage).len(), 1);
    stage.apply(&["--yes"]).exits(1).says("QP0203");
    assert_eq!(tenants(&stage).len(), 1);
    let id = tenants(&stage)[0]["tenantId"].as_str().unwrap().to_owned();
    stage.apply(&["resolve", "imburse/uk-retail"]).exits(1).says(&format!("--adopt {id}"));
    stage.apply(&["resolve", "imburse/uk-retail", "--not-created"]).exits(1).says("may still be on its way");
    stage.apply(&["resolve", "imburse/uk-retail", "--adopt", &id]).exits(0).says("bound to tenant");
    stage.settle();
    assert_eq!(tenants(&stage).len(), 1);
}

#[test]
fn a_creation_that_is_refused_for_too_many_requests_is_asked_for_again_in_the_same_run() {
    let stage = stage(ONE_TENANT);
    let pattern = json!({ "method": "POST", "path": "*/account/tenants" });
    for nth in [1, 2] {
        stage.fault(&json!({ "match": pattern, "nth": nth, "action": { "retry_after": { "seconds": 0 } } }));
    }
    stage.apply(&["--yes"]).exits(0).says("the vendor takes no more now, so nothing was made");
    let asked = stage.requests().into_iter().filter(|one| {
        one["method"] == json!("POST") && one["path"].as_str().is_some_and(|path| path.ends_with("/account/tenants"))
    });
    assert_eq!((asked.count(), tenants(&stage).len()), (3, 1));
    stage.settle();
}

#[test]
fn a_key_whose_answer_was_lost_is_found_by_its_marker_deleted_and_made_again() {
    let stage = stage(ONE_TENANT);
    stage.plan(&[]).exits(0);
    stage.fault(&json!({ "match": { "method": "POST", "path": "*/keys" }, "nth": 1, "action": "drop_after" }));
    stage.settle();
    assert_eq!(tenants(&stage)[0]["keys"].as_array().unwrap().len(), 2, "{:?}", tenants(&stage)[0]["keys"]);
}

#[test]
fn a_key_that_leaked_is_replaced_and_the_old_one_works_until_a_person_deletes_it() {
    let stage = stage(ONE_TENANT);
    stage.settle();
    let old = in_sink(&stage);
    let again = ["--yes", "--replace", "imburse/uk-retail/admin"];
    stage.plan(&again[1..]).says(&format!("takes the place of key {old}, which works and stays"));
    stage.apply(&again).exits(0).says("Applied: 1 key created.");
    let new = in_sink(&stage);
    assert_ne!(old, new);
    // It never expires, so a person is to look, and the exit code says so.
    stage.plan(&["--detailed-exitcode"]).exits(2).says("QP0610").says(&format!("qlik-apply --reclaim {old}"));
    // A typing error, and the key that is in use, are not passed over.
    for (id, why) in [
        ("00000000-0000-4000-8000-000000000000", "no key that was read has this public key"),
        ("xyz", "no key that was read"),
        (new.as_str(), "this is the key that the sink holds for imburse/uk-retail/admin"),
    ] {
        stage.forget_requests();
        stage.plan(&["--reclaim", id]).exits(1).says(why);
        stage.apply(&["--yes", "--reclaim", id, "--reclaim", &old]).exits(1).says(why).says("nothing was sent");
        assert_eq!(changes(&stage), Vec::<String>::new());
    }
    stage.apply(&["--yes", "--reclaim", &old]).exits(0);
    let left = keys(&stage).iter().filter(|key| key["name"].as_str().unwrap().starts_with("Admin")).count();
    assert_eq!((left, keys(&stage).iter().any(|key| key["publicKey"] == json!(old))), (1, false));
    stage.settle();
    // A saved plan replaces the key that was reviewed, once.
    stage.plan(&["--replace", "imburse/uk-retail/admin", "--out", "reviewed.plan"]).exits(0);
    stage.apply(&["--yes", "--plan", "reviewed.plan"]).exits(0);
    let newest = in_sink(&stage);
    assert_ne!(new, newest);
    stage.apply(&["--yes", "--plan", "reviewed.plan"]).exits(1);
    assert_eq!(in_sink(&stage), newest);
    // A key that somebody changed is drift until it is replaced.
    edit(&stage, &json!({ "action": "imburse_change_key", "key": newest, "roles": ["tenant-app-read"] }));
    stage.plan(&["--detailed-exitcode"]).exits(2).says("tenant-app-read");
    stage.apply(&again).exits(0);
    assert_ne!(in_sink(&stage), newest);
    for key in [&new, &newest] {
        stage.plan(&["--detailed-exitcode"]).exits(2).says("QP0610");
        stage.apply(&["--yes", "--reclaim", key]).exits(0);
    }
    stage.settle();
}

#[test]
fn a_key_that_nobody_uses_is_named_until_a_person_says_so() {
    let stage = stage(ONE_TENANT);
    stage.settle();
    let old = keys(&stage).iter().find(|key| key["name"].as_str().unwrap().starts_with("Admin")).unwrap()["publicKey"]
        .as_str()
        .unwrap()
        .to_owned();
    for file in ["admin", ".admin.meta.json"] {
        std::fs::remove_file(stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail").join(file)).unwrap();
    }
    stage.apply(&["--yes"]).exits(1).says("QP0301");
    stage.apply(&["--yes", "--remint", "imburse/uk-retail/admin"]).exits(0);
    assert_eq!(keys(&stage).len(), 3);
    stage.plan(&[]).exits(0).says(&format!("--reclaim {old}"));
    stage.apply(&["--yes", "--reclaim", &old]).exits(0);
    assert_eq!(keys(&stage).len(), 2);
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_key_is_in_no_output_of_any_program() {
    let stage = stage(ONE_TENANT);
    let apply = stage.apply(&["--yes"]).exits(0);
    let file = stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail/admin");
    let admin: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let private = admin["privateKey"].as_str().unwrap();
    let plan = stage.plan(&["--format", "json"]).exits(0);
    for said in [apply.all(), plan.all()] {
        assert!(!said.contains(private));
    }
}
