//! What goes wrong at a vault: requests and answers that are lost, an outage, rights that are missing.

use super::*;

#[test]
fn an_answer_that_is_lost_is_read_back() {
    let shop = Shop::new();
    shop.vault.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.vault.does(Does::Well);
    shop.plan(&FULL).exits(0);
    shop.works();
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.vault.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.vault.does(Does::Well);
    shop.plan(&FULL).exits(0);
    assert_ne!(shop.entry("ci")["key_id"], before["key_id"]);
}

#[test]
fn a_write_that_is_lost_leaves_the_former_key_and_the_next_run_delivers_another() {
    let shop = Shop::new();
    shop.vault.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert!(shop.secret("ci").is_null());
    let lost = shop.stage.live_keys();
    assert_eq!(lost.len(), 2, "{lost:#?}");
    shop.vault.does(Does::Well);
    shop.recovers();
    // They may still arrive, so they live, and every plan names them.
    assert_eq!(shop.stage.live_keys().len(), 4);
    for lost in lost {
        shop.plan(&FULL).exits(0).says(lost["id"].as_str().unwrap()).says("takes whatever arrives, however late");
    }
}

#[test]
fn an_outage_in_the_middle_loses_no_key_and_one_before_makes_none() {
    let shop = Shop::new();
    shop.recovers();
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    let running = shop.begin();
    shop.vault.does(Does::Down);
    // The look just before the write: nothing was sent, so the key goes.
    shop.end(running).exits(1).says("answers 503 ServiceUnavailable").says("was revoked");
    assert_eq!(shop.stage.live_keys().len(), live);
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.vault.does(Does::Well);
    shop.recovers();
}

#[test]
fn the_least_rights_are_enough_and_a_right_that_is_missing_is_named() {
    let shop = Shop::new();
    shop.plan(&["doctor", "--scopes"]).says(RIGHTS);
    shop.stage.forget_requests();
    shop.vault.allow(&["set"]);
    shop.plan(&FULL).exits(1).says("answers 403 ForbiddenByRbac").says(RIGHTS);
    shop.apply(&["--yes"]).exits(1).says("ForbiddenByRbac").says(RIGHTS);
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    // That one may write, only a write tells.
    shop.vault.allow(&["get"]);
    shop.apply(&["--yes"]).exits(1).says("answers 403 ForbiddenByRbac").says("was revoked").says(RIGHTS);
    assert_eq!((shop.stage.live_keys(), shop.secret("ci")), (Vec::<Value>::new(), Value::Null));
    shop.vault.allow(&["get", "set"]);
    shop.recovers();
    // It may be read no more once it was written.
    shop.six_days_later();
    let running = shop.begin();
    shop.vault.allow(&["set"]);
    shop.end(running).exits(1).says(RIGHTS).says("was revoked");
    shop.vault.allow(&["get", "set"]);
    shop.recovers();
}

#[test]
fn a_version_that_somebody_disabled_is_said_with_the_way_out() {
    let shop = Shop::new();
    shop.recovers();
    let version = shop.secret("ci")["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let enabled = |is: bool| {
        let change = json!({ "attributes": { "enabled": is } });
        assert_eq!(shop.vault.admin("PATCH", &format!("{}/{version}", path("ci")), &change).0, 200);
    };
    enabled(false);
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says("SecretDisabled").says("az keyvault secret set-attributes --vault-name VAULT");
    shop.apply(&["--yes"]).exits(1).says("SecretDisabled");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    enabled(true);
    shop.plan(&FULL).exits(0);
}

#[test]
fn whoever_repeats_what_was_written_is_not_repeated() {
    let shop = Shop::new();
    shop.vault.does(Does::Repeats(400));
    let run = shop.apply(&["--yes"]).exits(1).says("answers 400 BadParameter").says("was revoked");
    assert!(!run.all().contains("This is not a secret"), "{}", run.all());
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.vault.does(Does::Repeats(500));
    shop.apply(&["--yes"]).exits(1).says("answers 500 BadParameter").says("left as undelivered");
    shop.vault.does(Does::Well);
    shop.recovers();
}
