//! Before money is spent: rehearsing, what a failure tells, and the same programs against what they take for the real cloud.

use serde_json::{Value, json};

use crate::client::Client;
use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, SETTINGS, Stage};
use crate::terminal::at_a_terminal;

/// What was asked of the vendor: method and path, without tokens and what only reads; ids as `{id}`.
fn deeds(stage: &Stage) -> Vec<String> {
    let is_id = |part: &str| part.len() >= 24 && part.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let word = |part: &str| if is_id(part) { "{id}".to_owned() } else { part.to_owned() };
    let ours = |text: String| text.split('/').map(word).collect::<Vec<_>>().join("/");
    stage.changes().into_iter().map(ours).collect()
}

fn source_keys(stage: &Stage) -> Vec<Value> {
    let state = stage.state();
    let source = state["tenants"].as_array().unwrap().iter().find(|tenant| tenant["source"] == json!(true)).unwrap();
    source["keys"].as_array().unwrap().iter().filter(|key| key["status"] == json!("active")).cloned().collect()
}

#[test]
fn a_rehearsal_trusts_mints_marks_and_removes_one_key_and_leaves_nothing() {
    let stage = Stage::new(ONE_TENANT);
    stage
        .apply(&["rehearse", "us-oem"])
        .exits(0)
        .says("Rehearsed account us-oem: the key client on mycorp.")
        .says("was minted, tried, marked and revoked");
    assert_eq!(
        deeds(&stage),
        [
            "PATCH mycorp.us.qlikcloud.com/api/v1/oauth-clients/{id}/connection-configs/me",
            "POST mycorp.us.qlikcloud.com/api/v1/api-keys",
            "PATCH mycorp.us.qlikcloud.com/api/v1/api-keys/{id}",
            "DELETE mycorp.us.qlikcloud.com/api/v1/api-keys/{id}",
        ]
    );
    assert_eq!(source_keys(&stage), Vec::<Value>::new());
    assert_eq!(stage.tenants().len(), 0);

    // The client is trusted now, and stays so.
    stage.forget_requests();
    stage.apply(&["rehearse", "us-oem"]).exits(0);
    assert_eq!(deeds(&stage).len(), 3, "{:?}", deeds(&stage));
}

/// With the switch nothing can be minted: the rehearsal says what to change, and no tenant is paid for until it was.
#[track_caller]
fn fails_until_changed(wrong: &Value, right: &Value, sentence: &str, step: &str) {
    let stage = Stage::new(ONE_TENANT);
    stage.control("POST", "/switches", wrong);
    let run = stage.apply(&["rehearse", "us-oem"]).exits(1).says(sentence);
    assert!(run.err.contains(&format!("next: {step}")), "{}", run.err);
    assert_eq!(source_keys(&stage), Vec::<Value>::new());

    stage.forget_requests();
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("qlik/acme            refused, QP0404")
        .says(sentence)
        .says(step)
        .says("change that, then: qlik-apply rehearse us-oem");
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!(stage.tenants().len(), 0);

    // Changing it is not enough: somebody has to see that it was the cause.
    stage.control("POST", "/switches", right);
    stage.apply(&["--yes"]).exits(1).says("QP0404");
    assert_eq!(stage.tenants().len(), 0);

    stage.apply(&["rehearse", "us-oem"]).exits(0);
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}

#[test]
fn a_bot_that_may_not_mint() {
    fails_until_changed(
        &json!({ "bot_may_mint": false }),
        &json!({ "bot_may_mint": true }),
        "mycorp.us.qlikcloud.com allows everyone to manage API keys and still lets the key client mint none",
        "bot users may not mint here; let a user own the keys: owner: { user: { subject: … } }",
    );
}

#[test]
fn a_key_client_that_cannot_be_trusted() {
    fails_until_changed(
        &json!({ "key_client_trustable": false }),
        &json!({ "key_client_trustable": true }),
        "the key client cannot be trusted in mycorp.us.qlikcloud.com",
        "in the source tenant's Administration > OAuth, publish the key client to the region and set its consent method",
    );
}

#[test]
fn a_permission_that_is_missing() {
    fails_until_changed(
        &json!({ "source_permission": false }),
        &json!({ "source_permission": true }),
        "the key client may not manage API keys in mycorp.us.qlikcloud.com",
        "in the source tenant: Administration > Manage users > Permissions > User Default",
    );
}

#[test]
fn an_expiry_limit_that_is_too_low() {
    fails_until_changed(
        &json!({ "source_max_expiry": "PT5M" }),
        &json!({ "source_max_expiry": "PT24H" }),
        "mycorp.us.qlikcloud.com allows API keys of at most PT5M, less than the rehearsal's PT10M",
        "in the source tenant: Administration > Settings > API keys: raise the maximum expiration",
    );
}

#[test]
fn a_rehearsal_that_learns_nothing_is_not_taken_for_one() {
    let stage = Stage::new(ONE_TENANT);
    stage.fault(&json!({ "match": { "method": "POST", "path": "/api/v1/api-keys" }, "action": "drop_after" }));
    stage.apply(&["rehearse", "us-oem"]).exits(1).says(
        "rehearsal of the key client: POST /api/v1/api-keys at mycorp.us.qlikcloud.com: the connection was closed",
    );
    // The key of the lost answer was looked for and removed.
    assert_eq!(source_keys(&stage), Vec::<Value>::new());
    stage.control("DELETE", "/faults", &Value::Null);
    stage.settle();
}

#[test]
fn who_is_not_an_account_cannot_rehearse() {
    let stage = Stage::new(ONE_TENANT);
    stage.apply(&["rehearse", "eu-oem"]).exits(1).says("settings have no account eu-oem").says("next: one of: us-oem");
    stage
        .apply(&["rehearse"])
        .exits(1)
        .says("rehearse needs the name of an account")
        .says("qlik-apply rehearse ACCOUNT");
    assert_eq!(stage.requests(), Vec::<Value>::new());
}

#[test]
fn as_if_it_were_the_real_cloud() {
    let cloud = Cloud::new(ONE_TENANT);
    let stage = &cloud.stage;
    at_a_terminal(cloud.command(PLAN, &[]), "").exits(1).says("new estate: there is no ledger at").says("QP0403");
    cloud
        .apply(&["--yes"])
        .exits(1)
        .says("error: there is no ledger at")
        .says("next: restore it from its backup")
        .says("qlik-apply ledger init");
    cloud.apply(&["rehearse", "us-oem"]).exits(1).says("there is no ledger at").says("qlik-apply ledger init");
    cloud.apply(&["ledger", "init"]).exits(0).says("Made ledger ").says("it is what prevents a second tenant");
    cloud.apply(&["ledger", "init"]).exits(1).says("there is a ledger at").says("next: ");

    cloud
        .apply(&["--yes"])
        .exits(1)
        .says("QP0403")
        .says("nobody knows yet whether account us-oem can mint one")
        .says("qlik-apply rehearse us-oem")
        .says("--unrehearsed");
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::new(), 0));

    cloud.apply(&["rehearse", "us-oem"]).exits(0);
    cloud.plan(&["--detailed-exitcode"]).exits(2).says("Plan: 1 tenant and 2 keys to create");
    stage.forget_requests();
    // Without --yes somebody has to be asked, and here is nobody.
    cloud
        .apply(&[])
        .exits(1)
        .says("nobody at a terminal to confirm it (standard input is not a terminal); nothing was sent")
        .says("say --yes");
    assert_eq!(stage.changes(), Vec::<String>::new());

    cloud.apply(&["--yes"]).exits(0).says("Made:");
    cloud.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
    stage.forget_requests();
    cloud.apply(&["--yes"]).exits(0).says("Nothing to do");
    assert_eq!(stage.changes(), Vec::<String>::new());

    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let token = cloud.secret_file("acme", "ci");
    let token = std::fs::read_to_string(token).unwrap();
    assert_eq!(Client::at(stage.dir()).users_me(&host, &token).0, 200);
    cloud.apply(&["ledger", "list"]).exits(0).says("qlik/acme").says(&host);
    // Nothing went the sandbox's own way.
    assert!(!stage.ledger().exists());
}

#[test]
fn missing_credentials_are_named_all_at_once_and_nothing_is_sent() {
    let cloud = Cloud::new(ONE_TENANT);
    let mut command = cloud.command(PLAN, &[]);
    command.env_remove("QLIK_CLIENT_SECRET").env_remove("QLIK_KEY_CLIENT_ID");
    cloud
        .ends(&mut command)
        .exits(1)
        .says("accounts.us-oem.client.secret: the environment variable QLIK_CLIENT_SECRET is not set")
        .says("accounts.us-oem.key_client.id: the environment variable QLIK_KEY_CLIENT_ID is not set")
        .says("next: export QLIK_CLIENT_SECRET");
    assert_eq!(cloud.stage.requests(), Vec::<Value>::new());
}

#[test]
fn in_ci_a_missing_ledger_is_no_new_estate() {
    let cloud = Cloud::new(ONE_TENANT);
    let settings = cloud.settings_file();
    let settings = ["--settings", settings.to_str().unwrap(), "--ledger-is-durable"];
    cloud
        .in_ci(PLAN, &settings)
        .exits(1)
        .says("QP0201")
        .says("an unattended run does not take that for a new estate")
        .says("next: restore the ledger to")
        .says("if there never was one: qlik-apply ledger init");
    cloud.in_ci(APPLY, &[&settings[..], &["--yes"]].concat()).exits(1).says("there is no ledger at").says("restore it");
    assert!(!cloud.stage.dir().join(".qlik-plan").exists(), "nothing made a ledger unasked");
    assert_eq!(cloud.stage.changes(), Vec::<String>::new());
}

#[test]
fn in_ci_what_does_not_outlive_the_runner_is_refused_before_anything_is_spent() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.write_settings(&SETTINGS.replace("ledger, durable: true", "ledger"));
    let file = cloud.settings_file();
    let settings = ["--settings", file.to_str().unwrap()];
    let durable = [&settings[..], &["--ledger-is-durable"]].concat();
    cloud.in_ci(APPLY, &[&settings[..], &["ledger", "init"]].concat()).exits(0);
    cloud.in_ci(APPLY, &[&settings[..], &["rehearse", "us-oem"]].concat()).exits(0);
    cloud.stage.forget_requests();

    let run = cloud.in_ci(APPLY, &[&settings[..], &["--yes"]].concat()).exits(1);
    run.says("QP0215").says("a ledger that outlives the machine").says("durable: true");

    cloud.write_settings(&SETTINGS.replace(", durable: true", ""));
    for (program, extra) in [(PLAN, vec![]), (APPLY, vec!["--yes"])] {
        cloud
            .in_ci(program, &[&durable[..], &extra].concat())
            .exits(1)
            .says("qlik/acme/ci         refused, QP0307")
            .says("qlik/acme/reporting  refused, QP0307")
            .says("sink files is a folder of this machine")
            .says("sinks.files.durable: true");
    }
    // A tenant is paid for; it is not created for keys that nobody could keep.
    assert_eq!((cloud.stage.tenants().len(), cloud.stage.live_keys().len()), (0, 0));
    assert!(!cloud.stage.dir().join("secrets").exists());

    cloud.write_settings(SETTINGS);
    cloud.in_ci(APPLY, &[&durable[..], &["--yes"]].concat()).exits(0);
    cloud.in_ci(PLAN, &[&durable[..], &["--detailed-exitcode"]].concat()).exits(0);
    assert_eq!((cloud.stage.tenants().len(), cloud.stage.live_keys().len()), (1, 2));
}
