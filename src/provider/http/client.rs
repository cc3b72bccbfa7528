//! The clients of one vendor's wire and the sending of one request; what every client keeps to stands in `net`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Client, Method, Response};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::model::clock::Clocks;
use crate::model::secret::Secret;
use crate::model::wait::{Waits, asked_to_wait, http_date};
use crate::net::{self, BuildError, Connections, Obstacle, Proxy, Roots, Unread, Way};

use super::classify::Body;
use super::fault::{self, Fault};
use super::gate::{Shared, Tiers};
use super::target::Target;

/// How the network is reached. Values; the settings and the environment were read elsewhere.
pub struct NetworkOptions {
    /// Of settings or environment.
    pub proxy: Option<Arc<Proxy>>,
    /// Whom servers are vouched for by.
    pub trust: Roots,
    /// Whether `HTTPS_PROXY` and the like are to be ignored.
    pub ignore_env_proxy: bool,
    pub timeouts: Timeouts,
    /// `qlik-plan/0.1.0 (linux)`.
    pub user_agent: String,
    /// What the run waits for.
    pub waits: Waits,
    /// What servers say the time is, of all vendors.
    pub clocks: Clocks,
    /// How many requests they take.
    pub tiers: Tiers,
    /// Hosts that other shards of the run send to as well.
    pub shared: Shared,
}

impl NetworkOptions {
    fn way(&self, connections: Connections) -> Way<'_> {
        Way {
            proxy: self.proxy.as_deref(),
            trust: &self.trust,
            ignore_env_proxy: self.ignore_env_proxy,
            user_agent: &self.user_agent,
            connect: self.timeouts.connect,
            // The longest; each request says its own.
            whole: self.timeouts.create,
            loopback: false,
            connections,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    /// From start to the reply's last byte.
    pub request: Duration,
    /// The same, for a request that creates: giving up early there leaves a doubt that costs more than waiting.
    pub create: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30), create: Duration::from_secs(120) }
    }
}

/// Which connection a request takes, and how long it may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The host's. One that turns out to be closed before a request's first byte was handed to it is replaced; a request that may
    /// have been sent is never sent again below us.
    Shared,
    /// The host's, with the longer time-out.
    Create,
    /// A connection of its own, with the longer time-out: no server can have closed it in the moment that it was needed, which
    /// would leave a doubt that only a person ends.
    CreateAlone,
}

/// What we ever do with a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

impl std::fmt::Display for Verb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.method().as_str())
    }
}

/// One request.
pub(crate) struct Ask<'a> {
    pub(crate) verb: Verb,
    pub(crate) target: &'a Target,
    /// The header's whole value.
    pub(crate) authorization: Option<&'a Secret>,
    pub(crate) headers: &'a [(&'static str, String)],
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) lane: Lane,
}

/// What came of sending it.
pub(crate) enum Reply {
    NotSent(Fault),
    Lost(Fault),
    Answered(Head, Result<Zeroizing<Vec<u8>>, Fault>),
}

/// What of a reply's status line and headers anyone needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) date: Option<Timestamp>,
    /// In seconds, as the vendor said it.
    pub(crate) retry_after: Option<u64>,
    pub(crate) location: Option<String>,
    pub(crate) trace: Option<String>,
    /// Whether the media type is JSON, or none was given.
    pub(crate) json: bool,
}

impl Head {
    fn of(response: &Response) -> Self {
        let headers = response.headers();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(DATE.as_str()).and_then(http_date);
        Self {
            status: response.status().as_u16(),
            date,
            retry_after: text(RETRY_AFTER.as_str()).and_then(|value| asked_to_wait(value, date)),
            location: text(LOCATION.as_str()).map(str::to_owned),
            trace: text("x-b3-traceid").map(|id| id.chars().take(64).collect()),
            json: text(CONTENT_TYPE.as_str()).is_none_or(|kind| kind.to_ascii_lowercase().contains("json")),
        }
    }

    pub(crate) fn body(&self, body: &Result<Zeroizing<Vec<u8>>, Fault>) -> Body {
        match body {
            Err(_) => Body::Broken,
            Ok(bytes) if bytes.is_empty() => Body::Empty,
            Ok(_) if self.json => Body::Json,
            Ok(_) => Body::Other,
        }
    }
}

/// Far above any page of a hundred entries.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The clients, and what every request of a run shares.
pub(crate) struct Wire {
    network: NetworkOptions,
    /// A client for each host that is worked on: its connections go with it, so that as many are open as hosts are worked on.
    hosts: Mutex<HashMap<String, Client>>,
    alone: Client,
    permits: Semaphore,
    pub(crate) parallelism: usize,
    sent: AtomicU64,
}

impl Wire {
    pub(crate) fn new(network: NetworkOptions, parallelism: usize) -> Result<Self, BuildError> {
        Ok(Self {
            alone: net::client(&network.way(Connections::Own))?,
            network,
            hosts: Mutex::default(),
            // A host that is worked on, and one that is being left, for each.
            permits: Semaphore::new(parallelism.saturating_mul(2).clamp(1, Semaphore::MAX_PERMITS)),
            parallelism: parallelism.max(1),
            sent: AtomicU64::new(0),
        })
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.network.shared
    }

    pub(super) fn tiers(&self) -> Tiers {
        self.network.tiers
    }

    pub(super) fn waits(&self) -> &Waits {
        &self.network.waits
    }

    pub(crate) fn clocks(&self) -> &Clocks {
        &self.network.clocks
    }

    pub(crate) fn server_time(&self) -> Option<Timestamp> {
        self.clocks().now()
    }

    fn client_of(&self, host: &str) -> Result<Client, BuildError> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = hosts.get(host) {
            return Ok(client.clone());
        }
        let client = net::client(&self.network.way(Connections::Brief))?;
        hosts.insert(host.to_owned(), client.clone());
        Ok(client)
    }

    /// Closes the connections to a host that nothing is asked of for now. What is under way there ends as it would have.
    pub(crate) fn leave(&self, host: &str) {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    pub(crate) fn requests_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends one request once.
    pub(crate) async fn send(&self, ask: Ask<'_>) -> Reply {
        // The semaphore is never closed; if it were, sending without a permit would still be right.
        let _permit = self.permits.acquire().await.ok();
        let timeouts = self.network.timeouts;
        let (client, limit) = match ask.lane {
            Lane::Shared => (self.client_of(ask.target.host()), timeouts.request),
            Lane::Create => (self.client_of(ask.target.host()), timeouts.create),
            Lane::CreateAlone => (Ok(self.alone.clone()), timeouts.create),
        };
        let client = match client {
            Ok(client) => client,
            Err(error) => return Reply::NotSent(Fault::Connect(error.to_string())),
        };
        let mut request = client
            .request(ask.verb.method(), ask.target.url().clone())
            .timeout(limit)
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = ask.authorization {
            let Ok(mut value) = HeaderValue::from_str(authorization.expose()) else {
                return Reply::NotSent(Fault::Request("the credential holds a character that no header can carry"));
            };
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        for (name, value) in ask.headers {
            let Ok(value) = HeaderValue::from_str(value) else {
                return Reply::NotSent(Fault::Request("an id in settings holds a character that no header can carry"));
            };
            request = request.header(*name, value);
        }
        if let Some(body) = ask.body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_vec());
        }
        let _waiting = self.waits().begin(format!("{}: no answer yet", ask.target.host()), limit);
        let url = ask.target.url();
        let mut asking = self.waits().requests().ask(ask.verb.method().as_str(), ask.target.host(), url.path());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = error.without_url();
                if error.is_connect() && !error.is_timeout() {
                    let authority = format!("{}:443", ask.target.host());
                    if let Some(obstacle) = Obstacle::of(&error, self.network.proxy.as_deref(), &authority).await {
                        return Reply::NotSent(Fault::Obstacle(obstacle));
                    }
                }
                let (never_sent, fault) = fault::of_sending(&error, timeouts.connect, limit);
                if never_sent {
                    return Reply::NotSent(fault);
                }
                self.sent.fetch_add(1, Ordering::Relaxed);
                return Reply::Lost(fault);
            }
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        let head = Head::of(&response);
        asking.answered(head.status);
        if let Some(date) = head.date {
            self.clocks().hear(ask.target.host(), date);
        }
        let body = net::body(response, LARGEST_BODY).await.map_err(|unread| match unread {
            Unread::TooLarge => Fault::BodyTooLarge,
            Unread::Broken(error) => fault::of_body(&error, limit),
        });
        Reply::Answered(head, body)
    }
}
