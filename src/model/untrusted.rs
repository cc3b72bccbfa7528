//! Text that a vendor, a ledger or a file chose: it may be carried and compared, and is printed only escaped.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text from outside. Its `Display` is safe for a terminal and a log: control, bidirectional, zero-width and tag
/// characters become `\u{…}`. (Markdown and runners' commands need more, and get it where they are written.)
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(not(test), derive(PartialEq, Eq, PartialOrd, Ord, Hash))]
#[serde(transparent)]
pub struct Untrusted(String);

#[cfg(test)]
super::steps::counted!(Untrusted, |text| &text.0);

impl Untrusted {
    /// Takes a text as it came. Nothing is checked.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it came, for comparing and for structured formats that do their own escaping.
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&escape(&self.0))
    }
}

/// Escapes what could move a cursor, start an escape sequence, reorder a line or hide.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_hostile(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// Returns whether a character could move a cursor, start an escape sequence, reorder a line or hide.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_or_reorders_a_line_survives() {
        let shown = Untrusted::from("a\u{1b}[31mb\r\n\u{202e}c\u{200b}d\u{9b}e\u{e0041}").to_string();
        assert_eq!(shown, "a\\u{1b}[31mb\\r\\n\\u{202e}c\\u{200b}d\\u{9b}e\\u{e0041}");
        assert_eq!(Untrusted::from("Größe — 漢字").to_string(), "Größe — 漢字");
    }
}
