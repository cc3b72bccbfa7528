//! A stateful stand-in for the vendors' clouds: a proxy on loopback that answers for their hosts with its own certificates.
//!
//! Written from the vendors' documents. It shares no types with `provider`, so that the two cannot share a misreading.
//! What it serves, where the documents are silent, and how to script trouble: `docs/sandbox.md`.

mod call;
mod certificate;
mod cloud;
mod control;
mod earlier;
mod edit;
mod ending;
mod error;
mod exchange;
mod fault;
mod files;
mod imburse;
mod journal;
mod jwt;
mod members;
mod people;
mod proxy;
mod qlik;
mod random;
mod reply;
mod seed;
mod shelf;
mod state;
mod store;
mod switches;
mod tenant;
#[cfg(test)]
mod tests;
mod token;
mod vendor;
mod view;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use self::certificate::Authority;
use self::cloud::Cloud;
pub(crate) use self::control::CALLS;
pub use self::error::{LoadError, SandboxError};
pub use self::files::FileError;
pub use self::imburse::{SeedImburse, SeedImburseError, SeededImburse, SeededPair};
use self::jwt::Signer;
pub use self::seed::{Seed, SeedAccount, SeedError, SeedOwner, Seeded, SeededAccount, SeededClient, SeededOwner};
use self::store::Store;

pub struct Options {
    /// Made where it is missing; one server at a time.
    pub state_dir: PathBuf,
    /// Where the proxy listens: loopback only. The control API takes a free port of its own.
    pub listen: SocketAddr,
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

/// A server that runs until it is stopped or dropped with its runtime.
pub struct Running {
    cloud: Arc<Cloud>,
    proxy: String,
    control: String,
    authority: Arc<Authority>,
    token_file: PathBuf,
    server_file: PathBuf,
    stop: watch::Sender<bool>,
    alive: mpsc::Sender<()>,
    gone: mpsc::Receiver<()>,
}

/// How others find a running server: `server.json` in its state directory. Stale where nobody holds the lock.
#[derive(Serialize, Deserialize)]
pub(crate) struct ServerFile {
    pub(crate) proxy: String,
    pub(crate) ca: PathBuf,
    pub(crate) control: String,
    pub(crate) control_token_file: PathBuf,
    /// Whether it stays until somebody stops it. A server inside one plan or apply ends with that run.
    pub(crate) lasting: bool,
}

impl ServerFile {
    pub(crate) fn read(state_dir: &Path) -> Result<Option<Self>, FileError> {
        files::read_json(&state_dir.join("server.json"))
    }
}

/// Writes a file only its owner can read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    files::write(path, bytes)
}

/// Starts a server that others may attach to.
pub async fn start(options: Options) -> Result<Running, SandboxError> {
    start_as(options, true).await
}

/// Starts a server that ends with this process's one job.
pub(crate) async fn start_for_one_run(options: Options) -> Result<Running, SandboxError> {
    start_as(options, false).await
}

async fn start_as(options: Options, lasting: bool) -> Result<Running, SandboxError> {
    let Options { state_dir, listen, clock } = options;
    if !listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(listen));
    }
    let mut store = Store::open(&state_dir)?.ok_or_else(|| SandboxError::Locked(state_dir.clone()))?;
    let directory = state_dir.canonicalize().unwrap_or(state_dir);
    let state = store.load()?;
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| SandboxError::Certificate {
        directory: directory.clone(),
        source,
    };
    let authority = Arc::new(Authority::open(&directory).map_err(|error| unusable(Box::new(error)))?);
    let signer = Signer::new().map_err(|error| unusable(Box::new(error)))?;

    let (proxy, proxy_address) = bind(listen).await?;
    let (control, control_address) = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let token = random::secret();
    let token_file = directory.join("control-token");
    files::write(&token_file, token.as_bytes())?;

    let (stop, stopping) = watch::channel(false);
    let (alive, gone) = mpsc::channel(1);
    let cloud = Arc::new(Cloud::new((state, store), clock, signer, stopping, alive.downgrade()));
    let running = Running {
        proxy: format!("http://{proxy_address}"),
        control: format!("http://{control_address}"),
        authority: Arc::clone(&authority),
        token_file,
        server_file: directory.join("server.json"),
        cloud: Arc::clone(&cloud),
        stop,
        alive,
        gone,
    };
    running.announce(lasting)?;
    drop(cloud.spawn(proxy::serve(Arc::clone(&cloud), authority, proxy)));
    drop(cloud.spawn(control::serve(Arc::clone(&cloud), token.into(), control)));
    Ok(running)
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SandboxError> {
    let failed = |source| SandboxError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

impl Running {
    /// For `HTTPS_PROXY`.
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The certificate to trust, in PEM.
    pub fn ca_file(&self) -> &Path {
        self.authority.file()
    }

    pub fn control(&self) -> &str {
        &self.control
    }

    pub fn control_token_file(&self) -> &Path {
        &self.token_file
    }

    pub async fn seed(&self, seed: &Seed) -> Result<Seeded, SandboxError> {
        control::seed_directly(&self.cloud, seed)
    }

    /// Ends every connection and waits until nothing of the server is left; the state can be opened again after.
    pub async fn stop(self) {
        let Self { cloud, proxy: _, control: _, authority: _, token_file: _, server_file, stop, alive, mut gone } =
            self;
        // Others must not find a server that is going away. A leftover is ignored: nobody holds the lock.
        let _ = files::remove(&server_file);
        stop.send_replace(true);
        drop(alive);
        // Nothing is ever sent: this ends when the last task has let go.
        while gone.recv().await.is_some() {}
        drop(cloud);
    }

    fn announce(&self, lasting: bool) -> Result<(), FileError> {
        let file = ServerFile {
            proxy: self.proxy.clone(),
            ca: self.ca_file().to_owned(),
            control: self.control.clone(),
            control_token_file: self.token_file.clone(),
            lasting,
        };
        files::write(&self.server_file, &serde_json::to_vec(&file).unwrap_or_default())
    }
}
