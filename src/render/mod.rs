//! Values → strings: text and Markdown for people, JSON and other tools' formats for programs, progress lines. Pure: no environment, no clock, no printing.

mod block;
mod drift;
pub mod events;
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

pub use verdict::{Outcome, Verdict};

/// How text is to look. The caller knows the terminal; this room does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub colour: bool,
    /// Columns. The place of an action is kept within them where its line is short enough; nothing is cut or wrapped,
    /// so that a line can be copied and searched for.
    pub width: usize,
}

impl Look {
    /// Without colour, 100 columns wide: what a file or a pipe gets.
    pub const PLAIN: Self = Self { colour: false, width: 100 };
}
