//! The settings file → settings. No value of it is shown where a secret may have been pasted.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::source::Span;
use super::syntax::{self, Entry, Kind, Node, Value};
use crate::model::address::Name;
use crate::model::host::{Label, Region};
use crate::model::settings::{Account, Client, ConfiguredOwner, Ledger, Limits, Network, Reference, Settings, Sink};

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
const VENDORS: Keys = Keys { known: &["qlik"], later: &["imburse"] };
const CLIENT: Keys = Keys { known: &["id", "secret"], later: &[] };
const OWNER: Keys = Keys { known: &["tenant", "api_key"], later: &[] };
const SINK: Keys = Keys { known: &["kind", "directory", "durable"], later: &["shared"] };
const SINKS: Keys = Keys {
    known: &["file"],
    later: &["command", "age", "vault", "aws-secrets-manager", "kubernetes", "github-actions"],
};
const LEDGER: Keys = Keys { known: &["kind", "path"], later: &[] };
const LEDGERS: Keys = Keys { known: &["directory"], later: &["object-store"] };
const LIMITS: Keys = Keys { known: &["create_tenants", "mint_keys"], later: &[] };
const NETWORK: Keys = Keys { known: &["proxy", "ca_file", "ignore_env_proxy"], later: &[] };

const HOST_REST: &str = "comes from `region` and `domain`";
const DOMAIN: &str = "qlikcloud.com";
const LEDGER_PATH: &str = ".qlik-plan/ledger";
/// More than any run should make; a typing error is caught.
const LIMIT_MAX: u32 = 1_000_000;

/// Reads the one settings file. `None` only where a fault is recorded.
pub(crate) fn file(index: usize, base: &Path, faults: &mut Faults<'_>) -> Option<Settings> {
    let root = syntax::parse(index, faults)?;
    if !read::version(&root, faults) {
        return None;
    }
    let root = read::fields(&root, "the settings", Span::top(index), &ROOT, faults)?;
    root.require("version", "1", faults);
    let accounts = root.get("accounts").map(|node| {
        read::named(node, "`accounts`", "account", faults, |what, entry, faults| account(what, entry, base, faults))
    });
    let sinks = root.get("sinks").map(|node| {
        read::named(node, "`sinks`", "sink", faults, |what, entry, faults| sink(what, entry, base, faults))
    });
    let ledger = root.entry("ledger").map(|entry| ledger(entry, base, faults));
    let default = Ledger::Directory { path: join(base, LEDGER_PATH) };
    let limits = root.entry("limits").map(|entry| limits(entry, faults)).unwrap_or_default();
    let network = root.entry("network").map(|entry| network(entry, base, faults)).unwrap_or_default();
    Some(Settings {
        accounts: accounts.unwrap_or_default(),
        sinks: sinks.unwrap_or_default(),
        ledger: ledger.unwrap_or(Some(default))?,
        limits,
        network,
    })
}

fn account(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Account> {
    if of_another_vendor(&entry.value) {
        is_known(&entry.value, "vendor", &VENDORS, what, faults);
        return None;
    }
    let fields = read::fields(&entry.value, what, entry.key_at, &ACCOUNT, faults)?;
    let vendor = fields.require("vendor", "qlik", faults);
    vendor.and_then(|node| read::word(node, "`vendor`", &VENDORS, faults));
    let region =
        fields.require("region", "us", faults).and_then(|node| read::label(node, "`region`", "is `domain`", faults));
    let domain = match fields.get("domain") {
        Some(node) => domain(node, faults),
        None => Some(DOMAIN.to_owned()),
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
    items.iter().map(|item| read::label(item, "an ignored tenant", HOST_REST, faults).map(|at| at.value)).collect()
}

/// Whether an account says a vendor that is known to come.
fn of_another_vendor(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    entries.iter().any(|entry| {
        entry.key == "vendor"
            && matches!(&entry.value.value, Value::Scalar { text, .. } if VENDORS.later.contains(&text.as_str()))
    })
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

fn required_reference(
    fields: &Fields<'_>,
    key: &'static str,
    example: &str,
    base: &Path,
    faults: &mut Faults<'_>,
) -> Option<Reference> {
    fields.require(key, &format!("{{ env: {example} }}"), faults)?;
    fields.entry(key).and_then(|entry| reference(entry, base, faults))
}

/// `{ env: NAME }` or `{ file: PATH }`. Whatever else stands there may be a secret: neither it nor its line is shown.
fn reference(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Reference> {
    const HELP: &str = "secrets never stand in YAML; say { env: NAME } or { file: PATH }";
    let node = &entry.value;
    let key = &entry.key;
    if let Value::Map(entries) = &node.value
        && let [only] = entries.as_slice()
        && let Value::Scalar { text, kind: Kind::Text } = &only.value.value
    {
        match only.key.as_str() {
            "env" if is_variable(text) => return Some(Reference::Env(text.clone())),
            "file" if is_path(text) => return Some(Reference::File(join(base, text))),
            _ => {}
        }
    }
    if matches!(node.value, Value::Broken) {
        return None;
    }
    let (message, label) = match &node.value {
        Value::Scalar { kind: Kind::Null, .. } => (format!("`{key}` refers to nothing"), "a reference is expected"),
        Value::Scalar { .. } => {
            (format!("`{key}` holds a value where a reference is expected"), "not shown; change it if it was a secret")
        }
        Value::Map(_) | Value::List(_) | Value::Broken => {
            (format!("`{key}` is not a reference to an environment variable or a file"), "not shown")
        }
    };
    faults.mask(node.at);
    faults.add(code::SECRET, node.at, message, label).help(HELP);
    None
}

fn is_variable(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_path(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
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

fn sink(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Sink> {
    if !is_known(&entry.value, "kind", &SINKS, what, faults) {
        return None;
    }
    let fields = read::fields(&entry.value, what, entry.key_at, &SINK, faults)?;
    fields.require("kind", "file", faults);
    let directory =
        fields.require("directory", "./secrets", faults).and_then(|node| path(node, "`directory`", base, faults));
    let durable = match fields.get("durable") {
        Some(node) => read::boolean(node, "`durable`", faults),
        None => Some(false),
    };
    Some(Sink::File { directory: directory?, durable: durable? })
}

fn ledger(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Ledger> {
    if !is_known(&entry.value, "kind", &LEDGERS, "`ledger`", faults) {
        return None;
    }
    let fields = read::fields(&entry.value, "`ledger`", entry.key_at, &LEDGER, faults)?;
    fields.require("kind", "directory", faults);
    let path = match fields.get("path") {
        Some(node) => path(node, "`path`", base, faults),
        None => Some(join(base, LEDGER_PATH)),
    };
    Some(Ledger::Directory { path: path? })
}

/// Of another kind, its other keys are not ours to judge, nor to show: that is the one fault.
fn is_known(node: &Node, key: &str, keys: &Keys, what: &str, faults: &mut Faults<'_>) -> bool {
    let Value::Map(entries) = &node.value else { return true };
    let Some(kind) = entries.iter().find(|entry| entry.key == key) else { return true };
    if read::word(&kind.value, &format!("`{key}` of {what}"), keys, faults).is_some() {
        return true;
    }
    for other in entries.iter().filter(|entry| entry.key != key) {
        faults.mask(other.value.at);
    }
    false
}

fn limits(entry: &Entry, faults: &mut Faults<'_>) -> Limits {
    let default = Limits::default();
    let Some(fields) = read::fields(&entry.value, "`limits`", entry.key_at, &LIMITS, faults) else { return default };
    let mut read = |key: &str, default: u32| {
        fields.get(key).and_then(|node| read::number(node, &format!("`{key}`"), LIMIT_MAX, faults)).unwrap_or(default)
    };
    Limits {
        create_tenants: read("create_tenants", default.create_tenants),
        mint_keys: read("mint_keys", default.mint_keys),
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

fn path(node: &Node, what: &str, base: &Path, faults: &mut Faults<'_>) -> Option<PathBuf> {
    let text = read::text(node, what, faults)?;
    if !is_path(text) {
        let message = format!("{what} is not a path");
        faults.add(code::PLACE, node.at, message, "not a path").help("as in `./secrets`, relative to this file");
        return None;
    }
    Some(join(base, text))
}

/// `text` under `base`, with `.` and `..` taken out by their names alone: nothing is read.
fn join(base: &Path, text: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in base.join(text).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                path.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => path.push(component),
        }
    }
    path
}
