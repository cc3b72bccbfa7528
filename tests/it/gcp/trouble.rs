//! What goes wrong at Secret Manager: requests and answers that are lost, an outage, permissions that are missing.

use super::*;

#[test]
fn an_answer_that_is_lost_is_read_back_or_looked_up() {
    for what in ["add", "patch"] {
        let shop = Shop::new();
        shop.google.does(Does::Mute(what));
        let run = shop.apply(&["--yes"]).exits(0);
        if what == "patch" {
            run.says("reading it back");
        }
        shop.google.does(Does::Well);
        shop.plan(&FULL).exits(0);
        shop.is_whole();
        let before = shop.entry("ci");
        shop.six_days_later();
        shop.google.does(Does::Mute(what));
        shop.apply(&["--yes"]).exits(0);
        shop.google.does(Does::Well);
        shop.plan(&FULL).exits(0);
        assert_ne!(shop.entry("ci")["key_id"], before["key_id"]);
    }
    // Of a secret that is made, nothing is known: no payload was sent.
    let shop = Shop::new();
    shop.google.does(Does::Mute("create"));
    shop.apply(&["--yes"]).exits(1).says("was revoked");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.google.does(Does::Well);
    shop.recovers();
}

#[test]
fn a_write_that_is_lost_leaves_the_former_key_and_the_next_run_settles_it() {
    let shop = Shop::new();
    shop.recovers();
    let before = shop.value("ci");
    // A version that did not arrive is nobody's.
    shop.six_days_later();
    let live = shop.stage.live_keys().len();
    shop.google.does(Does::Deaf("add"));
    shop.apply(&["--yes"]).exits(1).says("was revoked");
    assert_eq!((shop.value("ci"), shop.stage.live_keys().len()), (before.clone(), live));
    shop.google.does(Does::Deaf("patch"));
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert_eq!(shop.value("ci"), before);
    shop.google.does(Does::Well);
    shop.recovers();
}

#[test]
fn an_outage_in_the_middle_loses_no_key_and_one_before_makes_none() {
    let shop = Shop::new();
    let running = shop.begin();
    shop.google.does(Does::Down);
    shop.end(running).exits(1).says("answers 503 UNAVAILABLE").says("was revoked");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.google.does(Does::Well);
    shop.recovers();
}

#[test]
fn the_least_permissions_are_enough_and_one_that_is_missing_is_named() {
    let shop = Shop::new();
    shop.plan(&["doctor", "--scopes"]).says(RIGHTS);
    shop.stage.forget_requests();
    shop.google.allow(&[]);
    shop.plan(&FULL).exits(1).says("'secretmanager.secrets.get' denied").says(RIGHTS);
    shop.apply(&["--yes"]).exits(1).says("PERMISSION_DENIED").says(RIGHTS);
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    // Whether a secret may be made, only the making tells.
    shop.google.allow(&LEAST[1..]);
    shop.apply(&["--yes"]).exits(1).says("answers 403 PERMISSION_DENIED").says("was revoked").says(RIGHTS);
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.google.allow(&LEAST);
    shop.recovers();
    // Of one that is there, Google tells beforehand.
    shop.six_days_later();
    shop.stage.forget_requests();
    shop.google.writes();
    shop.google.allow(&["secrets.get", "versions.get", "versions.access", "versions.add"]);
    shop.plan(&FULL).exits(1).says("lack secretmanager.secrets.update on").says(RIGHTS);
    shop.apply(&["--yes"]).exits(1).says("lack secretmanager.secrets.update on");
    assert_eq!((shop.stage.changes(), shop.google.writes()), (Vec::new(), Vec::new()));
    // It is taken away while a run is at work.
    shop.google.allow(&LEAST);
    let running = shop.begin();
    shop.google.allow(&["secrets.get", "versions.get", "versions.access", "versions.add"]);
    shop.end(running).exits(1).says("answers 403 PERMISSION_DENIED").says("was revoked");
    shop.google.allow(&LEAST);
    shop.recovers();
}

#[test]
fn whoever_repeats_what_was_written_is_not_repeated() {
    let shop = Shop::new();
    shop.google.does(Does::Repeats(400));
    let run = shop.apply(&["--yes"]).exits(1).says("answers 400 INVALID_ARGUMENT").says("was revoked");
    assert!(!run.all().contains("Invalid value"), "{}", run.all());
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.google.does(Does::Repeats(500));
    shop.apply(&["--yes"]).exits(1).says("answers 500 INTERNAL");
    shop.google.does(Does::Well);
    shop.recovers();
}
