//! What became of reading one thing. A value that can say "I could not read this".

use serde::{Deserialize, Serialize};

use super::untrusted::Untrusted;

/// What became of reading one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed<T> {
    Absent,
    Present(T),
    Unreadable(Unreadable),
}

impl<T> Observed<T> {
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

/// Why something could not be read, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    pub why: Untrusted,
    pub next: String,
    /// The vendor refused the credentials.
    #[serde(default)]
    pub credentials: bool,
}
