//! `/oauth/token` and `/oauth/revoke`: client credentials against access tokens, host by host.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::reply::{Reply, forbidden, problem, problem_with_detail};
use super::{Call, caller, too_many};
use crate::sandbox::random;
use crate::sandbox::state::{State, Token, hash};

/// Six hours, as in every example.
const LIFETIME: i64 = 21_600;
/// The region-level client's scopes are fixed by the vendor.
const REGION_SCOPES: [&str; 4] = ["admin_classic", "tenants:create", "tenants:deactivate", "tenants:reactivate"];
const KEY_SCOPES: [&str; 1] = ["user_default"];

/// What `/oauth/token` says to a client it does not know, and on a host that is nobody's.
pub(super) fn unauthorized() -> Reply {
    problem(401, "OAUTH-5", "Unauthorized")
}

/// The client and what it asked for.
struct Grant {
    client: String,
    secret: String,
    scopes: Option<Vec<String>>,
}

fn invalid(detail: &str) -> Reply {
    problem_with_detail(400, "OAUTH-1", "Invalid parameters", detail)
}

fn fields(call: &Call<'_>) -> Result<BTreeMap<String, String>, Reply> {
    let kind = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => {
            let Ok(Value::Object(object)) = serde_json::from_slice(call.body) else {
                return Err(invalid("the body is not a JSON object"));
            };
            object
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => Ok((name, text)),
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        Err(invalid("every property is a string"))
                    }
                })
                .collect()
        }
        "application/x-www-form-urlencoded" => Ok(url::form_urlencoded::parse(call.body).into_owned().collect()),
        _ => Err(invalid("the content type is application/json or application/x-www-form-urlencoded")),
    }
}

fn basic(call: &Call<'_>) -> Option<(String, String)> {
    let (scheme, value) = call.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    decoded.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned()))
}

pub(super) fn claimed_client(call: &Call<'_>) -> Option<String> {
    basic(call).map(|(id, _)| id).or_else(|| fields(call).ok()?.remove("client_id"))
}

fn read(call: &Call<'_>) -> Result<Grant, Reply> {
    let mut fields = fields(call)?;
    match fields.get("grant_type").map(String::as_str) {
        Some("client_credentials") => {}
        Some(_) => return Err(invalid("grant_type: this client may only use client_credentials")),
        None => return Err(invalid("grant_type is missing")),
    }
    let in_body = fields.remove("client_id").zip(fields.remove("client_secret"));
    let Some((client, secret)) = basic(call).or(in_body) else {
        return Err(invalid("client_id and client_secret are missing"));
    };
    let scopes = fields.get("scope").map(|text| text.split_whitespace().map(str::to_owned).collect());
    Ok(Grant { client, secret, scopes })
}

fn scopes(asked: Option<&Vec<String>>, allowed: &[&str]) -> Result<Vec<String>, Reply> {
    let allowed: Vec<String> = allowed.iter().map(|scope| (*scope).to_owned()).collect();
    match asked.filter(|asked| !asked.is_empty()) {
        None => Ok(allowed),
        Some(asked) if asked.iter().all(|scope| allowed.contains(scope)) => Ok(asked.clone()),
        Some(_) => Err(invalid("scope: not among the scopes of this client")),
    }
}

fn given(access_token: &str, expires: Timestamp, asked: Option<&Vec<String>>) -> Reply {
    let mut body = json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_at": format!("{expires:.3}"),
        "expires_in": LIFETIME,
    });
    if let Some(scopes) = asked {
        body["scope"] = Value::String(scopes.join(" "));
    }
    Reply::json(200, &body).with("cache-control", "no-store")
}

/// Adds a token where the client has room for one; the vendor caps live tokens.
fn issue(tokens: &mut Vec<Token>, cap: usize, now: Timestamp, token: Token) -> Result<(), Reply> {
    tokens.retain(|token| token.expires > now);
    if tokens.iter().filter(|live| live.client == token.client).count() >= cap {
        let title = "User is disabled or has reached the maximum number of tokens";
        return Err(problem(403, "OAUTH-8", title));
    }
    tokens.push(token);
    Ok(())
}

fn expiry(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(LIFETIME)).unwrap_or(Timestamp::MAX)
}

fn settle(outcome: Result<Reply, Reply>) -> Reply {
    match outcome {
        Ok(reply) | Err(reply) => reply,
    }
}

pub(super) fn token_at_register(state: &mut State, call: &Call<'_>, region: &str) -> Reply {
    settle(try_register(state, call, region))
}

fn try_register(state: &mut State, call: &Call<'_>, region: &str) -> Result<Reply, Reply> {
    let grant = read(call)?;
    let known = state.main().subscriptions.iter().find(|subscription| {
        subscription.region == region
            && subscription.client.id == grant.client
            && subscription.client.secret == grant.secret
    });
    let id = known.map(|subscription| subscription.id.clone()).ok_or_else(unauthorized)?;
    if let Some(refusal) = too_many(state, call, &grant.client, 2) {
        return Err(refusal);
    }
    let scopes = scopes(grant.scopes.as_ref(), &REGION_SCOPES)?;
    let cap = state.switches().token_cap;
    let access_token = random::access_token();
    let expires = expiry(call.now);
    let token = Token { hash: hash(&access_token), user: grant.client.clone(), client: grant.client, scopes, expires };
    let subscription = state.subscription_mut(&id).ok_or_else(unauthorized)?;
    issue(&mut subscription.register_tokens, cap, call.now, token)?;
    Ok(given(&access_token, expires, grant.scopes.as_ref()))
}

pub(super) fn token_at_tenant(state: &mut State, call: &Call<'_>, tenant: &str) -> Reply {
    settle(try_tenant(state, call, tenant))
}

fn try_tenant(state: &mut State, call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    let grant = read(call)?;
    let tenant = state.tenant(id).ok_or_else(unauthorized)?;
    let subscription = state.subscription(&tenant.subscription).ok_or_else(unauthorized)?;
    let is = |client: &crate::sandbox::state::Client| client.id == grant.client && client.secret == grant.secret;
    let (name, roles, allowed): (String, &[&str], &[&str]) = if is(&subscription.client) {
        (format!("{} OAuth Client", subscription.region.to_uppercase()), &["TenantAdmin"], &REGION_SCOPES)
    } else if is(&subscription.key_client) {
        if !caller::trusted(state, tenant, &grant.client) {
            return Err(forbidden("the OAuth client is not trusted in this tenant: consent is required"));
        }
        ("API key client".to_owned(), &[], &KEY_SCOPES)
    } else {
        return Err(unauthorized());
    };
    if let Some(refusal) = too_many(state, call, &grant.client, 2) {
        return Err(refusal);
    }
    let scopes = scopes(grant.scopes.as_ref(), allowed)?;
    let cap = state.switches().token_cap;
    let tenant = state.tenant_mut(id).ok_or_else(unauthorized)?;
    let user = tenant.bot(&grant.client, &name, roles, call.now);
    let access_token = random::access_token();
    let expires = expiry(call.now);
    let token = Token { hash: hash(&access_token), client: grant.client, user, scopes, expires };
    issue(&mut tenant.tokens, cap, call.now, token)?;
    Ok(given(&access_token, expires, grant.scopes.as_ref()))
}

/// A token that is not known here is as good as revoked: 200, as in RFC 7009.
fn revoked(call: &Call<'_>) -> Result<String, Reply> {
    fields(call)?.remove("token").map(|token| hash(&token)).ok_or_else(|| invalid("token is missing"))
}

pub(super) fn revoke_at_register(state: &mut State, call: &Call<'_>, region: &str) -> Reply {
    let hash = match revoked(call) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    for subscription in state.main_mut().subscriptions.iter_mut().filter(|one| one.region == region) {
        subscription.register_tokens.retain(|token| token.hash != hash);
    }
    Reply::json(200, &json!({}))
}

pub(super) fn revoke_at_tenant(state: &mut State, call: &Call<'_>, tenant: &str) -> Reply {
    let hash = match revoked(call) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(tenant) {
        tenant.tokens.retain(|token| token.hash != hash);
    }
    Reply::json(200, &json!({}))
}
