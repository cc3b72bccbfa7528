//! The way to a store of secrets: one origin, no redirects, no hidden repetition, and nothing of a request in any message.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::model::origin::Origin;
use crate::model::wait::{PATIENCE, STEP, Stake, Waits, asked_to_wait, http_date};
use crate::net::{self, BuildError, Connections, Obstacle, Proxy, Roots, Unread, Way, causes};

use super::access::Access;

/// Far more than any secret.
const LARGEST: usize = 4 * 1024 * 1024;

/// A read may be repeated. A write never is: what became of it is read back.
const READ_ATTEMPTS: u32 = 3;

/// What came of one request.
pub(super) enum Reply {
    /// It never left.
    NotSent(String),
    /// It left, and nobody knows what became of it.
    Lost(String),
    Answered(Answer),
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
    /// It asks to be left alone for so many seconds, as a quota does.
    pub(super) wait: Option<u64>,
}

pub(super) struct Wire {
    client: Client,
    origin: Origin,
    timeout: Duration,
    waits: Waits,
    proxy: Option<Arc<Proxy>>,
}

impl Wire {
    pub(super) fn new(origin: Origin, access: &Access) -> Result<Self, String> {
        let client = Roots::read(&access.ca_pem).and_then(|trust| {
            net::client(&Way {
                proxy: access.proxy.as_deref(),
                trust: &trust,
                ignore_env_proxy: access.ignore_env_proxy,
                user_agent: &access.user_agent,
                connect: access.timeout.min(Duration::from_secs(10)),
                whole: access.timeout,
                loopback: origin.is_loopback(),
                connections: Connections::Own,
            })
        });
        let client = client.map_err(|error| match error {
            BuildError::Proxy(malformed) => malformed.to_string(),
            // Of the network, or the sink's own.
            BuildError::Certificates => "a ca_file holds no certificate in PEM form".to_owned(),
            BuildError::Client(why) => why,
        })?;
        let (waits, proxy) = (access.waits.clone(), access.proxy.clone());
        Ok(Self { client, origin, timeout: access.timeout, waits, proxy })
    }

    /// Sends one request once. `path` begins with a slash; `headers` that are credentials are marked so.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Reply {
        let mut asking = self.waits.requests().ask(method.as_str(), &self.origin.to_string(), path);
        let mut request = self.client.request(method, format!("{}{path}", self.origin)).headers(headers);
        if let Some(body) = body {
            request = request.body(body.to_vec());
        }
        let _waiting = self.waits.begin(format!("{}: no answer yet", self.origin), self.timeout);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let never_sent = error.is_connect() || error.is_builder();
                let words = self.words(error.without_url()).await;
                return if never_sent { Reply::NotSent(words) } else { Reply::Lost(words) };
            }
        };
        let status = response.status().as_u16();
        asking.answered(status);
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let date = header(DATE.as_str()).and_then(http_date);
        let wait = header(RETRY_AFTER.as_str()).and_then(|value| asked_to_wait(value, date));
        match net::body(response, LARGEST).await {
            Ok(body) => Reply::Answered(Answer { status, body, wait }),
            Err(Unread::TooLarge) => Reply::Lost("the reply is larger than 4 MiB".to_owned()),
            Err(Unread::Broken(error)) => Reply::Lost(self.words(error.without_url()).await),
        }
    }

    /// Asks, and asks again where it was not answered or is asked too much: the last reply. For reads alone.
    pub(super) async fn ask(&self, method: Method, path: &str, headers: &HeaderMap, body: Option<&[u8]>) -> Reply {
        let mut left = PATIENCE;
        let mut attempt = 1;
        loop {
            let body = body.map(|body| Zeroizing::new(body.to_vec()));
            let reply = self.send(method.clone(), path, headers.clone(), body).await;
            let asked = match &reply {
                Reply::Answered(Answer { status: 429 | 500..=599, wait, .. }) => *wait,
                Reply::Answered(_) => return reply,
                Reply::NotSent(_) | Reply::Lost(_) => None,
            };
            let pause = asked.map_or(Duration::from_millis(100) * 4_u32.pow(attempt), Duration::from_secs);
            // Asked again too early, it only asks for more.
            if attempt == READ_ATTEMPTS || pause > left || !self.pause(pause).await {
                return reply;
            }
            left -= pause;
            attempt += 1;
        }
    }

    /// Lets time pass before it is asked again; `false` where the run ends meanwhile.
    pub(super) async fn pause(&self, how_long: Duration) -> bool {
        let seconds = how_long.as_secs();
        let _waiting = self.waits.begin(format!("{}: it asks for {seconds} s", self.origin), how_long);
        let began = Instant::now();
        loop {
            let left = how_long.saturating_sub(began.elapsed());
            if left.is_zero() {
                return true;
            }
            if self.waits.is_over(Stake::Nothing, left).is_some() {
                return false;
            }
            tokio::time::sleep(left.min(STEP)).await;
        }
    }

    async fn words(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no reply within {} s", self.timeout.as_secs());
        }
        let authority = self.origin.authority();
        match Obstacle::of(&error, self.proxy.as_deref(), &authority).await {
            Some(obstacle) => format!("{}; {}", obstacle.words(&authority), obstacle.next()),
            None => causes(&error).pop().unwrap_or_else(|| error.to_string()),
        }
    }
}
