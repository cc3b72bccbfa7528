//! One request of Secret Manager: with a token, sent once or asked until it is answered, and what came of it in words.

use std::sync::Arc;

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;

use super::super::access::Access;
use super::super::bearer::{Bearer, Lent, header};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::Fault;
use super::login::{self, Login};

/// Calls Secret Manager for one project.
pub(super) struct Caller {
    origin: Origin,
    project: String,
    wire: Result<Wire, Unreadable>,
    bearer: Result<Bearer<Login>, Unreadable>,
    /// Whose token it is, for messages.
    who: String,
}

/// An answer that is no success.
pub(super) struct Refusal {
    pub(super) code: u16,
    /// Of a write without its words, which may repeat what was written.
    pub(super) fault: Fault,
    /// It asks to be left alone for so many seconds.
    wait: Option<u64>,
}

impl Refusal {
    /// Nothing was done, for certain.
    pub(super) fn is_definite(&self) -> bool {
        // A request that timed out there may have been begun.
        matches!(self.code, 300..=499) && self.code != 408
    }

    pub(super) fn is(&self, status: &str) -> bool {
        self.fault.status == status
    }
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
    pub(super) fn of(settings: &settings::GcpSink, mut access: Access) -> Self {
        let origin = settings.origin();
        let wire = Wire::new(origin.clone(), &access)
            .map_err(|why| unreadable(format!("{origin} cannot be reached: {why}"), "correct network: in settings"));
        let unread = || Err(unreadable("the login to Google was not read", "report this as a defect of qlik-plan"));
        let login = access.google.take().unwrap_or_else(unread);
        let login = login.and_then(|login| Login::of(settings, login, &access));
        let who = login.as_ref().map(Login::name).unwrap_or_default();
        Self { origin, project: settings.project.clone(), wire, bearer: login.map(Bearer::of), who }
    }

    /// Whose token it is, and how long it lives.
    pub(super) async fn login(&self) -> Result<String, Unreadable> {
        let bearer = self.bearer.as_ref().map_err(Clone::clone)?;
        let Lent { lasts, .. } = bearer.token().await?;
        Ok(format!("{} has a token for {} s, and another before it ends", self.who, lasts.as_secs()))
    }

    /// Asks, and asks again where it was not answered. The request holds no secret but the token.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&[u8]>) -> Came {
        let send = async |wire: &Wire, headers| wire.ask(method.clone(), path, &headers, body).await;
        let shown =
            |message: &str, secrets: &[&[u8]]| said(message.as_bytes(), secrets, Speaker::Other).raw().to_owned();
        self.with_token(send, shown).await
    }

    /// Sends a write once, and once more with another token where Google did not take the first. What is said of it is not repeated: it
    /// may hold what was written.
    pub(super) async fn write(&self, method: Method, path: &str, body: &Zeroizing<Vec<u8>>) -> Came {
        let send = async |wire: &Wire, headers| wire.send(method.clone(), path, headers, Some(body.clone())).await;
        self.with_token(send, |_, _| String::new()).await
    }

    async fn with_token(
        &self,
        send: impl AsyncFn(&Wire, HeaderMap) -> Reply,
        shown: impl Fn(&str, &[&[u8]]) -> String,
    ) -> Came {
        let way = self.wire.as_ref().and_then(|wire| self.bearer.as_ref().map(|bearer| (wire, bearer)));
        let (wire, bearer) = match way {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why.clone()),
        };
        let reply = bearer.ask_with(async |token| Ok(send(wire, headers(token)?).await)).await;
        match reply {
            Err(why) => Came::NotSent(why),
            Ok(Reply::Answered(Answer { status: 200..=299, body, .. })) => Came::Done(body),
            Ok(Reply::Answered(Answer { status: code, body, wait })) => {
                let secrets: Vec<Arc<Secret>> = bearer.secrets();
                let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.expose().as_bytes()).collect();
                let fault = Fault::of(&body);
                let words = shown(&fault.words, &secrets);
                Came::Refused(Refusal { code, fault: Fault { words, ..fault }, wait })
            }
            Ok(Reply::NotSent(why)) => Came::NotSent(self.out_of_reach(&why)),
            Ok(Reply::Lost(why)) => Came::Lost(self.out_of_reach(&why)),
        }
    }

    fn out_of_reach(&self, why: &str) -> Unreadable {
        let origin = &self.origin;
        unreadable(format!("{origin}: {why}"), format!("check that this machine reaches {origin}"))
    }

    /// What was answered, for a message.
    pub(super) fn words(&self, refusal: &Refusal) -> String {
        let Refusal { code, fault, .. } = refusal;
        format!("{} answers {code}{}", self.origin, fault.told(&[]))
    }

    /// A refusal that no permission explains.
    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let (origin, project) = (&self.origin, &self.project);
        let why = self.words(refusal);
        let next = match (refusal.code, refusal.wait) {
            (401, _) => {
                return Unreadable {
                    why: format!("{origin} does not take the token of {}: {why}", self.who).into(),
                    next: login::LOG_IN.to_owned(),
                    credentials: true,
                };
            }
            (403, _) if refusal.fault.reason == "SERVICE_DISABLED" => {
                format!("gcloud services enable secretmanager.googleapis.com --project {project}")
            }
            (300..=399, _) => "name the server that answers as `endpoint`: secrets do not follow".to_owned(),
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (429, None) => "it is asked too often: run this again later".to_owned(),
            (500..=599, None) => "see https://status.cloud.google.com, then run this again".to_owned(),
            (_, None) => "correct what it names, then run this again".to_owned(),
        };
        unreadable(why, next)
    }

    pub(super) fn unknown_form(&self) -> Unreadable {
        unreadable(
            format!("{} answers in a form that is not known", self.origin),
            "check `endpoint` in settings: Google's Secret Manager belongs there",
        )
    }
}

fn headers(token: &Secret) -> Result<HeaderMap, Unreadable> {
    let json = HeaderValue::from_static("application/json");
    Ok(HeaderMap::from_iter([(AUTHORIZATION, header(token)?), (ACCEPT, json.clone()), (CONTENT_TYPE, json)]))
}
