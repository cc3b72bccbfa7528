//! One call from request to reply: patient for what may be repeated, once for what may not.

use zeroize::Zeroizing;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{
    Ask, Class, Deed, Envelope, Fault, GateKey, Head, Lane, Outcome, ReadError, Rejection, RejectionKind, Reply,
    Target, Trouble, backoff, clamp, class, kind,
};
use super::auth::Bearer;
use super::endpoints::Endpoint;
use super::{Qlik, Who};

/// One call: what, where, as whom.
pub(super) struct Call<'a> {
    pub(super) account: &'a Name,
    pub(super) host: &'a Host,
    pub(super) who: Who,
    pub(super) endpoint: &'static Endpoint,
    pub(super) target: Target,
}

/// A good reply.
pub(super) struct Answer {
    pub(super) head: Head,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// Tries of a request that may be repeated.
const TRIES: u32 = 4;
/// Tries of a change, each after one that certainly did nothing.
const TRIES_OF_CHANGE: u32 = 3;

impl<'a> Call<'a> {
    /// `ids` fill the words in braces of the endpoint's path.
    pub(super) fn new(
        account: &'a Name,
        host: &'a Host,
        who: Who,
        endpoint: &'static Endpoint,
        ids: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Self, Trouble> {
        let target = Target::new(host, endpoint.path, ids, query).ok_or_else(|| Trouble {
            why: Untrusted::new(format!(
                "{} {} at {host}: an id is no plain word, so nothing was asked",
                endpoint.verb, endpoint.path
            )),
            next: "look for the id in the ledger or the vendor's reply; it is not one of Qlik's".to_owned(),
        })?;
        Ok(Self { account, host, who, endpoint, target })
    }

    fn asked(&self) -> String {
        format!("{} {} at {}", self.endpoint.verb, self.endpoint.path, self.host)
    }

    pub(super) fn gate(&self) -> GateKey {
        (self.host.as_str().to_owned(), self.who.place(self.account), self.endpoint.tier)
    }

    pub(super) fn trouble(&self, what: &str, next: &str) -> Trouble {
        Trouble { why: Untrusted::new(format!("{}: {what}", self.asked())), next: next.to_owned() }
    }

    fn fault(&self, fault: &Fault) -> Trouble {
        self.trouble(&fault.words(self.host.as_str()), fault.next())
    }

    /// A reply that could be read and makes no sense.
    pub(super) fn nonsense(&self, what: &str) -> Trouble {
        self.trouble(what, "look for a proxy that answers in the vendor's place, or report it with this sentence")
    }

    fn rejection(&self, head: &Head, envelope: Option<Envelope>) -> Rejection {
        let has_envelope = envelope.is_some();
        let Envelope { code, title, trace } = envelope.unwrap_or_default();
        let kind = kind(head.status, code.as_deref());
        let place = self.who.place(self.account);
        Rejection {
            status: head.status,
            next: self.endpoint.next(kind, code.as_deref(), head.retry_after, &place).into(),
            code: code.map(Untrusted::new),
            title: title.into(),
            trace: trace.or_else(|| head.trace.clone()).map(Untrusted::new),
            kind,
            has_envelope,
            asked: self.asked().into(),
            wait: head.retry_after.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        }
    }

    /// What a reply that is neither good nor a refusal says.
    fn odd(&self, head: &Head, envelope: Option<Envelope>) -> Trouble {
        let sentence = self.rejection(head, envelope).sentence();
        let (what, next) = match head.status {
            207 => (
                ": part of it was not done",
                "look at the roles of the user in Administration, Manage users, then plan again",
            ),
            200..=299 => (" and no JSON", "look for a proxy that answers in the vendor's place"),
            300..=399 => (
                ", a redirect that is not followed",
                "check the host name: use the tenant's own, not a vanity address or a proxy's sign-in page",
            ),
            400..=499 => {
                (" and no error of the vendor's", "look for a proxy or firewall that answers in the vendor's place")
            }
            _ => ("", "the vendor has trouble: run it again later, see its status page"),
        };
        Trouble { why: Untrusted::new(format!("{sentence}{what}")), next: next.to_owned() }
    }
}

impl Qlik {
    /// Sends what may be repeated until there is an answer, at most four times. 401 is the caller's affair.
    pub(super) async fn patient(
        &self,
        call: &Call<'_>,
        bearer: Option<&Secret>,
        body: Option<&[u8]>,
        secrets: &[&Secret],
    ) -> Result<Answer, ReadError> {
        let gate = call.gate();
        let mut attempt = 0;
        loop {
            attempt += 1;
            self.gates.pass(&gate).await;
            let verb = call.endpoint.verb;
            let ask = Ask { verb, target: &call.target, bearer, body, lane: Lane::Read };
            let (trouble, asked_to_wait) = match self.wire.send(ask).await {
                Reply::NotSent(fault) | Reply::Lost(fault) => {
                    let trouble = call.fault(&fault);
                    if !fault.may_pass() {
                        return Err(ReadError::Trouble(trouble));
                    }
                    (trouble, None)
                }
                Reply::Answered(head, Err(fault)) if matches!(head.status, 200..=299) => {
                    if !fault.may_pass() {
                        return Err(ReadError::Trouble(call.fault(&fault)));
                    }
                    (call.fault(&fault), None)
                }
                Reply::Answered(head, body) => {
                    let whole = body.unwrap_or_default();
                    let envelope = Envelope::read(&whole, secrets);
                    match head.status {
                        200..=299 if head.json || whole.is_empty() => {
                            self.budget.earn();
                            return Ok(Answer { head, body: whole });
                        }
                        301 | 302 if call.endpoint.redirects() => return Ok(Answer { head, body: whole }),
                        429 => {
                            let rejection = call.rejection(&head, envelope);
                            if attempt >= TRIES {
                                return Err(ReadError::of(rejection));
                            }
                            self.gates.close(&gate, clamp(head.retry_after.unwrap_or(1)));
                            continue;
                        }
                        408 | 500..=599 => (call.odd(&head, envelope), head.retry_after),
                        // Only the vendor itself can say that something is not there.
                        404 if envelope.is_none() => return Err(ReadError::Trouble(call.odd(&head, envelope))),
                        400..=499 => return Err(ReadError::of(call.rejection(&head, envelope))),
                        _ => return Err(ReadError::Trouble(call.odd(&head, envelope))),
                    }
                }
            };
            if attempt >= TRIES || !self.budget.spend() {
                return Err(ReadError::Trouble(trouble));
            }
            match asked_to_wait {
                Some(seconds) => self.gates.close(&gate, clamp(seconds)),
                None => tokio::time::sleep(backoff(attempt - 1)).await,
            }
        }
    }

    /// Reads, with a new token once if the one in use is refused.
    pub(super) async fn get(&self, call: &Call<'_>) -> Result<Answer, ReadError> {
        let bearer = self.bearer(call).await.map_err(ReadError::before_the_read)?;
        match self.get_as(call, &bearer.secret).await {
            Err(ReadError::Unauthorized(_)) if bearer.is_token() => {
                self.tokens.drop_token(call, &bearer).await;
                let fresh = self.bearer(call).await.map_err(ReadError::before_the_read)?;
                self.get_as(call, &fresh.secret).await
            }
            answer => answer,
        }
    }

    pub(super) async fn get_as(&self, call: &Call<'_>, bearer: &Secret) -> Result<Answer, ReadError> {
        self.patient(call, Some(bearer), None, &[bearer]).await
    }

    /// Sends a change. It is sent again only after a try that certainly did nothing, and a tenant's creation never.
    /// `read` makes sense of a good reply's body.
    pub(super) async fn change<T>(
        &self,
        call: &Call<'_>,
        body: Option<&[u8]>,
        secrets: &[&Secret],
        deed: Deed,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Outcome<T> {
        let bearer = match self.bearer(call).await {
            Ok(bearer) => bearer,
            Err(error) => return Outcome::NotSent(error.trouble()),
        };
        let mut secrets = secrets.to_vec();
        secrets.push(&bearer.secret);
        let tries = if deed == Deed::CreateTenant { 1 } else { TRIES_OF_CHANGE };
        let gate = call.gate();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = self.change_once(call, &bearer, body, &secrets, deed, &read, &gate).await;
            let again = match &outcome {
                (Outcome::NotSent(_), may_pass) => *may_pass,
                (Outcome::Rejected(rejection), _) => rejection.kind == RejectionKind::RateLimited,
                (Outcome::Committed(_) | Outcome::CommittedUnreadable(_) | Outcome::Unknown(_), _) => false,
            };
            if !again || attempt >= tries {
                return outcome.0;
            }
            tokio::time::sleep(backoff(attempt - 1)).await;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `change`, split off for its size only")]
    async fn change_once<T>(
        &self,
        call: &Call<'_>,
        bearer: &Bearer,
        body: Option<&[u8]>,
        secrets: &[&Secret],
        deed: Deed,
        read: &impl Fn(&[u8]) -> Result<T, String>,
        gate: &GateKey,
    ) -> (Outcome<T>, bool) {
        self.gates.pass(gate).await;
        let lane = match deed {
            Deed::CreateTenant | Deed::CreateKey => Lane::Create,
            Deed::Change | Deed::Remove => Lane::Write,
        };
        let verb = call.endpoint.verb;
        let ask = Ask { verb, target: &call.target, bearer: Some(&bearer.secret), body, lane };
        let (head, body) = match self.wire.send(ask).await {
            Reply::NotSent(fault) => return (Outcome::NotSent(call.fault(&fault)), fault.may_pass()),
            Reply::Lost(fault) => return (Outcome::Unknown(call.fault(&fault)), false),
            Reply::Answered(head, body) => (head, body),
        };
        if head.status == 429 {
            self.gates.close(gate, clamp(head.retry_after.unwrap_or(1)));
        }
        let state = head.body(&body);
        let envelope = body.as_ref().ok().and_then(|body| Envelope::read(body, secrets));
        let outcome = match class(deed, head.status, state, envelope.is_some()) {
            Class::Rejected => Outcome::Rejected(call.rejection(&head, envelope)),
            Class::Unknown => Outcome::Unknown(call.odd(&head, envelope)),
            Class::CommittedUnreadable => Outcome::CommittedUnreadable(match body {
                Err(fault) => call.fault(&fault),
                Ok(_) => call.nonsense("it was done, and the reply is empty"),
            }),
            Class::Committed => match read(body.as_ref().map(|body| body.as_slice()).unwrap_or_default()) {
                Ok(value) => Outcome::Committed(value),
                Err(what) => Outcome::CommittedUnreadable(call.nonsense(&what)),
            },
        };
        (outcome, false)
    }
}
