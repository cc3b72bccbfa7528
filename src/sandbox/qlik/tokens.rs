//! `/api/v1/oauth-tokens`: the access tokens that are good in a tenant.

use serde_json::{Value, json};

use super::Call;
use super::caller::Caller;
use super::list::{self, Page};
use super::reply::{Reply, bad_request, forbidden, problem};
use crate::sandbox::state::State;

fn missing() -> Reply {
    problem(404, "OAUTH-TOKENS-404", "Not found")
}

/// Those of everybody for `TenantAdmin`, and one's own.
pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Result<Reply, Reply> {
    let (mut page, mut user) = (Page::new("page", ""), None);
    for (name, value) in call.query() {
        match (name.as_str(), value.as_str()) {
            ("userId", _) => user = Some(value),
            ("sort", "userId") => {}
            ("sort", _) => return Err(bad_request("sort is userId")),
            (other, _) => page.read(other, &value)?,
        }
    }
    let tenant = state.tenant(&caller.tenant).ok_or_else(missing)?;
    let seen =
        |owner: &String| (caller.admin || *owner == caller.user) && user.as_ref().is_none_or(|user| user == owner);
    let live = tenant.tokens.iter().filter(|(_, token)| token.expires > call.now && seen(&token.user));
    let mut found: Vec<(String, Value)> = live
        .map(|(id, token)| (id.clone(), json!({ "id": id, "tenantId": tenant.id, "userId": token.user })))
        .collect();
    found.sort_by_key(|(_, token)| token["userId"].to_string());
    Ok(list::paged(state, call, &page, found))
}

pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Result<Reply, Reply> {
    let tenant = state.tenant_mut(&caller.tenant).ok_or_else(missing)?;
    match tenant.tokens.get(id) {
        None => Err(missing()),
        Some(token) if token.user != caller.user && !caller.admin => Err(forbidden("the token is another user's")),
        Some(_) => {
            tenant.tokens.remove(id);
            Ok(Reply::empty(204))
        }
    }
}
