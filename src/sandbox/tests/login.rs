//! People who log in with a token that their identity provider has signed.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

pub(super) fn key() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

pub(super) fn signed(key: &RsaKeyPair, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "kid": "one", "typ": "JWT" })), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The body of the vendor's own script, which sends the key without its line breaks.
pub(super) fn provider(key: &RsaKeyPair) -> Value {
    let der = STANDARD.encode(key.public_key().as_der().unwrap().as_ref());
    let pem = format!("-----BEGIN PUBLIC KEY-----{der}-----END PUBLIC KEY-----");
    json!({
        "provider": "external", "protocol": "jwtAuth", "interactive": false, "active": true, "description": "JWT",
        "options": { "jwtLoginEnabled": true, "issuer": "https://id.example", "staticKeys": [{ "kid": "one", "pem": pem }] },
    })
}

/// Ada's, by the clock of these stories.
pub(super) fn claims() -> Value {
    let now = "2026-11-21T10:00:00Z".parse::<Timestamp>().unwrap().as_second();
    json!({
        "iss": "https://id.example", "aud": "qlik.api/login/jwt-session", "sub": "adas-subject", "name": "Ada",
        "email": "ada@example.com", "groups": ["Readers"], "iat": now, "nbf": now, "exp": now + 3600,
    })
}

#[tokio::test]
async fn a_signed_token_logs_a_person_in_with_their_groups_and_a_change_needs_the_csrf_token() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let ask = async |method: &str, path: &str, body: Value| {
        place.call(&admin, method, &host, &format!("/api/v1/{path}"), body).await
    };
    let key = key();
    let provider = provider(&key);
    let provider = ask("POST", "identity-providers", provider).await.json()["id"].as_str().unwrap().to_owned();
    let create = json!([{ "op": "replace", "path": "/autoCreateGroups", "value": true }]);
    assert_eq!(ask("PATCH", "groups/settings", create).await.status, 204);

    let claims = claims();
    let now = claims["iat"].as_i64().unwrap();
    let login = async |jwt: &str| {
        let header = format!("Bearer {jwt}");
        place.wire().plain(("POST", &host, "/login/jwt-session"), &[("authorization", &header)], "").await
    };
    let other = super::login::key();
    assert_eq!(login(&signed(&other, &claims)).await.status, 401, "another's signature");
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("another")),
        ("exp", json!(now - 1)),
        ("nbf", json!(now + 600)),
    ] {
        let mut wrong = claims.clone();
        wrong[name] = value;
        assert_eq!(login(&signed(&key, &wrong)).await.status, 401, "{name}");
    }
    assert_eq!(ask("GET", "users/actions/count", Value::Null).await.json()["total"], 1, "nobody was made for it");

    let answer = login(&signed(&key, &claims)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let session = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let with = async |method: &str, path: &str, csrf: &str, body: &str| {
        let headers = [("cookie", session.as_str()), ("qlik-csrf-token", csrf)];
        place.wire().plain((method, &host, path), &headers, body).await
    };
    let me = with("GET", "/api/v1/users/me", "", "").await;
    assert_eq!(me.status, 301);
    let user =
        ask("GET", "users?filter=subject%20eq%20%22adas-subject%22", Value::Null).await.json()["data"][0].clone();
    assert!(me.header("location").unwrap().ends_with(user["id"].as_str().unwrap()));
    assert_eq!(user["assignedGroups"][0]["name"], "Readers");

    let admins = json!([{ "op": "replace", "path": "/assignedRoles", "value": [{ "name": "TenantAdmin" }] }]);
    assert_eq!(ask("PATCH", &format!("users/{}", user["id"].as_str().unwrap()), admins).await.status, 204);
    let space = r#"{"name":"Hers","type":"shared"}"#;
    assert_eq!(with("POST", "/api/v1/spaces", "", space).await.status, 401, "no CSRF token");
    let csrf = with("GET", "/api/v1/csrf-token", "", "").await;
    assert_eq!(csrf.status, 204);
    let csrf = csrf.header("qlik-csrf-token").unwrap().to_owned();
    assert_eq!(with("POST", "/api/v1/spaces", &csrf, space).await.status, 201);

    assert_eq!(ask("DELETE", &format!("identity-providers/{provider}"), Value::Null).await.status, 204);
    assert_eq!(with("GET", "/api/v1/users/me", "", "").await.status, 401, "its sessions end with a provider");
    place.stop().await;
}
