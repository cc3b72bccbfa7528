//! `/oauth/token` and `/oauth/revoke`: client credentials against access tokens, host by host.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::grant::{self, Acting, Lookup, fields, invalid};
use super::reply::{Reply, forbidden, problem};
use super::{Call, caller, clients, too_many};
use crate::sandbox::random;
use crate::sandbox::shelf::Shelf;
use crate::sandbox::state::{State, Tenant, Token, User};
use crate::sandbox::token::hash;

/// Six hours, as in every example.
const LIFETIME: i64 = 21_600;
/// The region-level client's scopes are fixed by the vendor.
const REGION_SCOPES: [&str; 4] = ["admin_classic", "tenants:create", "tenants:deactivate", "tenants:reactivate"];
const ORGANIZATION_SCOPES: [&str; 1] = ["cloud-console.tenants:read"];
const KEY_SCOPES: [&str; 1] = ["user_default"];

/// `/.well-known/oauth-authorization-server`, which anybody may read: RFC 8414, with what is served here.
pub(super) fn metadata(call: &Call<'_>) -> Reply {
    let issuer = format!("https://{}", call.host);
    let body = json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["client_credentials", "urn:qlik:oauth:user-impersonation"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    });
    Reply::json(200, &body)
}

/// The region-level client's scopes. Published clients ask for `user_default` whatever the client is, and no document says
/// that it is refused: it is left out of what is given, unless `strict_scopes` says otherwise.
fn region_scopes(state: &State, asked: Option<&Vec<String>>) -> Result<Vec<String>, Reply> {
    if state.switches().strict_scopes {
        return scopes(asked, &REGION_SCOPES);
    }
    let rest: Vec<String> = asked.into_iter().flatten().filter(|scope| *scope != KEY_SCOPES[0]).cloned().collect();
    scopes(Some(&rest), &REGION_SCOPES)
}

/// What `/oauth/token` says to a client it does not know, and on a host that is nobody's.
pub(super) fn unauthorized() -> Reply {
    problem(401, "OAUTH-5", "Unauthorized")
}

fn scopes(asked: Option<&Vec<String>>, allowed: &[impl ToString]) -> Result<Vec<String>, Reply> {
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    match asked.filter(|asked| !asked.is_empty()) {
        None => Ok(allowed),
        Some(asked) if asked.iter().all(|scope| allowed.contains(scope)) => Ok(asked.clone()),
        Some(_) => Err(invalid("scope: not among the scopes of this client")),
    }
}

pub(super) fn token_at_console(state: &mut State, call: &Call<'_>) -> Reply {
    settle(try_console(state, call))
}

fn try_console(state: &mut State, call: &Call<'_>) -> Result<Reply, Reply> {
    let grant = grant::read(call)?;
    let known = state.main().organization.as_ref().map(|organization| &organization.client);
    if !known.is_some_and(|client| client.id == grant.client && client.secret == grant.secret) {
        return Err(unauthorized());
    }
    itself_only(&grant.acting)?;
    if let Some(refusal) = too_many(state, call, &grant.client, 2) {
        return Err(refusal);
    }
    let scopes = scopes(grant.scopes.as_ref(), &ORGANIZATION_SCOPES)?;
    let cap = state.switches().token_cap;
    let (access_token, expires) = (random::access_token(), expiry(call.now));
    let reply = given(&access_token, expires, Some(&scopes), "Bearer");
    let token = Token { hash: hash(&access_token), user: grant.client.clone(), client: grant.client, scopes, expires };
    let organization = state.main_mut().organization.as_mut().ok_or_else(unauthorized)?;
    issue(&mut organization.tokens, cap, call.now, token)?;
    Ok(reply)
}

pub(super) fn revoke_at_console(state: &mut State, call: &Call<'_>) -> Reply {
    let hash = match revoked(call) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    if let Some(organization) = &mut state.main_mut().organization {
        organization.tokens.remove(&hash);
    }
    Reply::json(200, &json!({}))
}

fn given(access_token: &str, expires: Timestamp, asked: Option<&Vec<String>>, kind: &str) -> Reply {
    let mut body = json!({
        "access_token": access_token,
        "token_type": kind,
        "expires_at": format!("{expires:.3}"),
        "expires_in": LIFETIME,
    });
    if let Some(scopes) = asked {
        body["scope"] = Value::String(scopes.join(" "));
    }
    Reply::json(200, &body).with("cache-control", "no-store")
}

/// Adds a token where its user has room for one; the vendor caps live tokens.
fn issue(tokens: &mut Shelf<Token>, cap: usize, now: Timestamp, token: Token) -> Result<(), Reply> {
    tokens.retain(|token| token.expires > now);
    if tokens.values().filter(|live| live.user == token.user).count() >= cap {
        return Err(no_more_tokens());
    }
    tokens.insert(token.hash.clone(), token);
    Ok(())
}

fn no_more_tokens() -> Reply {
    problem(403, "OAUTH-8", "User is disabled or has reached the maximum number of tokens")
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
    let grant = grant::read(call)?;
    let known = state.subscriptions().find(|subscription| {
        subscription.region == region
            && subscription.client.id == grant.client
            && subscription.client.secret == grant.secret
    });
    let id = known.map(|subscription| subscription.id.clone()).ok_or_else(unauthorized)?;
    itself_only(&grant.acting)?;
    if let Some(refusal) = too_many(state, call, &grant.client, 2) {
        return Err(refusal);
    }
    let scopes = region_scopes(state, grant.scopes.as_ref())?;
    let cap = state.switches().token_cap;
    let access_token = random::access_token();
    let expires = expiry(call.now);
    let token = Token { hash: hash(&access_token), user: grant.client.clone(), client: grant.client, scopes, expires };
    let subscription = state.subscription_mut(&id).ok_or_else(unauthorized)?;
    issue(&mut subscription.register_tokens, cap, call.now, token)?;
    Ok(given(&access_token, expires, grant.scopes.as_ref(), "bearer"))
}

pub(super) fn token_at_tenant(state: &mut State, call: &Call<'_>, tenant: &str) -> Reply {
    settle(try_tenant(state, call, tenant))
}

fn try_tenant(state: &mut State, call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    let grant = grant::read(call)?;
    let tenant = state.tenant(id).ok_or_else(unauthorized)?;
    let subscription = state.subscription(&tenant.subscription).ok_or_else(unauthorized)?;
    let is = |client: &crate::sandbox::state::Client| client.id == grant.client && client.secret == grant.secret;
    let of_region = is(&subscription.client);
    let mut allowed: Vec<String> = KEY_SCOPES.map(str::to_owned).into();
    let (name, roles): (String, &[&str]) = if of_region {
        itself_only(&grant.acting)?;
        (format!("{} OAuth Client", subscription.region.to_uppercase()), &["TenantAdmin"])
    } else if is(&subscription.key_client) {
        ("API key client".to_owned(), &[])
    } else {
        let own = clients::known(state, tenant, &grant.client).and_then(|own| clients::signed_in(own, &grant.secret));
        let (name, scopes, impersonates) = own.ok_or_else(unauthorized)?;
        if !impersonates {
            itself_only(&grant.acting)?;
        }
        allowed = scopes;
        (name, &[])
    };
    if !of_region && !caller::trusted(state, tenant, &grant.client) {
        return Err(forbidden("the OAuth client is not trusted in this tenant: consent is required"));
    }
    if let Some(refusal) = too_many(state, call, &grant.client, 2) {
        return Err(refusal);
    }
    let scopes = match of_region {
        true => region_scopes(state, grant.scopes.as_ref())?,
        false => scopes(grant.scopes.as_ref(), &allowed)?,
    };
    let (cap, impersonation) = (state.switches().token_cap, state.switches().impersonation);
    let tenant = state.tenant_mut(id).ok_or_else(unauthorized)?;
    let user = match &grant.acting {
        Acting::Itself => tenant.bot(&grant.client, &name, roles, call.now),
        Acting::As(_) if !impersonation => return Err(invalid("grant_type: not one of this client's")),
        Acting::As(lookup) => impersonated(tenant, lookup)?,
    };
    let shown = match grant.acting {
        Acting::Itself => grant.scopes,
        // Its answer has the scopes whether they were asked for or not.
        Acting::As(_) => Some(scopes.clone()),
    };
    let access_token = random::access_token();
    let expires = expiry(call.now);
    let token = Token { hash: hash(&access_token), client: grant.client, user, scopes, expires };
    issue(&mut tenant.tokens, cap, call.now, token)?;
    Ok(given(&access_token, expires, shown.as_ref(), "bearer"))
}

/// Machine-to-machine only: the clients of a region and of an organization impersonate nobody.
fn itself_only(acting: &Acting) -> Result<(), Reply> {
    match acting {
        Acting::Itself => Ok(()),
        Acting::As(_) => Err(invalid("grant_type: not one of this client's")),
    }
}

/// The person that a client wants to act as: somebody who is there, is active, and is not a bot.
fn impersonated(tenant: &Tenant, lookup: &Lookup) -> Result<String, Reply> {
    let wanted = |user: &&User| match lookup {
        Lookup::UserId(id) => user.id == *id,
        Lookup::Subject(subject) => user.subject == *subject,
    };
    let found = tenant.users.values().filter(|user| user.client.is_none()).find(wanted);
    let user = found.ok_or_else(|| invalid("user_lookup: there is no such user"))?;
    if user.is_active() { Ok(user.id.clone()) } else { Err(no_more_tokens()) }
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
    let found = state.subscriptions().find(|one| one.region == region && one.register_tokens.contains_key(&hash));
    let found = found.map(|one| one.id.clone());
    if let Some(subscription) = found.and_then(|id| state.subscription_mut(&id)) {
        subscription.register_tokens.remove(&hash);
    }
    Reply::json(200, &json!({}))
}

pub(super) fn revoke_at_tenant(state: &mut State, call: &Call<'_>, tenant: &str) -> Reply {
    let hash = match revoked(call) {
        Ok(hash) => hash,
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(tenant) {
        tenant.tokens.remove(&hash);
    }
    Reply::json(200, &json!({}))
}
