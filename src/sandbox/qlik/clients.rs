//! `/api/v1/oauth-clients`: a tenant's own clients, their secrets, and publishing them to the region.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Call;
use super::caller::Caller;
use super::collection::Form::{Name, Object, OneOf, SomeOf, Text, Texts};
use super::collection::When::{Always, Both, Created, Required};
use super::collection::{Collection, Kind};
use super::reply::Reply;
use super::scim::Operator::{Co, Eq};
use crate::sandbox::people::Thing;
use crate::sandbox::random;
use crate::sandbox::state::{State, Tenant};
use crate::sandbox::token::hash;

const CLIENTS: Kind = Kind {
    name: "oauth-clients",
    code: "OAUTH-CLIENTS",
    fields: &[
        ("appType", OneOf(&["web", "native", "spa", "anonymous-embed"]), Required),
        ("clientName", Name(256, ""), Always),
        ("description", Text, Both),
        ("clientUri", Text, Both),
        ("logoUri", Text, Both),
        ("redirectUris", Texts, Both),
        ("allowedOrigins", Texts, Both),
        ("allowedScopes", Texts, Both),
        ("allowedGrantTypes", SomeOf(&["client_credentials", "urn:qlik:oauth:user-impersonation"]), Both),
        ("allowedAuthMethods", SomeOf(&["client_secret", "private_key_jwt"]), Both),
        ("connectionConfig", Object, Created),
    ],
    unique: &[],
    picks: &[],
    attributes: &[
        ("clientId", &[Eq]),
        ("clientName", &[Eq, Co]),
        ("appType", &[Eq]),
        ("tenantId", &[Eq]),
        ("createdByType", &[Eq]),
    ],
    sorts: &["clientName", "clientId", "appType", "tenantId", "createdAt", "updatedAt"],
    ops: &["add", "remove", "replace"],
    changed: 204,
    counts: false,
    check: |_, fields| {
        let consent = fields.get("connectionConfig").is_none_or(|config| config["consentMethod"] == "trusted");
        let web = fields.get("appType").is_some_and(|kind| kind == "web");
        match (consent, web || !fields.contains_key("allowedGrantTypes")) {
            (true, true) => Ok(()),
            (false, _) => Err("connectionConfig: consentMethod is trusted"),
            (true, false) => Err("allowedGrantTypes is for clients of the type web"),
        }
    },
    readable: |_, _, _, _| true,
    closed: true,
    shown: |seen| {
        let mut body = json!({
            "clientId": seen.id,
            "createdAt": format!("{:.3}", seen.thing.created),
            "updatedAt": format!("{:.3}", seen.thing.updated),
            "createdByType": "user",
        });
        seen.say(&mut body);
        // What is kept of a secret is its hash, and nobody sees that.
        for secret in body["clientSecrets"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            secret.remove("hash");
        }
        body
    },
};

/// So many secrets a client may have at one time.
const SECRETS: usize = 5;

pub(super) fn collection() -> Collection {
    Collection::of(&CLIENTS)
}

/// A new secret, and what is kept of it.
fn secret(caller: &Caller, now: Timestamp) -> (String, Value) {
    let secret = random::secret();
    let hint: String = secret.chars().take(5).collect();
    let kept = json!({
        "hint": hint, "hash": hash(&secret), "createdAt": format!("{now:.3}"), "createdBy": caller.user,
    });
    (secret, kept)
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller) -> Result<Reply, Reply> {
    let mut trusted = None;
    let reply = collection().create(state, call, caller, |id, fields| {
        trusted = fields.remove("connectionConfig").map(|_| id.to_owned());
        // Others have none to keep; the reference has the member for all.
        let shown = if fields.get("appType").is_some_and(|kind| kind == "web") {
            let (secret, kept) = secret(caller, call.now);
            fields.insert("clientSecrets".to_owned(), json!([kept]));
            secret
        } else {
            String::new()
        };
        Map::from_iter([("clientSecret".to_owned(), Value::String(shown))])
    })?;
    if let (Some(id), Some(tenant)) = (trusted, state.tenant_mut(&caller.tenant)) {
        tenant.consent.insert(id, "trusted".to_owned());
    }
    Ok(reply)
}

/// The client, to be changed in what no PATCH changes.
fn change<'a>(state: &'a mut State, caller: &Caller, id: &str) -> Result<&'a mut Thing, Reply> {
    let clients = collection();
    clients.find(clients.tenant(state, caller, true)?, caller, id)?;
    let thing = state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.things.get_mut(&place(id)));
    thing.ok_or_else(|| clients.problem(404, "Not found", "There is no such client"))
}

fn place(id: &str) -> String {
    format!("{}/{id}", CLIENTS.name)
}

pub(super) fn publish(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
    let client = change(state, caller, id)?;
    let at = json!(format!("{:.3}", call.now));
    let at = client.fields.entry("publishedAt").or_insert(at).clone();
    Ok(Reply::json(201, &json!({ "publishedAt": at })))
}

pub(super) fn add_secret(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Reply, Reply> {
    let client = change(state, caller, id)?;
    let Some(secrets) = client.fields.get_mut("clientSecrets").and_then(Value::as_array_mut) else {
        return Err(collection().invalid("only clients of the type web have secrets"));
    };
    if secrets.len() >= SECRETS {
        return Err(collection().problem(409, "Conflict", "a client has 5 secrets at most"));
    }
    let (secret, kept) = secret(caller, call.now);
    let body = json!({
        "clientId": id, "clientSecret": secret, "hint": kept["hint"],
        "createdAt": kept["createdAt"], "createdBy": kept["createdBy"],
    });
    secrets.push(kept);
    Ok(Reply::json(201, &body))
}

pub(super) fn remove_secret(state: &mut State, caller: &Caller, id: &str, hint: &str) -> Result<Reply, Reply> {
    let client = change(state, caller, id)?;
    let secrets = client.fields.get_mut("clientSecrets").and_then(Value::as_array_mut);
    let found = secrets.and_then(|secrets| {
        let at = secrets.iter().position(|secret| secret["hint"] == hint)?;
        Some(secrets.remove(at))
    });
    let missing = || collection().problem(404, "Not found", "There is no such secret");
    found.map(|_| Reply::empty(204)).ok_or_else(missing)
}

pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Result<Reply, Reply> {
    let reply = collection().delete(state, caller, id)?;
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.consent.remove(id);
    }
    Ok(reply)
}

/// The client of this id in a tenant: its own, or one that a tenant of the same subscription has published.
pub(super) fn known<'a>(state: &'a State, tenant: &'a Tenant, id: &str) -> Option<&'a Thing> {
    let place = place(id);
    let published = |other: &'a Tenant| {
        let client = other.things.get(&place).filter(|_| other.subscription == tenant.subscription)?;
        client.fields.contains_key("publishedAt").then_some(client)
    };
    tenant.things.get(&place).or_else(|| state.tenants().find_map(published))
}

/// What a client may do with its secret: its name, its scopes, whether it may impersonate.
pub(super) fn signed_in(client: &Thing, secret: &str) -> Option<(String, Vec<String>, bool)> {
    let hash = hash(secret);
    let list = |name: &str| client.fields.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    list("clientSecrets").iter().find(|kept| kept["hash"] == hash)?;
    let name = client.fields.get("clientName").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut scopes: Vec<String> = list("allowedScopes").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if scopes.is_empty() {
        scopes.push("user_default".to_owned());
    }
    let grants = list("allowedGrantTypes");
    Some((name, scopes, grants.iter().any(|grant| grant == "urn:qlik:oauth:user-impersonation")))
}
