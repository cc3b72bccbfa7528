//! `GET /api/v1/api-keys`: whose keys a caller may list, filtered and sorted.

use super::Call;
use super::caller::Caller;
use super::keys;
use super::list::{Page, paged};
use super::reply::{Reply, bad_request, not_found, numbered_problem};
use crate::sandbox::state::{Key, State};

pub(super) fn answer(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    let mut page = Page::new("startingAfter", "endingBefore");
    let (mut sub, mut status, mut made_by, mut sort) = (None, None, None, "-created".to_owned());
    for (name, value) in call.query() {
        match name.as_str() {
            "sub" => sub = Some(value),
            "status" if ["active", "expired", "revoked"].contains(&value.as_str()) => status = Some(value),
            "status" => return bad_request("status is active, expired or revoked"),
            "createdByUser" => made_by = Some(value),
            "sort" => sort = value,
            other => {
                if let Err(refusal) = page.read(other, &value) {
                    return refusal;
                }
            }
        }
    }
    let own = sub.as_deref() == Some(caller.user.as_str());
    let allowed = caller.admin || (caller.keys && own);
    if !allowed {
        let detail = "Requestor not allowed to list API keys.";
        return numbered_problem(403, "API-KEYS-403", "Forbidden", detail);
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return not_found() };
    let mut found: Vec<&Key> = tenant
        .keys
        .values()
        .filter(|key| key.hidden_lists == 0)
        .filter(|key| sub.as_ref().is_none_or(|sub| key.sub == *sub))
        .filter(|key| made_by.as_ref().is_none_or(|user| key.created_by == *user))
        .filter(|key| status.as_deref().is_none_or(|status| key.status(call.now) == status))
        .collect();
    let (field, backwards) = match sort.strip_prefix('-') {
        Some(field) => (field, true),
        // A plus sign that was not percent-encoded arrives as a space.
        None => (sort.trim_start_matches(['+', ' ']), false),
    };
    match field {
        "created" => found.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id))),
        "createdByUser" => found.sort_by(|a, b| (&a.created_by, &a.id).cmp(&(&b.created_by, &b.id))),
        "sub" => found.sort_by(|a, b| (&a.sub, &a.id).cmp(&(&b.sub, &b.id))),
        "description" => found.sort_by(|a, b| (&a.description, &a.id).cmp(&(&b.description, &b.id))),
        "status" => found.sort_by(|a, b| (a.status(call.now), &a.id).cmp(&(b.status(call.now), &b.id))),
        _ => return bad_request("sort: createdByUser, sub, status, description or created, with + or -"),
    }
    if backwards {
        found.reverse();
    }
    let items =
        found.into_iter().map(|key| (key.id.clone(), keys::shown(&tenant.id, key, call.now))).collect::<Vec<_>>();
    let lagging = tenant.keys.values().any(|key| key.hidden_lists > 0);
    let reply = paged(state, call, &page, items);
    if lagging && let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.keys.each_mut(|key| key.hidden_lists > 0).for_each(|key| key.hidden_lists -= 1);
    }
    reply
}
