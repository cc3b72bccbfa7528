//! One call to Qlik: as whom it is sent, and its replies in words.

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::super::http::{
    Answer, Envelope, Exchange, Fault, GateKey, Head, ReadError, Rejection, Target, TraceName, Trouble, Verb, bearer,
    kind,
};
use super::endpoints::Endpoint;
use super::{QlikReader, Who};

/// One call: what, where, as whom.
pub(super) struct Call<'a> {
    pub(super) account: &'a Name,
    pub(super) host: &'a Host,
    pub(super) who: Who,
    pub(super) endpoint: &'static Endpoint,
    pub(super) target: Target,
}

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

    pub(super) fn trouble(&self, what: &str, next: &str) -> Trouble {
        Trouble { why: Untrusted::new(format!("{}: {what}", self.asked())), next: next.to_owned() }
    }

    fn refused(&self, head: &Head, envelope: Option<Envelope>) -> Rejection {
        let has_envelope = envelope.is_some();
        let Envelope { code, title, trace } = envelope.unwrap_or_default();
        let kind = kind(head.status, code.as_deref());
        let place = self.who.place(self.account);
        Rejection {
            status: head.status,
            next: self.endpoint.next(kind, code.as_deref(), head.retry_after, self.account, &place).into(),
            code: code.map(Untrusted::new),
            title: title.into(),
            trace_name: TraceName::TraceId,
            trace: trace.or_else(|| head.trace.clone()).map(Untrusted::new),
            kind,
            has_envelope,
            asked: self.asked().into(),
            wait: head.retry_after.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        }
    }

    /// What a reply that is neither good nor a refusal says.
    fn unexpected(&self, head: &Head, envelope: Option<Envelope>) -> Trouble {
        let sentence = self.refused(head, envelope).sentence();
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

impl Exchange for Call<'_> {
    fn verb(&self) -> Verb {
        self.endpoint.verb
    }

    fn target(&self) -> &Target {
        &self.target
    }

    fn headers(&self) -> &[(&'static str, String)] {
        &[]
    }

    fn gate(&self) -> GateKey {
        (self.host.as_str().to_owned(), self.who.place(self.account), self.endpoint.tier)
    }

    fn redirects(&self) -> bool {
        self.endpoint.redirects()
    }

    fn envelope(&self, body: &[u8], secrets: &[&Secret]) -> Option<Envelope> {
        Envelope::read(body, secrets)
    }

    fn rejection(&self, head: &Head, envelope: Option<Envelope>) -> Rejection {
        self.refused(head, envelope)
    }

    fn odd(&self, head: &Head, envelope: Option<Envelope>) -> Trouble {
        self.unexpected(head, envelope)
    }

    fn fault(&self, fault: &Fault) -> Trouble {
        self.trouble(&fault.words(self.host.as_str()), fault.next())
    }

    fn nonsense(&self, what: &str) -> Trouble {
        self.trouble(what, "look for a proxy that answers in the vendor's place, or report it with this sentence")
    }
}

impl QlikReader {
    /// Sends what may be repeated until there is an answer, at most four times. 401 is the caller's affair.
    pub(super) async fn patient(
        &self,
        call: &Call<'_>,
        token: Option<&Secret>,
        body: Option<&[u8]>,
        secrets: &[&Secret],
    ) -> Result<Answer, ReadError> {
        match token {
            Some(token) => self.line.patient(call, &bearer(token), body, secrets).await,
            None => self.line.patient(call, &|| Ok(None), body, secrets).await,
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
}
