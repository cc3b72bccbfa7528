//! What is wrong, where, and what to do about it: collected all at once, rendered like a compiler's.

use std::fmt::{self, Write as _};
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin as Head, Renderer, Snippet};
use serde::Serialize;

use super::ours;
use super::source::{Source, Span};
use crate::model::untrusted::escape;

/// A file of nonsense must not fill the memory; nobody reads more at once.
const FAULTS_MAX: usize = 1000;
/// After so many faults, nearest names are not looked for.
const HINTED_MAX: usize = 100;
/// The longest stretch of a line that is shown, in bytes.
const SHOWN_MAX: usize = 240;
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
    pub place: Place,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
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

    pub(crate) fn also(&mut self, place: Place, label: &str) -> &mut Self {
        self.secondary = Some(Secondary { place, label: label.to_owned() });
        self
    }
}

/// Faults as they are found.
pub(crate) struct Faults<'s> {
    sources: &'s [Source],
    list: Vec<Fault>,
    omitted: usize,
    spare: Fault,
    hidden: Vec<(String, Range<usize>)>,
    /// In settings a secret may stand where it should not: what is not understood is not shown.
    guarded: bool,
    /// Where a file may be another's: the words at its top that are shown.
    familiar: Option<&'static [&'static str]>,
}

impl<'s> Faults<'s> {
    pub(crate) fn new(sources: &'s [Source], guarded: bool) -> Self {
        let spare = Fault {
            code: code::SYNTAX,
            message: String::new(),
            file: String::new(),
            line: 1,
            column: 1,
            span: None,
            label: String::new(),
            help: None,
            secondary: None,
        };
        Self { sources, list: Vec::new(), omitted: 0, spare, hidden: Vec::new(), guarded, familiar: None }
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.list.len() + self.omitted
    }

    /// What is added from here on is counted and not shown: nobody need find words for it.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= FAULTS_MAX
    }

    /// Whoever mistyped so many names does not read a hint for each, and comparing long ones takes its time.
    pub(crate) fn has_hints_enough(&self) -> bool {
        self.list.len() >= HINTED_MAX
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn sources(&self) -> &'s [Source] {
        self.sources
    }

    pub(crate) fn text(&self, file: usize) -> &'s str {
        self.sources.get(file).map(|source| source.text.as_str()).unwrap_or_default()
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.guarded
    }

    pub(crate) fn add(
        &mut self,
        code: &'static str,
        at: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Fault {
        let Place { file, line, column, span } = self.place(at);
        let (message, label) = (message.into(), label.into());
        let fault = Fault { code, message, file, line, column, span: Some(span), label, help: None, secondary: None };
        if self.list.len() >= FAULTS_MAX {
            self.omitted += 1;
            self.spare = fault;
            return &mut self.spare;
        }
        self.list.push(fault);
        self.list.last_mut().unwrap_or(&mut self.spare)
    }

    pub(crate) fn empty(&mut self, file: usize) {
        let message = if self.guarded {
            "the file is empty; settings start with `version: 1`"
        } else {
            "the file is empty; a desired state starts with `version: 1`"
        };
        let help =
            if self.guarded { "name an account and a sink next" } else { "then come `qlik:` and its `tenants:`" };
        // A comment may be all that is in it, and of whom.
        self.mask(Span { end: usize::MAX, ..Span::top(file) });
        self.add(code::EMPTY, Span::top(file), message, "nothing stands here").help(help);
    }

    /// What stands there is not shown, by no fault.
    pub(crate) fn mask(&mut self, at: Span) {
        let file = self.place(at).file;
        if self.hidden.len() < FAULTS_MAX {
            self.hidden.push((file, at.range()));
        } else if let Some(last) = self.hidden.last_mut() {
            // More than anybody shows: from here to the end nothing is.
            *last = (file, last.1.start.min(at.start)..usize::MAX);
        }
    }

    /// From here on, of keys that are not known only those near to these words are shown.
    pub(crate) fn familiar_only(&mut self, words: &'static [&'static str]) {
        self.familiar = Some(words);
    }

    /// Keys that are not known are shown again.
    pub(crate) fn any_key(&mut self) {
        self.familiar = None;
    }

    /// Whether all that was found since is that the file is empty.
    pub(crate) fn is_empty_file(&self, before: usize) -> bool {
        self.list.get(before..).is_some_and(|since| since.iter().all(|fault| fault.code == code::EMPTY))
    }

    /// Takes back what was found since there were `before`; the line and column of the last of it.
    pub(crate) fn forget_since(&mut self, before: usize) -> Option<(u32, u32)> {
        let last = self.list.get(before..).and_then(<[Fault]>::last).map(|fault| (fault.line, fault.column));
        self.list.truncate(before);
        self.omitted = before.saturating_sub(self.list.len());
        last
    }

    /// From the line of a place to the end of its file: what stands there is no part of what is read.
    pub(crate) fn hide_from(&mut self, at: Span) {
        let (start, _) = line_around(self.text(at.file), at.start);
        self.mask(Span { start, end: usize::MAX, ..at });
    }

    /// In settings, hides the line around a place where the YAML itself is broken: a secret may stand on it.
    pub(crate) fn hide_line(&mut self, at: Span) {
        if self.guarded {
            let (start, end) = line_around(self.text(at.file), at.start);
            self.mask(Span { start, end: end.max(at.end), ..at });
        }
    }

    pub(crate) fn place(&self, at: Span) -> Place {
        let place = at.place(self.sources);
        Place { file: place.file, line: place.line, column: place.column, span: at.range() }
    }

    /// The user's word in a message: escaped, and no longer than helps.
    pub(crate) fn quote(&self, word: &str) -> String {
        quote(word)
    }

    /// A key that is not known, in a message. In settings a secret may stand where a key should: what does not look
    /// like a word is not shown.
    pub(crate) fn key(&mut self, key: &str, at: Span) -> String {
        let is_word = key.len() <= 32 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_strange =
            self.familiar.is_some_and(|familiar| self.has_hints_enough() || !ours::is_familiar(key, familiar));
        if self.guarded && !is_word || is_strange {
            self.mask(at);
            return "(not shown)".to_owned();
        }
        quote(key)
    }

    /// What was read, where nothing is at fault.
    ///
    /// # Errors
    /// Everything that was found.
    pub(crate) fn finish<T>(mut self, read: Option<T>) -> Result<T, Report> {
        match read {
            Some(read) if self.list.is_empty() => return Ok(read),
            Some(_) => {}
            // Whoever returns nothing has said why; if not, this is better than a report without a word.
            None if self.list.is_empty() => {
                self.add(code::SYNTAX, Span::top(0), "the file cannot be read", "here");
            }
            None => {}
        }
        let mut faults = self.list;
        faults.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.code, &a.message).cmp(&(&b.file, b.line, b.column, b.code, &b.message))
        });
        Err(Report { faults, omitted: self.omitted, hidden: self.hidden })
    }
}

pub(crate) fn quote(word: &str) -> String {
    if word.chars().count() <= QUOTED_MAX {
        return format!("`{}`", escape(word));
    }
    let start: String = word.chars().take(QUOTED_MAX).collect();
    format!("`{}…`", escape(&start))
}

/// Every fault of a configuration, sorted by file, line and column. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    pub faults: Vec<Fault>,
    /// How many more there were than are listed.
    pub omitted: usize,
    /// Stretches that are not shown: somebody may have put a secret there.
    #[serde(skip)]
    hidden: Vec<(String, Range<usize>)>,
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

fn line_around(text: &str, at: usize) -> (usize, usize) {
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
