//! An account of `vendor: imburse` in settings.

use std::path::Path;

use super::super::diagnostic::{Faults, code};
use super::super::read::{self, Keys};
use super::super::reference::{origin, required_reference};
use super::super::syntax::{Entry, Kind, Node, Value};
use crate::model::host::Host;
use crate::model::imburse::Api;
use crate::model::settings::ImburseAccount;

const ACCOUNT: Keys = Keys { known: &["vendor", "base_url", "account_id", "account_key", "api"], later: &[] };
const PAIR: Keys = Keys { known: &["public", "private"], later: &[] };
const APIS: Keys = Keys { known: &["v2", "v1", "2019"], later: &[] };
const BASE_URL: &str = "https://sandbox-api.imbursepayments.com";

pub(crate) fn account(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<ImburseAccount> {
    let fields = read::fields(&entry.value, what, entry.key_at, &ACCOUNT, faults)?;
    let host = fields.require("base_url", BASE_URL, faults).and_then(|node| host(node, faults));
    let account_id = fields
        .require("account_id", "a123456b-c12c-123d-1ab4-18bd8c8e88a3", faults)
        .and_then(|node| super::id(node, "`account_id`", faults));
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
                Value::Scalar { text, kind: Kind::Integer } if text == "2019" => text,
                Value::Scalar { .. } | Value::Map(_) | Value::List(_) | Value::Broken => {
                    read::word(node, "`api`", &APIS, faults)?
                }
            };
            Api::ALL.iter().find(|(name, _)| *name == word).map(|(_, api)| *api)
        }
        None => Some(Api::default()),
    };
    let (public_key, private_key) = pair?;
    Some(ImburseAccount { host: host?, account_id: account_id?.value, public_key, private_key, api: api? })
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
