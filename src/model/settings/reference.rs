//! Where a secret of settings stands: settings name it and never hold it.

use std::path::PathBuf;

/// The place of a value that may not stand in YAML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A variable of the environment, by name.
    Env(String),
    /// A file, by its absolute path.
    File(PathBuf),
}
