//! Paths, origins and references to secrets, as settings say them. What may be a pasted secret is never shown.

use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::syntax::{Entry, Kind, Node, Value};
use crate::model::origin::Origin;
use crate::model::settings::Reference;

pub(super) fn required_reference(
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
pub(super) fn reference(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Reference> {
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

pub(super) fn is_variable(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_path(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Of another kind, its other keys are not ours to judge, nor to show: that is the one fault.
pub(super) fn is_known(node: &Node, key: &str, keys: &Keys, what: &str, faults: &mut Faults<'_>) -> bool {
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

pub(super) fn path(node: &Node, what: &str, base: &Path, faults: &mut Faults<'_>) -> Option<PathBuf> {
    let text = read::text(node, what, faults)?;
    if !is_path(text) {
        let message = format!("{what} is not a path");
        faults.add(code::PLACE, node.at, message, "not a path").help("as in `./secrets`, relative to this file");
        return None;
    }
    Some(join(base, text))
}

/// `text` under `base`, with `.` and `..` taken out by their names alone: nothing is read.
pub(super) fn join(base: &Path, text: &str) -> PathBuf {
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

/// The exact origin of a service. An origin may hold a password by mistake, so what does not fit is not shown.
pub(super) fn origin(node: &Node, what: &str, example: &str, faults: &mut Faults<'_>) -> Option<Origin> {
    let text = read::text(node, what, faults)?;
    match Origin::parse(text) {
        Ok(origin) => Some(origin),
        Err(error) => {
            faults.mask(node.at);
            faults
                .add(code::PLACE, node.at, format!("{what}: {error}"), "not shown")
                .help(format!("as in `{example}`; the rest of an address has keys of its own"));
            None
        }
    }
}
