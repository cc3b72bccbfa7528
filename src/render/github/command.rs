//! One workflow command: `::error title=…,file=…,line=…,col=…::message`, escaped as GitHub's own toolkit does.

use std::fmt;

use serde::Serialize;

use crate::model::place::Place;

/// How loud an annotation is. The order is that of writing: the loudest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    pub(super) const ALL: [Self; 3] = [Self::Error, Self::Warning, Self::Notice];

    fn command(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation, before it is escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Annotation {
    pub level: Level,
    pub title: String,
    /// May have several lines.
    pub message: String,
    pub at: Option<Place>,
}

impl Annotation {
    /// Says one thing more of the same object.
    pub(super) fn add(&mut self, what: &str, said: &str) {
        self.title.push_str(", ");
        self.title.push_str(what);
        // Lines that are there already (the account, the tenant) need not be read twice.
        for line in said.lines() {
            if !self.message.lines().any(|known| known == line) {
                self.message.push('\n');
                self.message.push_str(line);
            }
        }
    }
}

impl fmt::Display for Annotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, title, message, at } = self;
        write!(f, "::{} title={}", level.command(), property(title))?;
        if let Some(Place { file, line, column }) = at {
            write!(f, ",file={},line={line},col={column}", property(file))?;
        }
        write!(f, "::{}", data(message))
    }
}

fn data(text: &str) -> String {
    // The percent sign first: it begins every escape.
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
