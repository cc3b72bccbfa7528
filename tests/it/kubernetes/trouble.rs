//! What goes wrong at a cluster: requests and answers that are lost, an outage, rights that are missing, tokens that end.

use super::*;

const ROLE: &str = "verbs get, create and update on secrets in the namespace qlik";

#[test]
fn an_answer_that_is_lost_is_read_back() {
    let shop = Shop::new();
    shop.cluster.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.cluster.does(Does::Well);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.cluster.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.cluster.does(Does::Well);
    shop.plan(&FULL).exits(0);
    assert_ne!(shop.entry("ci")["key_id"], before["key_id"]);
}

#[test]
fn a_write_that_is_lost_leaves_the_former_key_and_the_next_run_settles_it() {
    let shop = Shop::new();
    shop.cluster.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert!(shop.secret("ci").is_null());
    shop.cluster.does(Does::Well);
    shop.recovers();
    // What was made over what was not there is refused when it comes late.
    assert_eq!((shop.cluster.arrives(), shop.cluster.arrives()), (409, 409));
    shop.plan(&FULL).exits(0);
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.cluster.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert_eq!(shop.entry("ci"), before);
    shop.cluster.does(Does::Well);
    shop.recovers();
}

#[test]
fn an_outage_in_the_middle_loses_no_key_and_one_before_makes_none() {
    let shop = Shop::new();
    let running = shop.begin();
    shop.cluster.does(Does::Down);
    shop.end(running).exits(1).says("answers 503 ServiceUnavailable").says("left as undelivered");
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.cluster.does(Does::Well);
    shop.recovers();
}

#[test]
fn the_least_rights_are_enough_and_a_right_that_is_missing_is_named() {
    let shop = Shop::new();
    shop.plan(&["doctor", "--scopes"]).says(ROLE);
    shop.plan(&["doctor"]).says("vendors");
    shop.stage.forget_requests();
    for (verbs, says) in [
        (&[][..], "cannot get resource \"secrets\""),
        (&["get"], "may not create or update secrets in the namespace qlik"),
        (&["get", "update"], "may not create secrets in the namespace qlik"),
        (&["get", "create"], "may not update secrets in the namespace qlik"),
    ] {
        shop.cluster.allow(RUNNER, verbs);
        shop.plan(&FULL).exits(1).says(says).says(ROLE);
        shop.apply(&["--yes"]).exits(1).says(says).says(ROLE);
    }
    assert_eq!((shop.stage.changes(), shop.cluster.writes()), (Vec::new(), Vec::new()));
    // It is taken away while a run is at work.
    shop.cluster.allow(RUNNER, &LEAST);
    let running = shop.begin();
    shop.cluster.allow(RUNNER, &["get", "update"]);
    shop.end(running).exits(1).says("may not create secrets in the namespace qlik").says("was revoked").says(ROLE);
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.cluster.allow(RUNNER, &LEAST);
    shop.recovers();
}

#[test]
fn a_namespace_that_is_missing_and_a_quota_that_is_used_up_are_said_before_a_key_is_made() {
    let shop = Shop::new();
    shop.stage.forget_requests();
    shop.cluster.does(Does::Quota);
    shop.plan(&FULL).exits(1).says("exceeded quota: small").says("--dry-run=server");
    shop.apply(&["--yes"]).exits(1).says("exceeded quota: small");
    shop.cluster.does(Does::Well);
    shop.cluster.without_namespaces();
    shop.cluster.allow(RUNNER, &["get"]);
    shop.plan(&FULL).exits(1).says("see that the namespace qlik is there");
    assert_eq!((shop.stage.changes(), shop.cluster.writes()), (Vec::new(), Vec::new()));
}

#[test]
fn a_token_that_is_dead_or_ends_in_the_middle_is_told_as_that_and_leaves_no_key() {
    let mut shop = Shop::new();
    let running = shop.begin();
    shop.cluster.ends(RUNNER);
    let says = "the token of KUBE_TOKEN is not taken by https://";
    shop.end(running).exits(1).says(says).says("was revoked").says("kubectl create token");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says(says);
    shop.apply(&["--yes"]).exits(1).says(says);
    shop.env.clear();
    shop.plan(&FULL).exits(1).says("sinks.kube.token: the environment variable KUBE_TOKEN is not set");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.is("KUBE_TOKEN", RUNNER);
    shop.cluster.allow(RUNNER, &LEAST);
    shop.recovers();
}

/// A webhook's words may hold the whole object.
#[test]
fn whoever_repeats_what_was_written_is_not_repeated() {
    for code in [400, 403, 422] {
        let shop = Shop::new();
        shop.cluster.does(Does::Repeats(code));
        let run = shop.apply(&["--yes"]).exits(1).says("was revoked");
        assert!(!run.all().contains("denied the request"), "{}", run.all());
        assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
        shop.cluster.does(Does::Well);
        shop.recovers();
    }
    let shop = Shop::new();
    shop.cluster.does(Does::Repeats(500));
    shop.apply(&["--yes"]).exits(1).says("answers 500 InternalError").says("left as undelivered");
    shop.cluster.does(Does::Well);
    shop.recovers();
}

#[test]
fn a_server_that_nobody_vouches_for_or_that_is_none_gets_no_token() {
    let shop = Shop::new();
    let settings = shop.stage.dir().join("qlik-plan.settings.yaml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace(", ca_file: cluster.pem", "")).unwrap();
    shop.plan(&FULL).exits(1).says("not trusted");
    std::fs::write(&settings, text.replace("cluster.pem", "nobodys.pem")).unwrap();
    shop.plan(&FULL).exits(1).says("sinks.kube.ca_file").says("nobodys.pem cannot be read");
}
