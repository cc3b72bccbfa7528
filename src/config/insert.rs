//! Tenants written into a text that declares others: what stands there stays, byte for byte.

use super::diagnostic::Faults;
use super::source::Source;
use super::syntax::{self, Entry, Kind, Node, Value};

/// Puts the tenants of one vendor into a file of desired state, before those that it has. `block` is their lines, indented by four
/// blanks as below `VENDOR:` and `tenants:`. `None`: the file is written in a form that lines cannot be put into.
///
/// The result is a text; whether it says what is meant is for the caller to check.
pub fn tenants(text: &str, vendor: &str, block: &str) -> Option<String> {
    let sources = [Source { name: String::new(), text: text.to_owned() }];
    let mut faults = Faults::new(&sources, false);
    let root = syntax::parse(0, &mut faults)?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Value::Map(entries) = &root.value else { return None };
    let Some(of_vendor) = entries.iter().find(|entry| entry.key == vendor) else {
        let first = entries.first().filter(|entry| is_block(text, &root, entry))?;
        let lines = format!("{vendor}:\n  tenants:\n{block}");
        let own_line = if text.ends_with('\n') { "" } else { end };
        return Some(format!("{text}{own_line}{}", indented(&lines, 0, column(first), end)));
    };
    let below = below(text, of_vendor, 2)?;
    let tenants = match &of_vendor.value.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "tenants"),
        Value::Scalar { .. } | Value::List(_) | Value::Broken => None,
    };
    let (behind, lines) = match tenants {
        Some(tenants) => (tenants, indented(block, 4, self::below(text, tenants, 2)?, end)),
        None => {
            let head = indented("tenants:\n", 0, below, end);
            (of_vendor, head + &indented(block, 4, below + 2, end))
        }
    };
    let (before, after) = text.split_at(end_of_line(text, behind.key_at.end)?);
    let own_line = if before.ends_with('\n') { "" } else { end };
    Some(format!("{before}{own_line}{lines}{after}"))
}

/// The column, from 0, of what stands below a key: where its first entry stands, or `more` to the right of itself where there is none.
/// `None`: it has another value, or one in braces.
fn below(text: &str, of: &Entry, more: usize) -> Option<usize> {
    match &of.value.value {
        Value::Map(entries) => entries.first().filter(|first| is_block(text, &of.value, first)).map(column),
        Value::Scalar { kind: Kind::Null, .. } => is_alone(text, of).then(|| column(of) + more),
        Value::Scalar { .. } => None,
        Value::List(_) | Value::Broken => None,
    }
}

/// Returns whether a key's line has nothing behind it but a comment.
fn is_alone(text: &str, of: &Entry) -> bool {
    let rest = text.get(of.key_at.end..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim_start();
    rest.strip_prefix(':').is_some_and(|rest| rest.trim().is_empty() || rest.trim_start().starts_with('#'))
}

fn column(entry: &Entry) -> usize {
    usize::try_from(entry.key_at.column).unwrap_or(1).saturating_sub(1)
}

/// Returns whether a map is written one entry a line.
fn is_block(text: &str, map: &Node, first: &Entry) -> bool {
    let in_braces = text.get(map.at.start..).is_some_and(|rest| rest.starts_with('{'));
    let line = text.get(..first.key_at.start).and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
    !in_braces && line.trim().is_empty()
}

/// The end of the line that a place is on, its end of line included.
fn end_of_line(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    Some(at + rest.find('\n').map_or(rest.len(), |end| end + 1))
}

/// The lines with another indentation.
fn indented(lines: &str, from: usize, to: usize, end: &str) -> String {
    let shifted = |line: &str| format!("{}{}{end}", " ".repeat(to), line.get(from..).unwrap_or_default());
    lines.lines().map(shifted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "    new:\n      account: us\n";

    #[test]
    fn the_lines_stand_where_tenants_do_and_all_others_stay() {
        for (text, expected) in [
            ("version: 1\n", "version: 1\nqlik:\n  tenants:\n    new:\n      account: us\n"),
            ("version: 1", "version: 1\nqlik:\n  tenants:\n    new:\n      account: us\n"),
            (
                "version: 1\nqlik: # ours\n   # why\n   tenants:   # all\n\n      # the first\n      old: { account: us }\n# end\n",
                "version: 1\nqlik: # ours\n   # why\n   tenants:   # all\n      new:\n        account: us\n\n      # the first\n      old: { account: us }\n# end\n",
            ),
            (
                "qlik:\r\n  profiles:\r\n    a: {}\r\nversion: 1\r\n",
                "qlik:\r\n  tenants:\r\n    new:\r\n      account: us\r\n  profiles:\r\n    a: {}\r\nversion: 1\r\n",
            ),
            ("version: 1\nqlik:\n  tenants:\n", "version: 1\nqlik:\n  tenants:\n    new:\n      account: us\n"),
            ("version: 1\nqlik:\n", "version: 1\nqlik:\n  tenants:\n    new:\n      account: us\n"),
            ("version: 1\nqlik:", "version: 1\nqlik:\n  tenants:\n    new:\n      account: us\n"),
        ] {
            assert_eq!(tenants(text, "qlik", BLOCK).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_stands_in_braces_takes_no_lines() {
        for text in [
            "{ version: 1 }",
            "version: 1\nqlik: { tenants: {} }\n",
            "version: 1\nqlik:\n  tenants: {}\n",
            "version: 1\nqlik:\n  tenants: { old: { account: us } }\n",
            "version: 1\nqlik: []\n",
            "version: 1\nqlik: ~\n",
            "- a\n",
            "",
        ] {
            assert_eq!(tenants(text, "qlik", BLOCK), None, "{text}");
        }
    }
}
