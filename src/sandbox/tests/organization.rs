//! The console's list of tenants, tenants that are switched off, and time.

use super::*;

const CONSOLE: &str = "console.qlikcloud.com";

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn console_token(place: &Place) -> String {
    let client = &place.account.organization_client;
    let answer = place.grant(CONSOLE, &client.id, &client.secret).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("Bearer")), "{}", answer.text);
    assert_eq!(answer.json()["scope"], "cloud-console.tenants:read");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn listed(place: &Place, token: &str, query: &str) -> Value {
    let answer = place.call(token, "GET", CONSOLE, &format!("/api/core/tenants{query}"), Value::Null).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

#[tokio::test]
async fn an_organization_sees_every_tenant_page_by_page() {
    let place = Place::new().await;
    for number in 0..24 {
        let edit = json!({ "action": "create_tenant", "region": "us", "name": format!("Unmanaged {number}") });
        let made = place.control("POST", "/control/edit", edit).await;
        assert_eq!(made["hostnames"].as_array().unwrap().len(), 1);
    }
    let token = console_token(&place).await;
    for (links, name, start) in [
        ("api", "next", "https://api.qlikcloud.com/core/tenants?"),
        ("offset", "offset", "https://console.qlikcloud.com/api/core/tenants?"),
    ] {
        place.control("POST", "/control/switches", json!({ "console_links": links })).await;
        let first = listed(&place, &token, "?totalResults=true").await;
        assert_eq!((first["data"].as_array().unwrap().len(), &first["totalResults"]), (20, &json!(25)));
        let next = first["links"]["next"]["href"].as_str().unwrap();
        assert!(next.starts_with(start), "{next}");
        let query: Vec<_> = url::Url::parse(next).unwrap().query_pairs().into_owned().collect();
        let cursor = &query.iter().find(|(found, _)| found == name).unwrap().1;
        assert!(cursor.len() == 24 && first["data"].as_array().unwrap().iter().all(|item| item["id"] != **cursor));
        let second = listed(&place, &token, &format!("?next={cursor}")).await;
        assert_eq!(second["data"].as_array().unwrap().len(), 5);
        assert!(second["links"].get("next").is_none());
    }
    assert_eq!(listed(&place, &token, "?limit=0").await["data"], json!([]));
    place.control("POST", "/control/switches", json!({ "last_page": "empty" })).await;
    assert_eq!(listed(&place, &token, "?limit=100").await["links"]["next"], json!({ "href": "" }));
    let source = place.token(SOURCE).await;
    assert_eq!(place.call(&source, "GET", CONSOLE, "/api/core/tenants", Value::Null).await.status, 401);
    let wrong = place.grant(CONSOLE, &place.account.client.id, &place.account.client.secret).await;
    assert_eq!((wrong.status, wrong.code()), (401, "OAUTH-5".to_owned()));
    place.stop().await;
}

#[tokio::test]
async fn a_tenant_is_found_by_its_host_name_within_its_subscription() {
    let place = Place::new().await;
    let edit = json!({ "action": "create_tenant", "region": "us", "name": "Acme", "alias": "acme.us.qlikcloud.com" });
    let made = place.control("POST", "/control/edit", edit).await;
    let source = place.token(SOURCE).await;
    let licence = place.call(&source, "GET", SOURCE, "/api/v1/licenses/overview", Value::Null).await.json();
    let licence = licence["licenseNumber"].as_str().unwrap();
    let token = console_token(&place).await;
    let by_host = r#"hostnames eq "ACME.us.qlikcloud.com""#;
    let within = format!(r#"subscriptionId eq "{licence}" and {by_host}"#);
    let found = listed(&place, &token, &format!("?filter={}", encoded(&within))).await;
    let item = &found["data"][0];
    assert_eq!((found["data"].as_array().unwrap().len(), &item["id"]), (1, &made["id"]));
    assert_eq!((&item["status"], &item["regionCode"]), (&json!("active"), &json!("us-east-1")));
    assert_eq!(item["subscriptionId"], licence);

    let status = async |filter: &str| {
        let path = format!("/api/core/tenants?filter={}", encoded(filter));
        place.call(&token, "GET", CONSOLE, &path, Value::Null).await.status
    };
    assert_eq!(status(by_host).await, 400, "subscriptionId is required");
    assert_eq!(status(&format!(r#"subscriptionId eq "1" and {by_host}"#)).await, 403);
    assert_eq!(status(&format!(r#"subscriptionId eq "{licence}" and name co "A""#)).await, 400);
    place.control("POST", "/control/switches", json!({ "console_needs_subscription": false })).await;
    assert_eq!(status(by_host).await, 200);
    let count = format!("/api/core/tenants/actions/count?filter={}", encoded(&within));
    assert_eq!(place.call(&token, "GET", CONSOLE, &count, Value::Null).await.json(), json!({ "total": 1 }));
    let body = json!({ "filter": within });
    let filtered = place.call(&token, "POST", CONSOLE, "/api/core/tenants/actions/filter", body).await;
    assert_eq!(filtered.json()["data"][0]["id"], made["id"]);
    let one = format!("/api/core/tenants/{}", made["id"].as_str().unwrap());
    let read = async || place.call(&token, "GET", CONSOLE, &one, Value::Null).await.json();
    assert_eq!(read().await["data"][0]["id"], made["id"]);
    place.control("POST", "/control/switches", json!({ "console_get": "plain" })).await;
    assert_eq!(read().await["id"], made["id"]);
    place.stop().await;
}

#[tokio::test]
async fn the_list_lags_behind() {
    let place = Place::new().await;
    place.control("POST", "/control/switches", json!({ "console_lag": 2 })).await;
    place.create().await;
    let token = console_token(&place).await;
    for expected in [1, 1, 2] {
        assert_eq!(listed(&place, &token, "").await["data"].as_array().unwrap().len(), expected);
    }
    place.stop().await;
}

#[tokio::test]
async fn a_tenant_is_deactivated_by_its_name_and_gone_when_its_time_has_come() {
    let place = Place::new().await;
    let (id, host) = place.create().await;
    let token = place.token(REGISTER).await;
    let act = async |action: &str, confirm: &str, body: &str| {
        let path = format!("/api/v1/tenants/{id}/actions/{action}");
        place.wire().confirmed(REGISTER, &path, &token, confirm, body).await
    };
    assert_eq!(act("deactivate", "", "{}").await.status, 412);
    assert_eq!(act("deactivate", SOURCE, "{}").await.status, 412);
    assert_eq!(act("deactivate", &host, r#"{"purgeAfterDays":9}"#).await.status, 400);
    assert_eq!(act("deactivate", &host, r#"{"purgeAfterDays":"30"}"#).await.status, 400);
    assert_eq!(act("reactivate", &host, "").await.status, 403, "it is active");
    let done = act("deactivate", &host, "").await;
    assert_eq!((done.status, &done.json()["status"]), (200, &json!("disabled")));
    assert!(done.json()["estimatedPurgeDate"].as_str().unwrap().starts_with("2026-12-21"));
    let refused = place.grant(&host, &place.account.client.id, &place.account.client.secret).await;
    assert_eq!(refused.code(), "TENANT_DISABLED");
    let console = console_token(&place).await;
    let seen = listed(&place, &console, "").await;
    assert_eq!(seen["data"][1]["status"], "deactivated");
    assert!(seen["data"][1]["deletionStartsAt"].as_str().unwrap().starts_with("2026-12-21"));

    assert_eq!(act("reactivate", &host, "").await.json(), json!({ "id": id, "status": "active" }));
    place.control("POST", "/control/clock", json!({ "advance": "P40D" })).await;
    assert!(!place.token(&host).await.is_empty(), "nothing is due");

    let token = place.token(REGISTER).await;
    let path = format!("/api/v1/tenants/{id}/actions/deactivate");
    let done = place.wire().confirmed(REGISTER, &path, &token, &host, r#"{"purgeAfterDays":10}"#).await;
    assert_eq!(done.status, 200, "{}", done.text);
    place.control("POST", "/control/switches", json!({ "console_lists_deleted": true })).await;
    place.control("POST", "/control/clock", json!({ "advance": "P10D" })).await;
    let gone = place.grant(&host, &place.account.client.id, &place.account.client.secret).await;
    assert_eq!(gone.code(), "OAUTH-5");
    let console = console_token(&place).await;
    let seen = listed(&place, &console, "").await;
    assert_eq!((&seen["data"][0]["id"], &seen["data"][0]["status"]), (&json!(id), &json!("deleted")));
    let token = place.token(REGISTER).await;
    assert_eq!(place.wire().confirmed(REGISTER, &path, &token, &host, "").await.status, 404);
    place.stop().await;
}

#[tokio::test]
async fn a_full_window_is_full_for_everybody_where_the_formula_says_so() {
    let place = Place::new().await;
    let token = place.token(SOURCE).await;
    let other = place.account.owners[0].token.clone();
    place.control("POST", "/control/switches", json!({ "rate_tier_1": 4, "rate_window_seconds": 60 })).await;
    let ask = async |bearer: &str| place.call(bearer, "GET", SOURCE, "/api/v1/licenses/status", Value::Null).await;
    for _ in 0..4 {
        assert_eq!(ask(&token).await.status, 200);
    }
    let full = ask(&token).await;
    assert_eq!(full.status, 429);
    assert_eq!(ask(&other).await.status, 200, "a window is a user's");
    let wait: u64 = full.header("retry-after").unwrap().parse().unwrap();
    assert!((55..=60).contains(&wait), "{wait}");
    place.control("POST", "/control/clock", json!({ "advance": format!("PT{wait}S") })).await;
    // Two users: the tenant has 4 x 2 / 2 for both.
    place.control("POST", "/control/switches", json!({ "rate_tenant_wide": true })).await;
    for bearer in [&token, &token, &token, &other] {
        assert_eq!(ask(bearer).await.status, 200);
    }
    assert_eq!((ask(&other).await.status, ask(&token).await.status), (429, 429));
    place.control("POST", "/control/clock", json!({ "speed": 20 })).await;
    let wait: u64 = ask(&other).await.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, 3, "in real seconds, for whoever waits in them");
    place.stop().await;
}

#[tokio::test]
async fn the_clock_runs_faster_and_never_jumps_back() {
    let place = Place::new().await;
    let now = async || {
        let clock = place.control("GET", "/control/clock", Value::Null).await;
        clock["now"].as_str().unwrap().parse::<Timestamp>().unwrap()
    };
    place.control("POST", "/control/clock", json!({ "now": "2030-01-01T00:00:00Z", "speed": 1000 })).await;
    let (first, second) = (now().await, now().await);
    // The clock below moves by a millisecond at every look.
    let between = second.duration_since(first).as_millis();
    assert!((1000..20_000).contains(&between), "{between}");
    place.control("POST", "/control/clock", json!({ "speed": 1 })).await;
    let third = now().await;
    assert!(third >= second && third.duration_since(second).as_millis() < 20_000);
    place.stop().await;
}
