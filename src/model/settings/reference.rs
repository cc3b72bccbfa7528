//! Where a secret of settings stands: settings name it and never hold it.

use std::path::PathBuf;

use super::super::untrusted::escape;

/// The place of a value that may not stand in YAML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A variable of the environment, by name.
    Env(String),
    /// A file, by its absolute path.
    File(PathBuf),
    /// A program that prints it.
    Command {
        /// The program and its arguments, as written. A program with a slash is below `folder`.
        argv: Vec<String>,
        /// The settings file's folder, as an absolute path. The program runs there.
        folder: PathBuf,
    },
}

impl Reference {
    /// Returns the place for messages: the variable, the file or the program.
    pub fn place(&self) -> String {
        match self {
            Self::Env(name) => name.clone(),
            Self::File(path) => path.display().to_string(),
            Self::Command { argv, .. } => escape(argv.first().map(String::as_str).unwrap_or_default()),
        }
    }
}
