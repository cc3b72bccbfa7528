//! The settings file → settings. No value of it is shown where a secret may have been pasted.

use std::collections::BTreeMap;
use std::path::Path;

use super::diagnostic::{Faults, code};
use super::imburse;
use super::place;
use super::read::{self, Keys};
use super::reference::{join, path, required_reference};
use super::sinks;
use super::source::Span;
use super::syntax::{self, Entry, Node, Value};
use crate::model::address::Name;
use crate::model::host::{Label, QLIK_CLOUD, Region};
use crate::model::settings::{Account, Client, ConfiguredOwner, ImburseAccount, Ledger, Limits, Network, Settings};

const ROOT: Keys = Keys { known: &["version", "accounts", "sinks", "ledger", "limits", "network"], later: &[] };
const ACCOUNT: Keys = Keys {
    known: &[
        "vendor",
        "region",
        "domain",
        "source_tenant",
        "client",
        "key_client",
        "organization_client",
        "ignore_tenants",
        "owners",
    ],
    later: &[],
};
const VENDORS: Keys = Keys { known: &["qlik", "imburse"], later: &[] };
const CLIENT: Keys = Keys { known: &["id", "secret"], later: &[] };
const OWNER: Keys = Keys { known: &["tenant", "api_key"], later: &[] };
const LIMITS: Keys = Keys { known: &["create_tenants", "mint_keys", "objects"], later: &[] };
const NETWORK: Keys = Keys { known: &["proxy", "ca_file", "ignore_env_proxy"], later: &[] };

const HOST_REST: &str = "comes from `region` and `domain`";
/// More than any run should make; a typing error is caught.
const LIMIT_MAX: u32 = 1_000_000;
/// Some ten gigabytes.
const OBJECTS_MAX: u32 = 10_000_000;

/// Reads the one settings file. `None` only where a fault is recorded.
pub(crate) fn file(index: usize, base: &Path, faults: &mut Faults<'_>) -> Option<Settings> {
    let root = syntax::parse(index, faults)?;
    if !read::version(&root, faults) {
        return None;
    }
    let root = read::fields(&root, "the settings", Span::top(index), &ROOT, faults)?;
    root.require("version", "1", faults);
    let (mut accounts, mut imburse) = (BTreeMap::new(), BTreeMap::new());
    if let Some(node) = root.get("accounts") {
        let all = read::named(node, "`accounts`", "account", faults, |what, entry, faults| {
            of_vendor(what, entry, base, faults)
        });
        for (name, account) in all {
            match account {
                OfVendor::Qlik(account) => drop(accounts.insert(name, *account)),
                OfVendor::Imburse(account) => drop(imburse.insert(name, *account)),
            }
        }
    }
    let sinks = root.get("sinks").map(|node| {
        read::named(node, "`sinks`", "sink", faults, |what, entry, faults| sinks::sink(what, entry, base, faults))
    });
    let ledger = root.entry("ledger").map(|entry| place::ledger(entry, base, faults));
    let default = Ledger::Directory { path: join(base, place::LEDGER_PATH), durable: false };
    let limits = root.entry("limits").map(|entry| limits(entry, faults)).unwrap_or_default();
    let network = root.entry("network").map(|entry| network(entry, base, faults)).unwrap_or_default();
    Some(Settings {
        qlik: accounts,
        imburse,
        sinks: sinks.unwrap_or_default(),
        ledger: ledger.unwrap_or(Some(default))?,
        limits,
        network,
    })
}

/// An account of either vendor.
enum OfVendor {
    Qlik(Box<Account>),
    Imburse(Box<ImburseAccount>),
}

/// One that says no vendor, or none that is known, is read as Qlik's, the first of them.
fn of_vendor(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<OfVendor> {
    if vendor_of(&entry.value) == Some("imburse") {
        return imburse::account(what, entry, base, faults).map(|account| OfVendor::Imburse(Box::new(account)));
    }
    account(what, entry, base, faults).map(|account| OfVendor::Qlik(Box::new(account)))
}

fn account(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Account> {
    let fields = read::fields(&entry.value, what, entry.key_at, &ACCOUNT, faults)?;
    let vendor = fields.require("vendor", "qlik", faults);
    vendor.and_then(|node| read::word(node, "`vendor`", &VENDORS, faults));
    let region =
        fields.require("region", "us", faults).and_then(|node| read::label(node, "`region`", "is `domain`", faults));
    let domain = match fields.get("domain") {
        Some(node) => domain(node, faults),
        None => Some(QLIK_CLOUD.to_owned()),
    };
    let source_tenant = fields.get("source_tenant").map(|node| read::label(node, "`source_tenant`", HOST_REST, faults));
    let client_entry = fields.entry("client");
    if client_entry.is_none() {
        fields.require("client", "{ id: { env: QLIK_CLIENT_ID }, secret: { env: QLIK_CLIENT_SECRET } }", faults);
    }
    let region_client = client_entry.and_then(|entry| client("`client`", entry, base, faults));
    let key_client = fields.entry("key_client").map(|entry| client("`key_client`", entry, base, faults));
    let organization = fields.entry("organization_client");
    let organization = organization.map(|entry| client("`organization_client`", entry, base, faults));
    let ignored = fields.get("ignore_tenants").map(|node| ignored(node, faults));
    let owners: Option<BTreeMap<Name, ConfiguredOwner>> = fields.get("owners").map(|node| {
        read::named(node, "`owners`", "owner", faults, |what, entry, faults| owner(what, entry, base, faults))
    });
    Some(Account {
        region: Region { label: region?.value, domain: domain? },
        source_tenant: match source_tenant {
            Some(label) => Some(label?.value),
            None => None,
        },
        client: region_client?,
        key_client: match key_client {
            Some(client) => Some(client?),
            None => None,
        },
        organization_client: match organization {
            Some(client) => Some(client?),
            None => None,
        },
        ignore_tenants: match ignored {
            Some(labels) => labels?,
            None => Vec::new(),
        },
        owners: owners.unwrap_or_default(),
    })
}

fn ignored(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<Label>> {
    let Value::List(items) = &node.value else {
        read::wrong_kind(node, "`ignore_tenants`", "a list", faults).help("as in `ignore_tenants: [mycorp-test]`");
        return None;
    };
    let read = |item| read::label(item, "an ignored tenant", HOST_REST, faults).map(|at| at.value);
    let read: Vec<Option<Label>> = items.iter().map(read).collect();
    read.into_iter().collect()
}

fn vendor_of(node: &Node) -> Option<&str> {
    let Value::Map(entries) = &node.value else { return None };
    match entries.iter().find(|entry| entry.key == "vendor").map(|entry| &entry.value.value) {
        Some(Value::Scalar { text, .. }) => Some(text),
        Some(Value::Map(_) | Value::List(_) | Value::Broken) | None => None,
    }
}

fn client(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Client> {
    let fields = read::fields(&entry.value, what, entry.key_at, &CLIENT, faults)?;
    let id = required_reference(&fields, "id", "QLIK_CLIENT_ID", base, faults);
    let secret = required_reference(&fields, "secret", "QLIK_CLIENT_SECRET", base, faults);
    Some(Client { id: id?, secret: secret? })
}

fn owner(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<ConfiguredOwner> {
    let fields = read::fields(&entry.value, what, entry.key_at, &OWNER, faults)?;
    let tenant =
        fields.require("tenant", "mycorp", faults).and_then(|node| read::label(node, "`tenant`", HOST_REST, faults));
    let api_key = required_reference(&fields, "api_key", "RELEASE_BOT_QLIK_KEY", base, faults);
    Some(ConfiguredOwner { tenant: tenant?.value, api_key: api_key? })
}

fn domain(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`domain`", faults)?;
    let label = |part: &str| Label::parse(part).is_ok_and(|label| label.as_str() == part);
    let last_is_word = text.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()));
    if !text.contains('.') || text.len() > 190 || !text.split('.').all(label) || !last_is_word {
        let message = format!("`domain`: {} is not a domain", faults.quote(text));
        let help = "lower-case labels with dots between, as in `qlikcloud.com`; no scheme, port or path";
        faults.add(code::PLACE, node.at, message, "not a domain").help(help);
        return None;
    }
    Some(text.to_owned())
}

fn limits(entry: &Entry, faults: &mut Faults<'_>) -> Limits {
    let default = Limits::default();
    let Some(fields) = read::fields(&entry.value, "`limits`", entry.key_at, &LIMITS, faults) else { return default };
    let mut read_to = |key: &str, default: u32, most: u32| {
        fields.get(key).and_then(|node| read::number(node, &format!("`{key}`"), most, faults)).unwrap_or(default)
    };
    let mut read = |key: &str, default: u32| read_to(key, default, LIMIT_MAX);
    Limits {
        create_tenants: read("create_tenants", default.create_tenants),
        mint_keys: read("mint_keys", default.mint_keys),
        objects: read_to("objects", default.objects, OBJECTS_MAX),
    }
}

fn network(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Network {
    let mut network = Network::default();
    let Some(fields) = read::fields(&entry.value, "`network`", entry.key_at, &NETWORK, faults) else { return network };
    network.proxy = fields.get("proxy").and_then(|node| proxy(node, faults));
    network.ca_file = fields.get("ca_file").and_then(|node| path(node, "`ca_file`", base, faults));
    network.ignore_env_proxy = fields
        .get("ignore_env_proxy")
        .and_then(|node| read::boolean(node, "`ignore_env_proxy`", faults))
        .unwrap_or_default();
    network
}

/// `http://host:port`. A proxy's password is a secret as well, so what does not fit is not shown.
fn proxy(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`proxy`", faults)?;
    let host_fits = |host: &str| {
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bracketed.map_or_else(
            || !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.'),
            |address| address.parse::<std::net::Ipv6Addr>().is_ok(),
        )
    };
    let parts = text.strip_prefix("http://").and_then(|rest| rest.rsplit_once(':'));
    if parts.is_some_and(|(host, port)| host_fits(host) && port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`proxy` is not of the form http://HOST:PORT", "not shown")
        .help("as in `http://proxy.example:3128`; a proxy's user and password are not supported yet");
    None
}
