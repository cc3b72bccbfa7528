//! An account of `vendor: imburse` in settings.

use std::path::Path;

use super::super::diagnostic::{Faults, code};
use super::super::read::{self, Keys};
use super::super::reference::{origin, required_reference};
use super::super::syntax::{Entry, Kind, Node, Value};
use crate::model::host::Host;
use crate::model::imburse::Api;
use crate::model::settings::ImburseAccount;

const ACCOUNT: Keys =
    Keys { known: &["vendor", "base_url", "account_id", "account_key", "api", "ignore_tenants"], later: &[] };
const PAIR: Keys = Keys { known: &["public", "private"], later: &[] };
const APIS: Keys = Keys { known: &["v2", "v1", "2019"], later: &[] };
const EXAMPLE_ID: &str = "a123456b-c12c-123d-1ab4-18bd8c8e88a3";
const BASE_URL: &str = "https://sandbox-api.imbursepayments.com";

pub(crate) fn account(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<ImburseAccount> {
    let fields = read::fields(&entry.value, what, entry.key_at, &ACCOUNT, faults)?;
    let host = fields.require("base_url", BASE_URL, faults).and_then(|node| host(node, faults));
    let account_id =
        fields.require("account_id", EXAMPLE_ID, faults).and_then(|node| super::id(node, "`account_id`", faults));
    let example = "{ public: { env: IMBURSE_PUBLIC_KEY }, private: { env: IMBURSE_PRIVATE_KEY } }";
    fields.require("account_key", example, faults);
    let pair = fields.entry("account_key").and_then(|entry| {
        let fields = read::fields(&entry.value, "`account_key`", entry.key_at, &PAIR, faults)?;
        let public = required_reference(&fields, "public", "IMBURSE_PUBLIC_KEY", base, faults);
        let private = required_reference(&fields, "private", "IMBURSE_PRIVATE_KEY", base, faults);
        public.zip(private)
    });
    let api = match fields.get("api") {
        Some(node) => {
            let word = match &node.value {
                // A year that nobody put in quotes.
                Value::Scalar { text, kind: Kind::Integer } if text == "2019" => Some(text.as_str()),
                Value::Scalar { .. } | Value::Map(_) | Value::List(_) | Value::Broken => {
                    read::word(node, "`api`", &APIS, faults)
                }
            };
            Api::ALL.iter().find(|(name, _)| Some(*name) == word).map(|(_, api)| *api)
        }
        None => Some(Api::default()),
    };
    let ignored = fields.get("ignore_tenants").map(|node| ignored(node, faults));
    let (public_key, private_key) = pair?;
    Some(ImburseAccount {
        host: host?,
        account_id: account_id?.value,
        public_key,
        private_key,
        api: api?,
        ignore_tenants: match ignored {
            Some(ids) => ids?,
            None => Vec::new(),
        },
    })
}

fn ignored(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else {
        let example = format!("as in `ignore_tenants: [{EXAMPLE_ID}]`");
        read::wrong_kind(node, "`ignore_tenants`", "a list", faults).help(example);
        return None;
    };
    let read: Vec<Option<String>> =
        items.iter().map(|item| super::id(item, "an ignored tenant", faults).map(|id| id.value)).collect();
    read.into_iter().collect()
}

/// Some customers have a host of their own, so any host that settings name whole is taken: https, on 443, nothing after it.
fn host(node: &Node, faults: &mut Faults<'_>) -> Option<Host> {
    let origin = origin(node, "`base_url`", BASE_URL, faults)?;
    let host = Host::of_origin(&origin);
    if host.is_none() {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`base_url` is not https://HOST of the vendor, on its usual port", "not shown")
            .help(format!("as in `{BASE_URL}`; to try without an account: --sandbox"));
    }
    host
}
