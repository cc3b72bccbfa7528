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

/// What a plan calls unmanaged, each as `ID (NAME, …)`.
fn unmanaged(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.split_once("unmanaged in account payments: "));
    named.map(|(_, rest)| rest.to_owned()).collect()
}

/// The ids at the front of these.
fn ids(unmanaged: &[String]) -> Vec<&str> {
    unmanaged.iter().map(|one| one.split_once(' ').unwrap().0).collect()
}

/// Pages of the account's list, and readings of its own page, that were asked for.
fn readings(stage: &Stage) -> (usize, usize) {
    let requests = stage.requests();
    let count = |end: &str| {
        let is = |one: &&Value| {
            let path = one["path"].as_str().unwrap().split('?').next().unwrap();
            one["method"] == json!("GET") && path.ends_with(end)
        };
        requests.iter().filter(is).count()
    };
    (count("/account/tenants"), count("/account"))
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
fn of_forty_tenants_those_that_nobody_manages_are_named_and_stand_in_nobodys_way() {
    let stage = stage();
    stage.settle();
    let by_hand: Vec<String> = (0..39).map(|number| made_by_hand(&stage, &format!("Shop {number}"))).collect();
    let mut left: Vec<&str> = by_hand.iter().map(String::as_str).collect();
    let sorted = |mut ids: Vec<&str>| -> Vec<String> {
        ids.sort_unstable();
        ids.into_iter().map(str::to_owned).collect()
    };

    // Without being asked, nobody reads the list: nothing is to be created.
    stage.forget_requests();
    let plain = stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!((unmanaged(&plain.all()), readings(&stage)), (Vec::new(), (0, 0)));

    // All pages of it, and nothing else of the account. It counts as what is nobody's at Qlik does.
    for (longest, pages) in [(100, 1), (20, 2), (7, 6)] {
        switch(&stage, json!({ "max_take": longest }));
        stage.forget_requests();
        let run = stage.plan(&["--unmanaged", "--detailed-exitcode"]).exits(2);
        let named = unmanaged(&run.all());
        assert_eq!(sorted(ids(&named)), sorted(left.clone()), "{longest}");
        // By name, in whatever order the vendor lists them.
        assert!(named[1].contains("(Shop 1, ") && named[2].contains("(Shop 10, "), "{named:?}");
        assert_eq!((readings(&stage), stage.changes().len()), ((pages, 0), 1), "a token is all that is made");
    }
    stage.plan(&["--unmanaged"]).exits(0);
    stage.plan(&["--unmanaged", "--exit-codes", "fine"]).exits(8).says("(Shop 0, created 20");
    stage.apply(&["--yes", "--unmanaged"]).exits(0).says("(Shop 38, created 20");

    // A deleted tenant is no candidate, listed or not; a rejected one is, and one that waits.
    edit(&stage, json!({ "action": "imburse_delete_tenant", "tenant": left.remove(0) }));
    edit(&stage, json!({ "action": "imburse_reject", "tenant": left[0], "reason": "twice" }));
    edit(&stage, json!({ "action": "imburse_set_account", "approval_required": true }));
    let waits = made_by_hand(&stage, "Waits");
    left.push(&waits);
    for listed in [true, false] {
        switch(&stage, json!({ "lists_deleted": listed }));
        let named = unmanaged(&stage.plan(&["--unmanaged"]).exits(0).all());
        assert_eq!(sorted(ids(&named)), sorted(left.clone()));
        let with = |word: &str| named.iter().filter(|one| one.ends_with(word)).map(String::as_str).collect::<Vec<_>>();
        assert_eq!(ids(&named)[0], left[0]);
        assert!(named[0].contains("(Shop 1, created 20") && named[0].ends_with(", rejected)"), "{}", named[0]);
        assert_eq!((with(", rejected)").len(), with(", waits for approval)").len()), (1, 1), "{named:?}");
    }

    // Ignored in settings, in whatever case; adopted in desired state; made by this program.
    edit(&stage, json!({ "action": "imburse_set_account", "approval_required": false }));
    let ignored = format!("    ignore_tenants: [{}, {}]\n", left.remove(0), left.remove(0).to_uppercase());
    std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings(&ignored)).unwrap();
    let more = format!(
        "    shop: {{ account: payments, adopt: {{ tenant_id: {} }} }}
    trade:
      account: payments
      display_name: UK Trade
      address: {{ street_address: 2 Low Road, locality: Leeds, post_code: LS1 4AP, country: GB }}
",
        left.remove(0)
    );
    stage.write_desired(&format!("version: 1\n{RETAIL}{more}"));
    stage.settle();
    assert_eq!((creations(&stage), tenants(&stage).len()), (1, 42));
    let run = stage.plan(&["--unmanaged", "--detailed-exitcode", "--snapshot", "live.json"]).exits(2);
    assert_eq!(sorted(ids(&unmanaged(&run.all()))), sorted(left.clone()));
    // And from what was read then, with nobody to ask.
    let offline = stage.plan(&["--unmanaged", "--detailed-exitcode", "--live", "live.json"]).exits(2);
    assert_eq!(sorted(ids(&unmanaged(&offline.all()))), sorted(left));

    // With everybody accounted for there is nothing to name.
    let ignored = format!("    ignore_tenants: [{}]\n", by_hand.join(", ") + ", " + &waits);
    std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings(&ignored)).unwrap();
    let run = stage.plan(&["--unmanaged", "--detailed-exitcode"]).exits(0);
    assert_eq!(unmanaged(&run.all()), Vec::<String>::new());
}

#[test]
fn a_list_that_cannot_be_read_is_said_and_nobody_is_taken_for_managed() {
    let stage = stage();
    stage.settle();
    made_by_hand(&stage, "Shop");
    let list = json!({ "method": "GET", "path": "*/account/tenants" });
    stage.fault(&json!({ "match": list, "action": { "status_before": { "status": 403, "body": {} } } }));
    for args in [&["--unmanaged"] as &[&str], &["--unmanaged", "--snapshot", "live.json"]] {
        let run = stage.plan(args).exits(0).says("which tenants of account payments are unmanaged is not known: ");
        assert_eq!(unmanaged(&run.all()), Vec::<String>::new());
    }
    stage.plan(&[]).exits(0);
    stage.control("DELETE", "/faults", &Value::Null);
    assert_eq!(unmanaged(&stage.plan(&["--unmanaged"]).exits(0).all()).len(), 1);
    stage.plan(&["--unmanaged", "--live", "live.json"]).exits(0).says("is not known: ");

    // What a snapshot does not have was not looked at, and is not taken for an empty list.
    let other = PAYMENTS.replace("  payments:", "  other:");
    std::fs::write(stage.dir().join("qlik-plan.settings.yaml"), settings(&other)).unwrap();
    stage.plan(&["--snapshot", "live.json"]).exits(0);
    let more = "    new: { account: other, display_name: New, address: { street_address: 2 Low Road, locality: Leeds, post_code: LS1 4AP, country: GB } }\n";
    stage.write_desired(&format!("version: 1\n{RETAIL}{more}"));
    let offline = stage.plan(&["--unmanaged", "--live", "live.json"]).exits(0);
    assert_eq!(unmanaged(&offline.all()).len(), 1);
    drop(offline.says("which tenants of account other are unmanaged is not known: its tenants were not listed"));
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
    // Nor is such a key replaced: nobody could tell it from one that was never delivered.
    let replace = ["--yes", "--replace", "imburse/uk-retail/admin"];
    stage.apply(&replace).exits(1).says("QP0332").says("in the vendor's portal");
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

#[test]
fn a_key_is_explained_by_the_decision_table() {
    let stage = stage();
    stage.settle();
    let listed = tenants(&stage)[0]["keys"][0].clone();
    let id = listed["publicKey"].as_str().unwrap().to_owned();
    let key = |name: &str| format!("imburse/uk-retail/{name}");
    let kept = ["admin", "reader"].map(|name| stage.plan(&["explain", &key(name)]).exits(0).out);
    let with = kept.iter().filter(|out| out.contains(&format!("key {id} is in the sink and lives: it is the one")));
    assert_eq!(with.count(), 1, "{kept:?}");
    for out in &kept {
        assert!(out.contains("marked as delivered, by run ") && out.contains("no key is to be made"), "{out}");
    }
    std::fs::remove_file(stage.dir().join(".qlik-sandbox/sinks/files/imburse/uk-retail/admin")).unwrap();
    stage.plan(&["explain", &key("admin")]).exits(0).says("the decision table ends in QP0301");
}
