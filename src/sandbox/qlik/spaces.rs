//! `/api/v1/spaces` and who is in them.

use serde_json::json;

use super::caller::Caller;
use super::collection::Form::{Name, OneOf, SomeOf, Text};
use super::collection::When::{Always, Both, Changed, Required};
use super::collection::{Kind, Pick, Seen};
use crate::sandbox::people::Thing;
use crate::sandbox::state::Tenant;

pub(super) const TYPES: [&str; 3] = ["shared", "managed", "data"];

const ROLES: [&str; 10] = [
    "consumer",
    "contributor",
    "dataconsumer",
    "datapreview",
    "facilitator",
    "operator",
    "producer",
    "publisher",
    "basicconsumer",
    "codeveloper",
];

/// Those that the reference names for a type of space.
fn assignable(space: &Thing) -> &'static [&'static str] {
    match space.fields.get("type").and_then(serde_json::Value::as_str) {
        Some("managed") => &["consumer", "contributor", "dataconsumer", "facilitator", "publisher", "basicconsumer"],
        Some("data") => {
            &["consumer", "dataconsumer", "datapreview", "facilitator", "operator", "producer", "publisher"]
        }
        _ => &["codeveloper", "consumer", "dataconsumer", "facilitator", "producer"],
    }
}

pub(super) const SPACES: Kind = Kind {
    name: "spaces",
    code: "SPACES",
    fields: &[
        ("name", Name(256, "\"*?<>/|\\:"), Always),
        ("type", OneOf(&TYPES), Required),
        ("description", Text, Both),
        ("ownerId", Text, Changed),
    ],
    unique: &["name"],
    picks: &[("name", Pick::Contains), ("ownerId", Pick::Equal), ("type", Pick::AnyOf)],
    attributes: &[],
    sorts: &["name", "type", "createdAt"],
    ops: &["replace"],
    changed: 200,
    counts: true,
    check: |tenant, fields| match fields.get("ownerId").and_then(serde_json::Value::as_str) {
        Some(owner) if !tenant.users.contains_key(owner) => Err("ownerId names nobody"),
        Some(_) | None => Ok(()),
    },
    readable: |tenant, caller, id, space| {
        caller.admin || owner(space) == caller.user || !roles_in(tenant, caller, id).is_empty()
    },
    closed: false,
    shown: |seen| {
        let own = seen.caller.admin || owner(seen.thing) == seen.caller.user;
        let roles = roles_in(seen.tenant, seen.caller, seen.id);
        let mut body = json!({
            "id": seen.id,
            "tenantId": seen.tenant.id,
            "ownerId": owner(seen.thing),
            "createdBy": seen.thing.created_by,
            "createdAt": format!("{:.3}", seen.thing.created),
            "updatedAt": format!("{:.3}", seen.thing.updated),
            "meta": {
                "actions": if own { vec!["create", "read", "update", "delete", "publish"] } else { vec!["read"] },
                "assignableRoles": assignable(seen.thing),
                "roles": roles,
            },
            "links": {
                "self": { "href": seen.place },
                "assignments": { "href": format!("{}/assignments", seen.place) },
            },
        });
        seen.say(&mut body);
        body
    },
};

fn owner(space: &Thing) -> &str {
    space.fields.get("ownerId").and_then(serde_json::Value::as_str).unwrap_or(&space.created_by)
}

/// What the caller is in a space, alone or by a group.
fn roles_in(tenant: &Tenant, caller: &Caller, id: &str) -> Vec<String> {
    let groups = tenant.users.get(&caller.user).map(|user| user.groups.as_slice()).unwrap_or_default();
    let path = format!("spaces/{id}/assignments/");
    let text =
        |thing: &Thing, name: &str| thing.fields.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let own = |thing: &Thing| text(thing, "assigneeId").is_some_and(|id| id == caller.user || groups.contains(&id));
    let roles = |thing: &Thing| thing.fields.get("roles").and_then(serde_json::Value::as_array).cloned();
    let own = tenant.things.below(&path).filter(|(_, thing)| own(thing)).filter_map(|(_, thing)| roles(thing));
    own.flatten().filter_map(|role| role.as_str().map(str::to_owned)).collect()
}

pub(super) const ASSIGNMENTS: Kind = Kind {
    name: "assignments",
    code: "SPACES",
    fields: &[
        ("type", OneOf(&["user", "group", "bot"]), Required),
        ("assigneeId", Text, Required),
        ("roles", SomeOf(&ROLES), Always),
    ],
    unique: &["type", "assigneeId"],
    picks: &[("assigneeId", Pick::Equal), ("type", Pick::Equal)],
    attributes: &[],
    sorts: &["createdAt"],
    ops: &[],
    changed: 200,
    counts: true,
    check: |tenant, fields| {
        let id = fields.get("assigneeId").and_then(serde_json::Value::as_str).unwrap_or_default();
        let known = tenant.users.contains_key(id) || tenant.groups.contains_key(id);
        if known { Ok(()) } else { Err("assigneeId names nobody") }
    },
    readable: |_, _, _, _| true,
    closed: true,
    shown: |seen: &Seen<'_>| {
        let space = seen.place.split("/assignments/").next().unwrap_or_default();
        let mut body = json!({
            "id": seen.id,
            "tenantId": seen.tenant.id,
            "spaceId": space.rsplit('/').next(),
            "createdBy": seen.thing.created_by,
            "updatedBy": seen.thing.updated_by,
            "createdAt": format!("{:.3}", seen.thing.created),
            "updatedAt": format!("{:.3}", seen.thing.updated),
            "links": { "self": { "href": seen.place }, "space": { "href": space } },
        });
        seen.say(&mut body);
        body
    },
};
