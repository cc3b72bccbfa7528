//! Paths, origins and references to secrets, as settings say them. What may be a pasted secret is never shown.

use std::path::{Component, Path, PathBuf};

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::syntax::{Entry, Kind, Node, Value};
use super::template::template;
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

/// `{ env: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, ARGUMENT…] }`. Whatever else stands there may be a secret: neither it nor its line is shown.
pub(super) fn reference(entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<Reference> {
    const HELP: &str = "secrets never stand in YAML; say { env: NAME } or { file: PATH }, or { command: [PROGRAM, …] } for a program that prints it";
    let node = &entry.value;
    let key = &entry.key;
    if let Value::Map(entries) = &node.value
        && let [only] = entries.as_slice()
        && only.key == "command"
        && let Value::List(_) = &only.value.value
    {
        let argv = argv(&only.value, "`command`", faults)?;
        return Some(Reference::Command { argv, folder: base.to_path_buf() });
    }
    if let Value::Map(entries) = &node.value
        && let [only] = entries.as_slice()
        && let Value::Scalar { text, kind: Kind::Text } = &only.value.value
    {
        if only.key == "file"
            && let Some((message, help)) = not_a_place(text)
        {
            faults.mask(node.at);
            faults.add(code::PLACE, node.at, format!("`{key}`: {message}"), "not shown").help(help);
            return None;
        }
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
            (format!("`{key}` is not a reference to an environment variable, a file or a program"), "not shown")
        }
    };
    faults.mask(node.at);
    faults.add(code::SECRET, node.at, message, label).help(HELP);
    None
}

/// A program and its arguments. A secret may have been written among them, so what does not fit is not shown.
pub(super) fn argv(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else {
        read::wrong_kind(node, what, "a list", faults)
            .help("the program and its arguments, as in `[./put-secret, prod]`");
        return None;
    };
    let words: Option<Vec<String>> = items.iter().map(|item| word(item, what, faults)).collect();
    let words = words?;
    if words.first().is_none_or(|program| program.trim().is_empty()) {
        faults
            .add(code::PLACE, node.at, format!("{what} names no program"), "empty")
            .help("the program and its arguments, as in `[./put-secret, prod]`; no shell is involved");
        return None;
    }
    if let Some((message, help)) = words.first().and_then(|program| not_a_place(program)) {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, format!("the program of {what}: {message}"), "no shell is involved")
            .help(help);
        return None;
    }
    Some(words)
}

fn word(item: &Node, what: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(item, &format!("an argument of {what}"), faults)?;
    if text.chars().any(char::is_control) {
        faults.mask(item.at);
        let message = format!("an argument of {what} holds a control character");
        faults.add(code::PLACE, item.at, message, "not shown").help("put what takes several lines into the script");
        return None;
    }
    Some(text.to_owned())
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
    if let Some((message, help)) = not_a_place(text) {
        // An address may hold a password.
        faults.mask(node.at);
        faults.add(code::PLACE, node.at, format!("{what}: {message}"), "not shown").help(help);
        return None;
    }
    Some(join(base, text))
}

/// What a shell or another program would make a path of, and this one does not: a folder called `~` would hold the secrets.
/// It is not expanded either, since settings are for whoever runs with them: a person, a pipeline, a service have other homes.
pub(super) fn not_a_place(text: &str) -> Option<(&'static str, &'static str)> {
    const WHOLE: &str = "write the path itself: absolute, or relative to this file";
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
    });
    if text.starts_with('~') {
        return Some((
            "`~` is not taken for anybody's home",
            "write the path itself, or `./~` for a folder of that name",
        ));
    }
    if text.trim() != text {
        return Some(("the path begins or ends with a space", WHOLE));
    }
    if text.contains('\\') {
        return Some(("a backslash divides no path here", "divide folders by `/`"));
    }
    if scheme.is_some() {
        return Some(("this is an address, and a path is expected", WHOLE));
    }
    let dollar =
        text.split('$').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "_{(".contains(c)));
    (dollar || template(text).is_some()).then_some(("no variable is filled in here", WHOLE))
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
