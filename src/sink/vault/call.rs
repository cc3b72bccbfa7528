//! Requests to a vault: how one is sent, and how one that may be repeated is asked until it is answered.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::model::settings;
use crate::model::wait::PATIENCE;

use super::super::access::Access;
use super::super::wire::{Answer, Reply, Wire};

/// A read may be repeated. A write never is: what became of it is read back.
const ATTEMPTS: u32 = 3;

/// What is sent.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Begins after `/v1/`.
    pub(super) path: &'a str,
    pub(super) token: Option<&'a Secret>,
    pub(super) body: Option<Zeroizing<Vec<u8>>>,
}

/// Why there is no answer to go by.
pub(super) enum Trouble {
    /// It is asked too much, or not well.
    Answered(Answer),
    NoAnswer(String),
    /// Nothing can be sent at all.
    NoWay(String),
}

/// Whether a request whose answer was lost may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Again,
    Once,
}

/// The way to one vault and namespace.
pub(super) struct Caller {
    wire: Result<Wire, String>,
    namespace: Option<String>,
}

impl Caller {
    pub(super) fn of(settings: &settings::VaultSink, access: &Access) -> Self {
        Self { wire: Wire::new(settings.address.clone(), access), namespace: settings.namespace.clone() }
    }

    /// Sends one request once.
    ///
    /// # Errors
    /// Nothing can be sent: proxy or certificates are not what they should be.
    pub(super) async fn send(&self, ask: Ask<'_>) -> Result<Reply, String> {
        let wire = self.wire.as_ref().map_err(Clone::clone)?;
        let mut headers = HeaderMap::new();
        // Asked for by agents that stand before a vault.
        headers.insert(HeaderName::from_static("x-vault-request"), HeaderValue::from_static("true"));
        if let Some(token) = ask.token {
            let Ok(mut token) = HeaderValue::from_str(token.expose()) else {
                return Ok(Reply::NotSent("the token holds a character that no header can carry".to_owned()));
            };
            token.set_sensitive(true);
            headers.insert(HeaderName::from_static("x-vault-token"), token);
        }
        if let Some(namespace) = &self.namespace {
            let Ok(namespace) = HeaderValue::from_str(namespace) else {
                return Ok(Reply::NotSent("the namespace holds a character that no header can carry".to_owned()));
            };
            headers.insert(HeaderName::from_static("x-vault-namespace"), namespace);
        }
        if ask.body.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(wire.send(ask.method, &format!("/v1/{}", ask.path), headers, ask.body).await)
    }

    /// Asks, and asks again where it was not answered.
    pub(super) async fn ask(&self, ask: Ask<'_>, lost: Lost) -> Result<Answer, Trouble> {
        let Ask { method, path, token, body } = ask;
        let wire = self.wire.as_ref().map_err(|why| Trouble::NoWay(why.clone()))?;
        let send = async || {
            let once = Ask { method: method.clone(), path, token, body: body.clone() };
            self.send(once).await.unwrap_or_else(Reply::NotSent)
        };
        asked(wire, lost, send).await
    }
}

/// Sends until it is answered, but no more than a few times.
pub(super) async fn asked(wire: &Wire, lost: Lost, send: impl AsyncFn() -> Reply) -> Result<Answer, Trouble> {
    let mut left = PATIENCE;
    let mut attempt = 1;
    loop {
        let (trouble, asked) = match send().await {
            Reply::Answered(answer @ Answer { status: 429 | 500..=599, .. }) => {
                let wait = answer.wait;
                (Trouble::Answered(answer), wait)
            }
            Reply::Answered(answer) => return Ok(answer),
            Reply::Lost(why) if lost == Lost::Once => return Err(Trouble::NoAnswer(why)),
            Reply::NotSent(why) | Reply::Lost(why) => (Trouble::NoAnswer(why), None),
        };
        let pause = asked.map_or(Duration::from_millis(100) * 4_u32.pow(attempt), Duration::from_secs);
        // Asked again too early, it only asks for more.
        if attempt == ATTEMPTS || pause > left || !wire.pause(pause).await {
            return Err(trouble);
        }
        left -= pause;
        attempt += 1;
    }
}
