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

impl Reference {
    /// Returns the place for messages: the variable, or the file.
    pub fn place(&self) -> String {
        match self {
            Self::Env(name) => name.clone(),
            Self::File(path) => path.display().to_string(),
        }
    }
}
