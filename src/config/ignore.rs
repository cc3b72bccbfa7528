//! `ignore:` in desired state: differences that people know of and have a reason to leave, for a while or for good.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::diagnostic::{Faults, code};
use super::read::{self, Keys, line};
use super::source::{At, Span};
use super::suggest::{AMONG_MAX, nearest};
use super::syntax::{Node, Value};
use crate::model::address::Address;
use crate::model::desired::{Declared, Ignore};

const REASON_MAX: usize = 255;
const ENTRY: Keys = Keys { known: &["address", "field", "reason", "until"], later: &[] };
/// One entry as it was written.
pub(crate) struct Entry {
    address: At<Address>,
    field: At<String>,
    reason: String,
    until: Option<Date>,
    at: Span,
}

/// The list as it stands; what is at fault is recorded and left out.
pub(crate) fn entries(node: &Node, faults: &mut Faults<'_>) -> Vec<Entry> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|item| entry(item, faults)).collect(),
        Value::Broken => Vec::new(),
        Value::Scalar { .. } | Value::Map(_) => {
            read::wrong_kind(node, "`ignore`", "a list", faults);
            Vec::new()
        }
    }
}

fn entry(node: &Node, faults: &mut Faults<'_>) -> Option<Entry> {
    let fields = read::fields(node, "an entry of `ignore`", node.at, &ENTRY, faults)?;
    let address = fields.require("address", "qlik/acme", faults).and_then(|node| address(node, faults));
    let field = fields
        .require("field", "display_name", faults)
        .and_then(|node| read::text(node, "`field`", faults).map(|text| At { value: text.to_owned(), at: node.at }));
    let reason = fields
        .require("reason", "the customer renames it", faults)
        .and_then(|node| line(node, "`reason`", REASON_MAX, faults).map(str::to_owned));
    let until = match fields.get("until") {
        None => None,
        Some(node) => Some(date(node, faults)?),
    };
    Some(Entry { address: address?, field: field?, reason: reason?, until, at: node.at })
}

fn address(node: &Node, faults: &mut Faults<'_>) -> Option<At<Address>> {
    let text = read::text(node, "`address`", faults)?;
    match text.parse() {
        Ok(value) => Some(At { value, at: node.at }),
        Err(error) => {
            let message = format!("`address` {}: {error}", faults.quote(text));
            faults.add(code::NAME, node.at, message, "not an address").help("as in `qlik/acme` or `qlik/acme/ci`");
            None
        }
    }
}

fn date(node: &Node, faults: &mut Faults<'_>) -> Option<Date> {
    let text = read::text(node, "`until`", faults)?;
    let parsed = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    if parsed.is_none() {
        let message = format!("`until`: {} is not a date", faults.quote(text));
        faults.add(code::DATE, node.at, message, "not a date").help("write the last day it counts, as in 2027-01-31");
    }
    parsed
}

/// The entries that name something that is declared; every other one is at fault.
pub(crate) fn check(entries: Vec<Entry>, items: &BTreeMap<Address, Declared>, faults: &mut Faults<'_>) -> Vec<Ignore> {
    let mut checked: Vec<Ignore> = Vec::new();
    let mut seen: BTreeMap<(Address, String), Span> = BTreeMap::new();
    for Entry { address, field, reason, until, at } in entries {
        let Some(declared) = items.get(&address.value) else {
            let message = format!("`{}` is not declared, so nothing of it can be ignored", address.value);
            let help = match (!faults.has_hints_enough()).then(|| near(&address.value, items)).flatten() {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a declared tenant or key, or remove the entry".to_owned(),
            };
            faults.add(code::IGNORE, address.at, message, "not declared").help(help);
            continue;
        };
        let fields = declared.spec.drift_fields();
        if !fields.contains(&field.value.as_str()) {
            let message =
                format!("`field`: {} is nothing that drifts in {}", faults.quote(&field.value), address.value);
            let help = read::unknown(&field.value, fields, &[]);
            faults.add(code::IGNORE, field.at, message, "not known here").help(help);
            continue;
        }
        if let Some(first) = seen.get(&(address.value.clone(), field.value.clone())) {
            let first = faults.place(*first);
            let message = format!("`{}` of {} is ignored twice", field.value, address.value);
            faults.add(code::DECLARED_TWICE, at, message, "again here").also(first, "first here").help("keep one");
            continue;
        }
        let place = at.place(faults.sources());
        seen.insert((address.value.clone(), field.value.clone()), at);
        checked.push(Ignore { address: address.value, field: field.value, reason, until, at: place });
    }
    checked
}

/// The declared address that is nearest; of a key, among the keys of its tenant where that is declared.
fn near(address: &Address, items: &BTreeMap<Address, Declared>) -> Option<String> {
    let tenant = address.parent();
    let of_tenant = address.key().is_some() && items.contains_key(&tenant);
    let known: Vec<String> = items
        .keys()
        .filter(|one| one.is_tenant() == address.is_tenant() && (!of_tenant || one.parent() == tenant))
        .take(AMONG_MAX + 1)
        .map(ToString::to_string)
        .collect();
    nearest(&address.to_string(), known.iter().map(String::as_str)).map(str::to_owned)
}
