//! Groups of lines, made harmless for the inside of a fence.

use crate::render::block::Block;
use crate::render::guard;
use crate::render::layout::{pad, widest};
use crate::render::line::Line;

/// A value longer than this is cut; the text and JSON formats have it whole. A single name can so not crowd out a plan.
const VALUE_MAX: usize = 300;

/// Lines under a title.
pub(super) struct Group {
    /// Our own words.
    pub(super) title: &'static str,
    pub(super) open: bool,
    pub(super) items: Vec<Item>,
}

impl Group {
    pub(super) fn open(title: &'static str, items: Vec<Item>) -> Self {
        Self { title, open: true, items: items.into_iter().map(Item::harmless).collect() }
    }

    pub(super) fn closed(title: &'static str, items: Vec<Item>) -> Self {
        Self { open: false, ..Self::open(title, items) }
    }
}

/// A line, and the lines that explain it. Each is one line without a line end.
pub(super) struct Item {
    pub(super) head: String,
    pub(super) lines: Vec<String>,
}

impl Item {
    pub(super) fn line(head: String) -> Self {
        Self { head, lines: Vec::new() }
    }

    /// The sign stands first, so that a platform that knows diffs colours the line.
    pub(super) fn of(block: &Block) -> Self {
        let Block { sign, address, what, at, lines } = block;
        let labels = widest(lines.iter().map(|line| line.label.as_str())).min(VALUE_MAX) + 1;
        let mut before = "";
        let lines = lines
            .iter()
            .map(|Line { label, value }| {
                let shown = if label == before { String::new() } else { format!("{}:", cut(label)) };
                before = label;
                format!("    {} {}", pad(&shown, labels), cut(value))
            })
            .collect();
        let at = if at.is_empty() { String::new() } else { format!("  ({})", cut(at)) };
        Self { head: format!("{} {address}  {}{at}", sign.mark(), cut(what)), lines }
    }

    fn harmless(self) -> Self {
        let Self { head, lines } = self;
        Self { head: fenced(&head), lines: lines.iter().map(|line| fenced(line)).collect() }
    }

    /// What it weighs with its details, or without.
    pub(super) fn weight(&self, whole: bool) -> usize {
        let details: usize = if whole { self.lines.iter().map(|line| line.len() + 1).sum() } else { 0 };
        self.head.len() + 1 + details
    }
}

/// What comes from outside, not longer than [`VALUE_MAX`].
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_MAX) {
        None => text.to_owned(),
        Some((at, _)) => {
            let more = text.chars().count() - VALUE_MAX;
            format!("{}... ({more} more characters)", text.get(..at).unwrap_or_default())
        }
    }
}

/// A line that neither ends a fence, nor is a command to a CI runner, nor looks like the hidden marker to whoever searches
/// a comment for it. It was escaped before: it has no line end.
fn fenced(line: &str) -> String {
    let broken = line.replace("```", "``\\u{60}").replace("<!--", "<\\u{21}--").replace("[//]", "[/\\u{2f}]");
    guard::text(broken)
}
