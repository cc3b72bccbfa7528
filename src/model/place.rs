//! Where in a file something is declared.

use serde::{Deserialize, Serialize};

/// A place in a file. Line and column count from 1; the column counts characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file's name as it was given to the reader, for messages.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}
