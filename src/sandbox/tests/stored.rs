//! What is stored and listed: spaces, identity providers, and a tenant's own OAuth clients.

use super::*;

async fn member(place: &Place, admin: &str, host: &str, group: &str) -> String {
    let body = json!({ "name": "Mia", "subject": "mia", "email": "mia@example.com", "status": "active" });
    let id = place.call(admin, "POST", host, "/api/v1/users", body).await.json()["id"].as_str().unwrap().to_owned();
    let groups = json!([{ "op": "replace", "path": "/assignedGroups", "value": [{ "id": group }] }]);
    assert_eq!(place.call(admin, "PATCH", host, &format!("/api/v1/users/{id}"), groups).await.status, 204);
    id
}

/// A client of a tenant's own that may act as people, and a token of it as this person.
async fn own_client(place: &Place, admin: &str, host: &str, scopes: Value) -> (String, String) {
    let body = json!({
        "appType": "web", "clientName": "Ours", "allowedScopes": scopes,
        "allowedGrantTypes": ["client_credentials", "urn:qlik:oauth:user-impersonation"],
        "connectionConfig": { "consentMethod": "trusted" },
    });
    let made = place.call(admin, "POST", host, "/api/v1/oauth-clients", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |name: &str| made.json()[name].as_str().unwrap().to_owned();
    (text("clientId"), text("clientSecret"))
}

async fn grant(place: &Place, host: &str, client: &(String, String), person: Option<&str>) -> Answer {
    let mut body = json!({ "client_id": client.0, "client_secret": client.1, "grant_type": "client_credentials" });
    if let Some(person) = person {
        body["grant_type"] = json!("urn:qlik:oauth:user-impersonation");
        body["user_lookup"] = json!({ "field": "userId", "value": person });
    }
    place.wire().send("POST", host, "/oauth/token", None, &body).await.unwrap()
}

fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

#[tokio::test]
async fn a_space_is_seen_by_those_who_are_in_it_and_goes_with_its_assignments() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let ask = async |who: &str, method: &str, path: &str, body: Value| {
        place.call(who, method, &host, &format!("/api/v1/{path}"), body).await
    };
    let group = ask(&admin, "POST", "groups", json!({ "name": "Sellers" })).await.json()["id"].clone();
    let mia = member(&place, &admin, &host, group.as_str().unwrap()).await;
    let client = own_client(&place, &admin, &host, json!(["user_default"])).await;
    let she = token(&grant(&place, &host, &client, Some(&mia)).await);

    let make =
        async |name: &str, kind: &str| ask(&admin, "POST", "spaces", json!({ "name": name, "type": kind })).await;
    let space = make("Finance", "managed").await.json();
    assert_eq!(space["meta"]["assignableRoles"].as_array().unwrap().len(), 6);
    make("Griffin", "shared").await;
    make("Sales", "data").await;
    assert_eq!(make("Sales", "shared").await.status, 409);
    assert_eq!(make("a/b", "shared").await.status, 400);
    let names = async |who: &str, query: &str| {
        let list = ask(who, "GET", &format!("spaces{query}"), Value::Null).await.json();
        let names = list["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
        (names.collect::<Vec<_>>().join(" "), list["meta"]["count"].clone())
    };
    assert_eq!(names(&admin, "?limit=2&sort=-name").await, ("Sales Griffin".to_owned(), json!(3)));
    assert_eq!(names(&admin, "?name=FIN").await, ("Finance Griffin".to_owned(), json!(2)));
    assert_eq!(names(&admin, "?type=managed,data").await, ("Finance Sales".to_owned(), json!(2)));
    let id = space["id"].as_str().unwrap();
    assert_eq!(ask(&she, "GET", &format!("spaces/{id}"), Value::Null).await.status, 404);
    let path = format!("spaces/{id}/assignments");
    let in_it = json!({ "type": "group", "assigneeId": group, "roles": ["consumer"] });
    let assignment = ask(&admin, "POST", &path, in_it.clone()).await;
    assert_eq!(assignment.json()["spaceId"], id);
    assert_eq!(ask(&admin, "POST", &path, in_it).await.status, 409);
    assert_eq!(names(&she, "").await.0, "Finance");
    let seen = ask(&she, "GET", &format!("spaces/{id}"), Value::Null).await.json();
    assert_eq!((&seen["meta"]["roles"], &seen["meta"]["actions"]), (&json!(["consumer"]), &json!(["read"])));
    assert_eq!(ask(&she, "DELETE", &format!("spaces/{id}"), Value::Null).await.status, 403);
    assert_eq!(ask(&admin, "DELETE", &format!("spaces/{id}"), Value::Null).await.status, 204);
    assert_eq!(ask(&admin, "GET", &path, Value::Null).await.status, 404);
    assert_eq!(names(&she, "").await.0, "");
    place.stop().await;
}

#[tokio::test]
async fn a_tenants_own_client_gets_tokens_for_what_it_may_where_it_is_trusted() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let (_, other) = place.create().await;
    let admin = place.token(&host).await;
    let client = own_client(&place, &admin, &host, json!(["admin_classic", "user_default"])).await;
    let path = format!("/api/v1/oauth-clients/{}", client.0);
    let shown = place.call(&admin, "GET", &host, &path, Value::Null).await;
    assert!(!shown.text.contains("hash") && !shown.text.contains(&client.1), "{}", shown.text);
    let filter = "/api/v1/oauth-clients?filter=clientName%20co%20%22our%22";
    assert_eq!(place.call(&admin, "GET", &host, filter, Value::Null).await.json()["data"][0]["clientId"], client.0);

    let its = token(&grant(&place, &host, &client, None).await);
    let me =
        async |host: &str, token: &str| place.call(token, "GET", host, "/api/v1/users/me", Value::Null).await.status;
    assert_eq!(me(&host, &its).await, 301);
    // Another tenant does not know it before it is published, nor trust it after.
    assert_eq!(grant(&place, &other, &client, None).await.status, 401);
    let published = place.call(&admin, "POST", &host, &format!("{path}/actions/publish"), Value::Null).await;
    assert_eq!(published.status, 201);
    assert_eq!(grant(&place, &other, &client, None).await.status, 403);
    let consent = json!([{ "op": "replace", "path": "/consentMethod", "value": "trusted" }]);
    let others = place.token(&other).await;
    let config = format!("{path}/connection-configs/me");
    assert_eq!(place.call(&others, "PATCH", &other, &config, consent).await.status, 204);
    assert_eq!(me(&other, &token(&grant(&place, &other, &client, None).await)).await, 301);

    // A secret that is removed ends, and the other goes on.
    let secrets = format!("{path}/client-secrets");
    let second = place.call(&admin, "POST", &host, &secrets, Value::Null).await.json();
    let first = client.1.chars().take(5).collect::<String>();
    assert_eq!(place.call(&admin, "DELETE", &host, &format!("{secrets}/{first}"), Value::Null).await.status, 204);
    assert_eq!(grant(&place, &host, &client, None).await.status, 401);
    let renewed = (client.0.clone(), second["clientSecret"].as_str().unwrap().to_owned());
    assert_eq!(grant(&place, &host, &renewed, None).await.status, 200);

    // Its tokens end one by one, or all with it.
    let tokens = place.call(&its, "GET", &host, "/api/v1/oauth-tokens", Value::Null).await.json();
    let own = tokens["data"].as_array().unwrap();
    assert_eq!(own.len(), 2, "{tokens}");
    let renewed = token(&grant(&place, &host, &renewed, None).await);
    for one in own {
        let path = format!("/api/v1/oauth-tokens/{}", one["id"].as_str().unwrap());
        assert_eq!(place.call(&admin, "DELETE", &host, &path, Value::Null).await.status, 204);
    }
    assert_eq!((me(&host, &its).await, me(&host, &renewed).await), (401, 301));
    assert_eq!(place.call(&admin, "DELETE", &host, &path, Value::Null).await.status, 204);
    assert_eq!(me(&host, &renewed).await, 401);
    place.stop().await;
}

#[tokio::test]
async fn an_identity_provider_is_kept_without_showing_its_secret() {
    let place = Place::new().await;
    let (tenant, host) = place.create().await;
    let admin = place.token(&host).await;
    let make = async |body: Value| place.call(&admin, "POST", &host, "/api/v1/identity-providers", body).await;
    let options = json!({ "clientId": "one", "clientSecret": "not-to-be-seen", "claimsMapping": {} });
    let oidc = json!({ "protocol": "OIDC", "provider": "generic", "interactive": true, "pendingOptions": options });
    let made = make(oidc).await;
    let shown = made.json();
    assert_eq!((made.status, &shown["active"], &shown["pendingState"]), (201, &json!(false), &json!("pending")));
    assert_eq!(shown["tenantIds"], json!([tenant]));
    assert!(!made.text.contains("not-to-be-seen"), "{}", made.text);
    assert_eq!(make(json!({ "protocol": "jwtAuth", "provider": "okta" })).await.status, 400);
    assert_eq!(make(json!({ "protocol": "jwtAuth", "provider": "external", "options": {} })).await.status, 400);
    let id = shown["id"].as_str().unwrap();
    let path = format!("/api/v1/identity-providers/{id}");
    let change = json!([
        { "op": "replace", "path": "/pendingOptions/realm", "value": "here" },
        { "op": "replace", "path": "/description", "value": 1 },
    ]);
    assert_eq!(place.call(&admin, "PATCH", &host, &path, change).await.status, 400, "all or nothing");
    let now = async || place.call(&admin, "GET", &host, &path, Value::Null).await.json();
    assert_eq!(now().await["pendingOptions"].get("realm"), None);
    let change = json!([{ "op": "replace", "path": "/pendingOptions/realm", "value": "here" }]);
    assert_eq!(place.call(&admin, "PATCH", &host, &path, change).await.status, 204);
    assert_eq!(now().await["pendingOptions"]["realm"], "here");
    place.stop().await;
}
