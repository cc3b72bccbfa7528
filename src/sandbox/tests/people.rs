//! Users, groups, roles, and acting as somebody else.

use super::*;

/// Percent-encodes a filter.
fn filter(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

async fn user(place: &Place, admin: &str, host: &str, subject: &str) -> String {
    let body =
        json!({ "name": subject, "email": format!("{subject}@example.com"), "subject": subject, "status": "active" });
    let answer = place.call(admin, "POST", host, "/api/v1/users", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn act_as(place: &Place, host: &str, field: &str, value: &str) -> Answer {
    let client = &place.account.key_client;
    let body = json!({
        "client_id": client.id, "client_secret": client.secret, "scope": "user_default",
        "grant_type": "urn:qlik:oauth:user-impersonation", "user_lookup": { "field": field, "value": value },
    });
    place.wire().send("POST", host, "/oauth/token", None, &body).await.unwrap()
}

#[tokio::test]
async fn a_client_mints_a_key_as_the_person_it_acts_for() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    let owner = user(&place, &admin, &host, "carla").await;
    assert_eq!(act_as(&place, &host, "subject", "carla").await.status, 403, "nobody trusts the client yet");
    place.open(&host, false).await;
    assert_eq!(act_as(&place, &host, "email", "carla@example.com").await.status, 400);
    assert_eq!(act_as(&place, &host, "userId", "nobody").await.status, 400);
    let bot = place.control("GET", "/control/state", Value::Null).await;
    let bot =
        bot["tenants"].as_array().unwrap().iter().find(|one| one["hostnames"][0] == host.as_str()).unwrap()["users"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["clientId"].is_string())
            .unwrap()["subject"]
            .clone();
    assert_eq!(act_as(&place, &host, "subject", bot.as_str().unwrap()).await.status, 400, "a bot is no person");

    let granted = act_as(&place, &host, "subject", "carla").await;
    assert_eq!((granted.status, &granted.json()["scope"]), (200, &json!("user_default")));
    let token = granted.json()["access_token"].as_str().unwrap().to_owned();
    let me = place.call(&token, "GET", &host, "/api/v1/users/me", Value::Null).await;
    assert_eq!(me.header("location").unwrap(), format!("/api/v1/users/{owner}"));
    assert_eq!(place.mint(&token, &host, json!({ "description": "hers" })).await.status, 403, "no permission yet");
    place.open(&host, true).await;
    let key = place.mint(&token, &host, json!({ "description": "hers" })).await;
    assert_eq!((key.status, &key.json()["sub"]), (201, &json!(owner)));
    place.control("POST", "/control/switches", json!({ "impersonation_may_mint": false })).await;
    assert_eq!(place.mint(&token, &host, json!({ "description": "another" })).await.status, 403);

    place
        .control("POST", "/control/edit", json!({ "action": "set_user_status", "user": owner, "status": "disabled" }))
        .await;
    assert_eq!(act_as(&place, &host, "userId", &owner).await.status, 403);
    let bearer = key.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(place.call(&bearer, "GET", &host, "/api/v1/users/me", Value::Null).await.status, 401);
    let client = &place.account.client;
    let body = json!({
        "client_id": client.id, "client_secret": client.secret, "grant_type": "urn:qlik:oauth:user-impersonation",
        "user_lookup": { "field": "userId", "value": owner },
    });
    let refused = place.wire().send("POST", &host, "/oauth/token", None, &body).await.unwrap();
    assert_eq!(refused.status, 400, "the client of a region impersonates nobody");
    place.stop().await;
}

#[tokio::test]
async fn the_permission_counts_through_a_role_and_through_a_group() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let admin = place.token(&host).await;
    place.open(&host, false).await;
    let (carla, dan) = (user(&place, &admin, &host, "carla").await, user(&place, &admin, &host, "dan").await);
    let call = async |method: &str, path: &str, body: Value| place.call(&admin, method, &host, path, body).await;
    let role = json!({ "name": "Key holders", "assignedScopes": ["api-keys"] });
    let made = call("POST", "/api/v1/roles", role.clone()).await;
    assert_eq!((made.status, &made.json()["type"], &made.json()["canEdit"]), (201, &json!("custom"), &json!(true)));
    assert_eq!(call("POST", "/api/v1/roles", role).await.status, 400, "names are unique");
    let role = format!("/api/v1/roles/{}", made.json()["id"].as_str().unwrap());

    let mints = async |subject: &str| {
        let token = act_as(&place, &host, "subject", subject).await.json()["access_token"].as_str().unwrap().to_owned();
        place.mint(&token, &host, json!({ "description": "key" })).await.status
    };
    assert_eq!((mints("carla").await, mints("dan").await), (403, 403));
    let assign = |names: &[&str]| {
        let roles: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
        json!([{ "op": "replace", "path": "/assignedRoles", "value": roles }])
    };
    assert_eq!(call("PATCH", &format!("/api/v1/users/{carla}"), assign(&["Key holders"])).await.status, 204);
    assert_eq!((mints("carla").await, mints("dan").await), (201, 403));
    assert_eq!(call("DELETE", &role, Value::Null).await.status, 403, "it is assigned");

    let group = call("POST", "/api/v1/groups", json!({ "name": "Keys", "providerType": "custom" })).await;
    assert_eq!(group.status, 201, "{}", group.text);
    let group = format!("/api/v1/groups/{}", group.json()["id"].as_str().unwrap());
    assert_eq!(call("PATCH", &group, assign(&["No such role"])).await.status, 400);
    assert_eq!(call("PATCH", &group, assign(&["Key holders"])).await.status, 204);
    let member = json!([{ "op": "replace", "path": "/assignedGroups", "value": [{ "name": "Keys", "providerType": "custom" }] }]);
    assert_eq!(call("PATCH", &format!("/api/v1/users/{dan}"), member).await.status, 204);
    assert_eq!(mints("dan").await, 201);
    let rename = json!([{ "op": "replace", "path": "/name", "value": "Holders of keys" }]);
    assert_eq!(call("PATCH", &role, rename).await.status, 204);
    assert_eq!((mints("carla").await, mints("dan").await), (201, 201), "a role keeps who has it");
    let read = call("GET", &group, Value::Null).await.json();
    assert_eq!(read["assignedRoles"][0]["name"], "Holders of keys");

    let partly = call("PATCH", &format!("/api/v1/users/{dan}"), assign(&["Holders of keys", "Gone"])).await;
    assert_eq!((partly.status, partly.code()), (207, "USERS-7".to_owned()));
    let dan = call("GET", &format!("/api/v1/users/{dan}"), Value::Null).await.json();
    assert_eq!(dan["roles"], json!(["Holders of keys"]), "what is there was assigned");
    let remove = json!([{ "op": "remove-value", "path": "/assignedRoles", "value": "x" }]);
    assert_eq!(call("PATCH", &format!("/api/v1/users/{carla}"), remove).await.status, 207, "there is no such role");
    place.stop().await;
}

#[tokio::test]
async fn users_are_found_page_by_page_and_by_what_is_known_of_them() {
    let place = Place::new().await;
    let admin = place.token(SOURCE).await;
    for number in 10..35 {
        user(&place, &admin, SOURCE, &format!("person-{number}")).await;
    }
    let twice = json!({ "name": "x", "email": "x@example.com", "subject": "person-10", "status": "active" });
    let twice = place.call(&admin, "POST", SOURCE, "/api/v1/users", twice).await;
    assert_eq!((twice.status, &twice.json()["errors"][0]["status"]), (409, &json!(409)));
    let list = async |query: &str| {
        let answer = place.call(&admin, "GET", SOURCE, &format!("/api/v1/users{query}"), Value::Null).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        answer.json()
    };
    let first = list("?filter=subject%20co%20%22PERSON%22&totalResults=true").await;
    assert_eq!((first["data"].as_array().unwrap().len(), &first["totalResults"]), (20, &json!(25)));
    let next = first["links"]["next"]["href"].as_str().unwrap();
    let second = list(&next[next.find('?').unwrap()..]).await;
    assert_eq!((second["data"].as_array().unwrap().len(), &second["data"][4]["name"]), (5, &json!("person-34")));
    let backwards = list("?sort=-name&limit=1").await;
    assert_eq!(backwards["data"][0]["name"], "US OAuth Client");
    for (text, count) in [
        (r#"email eq "person-12@example.com""#, 1),
        (r#"(subject eq "person-12" or subject eq "person-13") and (status eq "active")"#, 2),
        (r#"status eq "disabled""#, 0),
        (r#"subject eq "sandbox|ci""#, 1),
    ] {
        assert_eq!(list(&format!("?filter={}", filter(text))).await["data"].as_array().unwrap().len(), count, "{text}");
    }
    let client = &place.account.client.id;
    let bot = list(&format!("?filter={}", filter(&format!(r#"subject eq "qlikbot\\{client}""#)))).await;
    assert_eq!(bot["data"][0]["clientId"], client.as_str());
    for wrong in [r#"picture eq "x""#, r#"id co "x""#, r#"subject eq "a\b" or"#] {
        let path = format!("/api/v1/users?filter={}", filter(wrong));
        assert_eq!(place.call(&admin, "GET", SOURCE, &path, Value::Null).await.status, 400, "{wrong}");
    }
    let owner = &place.account.owners[0].token;
    assert_eq!(place.call(owner, "GET", SOURCE, "/api/v1/users", Value::Null).await.status, 200);
    assert_eq!(place.call(owner, "POST", SOURCE, "/api/v1/users", json!({})).await.status, 403);
    place.stop().await;
}
