//! `/api/v1/users`: bots and people.

use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::list::{self, InBody, Page};
use super::reply::{Reply, bad_request, forbidden, numbered_problem};
use super::scim::{self, Attributes, Filter, Operator::Co, Operator::Eq};
use super::{Call, roles};
use crate::sandbox::state::{State, Tenant, User};

const ATTRIBUTES: &Attributes = &[
    ("id", &[Eq]),
    ("subject", &[Eq, Co]),
    ("name", &[Eq, Co]),
    ("email", &[Eq, Co]),
    ("status", &[Eq]),
    ("clientId", &[Eq]),
    ("assignedRoles.id", &[Eq]),
    ("assignedRoles.name", &[Eq]),
    ("assignedGroups.id", &[Eq]),
    ("assignedGroupsAssignedRoles.name", &[Eq]),
    ("assignedScopes", &[Eq]),
];

const SORTS: [&str; 10] =
    ["name", "_id", "id", "tenantId", "clientId", "status", "subject", "email", "inviteExpiry", "createdAt"];

pub(super) fn missing() -> Reply {
    numbered_problem(404, "USERS-7", "Not found", "There is no such user")
}

pub(super) fn invalid(detail: &str) -> Reply {
    numbered_problem(400, "USERS-400", "Bad request", detail)
}

pub(super) fn not_admin(caller: &Caller) -> Option<Reply> {
    (!caller.admin).then(|| forbidden("only TenantAdmin may read or change other users"))
}

/// The reference has no 403 for reading: others are seen, without their roles (`users_see_users`).
fn may_not_read(state: &State, caller: &Caller) -> Option<Reply> {
    not_admin(caller).filter(|_| !state.switches().users_see_users)
}

/// What this caller sees of a user: roles and groups of others are an administrator's.
fn seen(tenant: &Tenant, user: &User, host: &str, caller: &Caller) -> Value {
    let mut body = shown(tenant, user, host);
    if let (false, Value::Object(object)) = (caller.admin || user.id == caller.user, &mut body) {
        object.retain(|name, _| !["roles", "assignedRoles", "assignedGroups"].contains(&name.as_str()));
    }
    body
}

/// What a user has of an attribute or a field to sort by.
fn values(tenant: &Tenant, user: &User, attribute: &str) -> Vec<String> {
    let groups = || user.groups.iter().filter_map(|id| tenant.groups.get(id));
    match attribute {
        "id" | "_id" => vec![user.id.clone()],
        "subject" => vec![user.subject.clone()],
        "name" => vec![user.name.clone()],
        "email" => user.email.iter().cloned().collect(),
        "status" => vec![user.status.clone()],
        "clientId" => user.client.iter().cloned().collect(),
        "createdAt" => vec![format!("{:.3}", user.created)],
        "assignedRoles.name" => user.roles.clone(),
        "assignedRoles.id" => user.roles.iter().map(|name| roles::id(tenant, name)).collect(),
        "assignedGroups.id" => user.groups.clone(),
        "assignedGroupsAssignedRoles.name" => groups().flat_map(|group| group.roles.clone()).collect(),
        "assignedScopes" => {
            let custom = tenant.roles_of(user).filter_map(|name| tenant.role_named(name));
            custom.flat_map(|role| role.scopes.iter().cloned()).chain(user.scopes.iter().cloned()).collect()
        }
        _ => Vec::new(),
    }
}

/// Clauses about the status stand together and bind the whole query, as the documents demand.
fn read_filter(text: &str) -> Result<Filter, Reply> {
    let filter = scim::read(text, ATTRIBUTES)?;
    let mixed = |part: &Filter| {
        let comparisons = part.comparisons();
        let about_status = comparisons.iter().filter(|(attribute, _)| *attribute == "status").count();
        about_status > 0 && about_status < comparisons.len()
    };
    if filter.conjuncts().iter().any(mixed) {
        return Err(bad_request("filter: clauses about status are grouped together and applied to the whole query"));
    }
    Ok(filter)
}

pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    listed(state, call, caller, None)
}

pub(super) fn filter(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    let Ok(InBody { filter }) = serde_json::from_slice(call.body) else { return invalid("the body has a filter") };
    listed(state, call, caller, Some(filter.unwrap_or_default()))
}

fn listed(state: &State, call: &Call<'_>, caller: &Caller, in_body: Option<String>) -> Reply {
    let found = may_not_read(state, caller).map_or(Ok(()), Err).and_then(|()| {
        let tenant = state.tenant(&caller.tenant).ok_or_else(missing)?;
        let mut page = Page::new("next", "prev");
        let (mut filter, mut fields, mut sort) = (in_body.clone(), None, "+name".to_owned());
        let mut deprecated = Vec::new();
        for (name, value) in call.query() {
            match name.as_str() {
                "filter" if in_body.is_none() => filter = Some(value),
                "fields" => fields = Some(value),
                "sort" => sort = value,
                "totalResults" if in_body.is_none() => page.count(&value)?,
                // Gone from the reference; older published clients send them unasked, also beside a filter.
                "sortBy" if value == "name" => {}
                "sortOrder" if value == "asc" || value == "desc" => {}
                "status" | "subject" | "email" if in_body.is_none() => deprecated.push((name, value)),
                "role" if in_body.is_none() => deprecated.push(("assignedRoles.name".to_owned(), value)),
                "tenantId" if in_body.is_none() && value == tenant.id => {}
                "startingAfter" if in_body.is_none() => page.read("next", &value)?,
                "endingBefore" if in_body.is_none() => page.read("prev", &value)?,
                other => page.read(other, &value)?,
            }
        }
        let filter = filter.filter(|text| !text.is_empty()).map(|text| read_filter(&text)).transpose()?;
        if filter.is_some() && !deprecated.is_empty() {
            return Err(bad_request("filter cannot be combined with a deprecated parameter"));
        }
        let passes = |user: &&User| {
            filter.as_ref().is_none_or(|filter| filter.passes(&|name: &str| values(tenant, user, name)))
                && deprecated.iter().all(|(name, wanted)| values(tenant, user, name).contains(wanted))
        };
        let mut users: Vec<&User> = tenant.users.values().filter(passes).collect();
        list::order(&mut users, &sort, &SORTS, |user, field| values(tenant, user, field))?;
        let items = users
            .into_iter()
            .map(|user| (user.id.clone(), picked(seen(tenant, user, call.host, caller), fields.as_deref())))
            .collect();
        Ok(list::paged(state, call, &page, items))
    });
    found.unwrap_or_else(|refusal| refusal)
}

/// The reference has no 400 here: a parameter changes nothing.
pub(super) fn count(state: &State, caller: &Caller) -> Reply {
    if let Some(refusal) = may_not_read(state, caller) {
        return refusal;
    }
    state
        .tenant(&caller.tenant)
        .map_or_else(missing, |tenant| Reply::json(200, &json!({ "total": tenant.users.len() })))
}

pub(super) fn get(state: &State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    if let Some(refusal) = may_not_read(state, caller).filter(|_| id != caller.user) {
        return refusal;
    }
    let fields = call.query().find(|(name, _)| name == "fields").map(|(_, value)| value);
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    let body = |user| Reply::json(200, &picked(seen(tenant, user, call.host, caller), fields.as_deref()));
    tenant.users.get(id).map_or_else(missing, body)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewUser {
    subject: Option<String>,
    name: Option<String>,
    email: Option<String>,
    status: Option<String>,
    assigned_roles: Option<Value>,
    tenant_id: Option<String>,
    #[serde(rename = "picture")]
    _picture: Option<String>,
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Ok(body) = serde_json::from_slice::<NewUser>(call.body) else {
        return invalid(
            "the body has subject, name, email, status, assignedRoles, picture and tenantId, and nothing else",
        );
    };
    let Some(tenant) = state.tenant_mut(&caller.tenant) else { return missing() };
    let text = |value: Option<String>| value.filter(|text| !text.trim().is_empty());
    let Some(subject) = text(body.subject) else { return invalid("subject is required") };
    let (name, email) = (text(body.name), text(body.email));
    let status = body.status.unwrap_or_else(|| "invited".to_owned());
    if status != "active" && status != "invited" {
        return invalid("status is active or invited");
    }
    if status == "invited" && email.is_none() {
        return invalid("email is required for a user who is invited");
    }
    if body.tenant_id.is_some_and(|id| id != tenant.id) {
        return invalid("tenantId is that of another tenant");
    }
    let roles = match body.assigned_roles.as_ref().map(|roles| roles::assigned(tenant, roles)) {
        None => Vec::new(),
        Some(Some((roles, unknown))) if unknown.is_empty() => roles,
        Some(Some(_)) => return invalid("assignedRoles names a role that is not there"),
        Some(None) => return invalid("assignedRoles is a list of objects with either id or name"),
    };
    if tenant.users.values().any(|user| user.subject == subject) {
        return numbered_problem(409, "USERS-409", "Conflict", "There is a user with this subject");
    }
    let name = name.or_else(|| email.clone()).unwrap_or_else(|| subject.clone());
    let user = User { email, status, roles, ..User::new(&name, &subject, call.now) };
    let reply = Reply::json(201, &shown(tenant, &user, call.host));
    tenant.users.insert(user.id.clone(), user);
    reply
}

pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    if id == caller.user {
        return forbidden("nobody deletes themselves");
    }
    match state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.users.remove(id)) {
        Some(_) => Reply::empty(204),
        None => missing(),
    }
}

/// Only the fields that were asked for.
fn picked(mut body: Value, fields: Option<&str>) -> Value {
    if let (Some(fields), Value::Object(object)) = (fields, &mut body) {
        object.retain(|name, _| fields.split(',').any(|field| field == name));
    }
    body
}

fn shown(tenant: &Tenant, user: &User, host: &str) -> Value {
    let created = format!("{:.3}", user.created);
    let updated = format!("{:.3}", user.updated.unwrap_or(user.created));
    let roles: Vec<Value> = user.roles.iter().map(|name| roles::reference(tenant, name)).collect();
    let groups: Vec<Value> = user
        .groups
        .iter()
        .filter_map(|id| tenant.groups.get(id))
        .map(|group| {
            let roles: Vec<Value> = group.roles.iter().map(|name| roles::reference(tenant, name)).collect();
            json!({ "id": group.id, "name": group.name, "providerType": group.provider, "assignedRoles": roles })
        })
        .collect();
    let mut body = json!({
        "id": user.id,
        "tenantId": tenant.id,
        "status": user.status,
        "subject": user.subject,
        "name": user.name,
        "roles": user.roles,
        "assignedRoles": roles,
        "assignedGroups": groups,
        "groups": [],
        "createdAt": created,
        "lastUpdatedAt": updated,
        "created": created,
        "lastUpdated": updated,
        "links": { "self": { "href": format!("https://{host}/api/v1/users/{}", user.id) } },
    });
    if let Some(client) = &user.client {
        body["clientId"] = json!(client);
    }
    for (name, value) in [
        ("email", &user.email),
        ("preferredLocale", &user.preferred_locale),
        ("preferredZoneinfo", &user.preferred_zoneinfo),
        ("inviteExpiry", &user.invite_expiry),
    ] {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_about_the_status_bind_the_whole_query() {
        for fine in [
            r#"(name eq "Bob" or name eq "Alice") and (status eq "active" or status eq "disabled")"#,
            r#"status eq "active""#,
            r#"name co "q" or email co "q" or subject co "q" or id eq "q" or assignedRoles.name eq "q""#,
        ] {
            assert!(read_filter(fine).is_ok(), "{fine}");
        }
        let mixed = r#"name eq "Bob" or name eq "Alice" and (status eq "active" or status eq "disabled")"#;
        assert!(read_filter(mixed).is_err());
    }
}
