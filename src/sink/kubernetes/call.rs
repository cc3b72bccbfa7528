//! One request of an API server: sent once or asked until it is answered, and what came of it in words.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;

use super::super::access::{Access, Read};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::Status;

/// Calls the API server of one cluster.
pub(super) struct Caller {
    server: Result<Origin, Unreadable>,
    wire: Result<Wire, Unreadable>,
    token: Option<Read>,
    /// Where settings have it, for messages.
    token_name: String,
}

/// An answer that is no success.
pub(super) struct Refusal {
    pub(super) code: u16,
    /// Of a write without its message, which may repeat what was written.
    pub(super) status: Status,
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
    pub(super) fn of(settings: &settings::KubernetesSink, mut access: Access) -> Self {
        let unread = || Err(unreadable("the cluster's address was not read", "report this as a defect of qlik-plan"));
        let server = match &settings.server {
            Some(server) => Ok(server.clone()),
            None => access.server.take().unwrap_or_else(unread),
        };
        let wire = server.clone().and_then(|server| {
            Wire::new(server.clone(), &access)
                .map_err(|why| unreadable(format!("{server} cannot be reached: {why}"), "correct it in settings"))
        });
        let token_name = settings.token.place();
        Self { server, wire, token: access.fresh_token, token_name }
    }

    /// The server, for messages.
    pub(super) fn server(&self) -> &str {
        self.server.as_ref().map_or("the cluster that the run is in", Origin::as_str)
    }

    /// Asks, and asks again where it was not answered. The request holds no secret.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<&[u8]>) -> Came {
        let (wire, token, headers) = match self.way() {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why),
        };
        let reply = wire.ask(method, path, &headers, body).await;
        self.came(reply, |message| {
            said(message.as_bytes(), &[token.expose().as_bytes()], Speaker::Other).raw().to_owned()
        })
    }

    /// Sends a write once. What the server says of it is not repeated: it may hold what was written.
    pub(super) async fn write(&self, method: Method, path: &str, body: Zeroizing<Vec<u8>>) -> Came {
        let (wire, _, headers) = match self.way() {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why),
        };
        let reply = wire.send(method, path, headers, Some(body)).await;
        self.came(reply, |_| String::new())
    }

    fn came(&self, reply: Reply, shown: impl FnOnce(&str) -> String) -> Came {
        match reply {
            Reply::Answered(Answer { status: 200..=299, body, .. }) => Came::Done(body),
            Reply::Answered(Answer { status: code, body, wait }) => {
                let status = Status::of(&body);
                let message = shown(&status.message);
                Came::Refused(Refusal { code, status: Status { message, ..status }, wait })
            }
            Reply::NotSent(why) => Came::NotSent(self.out_of_reach(&why)),
            Reply::Lost(why) => Came::Lost(self.out_of_reach(&why)),
        }
    }

    /// The token as it is now: a pod's is replaced while it runs.
    fn way(&self) -> Result<(&Wire, Secret, HeaderMap), Unreadable> {
        let wire = self.wire.as_ref().map_err(Clone::clone)?;
        let unread = || Err(unreadable("the cluster's token was not read", "report this as a defect of qlik-plan"));
        let token = self.token.as_ref().map_or_else(unread, |token| token())?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| unreadable("the token holds a character that no header can carry", "save it again"))?;
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (ACCEPT, json.clone()), (CONTENT_TYPE, json)]);
        Ok((wire, token, headers))
    }

    fn out_of_reach(&self, why: &str) -> Unreadable {
        let server = self.server();
        unreadable(format!("{server}: {why}"), format!("check that {server} runs and that this machine reaches it"))
    }

    /// What was answered, for a message.
    pub(super) fn words(&self, refusal: &Refusal) -> String {
        let Refusal { code, status: Status { reason, message, .. }, .. } = refusal;
        let reason = if reason.is_empty() { String::new() } else { format!(" {reason}") };
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        format!("{} answers {code}{reason}{message}", self.server())
    }

    /// A refusal that no right explains.
    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let (server, token) = (self.server(), &self.token_name);
        let why = self.words(refusal);
        let next = match (refusal.code, refusal.wait) {
            (401, _) => {
                return Unreadable {
                    why: format!("the token of {token} is not taken by {server} (401): it has ended, was revoked, or is of another cluster").into(),
                    next: format!("give {token} a token that lives; `kubectl create token ACCOUNT --namespace NAMESPACE` makes one"),
                    credentials: true,
                };
            }
            (300..=399, _) => "name the server that answers as `server`: secrets do not follow".to_owned(),
            (404, _) => "check `server` in settings: the API server of a cluster belongs there".to_owned(),
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (_, None) => format!("see the log of {server}, then run this again"),
        };
        unreadable(why, next)
    }

    pub(super) fn unknown_form(&self) -> Unreadable {
        unreadable(
            format!("{} answers in a form that is not known", self.server()),
            "check `server` in settings: the API server of a cluster belongs there",
        )
    }
}
