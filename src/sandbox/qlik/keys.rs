//! `/api/v1/api-keys`: minted once, shown once, listed for ever.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::reply::{Reply, bad_request, forbidden, numbered_problem};
use super::{Call, patch};
use crate::sandbox::random;
use crate::sandbox::state::{Key, State};
use crate::sandbox::token::hash;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewKey {
    description: Option<String>,
    expiry: Option<String>,
    sub: Option<String>,
    sub_type: Option<String>,
}

pub(super) fn shown(tenant: &str, key: &Key, now: Timestamp) -> Value {
    json!({
        "id": key.id,
        "tenantId": tenant,
        "description": key.description,
        "status": key.status(now),
        "sub": key.sub,
        "subType": "user",
        "createdByUser": key.created_by,
        "created": format!("{:.3}", key.created),
        "lastUpdated": format!("{:.3}", key.last_updated),
        "expiry": format!("{:.3}", key.expiry),
    })
}

/// When something of this ISO 8601 length that starts now ends. Friendly spellings are not the vendor's.
pub(in crate::sandbox) fn end(now: Timestamp, duration: &str) -> Option<Timestamp> {
    let span: jiff::Span = duration.starts_with('P').then(|| duration.parse().ok()).flatten()?;
    let end = now.to_zoned(TimeZone::UTC).checked_add(span).ok()?.timestamp();
    (end > now).then_some(end)
}

fn invalid(detail: &str) -> Reply {
    numbered_problem(400, "API-KEYS-400", "Bad request", detail)
}

fn denied(detail: &str) -> Reply {
    numbered_problem(403, "API-KEYS-403", "Forbidden", detail)
}

fn missing() -> Reply {
    numbered_problem(404, "API-KEYS-404", "Not found", "API key not found")
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    let switches = state.switches();
    let kept_out =
        (caller.is_bot && !switches.bot_may_mint) || (caller.impersonated && !switches.impersonation_may_mint);
    if !caller.keys || kept_out {
        return denied("Requestor not allowed to create an API key");
    }
    let Ok(body) = serde_json::from_slice::<NewKey>(call.body) else {
        return invalid("the body has description, expiry, sub and subType, and nothing else");
    };
    let Some(description) = body.description.filter(|text| !text.trim().is_empty()) else {
        return invalid("description is required");
    };
    if body.sub.is_some_and(|sub| sub != caller.user) || body.sub_type.is_some_and(|kind| kind != "user") {
        return denied("Requestor not allowed to create an API key for another subject");
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    let Some(latest) = end(call.now, &tenant.limits.max_api_key_expiry) else {
        return numbered_problem(500, "API-KEYS-500", "Internal server error", "the tenant's limits cannot be read");
    };
    let expiry = match body.expiry.as_deref().map(|duration| end(call.now, duration)) {
        None => latest,
        Some(Some(expiry)) if expiry <= latest => expiry,
        Some(Some(_)) => return invalid("expiry is longer than the maximum API key expiry of the tenant"),
        Some(None) => return invalid("expiry is not an ISO 8601 duration"),
    };
    let live = tenant.keys.values().filter(|key| key.sub == caller.user && key.status(call.now) == "active").count();
    if u64::try_from(live).unwrap_or(u64::MAX) >= tenant.limits.max_keys_per_user {
        return denied("the maximum number of active API keys per user is reached");
    }
    let hidden_lists = state.switches().list_lag;
    let id = random::uuid();
    let claims = json!({
        "jti": id,
        "sub": caller.user,
        "subType": "user",
        "tenantId": caller.tenant,
        "aud": "qlik.api",
        "iss": "qlik.api/api-keys",
        "iat": call.now.as_second(),
        "exp": expiry.as_second(),
    });
    let Ok(token) = call.signer.sign(&claims) else {
        return numbered_problem(500, "API-KEYS-500", "Internal server error", "the token could not be signed");
    };
    let key = Key {
        id: id.clone(),
        description,
        revoked: false,
        sub: caller.user.clone(),
        created_by: caller.user.clone(),
        created: call.now,
        last_updated: call.now,
        expiry,
        token_hash: hash(&token),
        hidden_lists,
    };
    let mut body = shown(&caller.tenant, &key, call.now);
    body["token"] = Value::String(token);
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.keys.insert(id, key);
    }
    Reply::json(201, &body)
}

/// The key, where the caller may see it: their own, or any for an administrator.
fn visible<'a>(state: &'a State, caller: &Caller, id: &str) -> Result<&'a Key, Reply> {
    if !caller.admin && !caller.keys {
        return Err(denied("Requestor not allowed to use API keys"));
    }
    let key = state.tenant(&caller.tenant).and_then(|tenant| tenant.keys.get(id)).ok_or_else(missing)?;
    if key.sub == caller.user || caller.admin { Ok(key) } else { Err(denied("the API key belongs to another user")) }
}

pub(super) fn get(state: &State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    match visible(state, caller, id) {
        Ok(key) => Reply::json(200, &shown(&caller.tenant, key, call.now)),
        Err(refusal) => refusal,
    }
}

pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    if let Err(refusal) = visible(state, caller, id) {
        return refusal;
    }
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let mut description = None;
    for change in &changes {
        match (change.op.as_str(), change.path.as_str(), change.value.as_str()) {
            ("replace", "/description", Some(text)) if !text.trim().is_empty() => description = Some(text.to_owned()),
            _ => return invalid("only replace of /description"),
        }
    }
    if let Some(description) = description
        && let Some(key) = state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.keys.get_mut(id))
    {
        key.description = description;
        key.last_updated = call.now;
    }
    Reply::empty(204)
}

/// The owner's request removes the record; an administrator's leaves it, revoked.
pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Reply {
    let own = match visible(state, caller, id) {
        Ok(key) => key.sub == caller.user,
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        if own {
            tenant.keys.remove(id);
        } else if let Some(key) = tenant.keys.get_mut(id) {
            key.revoked = true;
        }
    }
    Reply::empty(204)
}

pub(super) fn limits(state: &State, caller: &Caller, id: &str) -> Reply {
    match state.tenant(&caller.tenant).filter(|tenant| tenant.id == id) {
        Some(tenant) => Reply::json(200, &json!(tenant.limits)),
        None => numbered_problem(404, "API-KEYS-404", "Not found", "no such configuration"),
    }
}

pub(super) fn patch_limits(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    if !caller.admin {
        return forbidden("only TenantAdmin may change the limits of API keys");
    }
    let Some(tenant) = state.tenant(&caller.tenant).filter(|tenant| tenant.id == id) else {
        return numbered_problem(404, "API-KEYS-404", "Not found", "Failed to update the API keys configuration.");
    };
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let mut limits = tenant.limits.clone();
    for change in changes {
        let duration = || change.value.as_str().filter(|text| end(call.now, text).is_some()).map(str::to_owned);
        match (change.op.as_str(), change.path.as_str()) {
            ("replace", "/max_keys_per_user") => match change.value.as_u64().filter(|number| *number <= 1000) {
                Some(number) => limits.max_keys_per_user = number,
                None => return bad_request("max_keys_per_user is a number from 0 to 1000"),
            },
            ("replace", "/max_api_key_expiry") => match duration() {
                Some(duration) => limits.max_api_key_expiry = duration,
                None => return bad_request("max_api_key_expiry is an ISO 8601 duration"),
            },
            ("replace", "/scim_externalClient_expiry") => match duration() {
                Some(duration) => limits.scim_external_client_expiry = duration,
                None => return bad_request("scim_externalClient_expiry is an ISO 8601 duration"),
            },
            _ => return bad_request("only replace of the three limits"),
        }
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.limits = limits;
    }
    Reply::empty(204)
}
