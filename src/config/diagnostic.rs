//! Faults as they are found: collected all at once, and what no message may show.

use std::ops::Range;

use super::fault::{Fault, Spot};
pub(crate) use super::fault::{code, quote};
use super::report::{Report, line_around};
use super::source::{Source, Span};
use super::suggest::is_familiar;

/// A file of nonsense must not fill the memory; nobody reads more at once.
const FAULTS_MAX: usize = 1000;
/// After so many faults, nearest names are not looked for.
const HINTED_MAX: usize = 100;
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
        let Spot { file, line, column, span } = self.place(at);
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

    pub(crate) fn place(&self, at: Span) -> Spot {
        let place = at.place(self.sources);
        Spot { file: place.file, line: place.line, column: place.column, span: at.range() }
    }

    /// The user's word in a message: escaped, and no longer than helps.
    pub(crate) fn quote(&self, word: &str) -> String {
        quote(word)
    }

    /// A key that is not known, in a message. In settings a secret may stand where a key should: what does not look
    /// like a word is not shown.
    pub(crate) fn key(&mut self, key: &str, at: Span) -> String {
        let is_word = key.len() <= 32 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_strange = self.familiar.is_some_and(|familiar| self.has_hints_enough() || !is_familiar(key, familiar));
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
