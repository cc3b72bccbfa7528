//! `/api/v1/groups`: roles for many people at once. Who is in a group comes from outside, or from the Users API.

use serde::Deserialize;
use serde_json::{Value, json};

use super::caller::Caller;
use super::list::{self, InBody, Page};
use super::reply::{Reply, forbidden, numbered_problem};
use super::scim::{self, Attributes, Operator::Co, Operator::Eq, TIME};
use super::{Call, patch, roles};
use crate::sandbox::state::{Group, State, Tenant};

/// Those that the reference of 2026 calls filterable; it names no operators.
const ATTRIBUTES: &Attributes = &[
    ("id", &[Eq]),
    ("name", &[Eq, Co]),
    ("status", &[Eq]),
    ("providerType", &[Eq]),
    ("createdAt", TIME),
    ("lastUpdatedAt", TIME),
];

/// The group that everybody is in, which the vendor lists apart from those that people make.
const EVERYONE: &str = "com.qlik.Everyone";

fn missing() -> Reply {
    numbered_problem(404, "GROUPS-7", "Not found", "There is no such group")
}

fn invalid(detail: &str) -> Reply {
    numbered_problem(400, "GROUPS-400", "Bad request", detail)
}

fn tenant<'a>(state: &'a State, caller: &Caller) -> Result<&'a Tenant, Reply> {
    if !caller.admin {
        return Err(forbidden("only TenantAdmin may read or change groups"));
    }
    state.tenant(&caller.tenant).ok_or_else(missing)
}

fn value(group: &Group, attribute: &str) -> Vec<String> {
    match attribute {
        "id" => vec![group.id.clone()],
        "name" => vec![group.name.clone()],
        "status" => vec!["active".to_owned()],
        "providerType" => vec![group.provider.clone()],
        "createdAt" => vec![format!("{:.3}", group.created)],
        "lastUpdatedAt" => vec![format!("{:.3}", group.updated)],
        _ => Vec::new(),
    }
}

pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    listed(state, call, caller, None)
}

pub(super) fn filter(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    // The body may be left out: then every group is meant.
    let body = if call.body.is_empty() { b"{}" } else { call.body };
    let Ok(InBody { filter }) = serde_json::from_slice(body) else { return invalid("the body has a filter") };
    listed(state, call, caller, Some(filter.unwrap_or_default()))
}

fn listed(state: &State, call: &Call<'_>, caller: &Caller, in_body: Option<String>) -> Reply {
    let found = tenant(state, caller).and_then(|tenant| {
        let mut page = Page::new("next", "prev");
        let (mut filter, mut sort, mut system) = (in_body.clone(), "+name".to_owned(), false);
        for (name, value) in call.query() {
            match name.as_str() {
                "filter" if in_body.is_none() => filter = Some(value),
                "sort" => sort = value,
                // Published clients send `false` unasked.
                "systemGroups" => system = value.eq_ignore_ascii_case("true"),
                "totalResults" if in_body.is_none() => page.count(&value)?,
                other => page.read(other, &value)?,
            }
        }
        let filter = filter.filter(|text| !text.is_empty());
        let filter = filter.map(|text| scim::read(&text, ATTRIBUTES)).transpose()?;
        let passes = |group: &&Group| filter.as_ref().is_none_or(|one| one.passes(&|name: &str| value(group, name)));
        let everyone = Group { id: "0".repeat(23) + "1", ..Group::new(EVERYONE, "qlik", tenant.created) };
        let listed: Box<dyn Iterator<Item = &Group>> =
            if system { Box::new(std::iter::once(&everyone)) } else { Box::new(tenant.groups.values()) };
        let mut groups: Vec<&Group> = listed.filter(passes).collect();
        list::order(&mut groups, &sort, &["name", "id", "createdAt"], |group, field| value(group, field))?;
        let items = groups.into_iter().map(|group| (group.id.clone(), shown(tenant, group))).collect();
        Ok(list::paged(state, call, &page, items))
    });
    found.unwrap_or_else(|refusal| refusal)
}

pub(super) fn get(state: &State, caller: &Caller, id: &str) -> Reply {
    match tenant(state, caller) {
        Ok(tenant) => tenant.groups.get(id).map_or_else(missing, |group| Reply::json(200, &shown(tenant, group))),
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewGroup {
    name: Option<String>,
    description: Option<String>,
    provider_type: Option<String>,
    status: Option<String>,
    assigned_roles: Option<Value>,
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    let tenant = match tenant(state, caller) {
        Ok(tenant) => tenant,
        Err(refusal) => return refusal,
    };
    let Ok(body) = serde_json::from_slice::<NewGroup>(call.body) else {
        return invalid("the body has name, description, providerType, status and assignedRoles, and nothing else");
    };
    let Some(name) = body.name.filter(|name| !name.trim().is_empty() && name.chars().count() <= 256) else {
        return invalid("name is required and has 256 characters at most");
    };
    let provider = body.provider_type.unwrap_or_else(|| "idp".to_owned());
    if !["idp", "custom"].contains(&provider.as_str()) || body.status.is_some_and(|status| status != "active") {
        return invalid("providerType is idp or custom, status is active");
    }
    let roles = match assigned(tenant, body.assigned_roles.as_ref()) {
        Ok(roles) => roles.unwrap_or_default(),
        Err(refusal) => return refusal,
    };
    if tenant.groups.values().any(|group| group.name == name) {
        return numbered_problem(409, "GROUPS-409", "Conflict", "There is a group with this name");
    }
    let description = body.description.unwrap_or_default();
    let group = Group { description, roles, ..Group::new(&name, &provider, call.now) };
    let reply = Reply::json(201, &shown(tenant, &group));
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.groups.insert(group.id.clone(), group);
    }
    reply
}

/// Unlike users, groups have no partial answer: a role that is not there is refused, and nothing is done.
fn assigned(tenant: &Tenant, value: Option<&Value>) -> Result<Option<Vec<String>>, Reply> {
    let Some(value) = value else { return Ok(None) };
    let (roles, unknown) = roles::assigned(tenant, value)
        .ok_or_else(|| invalid("assignedRoles is a list of objects with either id or name"))?;
    match unknown.first() {
        Some(name) => Err(invalid(&format!("assignedRoles: there is no role {name}"))),
        None if roles.len() > 100 => Err(invalid("assignedRoles has 100 roles at most")),
        None => Ok(Some(roles)),
    }
}

pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    let changed = tenant(state, caller).and_then(|tenant| {
        let group = tenant.groups.get(id).ok_or_else(missing)?;
        let (mut name, mut description, mut roles) = (group.name.clone(), group.description.clone(), None);
        for change in patch::read(call)? {
            if change.op != "replace" {
                return Err(invalid("only replace is supported"));
            }
            // The reference has the paths without the slash that JSON Patch puts before them; the tutorials have it.
            match (change.path.trim_start_matches('/'), change.value.as_str(), group.provider.as_str()) {
                ("assignedRoles", None, _) => roles = assigned(tenant, Some(&change.value))?,
                ("name", Some(text), "custom") if !text.trim().is_empty() => text.clone_into(&mut name),
                ("description", Some(text), "custom") => text.clone_into(&mut description),
                _ => return Err(invalid("assignedRoles, and name and description of custom groups, are taken")),
            }
        }
        if tenant.groups.values().any(|other| other.id != id && other.name == name) {
            return Err(invalid("there is a group with this name"));
        }
        Ok((name, description, roles.unwrap_or_else(|| group.roles.clone())))
    });
    let (name, description, roles) = match changed {
        Ok(changed) => changed,
        Err(refusal) => return refusal,
    };
    if let Some(group) = state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.groups.get_mut(id)) {
        (group.name, group.description, group.roles, group.updated) = (name, description, roles, call.now);
    }
    Reply::empty(204)
}

pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Reply {
    match tenant(state, caller) {
        Ok(tenant) if tenant.groups.contains_key(id) => {}
        Ok(_) => return missing(),
        Err(refusal) => return refusal,
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.groups.remove(id);
        let members = tenant.users.each_mut(|user| user.groups.iter().any(|group| group == id));
        members.for_each(|user| user.groups.retain(|group| group != id));
    }
    Reply::empty(204)
}

pub(super) fn settings(state: &State, caller: &Caller) -> Reply {
    let shown = |tenant: &Tenant| {
        json!({
            "tenantId": tenant.id,
            "autoCreateGroups": tenant.group_settings.auto_create,
            "syncIdpGroups": tenant.group_settings.sync_idp,
            "links": { "self": { "href": format!("https://{}/api/v1/groups/settings", tenant.host()) } },
        })
    };
    match tenant(state, caller) {
        Ok(tenant) => Reply::json(200, &shown(tenant)),
        Err(refusal) => refusal,
    }
}

pub(super) fn patch_settings(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    let changed = tenant(state, caller).and_then(|tenant| {
        let (mut create, mut sync) = (tenant.group_settings.auto_create, tenant.group_settings.sync_idp);
        for change in patch::read(call)? {
            match (change.op.as_str(), change.path.as_str(), change.value.as_bool()) {
                ("replace", "/autoCreateGroups", Some(value)) => create = value,
                ("replace", "/syncIdpGroups", Some(value)) => sync = value,
                _ => return Err(invalid("only replace of /autoCreateGroups and /syncIdpGroups, with true or false")),
            }
        }
        Ok((create, sync))
    });
    let (create, sync) = match changed {
        Ok(changed) => changed,
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        (tenant.group_settings.auto_create, tenant.group_settings.sync_idp) = (create, sync);
    }
    Reply::empty(204)
}

fn shown(tenant: &Tenant, group: &Group) -> Value {
    let roles: Vec<Value> = group.roles.iter().map(|name| roles::reference(tenant, name)).collect();
    json!({
        "id": group.id,
        "tenantId": tenant.id,
        "name": group.name,
        "description": group.description,
        "providerType": group.provider,
        "status": "active",
        "assignedRoles": roles,
        "createdAt": format!("{:.3}", group.created),
        "lastUpdatedAt": format!("{:.3}", group.updated),
        "links": { "self": { "href": format!("https://{}/api/v1/groups/{}", tenant.host(), group.id) } },
    })
}
