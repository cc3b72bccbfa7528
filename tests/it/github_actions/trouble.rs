//! What goes wrong at a GitHub: requests and answers that are lost or late, a public key that is replaced, an outage, rights that are missing,
//! tokens that end.

use super::*;

/// Nobody can read what a secret holds, and it takes what comes late: the key of a lost request is never revoked. When the secret was
/// changed is told, and proves nothing.
#[test]
fn whatever_becomes_of_a_request_without_an_answer_the_secret_holds_a_key_that_lives() {
    for (does, trace) in [
        (Does::Mute, "GitHub shows that it was changed at 2026-11-28T18:00:"),
        (Does::Deaf, "GitHub shows no change of it so far"),
    ] {
        let shop = Shop::new();
        shop.recovers();
        shop.six_days_later();
        shop.github.does(does);
        let told =
            shop.apply(&["--yes"]).exits(1).says("whether the key is there is not known").says("left as undelivered");
        told.says(trace);
        assert!(shop.works(), "whichever of the two it holds lives");
        shop.github.does(Does::Well);
        shop.apply(&["--yes"]).exits(0).says("takes whatever arrives, however late");
        assert!(shop.works());
        if does == Does::Deaf {
            assert_eq!((shop.github.arrives(), shop.github.arrives()), (204, 204));
            assert!(shop.works(), "what came late was revoked");
        }
        shop.plan(&FULL).exits(0).says("takes whatever arrives, however late");
    }
}

#[test]
fn a_first_write_that_is_lost_is_seen_to_be_lost_and_made_again() {
    let shop = Shop::new();
    shop.github.does(Does::Deaf);
    shop.apply(&["--yes"]).exits(1).says("GitHub shows no change of it so far").says("left as undelivered");
    assert_eq!(shop.value("ci"), None);
    shop.github.does(Does::Well);
    shop.recovers();
    assert_eq!((shop.github.arrives(), shop.github.arrives()), (204, 204));
    assert!(shop.works());
}

#[test]
fn a_public_key_that_is_replaced_meanwhile_is_asked_for_again_and_the_secret_sealed_anew() {
    let shop = Shop::new();
    shop.github.does(Does::Replaces);
    shop.apply(&["--yes"]).exits(0);
    // One of the two was refused once, with the same secret for another key.
    assert_eq!(shop.github.writes().len(), 3);
    shop.plan(&FULL).exits(0);
    assert!(shop.works());
    assert_eq!(shop.stage.live_keys().len(), 2);
}

#[test]
fn an_outage_in_the_middle_loses_no_key_and_one_before_makes_none() {
    let shop = Shop::new();
    let running = shop.begin();
    shop.github.does(Does::Down);
    shop.end(running).exits(1).says("answers 503").says("was revoked").says("see how http://");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.apply(&["--yes"]).exits(1).says("answers 503").says("next:");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.github.does(Does::Well);
    shop.recovers();
}

#[test]
fn a_right_that_is_missing_is_named_before_a_key_is_made_or_its_key_is_revoked() {
    const RIGHTS: &str = "the permission Secrets (write) on the repository acme/deploy";
    let shop = Shop::new();
    shop.plan(&["doctor", "--scopes"]).exits(0).says(RIGHTS);
    shop.stage.forget_requests();
    for (holder, says) in [
        (Holder { is_member: false, ..ALL }, "check that there is the repository acme/deploy"),
        (Holder { reads: false, ..ALL }, "Resource not accessible by personal access token"),
    ] {
        shop.github.allow(RUNNER, holder);
        shop.plan(&FULL).exits(1).says(says).says(RIGHTS);
        shop.apply(&["--yes"]).exits(1).says(says).says(RIGHTS);
    }
    assert_eq!((shop.stage.changes(), shop.github.writes()), (Vec::new(), Vec::new()));
    // GitHub tells it only to a write.
    shop.github.allow(RUNNER, Holder { writes: false, ..ALL });
    shop.plan(&FULL).exits(2).says("Not checked");
    shop.apply(&["--yes"]).exits(1).says("answers 403").says("was revoked").says(RIGHTS).says("GITHUB_TOKEN may not");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.github.allow(RUNNER, ALL);
    shop.recovers();
}

#[test]
fn a_token_that_is_dead_or_ends_in_the_middle_is_told_as_that_and_leaves_no_key() {
    let mut shop = Shop::new();
    let running = shop.begin();
    shop.github.ends(RUNNER);
    let says = "the token of GH_SECRETS_TOKEN is not taken by http://";
    shop.end(running).exits(1).says(says).says("was revoked").says("give GH_SECRETS_TOKEN a token that lives");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.stage.forget_requests();
    shop.plan(&FULL).exits(1).says(says);
    shop.apply(&["--yes"]).exits(1).says(says);
    shop.env.clear();
    shop.plan(&FULL).exits(1).says("sinks.forge.token: the environment variable GH_SECRETS_TOKEN is not set");
    assert_eq!(shop.stage.changes(), Vec::<String>::new());
    shop.is("GH_SECRETS_TOKEN", RUNNER);
    shop.github.allow(RUNNER, ALL);
    shop.recovers();
}

#[test]
fn no_room_for_secrets_is_said_and_its_key_revoked() {
    let shop = Shop::new();
    shop.github.does(Does::Full);
    shop.apply(&["--yes"]).exits(1).says("answers 422").says("GitHub limits how many").says("was revoked");
    assert_eq!(shop.stage.live_keys(), Vec::<Value>::new());
    shop.github.does(Does::Well);
    shop.recovers();
}

#[test]
fn whoever_repeats_what_was_written_is_not_repeated() {
    for code in [400, 403, 422, 500] {
        let shop = Shop::new();
        shop.github.does(Does::Repeats(code));
        let run = shop.apply(&["--yes"]).exits(1).says(if code == 500 { "left as undelivered" } else { "was revoked" });
        assert!(!run.all().contains("blocked"), "{}", run.all());
        assert_eq!(shop.stage.live_keys().len(), if code == 500 { 2 } else { 0 });
        shop.github.does(Does::Well);
        shop.recovers();
    }
}
