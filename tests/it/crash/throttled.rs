//! A request that makes something and is refused, once or twice, because there are too many: the try after that is the one that is struck.

use std::fmt;

use serde_json::{Value, json};

use super::request::Trouble;

/// Which request it is, and how often it is refused.
#[derive(Clone, Debug)]
pub(super) struct Throttled {
    path: String,
    /// Counted among the requests of an undisturbed run that make such a thing.
    k: u64,
    times: u64,
}

/// One story's request, its place in an undisturbed run, and what becomes of it.
pub(super) struct Refused {
    pub(super) n: u64,
    pub(super) request: String,
    pub(super) throttled: Throttled,
    pub(super) trouble: Trouble,
}

/// What then strikes: kills and lost answers, refusals in the vendor's words and in others', and connections that end.
const TROUBLES: [Trouble; 12] = [
    Trouble::KilledAndDropped,
    Trouble::KilledAndArrived,
    Trouble::KilledAndLate,
    Trouble::KilledAfter,
    Trouble::DroppedBefore,
    Trouble::DroppedAfter,
    Trouble::Truncated,
    Trouble::ErrorAfter,
    Trouble::TooMany,
    Trouble::TooManyOfOthers,
    Trouble::ClosedAfter,
    Trouble::Reset,
];

impl Throttled {
    /// Every request that makes something, refused once and twice, and then each trouble.
    pub(super) fn all(sent: &[String]) -> Vec<Refused> {
        let mut all = Vec::new();
        for (n, request) in (1..).zip(sent) {
            let Some(path) = request.strip_prefix("POST ").filter(|path| makes(path)) else { continue };
            let before = sent.iter().take(usize::try_from(n).unwrap() - 1).filter(|other| *other == request).count();
            for times in [1, 2] {
                let throttled = Self { path: path.to_owned(), k: 1 + before as u64, times };
                all.extend(TROUBLES.map(|trouble| Refused {
                    n,
                    request: request.clone(),
                    throttled: throttled.clone(),
                    trouble,
                }));
            }
        }
        all
    }

    /// The script of it.
    pub(super) fn faults(&self, action: &Value) -> Value {
        let at = |nth: u64, action: &Value| json!({ "match": { "method": "POST", "path": self.path }, "nth": nth, "action": action });
        let struck = self.k + self.times;
        let refused = (self.k..struck).map(|nth| at(nth, &json!({ "retry_after": { "seconds": 0 } })));
        refused.chain([at(struck, action)]).collect()
    }

    /// The refusals, and what was to strike after them, were really met.
    pub(super) fn was_met(&self, requests: &[Value], action: &Value) {
        let named = action.as_object().and_then(|object| object.keys().next()).map(String::as_str);
        let met = |name: &str| requests.iter().filter(|one| one["fault"] == json!(name)).count() as u64;
        let (struck, refused) = (met(named.or(action.as_str()).unwrap()), met("retry_after"));
        assert!(struck > 0 && refused >= self.times, "{refused} refused, {struck} struck");
    }

    pub(super) fn is_once(&self) -> bool {
        self.times == 1
    }
}

fn makes(path: &str) -> bool {
    ["/tenants", "/api-keys", "/keys", "/users", "/roles"].iter().any(|end| path.ends_with(end))
}

impl fmt::Display for Throttled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.times == 1 { "after a 429, " } else { "after two 429, " })
    }
}
