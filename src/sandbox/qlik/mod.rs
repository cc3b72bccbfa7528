//! The vendor's cloud: which service answers a call on which host, and to whom.

mod assignments;
mod caller;
mod clients;
mod collection;
mod consent;
mod deactivation;
mod grant;
mod groups;
mod hosts;
mod identity_providers;
mod invitations;
mod key_list;
mod keys;
mod licences;
mod list;
mod login;
mod oauth;
mod organization;
mod patch;
mod rate;
pub(super) mod reply;
mod roles;
mod scim;
mod spaces;
mod tenants;
mod tokens;
mod user_changes;
mod users;

use hyper::Method;
use jiff::Timestamp;
use serde_json::{Map, json};

use self::caller::Caller;
use self::collection::Collection;
use self::identity_providers::IDENTITY_PROVIDERS;
pub(super) use self::keys::end;
pub(super) use self::rate::rate_limited;
use self::rate::too_many;
use self::reply::{Reply, not_found, problem};
pub(super) use self::tenants::check_alias;
use super::call::Call;
use super::jwt;
use super::shelf::Kept as _;
use super::state::State;

/// Answers one call. Everything a call changes is changed when this returns, or nothing is.
pub(super) fn answer(state: &mut State, call: &Call<'_>) -> Reply {
    if call.host == hosts::CONSOLE {
        return organization::answer(state, call);
    }
    match call.host.split_once('.') {
        Some(("register", region)) => register(state, call, region.trim_end_matches(".qlikcloud.com")),
        Some(_) | None => tenant(state, call),
    }
}

/// Who is asking, for the record: a client's or a key's id, never a secret. The claim counts, also where it is refused.
pub(super) fn claimed(state: &State, call: &Call<'_>) -> Option<String> {
    if call.path.starts_with("/oauth/") {
        return grant::claimed_client(call);
    }
    let bearer = call.bearer()?;
    if let Some(id) = jwt::id_of(bearer) {
        return Some(id);
    }
    caller::client_of(state, call.host, bearer)
}

fn register(state: &mut State, call: &Call<'_>, region: &str) -> Reply {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("POST", ["oauth", "token"]) => oauth::token_at_register(state, call, region),
        ("POST", ["oauth", "revoke"]) => oauth::revoke_at_register(state, call, region),
        ("POST", ["api", "v1", "tenants"]) => tenants::create(state, call, region),
        ("POST", ["api", "v1", "tenants", id, "actions", "deactivate"]) => {
            deactivation::deactivate(state, call, region, id)
        }
        ("POST", ["api", "v1", "tenants", id, "actions", "reactivate"]) => {
            deactivation::reactivate(state, call, region, id)
        }
        _ => not_found(),
    }
}

fn tenant(state: &mut State, call: &Call<'_>) -> Reply {
    let path = call.segments();
    match path.as_slice() {
        ["api", "v1", service, ..] => reply::in_envelope_of(service, at_tenant(state, call, &path)),
        _ => at_tenant(state, call, &path),
    }
}

fn at_tenant(state: &mut State, call: &Call<'_>, path: &[&str]) -> Reply {
    let Some(tenant) = state.tenant_at(call.host) else {
        return match path {
            ["oauth", "token"] => oauth::unauthorized(),
            _ => problem(401, "LOGIN-2", "No authentication configured for this hostname"),
        };
    };
    let switched_off = |host: &String| {
        let label = host.split('.').next().unwrap_or_default();
        let disabled = &state.switches().disabled;
        disabled.get(host).or_else(|| disabled.get(label)) == Some(&true)
    };
    if tenant.disabled || tenant.hostnames.iter().any(switched_off) {
        let title = "Tenant has been deactivated. Contact your administrator for more details.";
        return problem(401, "TENANT_DISABLED", title);
    }
    let id = tenant.id.clone();
    match (call.method.as_str(), path) {
        ("GET", [".well-known", "oauth-authorization-server"]) => return oauth::metadata(call),
        ("POST", ["oauth", "token"]) => return oauth::token_at_tenant(state, call, &id),
        ("POST", ["oauth", "revoke"]) => return oauth::revoke_at_tenant(state, call, &id),
        ("POST", ["login", "jwt-session"]) => return login::session(state, call, &id),
        _ => {}
    }
    let Some(caller) = caller::identify(state, call, &id) else { return reply::unauthorized() };
    let tier = if call.method == Method::GET { 1 } else { 2 };
    if let Some(refusal) = too_many(state, call, &caller.user, tier) {
        return refusal;
    }
    service(state, call, &caller, path)
}

fn service(state: &mut State, call: &Call<'_>, caller: &Caller, path: &[&str]) -> Reply {
    let ["api", "v1", rest @ ..] = path else { return not_found() };
    match (call.method.as_str(), rest) {
        ("GET", ["licenses", "overview"]) => licences::overview(state, call, caller),
        ("GET", ["licenses", "status"]) => licences::status(state, caller),
        ("GET", ["licenses", "settings"]) => assignments::settings(state, caller),
        ("PUT", ["licenses", "settings"]) => assignments::put_settings(state, call, caller),
        ("GET", ["licenses", "consumption"]) => assignments::consumption(state, call, caller),
        ("GET", ["licenses", "assignments"]) => assignments::list(state, call, caller),
        ("POST", ["licenses", "assignments", "actions", verb @ ("add" | "update" | "delete")]) => {
            assignments::change(state, call, caller, verb)
        }
        ("GET", ["tenants", "me"]) => tenants::me(state, call, caller),
        ("GET", ["tenants", id]) => tenants::get(state, caller, id),
        ("PATCH", ["tenants", id]) => tenants::patch(state, call, caller, id),
        ("GET", ["csrf-token"]) => login::csrf_token(caller.csrf.as_deref()),
        ("GET", ["users", "me"]) => {
            Reply::found(state.switches().users_me_status, format!("/api/v1/users/{}", caller.user))
        }
        ("GET", ["users"]) => users::list(state, call, caller),
        ("POST", ["users"]) => users::create(state, call, caller),
        ("GET", ["users", "actions", "count"]) => users::count(state, caller),
        ("POST", ["users", "actions", "filter"]) => users::filter(state, call, caller),
        ("POST", ["users", "actions", "invite"]) => invitations::invite(state, call, caller),
        ("GET", ["users", id]) => users::get(state, call, caller, id),
        ("PATCH", ["users", id]) => user_changes::patch(state, call, caller, id),
        ("DELETE", ["users", id]) => users::delete(state, caller, id),
        ("GET", ["groups"]) => groups::list(state, call, caller),
        ("POST", ["groups"]) => groups::create(state, call, caller),
        ("POST", ["groups", "actions", "filter"]) => groups::filter(state, call, caller),
        ("GET", ["groups", "settings"]) => groups::settings(state, caller),
        ("PATCH", ["groups", "settings"]) => groups::patch_settings(state, call, caller),
        ("GET", ["groups", id]) => groups::get(state, caller, id),
        ("PATCH", ["groups", id]) => groups::patch(state, call, caller, id),
        ("DELETE", ["groups", id]) => groups::delete(state, caller, id),
        ("GET", ["roles"]) => roles::list(state, call, caller),
        ("POST", ["roles"]) => roles::create(state, call, caller),
        ("DELETE", ["roles", id]) => roles::delete(state, caller, id),
        ("GET", ["roles", id]) => roles::get(state, caller, id),
        ("PATCH", ["roles", id]) => roles::patch(state, call, caller, id),
        ("GET", ["oauth-clients", id, "connection-configs", "me"]) => consent::get(state, caller, id),
        ("PATCH", ["oauth-clients", id, "connection-configs", "me"]) => consent::patch(state, call, caller, id),
        ("GET", ["api-keys", "configs", id]) => keys::limits(state, caller, id),
        ("PATCH", ["api-keys", "configs", id]) => keys::patch_limits(state, call, caller, id),
        ("GET", ["api-keys"]) => key_list::answer(state, call, caller),
        ("POST", ["api-keys"]) => keys::create(state, call, caller),
        ("GET", ["api-keys", id]) => keys::get(state, call, caller, id),
        ("PATCH", ["api-keys", id]) => keys::patch(state, call, caller, id),
        ("DELETE", ["api-keys", id]) => keys::delete(state, caller, id),
        _ => stored(state, call, caller, rest).unwrap_or_else(|refusal| refusal),
    }
}

/// What is stored and listed, and nothing else.
fn stored(state: &mut State, call: &Call<'_>, caller: &Caller, rest: &[&str]) -> Result<Reply, Reply> {
    let (spaces, clients) = (Collection::of(&spaces::SPACES), clients::collection());
    let assignments = |id: &str| Collection::below(&spaces::ASSIGNMENTS, &spaces::SPACES, id);
    let providers = Collection::of(&IDENTITY_PROVIDERS);
    match (call.method.as_str(), rest) {
        ("GET", ["spaces"]) => spaces.list(state, call, caller),
        ("POST", ["spaces"]) => spaces.create(state, call, caller, |_, _| Map::new()),
        ("GET", ["spaces", "types"]) => Ok(Reply::json(200, &json!({ "data": spaces::TYPES }))),
        ("GET", ["spaces", id]) => spaces.get(state, call, caller, id),
        ("PATCH", ["spaces", id]) => spaces.patch(state, call, caller, id),
        ("PUT", ["spaces", id]) => spaces.put(state, call, caller, id),
        ("DELETE", ["spaces", id]) => spaces.delete(state, caller, id),
        ("GET", ["spaces", id, "assignments"]) => assignments(id).list(state, call, caller),
        ("POST", ["spaces", id, "assignments"]) => assignments(id).create(state, call, caller, |_, _| Map::new()),
        ("GET", ["spaces", id, "assignments", one]) => assignments(id).get(state, call, caller, one),
        ("PUT", ["spaces", id, "assignments", one]) => assignments(id).put(state, call, caller, one),
        ("DELETE", ["spaces", id, "assignments", one]) => assignments(id).delete(state, caller, one),
        ("GET", ["identity-providers"]) => providers.list(state, call, caller),
        ("POST", ["identity-providers"]) => providers.create(state, call, caller, identity_providers::made),
        ("GET", ["identity-providers", id]) => providers.get(state, call, caller, id),
        ("PATCH", ["identity-providers", id]) => providers.patch(state, call, caller, id),
        ("DELETE", ["identity-providers", id]) => providers.delete(state, caller, id),
        ("GET", ["oauth-clients"]) => clients.list(state, call, caller),
        ("POST", ["oauth-clients"]) => clients::create(state, call, caller),
        ("GET", ["oauth-clients", id]) => clients.get(state, call, caller, id),
        ("PATCH", ["oauth-clients", id]) => clients.patch(state, call, caller, id),
        ("DELETE", ["oauth-clients", id]) => clients::delete(state, caller, id),
        ("POST", ["oauth-clients", id, "actions", "publish"]) => clients::publish(state, call, caller, id),
        ("POST", ["oauth-clients", id, "client-secrets"]) => clients::add_secret(state, call, caller, id),
        ("DELETE", ["oauth-clients", id, "client-secrets", hint]) => clients::remove_secret(state, caller, id, hint),
        ("GET", ["oauth-tokens"]) => tokens::list(state, call, caller),
        ("DELETE", ["oauth-tokens", id]) => tokens::delete(state, caller, id),
        _ => Err(not_found()),
    }
}

/// Ends what is due: tenants that were deactivated long enough ago. Whether there were any.
pub(super) fn purge(state: &mut State, now: Timestamp) -> bool {
    let due = state.due(now);
    for id in &due {
        bury(state, id, now);
    }
    !due.is_empty()
}

/// Removes a tenant; the organization remembers that there was one.
pub(super) fn bury(state: &mut State, id: &str, now: Timestamp) {
    let tombstone = state.tenant(id).and_then(|tenant| organization::tombstone(state, tenant, now));
    state.remove(id);
    if let (Some(organization), Some(tombstone)) = (&mut state.main_mut().organization, tombstone) {
        organization.deleted.insert(tombstone.id(), tombstone);
    }
}
