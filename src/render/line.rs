//! A labelled line of a block, and text that people chose, in quotes.

use crate::model::untrusted::escape;

/// A line below the first: `label  value`. A label that repeats is shown once.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) value: String,
}

pub(super) fn line(label: impl Into<String>, value: impl Into<String>) -> Line {
    Line { label: label.into(), value: value.into() }
}

/// Text that people chose, so that its ends can be seen.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text).replace('"', "\\\""))
}
