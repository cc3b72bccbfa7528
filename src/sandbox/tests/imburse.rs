//! Imburse through the real proxy: signatures, contexts, tenants, keys, in the forms that the vendor documents.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::wire::{Answer, Wire, control};
use super::{Place, options};
use crate::sandbox::{Running, Seed, SeedImburse, SeededImburse, SeededPair, start};

const HOST: &str = "sandbox-api.imbursepayments.com";
/// The pair that the vendor prints in its tutorial.
const PUBLIC: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";
const PRIVATE: &str = "AGHYR1aWYgHgyjhJLkVCd7b8XfAVeA4tuFwCQl3X64Y=";
const EXCHANGES: [&str; 3] = ["/v1/identity/hmac", "/v2/identity/hmac", "/identity/v1/hmac/management"];

struct Payments {
    running: Running,
    account: SeededImburse,
    _directory: tempfile::TempDir,
}

static NONCE: AtomicU64 = AtomicU64::new(0);

/// As the vendor's samples make it, with the clock of the sandbox.
fn signed(key: &SeededPair, seconds: &str, body: &str) -> String {
    let nonce = format!("n{}", NONCE.fetch_add(1, Ordering::Relaxed));
    let private = STANDARD.decode(&key.private_key).unwrap();
    let hash = if body.is_empty() {
        String::new()
    } else {
        STANDARD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes()))
    };
    let text = format!("{}:{nonce}:{seconds}:{hash}", key.public_key);
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &private), text.as_bytes());
    format!("Hmac {}:{nonce}:{seconds}:{}", key.public_key, STANDARD.encode(signature))
}

impl Payments {
    async fn new() -> Self {
        Self::with(None).await
    }

    async fn with(key: Option<SeededPair>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let running = start(options(directory.path())).await.unwrap();
        let seed = SeedImburse { host: HOST.to_owned(), account_id: None, key };
        let seed = Seed { accounts: Vec::new(), imburse: vec![seed] };
        let account = running.seed(&seed).await.unwrap().imburse.remove(0);
        Self { running, account, _directory: directory }
    }

    fn wire(&self) -> Wire {
        Wire::new(&self.running)
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = control(&self.running, method, path, &body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        answer.json()
    }

    async fn switch(&self, switches: Value) {
        self.control("POST", "/control/switches", json!({ "imburse": switches })).await;
    }

    async fn seconds(&self) -> String {
        let now = self.control("GET", "/control/clock", Value::Null).await;
        now["now"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second().to_string()
    }

    async fn exchange(&self, path: &str, authorization: &str, body: &str) -> Answer {
        self.wire().plain(("POST", HOST, path), &[("authorization", authorization)], body).await
    }

    async fn token_of(&self, key: &SeededPair) -> String {
        let answer = self.exchange(EXCHANGES[1], &signed(key, &self.seconds().await, ""), "").await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()["accessToken"].as_str().unwrap().to_owned()
    }

    async fn token(&self) -> String {
        self.token_of(&self.account.key).await
    }

    /// A call of the account.
    async fn call(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", bearer.as_str()), ("x-account-id", self.account.account_id.as_str())];
        self.wire().plain((method, HOST, path), &headers, &body).await
    }

    /// A call of one of its tenants.
    async fn call_as_tenant(&self, token: &str, tenant: &str, method: &str, path: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-account-id", self.account.account_id.as_str()),
            ("x-tenant-id", tenant),
        ];
        self.wire().plain((method, HOST, path), &headers, &body).await
    }

    async fn create(&self, token: &str, name: &str) -> String {
        let made = self.call(token, "POST", "/v2/account/tenants", json!({ "name": name })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["tenantId"].as_str().unwrap().to_owned()
    }

    async fn mint(&self, token: &str, tenant: &str, roles: Value) -> (String, SeededPair) {
        let path = format!("/v2/account/tenants/{tenant}/keys");
        let made = self.call(token, "POST", &path, json!({ "name": "Admin Key", "roles": roles })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let made = made.json();
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let pair = SeededPair { public_key: text("publicKey"), private_key: text("privateKey") };
        (format!("{path}/{}", pair.public_key), pair)
    }

    async fn stop(self) {
        self.running.stop().await;
    }
}

/// Who answered with what.
fn said(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn the_six_vectors_of_the_vendors_samples_get_a_token_and_the_wrong_two_do_not() {
    let admin = r#"{"name":"Admin Key","roles":["tenant-admin"]}"#;
    let zurich = "{\"name\":\"Zürich ✓\"}";
    let key = SeededPair { public_key: PUBLIC.to_owned(), private_key: PRIVATE.to_owned() };
    for (now, nonce, timestamp, body, signature, status) in [
        (1_535_617_540, "1535617532", "1535617532", "", "S/lWhfyxgV1KBRq5+jHV8ozSy8PGs0/L6zRspDLMoh8=", 201),
        (1_591_966_350, "1591966347.566", "1591966347.566", "", "+8UI2R3McUZ0EzcjF74QT3UCNSOaf8af4XmcLh8Gtig=", 201),
        (1_535_617_540, "1535617532", "1535617532", admin, "77FIJV3KpwPrEPqVq90SUIb42m4OvsilVGGagQjQgGk=", 201),
        (1_535_617_540, "1535617532", "1535617532", zurich, "jECw4uml4C/uUcfO26aIDOAGHMb1xBvBXEhaRCGEZEM=", 201),
        (1_535_617_540, "randomuniquestring123", "1535617532", "", "JYDZ7e7Y36oeJJ3E5UB7tF9VBAwIv1B5HTPNw9iaV6Y=", 201),
        (
            1_535_617_540,
            "randomuniquestring123",
            "1535617532",
            admin,
            "f/z2b5JaS85LH+eQLiOdUNQGKi9UmMOSX9K4GufWQos=",
            201,
        ),
        (1_535_617_540, "1535617532", "1535617532", "", "DRFE1eH7tB3AtUQ0f3s2qEDnFYNu8nolz/4L0pwvsOA=", 400),
        (1_535_617_540, "1535617532", "1535617532", "", "unmNWMoTxlhgEyDILs+pYRub+rqfi9qV9pvE5liH/kU=", 400),
    ] {
        // A sandbox of its own: the vectors share nonces.
        let place = Payments::with(Some(key.clone())).await;
        let now = jiff::Timestamp::from_second(now).unwrap();
        place.control("POST", "/control/clock", json!({ "now": now })).await;
        let authorization = format!("Hmac {PUBLIC}:{nonce}:{timestamp}:{signature}");
        let answer = place.exchange(EXCHANGES[0], &authorization, body).await;
        assert_eq!(answer.status, status, "{signature}: {}", answer.text);
        if status == 201 {
            let again = place.exchange(EXCHANGES[1], &authorization, body).await;
            assert_eq!(said(&again), (400, "HMAC_NONCE_ALREADY_USED".to_owned()));
        } else {
            assert_eq!(answer.code(), "HMAC_SIGNATURE_IS_INVALID");
        }
        place.stop().await;
    }
}

#[tokio::test]
async fn a_signature_is_good_for_five_minutes_under_each_path_whatever_the_case_of_its_scheme() {
    let place = Payments::new().await;
    let key = &place.account.key;
    let now: i64 = place.seconds().await.parse().unwrap();
    for path in EXCHANGES {
        let good = signed(key, &now.to_string(), "").replace("Hmac", "hMAC");
        assert_eq!(place.exchange(path, &good, "").await.status, 201, "{path}");
    }
    let refused = async |authorization: String, body: &str, code: &str| {
        let answer = place.exchange(EXCHANGES[1], &authorization, body).await;
        assert_eq!(said(&answer), (400, code.to_owned()), "{authorization}");
    };
    assert_eq!(place.exchange(EXCHANGES[0], &signed(key, &(now - 290).to_string(), ""), "").await.status, 201);
    refused(signed(key, &(now - 301).to_string(), ""), "", "HMAC_TIMESTAMP_IS_INVALID").await;
    refused(signed(key, &(now + 60).to_string(), ""), "", "HMAC_TIMESTAMP_IS_INVALID").await;
    place.switch(json!({ "future_seconds": 120 })).await;
    assert_eq!(place.exchange(EXCHANGES[0], &signed(key, &(now + 60).to_string(), ""), "").await.status, 201);
    // Signed without the body that comes with it.
    refused(signed(key, &now.to_string(), ""), "{}", "HMAC_SIGNATURE_IS_INVALID").await;
    refused("Hmac {asd3=}".to_owned(), "", "HMAC_IS_MALFORMED").await;
    refused("Bearer x".to_owned(), "", "HMAC_IS_REQUIRED").await;
    let stranger = SeededPair { public_key: PUBLIC.to_owned(), private_key: key.private_key.clone() };
    refused(signed(&stranger, &now.to_string(), ""), "", "HMAC_SIGNATURE_IS_INVALID").await;
    // The key is of the sandbox's account, not of production's.
    let elsewhere = signed(key, &now.to_string(), "");
    let call = ("POST", "api.imbursepayments.com", EXCHANGES[1]);
    assert_eq!(place.wire().plain(call, &[("authorization", &elsewhere)], "").await.status, 400);
    place.stop().await;
}

#[tokio::test]
async fn expires_comes_in_each_form_and_a_token_ends_with_it() {
    let place = Payments::new().await;
    let now: i64 = place.seconds().await.parse().unwrap();
    for (form, read) in [
        ("seconds", (|value| value.as_i64()) as fn(&Value) -> Option<i64>),
        ("milliseconds", |value| value.as_i64().map(|n| n / 1000)),
        ("seconds_text", |value| value.as_str()?.parse().ok()),
        ("milliseconds_text", |value| value.as_str()?.parse::<i64>().ok().map(|n| n / 1000)),
    ] {
        place.switch(json!({ "expires": form, "token_seconds": 600 })).await;
        let answer = place.exchange(EXCHANGES[1], &signed(&place.account.key, &now.to_string(), ""), "").await;
        let expires = read(&answer.json()["expires"]).unwrap_or_else(|| panic!("{form}: {}", answer.text));
        assert!((now + 599..now + 640).contains(&expires), "{form}: {expires}");
    }
    let token = place.token().await;
    assert_eq!(place.call(&token, "GET", "/v2/account", Value::Null).await.status, 200);
    place.control("POST", "/control/clock", json!({ "advance": "PT11M" })).await;
    assert_eq!(said(&place.call(&token, "GET", "/v2/account", Value::Null).await), (401, "UNAUTHORIZED".to_owned()));
    place.stop().await;
}

#[tokio::test]
async fn the_envelope_is_the_vendors_and_carries_both_correlation_ids() {
    let place = Payments::new().await;
    let token = place.token().await;
    let bearer = format!("bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-correlation-id", "mine-1")];
    let answer = place.wire().plain(("GET", HOST, "/v2/account/keys"), &headers, "").await;
    assert_eq!(said(&answer), (400, "ACCOUNT_ID_IS_REQUIRED".to_owned()));
    let body = answer.json();
    assert!(body["timestamp"].is_i64());
    let ours = body["correlationId"].as_str().unwrap();
    assert!(ours.len() == 22 && ours.as_bytes()[13] == b':', "{ours}");
    let error = &body["errors"][0];
    assert_eq!(error["metadata"]["correlationId"], "mine-1");
    assert_eq!(error["message"], "Please reference [mine-1] when contacting support.");
    assert_eq!(error["messageTemplate"], "Please reference {correlationId} when contacting support.");
    place.stop().await;
}

#[tokio::test]
async fn document_001_as_printed_and_the_new_keys_own_token() {
    let place = Payments::new().await;
    let token = place.token().await;
    let bearer = format!("Bearer {token}");
    // Neither document of 2019 shows a header besides these.
    let headers = [("authorization", bearer.as_str())];
    let address = json!({
        "name": "Acme", "streetAddress": "1 High Street", "extendedStreetAddress": "Floor 2",
        "locality": "London", "region": "London", "postCode": "N1 1AA", "country": "GB",
    });
    let call = ("POST", HOST, "/management/v1/account/tenants");
    let tenant = place.wire().plain(call, &headers, &address.to_string()).await;
    assert_eq!(tenant.status, 201, "{}", tenant.text);
    let tenant = tenant.json();
    assert_eq!(tenant["address"]["extendedStreetAddress"], "Floor 2");
    assert!(tenant.get("status").is_none());
    let id = tenant["tenantId"].as_str().unwrap();
    let path = format!("/v1/tenant/{id}/keys");
    let key = r#"{ "name": "Admin Key", "roles": ["tenant-admin"] }"#;
    let made = place.wire().plain(("POST", HOST, &path), &headers, key).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let mut names: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accountId", "name", "privateKey", "publicKey", "roles", "tenantId"]);
    assert_eq!(STANDARD.decode(made["privateKey"].as_str().unwrap()).unwrap().len(), 32);

    let pair = SeededPair {
        public_key: made["publicKey"].as_str().unwrap().to_owned(),
        private_key: made["privateKey"].as_str().unwrap().to_owned(),
    };
    let own = place.token_of(&pair).await;
    let keys = place.call_as_tenant(&own, id, "GET", "/v1/tenant/keys", Value::Null).await;
    assert_eq!(keys.json()["tenantKeys"][0]["publicKey"], pair.public_key.as_str());
    assert!(!keys.text.contains(&pair.private_key));
    let me = place.call_as_tenant(&own, id, "GET", "/v2/tenant", Value::Null).await.json();
    assert_eq!((&me["name"], &me["status"]), (&json!("Acme"), &json!("Approved")));
    place.stop().await;
}

#[tokio::test]
async fn account_and_tenant_are_two_worlds_with_their_headers_and_roles() {
    let place = Payments::new().await;
    let token = place.token().await;
    let (one, two) = (place.create(&token, "One").await, place.create(&token, "Two").await);
    let (_, admin) = place.mint(&token, &one, json!(["tenant-admin"])).await;
    let (_, reader) = place.mint(&token, &one, json!(["tenant-app-read"])).await;
    let (admin, reader) = (place.token_of(&admin).await, place.token_of(&reader).await);
    let forbidden = (403, "FORBIDDEN".to_owned());
    let keys = "/v2/tenant/keys";
    assert_eq!(place.call_as_tenant(&admin, &one, "GET", keys, Value::Null).await.status, 200);
    assert_eq!(said(&place.call_as_tenant(&admin, &two, "GET", keys, Value::Null).await), forbidden);
    assert_eq!(said(&place.call_as_tenant(&reader, &one, "GET", keys, Value::Null).await), forbidden);
    let without = place.call(&admin, "GET", keys, Value::Null).await;
    assert_eq!(said(&without), (400, "TENANT_ID_IS_REQUIRED".to_owned()));
    assert_eq!(said(&place.call(&admin, "GET", "/v2/account/tenants", Value::Null).await), forbidden);
    assert_eq!(said(&place.call_as_tenant(&token, &one, "GET", keys, Value::Null).await), forbidden);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("x-account-id", PUBLIC)];
    assert_eq!(said(&place.wire().plain(("GET", HOST, "/v2/account"), &headers, "").await), forbidden);
    // An account's key with less than everything.
    let made = json!({ "name": "reader", "roles": ["account-tenant-read"] });
    let made = place.call(&token, "POST", "/v1/account/keys", made).await.json();
    let pair = SeededPair {
        public_key: made["publicKey"].as_str().unwrap().to_owned(),
        private_key: made["privateKey"].as_str().unwrap().to_owned(),
    };
    let reads = place.token_of(&pair).await;
    assert_eq!(place.call(&reads, "GET", "/v2/account/tenants", Value::Null).await.status, 200);
    let made = place.call(&reads, "POST", "/v2/account/tenants", json!({ "name": "Three" })).await;
    assert_eq!(said(&made), forbidden);
    assert_eq!(said(&place.call(&reads, "GET", "/v2/account", Value::Null).await), forbidden);
    // A key that is gone takes its tokens with it.
    let path = format!("/v2/account/keys/{}", pair.public_key);
    assert_eq!(place.call(&token, "DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(place.call(&reads, "GET", "/v2/account/tenants", Value::Null).await.status, 401);
    place.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages_of_twenty_and_names_are_searched_by_part() {
    let place = Payments::new().await;
    let token = place.token().await;
    for number in 0..23 {
        place.create(&token, &format!("Tenant {number}")).await;
    }
    let list =
        async |query: &str| place.call(&token, "GET", &format!("/v2/account/tenants{query}"), Value::Null).await.json();
    let first = list("").await;
    assert_eq!(first["results"].as_array().unwrap().len(), 20);
    assert_eq!((&first["pageSize"], &first["rowCount"], &first["pageCount"]), (&json!(20), &json!(23), &json!(2)));
    let second = list("?from=20&take=20").await;
    assert_eq!(second["results"].as_array().unwrap().len(), 3);
    assert_eq!((&second["results"][0]["name"], &second["currentPage"]), (&json!("Tenant 20"), &json!(1)));
    assert_eq!(list("?from=40").await["results"], json!([]));
    assert_eq!(list("?name=tenant%202").await["rowCount"], 4);
    place.switch(json!({ "name_search": "prefix", "max_take": 2, "first_page": 1 })).await;
    assert_eq!(list("?name=ant").await["rowCount"], 0);
    let small = list("?take=50").await;
    assert_eq!((small["results"].as_array().unwrap().len(), &small["currentPage"]), (2, &json!(1)));
    let bad = place.call(&token, "GET", "/v2/account/tenants?page=2", Value::Null).await;
    assert_eq!(said(&bad), (400, "QUERY_IS_INVALID".to_owned()));
    place.stop().await;
}

#[tokio::test]
async fn a_tenant_waits_for_a_person_and_keys_wait_with_it() {
    let place = Payments::new().await;
    let token = place.token().await;
    let change = json!({ "tenantCreationApprovalRequired": true });
    assert_eq!(place.call(&token, "PUT", "/v2/account", change).await.status, 204);
    let (one, two) = (place.create(&token, "Same").await, place.create(&token, "Same").await);
    let shown =
        async |id: &str| place.call(&token, "GET", &format!("/v2/account/tenants/{id}"), Value::Null).await.json();
    let pending = shown(&one).await;
    assert_eq!((&pending["status"], &pending["statusDetails"]["approvedOn"]), (&json!("Pending"), &Value::Null));
    let keys = format!("/v2/account/tenants/{one}/keys");
    let refused = place.call(&token, "POST", &keys, json!({})).await;
    assert_eq!(said(&refused), (400, "TENANT_IS_PENDING_APPROVAL".to_owned()));
    place.control("POST", "/control/edit", json!({ "action": "imburse_approve", "tenant": one })).await;
    assert_eq!(shown(&one).await["status"], "Approved");
    let made = place.call(&token, "POST", &keys, json!({})).await.json();
    assert_eq!((&made["name"], &made["roles"]), (&json!("API Key"), &json!([])));
    let reject = json!({ "action": "imburse_reject", "tenant": two, "reason": "twice" });
    place.control("POST", "/control/edit", reject).await;
    let rejected = shown(&two).await;
    assert_eq!(
        (&rejected["status"], &rejected["statusDetails"]["rejectionReason"]),
        (&json!("Rejected"), &json!("twice"))
    );
    let refused = place.call(&token, "POST", &format!("/v2/account/tenants/{two}/keys"), json!({})).await;
    assert_eq!(said(&refused), (400, "TENANT_IS_REJECTED".to_owned()));
    place.stop().await;
}

#[tokio::test]
async fn keys_are_listed_without_their_private_half_and_change_and_go() {
    let place = Payments::new().await;
    let token = place.token().await;
    let tenant = place.create(&token, "One").await;
    let (path, pair) = place.mint(&token, &tenant, json!(["tenant-admin"])).await;
    let list = format!("/v2/account/tenants/{tenant}/keys");
    let shown = place.call(&token, "GET", &path, Value::Null).await;
    assert!(shown.json()["identity"].is_string() && !shown.text.contains("privateKey"));
    let change = json!({ "name": "Other", "roles": ["tenant-app-read", "tenant-app-write"] });
    assert_eq!(place.call(&token, "PUT", &path, change).await.status, 204);
    assert_eq!(place.call(&token, "GET", &list, Value::Null).await.json()["tenantKeys"][0]["name"], "Other");
    let half = place.call(&token, "PUT", &path, json!({ "name": "x" })).await;
    assert_eq!(said(&half), (400, "BODY_IS_INVALID".to_owned()));
    let odd = place.call(&token, "POST", &list, json!({ "name": "x", "roles": ["tenant-god"] })).await;
    assert_eq!(said(&odd), (400, "ROLE_IS_INVALID".to_owned()));
    place.switch(json!({ "key_update": false, "unknown_roles": true, "key_list_lag": 1 })).await;
    let refused = place.call(&token, "PUT", &path, json!({ "name": "x", "roles": [] })).await;
    assert_eq!(said(&refused), (405, "SERVICE_UNAVAILABLE".to_owned()));
    let odd = place.call(&token, "POST", &list, json!({ "name": "x", "roles": ["tenant-god"] })).await;
    assert_eq!(odd.status, 201);
    let count = async || {
        let keys = place.call(&token, "GET", &list, Value::Null).await.json();
        keys["tenantKeys"].as_array().unwrap().len()
    };
    assert_eq!((count().await, count().await), (1, 2));
    // By the path of 2019 they are the same keys.
    let old = format!("/v1/tenant/{tenant}/keys/{}", pair.public_key);
    assert_eq!(place.call(&token, "GET", &old, Value::Null).await.json()["tenantId"], tenant.as_str());
    assert_eq!(place.call(&token, "DELETE", &old, Value::Null).await.status, 204);
    assert_eq!(said(&place.call(&token, "DELETE", &path, Value::Null).await), (404, "API_KEY_NOT_FOUND".to_owned()));
    place.switch(json!({ "not_found": 400 })).await;
    assert_eq!(said(&place.call(&token, "GET", &path, Value::Null).await), (400, "API_KEY_NOT_FOUND".to_owned()));
    place.stop().await;
}

#[tokio::test]
async fn the_licence_ends_and_deletion_is_soft() {
    let place = Payments::new().await;
    let token = place.token().await;
    let one = place.create(&token, "One").await;
    let (_, pair) = place.mint(&token, &one, json!(["tenant-admin"])).await;
    let own = place.token_of(&pair).await;
    place.control("POST", "/control/edit", json!({ "action": "imburse_set_account", "max_tenants": 1 })).await;
    let licence = place.call(&token, "GET", "/v2/account", Value::Null).await.json();
    assert_eq!((&licence["license"]["maxTenants"], &licence["license"]["tenantUsage"]), (&json!(1), &json!(1)));
    let full = place.call(&token, "POST", "/v2/account/tenants", json!({ "name": "Two" })).await;
    assert_eq!(said(&full), (400, "LICENSE_MAX_TENANTS_REACHED".to_owned()));
    let path = format!("/v2/account/tenants/{one}");
    assert_eq!(place.call(&token, "DELETE", &path, Value::Null).await.status, 204);
    assert!(place.call(&token, "GET", &path, Value::Null).await.json()["statusDetails"]["deletedOn"].is_string());
    assert_eq!(place.call_as_tenant(&own, &one, "GET", "/v2/tenant", Value::Null).await.status, 401);
    place.switch(json!({ "lists_deleted": false })).await;
    assert_eq!(said(&place.call(&token, "GET", &path, Value::Null).await), (404, "TENANT_NOT_FOUND".to_owned()));
    place.create(&token, "Two").await;
    place.stop().await;
}

#[tokio::test]
async fn faults_and_the_record_speak_of_imburse_too() {
    let place = Payments::new().await;
    let token = place.token().await;
    let limit = json!({ "match": { "host": "*.imbursepayments.com" }, "nth": 1, "action": { "retry_after": { "seconds": 3 } } });
    place.control("POST", "/control/faults", limit).await;
    let answer = place.call(&token, "GET", "/v2/account", Value::Null).await;
    assert_eq!((said(&answer), answer.header("retry-after")), ((429, "TOO_MANY_REQUESTS".to_owned()), Some("3")));
    place.create(&token, "One").await;
    let record = place.control("GET", "/control/requests", Value::Null).await;
    let entries = record["requests"].as_array().unwrap();
    let acted = entries.iter().filter(|entry| entry["fault"].is_null());
    assert!(acted.into_iter().all(|entry| entry["who"] == place.account.key.public_key.as_str()));
    let created = entries.last().unwrap();
    assert_eq!(
        (&created["committed"], &created["status"], &created["host"]),
        (&json!(true), &json!(201), &json!(HOST))
    );
    let text = record.to_string();
    assert!(!text.contains(&token) && !text.contains(&place.account.key.private_key));
    let state = place.control("GET", "/control/state", Value::Null).await;
    assert_eq!(state["imburse"]["accounts"][0]["tenants"][0]["name"], "One");
    assert!(!state.to_string().contains(&place.account.key.private_key));
    place.switch(json!({ "rate_per_minute": 1 })).await;
    assert_eq!(place.call(&token, "GET", "/v2/account", Value::Null).await.status, 429);
    place.stop().await;
}

#[tokio::test]
async fn both_vendors_outlive_a_restart_and_a_reset_forgets_them() {
    let directory = tempfile::tempdir().unwrap();
    let seed = || Seed {
        accounts: Vec::new(),
        imburse: vec![SeedImburse { host: HOST.to_owned(), account_id: Some("acc-1".to_owned()), key: None }],
    };
    let running = start(options(directory.path())).await.unwrap();
    let account = running.seed(&seed()).await.unwrap().imburse.remove(0);
    let place = Payments { running, account, _directory: tempfile::tempdir().unwrap() };
    let token = place.token().await;
    let tenant = place.create(&token, "One").await;
    let first = place.account.key.clone();
    place.stop().await;
    let running = start(options(directory.path())).await.unwrap();
    let account = running.seed(&seed()).await.unwrap().imburse.remove(0);
    assert_eq!((&account.key.public_key, &account.key.private_key), (&first.public_key, &first.private_key));
    let place = Payments { running, account, _directory: tempfile::tempdir().unwrap() };
    let path = format!("/v2/account/tenants/{tenant}");
    assert_eq!(place.call(&token, "GET", &path, Value::Null).await.json()["name"], "One");
    place.control("POST", "/control/reset", Value::Null).await;
    assert_eq!(place.call(&token, "GET", &path, Value::Null).await.status, 401);
    place.stop().await;
}

#[tokio::test]
async fn an_authority_from_before_imburse_is_made_anew() {
    let place = Place::new().await;
    place.running.stop().await;
    let state = place.directory.path().join("state");
    let old = rcgen::generate_simple_self_signed(vec!["a.qlikcloud.com".to_owned()]).unwrap();
    std::fs::write(state.join("ca.pem"), old.cert.pem()).unwrap();
    std::fs::write(state.join("ca.key"), old.signing_key.serialize_pem()).unwrap();
    let running = start(options(place.directory.path())).await.unwrap();
    let call = ("POST", HOST, EXCHANGES[1]);
    assert_eq!(Wire::new(&running).plain(call, &[], "").await.status, 400);
    running.stop().await;
}

#[test]
fn every_switch_and_edit_is_on_the_page() {
    let page = include_str!("../../../docs/sandbox.md").split_once("\n### Imburse's switches\n").unwrap().1;
    let quoted: Vec<&str> = page.split('`').skip(1).step_by(2).collect();
    let switches = json!(crate::sandbox::imburse::Switches::default());
    let source = include_str!("../imburse/edit.rs").split_once("enum Edit {").unwrap().1.split("\n}").next().unwrap();
    let edits = source.split("    Imburse").skip(1).map(|rest| {
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
        name.chars().fold("imburse".to_owned(), |text, c| match c.is_uppercase() {
            true => text + "_" + &c.to_ascii_lowercase().to_string(),
            false => text + &c.to_string(),
        })
    });
    let names: Vec<String> = switches.as_object().unwrap().keys().cloned().chain(edits).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(quoted.contains(&name.as_str()), "{name} is not on the page");
    }
}
