//! Whether a file is desired state at all. Of a file that is not, nothing is shown: it may be anything on this machine.

use super::diagnostic::{Faults, code};
use super::source::Span;
use super::syntax::{self, Node, Value};

/// Words at the top of a desired state that no other file has there by chance.
const TOP: [&str; 2] = ["qlik", "imburse"];
const OF_SETTINGS: [&str; 5] = ["accounts", "sinks", "ledger", "limits", "network"];
/// Words of both formats that are often written one level too high.
const FAMILIAR: [&str; 15] = [
    "version",
    "group",
    "takes_from",
    "qlik",
    "imburse",
    "ignore",
    "tenants",
    "profiles",
    "api_keys",
    "account",
    "accounts",
    "sinks",
    "ledger",
    "limits",
    "network",
];

/// What a file's top says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kin {
    Desired,
    /// `version` alone speaks for it, and many files have one.
    Maybe,
    Settings,
    Foreign,
}

/// Reads one file as YAML, if it is one of ours. Of one that may be another's, only familiar keys are named and no line
/// is shown. `None` where a fault says why not.
pub(super) fn parse(index: usize, faults: &mut Faults<'_>) -> Option<Node> {
    faults.any_key();
    let before = faults.count();
    let parsed = syntax::parse(index, faults);
    let kin = match &parsed {
        Some(root) => of_tree(root),
        None if faults.is_empty_file(before) => return None,
        None => of_text(faults.text(index)),
    };
    let whole = Span { end: usize::MAX, ..Span::top(index) };
    match kin {
        Kin::Desired => {}
        Kin::Maybe => {
            faults.familiar_only(&FAMILIAR);
            faults.mask(whole);
        }
        Kin::Settings => {
            faults.forget_since(before);
            faults.mask(whole);
            faults
                .add(code::FOREIGN, Span::top(index), "this looks like settings, not like desired state", "not shown")
                .help("name it with --settings; desired state has `qlik:` or `imburse:` at its top");
            return None;
        }
        Kin::Foreign => {
            let (line, column) = faults.forget_since(before).unwrap_or((1, 1));
            faults.mask(whole);
            let at = Span { line, column, ..Span::top(index) };
            let message = match (&parsed, line) {
                (Some(Node { value: Value::Map(_), .. }), _) => {
                    "this is no desired state: none of its keys is `version`, `qlik`, `imburse` or `ignore`".to_owned()
                }
                (Some(node), _) => format!("the desired state: a map is expected, found {}", node.found()),
                (None, line) => {
                    format!("this is no desired state: it cannot be read as YAML (line {line}), and says no `version`")
                }
            };
            let help = "a desired state begins with `version: 1`; nothing of another file is shown";
            faults.add(code::FOREIGN, at, message, "not shown").help(help);
            return None;
        }
    }
    parsed
}

fn of_tree(root: &Node) -> Kin {
    let Value::Map(entries) = &root.value else {
        return if matches!(root.value, Value::Broken) { Kin::Maybe } else { Kin::Foreign };
    };
    if entries.is_empty() {
        return Kin::Maybe;
    }
    of_keys(entries.iter().map(|entry| entry.key.as_str()))
}

fn of_keys<'k>(keys: impl Iterator<Item = &'k str> + Clone) -> Kin {
    let has = |words: &[&str]| keys.clone().any(|key| words.contains(&key));
    // `ignore` alone stands at the top of many a linter's file.
    if has(&TOP) || has(&["ignore"]) && has(&["version"]) {
        Kin::Desired
    } else if has(&OF_SETTINGS) {
        Kin::Settings
    } else if has(&["version"]) {
        Kin::Maybe
    } else {
        Kin::Foreign
    }
}

/// For text that is no YAML.
fn of_text(text: &str) -> Kin {
    of_keys(top_keys(text))
}

/// The keys that seem to stand at a text's top.
fn top_keys(text: &str) -> impl Iterator<Item = &str> + Clone {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().filter_map(|line| {
        let line = line.strip_prefix('{').unwrap_or(line);
        let (key, _) = line.split_once(':')?;
        Some(key.trim().trim_matches(['"', '\'']))
    })
}

/// `ignore` alone stands at the top of many a linter's file.
pub(super) fn looks_like_desired_state(text: &str) -> bool {
    top_keys(text).any(|key| key == "qlik" || key == "imburse")
}
