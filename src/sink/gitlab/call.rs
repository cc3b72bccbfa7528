//! One request of GitLab: sent once or asked until it is answered, and what came of it in words.

use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;

use super::super::access::{Access, Read};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form::Told;

/// GitLab's own header, which personal, project and group access tokens go in.
const TOKEN: HeaderName = HeaderName::from_static("private-token");

/// Calls one GitLab.
pub(super) struct Caller {
    server: Origin,
    wire: Result<Wire, Unreadable>,
    token: Option<Read>,
    /// Where settings have it, for messages.
    token_name: String,
    /// What it needs, for messages.
    rights: String,
    of: settings::GitLabOwner,
}

/// An answer that is no success.
pub(super) struct Refusal {
    pub(super) code: u16,
    /// Of a write without its message, which may repeat what was written.
    pub(super) told: Told,
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
    pub(super) fn of(settings: &settings::GitLabSink, access: Access) -> Self {
        let server = settings.server.clone();
        let wire = Wire::new(server.clone(), &access)
            .map_err(|why| unreadable(format!("{server} cannot be reached: {why}"), "correct it in settings"));
        let (token_name, rights) = (settings.token.place(), settings.rights());
        Self { server, wire, token: access.fresh_token, token_name, rights, of: settings.of.clone() }
    }

    /// Asks, and asks again where it was not answered. The request holds no secret.
    pub(super) async fn ask(&self, path: &str) -> Came {
        let (wire, token, headers) = match self.way() {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why),
        };
        let reply = wire.ask(Method::GET, path, &headers, None).await;
        self.came(reply, |message| {
            said(message.as_bytes(), &[token.expose().as_bytes()], Speaker::Other).raw().to_owned()
        })
    }

    /// Sends a write once. What GitLab says of it is not repeated: it may hold what was written.
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
                let told = Told::of(&body);
                let message = shown(&told.message);
                Came::Refused(Refusal { code, told: Told { message, ..told }, wait })
            }
            Reply::NotSent(why) => Came::NotSent(self.out_of_reach(&why)),
            Reply::Lost(why) => Came::Lost(self.out_of_reach(&why)),
        }
    }

    /// The token as it is now: others may replace it while the run is at work.
    fn way(&self) -> Result<(&Wire, Secret, HeaderMap), Unreadable> {
        let wire = self.wire.as_ref().map_err(Clone::clone)?;
        let unread = || Err(unreadable("GitLab's token was not read", "report this as a defect of qlik-plan"));
        let token = self.token.as_ref().map_or_else(unread, |token| token())?;
        let mut value = HeaderValue::from_str(token.expose())
            .map_err(|_| unreadable("the token holds a character that no header can carry", "save it again"))?;
        value.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        Ok((wire, token, HeaderMap::from_iter([(TOKEN, value), (ACCEPT, json.clone()), (CONTENT_TYPE, json)])))
    }

    fn out_of_reach(&self, why: &str) -> Unreadable {
        let server = &self.server;
        unreadable(format!("{server}: {why}"), format!("check that {server} runs and that this machine reaches it"))
    }

    /// What was answered, for a message.
    fn words(&self, refusal: &Refusal) -> String {
        let Refusal { code, told: Told { message, fields, .. }, .. } = refusal;
        let message = match (message.is_empty(), fields.is_empty()) {
            (false, _) => format!(": {message}"),
            (true, false) => format!(" because of {}", fields.join(" and ")),
            (true, true) => String::new(),
        };
        format!("{} answers {code}{message}", self.server)
    }

    /// What a refusal means, and what to do about it.
    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let (server, token, of, rights) = (&self.server, &self.token_name, &self.of, &self.rights);
        let why = self.words(refusal);
        let next = match (refusal.code, refusal.wait) {
            (401, _) => {
                return Unreadable {
                    why: format!("the token of {token} is not taken by {server} (401): it has ended, was revoked, or is no access token").into(),
                    next: format!("give {token} an access token of {of} that lives, with {rights}; CI_JOB_TOKEN is none"),
                    credentials: true,
                };
            }
            (403, _) if refusal.told.is_of_scope => {
                return self.without_right("has not the scope for it");
            }
            (403, _) => return self.without_right("may not do this"),
            (404, _) if !refusal.told.missing.is_empty() => {
                return unreadable(
                    format!("{server} knows no such {} as {of} for the token of {token}", of.parts().0),
                    format!("check `{}` in settings, and that the token of {token} has {rights}", of.parts().0),
                );
            }
            (404, _) => "check `server` in settings: a GitLab belongs there".to_owned(),
            (300..=399, _) => "name the server that answers as `server`: secrets do not follow".to_owned(),
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (400, None) => format!("see Settings > CI/CD > Variables of {of}: GitLab limits how many there may be"),
            (_, None) => format!("see how {server} is, then run this again"),
        };
        unreadable(why, next)
    }

    pub(super) fn without_right(&self, what: &str) -> Unreadable {
        let (server, token, rights) = (&self.server, &self.token_name, &self.rights);
        unreadable(format!("the token of {token} {what} at {server}"), format!("give it {rights}"))
    }

    pub(super) fn unknown_form(&self) -> Unreadable {
        unreadable(
            format!("{} answers in a form that is not known", self.server),
            "check `server` in settings: a GitLab belongs there",
        )
    }
}
