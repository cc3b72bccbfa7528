//! A file as it was read, and places in it.

use std::ops::Range;

use crate::model::place::Place;

/// A configuration file, read whole.
pub struct Source {
    /// The path as shown to the user.
    pub name: String,
    pub text: String,
}

/// A stretch of one of the sources. Line and column count from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    /// The place of the file among the sources.
    pub(crate) file: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Bytes.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn top(file: usize) -> Self {
        Self { file, line: 1, column: 1, start: 0, end: 0 }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.end.max(self.start)
    }

    pub(crate) fn place(self, sources: &[Source]) -> Place {
        let file = sources.get(self.file).map(|source| source.name.clone()).unwrap_or_default();
        Place { file, line: self.line, column: self.column }
    }
}

/// Something that was read, and where it stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) at: Span,
}
