//! Documents as bytes: pretty and safe for a terminal, or canonical for a hash.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::secret::Fingerprint;
use crate::plan::fact::{Fact, Facts};
use crate::render::guard;

use super::document::Action;

/// Two spaces an indent, a newline at the end, and nothing in it that a terminal would obey.
pub(super) fn pretty(document: &impl Serialize) -> String {
    match serde_json::to_string_pretty(document) {
        Ok(text) => guard::json(&text) + "\n",
        Err(error) => unwritable(&error.to_string()),
    }
}

/// One line and a newline: for readers that take a document by the line.
pub(super) fn compact(document: &impl Serialize) -> String {
    match serde_json::to_string(document) {
        Ok(text) => guard::json(&text) + "\n",
        Err(error) => unwritable(&error.to_string()),
    }
}

/// The hash that [`super::hash`] explains.
pub(super) fn hash(actions: &[Action], facts: &Facts) -> String {
    let mut actions = serde_json::to_value(actions).unwrap_or_default();
    for action in actions.as_array_mut().into_iter().flatten() {
        action.as_object_mut().map(|members| members.remove("at"));
    }
    let facts: Map<String, Value> = facts
        .iter()
        .map(|(address, facts)| {
            let pairs = facts.iter().map(|Fact { name, value }| Value::from(vec![name.as_str(), value.raw()]));
            (address.to_string(), pairs.collect())
        })
        .collect();
    sum(&Value::from(Map::from_iter([("actions".to_owned(), actions), ("facts".to_owned(), facts.into())])))
}

/// The hash that [`super::sum`] explains.
pub(super) fn sum(value: &Value) -> String {
    let mut text = String::new();
    canonical(value, &mut text);
    format!("sha256:{}", Fingerprint::of(text.as_bytes()).as_str())
}

/// Keys sorted, no white space: the same bytes whatever order a map keeps.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                canonical(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

/// No document here has a map with other keys than text, so this is not reached; a program still gets JSON if it is.
fn unwritable(why: &str) -> String {
    let summary = Value::from(format!("the result could not be written as JSON: {why}"));
    format!(
        "{{\"format\":\"qlik-plan/error\",\"version\":1,\"error\":{{\"message\":{summary},\"next\":[]}},\
         \"verdict\":{{\"exit\":1,\"outcome\":\"error\",\"summary\":{summary}}}}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_reads_back() {
        let hostile = "a\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{e0041}\n\tGröße 漢字";
        let text = pretty(&hostile);
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
        assert_eq!(text.trim_end().chars().filter(|c| c.is_control() || *c == '\u{202e}').count(), 0);
        assert!(text.contains("\\u009b") && text.contains("\\udb40\\udc41") && text.contains("Größe 漢字"), "{text}");
    }

    #[test]
    fn canonical_json_has_one_spelling() {
        let mut text = String::new();
        canonical(&serde_json::json!({"b": [1, "x\"y"], "a": {"d": null, "c": true}}), &mut text);
        assert_eq!(text, r#"{"a":{"c":true,"d":null},"b":[1,"x\"y"]}"#);
    }
}
