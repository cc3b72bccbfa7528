//! Why a sandbox does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::files::FileError;
use super::seed::SeedError;

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(
        "another sandbox is running on the state in {}: use that one (`qlik-sandbox exec` and `control` do), stop it, or say \
         --state for one of its own",
        .0.display()
    )]
    Locked(PathBuf),
    #[error("the sandbox listens on loopback only, not on {0}: use 127.0.0.1 or [::1]")]
    NotLoopback(SocketAddr),
    #[error("the sandbox cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the sandbox cannot make its certificates or keys in {}", directory.display())]
    Certificate {
        directory: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    State(#[from] LoadError),
    #[error(transparent)]
    Seed(#[from] SeedError),
}

/// Why a state cannot be gone on with. Nothing is deleted for it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(
        "{} is missing, and {} is there: restore it, or remove the whole folder to begin anew",
        missing.display(),
        part.display()
    )]
    Missing { missing: PathBuf, part: PathBuf },
    #[error(
        "{} is of another state than {}: put back the one that belongs there, or remove the whole folder to begin anew",
        part.display(),
        head.display()
    )]
    Foreign { head: PathBuf, part: PathBuf },
    #[error(
        "{} has format {format}, which a later version wrote: use that version, or --state for a folder of its own",
        head.display()
    )]
    Later { head: PathBuf, format: u32 },
    #[error(
        "{} is not what this program wrote, line {line} column {column}: restore it, or cut it off before that line to go on \
         with what was there until then (`sed -i '{line},$d'`)",
        journal.display()
    )]
    Line { journal: PathBuf, line: usize, column: usize },
}
