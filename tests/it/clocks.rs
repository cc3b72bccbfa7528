//! Whose clock counts: a host's own for its keys, if the others agree with it; this machine's for nothing but a tie. And times
//! that lie beyond what can be told.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::stage::{ONE_TENANT, Stage};

const KEYS: &str = "/api/v1/api-keys";
const DAY: i64 = 86_400;

/// Three tenants with a key of seven days, renewed one day before its end.
const TENANTS: &str = r#"version: 1
qlik:
  profiles:
    standard:
      api_key_limits: { max_expiry: P30D, max_keys_per_user: 10 }
      grants: { manage_api_keys: { everyone: {} } }
      api_keys:
        ci: { description: CI deploys, owner: { client: {} }, expires_in: P7D, renew_before: P1D, deliver_to: files }
  tenants:
    acme: { account: us-oem, profile: standard, display_name: Acme }
    globex: { account: us-oem, profile: standard, display_name: Globex }
    initech: { account: us-oem, profile: standard, display_name: Initech }
"#;

fn made(desired: &str) -> Stage {
    let stage = Stage::new(desired);
    stage.settle();
    stage.forget_requests();
    stage
}

/// The host of the tenant of this name.
fn host(stage: &Stage, name: &str) -> String {
    let tenants = stage.tenants();
    let found = tenants.iter().find(|tenant| tenant["name"] == json!(name)).unwrap();
    found["hostnames"][0].as_str().unwrap().to_owned()
}

/// From now on every answer of a host has this for its `Date`, as a gateway whose clock is wrong gives it.
fn date(stage: &Stage, host: &str, date: &Value) {
    stage.fault(&json!({ "match": { "host": host }, "action": { "date": date } }));
}

#[test]
fn one_host_whose_clock_is_wrong_by_days_is_refused_and_makes_no_other_key_due() {
    for (ahead, words) in [(10 * DAY, "10 days ahead of"), (-400 * DAY, "400 days behind"), (7_500, "2 hours ahead of")]
    {
        let stage = made(TENANTS);
        date(&stage, &host(&stage, "Acme"), &json!({ "ahead": ahead }));
        let run = stage.apply(&["--yes"]).exits(1).says("qlik/acme        refused, QP0221").says("QP0214");
        let run = run.says(&format!("the clock of {} is {words} the other hosts' clocks", host(&stage, "Acme")));
        run.says("= qlik/globex/ci   key in files, ").says("qlik-plan --at TIME");
        assert_eq!(stage.changes(), Vec::<String>::new());
        // The other one's keys are due when they are due.
        stage.control("POST", "/clock", &json!({ "advance": "P6DT12H" }));
        stage.apply(&["--yes"]).exits(1).says("2 keys renewed").says("refused, QP0221");
        // The way out.
        let now = stage.control("GET", "/clock", &Value::Null)["now"].as_str().unwrap().to_owned();
        stage.plan(&["--at", &now]).exits(0).says("qlik/acme/ci").says("1 key to renew");
    }
}

#[test]
fn a_host_that_is_some_minutes_off_is_judged_by_its_own_clock_and_named() {
    let stage = made(TENANTS);
    date(&stage, &host(&stage, "Acme"), &json!({ "ahead": 1_800 }));
    stage.control("POST", "/clock", &json!({ "advance": "P5DT23H45M" }));
    let run = stage.plan(&[]).exits(0).says("1 key to renew");
    let said = format!("notice: the clock of {} is 30 minutes ahead of the other hosts' clocks", host(&stage, "Acme"));
    let run = run.says(&said);
    assert!(run.out.contains("> qlik/acme/ci"), "{}", run.out);
    assert!(run.out.contains("= qlik/globex/ci"), "{}", run.out);
    // A snapshot has the clocks too.
    stage.plan(&["--snapshot", "live.json"]).exits(0);
    let later = stage.plan(&["--live", "live.json"]).exits(0);
    assert!(later.out.contains("1 key to renew") && later.out.contains("= qlik/globex/ci"), "{}", later.out);
}

#[test]
fn a_date_that_no_clock_tells_is_as_good_as_none() {
    for (said, notice) in [
        (
            json!({ "text": "Thu, 01 Jan 1970 00:00:07 GMT" }),
            Some("says that it is 1970-01-01T00:00:07Z, which is not believed"),
        ),
        (
            json!({ "text": "Fri, 31 Dec 9999 23:59:59 GMT" }),
            Some("says that it is 9999-12-30T22:00:00Z, which is not believed"),
        ),
        (json!({ "text": "yesterday" }), None),
        (json!({}), None),
    ] {
        // Of one host, and of all: then it is this machine's time.
        for one in [true, false] {
            let stage = made(TENANTS);
            let which = if one { host(&stage, "Acme") } else { "*".to_owned() };
            date(&stage, &which, &said);
            let run = stage.apply(&["--yes"]).exits(0).says("key in files, ");
            match notice {
                Some(notice) => drop(run.says(notice)),
                None => assert!(!run.all().contains("notice: "), "{}", run.all()),
            }
            assert_eq!(stage.changes(), Vec::<String>::new());
        }
    }
}

/// A machine that is wrong by years works, since hosts agree; that they differ from it is said.
#[test]
fn where_all_hosts_agree_they_are_believed_and_a_difference_from_this_machine_is_named() {
    let cloud = Cloud::new(TENANTS);
    cloud.apply(&["ledger", "init"]).exits(0);
    let run = cloud.apply(&["--yes", "--unrehearsed"]).exits(0);
    assert!(!run.all().contains("this machine's"), "{}", run.all());
    for (ahead, words, says) in
        [(-365 * DAY, "365 days behind", "Nothing to do"), (20 * 365 * DAY, "7300 days ahead of", "3 keys to create")]
    {
        cloud.stage.control("DELETE", "/faults", &Value::Null);
        date(&cloud.stage, "*", &json!({ "ahead": ahead }));
        let notice = format!("notice: the vendors' clocks are {words} this machine's, and keys are judged by theirs");
        cloud.plan(&[]).exits(0).says(says).says(&notice);
    }
}

#[test]
fn a_strangers_key_without_a_readable_end_blocks_nobody() {
    for (field, time) in [
        ("expiry", "9999-12-31T23:59:59Z"),
        ("expiry", "+010000-01-01T00:00:00Z"),
        ("created", "9999-12-31T23:59:59.999Z"),
        ("expiry", "next week"),
        ("created", "next week"),
        ("expiry", "0000-00-00T00:00:00Z"),
    ] {
        let stage = made(ONE_TENANT);
        let mut key = json!({ "id": "a-strangers", "description": "Theirs", "status": "active", "sub": "u", "createdByUser": "u" });
        key[field] = json!(time);
        let list = json!({ "status_before": { "status": 200, "body": { "data": [key], "links": {} } } });
        stage.fault(&json!({ "match": { "method": "GET", "path": KEYS }, "action": list }));
        stage.plan(&["--detailed-exitcode"]).exits(0).says("Nothing to do");
        stage.apply(&["--yes"]).exits(0);
    }
}

#[test]
fn a_plan_of_the_end_of_time_is_a_plan() {
    let stage = made(ONE_TENANT);
    for time in ["9999-12-31T23:59:59Z", "+010000-01-01T00:00:00Z", "9999-12-30T22:00:00Z"] {
        stage.plan(&["--at", time]).exits(0).says("2 keys to create");
    }
    for bad in ["9999-12-32T00:00:00Z", "never", ""] {
        stage.plan(&["--at", bad]).exits(1).says("a time is written as in 2027-01-15T00:00:00Z");
    }
}
