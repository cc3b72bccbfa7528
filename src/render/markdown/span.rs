//! The pieces of a page, each harmless: code spans and fences for what comes from outside, links for what is ours.

use crate::model::address::Address;
use crate::model::place::Place;
use crate::render::block::place;
use crate::render::guard;

use super::page::Page;

/// A value longer than this is cut; the text and JSON formats have it whole. A single name can so not crowd out a plan.
const VALUE_MAX: usize = 300;

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

/// An escaped text as a code span, which wraps where a fence would be cut off. Nothing in it means anything: not Markdown,
/// HTML, a mention or a reference.
pub(super) fn code(text: &str) -> String {
    let text = harmless(&cut(text).replace('`', "\\u{60}"));
    // An empty span would be two marks.
    if text.trim().is_empty() { "``  ``".to_owned() } else { format!("`{text}`") }
}

/// A line of a fence. It was escaped before: it has no line end.
pub(super) fn fenced(line: &str) -> String {
    harmless(&line.replace("```", "``\\u{60}"))
}

/// A line that is no command to a CI runner, and does not look like the hidden marker to whoever searches a comment for it.
fn harmless(line: &str) -> String {
    guard::text(line.replace("<!--", "<\\u{21}--").replace("[//]", "[/\\u{2f}]"))
}

/// An object, linked to the line that declares it; where nothing can be linked to, the line is named behind it.
pub(super) fn object(page: &Page, address: &Address, at: Option<&Place>) -> String {
    named(page, &address.to_string(), at)
}

/// The same under a name of our own.
pub(super) fn named(page: &Page, name: &str, at: Option<&Place>) -> String {
    match at.map(|at| (link(page, at), at)) {
        Some((Some(url), _)) => format!("[**{name}**]({url})"),
        Some((None, at)) => format!("**{name}** ({})", code(&place(at))),
        None => format!("**{name}**"),
    }
}

/// A line of a file.
pub(super) fn line(page: &Page, at: &Place) -> String {
    let shown = code(&place(at));
    link(page, at).map(|url| format!("[{shown}]({url})")).unwrap_or(shown)
}

pub(super) fn link(page: &Page, at: &Place) -> Option<String> {
    page.origin.files.as_ref()?.line(at, page.medium)
}
