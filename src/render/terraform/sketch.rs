//! The change of one object while it grows: before, after, what is not known yet, what is sensitive.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::address::{Address, Vendor};
use crate::plan::action::{Parent, TenantRef};

use super::declared::Members;
use super::document::{Change, Check, Importing, ResourceChange, Values, Verb, full};

/// Everything of one object.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) change: Option<Sketch>,
    /// Leftovers of the same address.
    pub(super) deposed: Vec<ResourceChange>,
    /// Users who are made in a tenant: objects of their own.
    pub(super) objects: Vec<ResourceChange>,
    pub(super) drift: Option<ResourceChange>,
    pub(super) checks: Vec<Check>,
}

/// The object's own change while it grows.
pub(super) struct Sketch {
    pub(super) verb: Verb,
    pub(super) before: Values,
    pub(super) after: Values,
    pub(super) unknown: Values,
    /// A key has a token, known to its sink alone.
    pub(super) sensitive: bool,
    pub(super) importing: Option<Importing>,
}

impl Draft {
    /// The object's change, at least this strong.
    pub(super) fn sketch(&mut self, verb: Verb) -> &mut Sketch {
        let sketch = self.change.get_or_insert_with(|| Sketch::new(verb));
        sketch.verb = sketch.verb.max(verb);
        sketch
    }
}

impl Sketch {
    pub(super) fn new(verb: Verb) -> Self {
        Self { verb, before: Map::new(), after: Map::new(), unknown: Map::new(), sensitive: false, importing: None }
    }

    /// The same before and after.
    pub(super) fn known(&mut self, name: &str, value: impl serde::Serialize) {
        let value = json!(value);
        self.before.insert(name.to_owned(), value.clone());
        self.after.insert(name.to_owned(), value);
    }

    pub(super) fn turn(&mut self, name: &str, before: Value, after: Value) {
        self.before.insert(name.to_owned(), before);
        self.after.insert(name.to_owned(), after);
    }

    /// What it was is not part of the plan.
    pub(super) fn becomes(&mut self, name: &str, after: Value) {
        self.after.insert(name.to_owned(), after);
    }

    pub(super) fn unknown(&mut self, name: &str) {
        self.after.insert(name.to_owned(), Value::Null);
        self.unknown.insert(name.to_owned(), json!(true));
    }

    pub(super) fn token(&mut self) {
        self.sensitive = true;
        self.turn("token", Value::Null, Value::Null);
    }

    /// A key that is there. Keys of Imburse have no end to speak of.
    pub(super) fn key(&mut self, vendor: Vendor, id: &str, expires: Option<Timestamp>) {
        self.token();
        self.known("id", id);
        match vendor {
            Vendor::Qlik => self.known("expires", expires),
            Vendor::Imburse => {}
        }
    }

    /// What is declared and not said yet, of an object that is there: the same before and after.
    pub(super) fn complete(&mut self, members: Members) {
        if self.verb == Verb::Create {
            return;
        }
        for (name, value) in members {
            let side = |side: &mut Values| match (side.get_mut(name), &value) {
                (None, value) => drop(side.insert(name.to_owned(), value.clone())),
                // A part of it may be known to differ.
                (Some(Value::Object(there)), Value::Object(declared)) => {
                    for (part, value) in declared {
                        there.entry(part.clone()).or_insert_with(|| value.clone());
                    }
                }
                (Some(_), _) => {}
            };
            // What a change gives a value had another before.
            let changes = self.after.contains_key(name) && !self.before.contains_key(name);
            if !changes {
                side(&mut self.before);
            }
            side(&mut self.after);
        }
    }

    /// The tenant that the object is, or lies in.
    pub(super) fn tenant(&mut self, address: &Address, parent: &Parent) {
        match parent {
            Parent::Exists(tenant) => self.there(address, tenant),
            // Of the tenant itself, the creation said it already.
            Parent::MadeBefore(_) => {}
        }
        if !address.is_tenant() {
            self.becomes("tenant", json!(full(&address.parent())));
        }
    }

    pub(super) fn there(&mut self, address: &Address, tenant: &TenantRef) {
        let TenantRef { id, hostname } = tenant;
        self.known(if address.is_tenant() { "id" } else { "tenant_id" }, id.raw());
        self.known("hostname", hostname.raw());
    }

    pub(super) fn finish(self, address: &Address) -> ResourceChange {
        let Self { verb, before, after, unknown, sensitive, importing } = self;
        let flags = || if sensitive { json!({ "token": true }) } else { json!(false) };
        let made = verb == Verb::Create;
        let change = Change {
            actions: [verb],
            before: (!made).then_some(before),
            after: Some(after),
            after_unknown: unknown,
            before_sensitive: if made { json!(false) } else { flags() },
            after_sensitive: flags(),
            importing,
        };
        ResourceChange::of(address, change)
    }
}

/// `api_key_limits.max_expiry` is a member of a member, as it is declared.
pub(super) fn put(values: &mut Values, field: &str, value: Value) {
    match field.split_once('.') {
        None => {
            values.insert(field.to_owned(), value);
        }
        Some((outer, inner)) => {
            let slot = values.entry(outer).or_insert_with(|| json!({}));
            if let Some(members) = slot.as_object_mut() {
                members.insert(inner.to_owned(), value);
            }
        }
    }
}
