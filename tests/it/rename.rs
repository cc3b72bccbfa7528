//! A name changes in desired state: nothing is bought twice, and what was delivered stays known.

use std::fs;

use serde_json::json;

use crate::stage::{ONE_TENANT, Stage};

fn renamed() -> String {
    ONE_TENANT.replace("    acme:\n", "    acme-corp:\n")
}

/// One tenant, made, and then called otherwise in desired state.
fn stage() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(&renamed());
    stage.forget_requests();
    stage
}

#[test]
fn a_renamed_tenant_is_moved_and_not_made_again() {
    let stage = stage();
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("QP0218")
        .says("qlik-apply ledger mv qlik/acme qlik/acme-corp")
        .says("qlik-apply --new qlik/acme-corp");
    assert_eq!(stage.changes(), Vec::<String>::new());

    stage.apply(&["ledger", "mv", "qlik/acme", "qlik/acme-corp"]).exits(0).says("qlik/acme is qlik/acme-corp now");
    stage.plan(&["--detailed-exitcode"]).exits(0).says("qlik/acme-corp/ci");
    stage.forget_requests();
    stage.apply(&["--yes"]).exits(0).says("Nothing to do");
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));

    // Six days on, a key is due: its successor goes where the name says now.
    let old = fs::read_to_string(stage.secret_file("acme", "ci")).unwrap();
    assert!(!stage.secret_file("acme-corp", "ci").exists());
    stage.control("POST", "/clock", &json!({ "advance": "P6DT1H" }));
    stage.apply(&["--yes"]).exits(0);
    let new = fs::read_to_string(stage.secret_file("acme-corp", "ci")).unwrap();
    assert_ne!(new, old);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!(stage.tenants().len(), 1);
    assert!(
        stage
            .plan(&[])
            .exits(0)
            .all()
            .contains(&stage.secret_file("acme-corp", "ci").file_name().unwrap().to_string_lossy().into_owned())
    );
}

#[test]
fn a_tenant_that_is_new_is_made_once_a_person_says_so() {
    let stage = stage();
    stage.write_desired(&renamed().replace("acme-analytics", "acme-corp-analytics"));
    stage.plan(&["--new", "qlik/acme"]).exits(1).says("no such tenant is declared");
    stage.apply(&["--yes", "--new", "qlik/acme-corp"]).exits(0);
    assert_eq!(stage.tenants().len(), 2);
    // Recorded now, so nobody has to say it again.
    stage.plan(&["--detailed-exitcode"]).exits(2).says("qlik-apply ledger mv qlik/acme NEW");
}

#[test]
fn moving_what_is_still_declared_or_onto_another_record_is_refused() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage
        .apply(&["ledger", "mv", "qlik/acme", "qlik/globex"])
        .exits(1)
        .says("qlik/acme is still declared")
        .says("next:");
    stage.apply(&["ledger", "mv", "qlik/acme"]).exits(1).says("qlik-apply ledger mv qlik/OLD qlik/NEW");
    stage.apply(&["ledger", "mv", "qlik/acme/ci", "qlik/acme/cd"]).exits(1).says("is a key");
    stage.write_desired(
        &ONE_TENANT.replace("    acme:\n", "    globex:\n").replace("acme-analytics", "globex-analytics"),
    );
    stage.apply(&["--yes"]).exits(0);
    stage.apply(&["ledger", "mv", "qlik/acme", "qlik/globex"]).exits(1).says("has a record of qlik/globex already");
    stage.apply(&["ledger", "mv", "qlik/initech", "qlik/acme"]).exits(1).says("no record of qlik/initech");
    assert_eq!(stage.tenants().len(), 2);
}

#[test]
fn a_move_that_was_cut_short_is_finished_by_the_next_run() {
    let stage = stage();
    let old = stage.ledger().join("tenants/qlik.acme.json");
    let before = fs::read(&old).unwrap();
    stage.apply(&["ledger", "mv", "qlik/acme", "qlik/acme-corp"]).exits(0);
    // As a crash between its two writes leaves it.
    fs::write(&old, before).unwrap();
    let list = stage.apply(&["ledger", "list"]).exits(0).says("qlik/acme-corp").says("1 tenant recorded");
    assert!(!list.out.contains("qlik/acme "), "{}", list.out);
    stage.plan(&["--detailed-exitcode"]).exits(0);
    stage.apply(&["--yes"]).exits(0);
    assert!(!old.exists());
    assert_eq!(stage.tenants().len(), 1);
}

#[test]
fn a_bound_tenant_is_forgotten_only_by_a_person_who_knows_what_follows() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.apply(&["ledger", "forget", "qlik/acme", "--yes"]).exits(1).says("still declared").says("a second tenant");
    stage.write_desired("version: 1\nqlik: { tenants: {} }\n");
    stage
        .apply(&["ledger", "forget", "qlik/acme"])
        .exits(1)
        .says("with its licence quota")
        .says("gets a second tenant")
        .says("qlik-apply ledger forget qlik/acme --yes");
    stage.apply(&["ledger", "list"]).exits(0).says("1 tenant recorded");
    stage.forget_requests();
    stage.apply(&["ledger", "forget", "qlik/acme", "--yes"]).exits(0).says("is forgotten");
    stage.apply(&["ledger", "list"]).exits(0).says("No tenant is recorded");
    assert_eq!(stage.requests().len(), 0);
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}

#[test]
fn a_renamed_key_is_a_new_one_and_the_old_is_named() {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.write_desired(
        &ONE_TENANT.replace("        ci: { description: CI deploys", "        cd: { description: CD deploys"),
    );
    stage
        .plan(&["--detailed-exitcode"])
        .exits(2)
        .says("qlik/acme/cd")
        .says("1 key to create")
        .says("was made for a key that is no longer declared");
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 3));
}
