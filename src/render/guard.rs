//! The one escape of everything that is printed: nothing in it that a terminal or a CI runner obeys.
//!
//! Runners read what a job prints, on both streams. Some obey `##[…]` and `##vso[…]` anywhere in a line, some `::…::` at
//! its beginning. What is escaped already stays as it is, so that it does no harm to escape twice.

use crate::model::untrusted::{escape, is_hostile};

/// Lines for people. For them little changes: `#\u{23}`, `\u{3a}:`. Line ends stay, and colours where they are `styled`.
pub fn lines(text: &str, styled: bool) -> String {
    text.split('\n').map(|one| line(one, styled)).collect::<Vec<_>>().join("\n")
}

fn line(text: &str, styled: bool) -> String {
    // Nearly all lines are printable ASCII without any of it.
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) && !text.contains("##") && !text.trim_start().starts_with("::") {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    // The last two characters that a reader sees, white space at the line's beginning left out.
    let (mut seen, mut before) = (0_usize, None);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(style) = style_of(rest).filter(|_| styled) {
            out.push_str(style);
            rest = rest.get(style.len()..).unwrap_or_default();
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        let ends_mark = c == '#' && before == Some('#');
        let begins_command = c == ':' && seen == 0 && unstyled(rest).starts_with(':');
        if ends_mark || begins_command {
            out.extend(c.escape_unicode());
        } else if is_hostile(c) {
            out.push_str(&escape(c.encode_utf8(&mut [0; 4])));
        } else {
            out.push(c);
        }
        before = (!ends_mark).then_some(c);
        if seen > 0 || !c.is_whitespace() {
            seen += 1;
        }
    }
    out
}

/// The colour that a text begins with: `ESC [ digits m`. No other sequence is ours.
fn style_of(text: &str) -> Option<&str> {
    let (digits, _) = text.strip_prefix("\u{1b}[")?.split_once('m')?;
    let is_style = digits.bytes().all(|b| b.is_ascii_digit() || b == b';');
    text.get(..digits.len() + 3).filter(|_| is_style)
}

fn unstyled(mut text: &str) -> &str {
    while let Some(style) = style_of(text) {
        text = text.get(style.len()..).unwrap_or_default();
    }
    text
}

/// JSON that reads back as the same. `serde_json` escapes what JSON asks for, not C1 controls or bidirectional overrides.
/// Outside of strings JSON is plain ASCII without a `#`, and its lines begin with a quote or a bracket.
pub fn json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut before = None;
    for c in json.chars() {
        let ends_mark = c == '#' && before == Some('#');
        // Line ends and blanks between its members are the document's own; inside of strings they are written `\n`.
        if ends_mark || (!matches!(c, ' '..='~' | '\n') && is_hostile(c)) {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
        before = (!ends_mark).then_some(c);
    }
    out
}

/// Workflow commands of our own, one a line: `::error title=…::…`. A line that is none is text.
pub fn commands(text: &str) -> String {
    let own = ["::error title=", "::warning title=", "::notice title="];
    let guarded = |line: &str| match line.strip_prefix("::").filter(|_| own.iter().any(|own| line.starts_with(own))) {
        Some(rest) => format!("::{}", lines(rest, false)),
        None => lines(line, false),
    };
    text.split('\n').map(guarded).collect::<Vec<_>>().join("\n")
}

/// As [`lines`], for text in which the colours are ours.
pub(super) fn text(text: String) -> String {
    lines(&text, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_runner_finds_a_command_and_no_terminal_a_sequence() {
        for (bad, shown) in [
            ("a ##[error]b ##vso[task.x]c", "a #\\u{23}[error]b #\\u{23}vso[task.x]c"),
            ("####[x]", "#\\u{23}#\\u{23}[x]"),
            ("  ::error::x\n::set-env::y", "  \\u{3a}:error::x\n\\u{3a}:set-env::y"),
            ("a ::error::x, b::c", "a ::error::x, b::c"),
            ("\u{a0}::error::", "\u{a0}\\u{3a}:error::"),
            ("a\u{1b}[31mb\rc\td\u{202e}e\u{9b}f", "a\\u{1b}[31mb\\rc\\td\\u{202e}e\\u{9b}f"),
            ("section_start:1:x\r\u{1b}[0K", "section_start:1:x\\r\\u{1b}[0K"),
        ] {
            assert_eq!(lines(bad, false), shown);
            assert_eq!(lines(shown, false), shown, "twice is once");
        }
        assert_eq!(lines("\u{1b}[1m::x\u{1b}[0m \u{1b}[2J", true), "\u{1b}[1m\\u{3a}:x\u{1b}[0m \\u{1b}[2J");
        assert_eq!(lines(":\u{1b}[1m:x", true), "\\u{3a}\u{1b}[1m:x");
    }

    #[test]
    fn json_reads_back_as_the_same() {
        let value = serde_json::json!({ "##[x]": "a###b\u{7f}\u{202e}\u{e0041}\n::y" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let guarded = json(&text);
        assert!(!guarded.contains("##") && !guarded.contains('\u{202e}') && guarded.contains("\\udb40\\udc41"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&guarded).unwrap(), value);
        assert_eq!(json(&guarded), guarded);
    }

    #[test]
    fn only_our_own_commands_stay_commands() {
        let text = "::error title=a,file=b::c ##[x]\n::set-output name=x::y\n";
        assert_eq!(commands(text), "::error title=a,file=b::c #\\u{23}[x]\n\\u{3a}:set-output name=x::y\n");
    }
}
