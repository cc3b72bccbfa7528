//! Where in a file something is declared.

use serde::{Deserialize, Serialize};

/// A place in a file. Line and column count from 1; the column counts characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
}
