//! One call to Imburse: its headers, as whom it is sent, its replies in words; and the tokens that signatures are exchanged for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{
    Answer, Envelope, Exchange, Fault, GateKey, Head, ReadError, Rejection, RejectionKind, Target, TraceName, Trouble,
    Verb, bearer,
};
use super::accounts::Account;
use super::clock::is_untimely;
use super::endpoints::{self, Endpoint, What};
use super::reader::ImburseReader;
use super::tokens::{Held, Token};
use super::{sign, wire};

/// One call: what, of which account, for which tenant.
pub(super) struct Call<'a> {
    pub(super) name: &'a Name,
    pub(super) account: &'a Account,
    endpoint: &'static Endpoint,
    target: Target,
    headers: Vec<(&'static str, String)>,
    /// Where the credential stands, for messages.
    place: String,
}

impl<'a> Call<'a> {
    /// `ids` fill the words in braces of the endpoint's path.
    pub(super) fn new(
        name: &'a Name,
        account: &'a Account,
        endpoint: &'static Endpoint,
        ids: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Self, Trouble> {
        let path = endpoint.path(account.api);
        let target = Target::new(&account.host, path, ids, query).ok_or_else(|| Trouble {
            why: Untrusted::new(format!(
                "{} {path} at {}: an id is no plain word, so nothing was asked",
                endpoint.verb, account.host
            )),
            next: "look for the id in the ledger, the desired state or the vendor's reply; it is not one of Imburse's"
                .to_owned(),
        })?;
        let mut headers = vec![("x-account-id", account.account_id.clone())];
        // Only makes it easier to find in the vendor's logs.
        headers.extend(sign::nonce().map(|id| ("x-correlation-id", id)));
        Ok(Self { name, account, endpoint, target, headers, place: format!("settings: accounts.{name}.account_key") })
    }

    /// The same call with a key of its own, for a tenant.
    pub(super) fn by_new_key(mut self, tenant_id: &str) -> Self {
        self.headers.push(("x-tenant-id", tenant_id.to_owned()));
        self.place = "the new key".to_owned();
        self
    }

    fn asked(&self) -> String {
        format!("{} {} at {}", self.endpoint.verb, self.endpoint.path(self.account.api), self.account.host)
    }

    pub(super) fn trouble(&self, what: &str, next: &str) -> Trouble {
        Trouble { why: Untrusted::new(format!("{}: {what}", self.asked())), next: next.to_owned() }
    }

    pub(super) fn understand<T>(&self, read: Result<T, String>) -> Result<T, ReadError> {
        read.map_err(|what| ReadError::Trouble(self.nonsense(&what)))
    }
}

impl Exchange for Call<'_> {
    fn verb(&self) -> Verb {
        self.endpoint.verb
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    fn gate(&self) -> GateKey {
        let host: &Host = &self.account.host;
        (host.as_str().to_owned(), self.name.to_string(), self.endpoint.tier())
    }

    fn redirects(&self) -> bool {
        false
    }

    fn envelope(&self, body: &[u8], secrets: &[&Secret]) -> Option<Envelope> {
        wire::envelope(body, secrets)
    }

    fn rejection(&self, head: &Head, envelope: Option<Envelope>) -> Rejection {
        let has_envelope = envelope.is_some();
        let Envelope { code, title, trace } = envelope.unwrap_or_default();
        let kind = match (self.endpoint.what, head.status) {
            // The exchange answers 400 to a key or a signature that it does not take.
            (What::Token, 400 | 401) => RejectionKind::Unauthorized,
            (What::Token | What::Account | What::Tenant | What::Key | What::NewTenant | What::NewKey, _) => {
                wire::rejection(head.status, code.as_deref())
            }
        };
        Rejection {
            status: head.status,
            next: self.endpoint.next(kind, head.retry_after, &self.place).into(),
            code: code.map(Untrusted::new),
            title: title.into(),
            trace: trace.map(Untrusted::new),
            trace_name: TraceName::CorrelationId,
            kind,
            has_envelope,
            asked: self.asked().into(),
            wait: head.retry_after.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        }
    }

    fn odd(&self, head: &Head, envelope: Option<Envelope>) -> Trouble {
        let sentence = self.rejection(head, envelope).sentence();
        let (what, next) = match head.status {
            200..=299 => (" and no JSON", "look for a proxy that answers in the vendor's place"),
            300..=399 => (", a redirect that is not followed", "check accounts.*.base_url: it names the API itself"),
            400..=499 => {
                (" and no error of the vendor's", "look for a proxy or firewall that answers in the vendor's place")
            }
            _ => ("", "the vendor has trouble: run it again later, see its status page"),
        };
        Trouble { why: Untrusted::new(format!("{sentence}{what}")), next: next.to_owned() }
    }

    fn fault(&self, fault: &Fault) -> Trouble {
        self.trouble(&fault.words(self.account.host.as_str()), fault.next())
    }

    fn nonsense(&self, what: &str) -> Trouble {
        self.trouble(what, "look for a proxy that answers in the vendor's place, or report it with this sentence")
    }
}

/// A token's life that nobody told, and the shortest one that is believed, in seconds.
const UNTOLD: i64 = 300;
const SHORTEST: i64 = 10;

impl ImburseReader {
    pub(super) fn call<'a>(
        &'a self,
        name: &'a Name,
        endpoint: &'static Endpoint,
        ids: &[&str],
    ) -> Result<Call<'a>, Trouble> {
        Call::new(name, self.known(name)?, endpoint, ids, &[])
    }

    /// The account's token, in use or fetched now.
    pub(super) async fn token(&self, name: &Name, account: &Account) -> Result<Held, ReadError> {
        let asked_at = Instant::now();
        let slot = self.tokens.slot(name);
        let mut slot = slot.lock().await;
        if let Some(token) = slot.token.as_ref().filter(|token| Instant::now() < token.refresh_at) {
            return Ok(Held { secret: Arc::clone(&token.secret), serial: slot.serial });
        }
        if let Some((_, error)) = slot.failed.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(error.clone());
        }
        let call = Call::new(name, account, &endpoints::TOKEN, &[], &[]).map_err(ReadError::Trouble)?;
        match self.exchange(&call, account.public_key.expose(), &account.private_key).await {
            Ok((secret, refresh_at)) => {
                let secret = Arc::new(secret);
                slot.serial += 1;
                slot.token = Some(Token { secret: Arc::clone(&secret), refresh_at });
                slot.failed = None;
                Ok(Held { secret, serial: slot.serial })
            }
            Err(error) => {
                slot.token = None;
                slot.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Exchanges a signature for a token. Each try is signed anew. A refusal that the time may explain is tried once
    /// more, by the vendor's own clock.
    pub(super) async fn exchange(
        &self,
        call: &Call<'_>,
        public_key: &str,
        private_key: &Secret,
    ) -> Result<(Secret, Instant), ReadError> {
        let first = self.sign_and_send(call, public_key, private_key).await;
        let answer = match first {
            (Err(ReadError::Unauthorized(refusal)), signed) => {
                match self.line.wire.clocks().at(call.account.host.as_str()) {
                    Some(date) if is_untimely(signed, date) => {
                        self.sign_and_send(call, public_key, private_key).await.0?
                    }
                    Some(_) | None => return Err(ReadError::Unauthorized(refusal)),
                }
            }
            (answer, _) => answer?,
        };
        let reply = call.understand(wire::TokenReply::read(&answer.body))?;
        // Eighty per cent, by our own steady clock.
        let life = reply
            .expires()
            .map_or(UNTOLD, |at| at.saturating_sub(self.time_at(&call.account.host)))
            .clamp(SHORTEST, 86_400);
        let life = Duration::from_secs(u64::try_from(life).unwrap_or_default()).mul_f64(0.8);
        Ok((reply.access_token, Instant::now() + life))
    }

    /// Also the time that the last try was signed with.
    async fn sign_and_send(
        &self,
        call: &Call<'_>,
        public_key: &str,
        private_key: &Secret,
    ) -> (Result<Answer, ReadError>, i64) {
        let signed = AtomicI64::new(0);
        let authorize = || {
            let no_nonce = || call.trouble("this machine gave no random number to sign with", "try again");
            let (nonce, now) = (sign::nonce().ok_or_else(no_nonce)?, self.time_at(&call.account.host));
            signed.store(now, Ordering::Relaxed);
            let header = sign::header(public_key, private_key, &nonce, now, &[]);
            header.map(Some).map_err(|bad| {
                let next = format!("check {}: copy the private key whole, with its `=` at the end", call.place);
                call.trouble(&bad.to_string(), &next)
            })
        };
        let answer = self.line.patient(call, &authorize, None, &[private_key]).await;
        (answer, signed.load(Ordering::Relaxed))
    }

    /// Reads as the account, with a new token once if the one in use is refused.
    pub(super) async fn get(&self, call: &Call<'_>) -> Result<Answer, ReadError> {
        let held = self.token(call.name, call.account).await.map_err(ReadError::before_the_read)?;
        match self.get_as(call, &held.secret).await {
            Err(ReadError::Unauthorized(_)) => {
                let slot = self.tokens.slot(call.name);
                let mut slot = slot.lock().await;
                // Unless another task has fetched a newer one.
                if slot.serial == held.serial {
                    slot.token = None;
                }
                drop(slot);
                let fresh = self.token(call.name, call.account).await.map_err(ReadError::before_the_read)?;
                self.get_as(call, &fresh.secret).await
            }
            answer => answer,
        }
    }

    pub(super) async fn get_as(&self, call: &Call<'_>, token: &Secret) -> Result<Answer, ReadError> {
        self.line.patient(call, &bearer(token), None, &[token]).await
    }
}
