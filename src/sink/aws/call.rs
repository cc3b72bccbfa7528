//! One request of AWS: signed, sent once or asked until it is answered, and what came of it in words.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;
use crate::model::wait::PATIENCE;
use crate::net::aws::{self, Signed, Signer, Unsigned};
use crate::net::{self, Connections, Roots, Way};

use super::super::access::Access;
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::{self, Fault};

/// A read may be repeated. A write never is: what became of it is read back.
const READ_ATTEMPTS: u32 = 3;

const SERVICE: &str = "secretsmanager";
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Calls AWS for one account and region.
pub(super) struct Caller {
    settings: settings::AwsSink,
    origin: Origin,
    wire: Result<Wire, String>,
    /// To the service that tells whose credentials these are.
    identity: Result<Wire, String>,
    signer: Result<Signer, Unsigned>,
    /// Whether the credentials are of the account; asked once.
    account: OnceCell<Result<(), Unreadable>>,
    passed_over: Vec<&'static str>,
}

/// An answer that is no success.
pub(super) struct Refusal {
    status: u16,
    pub(super) fault: Fault,
    /// For a message.
    pub(super) words: String,
    /// It asks to be left alone for so many seconds.
    wait: Option<u64>,
}

/// What came of one request.
pub(super) enum Came {
    Done(Zeroizing<Vec<u8>>),
    Refused(Refusal),
    /// It never left.
    NotSent(Unreadable),
    Lost(Unreadable),
}

impl Caller {
    pub(super) fn of(settings: &settings::AwsSink, access: Access) -> Self {
        let origin = settings.origin(SERVICE);
        let identity = settings.origin("sts");
        let client = |link_local| {
            net::client(&Way {
                proxy: access.proxy.as_deref(),
                trust: &Roots::read(&access.ca_pem)?,
                ignore_env_proxy: access.ignore_env_proxy,
                user_agent: &access.user_agent,
                connect: access.timeout.min(Duration::from_secs(10)),
                whole: access.timeout,
                loopback: link_local || identity.is_loopback(),
                connections: Connections::Own,
            })
        };
        let signer = Signer::new(&access.login, &settings.region, access.timeout, client, settings.endpoint.as_ref());
        Self {
            wire: Wire::new(origin.clone(), &access),
            identity: Wire::new(identity, &access),
            settings: settings.clone(),
            origin,
            signer,
            account: OnceCell::new(),
            passed_over: access.passed_over,
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Credentials of another account would see nothing, and write there.
    pub(super) async fn is_the_account(&self) -> Result<(), Unreadable> {
        self.account.get_or_init(|| self.ask_the_account()).await.clone()
    }

    async fn ask_the_account(&self) -> Result<(), Unreadable> {
        let account = &self.settings.account;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, form), (ACCEPT, HeaderValue::from_static("application/json"))]);
        let body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
        let body = match self.repeated(&self.identity, &self.settings.origin("sts"), "sts", headers, body).await? {
            Ok(body) => body,
            Err(refusal) => return Err(self.odd(&refusal)),
        };
        match form::account(&body) {
            Some(found) if found == *account => Ok(()),
            Some(found) => Err(Unreadable {
                why: format!("the credentials for AWS are of account {found}, and settings say {account}").into(),
                next: format!("log in to account {account}, or correct `account` in settings"),
                credentials: true,
            }),
            None => Err(unreadable(
                "AWS does not say whose credentials these are",
                "check `endpoint` in settings: a stand-in answers sts:GetCallerIdentity too",
            )),
        }
    }

    /// Asks, and asks again where it was not answered.
    pub(super) async fn ask(
        &self,
        action: &'static str,
        body: Vec<u8>,
    ) -> Result<Result<Zeroizing<Vec<u8>>, Refusal>, Unreadable> {
        self.repeated(&self.wire, &self.origin, SERVICE, headers(action), body).await
    }

    async fn repeated(
        &self,
        wire: &Result<Wire, String>,
        origin: &Origin,
        service: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Result<Zeroizing<Vec<u8>>, Refusal>, Unreadable> {
        let mut left = PATIENCE;
        let mut attempt = 1;
        loop {
            let body = Zeroizing::new(body.clone());
            let (trouble, asked) = match self.once(wire, origin, service, headers.clone(), body, &[]).await {
                Came::Done(body) => return Ok(Ok(body)),
                Came::Refused(refusal) if refusal.may_pass() => (self.odd(&refusal), refusal.wait),
                Came::Refused(refusal) => return Ok(Err(refusal)),
                Came::NotSent(why) | Came::Lost(why) => (why, None),
            };
            let pause = asked.map_or(Duration::from_millis(100) * 4_u32.pow(attempt), Duration::from_secs);
            let Ok(wire) = wire else { return Err(trouble) };
            // Asked again too early, it only asks for more.
            if attempt == READ_ATTEMPTS || pause > left || !wire.pause(pause).await {
                return Err(trouble);
            }
            left -= pause;
            attempt += 1;
        }
    }

    pub(super) async fn send(&self, action: &'static str, body: Zeroizing<Vec<u8>>, secrets: &[&[u8]]) -> Came {
        self.once(&self.wire, &self.origin, SERVICE, headers(action), body, secrets).await
    }

    /// Signs and sends one request once.
    async fn once(
        &self,
        wire: &Result<Wire, String>,
        origin: &Origin,
        service: &str,
        headers: HeaderMap,
        body: Zeroizing<Vec<u8>>,
        secrets: &[&[u8]],
    ) -> Came {
        let wire = match wire {
            Ok(wire) => wire,
            Err(why) => {
                let why = format!("{origin} cannot be reached: {why}");
                return Came::NotSent(unreadable(why, "correct it in settings"));
            }
        };
        let signed = match &self.signer {
            Ok(signer) => signer.sign(service, &format!("{origin}/"), headers, &body).await,
            Err(unsigned) => Err(unsigned.clone()),
        };
        let Signed { headers, secrets: own } = match signed {
            Ok(signed) => signed,
            Err(unsigned) => return Came::NotSent(self.unsigned(&unsigned)),
        };
        match wire.send(Method::POST, "/", headers, Some(body)).await {
            Reply::Answered(Answer { status: 200..=299, body, .. }) => Came::Done(body),
            Reply::Answered(Answer { status, body, wait }) => {
                let fault = Fault::of(&body);
                let own = own.iter().map(|secret: &Secret| secret.expose().as_bytes());
                let secrets: Vec<&[u8]> = secrets.iter().copied().chain(own).collect();
                let words = said(fault.words.as_bytes(), &secrets, Speaker::Other);
                let parts = [fault.code.as_str(), words.raw()];
                let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                let words = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(": ")) };
                Came::Refused(Refusal { status, words: format!("{origin} answers {status}{words}"), fault, wait })
            }
            Reply::NotSent(why) => Came::NotSent(out_of_reach(origin, &why)),
            Reply::Lost(why) => Came::Lost(out_of_reach(origin, &why)),
        }
    }

    fn unsigned(&self, unsigned: &Unsigned) -> Unreadable {
        let (why, next) = match unsigned {
            Unsigned::NoCredentials => {
                let heeded = match self.passed_over.as_slice() {
                    [] => String::new(),
                    names => format!(" ({} is set, and is not heeded here)", names.join(", ")),
                };
                (format!("there are no credentials for AWS{heeded}"), aws::LOG_IN.to_owned())
            }
            Unsigned::Incomplete(name) => (
                format!("there are no whole credentials for AWS: {name} is not set"),
                format!("export {name} too; or {}", aws::LOG_IN),
            ),
            Unsigned::NotBuilt => {
                let why = "this program was built without object-store, which signs requests to AWS".to_owned();
                return unreadable(why, "build it with --features object-store, or take one that is handed out");
            }
            Unsigned::NotGiven(why) => {
                let why = said(why.as_bytes(), &[], Speaker::Other);
                (why.raw().to_owned(), aws::LOG_IN.to_owned())
            }
        };
        Unreadable { why: why.into(), next, credentials: true }
    }

    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let Refusal { status, fault, words, wait } = refusal;
        let origin = &self.origin;
        if fault.is_of_credentials() {
            return Unreadable {
                why: format!("AWS does not take these credentials: {words}").into(),
                next: format!(
                    "log in again (`aws sts get-caller-identity` says whether they live), or {}",
                    aws::LOG_IN
                ),
                credentials: true,
            };
        }
        let next = match (status, wait) {
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (_, None) if refusal.fault.is_of_pace() => format!("{origin} is asked too often: run this again later"),
            (500..=599, None) => "see AWS's health page for this region, then run this again".to_owned(),
            (_, None) => "correct what it names, then run this again".to_owned(),
        };
        unreadable(words.clone(), next)
    }
}

impl Refusal {
    /// Nothing was done, for certain.
    pub(super) fn is_definite(&self) -> bool {
        // A request that timed out there may have been begun.
        matches!(self.status, 300..=499) && self.status != 408
    }

    /// Asked again, it may answer otherwise.
    fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500..=599) || self.fault.is_of_pace()
    }
}

fn headers(action: &str) -> HeaderMap {
    let target = HeaderValue::from_str(&format!("{SERVICE}.{action}"));
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, json)]);
    headers.extend(target.ok().map(|target| (TARGET, target)));
    headers
}

fn out_of_reach(origin: &Origin, why: &str) -> Unreadable {
    unreadable(format!("{origin}: {why}"), format!("check that this machine reaches {origin}"))
}
