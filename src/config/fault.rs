//! One fault: what is wrong, where, and what to do about it.

use std::ops::Range;

use serde::Serialize;

use crate::model::untrusted::escape;

/// The longest word of the user's that a message repeats, in characters.
const QUOTED_MAX: usize = 64;

/// The codes, for people to search for. A code is never reused for another rule.
pub(crate) mod code {
    pub(crate) const SYNTAX: &str = "QP0101";
    pub(crate) const NOT_TAKEN: &str = "QP0102";
    pub(crate) const DUPLICATE_KEY: &str = "QP0103";
    pub(crate) const EMPTY: &str = "QP0104";
    pub(crate) const DOCUMENTS: &str = "QP0105";
    pub(crate) const DEPTH: &str = "QP0106";
    pub(crate) const KEY_KIND: &str = "QP0107";
    pub(crate) const FOREIGN: &str = "QP0108";
    pub(crate) const SIZE: &str = "QP0109";
    pub(crate) const UNKNOWN_KEY: &str = "QP0110";
    pub(crate) const KIND: &str = "QP0111";
    pub(crate) const MISSING: &str = "QP0112";
    pub(crate) const VERSION: &str = "QP0113";
    pub(crate) const CHOICE: &str = "QP0114";
    pub(crate) const WORD: &str = "QP0115";
    pub(crate) const NAME: &str = "QP0120";
    pub(crate) const DURATION: &str = "QP0121";
    pub(crate) const LABEL: &str = "QP0122";
    pub(crate) const NUMBER: &str = "QP0123";
    pub(crate) const TEXT: &str = "QP0124";
    pub(crate) const RENEWAL: &str = "QP0125";
    pub(crate) const PLACE: &str = "QP0126";
    pub(crate) const SECRET: &str = "QP0127";
    pub(crate) const DATE: &str = "QP0128";
    pub(crate) const DECLARED_TWICE: &str = "QP0130";
    pub(crate) const SAME_ALIAS: &str = "QP0131";
    pub(crate) const SAME_HOSTNAME: &str = "QP0132";
    pub(crate) const UNKNOWN_PROFILE: &str = "QP0133";
    pub(crate) const UNKNOWN_ACCOUNT: &str = "QP0134";
    pub(crate) const UNKNOWN_SINK: &str = "QP0135";
    pub(crate) const UNKNOWN_OWNER: &str = "QP0136";
    pub(crate) const OVERRIDE: &str = "QP0137";
    pub(crate) const OMIT: &str = "QP0138";
    pub(crate) const IGNORE: &str = "QP0139";
    pub(crate) const SAME_ID: &str = "QP0140";
    pub(crate) const HOME: &str = "QP0141";
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    pub code: &'static str,
    pub message: String,
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// Bytes of the file's text.
    pub span: Option<Range<usize>>,
    pub label: String,
    pub help: Option<String>,
    pub secondary: Option<Secondary>,
}

/// Another place that a fault is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Secondary {
    #[serde(flatten)]
    pub place: Spot,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub span: Range<usize>,
}

impl Fault {
    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn also(&mut self, place: Spot, label: &str) -> &mut Self {
        self.secondary = Some(Secondary { place, label: label.to_owned() });
        self
    }
}

pub(crate) fn quote(word: &str) -> String {
    if word.chars().count() <= QUOTED_MAX {
        return format!("`{}`", escape(word));
    }
    let start: String = word.chars().take(QUOTED_MAX).collect();
    format!("`{}…`", escape(&start))
}
