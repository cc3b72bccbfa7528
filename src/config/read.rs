//! Reading one value of the tree as what it should be; what is wrong is recorded and reading goes on.

use std::collections::BTreeMap;

use super::diagnostic::{Faults, code, quote};
use super::fault::Fault;
use super::source::{At, Span};
use super::suggest::nearest;
use super::syntax::{Entry, Kind, Node, Value};
use super::template::template;
use crate::model::address::Name;
use crate::model::duration::Duration;
use crate::model::host::Label;

/// A map whose keys are known to be known.
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
    what: String,
    /// Where to point when something is missing.
    at: Span,
}

impl<'n> Fields<'n> {
    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn require(&self, key: &'static str, example: &str, faults: &mut Faults<'_>) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} says no `{key}`", self.what);
            faults
                .add(code::MISSING, self.at, message, format!("`{key}` is missing"))
                .help(format!("add `{key}: {example}`"));
        }
        found
    }
}

/// What a map may hold: keys that are known, and words that a later version will know.
pub(crate) struct Keys {
    pub(crate) known: &'static [&'static str],
    pub(crate) later: &'static [&'static str],
}

/// The entries of a map. `what` names it in faults and `at` is where it is named.
pub(crate) fn map<'n>(node: &'n Node, what: &str, faults: &mut Faults<'_>) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        Value::Broken => None,
        Value::Scalar { .. } | Value::List(_) => {
            wrong_kind(node, what, "a map", faults);
            None
        }
    }
}

/// A map with fixed keys; each unknown one is a fault.
pub(crate) fn fields<'n>(
    node: &'n Node,
    what: &str,
    at: Span,
    keys: &Keys,
    faults: &mut Faults<'_>,
) -> Option<Fields<'n>> {
    let entries = map(node, what, faults)?;
    for entry in entries {
        if !keys.known.contains(&entry.key.as_str()) {
            let message = format!("unknown key {} in {what}", faults.key(&entry.key, entry.key_at));
            let help = if faults.is_full() { String::new() } else { unknown(&entry.key, keys.known, keys.later) };
            faults.add(code::UNKNOWN_KEY, entry.key_at, message, "not known here").help(help);
            faults.mask(entry.value.at);
        }
    }
    Some(Fields { entries, what: what.to_owned(), at })
}

/// The hint for a word that is not among the known ones.
pub(crate) fn unknown(word: &str, known: &[&str], later: &[&str]) -> String {
    if later.contains(&word) {
        return format!("`{word}` is not supported yet");
    }
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing stands in it yet: write `{}`".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// The hint for a name that refers to nothing.
pub(crate) fn unknown_name<'c>(
    name: &Name,
    candidates: impl Iterator<Item = &'c Name> + Clone,
    where_: &str,
    faults: &Faults<'_>,
) -> String {
    // Counted and not shown.
    if faults.is_full() {
        return String::new();
    }
    let is_looked_for = !faults.has_hints_enough();
    let near = is_looked_for.then(|| nearest(name.as_str(), candidates.clone().map(Name::as_str))).flatten();
    if let Some(near) = near {
        return format!("did you mean `{near}`?");
    }
    let known: Vec<&str> = candidates.map(Name::as_str).take(10).collect();
    if known.is_empty() { format!("{where_} none") } else { format!("{where_} {}", known.join(", ")) }
}

pub(crate) fn wrong_kind<'f>(node: &Node, what: &str, expected: &str, faults: &'f mut Faults<'_>) -> &'f mut Fault {
    // Text where no text belongs may be what somebody pasted by mistake, and so may what is in a list or a map.
    let is_shown = match &node.value {
        Value::Scalar { kind: Kind::Null, .. } => true,
        Value::Scalar { .. } => !expected.starts_with("a map") && !expected.starts_with("a list"),
        Value::Map(_) | Value::List(_) | Value::Broken => false,
    };
    if faults.is_guarded() || !is_shown {
        faults.mask(node.at);
    }
    let message = format!("{what}: {expected} is expected, found {}", node.found());
    let fault = faults.add(code::KIND, node.at, message, format!("{expected} is expected"));
    match &node.value {
        Value::Scalar { kind: Kind::Null, .. } => fault.help("fill it in, or leave the key out"),
        Value::Scalar { kind: Kind::Boolean | Kind::Integer | Kind::Float, .. } if expected == "text" => {
            fault.help("put it in quotes if it is meant as text")
        }
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) | Value::Broken => fault,
    }
}

pub(crate) fn text<'n>(node: &'n Node, what: &str, faults: &mut Faults<'_>) -> Option<&'n str> {
    text_as(node, what, "text", faults)
}

/// Text for people: one line, not empty, not longer than `most` characters.
pub(crate) fn line<'n>(node: &'n Node, what: &str, most: usize, faults: &mut Faults<'_>) -> Option<&'n str> {
    let text = text(node, what, faults)?;
    let count = text.chars().count();
    let (message, label) = if text.trim().is_empty() {
        (format!("{what} is empty"), "empty")
    } else if count > most {
        (format!("{what} has {count} characters; at most {most} are taken"), "too long")
    } else if text.chars().any(char::is_control) {
        (format!("{what} holds a line break or another control character"), "one line is expected")
    } else {
        return Some(text);
    };
    faults.add(code::TEXT, node.at, message, label).help("say it in one short line");
    None
}

fn text_as<'n>(node: &'n Node, what: &str, expected: &str, faults: &mut Faults<'_>) -> Option<&'n str> {
    match &node.value {
        Value::Scalar { text, kind: Kind::Text } => Some(text),
        Value::Broken => None,
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) => {
            wrong_kind(node, what, expected, faults);
            None
        }
    }
}

pub(crate) fn boolean(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<bool> {
    match &node.value {
        Value::Scalar { text, kind: Kind::Boolean } => Some(text.eq_ignore_ascii_case("true")),
        Value::Broken => None,
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) => {
            wrong_kind(node, what, "true or false", faults);
            None
        }
    }
}

pub(crate) fn number(node: &Node, what: &str, most: u32, faults: &mut Faults<'_>) -> Option<u32> {
    match &node.value {
        Value::Scalar { text, kind: Kind::Integer } => {
            let number = text.parse::<u32>().ok().filter(|number| *number <= most);
            if number.is_none() {
                let message = format!("{what}: a whole number from 0 to {most} is expected");
                faults.add(code::NUMBER, node.at, message, "out of range").help("write it in decimal digits");
            }
            number
        }
        Value::Broken => None,
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) => {
            wrong_kind(node, what, "a whole number", faults);
            None
        }
    }
}

/// `false` where the file is of another version, which nothing here can judge.
pub(crate) fn version(root: &Node, faults: &mut Faults<'_>) -> bool {
    let Value::Map(entries) = &root.value else { return true };
    let Some(entry) = entries.iter().find(|entry| entry.key == "version") else { return true };
    let node = &entry.value;
    match &node.value {
        Value::Scalar { text, kind: Kind::Integer } if text == "1" => true,
        Value::Scalar { kind: Kind::Integer, .. } => {
            faults
                .add(code::VERSION, node.at, "this program reads `version: 1`", "another version")
                .help("a newer version of this program may read it");
            false
        }
        Value::Broken => true,
        Value::Scalar { .. } | Value::Map(_) | Value::List(_) => {
            faults.mask(node.at);
            wrong_kind(node, "`version`", "a whole number", faults);
            true
        }
    }
}

fn a_name(word: &str, at: Span, what: &str, faults: &mut Faults<'_>) -> Option<Name> {
    match Name::parse(word) {
        Ok(name) => Some(name),
        Err(error) => {
            let fault = faults.add(code::NAME, at, format!("{what} {}: {error}", quote(word)), "not a name");
            let slug: String = word
                .chars()
                .map(|c| if c == '_' || c == ' ' || c == '.' { '-' } else { c.to_ascii_lowercase() })
                .collect();
            fault.help(match Name::parse(slug.trim_start_matches('-')) {
                _ if template(word).is_some() => {
                    "nothing is filled in by this program: write the name itself".to_owned()
                }
                Ok(slug) => format!("`{slug}` would do"),
                Err(_) => "as in `acme` or `us-oem-2`".to_owned(),
            });
            None
        }
    }
}

/// A name that stands as a value.
pub(crate) fn name(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<At<Name>> {
    let word = text(node, what, faults)?;
    a_name(word, node.at, what, faults).map(|value| At { value, at: node.at })
}

/// A name that stands as a key.
pub(crate) fn key_name(entry: &Entry, what: &str, faults: &mut Faults<'_>) -> Option<At<Name>> {
    a_name(&entry.key, entry.key_at, what, faults).map(|value| At { value, at: entry.key_at })
}

pub(crate) fn duration(node: &Node, what: &str, faults: &mut Faults<'_>) -> Option<Duration> {
    let word = text_as(node, what, "a duration, as in P30D,", faults)?;
    match Duration::parse(word) {
        Ok(duration) => Some(duration),
        Err(error) => {
            let message = format!("{what}: {} is not a duration", quote(word));
            faults.add(code::DURATION, node.at, message, "not a duration").help(error.to_string());
            None
        }
    }
}

/// One DNS label. A whole host name is refused with the label to say instead.
pub(crate) fn label(node: &Node, what: &str, rest: &str, faults: &mut Faults<'_>) -> Option<At<Label>> {
    let word = text(node, what, faults)?;
    match Label::parse(word) {
        Ok(value) => Some(At { value, at: node.at }),
        Err(error) => {
            let message = format!("{what}: {} is not one DNS label", quote(word));
            let host = word.split_once("://").map_or(word, |(_, host)| host);
            let help = match (word.contains(['.', ':', '/']), host.split(['.', '/', ':']).next().map(Label::parse)) {
                (true, Some(Ok(first))) => {
                    format!("say only the first label, `{first}`; the rest {rest}")
                }
                (true | false, _) => error.to_string(),
            };
            faults.add(code::LABEL, node.at, message, "not one label").help(help);
            None
        }
    }
}

/// A map with exactly one key: which one, and what stands under it.
pub(crate) fn choice<'n>(
    node: &'n Node,
    what: &str,
    keys: &Keys,
    example: &str,
    faults: &mut Faults<'_>,
) -> Option<(&'static str, &'n Entry)> {
    let entries = match &node.value {
        Value::Map(entries) => entries,
        Value::Broken => return None,
        Value::Scalar { .. } | Value::List(_) => {
            wrong_kind(node, what, "a map with one key", faults).help(format!("as in `{example}`"));
            return None;
        }
    };
    let [entry] = entries.as_slice() else {
        let found = if entries.is_empty() { "none" } else { "several" };
        let message = format!("{what}: exactly one key is expected, found {found}");
        faults.add(code::CHOICE, node.at, message, "exactly one key is expected").help(format!("as in `{example}`"));
        return None;
    };
    let known = keys.known.iter().find(|known| **known == entry.key);
    if known.is_none() {
        let message = format!("unknown key {} in {what}", faults.key(&entry.key, entry.key_at));
        let help = unknown(&entry.key, keys.known, keys.later);
        faults.add(code::UNKNOWN_KEY, entry.key_at, message, "not known here").help(help);
        faults.mask(entry.value.at);
    }
    known.map(|known| (*known, entry))
}

/// One of a few words.
pub(crate) fn word<'n>(node: &'n Node, what: &str, keys: &Keys, faults: &mut Faults<'_>) -> Option<&'n str> {
    let word = text(node, what, faults)?;
    if keys.known.contains(&word) {
        return Some(word);
    }
    let message = format!("{what}: {} is not known", quote(word));
    faults.add(code::WORD, node.at, message, "not known here").help(unknown(word, keys.known, keys.later));
    None
}

/// Named things, in the order of their names; a name outside the grammar is a fault. `read` gets the name as it is
/// shown, and is called for a bad name too: that must not hide what is wrong beneath it.
pub(crate) fn named<'n, T>(
    node: &'n Node,
    what: &str,
    one: &str,
    faults: &mut Faults<'_>,
    mut read: impl FnMut(&str, &'n Entry, &mut Faults<'_>) -> Option<T>,
) -> BTreeMap<Name, T> {
    let mut all = BTreeMap::new();
    for entry in map(node, what, faults).unwrap_or_default() {
        let name = key_name(entry, one, faults);
        let value = read(&format!("{one} {}", quote(&entry.key)), entry, faults);
        if let (Some(name), Some(value)) = (name, value) {
            all.insert(name.value, value);
        }
    }
    all
}
