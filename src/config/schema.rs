//! JSON Schemas of both kinds of file, for editors: derived from types that say what each key is for.
//! The decoder does not use them; a test holds both to the same corpus.

pub mod desired;
pub mod imburse;
pub mod settings;
pub mod words;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use desired::DesiredFile;
use settings::SettingsFile;

/// The schema of desired state.
pub fn desired() -> Value {
    publish::<DesiredFile>()
}

/// The schema of settings.
pub fn settings() -> Value {
    publish::<SettingsFile>()
}

fn publish<T: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    refuse_null(&mut schema);
    for_every_reader(&mut schema);
    schema
}

/// What JavaScript's usual validator (Ajv 8) needs besides: none of Rust's own number formats, which it refuses to compile
/// (`minimum` and `maximum` say the same); and a title for each branch, by which editors name it in their messages.
fn for_every_reader(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(for_every_reader),
        Value::Object(map) => {
            if map.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
                map.remove("format");
            }
            if let Some(Value::Array(branches)) = map.get_mut("oneOf") {
                branches.iter_mut().filter_map(Value::as_object_mut).for_each(entitle);
            }
            map.values_mut().for_each(for_every_reader);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `vendor: qlik` or `client`: what tells a branch from the others.
fn entitle(branch: &mut serde_json::Map<String, Value>) {
    let properties = branch.get("properties").and_then(Value::as_object);
    let constant = properties.into_iter().flatten().find_map(|(key, value)| Some((key, value.get("const")?.as_str()?)));
    let title = match (constant, branch.get("required").and_then(Value::as_array).map(Vec::as_slice)) {
        (Some((key, value)), _) => format!("{key}: {value}"),
        (None, Some([Value::String(only)])) => only.clone(),
        (None, _) => return,
    };
    branch.entry("title").or_insert(Value::String(title));
}

/// An optional key may be left out, and may not be empty: where derived schemas allow null, ours do not.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(any)) = map.get_mut("anyOf") {
                any.retain(|one| one != &json!({ "type": "null" }));
                if let [Value::Object(only)] = any.as_slice() {
                    let only = only.clone();
                    map.remove("anyOf");
                    map.extend(only);
                }
            }
            map.values_mut().for_each(refuse_null);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
