//! `/api/v1/roles`: the default roles of a tenant, of which `UserDefault` can be changed, and those that people make.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Call;
use super::caller::Caller;
use super::list::{self, Page};
use super::patch::{self, Change};
use super::reply::{Reply, bad_request, forbidden, problem};
use super::scim::{self, Attributes, Operator::Co, Operator::Eq, TIME};
use crate::model::secret::hex;
use crate::sandbox::random;
use crate::sandbox::state::{Role, State, Tenant};
use crate::sandbox::switches::RolesOrder;

/// Those that the reference of 2026 calls filterable; it names no operators.
const ATTRIBUTES: &Attributes = &[
    ("id", &[Eq]),
    ("name", &[Eq, Co]),
    ("type", &[Eq]),
    ("level", &[Eq]),
    ("tenantId", &[Eq]),
    ("description", &[Eq, Co]),
    ("permissions", &[Eq]),
    ("createdAt", TIME),
    ("lastUpdatedAt", TIME),
];

const SORTS: [&str; 6] = ["name", "type", "level", "description", "createdAt", "lastUpdatedAt"];
const CUSTOM_MAX: usize = 500;

/// In the order of the list. More than one page of the default size, with `UserDefault` on the second.
const NAMES: [&str; 24] = [
    "AnalyticsAdmin",
    "AuditAdmin",
    "AutoMLDeploymentContributor",
    "AutoMLExperimentContributor",
    "AutomationCreator",
    "CollaborationPlatformUser",
    "DataAdmin",
    "DataProductCreator",
    "DataServicesContributor",
    "DataSpaceCreator",
    "EmbeddedAnalyticsUser",
    "GlossarySteward",
    "KnowledgeBaseCreator",
    "ManagedSpaceCreator",
    "MonitoringAdmin",
    "NotesAdmin",
    "OperationsAdmin",
    "PrivateAnalyticsContentCreator",
    "ReportingContributor",
    "SecurityAdmin",
    "SharedSpaceCreator",
    "Steward",
    "TenantAdmin",
    "UserDefault",
];

/// Either kind, for who only reads.
#[derive(Clone, Copy)]
enum Known<'a> {
    Default(&'static str),
    Custom(&'a Role),
}

impl<'a> Known<'a> {
    fn all(tenant: &'a Tenant) -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(Self::Default).chain(tenant.roles.values().map(Self::Custom))
    }

    fn name(&self) -> &str {
        match self {
            Self::Default(name) => name,
            Self::Custom(role) => &role.name,
        }
    }

    /// That of a default role is the same in every answer without being kept.
    fn id(&self, tenant: &Tenant) -> String {
        match self {
            Self::Default(name) => hex(&Sha256::digest(format!("{}/{name}", tenant.id))).chars().take(24).collect(),
            Self::Custom(role) => role.id.clone(),
        }
    }

    fn level(&self) -> &'static str {
        let admin = match self {
            Self::Default(name) => name.ends_with("Admin"),
            Self::Custom(role) => role.scopes.iter().any(|scope| scope.starts_with("admin")),
        };
        if admin { "admin" } else { "user" }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Default(_) => "default",
            Self::Custom(_) => "custom",
        }
    }

    /// What it has of an attribute that a list is filtered or sorted by.
    fn value(&self, tenant: &Tenant, attribute: &str) -> Vec<String> {
        let (description, scopes, created, updated) = self.facts(tenant);
        match attribute {
            "id" => vec![self.id(tenant)],
            "name" => vec![self.name().to_owned()],
            "type" => vec![self.kind().to_owned()],
            "level" => vec![self.level().to_owned()],
            "tenantId" => vec![tenant.id.clone()],
            "description" => vec![description],
            "permissions" => scopes.into_iter().collect(),
            "createdAt" => vec![format!("{created:.3}")],
            "lastUpdatedAt" => vec![format!("{updated:.3}")],
            _ => Vec::new(),
        }
    }

    fn facts(&self, tenant: &Tenant) -> (String, BTreeSet<String>, Timestamp, Timestamp) {
        match self {
            Self::Default(name) => {
                let scopes = if *name == "UserDefault" { tenant.user_default.clone() } else { BTreeSet::new() };
                (format!("The default role {name}."), scopes, tenant.created, tenant.last_updated)
            }
            Self::Custom(role) => (role.description.clone(), role.scopes.clone(), role.created, role.updated),
        }
    }

    fn shown(&self, tenant: &Tenant) -> Value {
        let (description, scopes, created, updated) = self.facts(tenant);
        let id = self.id(tenant);
        json!({
            "id": id,
            "name": self.name(),
            "description": description,
            "type": self.kind(),
            "level": self.level(),
            "tenantId": tenant.id,
            "assignedScopes": scopes,
            "canEdit": matches!(self, Self::Custom(_) | Self::Default("UserDefault")),
            "canDelete": matches!(self, Self::Custom(_)),
            "fullUser": false,
            "createdAt": format!("{created:.3}"),
            "lastUpdatedAt": format!("{updated:.3}"),
            "links": { "self": { "href": format!("https://{}/api/v1/roles/{id}", tenant.host()) } },
        })
    }
}

fn named<'a>(tenant: &'a Tenant, name: &str) -> Option<Known<'a>> {
    Known::all(tenant).find(|role| role.name() == name)
}

fn with_id<'a>(tenant: &'a Tenant, id: &str) -> Option<Known<'a>> {
    Known::all(tenant).find(|role| role.id(tenant) == id)
}

/// The id of a role by its name; empty where there is none.
pub(super) fn id(tenant: &Tenant, name: &str) -> String {
    named(tenant, name).map(|role| role.id(tenant)).unwrap_or_default()
}

/// A role as users and groups refer to it.
pub(super) fn reference(tenant: &Tenant, name: &str) -> Value {
    match named(tenant, name) {
        Some(role) => json!({ "id": role.id(tenant), "name": name, "type": role.kind(), "level": role.level() }),
        None => json!({ "name": name }),
    }
}

/// What an `assignedRoles` says: the names of roles that are there, and what is not. `None`: it says nothing.
pub(super) fn assigned(tenant: &Tenant, value: &Value) -> Option<(Vec<String>, Vec<String>)> {
    let (mut known, mut unknown) = (Vec::<String>::new(), Vec::new());
    for one in value.as_array()? {
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let found = match (text("id"), text("name")) {
            (Some(id), _) => with_id(tenant, id).ok_or(id),
            (None, Some(name)) => named(tenant, name).ok_or(name),
            (None, None) => return None,
        };
        match found {
            Ok(role) if known.iter().any(|name| name == role.name()) => {}
            Ok(role) => known.push(role.name().to_owned()),
            Err(absent) => unknown.push(absent.to_owned()),
        }
    }
    Some((known, unknown))
}

fn missing() -> Reply {
    problem(404, "ROLES-404", "Not found")
}

/// Anybody in the tenant may read roles: the reference has no 403 there (`users_see_users`).
fn readable<'a>(state: &'a State, caller: &Caller) -> Result<&'a Tenant, Reply> {
    if caller.admin || state.switches().users_see_users {
        return state.tenant(&caller.tenant).ok_or_else(missing);
    }
    tenant(state, caller)
}

fn tenant<'a>(state: &'a State, caller: &Caller) -> Result<&'a Tenant, Reply> {
    if !caller.admin {
        return Err(forbidden("only TenantAdmin may read or change roles"));
    }
    state.tenant(&caller.tenant).ok_or_else(missing)
}

pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    let found = readable(state, caller).and_then(|tenant| {
        let mut page = Page::new("next", "prev");
        let (mut filter, mut sort) = (None, None);
        for (name, value) in call.query() {
            match name.as_str() {
                "filter" => filter = Some(scim::read(&value, ATTRIBUTES)?),
                "sort" => sort = Some(value),
                "totalResults" => page.count(&value)?,
                other => page.read(other, &value)?,
            }
        }
        let passes = |role: &Known<'_>| {
            filter.as_ref().is_none_or(|filter| filter.passes(&|name: &str| role.value(tenant, name)))
        };
        let mut roles: Vec<Known<'_>> = Known::all(tenant).filter(passes).collect();
        list::order(&mut roles, sort.as_deref().unwrap_or("+name"), &SORTS, |role, field| role.value(tenant, field))?;
        if sort.is_none() && state.switches().roles_order == RolesOrder::AdminsFirst {
            // The sort is stable: by name within a level.
            roles.sort_by_key(|role| role.level() != "admin");
        }
        let items = roles.iter().map(|role| (role.id(tenant), role.shown(tenant))).collect();
        Ok(list::paged(state, call, &page, items))
    });
    found.unwrap_or_else(|refusal| refusal)
}

pub(super) fn get(state: &State, caller: &Caller, id: &str) -> Reply {
    match readable(state, caller) {
        Ok(tenant) => with_id(tenant, id).map_or_else(missing, |role| Reply::json(200, &role.shown(tenant))),
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewRole {
    name: Option<String>,
    description: Option<String>,
    assigned_scopes: Option<BTreeSet<String>>,
}

pub(super) fn create(state: &mut State, call: &Call<'_>, caller: &Caller) -> Reply {
    let made = tenant(state, caller).and_then(|tenant| {
        let body: NewRole = serde_json::from_slice(call.body)
            .map_err(|_| bad_request("the body has name, description and assignedScopes, and nothing else"))?;
        let name = body.name.filter(|name| !name.trim().is_empty()).ok_or_else(|| bad_request("name is required"))?;
        if named(tenant, &name).is_some() {
            return Err(bad_request("there is a role with this name"));
        }
        if tenant.roles.len() >= CUSTOM_MAX {
            return Err(bad_request("the tenant has its 500 custom roles"));
        }
        let role = Role {
            id: random::object_id(),
            name,
            description: body.description.unwrap_or_default(),
            scopes: body.assigned_scopes.unwrap_or_default(),
            created: call.now,
            updated: call.now,
        };
        Ok((Reply::json(201, &Known::Custom(&role).shown(tenant)), role))
    });
    let (reply, role) = match made {
        Ok(made) => made,
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.roles.insert(role.id.clone(), role);
    }
    reply
}

pub(super) fn delete(state: &mut State, caller: &Caller, id: &str) -> Reply {
    let name = match tenant(state, caller).map(|tenant| (tenant, with_id(tenant, id))) {
        Ok((tenant, Some(Known::Custom(role)))) => {
            let users = tenant.users.values().flat_map(|user| &user.roles);
            let mut assigned = users.chain(tenant.groups.values().flat_map(|group| &group.roles));
            if assigned.any(|name| *name == role.name) {
                return forbidden("the role is assigned to users or groups");
            }
            role.id.clone()
        }
        Ok((_, Some(Known::Default(_)))) => return forbidden("default roles cannot be deleted"),
        // The reference has no 404 here.
        Ok((_, None)) => return bad_request("there is no such role"),
        Err(refusal) => return refusal,
    };
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.roles.remove(&name);
    }
    Reply::empty(204)
}

/// Scopes with one change made to them.
fn rescoped(scopes: &mut BTreeSet<String>, change: Change) -> Result<(), Reply> {
    match (change.op.as_str(), change.path.as_str(), change.value) {
        ("add", "/assignedScopes/-", Value::String(scope)) => {
            scopes.insert(scope);
        }
        ("remove-value", "/assignedScopes", Value::String(scope)) => {
            scopes.remove(&scope);
        }
        ("replace", "/assignedScopes", Value::Array(values)) => {
            let texts: Option<_> = values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect();
            *scopes = texts.ok_or_else(|| bad_request("/assignedScopes is a list of strings"))?;
        }
        _ => return Err(bad_request("only add to, remove-value from, or replace of /assignedScopes")),
    }
    Ok(())
}

enum Patched {
    UserDefault(BTreeSet<String>),
    Custom { old_name: String, role: Role },
}

fn patched(state: &State, call: &Call<'_>, caller: &Caller, id: &str) -> Result<Patched, Reply> {
    let tenant = tenant(state, caller)?;
    match with_id(tenant, id).ok_or_else(missing)? {
        Known::Default("UserDefault") => {
            let mut scopes = tenant.user_default.clone();
            for change in patch::read(call)? {
                rescoped(&mut scopes, change)?;
            }
            Ok(Patched::UserDefault(scopes))
        }
        Known::Default(_) => Err(forbidden("default roles other than UserDefault cannot be edited")),
        Known::Custom(role) => {
            let mut role = role.clone();
            let old_name = role.name.clone();
            for change in patch::read(call)? {
                match (change.op.as_str(), change.path.as_str(), change.value.as_str()) {
                    ("replace", "/name", Some(name)) if !name.trim().is_empty() => name.clone_into(&mut role.name),
                    ("replace", "/description", Some(text)) => text.clone_into(&mut role.description),
                    _ => rescoped(&mut role.scopes, change)?,
                }
            }
            if role.name != old_name && named(tenant, &role.name).is_some() {
                return Err(bad_request("there is a role with this name"));
            }
            Ok(Patched::Custom { old_name, role })
        }
    }
}

pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    let patched = match patched(state, call, caller, id) {
        Ok(patched) => patched,
        Err(refusal) => return refusal,
    };
    let Some(tenant) = state.tenant_mut(&caller.tenant) else { return missing() };
    match patched {
        Patched::UserDefault(scopes) => {
            tenant.user_default = scopes;
            tenant.last_updated = call.now;
        }
        Patched::Custom { old_name, mut role } => {
            role.updated = call.now;
            let users = tenant.users.each_mut(|user| user.roles.contains(&old_name)).flat_map(|user| &mut user.roles);
            let groups = tenant.groups.each_mut(|group| group.roles.contains(&old_name));
            for name in users.chain(groups.flat_map(|group| &mut group.roles)) {
                if *name == old_name {
                    name.clone_from(&role.name);
                }
            }
            tenant.roles.insert(role.id.clone(), role);
        }
    }
    Reply::empty(204)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_default_is_not_on_the_first_page() {
        assert!(NAMES.iter().position(|name| *name == "UserDefault").unwrap() >= 20);
        assert!(NAMES.is_sorted());
    }
}
