//! Trouble with credentials, the vendor and the network: each ends in a sentence that says what happened, to which object, and
//! what to do; and no secret goes where it does not belong.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{APPLY, ONE_TENANT, PLAN, Stage};

const TENANTS: &str = "/api/v1/tenants";
const KEYS: &str = "/api/v1/api-keys";

/// A stage on which everything is made, and no request is remembered.
fn made() -> Stage {
    let stage = Stage::new(ONE_TENANT);
    stage.settle();
    stage.forget_requests();
    stage
}

fn fault(stage: &Stage, method: &str, path: &str, action: &Value) {
    stage.fault(&json!({ "match": { "method": method, "path": path }, "action": action }));
}

/// How often something was asked.
fn count(stage: &Stage, method: &str, path: &str) -> usize {
    let path_of = |one: &Value| one["path"].as_str().unwrap().split('?').next().unwrap().to_owned();
    stage.requests().iter().filter(|one| one["method"] == json!(method) && path_of(one) == path).count()
}

/// Every host that anything was sent to, also what the proxy refused.
fn hosts(stage: &Stage) -> BTreeSet<String> {
    stage.requests().iter().map(|one| one["host"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn stayed_home(stage: &Stage) {
    for host in hosts(stage) {
        assert!(host.ends_with(".us.qlikcloud.com"), "something was sent to {host}");
    }
}

/// What the ledger says of the tenant.
fn state_in_ledger(stage: &Stage) -> String {
    let list = stage.apply(&["ledger", "list"]).exits(0).out;
    let line = list.lines().find(|line| line.starts_with("qlik/acme")).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

// ---- credentials -------------------------------------------------------------------------------------------------

#[test]
fn a_wrong_client_secret_is_named_by_its_place_and_not_printed() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["ledger", "init"]).exits(0);
    let wrong = "not-the-secret-8d1f6a";
    for (program, args) in [(PLAN, vec![]), (APPLY, vec!["--yes"])] {
        let run = cloud.ends(cloud.command(program, &args).env("QLIK_CLIENT_SECRET", wrong)).exits(1);
        assert!(!run.all().contains(wrong));
        run.says("qlik/acme            refused, QP0219")
            .says("POST /oauth/token at mycorp.us.qlikcloud.com was answered with 401 OAUTH-5")
            .says("check the id and secret in settings: accounts.us-oem.client");
    }
    assert_eq!(cloud.stage.changes(), Vec::<String>::new());
}

#[test]
fn a_wrong_client_secret_says_nothing_of_what_exists() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["ledger", "init"]).exits(0);
    cloud.apply(&["--yes", "--unrehearsed"]).exits(0);
    cloud.stage.forget_requests();
    let mut command = cloud.command(APPLY, &["--yes"]);
    // The source tenant refuses them too, so they say nothing of this one.
    cloud
        .ends(command.env("QLIK_CLIENT_SECRET", "wrong"))
        .exits(1)
        .says("refused, QP0219")
        .says("check the id and secret in settings: accounts.us-oem.client");
    assert_eq!(cloud.stage.changes(), Vec::<String>::new());
    cloud.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_wrong_key_client_secret_is_found_by_the_rehearsal() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["ledger", "init"]).exits(0);
    let wrong = "not-the-secret-77b0c2";
    let mut command = cloud.command(APPLY, &["rehearse", "us-oem"]);
    let run = cloud.ends(command.env("QLIK_KEY_CLIENT_SECRET", wrong)).exits(1);
    assert!(!run.all().contains(wrong));
    run.says("the key client gets no access to mycorp.us.qlikcloud.com")
        .says("401 OAUTH-5")
        .says("check the id and secret in settings: accounts.us-oem.key_client");
    cloud.apply(&["--yes"]).exits(1).says("QP0404").says("accounts.us-oem.key_client");
    assert_eq!(cloud.stage.tenants().len(), 0);
    cloud.apply(&["rehearse", "us-oem"]).exits(0);
    cloud.apply(&["--yes"]).exits(0);
}

#[test]
fn a_wrong_key_client_secret_fails_the_keys_and_not_the_tenant() {
    let cloud = Cloud::new(ONE_TENANT);
    cloud.apply(&["ledger", "init"]).exits(0);
    let wrong = "not-the-secret-5a5a11";
    let mut command = cloud.command(APPLY, &["--yes", "--unrehearsed"]);
    let run = cloud.ends(command.env("QLIK_KEY_CLIENT_SECRET", wrong)).exits(1);
    assert!(!run.all().contains(wrong));
    run.says("qlik/acme/ci         could not create the key")
        .says("was answered with 401 OAUTH-5")
        .says("check the id and secret in settings: accounts.us-oem.key_client")
        .says("1 tenant created");
    assert_eq!((cloud.stage.tenants().len(), cloud.stage.live_keys().len()), (1, 0));
    cloud.apply(&["--yes"]).exits(0).says("2 keys created");
    cloud.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_key_that_a_person_revoked_is_seen_and_replaced() {
    for edit in ["revoke_key", "delete_key"] {
        let stage = made();
        let keys = stage.live_keys();
        let ci = keys.iter().find(|key| key["description"].as_str().unwrap().starts_with("CI deploys")).unwrap();
        let id = ci["id"].as_str().unwrap().to_owned();
        stage.control("POST", "/edit", &json!({ "action": edit, "key": id }));
        stage
            .plan(&["--detailed-exitcode"])
            .exits(2)
            .says(&format!("the sink holds key {id}, which is revoked or deleted"))
            .says("Plan: 1 key to create; 2 unchanged.");
        stage.settle();
        assert_eq!(stage.live_keys().len(), 2);
        assert!(stage.live_keys().iter().all(|key| key["id"] != json!(id)));
    }
}

// ---- the vendor says no ------------------------------------------------------------------------------------------

#[test]
fn a_disabled_tenant_is_refused_and_never_made_anew() {
    let stage = made();
    let id = stage.tenants()[0]["id"].clone();
    stage.control("POST", "/edit", &json!({ "action": "disable_tenant", "tenant": id }));
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        run.exits(1)
            .says("qlik/acme            refused, QP0206")
            .says("answers TENANT_DISABLED")
            .says("reactivate it before its purge date")
            .says("it is never created anew by itself");
    }
    assert_eq!(stage.changes(), Vec::<String>::new());
    stage.control("POST", "/edit", &json!({ "action": "enable_tenant", "tenant": id }));
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_reached_quota_is_a_no_and_not_a_doubt() {
    let stage = Stage::new(ONE_TENANT);
    stage.control("POST", "/switches", &json!({ "quota_reached": true }));
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("POST /api/v1/tenants at register.us.qlikcloud.com was answered with 403 TENANTS-22")
        .says("no tenant was made")
        .says("qlik/acme/ci         did not create the key        qlik/acme was not created")
        .says("the licence allows no more tenants: deactivate one that is no longer needed, or ask Qlik for more");
    assert_eq!((stage.tenants().len(), count(&stage, "POST", TENANTS)), (0, 1));
    assert_eq!(state_in_ledger(&stage), "free");
    stage.control("POST", "/switches", &json!({ "quota_reached": false }));
    stage.settle();
    assert_eq!(stage.tenants().len(), 1);
}

#[test]
fn a_tenant_is_asked_for_again_a_few_times_when_the_vendor_itself_says_slow_down() {
    for (action, wait) in [
        (json!({ "retry_after": { "seconds": 1 } }), "wait 1 s and run it again"),
        (json!({ "retry_after": {} }), "wait some minutes and run it again"),
    ] {
        let stage = Stage::new(ONE_TENANT);
        fault(&stage, "POST", TENANTS, &action);
        stage.apply(&["--yes"]).exits(1).says("answered with 429").says("no tenant was made").says(wait);
        assert_eq!((count(&stage, "POST", TENANTS), stage.tenants().len()), (4, 0));
        assert_eq!(state_in_ledger(&stage), "free");
        stage.control("DELETE", "/faults", &Value::Null);
        stage.forget_requests();
        stage.fault(&json!({ "match": { "method": "POST", "path": TENANTS }, "nth": 1, "action": action }));
        stage.settle();
        assert_eq!((count(&stage, "POST", TENANTS), stage.tenants().len()), (2, 1));
    }
}

#[test]
fn a_429_without_the_vendors_own_words_leaves_a_tenant_in_doubt() {
    let stage = Stage::new(ONE_TENANT);
    let foreign = json!({ "status_before": { "status": 429, "body": { "message": "rate exceeded" } } });
    fault(&stage, "POST", TENANTS, &foreign);
    stage.apply(&["--yes"]).exits(1).says("answered with 429").says("a tenant may have been made");
    assert_eq!(state_in_ledger(&stage), "pending");
    stage.plan(&[]).exits(1).says("QP0203");
}

#[test]
fn a_key_is_asked_for_again_when_the_vendor_says_slow_down() {
    for action in [json!({ "retry_after": { "seconds": 1 } }), json!({ "retry_after": {} })] {
        let stage = Stage::new(ONE_TENANT);
        // The first is the rehearsal's.
        stage.fault(&json!({ "match": { "method": "POST", "path": KEYS }, "nth": 2, "action": action }));
        stage.settle();
        assert_eq!((count(&stage, "POST", KEYS), stage.live_keys().len()), (4, 2));
    }
}

#[test]
fn a_read_waits_when_the_vendor_says_slow_down() {
    for action in [json!({ "retry_after": { "seconds": 1 } }), json!({ "retry_after": {} })] {
        for path in [KEYS, "/api/v1/tenants/*", "/oauth/token"] {
            let stage = made();
            stage.fault(&json!({ "match": { "path": path }, "nth": 1, "action": action }));
            stage.plan(&["--detailed-exitcode"]).exits(0);
        }
    }
}

#[test]
fn a_read_that_is_never_let_through_is_unreadable() {
    let stage = made();
    fault(&stage, "GET", KEYS, &json!({ "retry_after": { "seconds": 1 } }));
    keys_are_unreadable(&stage, &[], "was answered with 429", "wait 1 s and run it again, with a lower --parallelism");
    // Four tries for the plan, four for the apply, and one that was let through.
    assert_eq!(count(&stage, "GET", KEYS), 9);
}

// ---- the vendor or the network is broken ---------------------------------------------------------------------------

/// Whatever cannot be read is refused with the reason; nothing is taken for absent, and an apply changes nothing.
#[track_caller]
fn keys_are_unreadable(stage: &Stage, args: &[&str], why: &str, next: &str) {
    stage.forget_requests();
    stage
        .plan(args)
        .exits(1)
        .says("qlik/acme/ci         refused, QP0211")
        .says("qlik/acme/reporting  refused, QP0211")
        .says("GET /api/v1/api-keys at ")
        .says(why)
        .says(next)
        .says("Plan: 1 unchanged, 2 refused.");
    let asked = count(stage, "GET", KEYS);
    stage.apply(&[args, &["--yes"]].concat()).exits(1).says("Plan: 1 unchanged, 2 refused.");
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
    stayed_home(stage);
    assert_eq!(count(stage, "GET", KEYS), 2 * asked, "an apply tries as often as a plan");
    stage.control("DELETE", "/faults", &Value::Null);
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

/// The same of the tenant, and then nothing is known of what is in it.
#[track_caller]
fn tenant_is_unreadable(stage: &Stage, words: &[&str]) {
    for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
        let run =
            run.exits(1).says("qlik/acme            refused, QP0211").says("it depends on qlik/acme, which is refused");
        drop(words.iter().fold(run, |run, words| run.says(words)));
    }
    assert_eq!(stage.changes(), Vec::<String>::new());
    assert_eq!(stage.tenants().len(), 1);
    stayed_home(stage);
    stage.control("DELETE", "/faults", &Value::Null);
    stage.plan(&["--detailed-exitcode"]).exits(0);
}

#[test]
fn a_server_error_is_tried_again_and_then_said() {
    let stage = made();
    stage.fault(&json!({ "match": { "method": "GET", "path": KEYS }, "nth": 1, "action": { "status_before": { "status": 503 } } }));
    stage.plan(&["--detailed-exitcode"]).exits(0);
    assert_eq!(count(&stage, "GET", KEYS), 2);

    fault(&stage, "GET", KEYS, &json!({ "status_before": { "status": 503 } }));
    keys_are_unreadable(&stage, &[], "was answered with 503", "the vendor has trouble: run it again later");

    for path in ["/api/v1/tenants/*", "/oauth/token"] {
        stage.fault(&json!({ "match": { "path": path }, "action": { "status_before": { "status": 500 } } }));
        tenant_is_unreadable(&stage, &["was answered with 500", "the vendor has trouble"]);
    }
}

#[test]
fn a_404_that_is_not_the_vendors_own_is_no_absence() {
    let stage = made();
    let page = json!({ "status": 404, "body": "nothing here", "headers": { "content-type": "text/html" } });
    fault(&stage, "GET", "/api/v1/tenants/*", &json!({ "status_before": page }));
    tenant_is_unreadable(&stage, &["404", "look for a proxy or firewall that answers in the vendor's place"]);
}

#[test]
fn a_slow_server_is_given_up() {
    let stage = made();
    fault(&stage, "GET", KEYS, &json!({ "slow": { "ms": 600_000 } }));
    keys_are_unreadable(
        &stage,
        &["--timeout", "1"],
        "no reply within 1 s",
        "if it stays slow, see the vendor's status page",
    );
}

#[test]
fn a_closed_connection_is_said() {
    let stage = made();
    fault(&stage, "GET", KEYS, &json!("drop_before"));
    keys_are_unreadable(&stage, &[], "the connection was closed before a reply came", "a proxy or firewall that cuts");
}

#[test]
fn a_list_that_is_cut_off_is_not_taken_for_a_short_one() {
    let cut = "a proxy or firewall that cuts connections";
    let odd = "look for a proxy that answers in the vendor's place";
    for (action, why, next) in [
        ("truncate", "the reply was cut off", cut),
        ("truncate_close", "the reply is not a list of keys as documented", odd),
        ("malformed", "the reply is not a list of keys as documented", odd),
        ("wrong_type", "was answered with 200 and no JSON", odd),
    ] {
        let stage = made();
        fault(&stage, "GET", KEYS, &json!(action));
        keys_are_unreadable(&stage, &[], why, next);
    }
}

#[test]
fn a_list_that_repeats_itself_is_read_as_it_is() {
    let stage = made();
    fault(&stage, "GET", KEYS, &json!("duplicate_ids"));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("3 objects are as declared");
}

// ---- a creation whose answer is lost -------------------------------------------------------------------------------

#[test]
fn a_tenant_whose_answer_is_no_answer_is_in_doubt_and_never_asked_for_again() {
    let elsewhere = json!({ "redirect": { "status": 307, "location": "https://collector.example/tenants" } });
    for (action, why, made) in [
        (json!({ "status_before": { "status": 500 } }), "was answered with 500", 0),
        (json!({ "status_after": { "status": 502 } }), "was answered with 502", 1),
        (json!("drop_after"), "the connection was closed before a reply came", 1),
        (json!("truncate"), "the reply was cut off", 1),
        (json!("wrong_type"), "was answered with 200 and no JSON", 1),
        (elsewhere, "was answered with 307, a redirect that is not followed", 0),
    ] {
        let stage = Stage::new(ONE_TENANT);
        fault(&stage, "POST", TENANTS, &action);
        stage
            .apply(&["--yes"])
            .exits(1)
            .says("qlik/acme            could not create the tenant")
            .says("POST /api/v1/tenants at register.us.qlikcloud.com")
            .says(why)
            .says("a tenant may have been made, so the intent stays and nothing is sent again")
            .says("look at the tenants of your subscription in My Qlik")
            .says("qlik-apply resolve qlik/acme --adopt HOSTNAME")
            .says("qlik-apply resolve qlik/acme --not-created");
        stage.control("DELETE", "/faults", &Value::Null);
        for run in [stage.plan(&[]), stage.apply(&["--yes"])] {
            run.exits(1).says("QP0203").says("there may be one already").says("--adopt HOSTNAME");
        }
        assert_eq!((count(&stage, "POST", TENANTS), stage.tenants().len()), (1, made), "{why}");
        assert_eq!(state_in_ledger(&stage), "pending");
        stayed_home(&stage);

        // A person looks, and says what there is.
        stage.apply(&["resolve", "qlik/acme"]).exits(1).says("qlik/acme is in doubt: run ");
        stage
            .apply(&["resolve", "qlik/acme", "--not-created"])
            .exits(1)
            .says("may still be on its way")
            .says("minutes");
        if made == 1 {
            let host = stage.tenants()[0]["hostnames"][0].as_str().unwrap().to_owned();
            stage.apply(&["resolve", "qlik/acme", "--adopt", &host]).exits(0).says("is bound to").says(&host);
        } else {
            stage.control("POST", "/clock", &json!({ "advance": "PT61M" }));
            stage.apply(&["resolve", "qlik/acme", "--not-created"]).exits(0).says("is free again");
        }
        stage.settle();
        assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
    }
}

#[test]
fn a_slow_creation_is_waited_for_four_times_as_long() {
    let stage = Stage::new(ONE_TENANT);
    fault(&stage, "POST", TENANTS, &json!({ "slow": { "ms": 1_500 } }));
    stage.apply(&["--yes", "--timeout", "1"]).exits(0);
    assert_eq!(stage.tenants().len(), 1);

    let stage = Stage::new(ONE_TENANT);
    fault(&stage, "POST", TENANTS, &json!("hang"));
    stage.apply(&["--yes", "--timeout", "1"]).exits(1).says("no reply within 4 s").says("a tenant may have been made");
    assert_eq!((count(&stage, "POST", TENANTS), state_in_ledger(&stage).as_str()), (1, "pending"));
}

#[test]
fn a_key_whose_answer_is_lost_is_found_by_its_marker_revoked_and_minted_once_more() {
    for action in ["drop_after", "truncate", "malformed"] {
        let stage = Stage::new(ONE_TENANT);
        stage.apply(&["rehearse", "us-oem"]).exits(0);
        stage.fault(&json!({ "match": { "method": "POST", "path": KEYS }, "nth": 1, "action": action }));
        stage.apply(&["--yes"]).exits(0).says("looking for the key by its marker");
        stage.plan(&["--detailed-exitcode"]).exits(0);
        assert_eq!(stage.live_keys().len(), 2);
        assert_eq!(count(&stage, "POST", KEYS), 4, "the rehearsal's, the lost one, and two");
    }
}

#[test]
fn a_key_whose_answer_is_always_lost_is_given_up_with_nothing_left_alive() {
    let stage = Stage::new(ONE_TENANT);
    stage.apply(&["rehearse", "us-oem"]).exits(0);
    fault(&stage, "POST", KEYS, &json!("drop_after"));
    stage
        .apply(&["--yes"])
        .exits(1)
        .says("qlik/acme/ci         could not create the key")
        .says("the connection was closed before a reply came; it happened twice, and both keys were revoked")
        .says("run it again");
    assert_eq!(stage.live_keys().len(), 0);
    stage.control("DELETE", "/faults", &Value::Null);
    stage.settle();
    assert_eq!((stage.tenants().len(), stage.live_keys().len()), (1, 2));
}

// ---- secrets stay home ---------------------------------------------------------------------------------------------

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    for status in [302, 307] {
        let action = json!({ "redirect": { "status": status, "location": "https://collector.example/oauth/token" } });
        let stage = made();
        stage.fault(&json!({ "match": { "path": "/oauth/token" }, "action": action }));
        tenant_is_unreadable(&stage, &["a redirect that is not followed", "check the host name: use the tenant's own"]);
        stage.fault(&json!({ "match": { "path": KEYS }, "action": action }));
        keys_are_unreadable(&stage, &[], "a redirect that is not followed", "check the host name");
        stage.fault(&json!({ "match": { "path": "/api/v1/tenants/*" }, "action": action }));
        tenant_is_unreadable(&stage, &["a redirect that is not followed"]);
    }
}

#[test]
fn a_redirect_within_the_region_is_not_followed_either() {
    // To somebody else's tenant: the same domain, and still not whom the token is for.
    let stage = made();
    let action = json!({ "redirect": { "status": 307, "location": "https://mycorp.us.qlikcloud.com/oauth/token" } });
    stage.fault(&json!({ "match": { "path": "/oauth/token" }, "action": action }));
    tenant_is_unreadable(&stage, &["a redirect that is not followed"]);
    assert!(!hosts(&stage).contains("mycorp.us.qlikcloud.com"), "{:?}", hosts(&stage));
}

#[test]
fn the_documented_redirect_of_me_is_followed_on_its_own_host_only() {
    for (form, code) in [("relative", 0), ("absolute", 0), ("foreign", 1)] {
        let stage = Stage::new(ADOPTING);
        stage.control("POST", "/switches", &json!({ "tenants_me_location": form }));
        let run = stage.plan(&[]).exits(code);
        if form == "foreign" {
            run.says("qlik/corp  refused, QP0211")
                .says("GET /api/v1/tenants/me at mycorp.us.qlikcloud.com")
                .says("redirect");
        }
        stayed_home(&stage);
    }
}

const ADOPTING: &str = "version: 1
qlik: { tenants: { corp: { account: us-oem, adopt: { hostname: mycorp } } } }
";

#[test]
fn a_list_that_points_elsewhere_is_read_here() {
    let stage = made();
    let label = stage.tenants()[0]["hostnames"][0].as_str().unwrap().split('.').next().unwrap().to_owned();
    // People with a key each, so that the list has a second page.
    let owners: Vec<Value> = (0..120).map(|n| json!({ "name": format!("person-{n}"), "tenant": label })).collect();
    let account = json!({ "region": "us", "source_tenant": "mycorp", "owners": owners });
    stage.control("POST", "/seed", &json!({ "accounts": [account] }));
    stage.control("POST", "/switches", &json!({ "hostile_next": true }));
    stage.plan(&["--detailed-exitcode"]).exits(0).says("3 objects are as declared");
    assert_eq!(count(&stage, "GET", KEYS), 2, "the second page was asked for where the first was");
    stayed_home(&stage);
}
