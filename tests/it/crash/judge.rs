//! Whether a story ended well, from the cloud's state and record and from the sink's files: never from our own report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::Client;
use crate::stage::Run;

use super::actor::Actor;
use super::scene::Scene;

/// All promises, at the end of a story.
pub(super) fn whole(actor: &Actor, scene: &Scene) {
    one_tenant(actor, scene);
    let tokens = secrets_delivered(actor, scene);
    nothing_else_alive(actor, scene, &tokens);
    // What was in one home of two may be in use, also once another key replaced it there.
    if scene.two_homes {
        sinks_hold_live_keys(actor, scene);
    }
    keys_work(actor, &tokens);
    creations_only(actor);
    nothing_is_left_to_do(actor);
    no_secret_leaked(actor);
    no_half_written_file(actor);
}

/// P1, at any moment, from the record of all runs.
pub(super) fn at_most_one_tenant(actor: &Actor) {
    let created = committed(actor).into_iter().filter(|request| request == "POST /api/v1/tenants").count();
    assert!(created <= 1, "{created} tenants were made");
}

/// P1 at the end, from the record of all runs; and it is the tenant that was declared.
fn one_tenant(actor: &Actor, scene: &Scene) {
    let created = committed(actor).into_iter().filter(|request| request == "POST /api/v1/tenants").count();
    assert_eq!(created, 1, "tenants created over all runs");
    let tenants = actor.stage.tenants();
    let [tenant] = tenants.as_slice() else { panic!("{} tenants are there", tenants.len()) };
    assert_eq!(tenant["name"], json!("Acme Corp"));
    let alias = if scene.has_alias { json!("acme-analytics.us.qlikcloud.com") } else { Value::Null };
    assert_eq!(tenant["hostnames"][1], alias);
    assert_eq!(tenant["limits"]["max_keys_per_user"], json!(10));
    if scene.has_owner {
        one_owner_and_one_role(tenant);
    } else {
        assert_eq!(tenant["user_default"], json!(["api-keys"]));
    }
}

/// What may be sent again after a lost answer is there once: the owner, the role, and who has it.
fn one_owner_and_one_role(tenant: &Value) {
    assert_eq!(tenant["user_default"], json!([]), "the permission was given to everyone");
    let roles: Vec<&Value> = list(&tenant["roles"]).iter().map(|role| &role["name"]).collect();
    assert_eq!(roles, [&json!("API key holders")]);
    let holders = list(&tenant["users"]).iter().filter(|user| user["roles"] == json!(["API key holders"]));
    let mut subjects: Vec<&str> = holders.map(|user| text(&user["subject"])).collect();
    subjects.sort_unstable();
    let [owner, bot] = subjects.as_slice() else { panic!("{subjects:?} hold the role") };
    assert!(*owner == "auth0|reporting" && bot.starts_with("qlikbot"), "{subjects:?} hold the role");
    let keys = list(&tenant["keys"]).iter().filter(|key| text(&key["description"]).starts_with("Reporting"));
    let owner = list(&tenant["users"]).iter().find(|user| user["subject"] == json!("auth0|reporting")).unwrap();
    for key in keys {
        assert_eq!((&key["sub"], &key["createdByUser"]), (&owner["id"], &owner["id"]), "a key of somebody else's");
    }
}

/// P2: every declared key's secret is in its sink and is a live key's. Gives key id and token.
fn secrets_delivered(actor: &Actor, scene: &Scene) -> BTreeMap<String, String> {
    let live: BTreeSet<String> = ids(&actor.stage.live_keys());
    let mut tokens = BTreeMap::new();
    for key in &scene.keys {
        let mut ids = BTreeSet::new();
        for file in actor.stage.homes(key, scene.two_homes) {
            let payload = std::fs::read_to_string(&file).unwrap_or_default();
            let token = token_in(&payload).unwrap_or_else(|| panic!("{} holds no secret", file.display()));
            let id = id_of(&token).unwrap_or_else(|| panic!("{} holds half a secret", file.display()));
            assert!(live.contains(&id), "{} holds key {id}, which is not live", file.display());
            ids.insert(id.clone());
            tokens.insert(id, token);
        }
        assert_eq!(ids.len(), 1, "the homes of {key} hold several keys: {ids:?}");
    }
    assert_eq!(tokens.len(), scene.keys.len(), "two files hold one key");
    tokens
}

/// What holds at once after a run that was disturbed and not killed: success means that the secrets are there (P2), and a
/// failure names a step (P10).
pub(super) fn disturbed(actor: &Actor, scene: &Scene, run: &Run) {
    if run.code == Some(0) {
        let tokens = secrets_delivered(actor, scene);
        keys_work(actor, &tokens);
    } else {
        assert_eq!(run.code, Some(1), "{}", run.all());
        actor.is_told_what_next(run);
    }
}

/// P2, at any moment: a secret that stands in a sink is a live key's. Nobody revokes what somebody may be using.
pub(super) fn sinks_hold_live_keys(actor: &Actor, scene: &Scene) {
    let live = ids(&actor.stage.live_keys());
    for key in &scene.keys {
        for home in actor.stage.homes(key, scene.two_homes) {
            let payload = std::fs::read_to_string(home).unwrap_or_default();
            let Some(id) = token_in(&payload).and_then(|token| id_of(&token)) else { continue };
            assert!(live.contains(&id) || actor.clock_moved.get(), "the sink's key {id} of {key} was revoked");
        }
    }
    for id in actor.held() {
        // Whoever has read it goes on using it until it expires.
        assert!(live.contains(&id) || actor.clock_moved.get(), "key {id}, which was in a sink, was revoked");
    }
}

/// Every live key that carries our marker is one of those in the sinks. Two exceptions, both by design and both checked:
/// a key that was in its sink once and has a successor there is left to expire, as after a renewal; a rehearsal's key that
/// could not be revoked lives ten minutes, on the source tenant only.
fn nothing_else_alive(actor: &Actor, scene: &Scene, delivered: &BTreeMap<String, String>) {
    let live = actor.stage.live_keys();
    for id in delivered.keys() {
        assert!(ids(&live).contains(id), "key {id} of {} is not live", scene.name);
    }
    let named = if actor.stage.is_shared() || scene.two_homes { actor.looks().all() } else { String::new() };
    for key in live.iter().filter(|key| !delivered.contains_key(text(&key["id"]))) {
        // Where the end of the run that minted it cannot be proven, it is named by every plan until it expires.
        if names(&named, key, "minted by a run whose end") {
            continue;
        }
        // In one home of two, and replaced there: somebody may use it.
        let used = scene.two_homes && actor.was_in_a_sink(text(&key["id"]));
        if used && names(&named, key, "one of its sinks had it until another key replaced it there") {
            continue;
        }
        assert!(text(&key["description"]).ends_with(":d]"), "an undelivered key lives on: {key}");
        assert!(actor.was_in_a_sink(text(&key["id"])), "a key lives on that no sink ever held: {key}");
        assert!(actor.may_supersede.get(), "a delivered key was superseded without need: {key}");
    }
    let state = actor.stage.state();
    for tenant in list(&state["tenants"]).iter().filter(|tenant| tenant["source"] == json!(true)) {
        for key in list(&tenant["keys"]).iter().filter(|key| key["status"] == json!("active")) {
            let time = |field: &str| text(&key[field]).parse::<jiff::Timestamp>().unwrap();
            let life = time("expiry").duration_since(time("created"));
            assert!(life.as_secs() <= 600, "a key of a rehearsal lives {life:#}: {key}");
            assert!(text(&key["description"]).starts_with("qlik-plan rehearsal"), "{key}");
        }
    }
}

/// Whether a plan names a live key with its end, and says why it is left.
pub(super) fn names(said: &str, key: &Value, why: &str) -> bool {
    let until = text(&key["expiry"]).parse::<jiff::Timestamp>().unwrap();
    said.contains(&format!("key {} lives until {until:.0} and is left to expire: {why}", text(&key["id"])))
}

/// A client of no programs of ours, with nothing but the token, is let in.
fn keys_work(actor: &Actor, tokens: &BTreeMap<String, String>) {
    let tenants = actor.stage.tenants();
    let host = text(&tenants[0]["hostnames"][0]).to_owned();
    let client = Client::at(actor.stage.dir());
    for token in tokens.values() {
        let (status, answer) = client.users_me(&host, token);
        assert_eq!(status, 200, "GET users/me with a delivered key: {answer}");
    }
}

/// P4: what was sent and changed something is on the list of what may be sent.
fn creations_only(actor: &Actor) {
    const ALLOWED: [&str; 14] = [
        "POST /oauth/token",
        "POST /oauth/revoke",
        "POST /api/v1/tenants",
        "PATCH /api/v1/tenants/*",
        "PATCH /api/v1/api-keys/configs/*",
        "PATCH /api/v1/oauth-clients/*/connection-configs/me",
        "PATCH /api/v1/roles/*",
        "POST /api/v1/api-keys",
        "PATCH /api/v1/api-keys/*",
        "DELETE /api/v1/api-keys/*",
        "POST /api/v1/roles",
        "POST /api/v1/users",
        "PATCH /api/v1/users/*",
        // The user of a rehearsal, on the source tenant.
        "DELETE /api/v1/users/*",
    ];
    for request in committed(actor) {
        // A bot user comes into being with the first token, and a GET then may note it.
        assert!(request.starts_with("GET ") || ALLOWED.contains(&request.as_str()), "{request} is none of ours");
    }
}

/// The plan is empty, and another apply changes nothing (P7).
fn nothing_is_left_to_do(actor: &Actor) {
    actor.plan().exits(0);
    let before = committed_changes(actor);
    actor.apply().exits(0).says("Nothing to do");
    assert_eq!(committed_changes(actor), before, "a second apply changed something");
}

/// P3: nothing that looks like a token, and no credential, in what was printed and in any file that is no secret's place.
fn no_secret_leaked(actor: &Actor) {
    let journal = std::fs::read_to_string(actor.stage.dir().join(".qlik-sandbox/journal")).unwrap();
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut secrets = Vec::new();
    for one in lines.iter().filter_map(|line| line["subscriptions"].as_object()).flat_map(|all| all.values()) {
        secrets.extend([&one["client"]["secret"], &one["key_client"]["secret"], &one["licence_key"]].map(text));
    }
    assert!(
        secrets.len() >= 3 && secrets.iter().all(|secret| secret.len() > 20),
        "the sandbox's secrets are elsewhere"
    );
    for said in actor.said() {
        holds_no_secret("what was printed", &said, &secrets);
    }
    for (name, text) in actor.stage.ledger_files() {
        holds_no_secret(&name, &text, &secrets);
    }
    for file in public_files(actor) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        holds_no_secret(&file.display().to_string(), &text, &secrets);
    }
}

fn holds_no_secret(place: &str, said: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!said.contains(secret), "a credential is in {place}");
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    for word in said.split(|c| !is_token(c)) {
        // Keys and licence keys are JWTs; an access token is 43 characters of base64. Ids are shorter, hashes are hexadecimal.
        assert!(!word.starts_with("eyJ"), "a JWT is in {place}");
        let has = |which: fn(&char) -> bool| word.chars().any(|c| which(&c));
        let random = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
        assert!(word.len() < 43 || !random, "something like an access token is in {place}");
    }
}

/// Every file of the story but the ledger, the sandbox's own, and the payloads in sinks.
fn public_files(actor: &Actor) -> Vec<PathBuf> {
    let (dir, sinks) = (actor.stage.dir(), actor.stage.sinks());
    let mut files: Vec<PathBuf> = below(&sinks).into_iter().filter(|file| hidden(file)).collect();
    let elsewhere = |file: &PathBuf| !file.starts_with(dir.join(".qlik-sandbox")) && !file.starts_with(&sinks);
    files.extend(below(dir).into_iter().filter(elsewhere));
    files
}

pub(super) fn hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn no_half_written_file(actor: &Actor) {
    let sinks = below(&actor.stage.sinks()).into_iter().map(|file| file.display().to_string());
    for file in sinks.chain(actor.stage.ledger_files().into_iter().map(|(name, _)| name)) {
        assert!(!file.ends_with(".tmp"), "{file} was left behind");
    }
}

pub(super) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(below(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// What changed something at the vendor, over all runs: method and shape of path.
fn committed(actor: &Actor) -> Vec<String> {
    let requests = actor.stage.requests();
    let done = requests.iter().filter(|one| one["committed"] == json!(true));
    done.map(|one| format!("{} {}", text(&one["method"]), shape(text(&one["path"])))).collect()
}

fn committed_changes(actor: &Actor) -> Vec<String> {
    let tokens = |request: &String| request.contains(" /oauth/") || request.starts_with("GET ");
    committed(actor).into_iter().filter(|request| !tokens(request)).collect()
}

/// A path with `*` for every id.
pub(super) fn shape(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    // The longest word in a path has 18 letters, the shortest id 24.
    let is_id = |part: &&str| part.len() >= 20;
    path.split('/').map(|part| if is_id(&part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

pub(super) fn token_in(payload: &str) -> Option<String> {
    let start = payload.find("eyJ")?;
    let token: String =
        payload[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).collect();
    Some(token)
}

/// The key's id; `None` for half a token.
pub(super) fn id_of(token: &str) -> Option<String> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    Some(text(&serde_json::from_slice::<Value>(&claims).ok()?["jti"]).to_owned())
}

fn ids(keys: &[Value]) -> BTreeSet<String> {
    keys.iter().map(|key| text(&key["id"]).to_owned()).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
