//! `imburse:` in one file of desired state as it was written: profiles, tenants and their keys, each value with its place.

mod account;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};

use super::delivery;
use super::diagnostic::{Faults, code};
use super::group;
use super::profile::{self, Taking};
use super::read::{self, Fields, Keys};
use super::source::{At, Span};
use super::syntax::{Entry, Node, Value};
use super::texts::sent;
use crate::model::address::Name;
use crate::model::homes::Homes;
use crate::model::imburse::{ImburseKey, PairShape, PostalAddress};
use crate::model::marker::Marker;

pub(super) use account::account;
pub(super) use resolve::{facts, items};

/// Leaves room for the marker in what the vendor stores; how much it takes, it does not say.
const KEY_NAME_MAX: usize = 80;
const DISPLAY_NAME_MAX: usize = 255;
const ADDRESS_LINE_MAX: usize = 255;
const ROLE_MAX: usize = 64;
const ID_MAX: usize = 64;

const IMBURSE: Keys = Keys { known: &["profiles", "tenants"], later: &[] };
const PROFILE: Keys = Keys { known: &["account", "address", "api_keys"], later: &[] };
const TENANT: Keys = Keys {
    known: &["account", "profile", "display_name", "address", "adopt", "api_keys", "omit", "labels"],
    later: &[],
};
const ADDRESS: Keys =
    Keys { known: &["street_address", "extended_address", "locality", "region", "post_code", "country"], later: &[] };
const KEY: Keys = Keys { known: &["name", "roles", "deliver_to", "deliver_as", "adopt", "override"], later: &[] };
const ADOPT_TENANT: Keys = Keys { known: &["tenant_id"], later: &[] };
const ADOPT_KEY: Keys = Keys { known: &["public_key"], later: &[] };
const SHAPES: Keys = Keys { known: &["imburse", "env", "json"], later: &[] };

/// What the vendor's tutorial always sends is required of a tenant that is to be created.
const REQUIRED: [(&str, &str); 4] =
    [("street_address", "1 High Street"), ("locality", "London"), ("post_code", "SW1A 1AA"), ("country", "GB")];
const ADDRESS_EXAMPLE: &str = "{ street_address: …, locality: …, post_code: …, country: … }";

/// One file's.
#[derive(Default)]
pub(crate) struct File {
    pub(crate) profiles: Vec<(At<Name>, Shared)>,
    pub(crate) tenants: Vec<(At<Name>, DeclaredTenant)>,
}

pub(crate) type Shared = profile::Shared<DeclaredKey, Option<Address>>;

/// One tenant as it was written.
pub(crate) struct DeclaredTenant {
    pub(in crate::config) shared: Shared,
    pub(in crate::config) taking: Taking,
    display_name: Option<At<String>>,
    /// Whether `adopt` is written, right or wrong: the tenant exists, and needs nothing to be created with.
    adopts: bool,
    adopt: Option<At<String>>,
    labels: BTreeMap<Name, Name>,
}

/// An address that is written, right or wrong.
pub(crate) struct Address {
    value: PostalAddress,
    at: Span,
    /// Parts that a tenant to be created needs and that it does not say, each with an example.
    missing: Vec<(&'static str, &'static str)>,
}

pub(crate) struct DeclaredKey {
    overrides: Option<Span>,
    /// `None` where something in it is at fault.
    spec: Option<ImburseKey>,
    deliver_to: Vec<At<Name>>,
}

impl profile::TakesProfile for DeclaredKey {
    fn overrides(&self) -> Option<Span> {
        self.overrides
    }

    fn deliver_to(&self) -> &[At<Name>] {
        &self.deliver_to
    }
}

/// What stands under `imburse:`; what is at fault is recorded and left out.
pub(crate) fn file(entry: &Entry, faults: &mut Faults<'_>) -> File {
    let mut file = File::default();
    let Some(fields) = read::fields(&entry.value, "`imburse`", entry.key_at, &IMBURSE, faults) else { return file };
    if let Some(node) = fields.get("profiles") {
        file.profiles = profile::profiles(node, faults, |entry, what, faults| {
            let fields = read::fields(&entry.value, what, entry.key_at, &PROFILE, faults)?;
            Some(shared(&fields, what, faults))
        });
    }
    if let Some(node) = fields.get("tenants") {
        for entry in read::map(node, "`tenants`", faults).unwrap_or_default() {
            let name = read::key_name(entry, "tenant", faults);
            let tenant = tenant(entry, faults);
            file.tenants.extend(name.zip(tenant));
        }
    }
    file
}

fn tenant(entry: &Entry, faults: &mut Faults<'_>) -> Option<DeclaredTenant> {
    let what = format!("tenant {}", faults.quote(&entry.key));
    let fields = read::fields(&entry.value, &what, entry.key_at, &TENANT, faults)?;
    let shared = shared(&fields, &what, faults);
    let taking = profile::taking(&fields, faults);
    let adopt = fields.get("adopt");
    let id = adopt.and_then(|node| {
        let (_, entry) = read::choice(node, "`adopt` of a tenant", &ADOPT_TENANT, "{ tenant_id: … }", faults)?;
        id(&entry.value, "`tenant_id`", faults)
    });
    let name = match adopt {
        Some(_) => fields.get("display_name"),
        None => fields.require("display_name", "Acme Corp", faults),
    };
    let display_name = name.and_then(|node| {
        let text = sent(node, "`display_name`", DISPLAY_NAME_MAX, faults)?;
        Some(At { value: text.to_owned(), at: node.at })
    });
    match &shared.more {
        Some(address) if adopt.is_none() => {
            let note =
                if taking.names_profile { "; it is taken whole, and nothing of the profile's with it" } else { "" };
            address.complete(note, None, faults);
        }
        // A profile may have it.
        None if adopt.is_none() && !taking.names_profile => {
            fields.require("address", ADDRESS_EXAMPLE, faults);
        }
        Some(_) | None => {}
    }
    let labels = group::labels(&fields, faults);
    Some(DeclaredTenant { shared, taking, display_name, adopts: adopt.is_some(), adopt: id, labels })
}

fn shared(fields: &Fields<'_>, what: &str, faults: &mut Faults<'_>) -> Shared {
    let address = fields.entry("address").map(|entry| address(entry, faults));
    profile::shared(fields, what, address, faults, key)
}

fn address(entry: &Entry, faults: &mut Faults<'_>) -> Address {
    let mut address = Address { value: PostalAddress::default(), at: entry.key_at, missing: Vec::new() };
    let Some(fields) = read::fields(&entry.value, "`address`", entry.key_at, &ADDRESS, faults) else { return address };
    address.missing.extend(REQUIRED.iter().filter(|(key, _)| fields.get(key).is_none()));
    let mut part = |key: &str| {
        let node = fields.get(key)?;
        sent(node, &format!("`{key}`"), ADDRESS_LINE_MAX, faults).map(str::to_owned)
    };
    address.value = PostalAddress {
        street_address: part("street_address"),
        extended_address: part("extended_address"),
        locality: part("locality"),
        region: part("region"),
        post_code: part("post_code"),
        country: part("country"),
    };
    address
}

impl Address {
    /// A tenant is to be created with it: `by`, where it is a profile's.
    fn complete(&self, note: &str, by: Option<Span>, faults: &mut Faults<'_>) {
        for (key, example) in &self.missing {
            let message = format!("`address` says no `{key}`");
            let by = by.map(|at| faults.place(at));
            let fault = faults.add(code::MISSING, self.at, message, format!("`{key}` is missing"));
            fault.help(format!("add `{key}: {example}`{note}"));
            if let Some(by) = by {
                fault.also(by, "a tenant is to be created with it");
            }
        }
    }
}

/// `of` is what the key belongs to.
fn key(entry: &Entry, of: &str, faults: &mut Faults<'_>) -> Option<DeclaredKey> {
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
    let deliver_to =
        need("deliver_to", "files", faults).and_then(|node| delivery::to(node, faults)).unwrap_or_default();
    let deliver_as = fields.get("deliver_as").and_then(|node| delivery::shapes(node, &deliver_to, shape, faults));
    let overrides = profile::overrides(&fields, faults);
    if faults.count() > before {
        return Some(DeclaredKey { overrides, spec: None, deliver_to });
    }
    let spec = ImburseKey {
        name: name.unwrap_or_default(),
        roles: roles.unwrap_or_default(),
        // Nothing of an adopted key is delivered.
        deliver_to: match delivery::homes(&deliver_to) {
            Some(homes) => homes,
            None => Homes::one(Name::parse("none").ok()?),
        },
        deliver_as: deliver_as.unwrap_or_default(),
        adopt: adopted.map(|id| id.value),
    };
    Some(DeclaredKey { overrides, spec: Some(spec), deliver_to })
}

fn key_name(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = sent(node, "`name`", KEY_NAME_MAX, faults)?;
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
        let Some(role) = sent(item, "a role", ROLE_MAX, faults) else { continue };
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

fn shape(node: &Node, faults: &mut Faults<'_>) -> Option<PairShape> {
    let word = read::word(node, "`deliver_as` of an Imburse key", &SHAPES, faults)?;
    PairShape::ALL.iter().find(|(name, _)| *name == word).map(|(_, shape)| *shape)
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
