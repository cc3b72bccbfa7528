//! Every fault of a configuration, rendered like a compiler's.

use std::fmt::{self, Write as _};
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin as Head, Renderer, Snippet};
use serde::Serialize;

use super::fault::{Fault, Secondary};
use super::source::Source;
use crate::model::untrusted::escape;

/// The longest stretch of a line that is shown, in bytes.
const SHOWN_MAX: usize = 240;

/// Every fault of a configuration, sorted by file, line and column. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub faults: Vec<Fault>,
    /// How many more there were than are listed.
    pub omitted: usize,
    /// Stretches that are not shown: somebody may have put a secret there.
    #[serde(skip)]
    pub(super) hidden: Vec<(String, Range<usize>)>,
}

impl Report {
    /// For people: each fault with its line. `sources` are those that were read.
    pub fn render(&self, sources: &[Source], styled: bool) -> String {
        let renderer = if styled { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut out = String::new();
        for fault in &self.faults {
            for line in renderer.render(&[self.group(fault, sources)]).lines() {
                // The renderer announces a file without a name where the name already stands above.
                if anstream::adapter::strip_str(line).to_string().trim() != ":::" {
                    out.push_str(line);
                    out.push('\n');
                }
            }
            out.push('\n');
        }
        let count = self.faults.len() + self.omitted;
        let noun = if count == 1 { "error" } else { "errors" };
        let shown = if self.omitted == 0 { String::new() } else { format!(", the first {} shown", self.faults.len()) };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{count} {noun} in the configuration{shown}");
        out
    }

    fn group<'a>(&self, fault: &'a Fault, sources: &[Source]) -> Group<'a> {
        let title = Level::ERROR.primary_title(escape(&fault.message)).id(fault.code);
        let mut group = title.element(head(&fault.file, fault.line, fault.column));
        let first = fault.span.clone().unwrap_or(0..0);
        group =
            group.elements(self.line(sources, &fault.file, fault.line, first, &fault.label, AnnotationKind::Primary));
        if let Some(Secondary { place, label }) = &fault.secondary {
            group = group.element(head(&place.file, place.line, place.column));
            let line = self.line(sources, &place.file, place.line, place.span.clone(), label, AnnotationKind::Context);
            group = group.elements(line);
        }
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(escape(help)));
        }
        group
    }

    /// The one line that a place begins on, safe for a terminal, with the place marked.
    fn line<'a>(
        &self,
        sources: &[Source],
        file: &str,
        line: u32,
        span: Range<usize>,
        label: &str,
        kind: AnnotationKind,
    ) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
        let text = &sources.iter().find(|source| source.name == file)?.text;
        let masks: Vec<&Range<usize>> = self.hidden.iter().filter(|(f, _)| f == file).map(|(_, range)| range).collect();
        let (shown, marked) = show(text, span, &masks);
        let annotation = kind.span(marked).label(escape(label));
        Some(Snippet::source(shown).line_start(usize::try_from(line).unwrap_or(1)).annotation(annotation))
    }
}

fn head<'a>(file: &str, line: u32, column: u32) -> Head<'a> {
    let number = |n: u32| usize::try_from(n).unwrap_or(1);
    Head::path(escape(file)).line(number(line)).char_column(number(column))
}

pub(super) fn line_around(text: &str, at: usize) -> (usize, usize) {
    let at = text.floor_char_boundary(at);
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = text.get(at..).and_then(|after| after.find('\n')).map_or(text.len(), |newline| at + newline);
    (start, end)
}

/// The line around `span`, shortened where it is long, with hostile characters escaped and hidden stretches left out;
/// and where the span is in what is shown.
fn show(text: &str, span: Range<usize>, masks: &[&Range<usize>]) -> (String, Range<usize>) {
    let (mut start, mut end) = line_around(text, span.start);
    end = start + text.get(start..end).map_or(0, |line| line.trim_end_matches('\r').len());
    let mut shown = String::new();
    if end - start > SHOWN_MAX {
        let from = text.floor_char_boundary(span.start.saturating_sub(SHOWN_MAX / 3)).max(start);
        if from > start {
            shown.push('…');
        }
        start = from;
        end = text.floor_char_boundary(start + SHOWN_MAX).min(end);
    }
    let masks: Vec<_> = masks.iter().filter(|mask| mask.start < end && mask.end > start).collect();
    let (mut from, mut to) = (None, None);
    let mut at = start;
    while at < end {
        let mask = masks.iter().find(|mask| mask.contains(&at));
        let next = mask.map_or_else(
            || at + text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8),
            |mask| mask.end.min(end),
        );
        if from.is_none() && span.start < next {
            from = Some(shown.len());
        }
        if to.is_none() && span.end <= at {
            to = Some(shown.len());
        }
        match mask {
            Some(_) => shown.push('…'),
            // A runner would take `##[` for a command. What is printed is guarded as a whole, too late for the carets.
            None if text.get(at..next) == Some("#") && shown.ends_with('#') => shown.push_str("\\u{23}"),
            None => shown.push_str(&escape(text.get(at..next).unwrap_or_default())),
        }
        at = next;
    }
    let from = from.unwrap_or(shown.len());
    let to = to.unwrap_or(shown.len()).max(from);
    (shown, from..to)
}

impl fmt::Display for Report {
    /// One line a fault, without the file's lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let (file, message) = (escape(&fault.file), escape(&fault.message));
            write!(f, "{gap}{file}:{}:{}: {message} [{}]", fault.line, fault.column, fault.code)?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
