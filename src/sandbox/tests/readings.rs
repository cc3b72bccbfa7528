//! What the vendor's documents and published clients settle about people, roles, envelopes and odd requests.

use super::*;

async fn person(place: &Place, admin: &str, host: &str, name: &str) -> String {
    let body = json!({ "name": name, "subject": name, "email": format!("{name}@example.com"), "status": "active" });
    let made = place.call(admin, "POST", host, "/api/v1/users", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_changed_in_every_way_that_the_vendors_types_and_samples_have() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let id = person(&place, &admin, &host, "ada").await;
    let path = format!("/api/v1/users/{id}");
    let change = async |changes: Value| place.call(&admin, "PATCH", &host, &path, changes).await.status;
    let user = async || place.call(&admin, "GET", &host, &path, Value::Null).await.json();

    let texts = json!([
        { "op": "replace", "path": "/preferredLocale", "value": "de" },
        { "op": "set", "path": "/preferredZoneinfo", "value": "Europe/Berlin" },
        { "op": "replace", "path": "/email", "value": "ada@other.example" },
    ]);
    assert_eq!(change(texts).await, 204);
    let seen = user().await;
    assert_eq!(
        [&seen["preferredLocale"], &seen["preferredZoneinfo"], &seen["email"]],
        ["de", "Europe/Berlin", "ada@other.example"].map(|text| json!(text)).each_ref()
    );
    assert_eq!(change(json!([{ "op": "unset", "path": "/preferredLocale" }])).await, 204);
    assert_eq!(user().await.get("preferredLocale"), None);

    let steward = json!({ "name": "Steward" });
    assert_eq!(change(json!([{ "op": "add", "path": "/assignedRoles/-", "value": steward }])).await, 204);
    assert_eq!(change(json!([{ "op": "add", "path": "/roles", "value": ["DataAdmin"] }])).await, 204);
    assert_eq!(user().await["roles"], json!(["Steward", "DataAdmin"]));
    assert_eq!(change(json!([{ "op": "remove-value", "path": "/assignedRoles", "value": steward }])).await, 204);
    assert_eq!(user().await["roles"], json!(["DataAdmin"]));
    for wrong in [
        json!([{ "op": "explode", "path": "/name", "value": "x" }]),
        json!([{ "op": "set", "path": "/subject", "value": "x" }]),
    ] {
        assert_eq!(change(wrong).await, 400);
    }
    place.stop().await;
}

#[tokio::test]
async fn others_are_seen_without_their_roles_and_not_at_all_by_the_strict_reading() {
    let place = Place::new().await;
    let owner = &place.account.owners[0];
    let admin = place.token(SOURCE).await;
    let other = person(&place, &admin, SOURCE, "grace").await;
    let path = format!("/api/v1/users/{other}");
    let seen = place.call(&owner.token, "GET", SOURCE, &path, Value::Null).await;
    assert_eq!((seen.status, &seen.json()["name"]), (200, &json!("grace")));
    assert_eq!(seen.json().get("assignedRoles"), None);
    let as_admin = place.call(&admin, "GET", SOURCE, &path, Value::Null).await.json();
    assert!(as_admin["assignedRoles"].is_array());
    place.control("POST", "/control/switches", json!({ "users_see_users": false })).await;
    for path in ["/api/v1/users", "/api/v1/roles", path.as_str()] {
        assert_eq!(place.call(&owner.token, "GET", SOURCE, path, Value::Null).await.status, 403, "{path}");
    }
    place.stop().await;
}

#[tokio::test]
async fn the_region_client_may_ask_for_user_default_and_roles_of_administrators_come_first() {
    let place = Place::new().await;
    let (id, secret) = (&place.account.client.id, &place.account.client.secret);
    let ask = async |scope: &str| {
        let body =
            json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials", "scope": scope });
        place.wire().send("POST", SOURCE, "/oauth/token", None, &body).await.unwrap()
    };
    let token = ask("user_default").await;
    assert_eq!(token.status, 200);
    let token = token.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(place.call(&token, "GET", SOURCE, "/api/v1/licenses/overview", Value::Null).await.status, 200);
    assert_eq!(ask("admin_classic user_default").await.status, 200);
    assert_eq!(ask("no.such").await.status, 400);

    let first = async || {
        let roles = place.call(&token, "GET", SOURCE, "/api/v1/roles", Value::Null).await.json();
        let names = roles["data"].as_array().unwrap().iter();
        names.map(|role| role["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(first().await.contains(&"TenantAdmin".to_owned()));
    place.control("POST", "/control/switches", json!({ "roles_order": "name", "strict_scopes": true })).await;
    assert!(!first().await.contains(&"TenantAdmin".to_owned()));
    assert_eq!(ask("admin_classic user_default").await.status, 400);
    place.stop().await;
}

#[tokio::test]
async fn roles_groups_and_seats_are_asked_for_by_what_the_reference_calls_filterable() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let make = async |path: &str, body: Value| {
        assert_eq!(place.call(&admin, "POST", &host, path, body).await.status, 201);
    };
    make("/api/v1/roles", json!({ "name": "Mine", "assignedScopes": ["api-keys"] })).await;
    make("/api/v1/groups", json!({ "name": "Builders" })).await;
    let names = async |path: &str| {
        let found = place.call(&admin, "GET", &host, &path.replace(' ', "%20").replace('"', "%22"), Value::Null).await;
        assert_eq!(found.status, 200, "{path}: {}", found.text);
        let found = found.json();
        let data = found["data"].as_array().unwrap().iter();
        data.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("/api/v1/roles?filter=type eq \"custom\"").await, ["Mine"]);
    assert_eq!(names("/api/v1/roles?filter=permissions eq \"api-keys\"").await, ["Mine"]);
    assert_eq!(names("/api/v1/roles?filter=createdAt gt \"2999-01-01T00:00:00.000Z\"").await, Vec::<String>::new());
    assert_eq!(names("/api/v1/roles?sort=-type&limit=100").await.last().unwrap(), "Mine");
    assert_eq!(names("/api/v1/groups?filter=status eq \"active\" and providerType eq \"idp\"").await, ["Builders"]);
    assert_eq!(names("/api/v1/groups?systemGroups=true").await, ["com.qlik.Everyone"]);
    let seats = "/api/v1/licenses/assignments?sort=-subject&orphans=true&filter=type%20eq%20%22analyzer%22";
    assert_eq!(place.call(&admin, "GET", &host, seats, Value::Null).await.status, 200);
    let all = place.call(&admin, "POST", &host, "/api/v1/groups/actions/filter", Value::Null).await;
    assert_eq!(all.json()["data"].as_array().unwrap().len(), 1);
    place.stop().await;
}

#[tokio::test]
async fn every_service_refuses_in_its_own_envelope() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let refused = async |token: &str, path: &str| place.call(token, "GET", &host, path, Value::Null).await.json();
    for service in ["users", "groups", "api-keys"] {
        let body = refused(&admin, &format!("/api/v1/{service}?bogus=1")).await;
        assert_eq!(body["errors"][0]["status"], json!(400), "{service}");
    }
    assert_eq!(refused(&admin, "/api/v1/roles?bogus=1").await["errors"][0].get("status"), None);
    for (token, path) in [("nobody's", "licenses/status"), (admin.as_str(), "licenses/consumption?bogus=1")] {
        let body = refused(token, &format!("/api/v1/{path}")).await;
        assert!(body["error"].is_string() && body["message"].is_string(), "{body}");
    }
    place.stop().await;
}

#[tokio::test]
async fn invitations_of_nobody_and_to_no_address_are_told_one_by_one() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let invite = async |body: Value| place.call(&admin, "POST", &host, "/api/v1/users/actions/invite", body).await;
    assert_eq!(invite(json!({})).await.json(), json!({ "data": [] }));
    let told = invite(json!({ "invitees": [{ "email": "nowhere" }] })).await.json();
    assert_eq!(told["data"][0]["status"], "error");
    place.stop().await;
}

#[tokio::test]
async fn heads_large_bodies_and_what_everybody_may_read_are_answered() {
    let place = Place::new().await;
    let admin = place.token(SOURCE).await;
    let wire = place.wire();
    let head = wire.head(SOURCE, "/api/v1/users/me", &admin).await;
    assert!(head.starts_with("HTTP/1.1 301") && head.ends_with("\r\n\r\n"), "{head}");
    let known = wire.plain(("GET", SOURCE, "/.well-known/oauth-authorization-server"), &[], "").await.json();
    assert_eq!(known["issuer"], format!("https://{SOURCE}"));
    let large = json!({ "name": "x".repeat(2 << 20) });
    assert_eq!(place.call(&admin, "POST", SOURCE, "/api/v1/groups", large).await.status, 413);
    place.stop().await;
}

#[tokio::test]
async fn a_whole_url_sent_to_the_proxy_is_answered_and_no_other_place_is_asked() {
    let place = Place::new().await;
    let admin = place.token(SOURCE).await;
    let ask = async |url: &str, host: &str| {
        let head =
            format!("GET {url} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {admin}\r\nconnection: close\r\n\r\n");
        place.wire().raw(&head).await.status
    };
    assert_eq!(ask(&format!("https://{SOURCE}/api/v1/users"), SOURCE).await, 200);
    assert_eq!(ask(&format!("http://{SOURCE}/api/v1/users"), SOURCE).await, 403);
    assert_eq!(ask("https://example.com/", "example.com").await, 403);
    assert_eq!(ask(&format!("https://{SOURCE}/api/v1/users"), "other.us.qlikcloud.com").await, 403);
    place.stop().await;
}
