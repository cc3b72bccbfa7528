//! `PATCH /api/v1/users/{id}`: what the vendor's own types and samples change of a user.

use serde_json::{Value, json};

use super::caller::Caller;
use super::patch::{self, Change};
use super::reply::Reply;
use super::users::{invalid, missing, not_admin};
use super::{Call, roles};
use crate::sandbox::random;
use crate::sandbox::state::{State, Tenant, User};

/// A user with changes made, and what named a role or a group that is not there.
struct Draft {
    name: String,
    status: String,
    email: Option<String>,
    locale: Option<String>,
    zone: Option<String>,
    invite_expiry: Option<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    errors: Vec<Value>,
}

/// What is known is done. What names a role or a group that is not there is told, under 207.
pub(super) fn patch(state: &mut State, call: &Call<'_>, caller: &Caller, id: &str) -> Reply {
    if let Some(refusal) = not_admin(caller) {
        return refusal;
    }
    let Some(tenant) = state.tenant(&caller.tenant) else { return missing() };
    let Some(user) = tenant.users.get(id) else { return missing() };
    let changes = match patch::read(call) {
        Ok(changes) => changes,
        Err(refusal) => return refusal,
    };
    let mut draft = Draft::of(user);
    for change in &changes {
        if let Err(refusal) = draft.take(tenant, change) {
            return refusal;
        }
    }
    let errors = std::mem::take(&mut draft.errors);
    if let Some(user) = state.tenant_mut(&caller.tenant).and_then(|tenant| tenant.users.get_mut(id)) {
        draft.write(user);
        user.updated = Some(call.now);
    }
    if errors.is_empty() {
        return Reply::empty(204);
    }
    Reply::json(207, &json!({ "errors": errors, "traceId": random::hex_id() }))
}

impl Draft {
    fn of(user: &User) -> Self {
        Self {
            name: user.name.clone(),
            status: user.status.clone(),
            email: user.email.clone(),
            locale: user.preferred_locale.clone(),
            zone: user.preferred_zoneinfo.clone(),
            invite_expiry: user.invite_expiry.clone(),
            roles: user.roles.clone(),
            groups: user.groups.clone(),
            errors: Vec::new(),
        }
    }

    fn write(self, user: &mut User) {
        let Self { name, status, email, locale, zone, invite_expiry, roles, groups, errors: _ } = self;
        (user.name, user.status, user.email) = (name, status, email);
        (user.preferred_locale, user.preferred_zoneinfo, user.invite_expiry) = (locale, zone, invite_expiry);
        (user.roles, user.groups) = (roles, groups);
    }

    fn take(&mut self, tenant: &Tenant, change: &Change) -> Result<(), Reply> {
        let (path, end) = match change.path.strip_suffix("/-") {
            Some(path) => (path, true),
            None => (change.path.as_str(), false),
        };
        let text = change.value.as_str().filter(|text| !text.trim().is_empty());
        match (change.op.as_str(), path, text) {
            ("replace" | "set", "/name", Some(text)) => text.clone_into(&mut self.name),
            ("replace" | "set", "/status", Some(text @ ("active" | "disabled" | "invited"))) => {
                text.clone_into(&mut self.status);
            }
            // In the reference's own sample, though not in its list of paths.
            ("replace" | "set", "/email", Some(text)) if text.contains('@') => self.email = Some(text.to_owned()),
            ("replace" | "set" | "add", "/preferredLocale", Some(text)) => self.locale = Some(text.to_owned()),
            ("replace" | "set" | "add", "/preferredZoneinfo", Some(text)) => self.zone = Some(text.to_owned()),
            ("replace" | "set" | "renew", "/inviteExpiry", Some(text)) => self.invite_expiry = Some(text.to_owned()),
            ("unset", "/preferredLocale", _) => self.locale = None,
            ("unset", "/preferredZoneinfo", _) => self.zone = None,
            (op @ ("replace" | "set" | "add" | "remove-value"), "/assignedRoles" | "/roles", _) => {
                let listed = listed(&change.value, op, end)?;
                let Some((known, unknown)) = roles::assigned(tenant, &listed) else {
                    return Err(invalid("/assignedRoles is a list of objects with either id or name"));
                };
                self.errors.extend(unknown.iter().map(|name| absent("/assignedRoles", "role", name)));
                joined(&mut self.roles, known, op);
            }
            (op @ ("replace" | "set" | "add" | "remove-value"), "/assignedGroups", _) => {
                let listed = listed(&change.value, op, end)?;
                let Some((known, unknown)) = assigned_groups(tenant, &listed) else {
                    return Err(invalid(
                        "/assignedGroups is a list of objects with either id or name and providerType",
                    ));
                };
                self.errors.extend(unknown.iter().map(|name| absent("/assignedGroups", "group", name)));
                joined(&mut self.groups, known, op);
            }
            _ => {
                return Err(invalid(
                    "replace, set, unset, add, renew and remove-value are taken, of /name, /status, /email, /preferredLocale, \
                     /preferredZoneinfo, /inviteExpiry, /assignedRoles and /assignedGroups, with fitting values",
                ));
            }
        }
        Ok(())
    }
}

/// The value as a list of references: `add` and `remove-value` take one as well, and older clients send names alone.
fn listed(value: &Value, op: &str, end: bool) -> Result<Value, Reply> {
    let named = |one: &Value| one.as_str().map_or_else(|| one.clone(), |name| json!({ "name": name }));
    if let Some(items) = value.as_array() {
        return Ok(items.iter().map(named).collect());
    }
    if end || op == "add" || op == "remove-value" {
        return Ok(json!([named(value)]));
    }
    Err(invalid("a list is replaced by a list"))
}

fn joined(held: &mut Vec<String>, known: Vec<String>, op: &str) {
    match op {
        "add" => {
            for one in known {
                if !held.contains(&one) {
                    held.push(one);
                }
            }
        }
        "remove-value" => held.retain(|one| !known.contains(one)),
        _ => *held = known,
    }
}

fn absent(pointer: &str, kind: &str, name: &str) -> Value {
    json!({
        "code": "USERS-7",
        "title": "Not found",
        "detail": format!("There is no {kind} {name}"),
        "status": 404,
        "source": { "pointer": pointer },
    })
}

/// Ids of those that are there, names of those that are not.
fn assigned_groups(tenant: &Tenant, value: &Value) -> Option<(Vec<String>, Vec<String>)> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for one in value.as_array()? {
        let text = |name: &str| one.get(name).and_then(Value::as_str);
        let named = text("id").or_else(|| text("name"))?;
        let found = tenant.groups.values().find(|group| match (text("id"), text("name")) {
            (Some(id), _) => group.id == id,
            (None, name) => {
                name == Some(group.name.as_str()) && text("providerType").is_none_or(|kind| kind == group.provider)
            }
        });
        match found {
            Some(group) if known.contains(&group.id) => {}
            Some(group) => known.push(group.id.clone()),
            None => unknown.push(named.to_owned()),
        }
    }
    Some((known, unknown))
}
