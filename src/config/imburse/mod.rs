//! `imburse:` in one file of desired state as it was written: tenants and their keys, each value with its place.

mod account;
mod resolve;

use std::collections::BTreeSet;

use super::desired::line;
use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::source::At;
use super::syntax::{Entry, Node, Value};
use crate::model::address::Name;
use crate::model::imburse::{ImburseKey, PostalAddress, Shape};
use crate::model::marker::Marker;

pub(super) use account::account;
pub(super) use resolve::{facts, items};

/// Leaves room for the marker in what the vendor stores; how much it takes, it does not say.
const KEY_NAME_MAX: usize = 80;
const DISPLAY_NAME_MAX: usize = 255;
const ADDRESS_LINE_MAX: usize = 255;
const ROLE_MAX: usize = 64;
const ID_MAX: usize = 64;

const IMBURSE: Keys = Keys { known: &["tenants"], later: &["profiles"] };
const TENANT: Keys = Keys { known: &["account", "display_name", "address", "adopt", "api_keys"], later: &["profile"] };
const ADDRESS: Keys =
    Keys { known: &["street_address", "extended_address", "locality", "region", "post_code", "country"], later: &[] };
const KEY: Keys = Keys { known: &["name", "roles", "deliver_to", "deliver_as", "adopt"], later: &[] };
const ADOPT_TENANT: Keys = Keys { known: &["tenant_id"], later: &[] };
const ADOPT_KEY: Keys = Keys { known: &["public_key"], later: &[] };
const SHAPES: Keys = Keys { known: &["imburse", "env", "json"], later: &[] };

/// One tenant as it was written.
#[derive(Default)]
pub(crate) struct Tenant {
    account: Option<At<Name>>,
    display_name: Option<At<String>>,
    address: Option<PostalAddress>,
    adopt: Option<At<String>>,
    keys: Vec<(At<Name>, Key)>,
    /// Something that a tenant needs is missing or at fault.
    broken: bool,
}

struct Key {
    /// `None` where something in it is at fault.
    spec: Option<ImburseKey>,
    deliver_to: Option<At<Name>>,
}

/// The tenants under `imburse:`; what is at fault is recorded and left out.
pub(crate) fn tenants(entry: &Entry, faults: &mut Faults<'_>) -> Vec<(At<Name>, Tenant)> {
    let mut tenants = Vec::new();
    let Some(fields) = read::fields(&entry.value, "`imburse`", entry.key_at, &IMBURSE, faults) else { return tenants };
    let Some(node) = fields.get("tenants") else { return tenants };
    for entry in read::map(node, "`tenants`", faults).unwrap_or_default() {
        let name = read::key_name(entry, "tenant", faults);
        let tenant = tenant(entry, faults);
        tenants.extend(name.zip(tenant));
    }
    tenants
}

fn tenant(entry: &Entry, faults: &mut Faults<'_>) -> Option<Tenant> {
    let what = format!("tenant {}", faults.quote(&entry.key));
    let fields = read::fields(&entry.value, &what, entry.key_at, &TENANT, faults)?;
    let before = faults.count();
    let mut tenant = Tenant {
        account: fields.require("account", "NAME", faults).and_then(|node| read::name(node, "`account`", faults)),
        ..Tenant::default()
    };
    let adopt = fields.get("adopt");
    if let Some(node) = adopt
        && let Some((_, entry)) = read::choice(node, "`adopt` of a tenant", &ADOPT_TENANT, "{ tenant_id: … }", faults)
    {
        tenant.adopt = id(&entry.value, "`tenant_id`", faults);
    }
    let name = match adopt {
        Some(_) => fields.get("display_name"),
        None => fields.require("display_name", "Acme Corp", faults),
    };
    tenant.display_name = name.and_then(|node| {
        let text = line(node, "`display_name`", DISPLAY_NAME_MAX, faults)?;
        Some(At { value: text.to_owned(), at: node.at })
    });
    if adopt.is_none() {
        fields.require("address", "{ street_address: …, locality: …, post_code: …, country: … }", faults);
    }
    tenant.address = fields.entry("address").and_then(|entry| address(entry, adopt.is_some(), faults));
    tenant.broken = faults.count() > before;
    if let Some(node) = fields.get("api_keys") {
        for entry in read::map(node, "`api_keys`", faults).unwrap_or_default() {
            let name = read::key_name(entry, "key", faults);
            let key = key(entry, &what, faults);
            tenant.keys.extend(name.zip(key));
        }
    }
    Some(tenant)
}

/// What the vendor's tutorial always sends is required of a tenant that is to be created.
fn address(entry: &Entry, adopted: bool, faults: &mut Faults<'_>) -> Option<PostalAddress> {
    let fields = read::fields(&entry.value, "`address`", entry.key_at, &ADDRESS, faults)?;
    if !adopted {
        for (key, example) in
            [("street_address", "1 High Street"), ("locality", "London"), ("post_code", "SW1A 1AA"), ("country", "GB")]
        {
            fields.require(key, example, faults);
        }
    }
    let mut part = |key: &str| {
        let node = fields.get(key)?;
        line(node, &format!("`{key}`"), ADDRESS_LINE_MAX, faults).map(str::to_owned)
    };
    Some(PostalAddress {
        street_address: part("street_address"),
        extended_address: part("extended_address"),
        locality: part("locality"),
        region: part("region"),
        post_code: part("post_code"),
        country: part("country"),
    })
}

/// `of` is what the key belongs to.
fn key(entry: &Entry, of: &str, faults: &mut Faults<'_>) -> Option<Key> {
    let what = format!("key {} of {of}", faults.quote(&entry.key));
    let fields = read::fields(&entry.value, &what, entry.key_at, &KEY, faults)?;
    let before = faults.count();
    let adopt = fields.get("adopt");
    let adopted = adopt.and_then(|node| {
        let (_, entry) = read::choice(node, "`adopt` of a key", &ADOPT_KEY, "{ public_key: … }", faults)?;
        id(&entry.value, "`public_key`", faults)
    });
    let need = |key: &'static str, example: &str, faults: &mut Faults<'_>| {
        if adopt.is_some() { fields.get(key) } else { fields.require(key, example, faults) }
    };
    let name = need("name", "Admin Key", faults).and_then(|node| key_name(node, faults));
    let roles = need("roles", "[tenant-admin]", faults).and_then(|node| roles(node, faults));
    let deliver_to = need("deliver_to", "files", faults).and_then(|node| read::name(node, "`deliver_to`", faults));
    let deliver_as = shape(&fields, faults);
    if faults.count() > before {
        return Some(Key { spec: None, deliver_to });
    }
    let spec = ImburseKey {
        name: name.unwrap_or_default(),
        roles: roles.unwrap_or_default(),
        // Nothing of an adopted key is delivered.
        deliver_to: match &deliver_to {
            Some(name) => name.value.clone(),
            None => Name::parse("none").ok()?,
        },
        deliver_as,
        adopt: adopted.map(|id| id.value),
    };
    Some(Key { spec: Some(spec), deliver_to })
}

fn key_name(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = line(node, "`name`", KEY_NAME_MAX, faults)?;
    if Marker::is_in(text) {
        let message = "`name` holds what begins like this program's own marker";
        faults.add(code::TEXT, node.at, message, "`[qp1:` is reserved").help("leave `[qp1:` out");
        return None;
    }
    Some(text.to_owned())
}

/// A set: the vendor gives their order no meaning.
fn roles(node: &Node, faults: &mut Faults<'_>) -> Option<BTreeSet<String>> {
    let items = match &node.value {
        Value::List(items) => items,
        Value::Broken => return None,
        Value::Scalar { .. } | Value::Map(_) => {
            read::wrong_kind(node, "`roles`", "a list", faults).help("as in `roles: [tenant-admin]`");
            return None;
        }
    };
    let mut roles = BTreeSet::new();
    for item in items {
        let Some(role) = line(item, "a role", ROLE_MAX, faults) else { continue };
        if !roles.insert(role.to_owned()) {
            let message = format!("role {} is named twice", faults.quote(role));
            faults.add(code::TEXT, item.at, message, "again here").help("name each role once");
        }
    }
    if items.is_empty() {
        faults
            .add(code::TEXT, node.at, "`roles` is empty: the key could do nothing", "empty")
            .help("as in `roles: [tenant-admin]`");
    }
    Some(roles)
}

fn shape(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Shape {
    let Some(node) = fields.get("deliver_as") else { return Shape::default() };
    let word = read::word(node, "`deliver_as` of an Imburse key", &SHAPES, faults);
    Shape::ALL.iter().find(|(name, _)| Some(*name) == word).map(|(_, shape)| *shape).unwrap_or_default()
}

/// It becomes part of a request's path, so nothing but what ids consist of.
fn id(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<At<String>> {
    let text = read::text(node, what, faults)?;
    if !is_id(text) {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, format!("{what} is no id"), "letters, digits and `-`")
            .help("the id, as the vendor shows it: a123456b-c12c-123d-1ab4-18bd8c8e88a3");
        return None;
    }
    Some(At { value: text.to_ascii_lowercase(), at: node.at })
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
