//! Who is calling a tenant, and what they may do there.

use super::{Call, login};
use crate::sandbox::jwt;
use crate::sandbox::state::{State, Tenant};
use crate::sandbox::token::hash;

/// The user behind a bearer token, with rights already cut down to what the token carries.
pub(super) struct Caller {
    pub(super) tenant: String,
    pub(super) user: String,
    pub(super) is_bot: bool,
    /// `TenantAdmin` and a token that may use it.
    pub(super) admin: bool,
    /// A client acts as this user, with a token that was given for it.
    pub(super) impersonated: bool,
    /// May have API keys of their own.
    pub(super) keys: bool,
    /// What a change in their session needs, where they have one.
    pub(super) csrf: Option<String>,
}

/// An access token of this tenant, or one of its API keys. `None`: 401.
pub(super) fn identify(state: &State, call: &Call<'_>, tenant: &str) -> Option<Caller> {
    let tenant = state.tenant(tenant)?;
    // A session goes before a bearer: published programs go on sending the token that they logged in with.
    if let Some((session, csrf)) = login::of(call) {
        let caller = by_token(state, call, tenant, &session)?;
        return Some(Caller { csrf: Some(csrf), impersonated: false, ..caller });
    }
    let bearer = call.bearer()?;
    match jwt::id_of(bearer) {
        Some(id) => by_key(state, call, tenant, &id, bearer),
        None => by_token(state, call, tenant, &hash(bearer)),
    }
}

fn by_key(state: &State, call: &Call<'_>, tenant: &Tenant, id: &str, bearer: &str) -> Option<Caller> {
    let key = tenant.keys.get(id).filter(|key| key.token_hash == hash(bearer))?;
    let user = tenant.users.get(&key.sub).filter(|user| user.is_active() && key.status(call.now) == "active")?;
    let keys = tenant.grants(user, "api-keys");
    if !keys && state.switches().permission_loss_kills_keys {
        return None;
    }
    Some(Caller {
        tenant: tenant.id.clone(),
        user: user.id.clone(),
        is_bot: user.client.is_some(),
        admin: tenant.is_admin(user),
        impersonated: false,
        keys,
        csrf: None,
    })
}

fn by_token(state: &State, call: &Call<'_>, tenant: &Tenant, hash: &str) -> Option<Caller> {
    let token = tenant.tokens.get(hash).filter(|token| token.expires > call.now)?;
    let user = tenant.users.get(&token.user).filter(|user| user.is_active())?;
    let subscription = state.subscription(&tenant.subscription)?;
    // Consent that was taken back ends the tokens that it allowed.
    let vouched = token.client == subscription.client.id
        || tenant.things.contains_key(&format!("{}{}", login::PROVIDERS, token.client));
    if !vouched && !trusted(state, tenant, &token.client) {
        return None;
    }
    let carries = |scope: &str| token.scopes.iter().any(|carried| carried == scope);
    Some(Caller {
        tenant: tenant.id.clone(),
        user: user.id.clone(),
        is_bot: user.client.is_some(),
        admin: carries("admin_classic") && tenant.is_admin(user),
        impersonated: user.client.as_ref() != Some(&token.client),
        keys: carries("user_default") && tenant.grants(user, "api-keys"),
        csrf: None,
    })
}

/// Whether the tenant's consent for this client is `trusted`, and is allowed to be.
pub(super) fn trusted(state: &State, tenant: &Tenant, client: &str) -> bool {
    state.switches().key_client_trustable && tenant.consent.get(client).is_some_and(|consent| consent == "trusted")
}

/// The client that an access token was given to, on whichever kind of host.
pub(super) fn client_of(state: &State, host: &str, bearer: &str) -> Option<String> {
    let hash = hash(bearer);
    let organization = state.main().organization.as_ref().filter(|_| host == super::hosts::CONSOLE);
    if let Some(organization) = organization {
        return organization.tokens.get(&hash).map(|token| token.client.clone());
    }
    let found = match state.tenant_at(host) {
        Some(tenant) => tenant.tokens.get(&hash),
        None => state.subscriptions().find_map(|subscription| subscription.register_tokens.get(&hash)),
    };
    found.map(|token| token.client.clone())
}
