//! A tenant whose creating answer was lost: nobody makes a second, and a person ends the doubt, with a list or without.

use serde_json::{Value, json};

use crate::stage::{ONE_TENANT, SETTINGS, Stage};

const TENANTS: &str = "/api/v1/tenants";

/// Settings whose account may list the organization's tenants.
fn with_organization() -> String {
    let client = "    organization_client: { id: { env: QLIK_ORGANIZATION_CLIENT_ID }, secret: { env: QLIK_ORGANIZATION_CLIENT_SECRET } }\nsinks:";
    let settings = SETTINGS.replace("sinks:", client);
    assert_ne!(settings, SETTINGS);
    settings
}

/// An apply whose creating request ends like this. An hour ago the source tenant was made.
fn struck(settings: &str, action: &Value) -> Stage {
    let stage = Stage::with_settings(ONE_TENANT, settings);
    stage.plan(&[]).exits(0);
    stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
    stage.fault(&json!({ "match": { "method": "POST", "path": TENANTS }, "nth": 1, "action": action }));
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("a tenant may have been made, so the intent stays and nothing is sent again")
        .says("qlik-apply resolve qlik/acme --adopt HOSTNAME --sandbox   (it is there)")
        .says("qlik-apply resolve qlik/acme --not-created");
    stage
}

/// Both commands refuse it with the verbs that end the doubt, and send nothing.
#[track_caller]
fn is_refused(stage: &Stage) {
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("qlik/acme            refused, QP0203")
            .says("qlik-apply resolve qlik/acme --adopt HOSTNAME")
            .says("qlik-apply resolve qlik/acme --not-created");
    }
    assert_eq!(posts(stage), 1);
}

fn posts(stage: &Stage) -> usize {
    let requests = stage.requests();
    requests.iter().filter(|one| one["method"] == json!("POST") && one["path"] == json!(TENANTS)).count()
}

fn label(tenant: &Value) -> String {
    tenant["hostnames"][0].as_str().unwrap().split('.').next().unwrap().to_owned()
}

/// One tenant, made by one request, named and reachable as declared, with two keys in it; and nothing is left to do.
#[track_caller]
fn is_settled_by_the_next(stage: &Stage) {
    stage.plan(&["--detailed-exitcode"]).exits(2).says("set up tenant");
    stage.apply(&["--yes"]).exits(0);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    let tenants = stage.tenants();
    let [tenant] = tenants.as_slice() else { panic!("{} tenants", tenants.len()) };
    assert_eq!(tenant["name"], json!("Acme Corp"));
    assert_eq!(tenant["hostnames"][1], json!("acme-analytics.us.qlikcloud.com"));
    assert_eq!((posts(stage), stage.live_keys().len()), (1, 2));
}

#[test]
fn with_an_organization_client_exactly_one_candidate_is_proposed_and_adopting_it_is_enough() {
    for action in [json!("drop_after"), json!({ "status_after": { "status": 500 } }), json!("truncate")] {
        let stage = struck(&with_organization(), &action);
        is_refused(&stage);
        let tenants = stage.tenants();
        let [tenant] = tenants.as_slice() else { panic!("{} tenants", tenants.len()) };
        let label = label(tenant);
        let proposal = format!("qlik-apply resolve qlik/acme --adopt {label}");
        let said = stage
            .apply(&["resolve", "qlik/acme"])
            .exits(1)
            .says("qlik/acme is in doubt")
            .says("the organization lists exactly one tenant made since then")
            .says(&proposal);
        assert_eq!(said.out.matches("--adopt").count(), 1, "{}", said.out);
        assert!(!said.out.contains("--not-created"), "{}", said.out);
        // As proposed, word by word.
        let host = said.out.split("--adopt ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        assert!(host.starts_with(&format!("{label}.")), "{host}");
        stage.apply(&["resolve", "qlik/acme", "--adopt", &host]).exits(0).says("the next qlik-apply sets it up");
        is_settled_by_the_next(&stage);
    }
}

#[test]
fn none_listed_proves_nothing_and_frees_nothing() {
    let stage = struck(&with_organization(), &json!("drop_before"));
    for _ in 0..2 {
        stage
            .apply(&["resolve", "qlik/acme"])
            .exits(1)
            .says("lists no tenant made since then; lists lag, so that proves nothing")
            .says("qlik-apply resolve qlik/acme --not-created");
        is_refused(&stage);
    }
    stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(1).says("may still be on its way");
    stage.control("POST", "/clock", &json!({ "advance": "PT61M" }));
    stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(0).says("is free again");
    stage.settle();
    assert_eq!((posts(&stage), stage.tenants().len(), stage.live_keys().len()), (2, 1, 2));
}

#[test]
fn a_list_that_lags_shows_it_later_and_nothing_is_made_meanwhile() {
    let stage = Stage::with_settings(ONE_TENANT, &with_organization());
    stage.plan(&[]).exits(0);
    // Five times the list is asked before it shows the tenant.
    stage.control("POST", "/switches", &json!({ "console_lag": 5 }));
    stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
    stage.fault(&json!({ "match": { "method": "POST", "path": TENANTS }, "nth": 1, "action": "drop_after" }));
    stage.apply(&["--yes"]).exits(1);
    stage.apply(&["resolve", "qlik/acme"]).exits(1).says("lists lag, so that proves nothing");
    is_refused(&stage);
    let listed = (0..6).map(|_| stage.apply(&["resolve", "qlik/acme"]).exits(1));
    let listed: Vec<_> = listed.filter(|run| run.out.contains("exactly one tenant")).collect();
    assert!(!listed.is_empty(), "it came on the list, and nobody saw it");
    assert_eq!(posts(&stage), 1);
}

#[test]
fn two_that_came_since_are_both_named_and_neither_is_chosen() {
    let stage = struck(&with_organization(), &json!("drop_after"));
    // A colleague makes one in the portal.
    stage.control("POST", "/edit", &json!({ "action": "create_tenant", "region": "us", "name": "Anna's" }));
    let said = stage.apply(&["resolve", "qlik/acme"]).exits(1).says("lists 2 tenants made since then");
    let tenants = stage.tenants();
    assert_eq!(tenants.len(), 2);
    for tenant in &tenants {
        assert!(said.out.contains(&format!("--adopt {}", label(tenant))), "{}", said.out);
    }
    is_refused(&stage);
}

#[test]
fn without_an_organization_client_a_persons_word_frees_it_or_binds_it() {
    let stage = struck(SETTINGS, &json!("drop_after"));
    is_refused(&stage);
    stage
        .apply(&["resolve", "qlik/acme"])
        .exits(1)
        .says("look at the tenants of your subscription in My Qlik for one created at that time")
        .says("--adopt HOSTNAME --sandbox   (it is there)")
        .says("--not-created --sandbox      (it is not)");
    let tenants = stage.tenants();
    stage.apply(&["resolve", "qlik/acme", "--adopt", &label(&tenants[0])]).exits(0);
    is_settled_by_the_next(&stage);

    let stage = struck(SETTINGS, &json!("drop_before"));
    is_refused(&stage);
    stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(1).says("look again and say it in ");
    stage.control("POST", "/clock", &json!({ "advance": "PT61M" }));
    stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(0).says("is free again");
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}
