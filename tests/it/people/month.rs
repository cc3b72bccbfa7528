//! A month of a one-day key: an apply every three hours by the vendors' clock, and the delivered key works at every hour.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stage::{Run, Stage};

const DAYS: u64 = 31;
/// Hours between two applies.
const EVERY: u64 = 3;

/// A user's own client at the sandbox: nothing of the program under test.
struct Client {
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    fn new(stage: &Stage) -> Self {
        let read = |file: &str| std::fs::read(stage.dir().join(".qlik-sandbox").join(file)).unwrap();
        let server: Value = serde_json::from_slice(&read("server.json")).unwrap();
        let authority = std::fs::read(server["ca"].as_str().unwrap()).unwrap();
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::https(server["proxy"].as_str().unwrap()).unwrap())
            .tls_certs_merge([reqwest::Certificate::from_pem(&authority).unwrap()])
            .build()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { client, runtime }
    }

    /// Whose the token is, as the vendor says.
    fn users_me(&self, host: &str, token: &str) -> Result<String, u16> {
        self.runtime.block_on(async {
            let answer = self.client.get(format!("https://{host}/api/v1/users/me")).bearer_auth(token).send().await;
            let answer = answer.unwrap();
            let status = answer.status().as_u16();
            let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
            if status == 200 { Ok(body["id"].as_str().unwrap().to_owned()) } else { Err(status) }
        })
    }
}

#[test]
fn a_one_day_key_works_at_every_hour_of_a_month_of_scheduled_applies() {
    let stage = Stage::new(super::STACKONE);
    stage.apply(&["--yes"]).exits(0);
    let (host, owner) = (super::host(&stage), super::user(&stage, "auth0|stackone")["id"].clone());
    let client = Client::new(&stage);
    let (mut delivered, mut applies) = (BTreeSet::new(), 0);
    for hour in 1..=DAYS * 24 {
        stage.control("POST", "/clock", &json!({ "advance": "PT1H" }));
        if hour % EVERY == 0 {
            stage.apply(&["--yes"]).exits(0);
            applies += 1;
        }
        let token = std::fs::read_to_string(stage.secret_file("acme", "stackone")).unwrap();
        let whose = client.users_me(&host, token.trim());
        assert_eq!(whose, Ok(owner.as_str().unwrap().to_owned()), "hour {hour}: the delivered key does not work");
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
