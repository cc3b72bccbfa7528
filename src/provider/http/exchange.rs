//! From request to outcome, for either vendor: patient with what may be repeated, once with what may not.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::model::wait::PATIENCE;

use super::classify::{Class, Deed, class};
use super::client::{Ask, Head, Lane, Reply, Verb, Wire};
use super::envelope::Envelope;
use super::fault::Fault;
use super::gate::{Budget, GateKey, Gates, backoff, pause};
use super::outcome::{Outcome, ReadError, Rejection, RejectionKind, Trouble};
use super::target::Target;

/// One vendor's call: what is sent where, and how its replies are put in words.
pub(crate) trait Exchange: Sync {
    fn verb(&self) -> Verb;
    fn target(&self) -> &Target;
    /// Besides the ones that every request has.
    fn headers(&self) -> &[(&'static str, String)];
    fn gate(&self) -> GateKey;
    /// Whether a redirect is one of the documented answers.
    fn redirects(&self) -> bool;
    /// The vendor's own error in a body, without any of `secrets`.
    fn envelope(&self, body: &[u8], secrets: &[&Secret]) -> Option<Envelope>;
    fn rejection(&self, head: &Head, envelope: Option<Envelope>) -> Rejection;
    /// What a reply that is neither good nor a refusal says.
    fn odd(&self, head: &Head, envelope: Option<Envelope>) -> Trouble;
    fn fault(&self, fault: &Fault) -> Trouble;
    /// A reply that could be read and makes no sense.
    fn nonsense(&self, what: &str) -> Trouble;
}

/// The whole value of the Authorization header for the next try. A signature is good for one.
pub(crate) type Authorize<'a> = &'a (dyn Fn() -> Result<Option<Secret>, Trouble> + Sync);

/// A good reply.
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// A change as it is to be sent.
pub(crate) struct Change<'a> {
    pub(crate) authorize: Authorize<'a>,
    pub(crate) body: Option<&'a [u8]>,
    pub(crate) secrets: &'a [&'a Secret],
    pub(crate) deed: Deed,
}

/// What all requests of a run to one vendor share.
pub(crate) struct Line {
    pub(crate) wire: Wire,
    gates: Gates,
    budget: Budget,
}

/// Tries of a request that may be repeated.
const TRIES: u32 = 4;
/// How long a creation waits before anything of it is written, where the vendor asks for time: its windows last five minutes.
const PATIENCE_BEFORE: Duration = Duration::from_secs(330);
/// Tries of a change, each after one that certainly did nothing.
const TRIES_OF_CHANGE: u32 = 3;

/// A bearer token as [`Authorize`] wants it.
pub(crate) fn bearer(token: &Secret) -> impl Fn() -> Result<Option<Secret>, Trouble> + Sync {
    move || Ok(Some(Secret::new(format!("Bearer {}", token.expose()))))
}

/// What a reply must not repeat: also the token that the request carried. A signature is good for one request.
fn with_token<'a>(secrets: &[&'a Secret], authorization: Option<&'a Secret>) -> Vec<&'a Secret> {
    let token = authorization.filter(|authorization| authorization.expose().starts_with("Bearer "));
    secrets.iter().copied().chain(token).collect()
}

impl Line {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { gates: Gates::new(wire.tiers(), wire.shared().clone()), wire, budget: Budget::new() }
    }

    /// Sends what may be repeated until there is an answer, at most four times. 401 is the caller's affair.
    pub(crate) async fn patient<C: Exchange>(
        &self,
        call: &C,
        authorize: Authorize<'_>,
        body: Option<&[u8]>,
        secrets: &[&Secret],
    ) -> Result<Answer, ReadError> {
        let gate = call.gate();
        let mut left = PATIENCE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let ended = |fault: Fault| ReadError::Trouble(call.fault(&fault));
            self.gates.turn(&gate, &mut left, self.wire.waits()).await.map_err(|shut| ended(shut.into()))?;
            let authorization = authorize().map_err(ReadError::Trouble)?;
            let ask = Ask {
                verb: call.verb(),
                target: call.target(),
                authorization: authorization.as_ref(),
                headers: call.headers(),
                body,
                lane: Lane::Shared,
            };
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
                    let envelope = call.envelope(&whole, &with_token(secrets, authorization.as_ref()));
                    match head.status {
                        200..=299 if head.json || whole.is_empty() => {
                            self.budget.earn();
                            return Ok(Answer { head, body: whole });
                        }
                        301 | 302 if call.redirects() => return Ok(Answer { head, body: whole }),
                        429 => {
                            let rejection = call.rejection(&head, envelope);
                            let asked = head.retry_after.unwrap_or(1);
                            // Also those who ask for the same then know.
                            self.gates.refused(&gate, asked);
                            if attempt >= TRIES || Duration::from_secs(asked) > left {
                                return Err(ReadError::of(rejection));
                            }
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
                Some(seconds) => {
                    self.gates.close(&gate, seconds);
                    if Duration::from_secs(seconds) > left {
                        return Err(ReadError::Trouble(trouble));
                    }
                }
                // Where the run ends meanwhile, what went wrong says more.
                None => match self.back_off(call, attempt).await {
                    true => {}
                    false => return Err(ReadError::Trouble(trouble)),
                },
            }
        }
    }

    /// Waits until a creation may be sent that [`Self::change`] sends at once: what is written before it is sent must not wait.
    ///
    /// # Errors
    /// The run ends, or the vendor asks for more time than one request is waited for.
    pub(crate) async fn turn<C: Exchange>(&self, call: &C) -> Result<(), Trouble> {
        let turn = self.gates.turn(&call.gate(), &mut PATIENCE_BEFORE.clone(), self.wire.waits()).await;
        turn.map_err(|shut| call.fault(&shut.into()))
    }

    /// Sends a change. It is sent again only after a try that certainly did nothing, and a tenant's creation never.
    /// `read` makes sense of a good reply's body.
    pub(crate) async fn change<C: Exchange, T>(
        &self,
        call: &C,
        change: &Change<'_>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Outcome<T> {
        let tries = if change.deed == Deed::CreateTenant { 1 } else { TRIES_OF_CHANGE };
        let mut left = PATIENCE;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = self.change_once(call, change, &read, &mut left).await;
            let again = match &outcome {
                (Outcome::NotSent(_), may_pass) => *may_pass,
                (Outcome::Rejected(rejection), _) => {
                    let asked = Duration::from_secs(rejection.wait.unwrap_or(1).into());
                    rejection.kind == RejectionKind::RateLimited && asked <= left
                }
                (Outcome::Committed(_) | Outcome::CommittedUnreadable(_) | Outcome::Unknown(_), _) => false,
            };
            if !again || attempt >= tries || !self.back_off(call, attempt).await {
                return outcome.0;
            }
        }
    }

    /// Lets some time pass before the next try; `false` where the run ends meanwhile.
    async fn back_off<C: Exchange>(&self, call: &C, attempt: u32) -> bool {
        let what = format!("{}: it does not answer well, and is asked again", call.target().host());
        pause(self.wire.waits(), what, backoff(attempt - 1)).await.is_ok()
    }

    /// Also whether what was not sent may pass another time.
    async fn change_once<C: Exchange, T>(
        &self,
        call: &C,
        change: &Change<'_>,
        read: &impl Fn(&[u8]) -> Result<T, String>,
        left: &mut Duration,
    ) -> (Outcome<T>, bool) {
        let gate = call.gate();
        let open = match change.deed {
            // It has taken its turn, and its intent stands: a wait now could make a doubt of nothing.
            Deed::CreateTenant => Ok(()),
            Deed::CreateKey | Deed::Change | Deed::Remove => self.gates.turn(&gate, left, self.wire.waits()).await,
        };
        if let Err(shut) = open {
            return (Outcome::NotSent(call.fault(&shut.into())), false);
        }
        let lane = match change.deed {
            Deed::CreateTenant => Lane::CreateAlone,
            Deed::CreateKey => Lane::Create,
            Deed::Change | Deed::Remove => Lane::Shared,
        };
        let authorization = match (change.authorize)() {
            Ok(authorization) => authorization,
            Err(trouble) => return (Outcome::NotSent(trouble), false),
        };
        let ask = Ask {
            verb: call.verb(),
            target: call.target(),
            authorization: authorization.as_ref(),
            headers: call.headers(),
            body: change.body,
            lane,
        };
        let (head, body) = match self.wire.send(ask).await {
            Reply::NotSent(fault) => return (Outcome::NotSent(call.fault(&fault)), fault.may_pass()),
            Reply::Lost(fault) => return (Outcome::Unknown(call.fault(&fault)), false),
            Reply::Answered(head, body) => (head, body),
        };
        if head.status == 429 {
            self.gates.refused(&gate, head.retry_after.unwrap_or(1));
        }
        let state = head.body(&body);
        let secrets = with_token(change.secrets, authorization.as_ref());
        let envelope = body.as_ref().ok().and_then(|body| call.envelope(body, &secrets));
        // What is not there is a 404, whatever status a vendor says it with.
        let gone = envelope.is_some()
            && matches!(head.status, 400..=499)
            && call.rejection(&head, envelope.clone()).kind == RejectionKind::NotFound;
        let status = if gone { 404 } else { head.status };
        let outcome = match class(change.deed, status, state, envelope.is_some()) {
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
