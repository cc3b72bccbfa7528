//! One request of GitHub: sent once or asked until it is answered, and what came of it in words.

use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use crate::model::live::Unreadable;
use crate::model::origin::Origin;
use crate::model::redact::{Speaker, said};
use crate::model::secret::Secret;
use crate::model::settings;

use super::super::access::{Access, Read};
use super::super::unreadable;
use super::super::wire::{Answer, Reply, Wire};
use super::form;

/// The version of the API that this is written for. GitHub keeps each for 24 months after the next, and a server of one's own has it since 3.9.
const VERSION: (HeaderName, &str) = (HeaderName::from_static("x-github-api-version"), "2022-11-28");

/// Calls one GitHub.
pub(super) struct Caller {
    server: Origin,
    wire: Result<Wire, Unreadable>,
    token: Option<Read>,
    /// Where settings have it, for messages.
    token_name: String,
    /// What it needs, for messages.
    rights: String,
    of: settings::GitHubOwner,
}

/// An answer that is no success.
pub(super) struct Refusal {
    pub(super) code: u16,
    /// Empty of a write: it may repeat what was written.
    message: String,
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
    pub(super) fn of(settings: &settings::GitHubSink, access: Access) -> Self {
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

    /// Sends a write once. What GitHub says of it is not repeated: it may hold what was written.
    pub(super) async fn write(&self, path: &str, body: Zeroizing<Vec<u8>>) -> Came {
        let (wire, _, mut headers) = match self.way() {
            Ok(way) => way,
            Err(why) => return Came::NotSent(why),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = wire.send(Method::PUT, path, headers, Some(body)).await;
        self.came(reply, |_| String::new())
    }

    fn came(&self, reply: Reply, shown: impl FnOnce(&str) -> String) -> Came {
        match reply {
            Reply::Answered(Answer { status: 200..=299, body, .. }) => Came::Done(body),
            Reply::Answered(Answer { status: code, body, wait }) => {
                Came::Refused(Refusal { code, message: shown(&form::message(&body)), wait })
            }
            Reply::NotSent(why) => Came::NotSent(self.out_of_reach(&why)),
            Reply::Lost(why) => Came::Lost(self.out_of_reach(&why)),
        }
    }

    /// The token as it is now: others may replace it while the run is at work, as an app's, which lives for an hour.
    fn way(&self) -> Result<(&Wire, Secret, HeaderMap), Unreadable> {
        let wire = self.wire.as_ref().map_err(Clone::clone)?;
        let unread = || Err(unreadable("GitHub's token was not read", "report this as a defect of qlik-plan"));
        let token = self.token.as_ref().map_or_else(unread, |token| token())?;
        let bearer = Zeroizing::new(format!("Bearer {}", token.expose()));
        let mut bearer = HeaderValue::from_str(&bearer)
            .map_err(|_| unreadable("the token holds a character that no header can carry", "save it again"))?;
        bearer.set_sensitive(true);
        let (name, version) = VERSION;
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, bearer),
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (name, HeaderValue::from_static(version)),
        ]);
        Ok((wire, token, headers))
    }

    fn out_of_reach(&self, why: &str) -> Unreadable {
        let server = &self.server;
        unreadable(format!("{server}: {why}"), format!("check that {server} runs and that this machine reaches it"))
    }

    /// What a refusal means, and what to do about it.
    pub(super) fn odd(&self, refusal: &Refusal) -> Unreadable {
        let (server, token, of, rights) = (&self.server, &self.token_name, &self.of, &self.rights);
        let Refusal { code, message, wait } = refusal;
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        let why = format!("{server} answers {code}{message}");
        let next = match (code, wait) {
            (401, _) => {
                return Unreadable {
                    why: format!("the token of {token} is not taken by {server} (401): it has ended, was revoked, or is of another server").into(),
                    next: format!("give {token} a token that lives, with {rights}"),
                    credentials: true,
                };
            }
            (_, Some(seconds)) => format!("run this again, when {seconds} s are over"),
            (403 | 404, None) => {
                format!(
                    "check that there is {of}, and that the token of {token} has {rights}; a job's GITHUB_TOKEN may not write secrets"
                )
            }
            (400 | 410, None) => format!(
                "see whether {server} still has version {} of its API; a newer qlik-plan asks for a newer one",
                VERSION.1
            ),
            (422, None) => format!("see the secrets of {of}: GitHub limits how many there may be"),
            (300..=399, None) => "name the server that answers as `server`: secrets do not follow".to_owned(),
            (_, None) => format!("see how {server} is, then run this again"),
        };
        unreadable(why, next)
    }

    pub(super) fn unknown_form(&self) -> Unreadable {
        unreadable(
            format!("{} answers in a form that is not known", self.server),
            "check `server` in settings: the API of a GitHub belongs there",
        )
    }
}
