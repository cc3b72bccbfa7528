//! Standard output and standard error: nothing is printed but through here, and nothing leaves that a terminal or a CI
//! runner would obey.
//!
//! A writer hands over what it has to say, whoever chose the words. That it was escaped before, piece by piece, keeps
//! columns and carets in line; that it is safe is decided here, for the whole.

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::render::guard;

/// To the line's beginning, and nothing on it.
const CLEAR: &str = "\r\x1b[2K";

static OUT_USED: AtomicBool = AtomicBool::new(false);
static ERR_USED: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What a text is, which decides how it is escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// For people.
    Lines,
    /// For people, in colours of ours.
    Styled,
    Json,
    /// Workflow commands of our own, one a line.
    Commands,
    /// Lines for a shell, with tabs between what a line is made of.
    Columns,
}

impl Kind {
    pub(super) fn lines(styled: bool) -> Self {
        if styled { Self::Styled } else { Self::Lines }
    }

    pub(super) fn guard(self, text: &str) -> String {
        match self {
            Self::Lines => guard::lines(text, false),
            Self::Styled => guard::lines(text, true),
            Self::Json => guard::json(text),
            Self::Commands => guard::commands(text),
            Self::Columns => text.split('\t').map(|column| guard::lines(column, false)).collect::<Vec<_>>().join("\t"),
        }
    }
}

impl Stream {
    /// Prints a text as it stands, but for what is escaped.
    pub(super) fn print(self, kind: Kind, text: &str) -> io::Result<()> {
        self.write(&kind.guard(text))
    }

    /// Says something on lines of its own.
    pub(super) fn say(self, kind: Kind, text: &str) -> io::Result<()> {
        self.write(&(kind.guard(text.trim_end_matches('\n')) + "\n"))
    }

    /// Draws over the line that the cursor stands on; nothing takes it away.
    pub(super) fn redraw(self, kind: Kind, text: &str) -> io::Result<()> {
        self.write(&format!("{CLEAR}{}", kind.guard(text)))
    }

    pub(super) fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    /// The terminal's width.
    pub(super) fn columns(self) -> Option<usize> {
        let size = match self {
            Self::Out => rustix::termios::tcgetwinsize(io::stdout()),
            Self::Err => rustix::termios::tcgetwinsize(io::stderr()),
        };
        size.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }

    /// Whether nothing was printed on it.
    pub(super) fn is_unused(self) -> bool {
        match self {
            Self::Out => !OUT_USED.load(Ordering::Relaxed),
            Self::Err => !ERR_USED.load(Ordering::Relaxed),
        }
    }

    fn write(self, text: &str) -> io::Result<()> {
        let used = match self {
            Self::Out => &OUT_USED,
            Self::Err => &ERR_USED,
        };
        used.fetch_or(!text.is_empty(), Ordering::Relaxed);
        let write = |stream: &mut dyn Write| stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
        match self {
            Self::Out => write(&mut io::stdout().lock()),
            Self::Err => write(&mut io::stderr().lock()),
        }
    }
}
