//! What goes wrong at a GitLab: requests and answers that are lost or late, an outage, rights that are missing, tokens that end.

use super::*;

#[test]
fn an_answer_that_is_lost_is_read_back() {
    let shop = Shop::new();
    shop.gitlab.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.gitlab.does(Does::Well);
    shop.plan(&FULL).exits(0);
    shop.is_whole();
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.gitlab.does(Does::Mute);
    shop.apply(&["--yes"]).exits(0).says("reading it back");
    shop.gitlab.does(Does::Well);
    shop.plan(&FULL).exits(0);
    assert_ne!(shop.entry("ci")["key_id"], before["key_id"]);
}

/// GitLab takes whatever arrives, however late. So what was sent and is not there is never revoked: it may come to be in use.
#[test]
fn a_write_that_is_lost_leaves_the_former_key_and_one_that_comes_late_is_known_and_lives() {
    let shop = Shop::new();
    shop.recovers();
    let before = shop.entry("ci");
    shop.six_days_later();
    shop.gitlab.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert_eq!(shop.entry("ci"), before, "what stands there is known, though the metadata name another too");
    shop.gitlab.does(Does::Well);
    shop.apply(&["--yes"]).exits(0).says("takes whatever arrives, however late");
    shop.plan(&FULL).exits(0).says("takes whatever arrives, however late");
    shop.is_whole();
    let (ci, reporting) = (shop.entry("ci")["key_id"].clone(), shop.entry("reporting")["key_id"].clone());
    assert_eq!((shop.gitlab.arrives(), shop.gitlab.arrives()), (200, 200));
    assert_ne!((&shop.entry("ci")["key_id"], &shop.entry("reporting")["key_id"]), (&ci, &reporting));
    shop.is_whole();
    shop.recovers();
    shop.six_days_later();
    shop.recovers();
}

#[test]
fn what_is_made_twice_is_made_once() {
    let shop = Shop::new();
    shop.gitlab.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("left as undelivered");
    assert!(shop.variable("ci").is_null());
    shop.gitlab.does(Does::Well);
    shop.recovers();
    // A variable of that name is there by now.
    assert_eq!((shop.gitlab.arrives(), shop.gitlab.arrives()), (400, 400));
    shop.recovers();
}

#[test]
fn where_the_metadata_are_lost_the_key_has_not_left_and_is_revoked() {
    let shop = Shop::new();
    shop.gitlab.does(Does::AllDeaf);
    shop.apply(&["--yes"]).exits(1).says("was revoked");
    assert_eq!((shop.stage.live_keys(), shop.gitlab.writes()), (Vec::new(), Vec::new()));
    shop.gitlab.does(Does::Well);
    shop.recovers();
}

#[test]
fn an_outage_in_the_middle_loses_no_key_and_one_before_makes_none() {
    let shop = Shop::new();
    let running = shop.begin();
    shop.gitlab.does(Does::Down);
    shop.end(running).exits(1).says("answers 503").says("was revoked").says("see how http://");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.gitlab.does(Does::Well);
    shop.recovers();
}

#[test]
fn the_least_rights_are_enough_and_a_right_that_is_missing_is_named_before_a_key_is_made() {
    let shop = Shop::new();
    shop.plan(&["doctor", "--scopes"]).exits(0).says(RIGHTS);
    shop.stage.forget_requests();
    let of = |scopes| Holder { scopes, ..MAINTAINER };
    for (holder, says) in [
        (Holder { is_member: false, ..MAINTAINER }, "knows no such project as the project acme/deploy"),
        (Holder { is_maintainer: false, ..MAINTAINER }, "may not do this"),
        (of(&["read_api"]), "has not the scope api"),
        (of(&["read_repository"]), "has not the scope for it"),
    ] {
        shop.gitlab.allow(RUNNER, holder);
        shop.plan(&FULL).exits(1).says(says).says(RIGHTS);
        shop.apply(&["--yes"]).exits(1).says(says).says(RIGHTS);
    }
    assert_eq!((shop.stage.changes(), shop.gitlab.writes()), (Vec::new(), Vec::new()));
    // A token that may not ask about itself.
    shop.gitlab.allow(RUNNER, Holder { tells: false, ..MAINTAINER });
    shop.plan(&FULL).exits(2).says("Not checked").says("whether the token may write the variable PROD_QLIK_ACME_CI");
    // It is taken away while a run is at work.
    shop.gitlab.allow(RUNNER, MAINTAINER);
    let running = shop.begin();
    shop.gitlab.allow(RUNNER, of(&["read_api"]));
    shop.end(running).exits(1).says("has not the scope for it").says("was revoked").says(RIGHTS);
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.gitlab.allow(RUNNER, MAINTAINER);
    shop.recovers();
}

#[test]
fn a_token_that_is_dead_or_ends_in_the_middle_is_told_as_that_and_leaves_no_key() {
    let mut shop = Shop::new();
    let running = shop.begin();
    shop.gitlab.ends(RUNNER);
    let says = "the token of GITLAB_TOKEN is not taken by http://";
    shop.end(running).exits(1).says(says).says("was revoked").says("CI_JOB_TOKEN is none");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says(says);
    shop.apply(&["--yes"]).exits(1).says(says);
    shop.env.clear();
    shop.plan(&FULL).exits(1).says("sinks.forge.token: the environment variable GITLAB_TOKEN is not set");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.is("GITLAB_TOKEN", RUNNER);
    shop.gitlab.allow(RUNNER, MAINTAINER);
    shop.recovers();
}

#[test]
fn no_room_for_variables_is_said_and_nothing_is_left_behind() {
    let shop = Shop::new();
    shop.gitlab.does(Does::Full);
    shop.apply(&["--yes"])
        .exits(1)
        .says("answers 400 because of base")
        .says("GitLab limits how many")
        .says("was revoked");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.gitlab.does(Does::Well);
    shop.recovers();
}

#[test]
fn whoever_repeats_what_was_written_is_not_repeated() {
    for code in [400, 403, 422] {
        let shop = Shop::new();
        shop.gitlab.does(Does::Repeats(code));
        let run = shop.apply(&["--yes"]).exits(1).says("was revoked");
        assert!(!run.all().contains("blocked"), "{}", run.all());
        assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
        shop.gitlab.does(Does::Well);
        shop.recovers();
    }
    let shop = Shop::new();
    shop.gitlab.does(Does::Repeats(500));
    shop.apply(&["--yes"]).exits(1).says("answers 500").says("left as undelivered");
    shop.gitlab.does(Does::Well);
    shop.recovers();
}
