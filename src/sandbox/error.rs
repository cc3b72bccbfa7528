//! Why a sandbox does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::files::FileError;
use super::seed::SeedError;
use super::store::LoadError;

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
