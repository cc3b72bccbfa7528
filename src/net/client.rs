//! The one HTTP client: the rules that hold for vendors, vaults and stores alike, and by name what differs between them.

use std::time::Duration;

use reqwest::{Client, Response, redirect, retry};
use zeroize::Zeroizing;

use super::build_error::BuildError;
use super::obstacle::causes;
use super::proxy::Proxy;
use super::roots::Roots;

/// What a client is told. The rules that have no field here hold for everybody: HTTP/1.1, no redirect, no repetition, no referer,
/// and what [`Roots`] says of TLS.
pub struct Way<'a> {
    /// Of settings or environment.
    pub proxy: Option<&'a Proxy>,
    pub trust: &'a Roots,
    /// Whether `HTTPS_PROXY` and the like are to be ignored.
    pub ignore_env_proxy: bool,
    /// `qlik-plan/0.1.0 (linux)`.
    pub user_agent: &'a str,
    /// How long a connection may take to come to be.
    pub connect: Duration,
    /// From start to the reply's last byte, where a request says nothing else.
    pub whole: Duration,
    /// Whether the server is on loopback: plain http may be spoken with it, and no proxy stands before it. No vendor is.
    pub loopback: bool,
    pub connections: Connections,
}

/// Whether requests share connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// One for each request: nothing can have closed it meanwhile, and nothing below us can send the request again.
    Own,
    /// A few for each host, for two seconds: a host is read in one go, and what is changed there follows at once.
    Brief,
    /// As the client's library keeps them: one host, asked throughout a run, which refuses what comes twice.
    Kept,
}

/// Makes a client, from certificates that are read already: a client for each host costs next to nothing. Nothing is sent.
/// https only, but for loopback: plain http may be spoken there, and it is reached directly.
///
/// # Errors
/// A proxy that cannot be used.
pub fn client(way: &Way<'_>) -> Result<Client, BuildError> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(way.trust.config())
        .https_only(!way.loopback)
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(way.connect)
        .timeout(way.whole)
        .user_agent(way.user_agent);
    builder = match way.connections {
        Connections::Own => builder.pool_max_idle_per_host(0),
        Connections::Brief => builder.pool_idle_timeout(Duration::from_secs(2)).pool_max_idle_per_host(4),
        Connections::Kept => builder,
    };
    if way.loopback || way.ignore_env_proxy {
        builder = builder.no_proxy();
    }
    if let Some(proxy) = way.proxy.filter(|_| !way.loopback) {
        builder = builder.proxy(proxy.client()?);
    }
    builder
        .build()
        .map_err(|error| BuildError::Client(causes(&error).pop().unwrap_or_else(|| "unknown reason".to_owned())))
}

/// Why a reply has no whole body.
#[derive(Debug)]
pub enum Unread {
    TooLarge,
    Broken(reqwest::Error),
}

/// A reply's body, if it is no larger than `most`. What is larger is left where it is.
///
/// # Errors
/// It is too large, or does not come to its end.
pub async fn body(mut response: Response, most: usize) -> Result<Zeroizing<Vec<u8>>, Unread> {
    let mut body = Zeroizing::new(Vec::new());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => return Err(Unread::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Unread::Broken(error)),
        }
    }
}
