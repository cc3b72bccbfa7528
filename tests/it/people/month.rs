//! A month of a one-day key: an apply every three hours by the vendors' clock, and the delivered key works at every hour.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::{Run, Stage};

const DAYS: u64 = 31;
/// Hours between two applies.
const EVERY: u64 = 3;

#[test]
fn a_one_day_key_works_at_every_hour_of_a_month_of_scheduled_applies() {
    let stage = Stage::new(super::STACKONE);
    stage.apply(&["--yes"]).exits(0);
    let (host, owner) = (super::host(&stage), super::user(&stage, "auth0|stackone")["id"].clone());
    let client = Client::at(stage.dir());
    let (mut delivered, mut applies) = (BTreeSet::new(), 0);
    for hour in 1..=DAYS * 24 {
        stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
        if hour % EVERY == 0 {
            stage.apply(&["--yes"]).exits(0);
            applies += 1;
        }
        let token = std::fs::read_to_string(stage.secret_file("acme", "stackone")).unwrap();
        let (status, user) = client.users_me(&host, &token);
        assert_eq!(status, 200, "hour {hour}: the delivered key does not work");
        assert_eq!(serde_json::from_str::<Value>(&user).unwrap()["id"], owner, "hour {hour}");
        delivered.insert(token);
        // The key in use, and the one it followed until that ends.
        let live = stage.live_keys().len();
        assert!((1..=2).contains(&live), "hour {hour}: {live} keys live");
    }
    // A key lives 24 hours and is due 6 before its end: a new one every 18.
    let expected = usize::try_from(DAYS * 24 / 18).unwrap() + 1;
    assert_eq!(delivered.len(), expected, "so many keys were delivered");
    let minted = stage.requests().into_iter().filter(|one| {
        let host_is = one["host"] == json!(host);
        host_is && one["method"] == json!("POST") && one["path"] == json!("/api/v1/api-keys")
    });
    assert_eq!(minted.count(), expected, "more keys were minted than delivered");
    assert_eq!(applies, DAYS * 24 / EVERY);
    // No token is left behind.
    let left: Vec<Value> =
        stage.state()["tenants"].as_array().unwrap().iter().map(|one| one["live_tokens"].clone()).collect();
    assert!(left.iter().all(|count| *count == json!(0)), "{left:?}");
    Run::exits(stage.plan(&["--detailed-exitcode"]), 0);
}
