//! `/api/v1/roles`: the default roles of a tenant, of which `UserDefault` can be changed.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::caller::Caller;
use super::list::{self, Page};
use super::reply::{Reply, bad_request, forbidden, problem};
use super::{Call, patch};
use crate::model::secret::hex;
use crate::sandbox::state::{State, Tenant};

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

/// Stable for a tenant without being kept.
pub(super) fn id(tenant: &str, name: &str) -> String {
    hex(&Sha256::digest(format!("{tenant}/{name}"))).chars().take(24).collect()
}

pub(super) fn level(name: &str) -> &'static str {
    if name.ends_with("Admin") { "admin" } else { "user" }
}

fn shown(tenant: &Tenant, name: &str) -> Value {
    let editable = name == "UserDefault";
    let scopes: Vec<&String> = if editable { tenant.user_default.iter().collect() } else { Vec::new() };
    let id = id(&tenant.id, name);
    json!({
        "id": id,
        "name": name,
        "description": format!("The default role {name}."),
        "type": "default",
        "level": level(name),
        "tenantId": tenant.id,
        "assignedScopes": scopes,
        "canEdit": editable,
        "canDelete": false,
        "fullUser": false,
        "createdAt": format!("{:.3}", tenant.created),
        "lastUpdatedAt": format!("{:.3}", tenant.last_updated),
        "links": { "self": { "href": format!("https://{}/api/v1/roles/{id}", tenant.host()) } },
    })
}

fn not_admin(caller: &Caller) -> Option<Reply> {
    (!caller.admin).then(|| forbidden("only TenantAdmin may read or change roles"))
}

fn missing() -> Reply {
    problem(404, "ROLES-404", "Not found")
}

pub(super) fn list(state: &State, call: &Call<'_>, caller: &Caller) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    let mut page = Page::new("next", "prev");
    let mut wanted = None;
    for (name, value) in call.query() {
        match name.as_str() {
            "filter" => match name_equals(&value) {
                Some(name) => wanted = Some(name),
                None => return bad_request("filter: only `name eq \"…\"` is understood here"),
            },
            "sort" | "fields" | "totalResults" => {}
            other => {
                if let Err(refusal) = page.read(other, &value) {
                    return refusal;
                }
            }
        }
    }
    let roles = NAMES
        .iter()
        .filter(|name| wanted.as_deref().is_none_or(|wanted| wanted == **name))
        .map(|name| (id(&tenant.id, name), shown(tenant, name)))
        .collect();
    list::paged(state, call, &page, roles)
}

/// SCIM as far as it is needed: one equality on the name.
fn name_equals(filter: &str) -> Option<String> {
    let rest = filter.trim().strip_prefix("name")?.trim_start();
    let (operator, value) = rest.split_at_checked(2)?;
    let value = value.trim().strip_prefix('"')?.strip_suffix('"')?;
    operator.eq_ignore_ascii_case("eq").then(|| value.to_owned())
}

fn named(tenant: &Tenant, role: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|name| id(&tenant.id, name) == role)
}

pub(super) fn get(state: &State, caller: &Caller, role: &str) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    named(tenant, role).map_or_else(missing, |name| Reply::json(200, &shown(tenant, name)))
}

pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, role: &str) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    match named(tenant, role) {
        None => return missing(),
        Some("UserDefault") => {}
        Some(_) => return forbidden("default roles other than UserDefault cannot be edited"),
    }
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let mut scopes = tenant.user_default.clone();
    for change in changes {
        match (change.op.as_str(), change.path.as_str(), change.value) {
            ("add", "/assignedScopes/-", Value::String(scope)) => {
                scopes.insert(scope);
            }
            ("remove-value", "/assignedScopes", Value::String(scope)) => {
                scopes.remove(&scope);
            }
            ("replace", "/assignedScopes", Value::Array(values)) => {
                let texts: Option<_> = values.into_iter().map(|value| value.as_str().map(str::to_owned)).collect();
                match texts {
                    Some(texts) => scopes = texts,
                    None => return bad_request("/assignedScopes is a list of strings"),
                }
            }
            _ => return bad_request("only add to, remove-value from, or replace of /assignedScopes"),
        }
    }
    if let Some(tenant) = state.tenant_mut(&caller.tenant) {
        tenant.user_default = scopes;
        tenant.last_updated = call.now;
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

    #[test]
    fn a_filter_on_the_name_is_understood() {
        assert_eq!(name_equals("name eq \"UserDefault\"").as_deref(), Some("UserDefault"));
        assert_eq!(name_equals("type eq \"default\""), None);
        assert_eq!(name_equals("name co \"User\""), None);
    }
}
