//! What stops a run before it does harm: limits, one address a tenant, credentials that say nothing, tokens handed back.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Run, SETTINGS, Stage};

/// `acme`, and `globex` beside it.
fn two_tenants() -> String {
    let globex = ONE_TENANT.split("    acme:\n").nth(1).unwrap();
    let globex = globex.replace("Acme Corp", "Globex").replace("acme-analytics", "globex-analytics");
    format!("{ONE_TENANT}    globex:\n{globex}")
}

#[test]
fn two_tenants_are_missing_and_one_may_be_made_so_none_is() {
    let stage = Stage::with_settings(&two_tenants(), &format!("{SETTINGS}limits: {{ create_tenants: 1 }}\n"));
    stage.forget_requests();
    for run in [stage.plan(&[]), stage.apply(&["--yes"]), stage.apply(&["--yes", "--unrehearsed"])] {
        run.exits(1)
            .says("qlik/acme")
            .says("qlik/globex")
            .says("2 tenants are missing and one run may create at most 1 (limits.create_tenants)")
            .says("raise limits.create_tenants in settings if every one of them is meant");
    }
    // Not even the rehearsal that the sandbox does by itself.
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::<String>::new(), 0));

    let settings = stage.dir().join("qlik-plan.settings.yaml");
    std::fs::write(&settings, format!("{SETTINGS}limits: {{ create_tenants: 2, mint_keys: 3 }}\n")).unwrap();
    stage.apply(&["--yes"]).exits(1).says("4 keys are to be minted and one run may mint at most 3 (limits.mint_keys)");
    std::fs::write(&settings, format!("{SETTINGS}limits: {{ create_tenants: 2, mint_keys: 4 }}\n")).unwrap();
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (2, 4));
}

#[test]
fn one_tenant_adopted_under_two_names_is_recorded_under_none() {
    let stage = Stage::new("version: 1\nqlik: { tenants: {} }\n");
    let edit = json!({ "action": "create_tenant", "region": "us", "name": "One", "alias": "one.us.qlikcloud.com" });
    let made = stage.control("POST", "/edit", &edit);
    let label = made["hostnames"][0].as_str().unwrap().split('.').next().unwrap().to_owned();
    let adopting =
        |name: &str, label: &str| format!("    {name}: {{ account: us-oem, adopt: {{ hostname: {label} }} }}\n");
    let both = format!("version: 1\nqlik:\n  tenants:\n{}{}", adopting("first", &label), adopting("second", "one"));
    stage.write_desired(&both);
    stage.forget_requests();
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("qlik/first   refused, QP0210")
            .says("qlik/second  refused, QP0210")
            .says("qlik/first and qlik/second lead to one tenant, ")
            .says("remove all but one");
    }
    assert_eq!((stage.changes(), stage.tenants().len()), (Vec::<String>::new(), 1));
    stage.apply(&["ledger", "list"]).exits(0).says("No tenant is recorded");
    stage.write_desired(&format!("version: 1\nqlik:\n  tenants:\n{}", adopting("first", &label)));
    stage.settle();
}

#[test]
fn a_purged_tenants_place_is_not_taken_by_the_next_that_has_its_alias() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let old = stage.tenants()[0]["id"].clone();
    stage.control("POST", "/edit", &json!({ "action": "purge_tenant", "tenant": old }));
    // The alias is free at once, and somebody takes it.
    let alias = "acme-analytics.us.qlikcloud.com";
    let edit = json!({ "action": "create_tenant", "region": "us", "name": "Another Acme", "alias": alias });
    stage.control("POST", "/edit", &edit);
    stage.forget_requests();
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("qlik/acme            refused, QP0205")
            .says("look in My Qlik whether the tenant still exists")
            .says("it is never created anew by itself");
    }
    assert_eq!(stage.changes(), Vec::<String>::new());
    let tenants = stage.tenants();
    assert_eq!((tenants.len(), tenants[0]["name"].as_str()), (1, Some("Another Acme")));
    assert_eq!(stage.live_keys().len(), 0);
}

#[test]
fn a_rotated_secret_is_no_reason_to_make_anything() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["ledger", "init"]).exits(0);
    cloud.apply(&["--yes", "--unrehearsed"]).exits(0);
    // One more is missing when the secret changes at the vendor, and here still is the old one.
    cloud.stage.write_desired(&two_tenants());
    let id = cloud.variable("QLIK_CLIENT_ID").to_owned();
    cloud.stage.control("POST", "/edit", &json!({ "action": "rotate_secret", "client": id }));
    cloud.stage.forget_requests();
    for run in [cloud.plan(&[]), cloud.apply(&["--yes", "--unrehearsed"])] {
        run.exits(1)
            .says("qlik/acme              refused, QP0219")
            .says("qlik/globex            refused, QP0219")
            .says("was answered with 401 OAUTH-5")
            .says("check the id and secret in settings: accounts.us-oem.client");
    }
    assert_eq!((cloud.stage.changes(), cloud.stage.tenants().len()), (Vec::<String>::new(), 1));
    assert!(cloud.stage.requests().iter().all(|one| one["path"] != json!("/api/v1/tenants")));

    // With the new one all goes on where it was.
    let seed = json!({ "accounts": [{ "region": "us", "source_tenant": "mycorp" }] });
    let seeded = cloud.stage.control("POST", "/seed", &seed);
    let secret = seeded["accounts"][0]["client"]["secret"].as_str().unwrap();
    let run = |program, args: &[&str]| cloud.ends(cloud.command(program, args).env("QLIK_CLIENT_SECRET", secret));
    run(APPLY, &["--yes", "--unrehearsed"]).exits(0).says("1 tenant and 2 keys created");
    run(PLAN, &["--detailed-exitcode"]).exits(0);
    assert_eq!(cloud.stage.tenants().len(), 2);
}

#[test]
fn what_is_bound_and_no_longer_declared_is_named_and_left() {
    let stage = Stage::new(&two_tenants());
    stage.settle();
    stage.write_desired(ONE_TENANT);
    stage.forget_requests();
    for (run, exit) in [(stage.plan(&["--detailed-exitcode"]), 2), (stage.apply(&["--yes"]), 0)] {
        run.exits(exit)
            .says("qlik/globex  found, QP0601")
            .says("in the ledger and no longer declared; nothing is deleted")
            .says("qlik-apply ledger mv qlik/globex NEW")
            .says("qlik-apply ledger forget qlik/globex");
    }
    assert_eq!((stage.changes(), stage.tenants().len(), stage.live_keys().len()), (Vec::<String>::new(), 2, 4));
}

/// Access tokens that still work, anywhere.
fn live_tokens(stage: &Stage) -> u64 {
    let state = stage.state();
    let places = [&state["tenants"], &state["subscriptions"]].into_iter().flat_map(|list| list.as_array().unwrap());
    let tenants: u64 = places.map(|place| place["live_tokens"].as_u64().unwrap()).sum();
    tenants + state["organization"]["live_tokens"].as_u64().unwrap()
}

#[test]
fn every_run_hands_its_tokens_back() {
    let organization = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\nsinks:";
    let stage = Stage::with_settings(ONE_TENANT, &SETTINGS.replace("sinks:", organization));
    let granted = |stage: &Stage| {
        let is_grant = |one: &Value| one["path"] == json!("/oauth/token") && one["status"] == json!(200);
        stage.requests().iter().filter(|one| is_grant(one)).count()
    };
    let ends = |what: &str, run: Run, code: i32| {
        run.exits(code);
        assert!(granted(&stage) > 0, "{what} asked for no token");
        assert_eq!(live_tokens(&stage), 0, "{what} left tokens");
        stage.forget_requests();
    };
    ends("a plan", stage.plan(&[]), 0);
    ends("a rehearsal", stage.apply(&["rehearse", "us-oem"]), 0);
    // In doubt: the answer to the creation is lost.
    stage.fault(&json!({ "match": { "method": "POST", "path": "/api/v1/tenants" }, "nth": 1, "action": "drop_after" }));
    ends("an apply that fails", stage.apply(&["--yes"]), 1);
    ends("a person's question", stage.apply(&["resolve", "qlik/acme"]), 1);
    stage.fault(&json!({ "match": { "path": "/api/core/tenants" }, "nth": 1, "action": { "status_before": {
        "status": 403, "body": { "errors": [{ "code": "HTTP-403", "title": "Forbidden" }] },
    } } }));
    ends("a question that is not answered", stage.apply(&["resolve", "qlik/acme"]), 1);
    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    let label = host.split('.').next().unwrap();
    ends("a person's word", stage.apply(&["resolve", "qlik/acme", "--adopt", label]), 0);
    ends("an apply", stage.apply(&["--yes"]), 0);
    ends("an apply with nothing to do", stage.apply(&["--yes"]), 0);
    stage.write_desired(&ONE_TENANT.replace("expires_in: P7D", "expires_in: P31D"));
    ends("an apply that is refused in part", stage.apply(&["--yes"]), 0);
    stage.plan(&["--unmanaged"]).exits(0);
    assert_eq!(live_tokens(&stage), 0);
}

#[test]
fn another_domain_comes_from_settings_and_is_the_only_one_asked() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.write_settings(&SETTINGS.replace("    region: us\n", "    region: us\n    domain: qlikcloudgov.com\n"));
    cloud.apply(&["ledger", "init"]).exits(0);
    cloud.stage.forget_requests();
    // The sandbox answers for no government: it refuses, and keeps what was asked of it.
    cloud.plan(&[]).exits(1).says("acme-analytics.us.qlikcloudgov.com");
    let hosts: Vec<String> =
        cloud.stage.requests().iter().map(|one| one["host"].as_str().unwrap().to_owned()).collect();
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host.contains(".us.qlikcloudgov.com")), "{hosts:?}");

    // Desired state has no say in it.
    cloud.write_settings(SETTINGS);
    for (line, what) in [
        ("      domain: example.com\n", "`domain`"),
        ("      alias: acme.qlikcloudgov.com\n", "only the first label"),
        ("      adopt: { hostname: acme.us.qlikcloudgov.com }\n", "only the first label"),
    ] {
        let tenant = format!("version: 1\nqlik:\n  tenants:\n    acme:\n      account: us-oem\n{line}");
        cloud.stage.write_desired(&tenant);
        cloud.stage.forget_requests();
        cloud.plan(&[]).exits(1).says(what);
        assert_eq!(cloud.stage.requests().len(), 0);
    }

    // To rehearse with such settings, the sandbox stands in for that domain too.
    let stage = Stage::with_settings(
        ONE_TENANT,
        &SETTINGS.replace("    region: us\n", "    region: us\n    domain: qlikcloudgov.com\n"),
    );
    stage.settle();
}
