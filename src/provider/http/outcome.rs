//! What became of one request, as a type: the difference between "it did not happen" and "nobody knows" is never a bool.

use crate::model::live::Unreadable;
use crate::model::untrusted::Untrusted;

/// What became of a request that changes something.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Nothing reached the vendor.
    NotSent(Trouble),
    /// The vendor said no, and nothing was done.
    Rejected(Rejection),
    Committed(T),
    /// The vendor said yes, and what it said besides could not be read.
    CommittedUnreadable(Trouble),
    /// It may have happened, or may still happen.
    Unknown(Trouble),
}

impl<T> Outcome<T> {
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::NotSent(trouble) => Outcome::NotSent(trouble),
            Self::Rejected(rejection) => Outcome::Rejected(rejection),
            Self::Committed(value) => Outcome::Committed(f(value)),
            Self::CommittedUnreadable(trouble) => Outcome::CommittedUnreadable(trouble),
            Self::Unknown(trouble) => Outcome::Unknown(trouble),
        }
    }
}

/// What went wrong, in words that hold no body, header or query, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub why: Untrusted,
    pub next: String,
}

/// The vendor's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub status: u16,
    pub code: Option<Untrusted>,
    pub title: Untrusted,
    pub trace: Option<Untrusted>,
    pub trace_name: TraceName,
    pub kind: RejectionKind,
    /// Whether it came in the vendor's own error envelope; anything between us and the vendor can send a bare status.
    pub has_envelope: bool,
    /// `POST /api/v1/tenants at register.us.qlikcloud.com`.
    pub asked: Box<str>,
    pub next: Box<str>,
    /// How long the vendor asks us to wait, in seconds.
    pub wait: Option<u32>,
}

/// What the vendor calls its trace: people search for it in their logs and tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceName {
    TraceId,
    CorrelationId,
}

impl TraceName {
    fn as_str(self) -> &'static str {
        match self {
            Self::TraceId => "traceId",
            Self::CorrelationId => "correlationId",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    Unauthorized,
    Forbidden,
    NotFound,
    Invalid,
    Conflict,
    RateLimited,
    TenantDisabled,
    Quota,
    Other,
}

impl Rejection {
    /// One sentence without the way out, safe for a terminal.
    pub fn sentence(&self) -> String {
        let code = self.code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
        let title = if self.title.raw().is_empty() { String::new() } else { format!(": {}", self.title) };
        let trace =
            self.trace.as_ref().map(|trace| format!(" ({} {trace})", self.trace_name.as_str())).unwrap_or_default();
        let wait = self.wait.map(|seconds| format!(", and asks for {seconds} s")).unwrap_or_default();
        format!("{} was answered with {}{code}{title}{trace}{wait}", self.asked, self.status)
    }

    pub fn trouble(&self) -> Trouble {
        Trouble { why: Untrusted::new(self.sentence()), next: self.next.to_string() }
    }
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    Unauthorized(Rejection),
    /// `TENANT_DISABLED`.
    Disabled(Rejection),
    /// The vendor itself says that there is no such thing.
    NotFound(Rejection),
    Rejected(Rejection),
    Trouble(Trouble),
}

impl ReadError {
    pub fn trouble(&self) -> Trouble {
        match self {
            Self::Unauthorized(r) | Self::Disabled(r) | Self::NotFound(r) | Self::Rejected(r) => r.trouble(),
            Self::Trouble(trouble) => trouble.clone(),
        }
    }

    /// As the model says it: the reason and the way out.
    pub fn unreadable(&self) -> Unreadable {
        let Trouble { why, next } = self.trouble();
        Unreadable { why, next, credentials: matches!(self, Self::Unauthorized(_)) }
    }

    pub(crate) fn of(rejection: Rejection) -> Self {
        match rejection.kind {
            RejectionKind::Unauthorized => Self::Unauthorized(rejection),
            RejectionKind::TenantDisabled => Self::Disabled(rejection),
            RejectionKind::NotFound => Self::NotFound(rejection),
            RejectionKind::Forbidden
            | RejectionKind::Invalid
            | RejectionKind::Conflict
            | RejectionKind::RateLimited
            | RejectionKind::Quota
            | RejectionKind::Other => Self::Rejected(rejection),
        }
    }

    /// The same error when it befell a step before the read, where "not found" says nothing of what was to be read.
    #[must_use]
    pub(crate) fn before_the_read(self) -> Self {
        match self {
            Self::NotFound(rejection) => Self::Rejected(rejection),
            Self::Unauthorized(_) | Self::Disabled(_) | Self::Rejected(_) | Self::Trouble(_) => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_was_asked_code_title_and_trace_escaped() {
        let refusal = Rejection {
            status: 403,
            code: Some("TENANTS-22".into()),
            title: "License \u{1b}[31mquota".into(),
            trace: Some("abc".into()),
            trace_name: TraceName::TraceId,
            kind: RejectionKind::Quota,
            has_envelope: true,
            asked: "POST /api/v1/tenants at register.us.qlikcloud.com".into(),
            next: "ask".into(),
            wait: None,
        };
        assert_eq!(
            refusal.sentence(),
            "POST /api/v1/tenants at register.us.qlikcloud.com was answered with 403 TENANTS-22: License \\u{1b}[31mquota (traceId abc)"
        );
    }

    #[test]
    fn not_found_on_the_way_is_not_evidence_of_absence() {
        let refusal = Rejection {
            status: 404,
            code: None,
            title: "".into(),
            trace: None,
            trace_name: TraceName::TraceId,
            kind: RejectionKind::NotFound,
            has_envelope: true,
            asked: "".into(),
            next: "".into(),
            wait: None,
        };
        assert!(matches!(ReadError::of(refusal).before_the_read(), ReadError::Rejected(_)));
    }
}
