//! Clean means clean: what is not as it should be is found, counted by exit code, and told in every format.

use serde_json::{Value, json};

use crate::client::{Client, value};
use crate::stage::{ONE_TENANT, Stage};

/// What a run wrote into a file beside its text.
fn written(stage: &Stage, name: &str) -> String {
    std::fs::read_to_string(stage.dir().join(name)).unwrap()
}

/// Moves what is declared into a folder that is not read, as `git mv` does; another tenant stays.
fn moved_one_folder_down() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let below = stage.dir().join("eu");
    std::fs::create_dir(&below).unwrap();
    std::fs::rename(stage.dir().join("desired.yaml"), below.join("acme.yaml")).unwrap();
    stage.write_desired("version: 1\nqlik: { tenants: {} }\n");
    stage
}

#[test]
fn a_tenant_whose_file_moved_out_of_sight_is_found_and_no_plan_is_clean_until_it_is_declared_again() {
    let stage = moved_one_folder_down();
    stage.plan(&["--detailed-exitcode"]).exits(2);
    let also = ["json", "markdown", "github", "gitlab", "terraform-json"];
    let also: Vec<String> =
        also.iter().flat_map(|format| ["--also".into(), format!("{format}=out.{format}")]).collect();
    let mut args = vec!["--exit-codes", "fine", "--warn-within", "P14D"];
    args.extend(also.iter().map(String::as_str));
    let run = stage.plan(&args).exits(8).says("Plan: 2 findings.").says("qlik/acme  found, QP0601");
    assert!(!run.out.contains("Nothing to do"), "{}", run.out);
    let step = |text: &str| run.out.find(text).unwrap_or_else(|| panic!("{text:?} is not in {}", run.out));
    assert!(step("declare qlik/acme again") < step("ledger forget"), "{}", run.out);

    let document: Value = serde_json::from_str(&written(&stage, "out.json")).unwrap();
    assert_eq!(document["verdict"]["outcome"], "drift");
    let codes: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    // Its file is named too.
    assert_eq!((codes.as_slice(), &document["counts"]["findings"]), (["QP0620", "QP0601"].as_slice(), &json!(2)));
    let said = [
        ("markdown", "Findings: 2"),
        ("github", "::warning title=qlik/acme%3A found%2C QP0601::"),
        ("gitlab", "\"findings\":2"),
    ];
    for (format, words) in said {
        let text = written(&stage, &format!("out.{format}"));
        assert!(text.contains(words), "{format}: {text}");
    }
    let terraform: Value = serde_json::from_str(&written(&stage, "out.terraform-json")).unwrap();
    assert_eq!((&terraform["checks"][0]["status"], &terraform["errored"]), (&json!("fail"), &json!(false)));

    // The folder named too: all is well again.
    stage
        .plan(&["--exit-codes", "fine", "desired.yaml", "eu"])
        .exits(0)
        .says("Nothing to do. 3 objects are as declared.");
}

#[test]
fn a_finding_is_in_a_saved_plan_and_an_apply_is_not_called_clean_either() {
    let stage = moved_one_folder_down();
    stage.plan(&["--out", "reviewed.plan"]).exits(0);
    assert!(written(&stage, "reviewed.plan").contains("QP0601"));
    stage.apply(&["--plan", "reviewed.plan"]).exits(0).says("QP0601");
    stage.apply(&["--yes", "--exit-codes", "fine"]).exits(8);
    stage.apply(&["--yes", "--detailed-exitcode"]).exits(2);
}

// ---- What nothing declares any more. ----------------------------------------------------------------------------------

#[test]
fn the_keys_of_a_tenant_out_of_sight_are_named_with_their_ends_and_full_asks_the_vendor() {
    let stage = moved_one_folder_down();
    let ends = stage.live_keys()[0]["expiry"].as_str().unwrap().get(..16).unwrap().to_owned();
    stage.forget_requests();
    let run = stage.plan(&["--exit-codes", "fine"]).exits(8).says("keys of ours live there, as its sink remembers");
    assert!(run.out.contains("(ci), ends ") && run.out.contains(&ends), "{}", run.out);
    assert_eq!(stage.requests().len(), 0, "no request for what nothing declares");
    // Without a look into sinks nobody knows; it is found all the same.
    stage.plan(&["--exit-codes", "fine", "--preflight", "read"]).exits(8).says("was not read (--preflight full asks)");

    let other = ONE_TENANT.replace("acme", "globex").replace("globex-analytics", "globex-other");
    stage.write_desired(&other.replace("Acme Corp", "Globex"));
    stage.apply(&["--yes"]).exits(0);
    stage
        .plan(&["--exit-codes", "fine", "--preflight", "full"])
        .exits(8)
        .says("keys of ours live there, and nobody renews them");
    // The same after the last of them has ended.
    stage
        .plan(&["--exit-codes", "fine", "--at", "2099-01-01T00:00:00Z"])
        .says("no sink that was looked into holds a live key of it");
}

// ---- What is no longer as declared. -----------------------------------------------------------------------------------

#[test]
fn another_shape_or_life_is_no_longer_as_declared_and_a_replacement_brings_it_into_force() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let changed =
        ONE_TENANT.replace("deliver_as: env", "deliver_as: json").replacen("expires_in: P7D", "expires_in: P2D", 1);
    stage.write_desired(&changed);
    let run = stage.plan(&["--detailed-exitcode"]).exits(2).says("2 drifted");
    for said in [
        "expires_in: declared \"P2D\", live \"P7D\"",
        "deliver_as: declared \"json\", live \"env\"",
        "nothing: it comes into force at the renewal on ",
        "at once: qlik-apply --replace qlik/acme/reporting",
    ] {
        assert!(run.out.contains(said), "{said:?} is not in {}", run.out);
    }
    // An apply changes nothing by itself, and does not say that all is well.
    stage.forget_requests();
    stage.apply(&["--yes", "--exit-codes", "fine"]).exits(8);
    assert_eq!(stage.changes(), Vec::<String>::new());
    stage.apply(&["--yes", "--replace", "qlik/acme/ci", "--replace", "qlik/acme/reporting"]).exits(0);
    stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do. 3 objects are as declared.");
    let payload = std::fs::read_to_string(stage.secret_file("acme", "reporting")).unwrap();
    assert!(payload.starts_with('{'), "a JSON object");
}

#[test]
fn a_plan_that_does_not_look_into_sinks_has_the_hash_of_one_that_sees_another_shape() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(&ONE_TENANT.replace("deliver_as: env", "deliver_as: json").replacen("P7D", "P2D", 1));
    let hash = |args: &[&str]| {
        let run = stage.plan(&[args, &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&run.out).unwrap();
        (document["hash"].as_str().unwrap().to_owned(), document["counts"]["drifted"].clone())
    };
    let (blind, seeing) = (hash(&["--preflight", "read"]), hash(&[]));
    assert_eq!((&blind.0, &blind.1, &seeing.1), (&seeing.0, &json!(1), &json!(2)));
}

#[test]
fn a_difference_in_life_can_be_left_for_a_reason() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let changed = ONE_TENANT.replacen("expires_in: P7D", "expires_in: P2D", 1);
    let entry = "ignore: [{ address: qlik/acme/ci, field: expires_in, reason: the next renewal is soon enough }]\n";
    stage.write_desired(&format!("{changed}{entry}"));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("ignored: the next renewal is soon enough");
}

#[test]
fn metadata_of_an_earlier_version_says_no_shape_and_nothing_is_made_of_that() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let journal = stage.secret_file("acme", "reporting").with_file_name(".reporting.meta.json");
    let mut said: Value = serde_json::from_str(&std::fs::read_to_string(&journal).unwrap()).unwrap();
    for entry in said["entries"].as_array_mut().unwrap() {
        assert_eq!(entry.as_object_mut().unwrap().remove("made_as").unwrap()["shape"], json!("env"));
    }
    std::fs::write(&journal, said.to_string()).unwrap();
    stage.write_desired(&ONE_TENANT.replace("deliver_as: env", "deliver_as: json"));
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn another_owner_in_the_declaration_is_seen_long_before_the_key_is_due() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let client = "ci: { description: CI deploys, owner: { client: {} }";
    let user = "ci: { description: CI deploys, owner: { user: { subject: \"auth0|bob\" } }";
    let host = stage.tenants()[0]["hostnames"][0].clone();
    stage.control("POST", "/edit", &json!({ "action": "add_user", "tenant": host, "subject": "auth0|bob" }));
    stage.write_desired(&ONE_TENANT.replace(client, user));
    stage.plan(&["--exit-codes", "fine"]).exits(3).says("QP0309").says("auth0|bob");
}

// ---- Keys that do not work, or will not be renewed. -------------------------------------------------------------------

const OWNED: &str = include_str!("../../examples/stackone/stackone.yaml");

fn user_id(stage: &Stage, subject: &str) -> String {
    let tenant = stage.tenants().remove(0);
    let users = tenant["users"].as_array().unwrap();
    let user = users.iter().find(|user| user["subject"].as_str().is_some_and(|known| known.starts_with(subject)));
    user.unwrap_or_else(|| panic!("{users:#?}"))["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_delivered_key_whose_owner_was_disabled_is_found_without_a_request_more() {
    let stage = Stage::new(OWNED);
    stage.settle();
    stage.forget_requests();
    stage.plan(&[]).exits(0);
    let before = stage.requests().len();
    let owner = user_id(&stage, "auth0|stackone");
    stage.control("POST", "/edit", &json!({ "action": "set_user_status", "user": owner, "status": "disabled" }));
    stage.forget_requests();
    let run = stage.plan(&["--exit-codes", "fine"]).exits(8).says("qlik/acme/stackone  found, QP0312");
    assert_eq!(stage.requests().len(), before, "{}", run.out);
    let said = "its owner (user with subject auth0|stackone) is disabled: key ";
    assert!(run.out.contains(said) && !run.out.contains("Nothing to do"), "{}", run.out);
    stage.control("POST", "/edit", &json!({ "action": "set_user_status", "user": owner, "status": "active" }));
    stage.plan(&["--exit-codes", "fine"]).exits(0);
}

#[test]
fn full_asks_after_owners_that_nothing_else_reads() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.plan(&["--exit-codes", "fine", "--preflight", "full"]).exits(0).says("Nothing to do");
    let bot = user_id(&stage, "qlikbot");
    stage.control("POST", "/edit", &json!({ "action": "set_user_status", "user": bot, "status": "disabled" }));
    stage.plan(&["--exit-codes", "fine", "--preflight", "full"]).says("QP0");
    let run = stage.plan(&["--exit-codes", "fine", "--preflight", "full"]);
    assert_ne!(run.code, Some(0), "{}", run.out);
}

#[test]
fn full_says_that_an_owner_has_lost_the_permission_before_the_renewal_fails() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let grant = "      grants: { manage_api_keys: { everyone: {} } }\n";
    stage.write_desired(&ONE_TENANT.replace(grant, ""));
    let host = stage.tenants()[0]["hostnames"][0].clone();
    stage.control("POST", "/edit", &json!({ "action": "set_user_default", "tenant": host, "scopes": [] }));
    stage.plan(&["--exit-codes", "fine"]).exits(0);
    stage
        .plan(&["--exit-codes", "fine", "--preflight", "full"])
        .exits(8)
        .says("qlik/acme/ci         found, QP0305")
        .says("it is kept, and could not be renewed before it ends ");
}

#[test]
fn a_life_that_the_tenant_does_not_allow_any_more_is_found_before_the_renewal_fails() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let host = stage.tenants()[0]["hostnames"][0].clone();
    stage.control("POST", "/edit", &json!({ "action": "set_limits", "tenant": host, "max_api_key_expiry": "P1D" }));
    stage.plan(&["--exit-codes", "fine"]).exits(8).says("found, QP0304").says("expires_in is P7D");
}

/// `n` keys of the key client, and a limit where one is said.
fn keys(n: usize, limit: &str) -> String {
    let key = |n: usize| {
        format!(
            "        k{n}: {{ description: Key {n}, owner: {{ client: {{}} }}, expires_in: PT12H, renew_before: PT2H, deliver_to: files }}\n"
        )
    };
    let keys: String = (1..=n).map(key).collect();
    format!(
        "version: 1\nqlik:\n  tenants:\n    acme:\n      account: us-oem\n      display_name: Acme Corp\n{limit}      \
         grants: {{ manage_api_keys: {{ everyone: {{}} }} }}\n      api_keys:\n{keys}"
    )
}

#[test]
fn as_many_keys_as_an_owner_may_have_are_refused_where_they_could_never_be_renewed() {
    // The vendor's default is five keys a user.
    let stage = Stage::new(&keys(5, ""));
    stage.plan(&[]).exits(1).says("QP0303").says("api_key_limits: { max_keys_per_user: 10 }");
    stage.apply(&["--yes"]).exits(1);
    assert_eq!(stage.tenants().len(), 0, "a tenant costs licence quota, and its limits are set once");
    // One more than they are is not enough: they are due together.
    stage.write_desired(&keys(5, "      api_key_limits: { max_keys_per_user: 6 }\n"));
    stage.plan(&[]).exits(1).says("QP0303");
    stage.write_desired(&keys(5, "      api_key_limits: { max_keys_per_user: 10 }\n"));
    stage.settle();
    // What was promised: when they are due, all of them are renewed.
    stage.control("POST", "/clock", &json!({ "advance": "PT10H30M" }));
    stage.apply(&["--yes"]).exits(0).says("5 keys renewed");
}

#[test]
fn a_limit_that_was_lowered_by_hand_leaves_no_room_and_is_found_while_the_keys_still_live() {
    let stage = Stage::new(&keys(5, "      api_key_limits: { max_keys_per_user: 10 }\n"));
    stage.settle();
    let host = stage.tenants()[0]["hostnames"][0].clone();
    stage.control("POST", "/edit", &json!({ "action": "set_limits", "tenant": host, "max_keys_per_user": 5 }));
    stage.plan(&["--exit-codes", "fine"]).exits(8).says("qlik/acme  found, QP0602").says("max_keys_per_user: 10");
}

// ---- All that a grant gives. ------------------------------------------------------------------------------------------

const THROUGH_OPS: &str = r#"version: 1
qlik:
  tenants:
    acme:
      account: us-oem
      display_name: Acme Corp
      grants: { manage_api_keys: { role: { name: Ops, assign_to: { key_owners: true } } } }
      api_keys:
        ci: { description: CI deploys, owner: { user: { subject: "auth0|mallory" } }, expires_in: PT12H, renew_before: PT2H, deliver_to: files }
"#;

/// A tenant with a custom role `Ops`, as a person made it, and its id.
fn with_ops(scopes: &[&str]) -> (Stage, String) {
    let stage = Stage::new("version: 1\nqlik: { tenants: { acme: { account: us-oem, display_name: Acme Corp } } }\n");
    stage.settle();
    let role = json!({ "name": "Ops", "assignedScopes": scopes });
    let made = as_admin(&stage, "POST", "roles", &role);
    stage.write_desired(THROUGH_OPS);
    let id = serde_json::from_str::<Value>(&made).unwrap()["id"].as_str().unwrap().to_owned();
    (stage, id)
}

/// What the tenant's administrator does by hand.
fn as_admin(stage: &Stage, method: &str, path: &str, body: &Value) -> String {
    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let client = Client::at(stage.dir());
    let variables = stage.dir().join(".qlik-sandbox/env.sh");
    let variable = |name: &str| value(&variables, &format!("export {name}"));
    let (id, secret) = (variable("QLIK_CLIENT_ID"), variable("QLIK_CLIENT_SECRET"));
    let json = ("Content-Type", "application/json");
    let body_of = |(status, answer): (u16, String)| {
        assert!((200..300).contains(&status), "{status}: {answer}");
        answer
    };
    let grant = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials" }).to_string();
    let token = body_of(client.send("POST", &format!("https://{host}/oauth/token"), &[json], &grant));
    let token: Value = serde_json::from_str(&token).unwrap();
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let headers = [json, ("Authorization", bearer.as_str())];
    body_of(client.send(method, &format!("https://{host}/api/v1/{path}"), &headers, &body.to_string()))
}

#[test]
fn a_role_that_allows_more_is_given_to_nobody_unless_that_is_declared() {
    let (stage, _) = with_ops(&["api-keys", "users:manage", "tenants:manage"]);
    stage
        .plan(&[])
        .exits(1)
        .says("qlik/acme     refused, QP0315")
        .says("role Ops also allows tenants:manage, users:manage, and whoever is given it gets that too")
        .says("also_allows: [tenants:manage, users:manage]");
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(1);
    assert!(stage.changes().iter().all(|change| !change.contains("/users/")), "{:?}", stage.changes());

    // Half of it is not all of it.
    let declared = |also: &str| THROUGH_OPS.replace("name: Ops,", &format!("name: Ops, also_allows: [{also}],"));
    stage.write_desired(&declared("users:manage"));
    stage.plan(&[]).exits(1).says("QP0315");
    stage.write_desired(&declared("users:manage, tenants:manage"));
    let also = ["json", "markdown", "github", "terraform-json"];
    let also: Vec<String> =
        also.iter().flat_map(|format| ["--also".into(), format!("{format}=out.{format}")]).collect();
    let args: Vec<&str> = also.iter().map(String::as_str).collect();
    stage.plan(&args).exits(0).says("the role also allows: tenants:manage, users:manage");
    for format in ["json", "markdown", "github", "terraform-json"] {
        let text = written(&stage, &format!("out.{format}"));
        assert!(text.contains("users:manage") || text.contains("users%3Amanage"), "{format}: {text}");
    }
    let markdown = written(&stage, "out.markdown");
    assert!(markdown.contains("<details open><summary><b>Findings: 1"), "{markdown}");
    stage.apply(&["--yes"]).exits(0).says("granted the permission");
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_role_that_grew_since_it_was_reviewed_is_not_what_was_reviewed() {
    let (stage, role) = with_ops(&["api-keys"]);
    stage.plan(&["--out", "reviewed.plan"]).exits(0).says("grant a permission");
    let hash = |stage: &Stage| {
        let run = stage.plan(&["--format", "json"]);
        serde_json::from_str::<Value>(&run.out).unwrap()["hash"].as_str().unwrap().to_owned()
    };
    let before = hash(&stage);
    let grow = json!([{ "op": "add", "path": "/assignedScopes/-", "value": "users:manage" }]);
    as_admin(&stage, "PATCH", &format!("roles/{role}"), &grow);
    // Even where all of it is declared by now, it is another plan.
    stage.write_desired(&THROUGH_OPS.replace("name: Ops,", "name: Ops, also_allows: [users:manage],"));
    assert_ne!(hash(&stage), before);
    stage.apply(&["--plan", "reviewed.plan", "--exit-codes", "fine"]).exits(5).says("also allows users:manage");
    stage.apply(&["--approve", &before, "--exit-codes", "fine"]).exits(5);
}

#[test]
fn a_group_is_not_given_more_than_is_declared_either() {
    let (stage, _) = with_ops(&["api-keys", "users:manage"]);
    let host = stage.tenants()[0]["hostnames"][0].clone();
    let made = stage.control("POST", "/edit", &json!({ "action": "add_user", "tenant": host, "subject": "auth0|it" }));
    stage.control(
        "POST",
        "/edit",
        &json!({ "action": "set_user_groups", "user": made["id"], "groups": ["Integrations"] }),
    );
    let keyless = THROUGH_OPS.split("      api_keys:").next().unwrap();
    stage.write_desired(&keyless.replace("{ key_owners: true }", "{ groups: [Integrations] }"));
    stage.plan(&[]).exits(1).says("QP0315").says("users:manage");
}
