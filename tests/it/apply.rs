//! The main story: plan, apply, plan.

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
    let script = format!(
        r#"host=$(sed -n "s/.*\"hostname\": \"\(.*\)\",*/\1/p" {ledger}/tenants/qlik.acme.json)
        curl -sSL -o /dev/null -w '%{{http_code}} ' -H "Authorization: Bearer $(cat {ci})" "https://$host/api/v1/users/me"
        . {reporting}
        curl -sSL -o /dev/null -w '%{{http_code}}' -H "Authorization: Bearer $QLIK_API_KEY" "$QLIK_SERVER/api/v1/users/me""#,
        ledger = stage.ledger().display(),
        ci = stage.secret_file("acme", "ci").display(),
        reporting = stage.secret_file("acme", "reporting").display(),
    );
    let run = stage.shell(&script).exits(0);
    assert_eq!(run.out, "200 200", "{}", run.err);
}
