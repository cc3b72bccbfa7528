//! Finding the sandbox that runs on a state directory, or starting one.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::Method;
use jiff::Timestamp;
use tokio::time::Instant;

use super::call::{CallError, call};
use crate::sandbox::{self, FileError, Options, Running, SandboxError, Seed, Seeded, ServerFile};

/// A server that ends with its run is waited for this long; then somebody has to decide.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug, thiserror::Error)]
pub enum CliSandboxError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(
        "another run is using the sandbox in {}: wait until it ends, or run `qlik-sandbox serve` and let both attach to it",
        .0.display()
    )]
    Busy(PathBuf),
    #[error("no sandbox is running on the state in {}: start one with `qlik-sandbox serve`", .0.display())]
    NotRunning(PathBuf),
    #[error("the path {} is not UTF-8, and must be to stand in JSON and shell scripts: use another folder", .0.display())]
    NotText(PathBuf),
}

/// A sandbox to work with: this process's own, or one that runs elsewhere on the same state.
pub struct Attached(Server);

enum Server {
    Own(Running),
    Other(ServerFile),
}

/// For one run: a server that is already there, or one inside this process that ends with it.
pub async fn attach(state_dir: &Path) -> Result<Attached, CliSandboxError> {
    attach_as(state_dir, Lifetime::ThisRun).await
}

#[derive(Clone, Copy)]
pub(super) enum Lifetime {
    /// Others do not attach: the server would go away under them.
    ThisRun,
    /// Outlives what is run under it.
    Lasting,
}

pub(super) async fn attach_as(state_dir: &Path, lifetime: Lifetime) -> Result<Attached, CliSandboxError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let options = options(state_dir, any_port())?;
        let started = match lifetime {
            Lifetime::ThisRun => sandbox::start_for_one_run(options).await,
            Lifetime::Lasting => sandbox::start(options).await,
        };
        match started {
            Ok(running) => return Ok(Attached(Server::Own(running))),
            Err(SandboxError::Locked(_)) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(server) = ServerFile::read(state_dir)?.filter(|server| server.lasting)
            && answers(&server).await
        {
            return Ok(Attached(Server::Other(server)));
        }
        if Instant::now() >= deadline {
            return Err(CliSandboxError::Busy(state_dir.to_owned()));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The server that runs on this state, whatever its lifetime.
pub(super) async fn running(state_dir: &Path) -> Result<ServerFile, CliSandboxError> {
    match ServerFile::read(state_dir)? {
        Some(server) if answers(&server).await => Ok(server),
        Some(_) | None => Err(CliSandboxError::NotRunning(state_dir.to_owned())),
    }
}

/// The file may be a leftover; the one who wrote it knows the token beside it.
async fn answers(server: &ServerFile) -> bool {
    call(server, Method::GET, "/control/clock", Vec::new()).await.is_ok_and(|(status, _)| status.is_success())
}

pub(super) fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub(super) fn options(state_dir: &Path, listen: SocketAddr) -> Result<Options, CliSandboxError> {
    // Where the working directory is gone, opening the state says so.
    let whole = std::path::absolute(state_dir).unwrap_or_else(|_| state_dir.to_owned());
    if whole.to_str().is_none() {
        return Err(CliSandboxError::NotText(whole));
    }
    Ok(Options { state_dir: state_dir.to_owned(), listen, clock: Arc::new(Timestamp::now) })
}

impl Attached {
    pub fn proxy(&self) -> &str {
        match &self.0 {
            Server::Own(running) => running.proxy(),
            Server::Other(server) => &server.proxy,
        }
    }

    pub fn ca_file(&self) -> &Path {
        match &self.0 {
            Server::Own(running) => running.ca_file(),
            Server::Other(server) => &server.ca,
        }
    }

    pub async fn seed(&self, seed: &Seed) -> Result<Seeded, CliSandboxError> {
        let server = match &self.0 {
            Server::Own(running) => return Ok(running.seed(seed).await?),
            Server::Other(server) => server,
        };
        let body = serde_json::to_vec(seed).unwrap_or_default();
        let (status, body) = call(server, Method::POST, "/control/seed", body).await?;
        let refused = |text: &[u8]| CallError::Refused(String::from_utf8_lossy(text).into_owned());
        if !status.is_success() {
            // A refusal is a sentence about names; credentials are only in a success.
            return Err(refused(&body).into());
        }
        serde_json::from_slice(&body).map_err(|_| refused(b"the answer to seeding was not understood").into())
    }

    /// Ends this process's own server; another one goes on.
    pub async fn detach(self) {
        match self.0 {
            Server::Own(running) => running.stop().await,
            Server::Other(_) => {}
        }
    }
}
