//! Items under a title, in two lengths each.

use crate::model::place::Place;
use crate::render::block::Block;
use crate::render::line::Line;

use super::page::Page;
use super::span::{code, named};

/// How a group stands on a platform that folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Open,
    Closed,
}

/// Items under a title.
pub(super) struct Group {
    /// Our own words.
    pub(super) title: &'static str,
    pub(super) fold: Fold,
    /// It may be shortened before all that is not.
    pub(super) routine: bool,
    pub(super) items: Vec<Item>,
}

impl Group {
    /// What a reader must act on, or should know.
    pub(super) fn weighty(title: &'static str, items: Vec<Item>) -> Self {
        Self { title, fold: Fold::Open, routine: false, items }
    }

    pub(super) fn routine(title: &'static str, fold: Fold, items: Vec<Item>) -> Self {
        Self { title, fold, routine: true, items }
    }
}

/// Whole Markdown blocks, harmless, each ending with a newline.
pub(super) struct Item {
    pub(super) whole: String,
    /// The same in one line. Longer than the other only where that has nothing to leave out.
    pub(super) short: String,
}

impl Item {
    /// One line of a list. `text` is harmless.
    pub(super) fn line(text: &str) -> Self {
        let short = format!("- {text}\n");
        Self { whole: short.clone(), short }
    }

    /// A line of a list, and the lines that explain it: label and value, escaped.
    pub(super) fn explained(text: &str, lines: &[Line]) -> Self {
        let Self { mut whole, short } = Self::line(text);
        let mut before = "";
        for Line { label, value } in lines {
            // Of several ways out, one is enough.
            let shown = if label == "next" && before == "next" { "or" } else { label };
            before = label;
            whole.extend(["  - ", &words(shown), ": ", &code(value), "\n"]);
        }
        Self { whole, short }
    }

    pub(super) fn of(page: &Page, block: &Block, at: Option<&Place>) -> Self {
        Self::explained(&format!("{} {}", named(page, &block.address, at), code(&block.what)), &block.lines)
    }

    pub(super) fn has_details(&self) -> bool {
        self.whole != self.short
    }
}

/// A label that is ours as it is, and any other as code: the name of a field may come from outside.
fn words(label: &str) -> String {
    if matches!(label, "why" | "next" | "or" | "help") { label.to_owned() } else { code(label) }
}
