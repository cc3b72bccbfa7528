//! The main story: plan, apply, plan.

use crate::client::{Client, value};
use crate::stage::{ONE_TENANT, Stage};

#[test]
fn what_is_declared_is_made_once_and_then_there_is_nothing_to_do() {
    let stage = Stage::new(ONE_TENANT);
    stage.plan(&["--detailed-exitcode"]).exits(2).says("Plan: 1 tenant and 2 keys to create");
    stage.settle();
    assert_eq!(stage.tenants().len(), 1);
    assert_eq!(stage.live_keys().len(), 2);

    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    assert_eq!(stage.changes(), Vec::<String>::new());
}

#[test]
fn a_plan_reads_and_asks_for_tokens_and_nothing_else() {
    let stage = Stage::new(ONE_TENANT);
    for _ in 0..2 {
        stage.plan(&[]).exits(0);
        assert_eq!(stage.changes(), Vec::<String>::new());
        assert!(!stage.requests().is_empty());
        stage.settle();
        stage.forget_requests();
    }
}

#[test]
fn a_delivered_token_works() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    let record = std::fs::read_to_string(stage.ledger().join("tenants/qlik.acme.json")).unwrap();
    let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
    assert!(record.contains(&host), "{record}");
    let client = Client::at(stage.dir());
    let ci = std::fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
    assert_eq!(client.users_me(&host, &ci).0, 200);
    let reporting = stage.secret_file("acme", "reporting");
    assert_eq!(value(&reporting, "QLIK_SERVER"), format!("https://{host}"));
    assert_eq!(client.users_me(&host, &value(&reporting, "QLIK_API_KEY")).0, 200);
}
