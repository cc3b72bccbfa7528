//! Where the ledger is, as settings say it: one reader a kind.

use std::path::Path;

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::reference::{is_known, join, origin, path};
use super::syntax::{Entry, Node, Value};
use crate::model::origin::Origin;
use crate::model::settings::{Ledger, ObjectStore, StoreService};

const LEDGERS: Keys = Keys { known: &["directory", "object-store"], later: &[] };
const DIRECTORY: Keys = Keys { known: &["kind", "path", "durable"], later: &[] };
const OBJECT_STORE: Keys = Keys { known: &["kind", "url", "region", "account", "endpoint"], later: &[] };

pub(super) const LEDGER_PATH: &str = ".qlik-plan/ledger";
const URL: &str = "s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX";

/// What `kind` says, if it is one of those known; the first of them where nothing is said, which is a fault.
pub(super) fn kind<'n>(node: &'n Node, keys: &Keys, what: &str, faults: &mut Faults<'_>) -> Option<&'n str> {
    if !is_known(node, "kind", keys, what, faults) {
        return None;
    }
    let first = keys.known.first().copied().unwrap_or_default();
    let Value::Map(entries) = &node.value else { return Some(first) };
    match entries.iter().find(|entry| entry.key == "kind").map(|entry| &entry.value.value) {
        Some(Value::Scalar { text, .. }) => Some(text),
        Some(Value::Map(_) | Value::List(_) | Value::Broken) | None => Some(first),
    }
}

pub(super) fn ledger(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Ledger> {
    if kind(&entry.value, &LEDGERS, "`ledger`", faults)? == "object-store" {
        return object_store(entry, faults).map(Ledger::ObjectStore);
    }
    let fields = read::fields(&entry.value, "`ledger`", entry.key_at, &DIRECTORY, faults)?;
    fields.require("kind", "directory", faults);
    let path = match fields.get("path") {
        Some(node) => path(node, "`path`", base, faults),
        None => Some(join(base, LEDGER_PATH)),
    };
    let durable = match fields.get("durable") {
        Some(node) => read::boolean(node, "`durable`", faults),
        None => Some(false),
    };
    Some(Ledger::Directory { path: path?, durable: durable? })
}

fn object_store(entry: &Entry, faults: &mut Faults<'_>) -> Option<ObjectStore> {
    let fields = read::fields(&entry.value, "`ledger`", entry.key_at, &OBJECT_STORE, faults)?;
    let url = fields.require("url", "s3://BUCKET/PREFIX", faults).and_then(|node| bucket(node, faults));
    let region = fields.get("region").map(|node| cloud_word(node, "`region`", "eu-central-1", faults));
    let account = fields.get("account").map(|node| cloud_word(node, "`account`", "mystorageaccount", faults));
    let of_azure = url.as_ref().is_some_and(|(scheme, _, _)| *scheme == "az");
    let endpoint = fields.get("endpoint").map(|node| match account.as_ref().and_then(Option::as_deref) {
        Some(account) if of_azure => of_account(node, account, faults),
        Some(_) | None => origin(node, "`endpoint`", "https://s3.example:9000", faults).map(|origin| (origin, false)),
    });
    let (scheme, bucket, prefix) = url?;
    let (region, account) = (region.map_or(Some(None), |r| r.map(Some))?, account.map_or(Some(None), |a| a.map(Some))?);
    let (endpoint, in_path) = match endpoint {
        Some(endpoint) => endpoint.map(|(origin, in_path)| (Some(origin), in_path))?,
        None => (None, false),
    };
    let service = match scheme {
        "s3" => {
            foreign(&fields, "account", "az://", faults)?;
            // A service of one's own has no regions, and its signatures need one all the same.
            let default = endpoint.as_ref().map(|_| "us-east-1".to_owned());
            match region.or(default) {
                Some(region) => StoreService::S3 { region },
                None => {
                    fields.require("region", "eu-central-1", faults);
                    return None;
                }
            }
        }
        "az" => {
            foreign(&fields, "region", "s3://", faults)?;
            fields.require("account", "mystorageaccount", faults)?;
            StoreService::Azure { account: account?, in_path }
        }
        _ => {
            foreign(&fields, "region", "s3://", faults)?;
            foreign(&fields, "account", "az://", faults)?;
            StoreService::Gcs
        }
    };
    Some(ObjectStore { service, bucket, prefix, endpoint })
}

/// Where an account of Azure answers, and whether the account is in the path there. An emulator says it in the endpoint that it
/// prints, and at an address of this machine there is no other way: an IP address has no name before it.
fn of_account(node: &Node, account: &str, faults: &mut Faults<'_>) -> Option<(Origin, bool)> {
    let text = read::text(node, "`endpoint`", faults)?;
    if let Some(Ok(origin)) = text.strip_suffix(account).and_then(|rest| rest.strip_suffix('/')).map(Origin::parse) {
        return Some((origin, true));
    }
    let example = format!("https://{account}.blob.core.windows.net` or `http://127.0.0.1:10000/{account}");
    origin(node, "`endpoint`", &example, faults).map(|origin| {
        let in_path = origin.is_loopback();
        (origin, in_path)
    })
}

/// A key that means nothing at this store.
fn foreign(fields: &Fields<'_>, key: &str, scheme: &str, faults: &mut Faults<'_>) -> Option<()> {
    let Some(entry) = fields.entry(key) else { return Some(()) };
    let message = format!("`{key}` is for {scheme}… only");
    faults.add(code::PLACE, entry.key_at, message, "means nothing here").help(format!("leave `{key}` out"));
    None
}

/// Scheme, bucket and prefix of a store's URL. It may hold a password by mistake, so what does not fit is not shown.
fn bucket(node: &Node, faults: &mut Faults<'_>) -> Option<(&'static str, String, String)> {
    let text = read::text(node, "`url`", faults)?;
    let parts = text.split_once("://").and_then(|(scheme, rest)| {
        let scheme = ["s3", "az", "gs"].into_iter().find(|known| *known == scheme)?;
        let (bucket, prefix) = rest.split_once('/').map_or((rest, None), |(bucket, prefix)| (bucket, Some(prefix)));
        let prefix_fits = prefix.is_none_or(|prefix| prefix.split('/').all(is_segment));
        (is_bucket(bucket) && prefix_fits).then(|| (scheme, bucket.to_owned(), prefix.unwrap_or_default().to_owned()))
    });
    if parts.is_none() {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`url` is not a place in an object store", "not shown")
            .help(format!("say {URL}; no slash at the end"));
    }
    parts
}

fn is_bucket(text: &str) -> bool {
    let end = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_');
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len()) && end(bytes.first()) && end(bytes.last()) && text.bytes().all(inner)
}

pub(super) fn is_segment(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !text.is_empty() && !text.starts_with('.') && text.len() <= 128 && text.bytes().all(inner)
}

/// A word of a cloud's own: lower-case letters, digits and hyphens.
pub(super) fn cloud_word(node: &Node, what: &str, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, what, faults)?;
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&text.len()) && text.bytes().all(inner) {
        return Some(text.to_owned());
    }
    let message = format!("{what}: {} is not lower-case letters, digits and '-'", faults.quote(text));
    faults.add(code::PLACE, node.at, message, "not a name of the cloud's").help(format!("as in `{example}`"));
    None
}
