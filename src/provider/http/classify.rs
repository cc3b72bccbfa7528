//! From a status line and the state of a body to what happened: pure, and the one place that decides it.

use super::outcome::RejectionKind;

/// What a request that changes something is about; it decides how much proof a refusal needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Costs licence quota and cannot be recognised afterwards: only the vendor's own refusal counts.
    CreateTenant,
    /// Carries a nonce, so that what is unknown can be looked up.
    CreateKey,
    /// The same request twice has the effect of one.
    Change,
    /// As `Change`; and what is not there is removed.
    Remove,
}

/// What is known of a reply's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Empty,
    Json,
    /// Of another media type.
    Other,
    /// Cut off, too large or too slow.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Committed,
    CommittedUnreadable,
    Rejected,
    Unknown,
}

/// What a reply to a request that changes something means. `envelope`: the body is the vendor's own error.
pub(crate) fn class(deed: Deed, status: u16, body: Body, envelope: bool) -> Class {
    match (deed, status) {
        (_, 200..=299) => match (deed, body) {
            (_, Body::Other) => Class::Unknown,
            (Deed::CreateTenant | Deed::CreateKey, Body::Json) => Class::Committed,
            (Deed::CreateTenant | Deed::CreateKey, Body::Empty | Body::Broken) => Class::CommittedUnreadable,
            // 207 says that some of it was not done, and its body which.
            (Deed::Change | Deed::Remove, _) if status == 207 => Class::Unknown,
            (Deed::Change | Deed::Remove, Body::Empty | Body::Json | Body::Broken) => Class::Committed,
        },
        (_, 408) => Class::Unknown,
        (Deed::Remove, 404) if envelope => Class::Committed,
        (Deed::Remove, 404) => Class::Unknown,
        (_, 400..=499) if envelope => Class::Rejected,
        (Deed::CreateKey, 429) | (Deed::Change | Deed::Remove, 400..=499) => Class::Rejected,
        (_, _) => Class::Unknown,
    }
}

/// What a refusal is about.
pub(crate) fn kind(status: u16, code: Option<&str>) -> RejectionKind {
    match (status, code) {
        (401 | 403, Some("TENANT_DISABLED")) => RejectionKind::TenantDisabled,
        (403, Some("TENANTS-22")) => RejectionKind::Quota,
        (401, _) => RejectionKind::Unauthorized,
        (403, _) => RejectionKind::Forbidden,
        (404, _) => RejectionKind::NotFound,
        (400 | 422, _) => RejectionKind::Invalid,
        (409 | 412, _) => RejectionKind::Conflict,
        (429, _) => RejectionKind::RateLimited,
        (_, _) => RejectionKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_outcomes() {
        use Body::{Broken, Empty, Json, Other};
        use Class::{Committed, CommittedUnreadable, Rejected, Unknown};
        use Deed::{Change, CreateKey, CreateTenant, Remove};
        let table = [
            (CreateTenant, 201, Json, false, Committed),
            (CreateTenant, 201, Broken, false, CommittedUnreadable),
            (CreateTenant, 201, Empty, false, CommittedUnreadable),
            (CreateTenant, 200, Other, false, Unknown),
            (CreateTenant, 302, Empty, false, Unknown),
            (CreateTenant, 307, Json, true, Unknown),
            (CreateTenant, 400, Json, true, Rejected),
            (CreateTenant, 403, Json, true, Rejected),
            (CreateTenant, 429, Json, true, Rejected),
            (CreateTenant, 403, Other, false, Unknown),
            (CreateTenant, 403, Broken, false, Unknown),
            (CreateTenant, 429, Empty, false, Unknown),
            (CreateTenant, 408, Json, true, Unknown),
            (CreateTenant, 500, Json, true, Unknown),
            (CreateTenant, 503, Other, false, Unknown),
            (CreateTenant, 101, Empty, false, Unknown),
            (CreateKey, 201, Json, false, Committed),
            (CreateKey, 201, Broken, false, CommittedUnreadable),
            (CreateKey, 429, Empty, false, Rejected),
            (CreateKey, 401, Json, true, Rejected),
            (CreateKey, 403, Other, false, Unknown),
            (CreateKey, 408, Json, true, Unknown),
            (CreateKey, 502, Other, false, Unknown),
            (Change, 204, Empty, false, Committed),
            (Change, 200, Json, false, Committed),
            (Change, 200, Broken, false, Committed),
            (Change, 207, Json, true, Unknown),
            (Change, 200, Other, false, Unknown),
            (Change, 400, Json, true, Rejected),
            (Change, 403, Other, false, Rejected),
            (Change, 404, Json, true, Rejected),
            (Change, 500, Json, true, Unknown),
            (Remove, 204, Empty, false, Committed),
            (Remove, 404, Json, true, Committed),
            (Remove, 404, Other, false, Unknown),
            (Remove, 403, Json, true, Rejected),
            (Remove, 503, Json, true, Unknown),
        ];
        for (deed, status, body, envelope, expected) in table {
            assert_eq!(class(deed, status, body, envelope), expected, "{deed:?} {status} {body:?} {envelope}");
        }
    }

    #[test]
    fn no_server_error_redirect_or_timeout_is_ever_a_refusal() {
        for deed in [Deed::CreateTenant, Deed::CreateKey, Deed::Change, Deed::Remove] {
            for status in (100..=199).chain(300..=399).chain([408]).chain(500..=599) {
                for body in [Body::Empty, Body::Json, Body::Other, Body::Broken] {
                    for envelope in [false, true] {
                        assert_eq!(class(deed, status, body, envelope), Class::Unknown, "{deed:?} {status}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_disabled_tenant_is_not_a_wrong_credential() {
        assert_eq!(kind(401, Some("TENANT_DISABLED")), RejectionKind::TenantDisabled);
        assert_eq!(kind(401, Some("OAUTH-5")), RejectionKind::Unauthorized);
        assert_eq!(kind(403, Some("TENANTS-22")), RejectionKind::Quota);
        assert_eq!(kind(403, None), RejectionKind::Forbidden);
    }
}
