//! `/api/v1/users`: bots and people.

use serde_json::{Value, json};

use super::Call;
use super::caller::Caller;
use super::reply::{Reply, forbidden, problem};
use super::roles;
use crate::sandbox::state::{State, Tenant, User};

pub(super) fn get(state: &State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    let missing = || problem(404, "USERS-7", "Not found");
    if id != caller.user && !caller.admin {
        return forbidden("only TenantAdmin may read other users");
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    tenant.users.get(id).map_or_else(missing, |user| Reply::json(200, &shown(tenant, user, call.host)))
}

fn shown(tenant: &Tenant, user: &User, host: &str) -> Value {
    let created = format!("{:.3}", user.created);
    let assigned: Vec<Value> = user
        .roles
        .iter()
        .map(|name| {
            json!({ "id": roles::id(&tenant.id, name), "name": name, "type": "default", "level": roles::level(name) })
        })
        .collect();
    let mut body = json!({
        "id": user.id,
        "tenantId": tenant.id,
        "status": "active",
        "subject": user.subject,
        "name": user.name,
        "roles": user.roles,
        "assignedRoles": assigned,
        "assignedGroups": [],
        "groups": [],
        "createdAt": created,
        "lastUpdatedAt": created,
        "created": created,
        "lastUpdated": created,
        "links": { "self": { "href": format!("https://{host}/api/v1/users/{}", user.id) } },
    });
    if let Some(client) = &user.client {
        body["clientId"] = json!(client);
    }
    body
}
