//! Stories through the real proxy, with a client that shares no type with the sandbox.

mod login;
mod persistence;
mod readings;
mod stored;
mod wire;

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Options, Running, SandboxError, Seed, SeedAccount, SeedOwner, SeededAccount, start};
use wire::{Answer, Wire};

const SOURCE: &str = "mycorp.us.qlikcloud.com";
const REGISTER: &str = "register.us.qlikcloud.com";

fn options(directory: &std::path::Path) -> Options {
    let now: Arc<Mutex<Timestamp>> = Arc::new(Mutex::new("2026-11-21T10:00:00Z".parse().unwrap()));
    let clock = move || {
        // A clock that moves a little: lists are sorted by it.
        let mut now = now.lock().unwrap();
        *now += jiff::SignedDuration::from_millis(1);
        *now
    };
    Options { state_dir: directory.join("state"), listen: "127.0.0.1:0".parse().unwrap(), clock: Arc::new(clock) }
}

/// A sandbox with one account, and a client for it.
struct Place {
    running: Running,
    account: SeededAccount,
    directory: tempfile::TempDir,
}

fn account() -> Seed {
    let owners = vec![SeedOwner { name: "ci".to_owned(), tenant: "mycorp".to_owned() }];
    let account = SeedAccount {
        region: "us".to_owned(),
        source_tenant: "mycorp".to_owned(),
        client: None,
        key_client: None,
        owners,
    };
    Seed { accounts: vec![account], imburse: Vec::new() }
}

impl Place {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let running = start(options(directory.path())).await.unwrap();
        let account = running.seed(&account()).await.unwrap().accounts.remove(0);
        Self { running, account, directory }
    }

    fn wire(&self) -> Wire {
        Wire::new(&self.running)
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = wire::control(&self.running, method, path, &body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        answer.json()
    }

    /// A token of the region-level client.
    async fn token(&self, host: &str) -> String {
        let answer = self.grant(host, &self.account.client.id, &self.account.client.secret).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn grant(&self, host: &str, id: &str, secret: &str) -> Answer {
        let body = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials" });
        self.wire().send("POST", host, "/oauth/token", None, &body).await.unwrap()
    }

    async fn key_grant(&self, host: &str) -> Answer {
        self.grant(host, &self.account.key_client.id, &self.account.key_client.secret).await
    }

    async fn call(&self, token: &str, method: &str, host: &str, path: &str, body: Value) -> Answer {
        self.wire().send(method, host, path, Some(token), &body).await.unwrap()
    }

    async fn licence(&self) -> String {
        let token = self.token(SOURCE).await;
        let overview = self.call(&token, "GET", SOURCE, "/api/v1/licenses/overview", Value::Null).await;
        overview.json()["licenseKey"].as_str().unwrap().to_owned()
    }

    /// A new tenant: its id and its host.
    async fn create(&self) -> (String, String) {
        let (token, licence) = (self.token(REGISTER).await, self.licence().await);
        let body = json!({ "licenseKey": licence });
        let answer = self.call(&token, "POST", REGISTER, "/api/v1/tenants", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let tenant = answer.json();
        (tenant["id"].as_str().unwrap().to_owned(), tenant["hostnames"][0].as_str().unwrap().to_owned())
    }

    /// Trusts the key client and, where asked, lets everybody have keys. The client's token there.
    async fn open(&self, host: &str, permission: bool) -> String {
        let admin = self.token(host).await;
        let path = format!("/api/v1/oauth-clients/{}/connection-configs/me", self.account.key_client.id);
        let trust = json!([{ "op": "replace", "path": "/consentMethod", "value": "trusted" }]);
        assert_eq!(self.call(&admin, "PATCH", host, &path, trust).await.status, 204);
        if permission {
            let filter = "/api/v1/roles?filter=name%20eq%20%22UserDefault%22";
            let roles = self.call(&admin, "GET", host, filter, Value::Null).await.json();
            let role = roles["data"][0]["id"].as_str().unwrap();
            let grant = json!([{ "op": "add", "path": "/assignedScopes/-", "value": "api-keys" }]);
            assert_eq!(self.call(&admin, "PATCH", host, &format!("/api/v1/roles/{role}"), grant).await.status, 204);
        }
        self.key_grant(host).await.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn mint(&self, token: &str, host: &str, body: Value) -> Answer {
        self.call(token, "POST", host, "/api/v1/api-keys", body).await
    }

    async fn stop(self) {
        self.running.stop().await;
    }
}

#[tokio::test]
async fn document_000_works_step_by_step() {
    let place = Place::new().await;
    let (id, host) = place.create().await;
    let token = place.token(&host).await;
    let me = place.call(&token, "GET", &host, "/api/v1/users/me", Value::Null).await;
    assert_eq!(me.status, 301);
    let me = place.call(&token, "GET", &host, me.header("location").unwrap(), Value::Null).await.json();
    assert_eq!(me["tenantId"], id.as_str());
    assert_eq!(me["roles"], json!(["TenantAdmin"]));
    assert_eq!(me["subject"], format!("qlikbot\\{}", place.account.client.id));
    let tenant = place.call(&token, "GET", &host, "/api/v1/tenants/me", Value::Null).await;
    assert_eq!((tenant.status, tenant.header("location").unwrap()), (302, format!("/api/v1/tenants/{id}").as_str()));
    place.stop().await;
}

#[tokio::test]
async fn credentials_in_every_form_and_none_that_is_wrong() {
    let place = Place::new().await;
    let (id, secret) = (place.account.client.id.clone(), place.account.client.secret.clone());
    assert_eq!(place.wire().form(SOURCE, &id, &secret).await.status, 200);
    assert_eq!(place.wire().basic(SOURCE, &id, &secret).await.status, 200);
    let wrong = place.grant(SOURCE, &id, "wrong").await;
    assert_eq!((wrong.status, wrong.code()), (401, "OAUTH-5".to_owned()));
    assert!(wrong.json()["traceId"].is_string());
    let nobodys = place.grant("nobody.us.qlikcloud.com", &id, &secret).await;
    assert_eq!((nobodys.status, nobodys.code()), (401, "OAUTH-5".to_owned()));
    let body = json!({ "client_id": id, "client_secret": secret });
    assert_eq!(place.wire().send("POST", SOURCE, "/oauth/token", None, &body).await.unwrap().status, 400);
    // The client for keys is one of a tenant; the register host does not know it, nor another region's.
    assert_eq!(place.key_grant(REGISTER).await.status, 401);
    assert_eq!(place.grant("register.eu.qlikcloud.com", &id, &secret).await.status, 401);
    // A token is good on its own host only, and no longer once it is revoked.
    let token = place.token(SOURCE).await;
    let (_, host) = place.create().await;
    assert_eq!(place.call(&token, "GET", &host, "/api/v1/users/me", Value::Null).await.status, 401);
    let revoke = json!({ "token": token, "token_type_hint": "access_token" });
    assert_eq!(place.wire().send("POST", SOURCE, "/oauth/revoke", None, &revoke).await.unwrap().status, 200);
    assert_eq!(place.call(&token, "GET", SOURCE, "/api/v1/users/me", Value::Null).await.status, 401);
    place.stop().await;
}

#[tokio::test]
async fn a_client_has_so_many_live_tokens_and_no_more() {
    let place = Place::new().await;
    place.control("POST", "/control/switches", json!({ "token_cap": 2 })).await;
    place.token(SOURCE).await;
    place.token(SOURCE).await;
    let (id, secret) = (&place.account.client.id, &place.account.client.secret);
    assert_eq!(place.grant(SOURCE, id, secret).await.status, 403);
    place.control("POST", "/control/clock", json!({ "advance": "PT7H" })).await;
    assert_eq!(place.grant(SOURCE, id, secret).await.status, 200);
    place.stop().await;
}

#[tokio::test]
async fn creating_a_tenant_is_refused_with_the_documented_codes() {
    let place = Place::new().await;
    let (token, licence) = (place.token(REGISTER).await, place.licence().await);
    let create = async |body: Value| {
        let answer = place.call(&token, "POST", REGISTER, "/api/v1/tenants", body).await;
        (answer.status, answer.code())
    };
    assert_eq!(create(json!({})).await, (400, "TENANTS-21".to_owned()));
    assert_eq!(create(json!({ "licenseKey": "x" })).await, (403, "TENANTS-23".to_owned()));
    place.control("POST", "/control/switches", json!({ "quota_reached": true })).await;
    assert_eq!(create(json!({ "licenseKey": licence })).await, (403, "TENANTS-22".to_owned()));
    let state = place.control("GET", "/control/state", Value::Null).await;
    assert_eq!(state["tenants"].as_array().unwrap().len(), 1, "only the source tenant");
    place.stop().await;
}

#[tokio::test]
async fn an_alias_moves_and_leaves_its_old_name_to_others() {
    let place = Place::new().await;
    let ((one, host), (two, other)) = (place.create().await, place.create().await);
    let alias = async |id: &str, host: &str, alias: &str| {
        let token = place.token(host).await;
        let body = json!([{ "op": "replace", "path": "/hostnames/1", "value": alias }]);
        place.call(&token, "PATCH", host, &format!("/api/v1/tenants/{id}"), body).await
    };
    assert_eq!(alias(&one, &host, "Acme.us.qlikcloud.com").await.status, 204);
    let taken = alias(&two, &other, "acme.us.qlikcloud.com").await;
    assert_eq!((taken.status, taken.code()), (400, "TENANTS-10".to_owned()));
    assert_eq!(taken.json()["errors"][0]["source"]["pointer"], "/hostnames/1");
    for wrong in ["ab.us.qlikcloud.com", "acme.eu.qlikcloud.com", "acme", "a_b.us.qlikcloud.com"] {
        assert_eq!(alias(&two, &other, wrong).await.status, 400, "{wrong}");
    }
    let token = place.token("acme.us.qlikcloud.com").await;
    let path = format!("/api/v1/tenants/{one}");
    let tenant = place.call(&token, "GET", "acme.us.qlikcloud.com", &path, Value::Null);
    assert_eq!(tenant.await.json()["hostnames"], json!([host, "acme.us.qlikcloud.com"]));
    assert_eq!(alias(&one, &host, "acme-2.us.qlikcloud.com").await.status, 204);
    assert_eq!(alias(&two, &other, "acme.us.qlikcloud.com").await.status, 204);
    place.stop().await;
}

#[tokio::test]
async fn rehearsing_on_the_source_tenant_passes() {
    let place = Place::new().await;
    let token = place.open(SOURCE, false).await;
    let minted = place.mint(&token, SOURCE, json!({ "description": "rehearsal", "expiry": "PT10M" })).await;
    assert_eq!(minted.status, 201, "{}", minted.text);
    let minted = minted.json();
    let (id, key) = (minted["id"].as_str().unwrap(), minted["token"].as_str().unwrap());
    assert_eq!(wire::claims(key)["jti"], id);
    let me = place.call(key, "GET", SOURCE, "/api/v1/users/me", Value::Null).await;
    assert_eq!(me.header("location").unwrap(), format!("/api/v1/users/{}", minted["sub"].as_str().unwrap()));
    let path = format!("/api/v1/api-keys/{id}");
    let patch = json!([{ "op": "replace", "path": "/description", "value": "renamed" }]);
    assert_eq!(place.call(&token, "PATCH", SOURCE, &path, patch).await.status, 204);
    let read = place.call(&token, "GET", SOURCE, &path, Value::Null).await.json();
    assert_eq!((&read["description"], &read["status"]), (&json!("renamed"), &json!("active")));
    assert!(read.get("token").is_none(), "a token is shown once");
    assert_eq!(place.call(&token, "DELETE", SOURCE, &path, Value::Null).await.status, 204);
    assert_eq!(place.call(&token, "GET", SOURCE, &path, Value::Null).await.status, 404);
    assert_eq!(place.call(key, "GET", SOURCE, "/api/v1/users/me", Value::Null).await.status, 401);
    place.stop().await;
}

#[tokio::test]
async fn each_switch_fails_the_rehearsal_its_own_way() {
    for (switch, path, status) in [
        (json!({ "key_client_trustable": false }), "trust", 403),
        (json!({ "bot_may_mint": false }), "mint", 403),
        (json!({ "source_permission": false }), "mint", 403),
        (json!({ "source_max_expiry": "PT5M" }), "mint", 400),
    ] {
        let place = Place::new().await;
        place.control("POST", "/control/switches", switch).await;
        let answer = if path == "trust" {
            assert_eq!(place.key_grant(SOURCE).await.status, 403);
            let admin = place.token(SOURCE).await;
            let path = format!("/api/v1/oauth-clients/{}/connection-configs/me", place.account.key_client.id);
            let trust = json!([{ "op": "replace", "path": "/consentMethod", "value": "trusted" }]);
            place.call(&admin, "PATCH", SOURCE, &path, trust).await
        } else {
            let token = place.open(SOURCE, false).await;
            place.mint(&token, SOURCE, json!({ "description": "rehearsal", "expiry": "PT10M" })).await
        };
        assert_eq!(answer.status, status, "{}", answer.text);
        place.stop().await;
    }
}

#[tokio::test]
async fn a_new_tenant_gives_no_keys_until_trust_and_permission_are_there() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    assert_eq!(place.key_grant(&host).await.status, 403, "not trusted yet");
    let token = place.open(&host, false).await;
    assert_eq!(place.mint(&token, &host, json!({ "description": "early" })).await.status, 403);
    let token = place.open(&host, true).await;
    let minted = place.mint(&token, &host, json!({ "description": "now" })).await;
    assert_eq!(minted.status, 201);
    let admin = place.token(&host).await;
    assert_eq!(place.mint(&admin, &host, json!({ "description": "admin" })).await.status, 403);
    let body = json!({ "description": "for another", "sub": "somebody" });
    assert_eq!(place.mint(&token, &host, body).await.status, 403);
    assert_eq!(place.mint(&token, &host, json!({ "description": "long", "expiry": "P2D" })).await.status, 400);
    assert_eq!(place.mint(&token, &host, json!({ "expiry": "PT1H" })).await.status, 400);
    // An administrator's delete revokes; the record stays.
    let id = minted.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/api-keys/{id}");
    assert_eq!(place.call(&admin, "DELETE", &host, &path, Value::Null).await.status, 204);
    let read = place.call(&admin, "GET", &host, &path, Value::Null).await.json();
    assert_eq!(read["status"], "revoked");
    place.stop().await;
}

#[tokio::test]
async fn keys_are_limited_listed_in_pages_and_expire() {
    let place = Place::new().await;
    let (id, host) = place.create().await;
    let token = place.open(&host, true).await;
    for number in 0..5 {
        let body = json!({ "description": format!("key {number}"), "expiry": "PT1H" });
        assert_eq!(place.mint(&token, &host, body).await.status, 201);
    }
    assert_eq!(place.mint(&token, &host, json!({ "description": "sixth" })).await.status, 403);
    let admin = place.token(&host).await;
    let more = json!([{ "op": "replace", "path": "/max_keys_per_user", "value": 50 }]);
    let path = format!("/api/v1/api-keys/configs/{id}");
    assert_eq!(place.call(&admin, "PATCH", &host, &path, more).await.status, 204);
    for number in 5..25 {
        let body = json!({ "description": format!("key {number}"), "expiry": "PT1H" });
        assert_eq!(place.mint(&token, &host, body).await.status, 201);
    }
    let list = async |query: &str| {
        let answer = place.call(&admin, "GET", &host, &format!("/api/v1/api-keys{query}"), Value::Null).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let first = list("").await;
    assert_eq!(first["data"].as_array().unwrap().len(), 20);
    assert_eq!(first["data"][0]["description"], "key 24", "newest first");
    let next = first["links"]["next"]["href"].as_str().unwrap();
    assert!(next.starts_with(&format!("https://{host}/api/v1/api-keys?startingAfter=")), "{next}");
    let second = list(&next[next.find('?').unwrap()..]).await;
    assert_eq!(second["data"].as_array().unwrap().len(), 5);
    assert!(second["links"].get("next").is_none());
    assert_eq!(list("?limit=100&sort=%2Bcreated").await["data"][0]["description"], "key 0");
    let refused = place.call(&admin, "GET", &host, "/api/v1/api-keys?limit=101", Value::Null).await;
    assert_eq!(refused.status, 400);
    place.control("POST", "/control/clock", json!({ "advance": "PT2H" })).await;
    assert_eq!(list("?status=active").await["data"], json!([]));
    assert_eq!(list("?status=expired&limit=100").await["data"].as_array().unwrap().len(), 25);
    place.stop().await;
}

#[tokio::test]
async fn user_default_is_on_the_second_page_of_roles() {
    let place = Place::new().await;
    let admin = place.token(SOURCE).await;
    let roles = place.call(&admin, "GET", SOURCE, "/api/v1/roles", Value::Null).await.json();
    let names = roles["data"].as_array().unwrap();
    assert_eq!(names.len(), 20);
    assert!(names.iter().all(|role| role["name"] != "UserDefault"));
    place.control("POST", "/control/switches", json!({ "hostile_next": true })).await;
    let roles = place.call(&admin, "GET", SOURCE, "/api/v1/roles", Value::Null).await.json();
    assert!(roles["links"]["next"]["href"].as_str().unwrap().starts_with("http://collector.example/"));
    place.stop().await;
}

#[tokio::test]
async fn an_owner_has_a_key_of_their_own_and_no_more_rights_than_theirs() {
    let place = Place::new().await;
    let owner = &place.account.owners[0];
    assert_eq!(owner.tenant, SOURCE);
    let list = format!("/api/v1/api-keys?sub={}", owner.user_id);
    assert_eq!(place.call(&owner.token, "GET", SOURCE, &list, Value::Null).await.status, 200);
    assert_eq!(place.call(&owner.token, "GET", SOURCE, "/api/v1/api-keys", Value::Null).await.status, 403);
    assert_eq!(place.call(&owner.token, "GET", SOURCE, "/api/v1/roles", Value::Null).await.status, 200);
    assert_eq!(place.call(&owner.token, "POST", SOURCE, "/api/v1/roles", json!({ "name": "X" })).await.status, 403);
    // The strict side of what no document settles.
    place.control("POST", "/control/switches", json!({ "users_see_users": false })).await;
    assert_eq!(place.call(&owner.token, "GET", SOURCE, "/api/v1/roles", Value::Null).await.status, 403);
    assert_eq!(place.mint(&owner.token, SOURCE, json!({ "description": "next" })).await.status, 201);
    place.control("POST", "/control/switches", json!({ "source_permission": false })).await;
    assert_eq!(place.call(&owner.token, "GET", SOURCE, &list, Value::Null).await.status, 401);
    place.stop().await;
}

#[tokio::test]
async fn a_disabled_tenant_says_so_on_every_call() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let token = place.token(&host).await;
    place.control("POST", "/control/edit", json!({ "action": "disable_tenant", "tenant": host })).await;
    let refused = place.call(&token, "GET", &host, "/api/v1/users/me", Value::Null).await;
    assert_eq!((refused.status, refused.code()), (401, "TENANT_DISABLED".to_owned()));
    let refused = place.grant(&host, &place.account.client.id, &place.account.client.secret).await;
    assert_eq!((refused.status, refused.code()), (401, "TENANT_DISABLED".to_owned()));
    place.control("POST", "/control/edit", json!({ "action": "purge_tenant", "tenant": host })).await;
    let gone = place.grant(&host, &place.account.client.id, &place.account.client.secret).await;
    assert_eq!(gone.code(), "OAUTH-5");
    place.stop().await;
}

#[tokio::test]
async fn rates_are_counted_where_they_are_set() {
    let place = Place::new().await;
    let token = place.token(SOURCE).await;
    place.control("POST", "/control/switches", json!({ "rate_tier_1": 1 })).await;
    for _ in 0..4 {
        let answer = place.call(&token, "GET", SOURCE, "/api/v1/licenses/status", Value::Null).await;
        assert_eq!(answer.status, 200, "five in five minutes");
    }
    assert_eq!(place.call(&token, "GET", SOURCE, "/api/v1/licenses/status", Value::Null).await.status, 200);
    let limited = place.call(&token, "GET", SOURCE, "/api/v1/licenses/status", Value::Null).await;
    assert_eq!((limited.status, limited.code()), (429, "HTTP-429".to_owned()));
    assert!((295..=300).contains(&limited.header("retry-after").unwrap().parse::<u32>().unwrap()));
    place.stop().await;
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let token = place.open(&host, true).await;
    let key = place.mint(&token, &host, json!({ "description": "lasting" })).await.json();
    let Place { running, account: before, directory } = place;
    assert!(matches!(start(options(directory.path())).await, Err(SandboxError::Locked(_))));
    let ca = std::fs::read(running.ca_file()).unwrap();
    running.stop().await;
    assert!(!directory.path().join("state/server.json").exists());

    let running = start(options(directory.path())).await.unwrap();
    assert_eq!(std::fs::read(running.ca_file()).unwrap(), ca);
    let after = running.seed(&account()).await.unwrap().accounts.remove(0);
    assert_eq!((&after.client.secret, &after.owners[0].token), (&before.client.secret, &before.owners[0].token));
    let place = Place { running, account: after, directory };
    let answer = place.call(key["token"].as_str().unwrap(), "GET", &host, "/api/v1/users/me", Value::Null).await;
    assert_eq!(answer.status, 301);
    assert_eq!(place.call(&token, "GET", &host, "/api/v1/users/me", Value::Null).await.status, 301);
    place.stop().await;
}

#[tokio::test]
async fn secrets_stay_out_of_record_and_view_and_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new().await;
    let (_, host) = place.create().await;
    let token = place.open(&host, true).await;
    let key = place.mint(&token, &host, json!({ "description": "hidden" })).await.json();
    let record = place.control("GET", "/control/requests", Value::Null).await;
    let shown = format!("{record}{}", place.control("GET", "/control/state", Value::Null).await);
    let SeededAccount { client, key_client, owners, .. } = &place.account;
    for secret in [&client.secret, &key_client.secret, &owners[0].token, &token, key["token"].as_str().unwrap()] {
        assert!(!shown.contains(secret));
    }
    let last = record["requests"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["method"], &last["committed"]), (&json!("POST"), &json!(true)));
    assert_eq!(last["who"], key_client.id.as_str());
    let state = place.directory.path().join("state");
    for (name, mode) in
        [("", 0o700), ("ca.key", 0o600), ("state.json", 0o600), ("journal", 0o600), ("server.json", 0o600)]
    {
        let found = std::fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    assert_eq!(std::fs::read_to_string(state.join(".gitignore")).unwrap(), "*\n");
    place.stop().await;
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    let directory = tempfile::tempdir().unwrap();
    let anywhere = Options { listen: "0.0.0.0:0".parse().unwrap(), ..options(directory.path()) };
    assert!(matches!(start(anywhere).await, Err(SandboxError::NotLoopback(_))));
}

mod documented;
mod faults;
mod imburse;
mod organization;
mod people;
