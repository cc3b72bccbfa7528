//! Users, roles and groups as desired state names them: who owns a key, and who is granted a permission.

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::syntax::{Entry, Node, Value};
use super::texts::sent;
use crate::model::spec::{RoleGrant, User};

const OWNER: Keys = Keys { known: &["subject", "email", "id", "name"], later: &[] };
const GRANTEE: Keys = Keys { known: &["subject", "email", "id"], later: &[] };
const ROLE: Keys = Keys { known: &["name", "assign_to", "also_allows"], later: &[] };
const ASSIGN_TO: Keys = Keys { known: &["key_owners", "users", "groups"], later: &[] };
/// What the vendor takes of names of people and groups.
const TEXT_MAX: usize = 256;
const ID_MAX: usize = 128;
const EXAMPLE: &str = "{ subject: \"auth0|stackone\" }";

/// `user:` of an owner.
pub(super) fn owner(entry: &Entry, faults: &mut Faults<'_>) -> Option<User> {
    let fields = read::fields(&entry.value, "`user`", entry.key_at, &OWNER, faults)?;
    user(&fields, &entry.value, faults)
}

/// Somebody who is known by at least one of three things; whatever of them is at fault is told.
fn user(fields: &Fields<'_>, node: &Node, faults: &mut Faults<'_>) -> Option<User> {
    // `None`: not written. `Some(None)`: written, and at fault.
    let subject = fields.get("subject").map(|node| text(node, "`subject`", faults));
    let email = fields.get("email").map(|node| email(node, faults));
    let id = fields.get("id").map(|node| id(node, faults));
    let name = fields.get("name").map(|node| text(node, "`name`", faults));
    if subject.is_none() && email.is_none() && id.is_none() {
        faults
            .add(code::MISSING, node.at, "a user is named by `subject`, `email` or `id`", "none of them is here")
            .help(format!("as in `{EXAMPLE}`; the subject is what the tenant's identity provider calls the user"));
        return None;
    }
    Some(User { id: whole(id)?, subject: whole(subject)?, email: whole(email)?, name: whole(name)? })
}

fn whole(read: Option<Option<String>>) -> Option<Option<String>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

fn text(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<String> {
    sent(node, what, TEXT_MAX, faults).map(ToOwned::to_owned)
}

fn email(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let word = sent(node, "`email`", TEXT_MAX, faults)?;
    let (before, after) = word.split_once('@').unwrap_or_default();
    if before.is_empty() || after.is_empty() || word.contains(char::is_whitespace) {
        faults.add(code::TEXT, node.at, "`email` is no e-mail address", "no address").help("as in `it@acme.example`");
        return None;
    }
    Some(word.to_owned())
}

/// It becomes part of a request's path, so nothing but what ids consist of.
fn id(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let word = read::text(node, "`id`", faults)?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if word.is_empty() || word.len() > ID_MAX || !word.bytes().all(fits) {
        faults
            .add(code::PLACE, node.at, "`id` is no user's id", "letters, digits, `-` and `_`")
            .help("as the tenant's list of users shows it; what the identity provider says is the `subject`");
        return None;
    }
    Some(word.to_owned())
}

/// `role:` of a grant.
pub(super) fn role(entry: &Entry, faults: &mut Faults<'_>) -> Option<RoleGrant> {
    let fields = read::fields(&entry.value, "`role`", entry.key_at, &ROLE, faults)?;
    let name = fields.require("name", "API key holders", faults).and_then(|node| role_name(node, faults));
    fields.require("assign_to", "{ key_owners: true }", faults);
    let assign_to = fields.entry("assign_to").and_then(|entry| assign_to(entry, faults));
    let also_allows = fields.get("also_allows").map(|node| {
        let one = |item: &Node, faults: &mut Faults<'_>| text(item, "a permission in `also_allows`", faults);
        list(node, "`also_allows`", "[spaces.shared:create]", one, faults)
    });
    let (key_owners, users, groups) = assign_to?;
    let also_allows = also_allows.unwrap_or(Some(Vec::new()))?.into_iter().collect();
    Some(RoleGrant { name: name?, key_owners, users, groups, also_allows })
}

fn role_name(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let name = text(node, "`name`", faults)?;
    if name == "UserDefault" {
        faults
            .add(code::WORD, node.at, "UserDefault is the role of everyone, not a custom role", "not a custom role")
            .help("if everyone is meant: `manage_api_keys: { everyone: {} }`; else give the role a name of its own");
        return None;
    }
    Some(name)
}

fn assign_to(entry: &Entry, faults: &mut Faults<'_>) -> Option<(bool, Vec<User>, Vec<String>)> {
    let fields = read::fields(&entry.value, "`assign_to`", entry.key_at, &ASSIGN_TO, faults)?;
    let key_owners = fields.get("key_owners").map(|node| key_owners(node, faults));
    let users = fields.get("users").map(|node| {
        let one = |item: &Node, faults: &mut Faults<'_>| {
            let fields = read::fields(item, "a user in `users`", item.at, &GRANTEE, faults)?;
            user(&fields, item, faults)
        };
        list(node, "`users`", &format!("[{EXAMPLE}]"), one, faults)
    });
    let groups = fields.get("groups").map(|node| {
        list(node, "`groups`", "[Integrations]", |item, faults| text(item, "a name in `groups`", faults), faults)
    });
    if key_owners.is_none() && users.is_none() && groups.is_none() {
        faults
            .add(code::MISSING, entry.value.at, "`assign_to` names nobody", "whom?")
            .help("as in `{ key_owners: true }`; also `users` and `groups` are taken");
        return None;
    }
    Some((key_owners.unwrap_or(Some(false))?, users.unwrap_or(Some(Vec::new()))?, groups.unwrap_or(Some(Vec::new()))?))
}

fn key_owners(node: &Node, faults: &mut Faults<'_>) -> Option<bool> {
    let says = read::boolean(node, "`key_owners`", faults)?;
    if !says {
        faults
            .add(code::WORD, node.at, "`key_owners` is `true` or left out", "says nothing")
            .help("leave it out, and name `users` or `groups`");
        return None;
    }
    Some(true)
}

/// A list that is not empty, each item read by itself.
fn list<T>(
    node: &Node,
    what: &str,
    example: &str,
    mut one: impl FnMut(&Node, &mut Faults<'_>) -> Option<T>,
    faults: &mut Faults<'_>,
) -> Option<Vec<T>> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            faults.add(code::MISSING, node.at, format!("{what} is empty"), "empty").help("fill it in, or leave it out");
            None
        }
        Value::List(items) => {
            let read: Vec<Option<T>> = items.iter().map(|item| one(item, faults)).collect();
            read.into_iter().collect()
        }
        Value::Broken => None,
        Value::Scalar { .. } | Value::Map(_) => {
            read::wrong_kind(node, what, "a list", faults).help(format!("as in `{example}`"));
            None
        }
    }
}
