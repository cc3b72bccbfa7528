//! Values → strings: text and Markdown for people, JSON and other tools' formats for programs, progress lines. Pure: no environment, no clock, no printing.

mod block;
mod deeds;
mod drift;
pub mod events;
pub mod existing;
pub mod github;
pub mod gitlab;
pub mod guard;
pub mod json;
mod layout;
mod line;
pub mod markdown;
pub mod progress;
mod style;
pub mod summary;
pub mod terraform;
pub mod text;
mod verdict;
mod why;
mod wrap;

pub use verdict::{Outcome, Verdict};
pub use wrap::wrap;

/// How text is to look. The caller knows the terminal; this room does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub colour: bool,
    /// Columns. The place of an action is kept within them where its line is short enough. Nothing is cut.
    pub width: usize,
    /// Whether [`wrap`] breaks longer lines: on a terminal. A line in a file or a pipe can be searched for.
    pub wraps: bool,
    pub detail: Detail,
}

/// How much of a plan's routine is told. What is refused, differs, was found or is revoked is always told in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All of it while it is little, else one line a tenant.
    Fitting,
    /// All of it.
    All,
    /// None of it.
    Trouble,
}

impl Look {
    /// Without colour, 100 columns wide: what a file or a pipe gets.
    pub const PLAIN: Self = Self { colour: false, width: 100, wraps: false, detail: Detail::Fitting };
}
