//! docs/reference.md: every field of desired state and settings, printed from the published schemas and from examples that the
//! program validates.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::stage::{PLAN, Run, clean};

/// Examples that use every field, and whose schema.
const EXAMPLES: [(&str, &str); 4] =
    [("desired", "desired"), ("settings", "settings"), ("settings-azure", "settings"), ("settings-folder", "settings")];

const INTRODUCTION: &str = "# Reference of fields

Every field of desired state and of settings. This page is for looking up; [README](../README.md) is where to begin. A test prints it
from the [JSON Schemas](../schemas) and from examples that `qlik-plan validate` accepts. An unknown field is an error, and so is
one that is there twice. `NAME` stands for a name of your own: a-z, 0-9 and hyphens.
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn example(name: &str) -> String {
    fs::read_to_string(root().join(format!("fixtures/reference/{name}.yaml"))).unwrap()
}

/// One published schema, and what examples hold at each field.
struct Book {
    schema: Value,
    /// By place, shape and field, the first value that an example has there.
    seen: BTreeMap<(String, Option<String>, String), Value>,
}

/// An object of the schema, where it is first met.
struct Place {
    path: String,
    schema: Value,
}

impl Book {
    fn of(kind: &str) -> Self {
        let text = fs::read_to_string(root().join(format!("schemas/{kind}.v1.json"))).unwrap();
        let mut book = Self { schema: serde_json::from_str(&text).unwrap(), seen: BTreeMap::new() };
        for (file, of) in EXAMPLES {
            if of == kind {
                let value: Value = serde_saphyr::from_str(&example(file)).unwrap();
                book.see(&book.schema.clone(), "", &value);
            }
        }
        book
    }

    /// A schema without its reference, and the reference's name.
    fn followed(&self, schema: &Value) -> (Value, Option<String>) {
        match schema["$ref"].as_str() {
            None => (schema.clone(), None),
            Some(reference) => {
                let name = reference.rsplit('/').next().unwrap().to_owned();
                (self.schema["$defs"][&name].clone(), Some(name))
            }
        }
    }

    /// Where a reference's fields are listed: by its name, wherever it is used.
    fn key(path: &str, name: Option<String>) -> String {
        name.unwrap_or_else(|| path.to_owned())
    }

    fn see(&mut self, schema: &Value, path: &str, value: &Value) {
        let (schema, name) = self.followed(schema);
        let key = Self::key(path, name);
        match value {
            Value::Object(fields) => {
                for (field, inner) in fields {
                    let below = format!("{key}.{field}");
                    if let Some((shape, property)) = property(&schema, field, value) {
                        self.seen.entry((key.clone(), shape, field.clone())).or_insert_with(|| inner.clone());
                        self.see(&property, &below, inner);
                    } else {
                        self.see(&schema["additionalProperties"].clone(), &key, inner);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.see(&schema["items"].clone(), &key, item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Every object below, outermost first, each once.
    fn places(&self) -> Vec<(String, Place)> {
        let mut places: Vec<(String, Place)> = Vec::new();
        let mut next = VecDeque::from([(String::new(), self.schema.clone())]);
        while let Some((path, schema)) = next.pop_front() {
            let (schema, name) = self.followed(&schema);
            let key = Self::key(&path, name);
            if schema["additionalProperties"].is_object() {
                next.push_back((format!("{path}.NAME"), schema["additionalProperties"].clone()));
            }
            if schema["items"].is_object() {
                next.push_back((format!("{path}[]"), schema["items"].clone()));
            }
            if !has_fields(&schema) || places.iter().any(|(known, _)| *known == key) {
                continue;
            }
            for (_, shape) in shapes(&schema) {
                for (field, property) in shape["properties"].as_object().into_iter().flatten() {
                    let below = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
                    next.push_back((below, property.clone()));
                }
            }
            places.push((key, Place { path, schema }));
        }
        places
    }

    fn page(&self, title: &str) -> String {
        let places = self.places();
        let mut page = format!("\n## {title}\n");
        for (key, place) in &places {
            let Place { path, schema } = place;
            let heading = if path.is_empty() { format!("{title}, the file") } else { format!("`{path}`") };
            write!(page, "\n### {heading}\n").unwrap();
            if let Some(said) = schema["description"].as_str().filter(|_| !path.is_empty()) {
                write!(page, "\n{}\n", line(said)).unwrap();
            }
            for (name, shape) in shapes(schema) {
                if let Some(name) = &name {
                    write!(
                        page,
                        "\n**{name}**{}\n",
                        shape["description"].as_str().map(|said| format!(": {}", line(said))).unwrap_or_default()
                    )
                    .unwrap();
                }
                page.push_str("\n| field | type | default | example | |\n|---|---|---|---|---|\n");
                for (field, property) in shape["properties"].as_object().into_iter().flatten() {
                    page.push_str(&self.row((key, &name), &shape, field, property, &places));
                }
            }
            for either in schema["anyOf"].as_array().into_iter().flatten() {
                write!(page, "\n{}: {} needed.\n", upper(either["title"].as_str().unwrap()), needed(either)).unwrap();
            }
        }
        page
    }

    fn row(
        &self,
        (key, name): (&str, &Option<String>),
        shape: &Value,
        field: &str,
        property: &Value,
        places: &[(String, Place)],
    ) -> String {
        let is_required = shape["required"].as_array().is_some_and(|list| list.iter().any(|name| name == field));
        let said = property["description"].as_str().map(line).unwrap_or_default();
        let default = match (is_required, &property["default"], left_out(&said)) {
            (true, ..) => "required".to_owned(),
            (false, Value::Null, Some(default)) => default,
            (false, Value::Null, None) => "none".to_owned(),
            (false, default, _) => format!("`{default}`"),
        };
        let seen = self.seen.get(&(key.to_owned(), name.clone(), field.to_owned()));
        let seen = seen.unwrap_or_else(|| panic!("no example has `{field}` of {key}: add it to fixtures/reference"));
        let kind = self.kind(property, places);
        format!(
            "| `{field}` | {kind} | {default} | `{}` | {} |\n",
            shown(seen).replace('|', "\\|"),
            said.replace('|', "\\|")
        )
    }

    fn kind(&self, property: &Value, places: &[(String, Place)]) -> String {
        let (schema, name) = self.followed(property);
        if let Some((_, place)) = name.as_ref().and_then(|name| places.iter().find(|(key, _)| key == name)) {
            return format!("[{}](#{})", place.path, anchor(&place.path));
        }
        let one_of: Vec<String> = ["oneOf", "enum"]
            .iter()
            .flat_map(|list| schema[*list].as_array().into_iter().flatten())
            .map(|one| one.get("const").unwrap_or(one))
            .filter_map(|one| one.as_str().map(|one| format!("`{one}`")))
            .collect();
        if !one_of.is_empty() {
            return one_of.join(", ");
        }
        let either: Vec<&Value> = schema["anyOf"].as_array().into_iter().flatten().collect();
        if !either.is_empty() && schema["properties"].is_null() {
            return either.iter().map(|one| self.kind(one, places)).collect::<Vec<_>>().join("; or ");
        }
        if schema["items"].is_object() {
            return format!("list of {}", self.kind(&schema["items"], places));
        }
        if schema["additionalProperties"].is_object() {
            return format!("`NAME`: {}", self.kind(&schema["additionalProperties"], places));
        }
        if let Some((_, of)) = schema["patternProperties"].as_object().and_then(|all| all.iter().next()) {
            return format!("`NAME`: {}", self.kind(of, places));
        }
        if let Some(only) = schema.get("const") {
            return format!("`{}`", shown(only));
        }
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        let text = |schema: &Value| match schema["maxLength"].as_u64() {
            Some(length) => format!("text, at most {length} characters"),
            None => "text".to_owned(),
        };
        match schema["type"].as_str() {
            Some("boolean") => "true or false".to_owned(),
            Some("integer") => match (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
                (Some(low), Some(high)) => format!("number, {low} to {high}"),
                _ => "number".to_owned(),
            },
            Some("object") => "`{}`".to_owned(),
            _ if pattern.starts_with("^P((") || pattern.starts_with("^P(") => "duration (ISO 8601)".to_owned(),
            _ if schema["format"] == "date" => "date".to_owned(),
            _ if pattern == "^[a-z0-9][a-z0-9-]{0,62}$" => "name".to_owned(),
            _ => text(&schema),
        }
    }
}

/// What the objects of a schema may look like: one shape, or one of several with a name each.
fn shapes(schema: &Value) -> Vec<(Option<String>, Value)> {
    match schema["oneOf"].as_array() {
        Some(list) if has_fields(schema) => list
            .iter()
            .map(|shape| (shape["title"].as_str().map(|title| format!("`{title}`")), shape.clone()))
            .collect(),
        _ => vec![(None, schema.clone())],
    }
}

fn has_fields(schema: &Value) -> bool {
    schema["properties"].is_object()
        || schema["oneOf"].as_array().is_some_and(|list| list.iter().any(|shape| shape["properties"].is_object()))
}

/// The shape that the value has, and the schema of a field in it.
fn property(schema: &Value, field: &str, value: &Value) -> Option<(Option<String>, Value)> {
    let fits = |(_, shape): &(Option<String>, Value)| {
        ["kind", "vendor"].iter().all(|tag| shape["properties"][*tag]["const"] == value[*tag])
            && shape["properties"].get(field).is_some()
    };
    let (name, shape) = shapes(schema).into_iter().find(fits)?;
    Some((name, shape["properties"][field].clone()))
}

/// "7 if left out" says the default in a description.
fn left_out(said: &str) -> Option<String> {
    let before = said.split(" if left out").next().filter(|before| before.len() < said.len())?;
    Some(before.rsplit(['.', ';', ',']).find(|part| !part.trim().is_empty())?.trim().to_owned()).map(|default| {
        // A path has dots of its own.
        match before.rfind('`') {
            Some(end) if end + 1 == before.len() => {
                let start = before[..end].rfind('`').unwrap();
                before[start..].to_owned()
            }
            _ => default,
        }
    })
}

fn needed(either: &Value) -> String {
    let names = |value: &Value| -> Vec<String> {
        value["required"].as_array().into_iter().flatten().map(|name| format!("`{}`", name.as_str().unwrap())).collect()
    };
    let mut all = names(either);
    let others: Vec<String> = either["anyOf"].as_array().into_iter().flatten().flat_map(&names).collect();
    if !others.is_empty() {
        all.push(others.join(" or "));
    }
    format!("{} {}", all.join(", "), if all.len() == 1 { "is" } else { "are" })
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// As GitHub makes it of a heading: letters, digits and hyphens stay.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

/// A value as YAML on one line; what is long is cut to its names.
fn shown(value: &Value) -> String {
    let whole = flow(value);
    if whole.chars().count() <= 56 {
        return whole;
    }
    match value {
        Value::Object(fields) => {
            let names: Vec<String> = fields.keys().map(|name| format!("{name}: …")).collect();
            format!("{{ {} }}", names.join(", "))
        }
        Value::Array(items) => format!("[{}, …]", items.first().map(flow).unwrap_or_default()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => whole,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(text) => {
            let is_plain = text.chars().all(|c| c.is_alphanumeric() || " ./_-@".contains(c));
            if is_plain && text.parse::<f64>().is_err() { text.clone() } else { value.to_string() }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn contents(page: &str) -> String {
    let headings = page.lines().filter_map(|line| {
        let (indent, heading) = match line.strip_prefix("## ") {
            Some(heading) => ("", heading),
            None => ("  ", line.strip_prefix("### ")?),
        };
        Some(format!("{indent}- [{heading}](#{})\n", anchor_of(heading)))
    });
    format!("\n{}", headings.collect::<String>())
}

fn anchor_of(heading: &str) -> String {
    anchor(&heading.replace(' ', "-"))
}

#[test]
fn the_reference_has_every_field_with_an_example_that_is_valid() {
    let mut page = Book::of("desired").page("Desired state");
    page.push_str(&Book::of("settings").page("Settings"));
    page.push_str("\n## Whole examples\n\nWith every field once; no estate needs all of them.\n");
    for (file, _) in EXAMPLES {
        write!(page, "\n### `{file}.yaml`\n\n```yaml\n{}```\n", example(file)).unwrap();
    }
    let page = format!("{INTRODUCTION}{}{page}", contents(&page));
    let file = root().join("docs/reference.md");
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&file, &page).unwrap();
    }
    assert!(
        fs::read_to_string(file).unwrap_or_default() == page,
        "docs/reference.md: UPDATE_FIXTURES=1 writes it anew"
    );
}

#[test]
fn the_examples_of_the_reference_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    for (file, _) in EXAMPLES {
        fs::write(folder.path().join(format!("{file}.yaml")), example(file)).unwrap();
    }
    fs::write(folder.path().join("empty.yaml"), "version: 1\n").unwrap();
    for (settings, desired, objects) in
        [("settings", "desired", 13), ("settings-azure", "empty", 0), ("settings-folder", "empty", 0)]
    {
        let mut command = clean(PLAN, folder.path());
        command.args(["validate", "--settings", &format!("{settings}.yaml"), &format!("{desired}.yaml")]);
        Run::of(&command.output().unwrap()).exits(0).says(&format!("Valid: {objects} objects"));
    }
}
