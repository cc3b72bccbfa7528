//! Scripted trouble: which request it strikes, and what it does to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One entry of the script. Without `nth` and `at_request` it strikes every request that matches.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fault {
    #[serde(rename = "match", default)]
    pub(super) pattern: Pattern,
    /// Strikes the k-th request that matches, counted from when the fault was set; then never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) nth: Option<u64>,
    /// Strikes the request with this number in the record, whatever it is, where `match` lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at_request: Option<u64>,
    pub(super) action: Action,
    #[serde(skip)]
    seen: u64,
}

/// Everything is optional; `*` stands for any text, also none.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Pattern {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

/// "Before" is before the vendor does anything; "after" is after everything is done and saved.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Action {
    DropBefore,
    DropAfter,
    StatusBefore(Status),
    StatusAfter(Status),
    /// Half the body under a length that promises all of it.
    Truncate,
    /// Half the body, ended by closing the connection, which is a legal end.
    TruncateClose,
    /// The whole answer, which says `Connection: close`.
    Close,
    /// The whole answer, and then the connection is closed without a word.
    CloseAfter,
    /// The answer's head, and then the connection is reset.
    Reset,
    /// The right status, and a body that is not JSON.
    Malformed,
    /// 200 and a page of HTML.
    WrongType,
    /// Waits before anything is done.
    Slow {
        ms: u64,
    },
    /// Done and saved, but the answer is held until released or until the client leaves.
    Hang,
    /// Held before anything is done, until released. A client that leaves does not call its request back.
    Pause,
    /// Instead of doing anything.
    Redirect {
        status: u16,
        location: String,
    },
    /// Everything in the answer's list twice.
    DuplicateIds,
    /// 429 instead of doing anything; without seconds there is no `retry-after`.
    RetryAfter {
        #[serde(default)]
        seconds: Option<i64>,
    },
    /// Done as ever, with a `Date` of another clock; with neither field, without one.
    Date {
        /// In seconds.
        #[serde(default)]
        ahead: Option<i64>,
        #[serde(default)]
        text: Option<String>,
    },
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub(super) status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) headers: BTreeMap<String, String>,
}

impl Action {
    /// The name in the script and in the record.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::DropBefore => "drop_before",
            Self::DropAfter => "drop_after",
            Self::StatusBefore(_) => "status_before",
            Self::StatusAfter(_) => "status_after",
            Self::Truncate => "truncate",
            Self::TruncateClose => "truncate_close",
            Self::Close => "close",
            Self::CloseAfter => "close_after",
            Self::Reset => "reset",
            Self::Malformed => "malformed",
            Self::WrongType => "wrong_type",
            Self::Slow { .. } => "slow",
            Self::Hang => "hang",
            Self::Pause => "pause",
            Self::Redirect { .. } => "redirect",
            Self::DuplicateIds => "duplicate_ids",
            Self::RetryAfter { .. } => "retry_after",
            Self::Date { .. } => "date",
        }
    }
}

impl Pattern {
    fn fits(&self, method: &str, host: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.host.as_ref().is_none_or(|pattern| glob(pattern, host))
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, path))
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(head) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| text.get(at..).is_some_and(|t| glob(rest, t)))
}

/// Counts this request for every fault, and picks the first that strikes it.
pub(super) fn strike(faults: &mut [Fault], number: u64, method: &str, host: &str, path: &str) -> Option<Action> {
    let mut struck = None;
    for fault in faults.iter_mut().filter(|fault| fault.pattern.fits(method, host, path)) {
        fault.seen += 1;
        let due = match (fault.nth, fault.at_request) {
            (Some(nth), _) => fault.seen == nth,
            (None, Some(at)) => number == at,
            (None, None) => true,
        };
        if due && struck.is_none() {
            struck = Some(fault.action.clone());
        }
    }
    struck
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_second_match_is_struck_once() {
        let mut faults = [fault(r#"{"match":{"method":"post","path":"/api/v1/*"},"nth":2,"action":"drop_after"}"#)];
        let mut at = |number, method, path| strike(&mut faults, number, method, "h", path).map(|action| action.name());
        assert_eq!(at(1, "POST", "/api/v1/tenants"), None);
        assert_eq!(at(2, "GET", "/api/v1/tenants"), None);
        assert_eq!(at(3, "POST", "/api/v1/api-keys"), Some("drop_after"));
        assert_eq!(at(4, "POST", "/api/v1/api-keys"), None);
    }

    #[test]
    fn a_request_can_be_named_by_its_number() {
        let mut faults = [fault(r#"{"at_request":2,"action":{"slow":{"ms":5}}}"#)];
        assert!(strike(&mut faults, 1, "GET", "h", "/").is_none());
        assert!(strike(&mut faults, 2, "GET", "h", "/").is_some());
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(glob("/api/*/keys", "/api/v1/keys"));
        assert!(glob("*", ""));
        assert!(!glob("/api/*/keys", "/api/v1/users"));
    }

    #[test]
    fn a_word_that_is_no_action_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"action":"explode"}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"nht":1,"action":"hang"}"#).is_err());
    }
}
