//! The outcome of reading one thing. A value that can say "I could not read this".

use serde::{Deserialize, Serialize};

use super::untrusted::Untrusted;

/// The outcome of reading one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    /// The source answered, and the thing is not there.
    Absent,
    /// The thing, as it was read.
    Present(T),
    /// The reason for which nothing was read. That is never taken for [`Observed::Absent`].
    Unreadable(Unreadable),
}

impl<T> Observed<T> {
    /// Returns what was read; `None` for both absent and unreadable.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// The reason for which something could not be read, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// One sentence, lower case, without a full stop.
    pub why: Untrusted,
    /// The command or step that a person takes next.
    pub next: String,
    /// The vendor refused the credentials.
    #[serde(default)]
    pub credentials: bool,
}
