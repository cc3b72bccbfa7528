//! Where Imburse's documents contradict each other or say nothing, and where an account has many tenants or no room: the same plan and apply.

use serde_json::{Value, json};

use crate::stage::{SETTINGS, Stage};

const ACCOUNT: &str = "53ca62f5-b124-447d-b593-2f7ea4fecdcc";

const PAYMENTS: &str = "  payments:
    vendor: imburse
    base_url: https://sandbox-api.imbursepayments.com
    account_id: 53ca62f5-b124-447d-b593-2f7ea4fecdcc
    account_key: { public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }
";

const RETAIL: &str = "imburse:
  tenants:
    uk-retail:
      account: payments
      display_name: UK Retail
      address: { street_address: 1 High Street, extended_address: Floor 2, locality: London, post_code: N1 1AA, country: GB }
      api_keys:
        admin: { name: Admin Key, roles: [tenant-admin], deliver_to: files }
        reader: { name: Reader, roles: [tenant-app-read, tenant-transaction-read], deliver_to: files, deliver_as: env }
";

/// Settings with both vendors; `more` stands in the account of Imburse.
fn settings(more: &str) -> String {
    SETTINGS.replace("sinks:\n", &format!("{PAYMENTS}{more}sinks:\n"))
}

fn stage() -> Stage {
    Stage::with_settings(&format!("version: 1\n{RETAIL}"), &settings(""))
}

fn switch(stage: &Stage, switches: Value) {
    stage.control("POST", "/switches", &json!({ "imburse": switches }));
}

/// The account that settings name; it is there from the first run on.
fn account(stage: &Stage) -> Value {
    let state = stage.state();
    let accounts = state["imburse"]["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["accountId"] == json!(ACCOUNT)).cloned().unwrap_or_default()
}

fn tenants(stage: &Stage) -> Vec<Value> {
    account(stage)["tenants"].as_array().cloned().unwrap_or_default()
}

/// What a person does in the portal.
fn edit(stage: &Stage, mut what: Value) -> Value {
    if what.get("tenant").is_none() {
        what["account"] = json!(ACCOUNT);
    }
    stage.control("POST", "/edit", &what)
}

/// A tenant that somebody else made.
fn made_by_hand(stage: &Stage, name: &str) -> String {
    let made = edit(stage, json!({ "action": "imburse_create_tenant", "name": name }));
    made["tenantId"].as_str().unwrap().to_owned()
}

fn creations(stage: &Stage) -> usize {
    let requests = stage.requests();
    let is =
        |one: &&Value| one["method"] == json!("POST") && one["path"].as_str().unwrap().ends_with("/account/tenants");
    requests.iter().filter(is).filter(|one| one["committed"] == json!(true)).count()
}

fn sink(stage: &Stage, key: &str) -> String {
    let file = stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail").join(key);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_generation_of_the_api_and_every_form_of_its_answers_comes_to_the_same() {
    for (api, switches) in [
        ("2019", json!({ "v1_shape": "2019", "expires": "milliseconds_text", "not_found": 400, "future_seconds": 60 })),
        ("v1", json!({ "v1_shape": "2019", "expires": "seconds_text", "tenant_created": 202, "first_page": 1 })),
        ("v2", json!({ "words": "same", "approves_itself": false, "max_take": 1, "name_search": "prefix" })),
        ("v2", json!({ "words": "upper", "expires": "milliseconds", "lists_deleted": false, "identity_refusal": 401 })),
    ] {
        let stage = Stage::with_settings(&format!("version: 1\n{RETAIL}"), &settings(&format!("    api: \"{api}\"\n")));
        switch(&stage, switches);
        stage.settle();
        assert_eq!((tenants(&stage).len(), creations(&stage)), (1, 1));
        assert_eq!(tenants(&stage)[0]["keys"].as_array().unwrap().len(), 2);
        stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    }
}

#[test]
fn among_thirty_tenants_only_the_exact_name_counts_and_it_is_not_taken_by_itself() {
    let stage = stage();
    stage.plan(&[]);
    for number in 0..29 {
        made_by_hand(&stage, &format!("UK Retail {number}"));
    }
    stage.plan(&[]).exits(0).says("create tenant");
    let id = made_by_hand(&stage, "UK Retail");
    stage.plan(&[]).says("refused, QP0231").says(&id);
    stage.apply(&["--yes"]).exits(1);
    assert_eq!(creations(&stage), 0);
    // What it says to do: declare that it is this one. Whoever made it gave no address.
    let adopted: String = format!("version: 1\n{RETAIL}")
        .replace("      account: payments\n", &format!("      account: payments\n      adopt: {{ tenant_id: {id} }}\n"))
        .lines()
        .filter(|line| !line.contains("address:"))
        .fold(String::new(), |text, line| text + line + "\n");
    stage.write_desired(&adopted);
    let plan = stage.plan(&[]);
    assert!(plan.code == Some(0), "{}", plan.all());
    stage.settle();
    assert_eq!((creations(&stage), tenants(&stage).len()), (0, 30));
}

#[test]
fn two_tenants_of_one_name_are_refused_with_both_ids() {
    let stage = stage();
    stage.plan(&[]);
    let (one, two) = (made_by_hand(&stage, "UK Retail"), made_by_hand(&stage, "UK Retail"));
    stage.apply(&["--yes"]).exits(1).says("QP0230").says(&one).says(&two);
    assert_eq!(creations(&stage), 0);
}

#[test]
fn a_licence_at_its_end_is_seen_before_anything_is_sent() {
    let stage = stage();
    stage.plan(&[]);
    made_by_hand(&stage, "Other");
    edit(&stage, json!({ "action": "imburse_set_account", "max_tenants": 1 }));
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(1).says("QP0402");
    assert_eq!((creations(&stage), tenants(&stage).len()), (0, 1));
    edit(&stage, json!({ "action": "imburse_set_account", "max_tenants": 2 }));
    stage.settle();
}

#[test]
fn where_the_vendor_lets_nobody_change_a_key_the_sink_decides() {
    let stage = stage();
    switch(&stage, json!({ "key_update": false }));
    stage.apply(&["--yes"]).exits(0).says("the sink decides");
    let before = (sink(&stage, "admin"), tenants(&stage)[0]["keys"].clone());
    assert_eq!(before.1.as_array().unwrap().len(), 2);
    // Asked once and never again: neither plan nor apply has anything left to send.
    stage.forget_requests();
    stage.settle();
    let asked = |stage: &Stage| stage.requests().iter().filter(|request| request["method"] == json!("PUT")).count();
    assert_eq!(asked(&stage), 0);
    assert_eq!((sink(&stage, "admin"), tenants(&stage)[0]["keys"].clone()), before);
    // A month later it is asked once more, and a vendor that has learned it marks both.
    stage.control("POST", "/clock", &json!({ "advance": "P31D" }));
    stage.apply(&["--yes"]).exits(0).says("the sink decides");
    stage.settle();
    stage.control("POST", "/clock", &json!({ "advance": "P31D" }));
    switch(&stage, json!({ "key_update": true }));
    stage.apply(&["--yes"]).exits(0);
    let names = tenants(&stage)[0]["keys"].clone();
    assert!(names.as_array().unwrap().iter().all(|key| key["name"].as_str().unwrap().ends_with(":d]")), "{names}");
    stage.settle();
}

#[test]
fn a_machine_whose_clock_is_off_still_signs_right_and_is_told() {
    let stage = stage();
    stage.control("POST", "/clock", &json!({ "advance": "PT3H" }));
    let run = stage.apply(&["--yes"]).exits(0);
    assert!(run.err.contains("this machine's clock") && run.err.contains("behind Imburse's"), "{}", run.err);
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn what_the_vendor_refuses_is_told_with_its_code_and_correlation_id() {
    let stage = stage();
    stage.plan(&[]);
    let key = account(&stage)["keys"][0]["publicKey"].as_str().unwrap().to_owned();
    let demote = json!({ "action": "imburse_change_key", "key": key, "roles": ["account-tenant-read"] });
    stage.control("POST", "/edit", &demote);
    let run = stage.apply(&["--yes"]).exits(1);
    assert!(run.all().contains("correlationId 0H") || run.all().contains("QP0233"), "{}", run.all());
    assert_eq!(creations(&stage), 0);
}
