//! A lesson of one run for the runs after it: the vendor does not change the keys of an account.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::address::Name;
use super::super::host::Host;
use super::super::run::RunId;
use super::super::untrusted::Untrusted;
use super::declared::{Api, ImburseFacts};

/// A record that the vendor refused to change a key of an account. The account's keys then keep the letter `u`, and the
/// sink's entry decides. Final format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRefused {
    /// The account in settings.
    pub account: Name,
    /// The vendor's host that refused. A record of another host does not count.
    pub host: Host,
    /// The generation of the API that refused. Another one may do it.
    pub api: Api,
    /// The time of the refusal, by the run's clock.
    pub at: Timestamp,
    /// The run that was refused.
    pub run: RunId,
    /// The refusal, as a sentence.
    pub why: Untrusted,
}

impl MarkRefused {
    /// A refusal may have been the vendor's bad day: asked again after this long.
    const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Returns whether this account's keys are still taken to be unchangeable: same account, host and API, and less
    /// than 30 days ago.
    pub fn holds(&self, account: &Name, facts: &ImburseFacts, now: Timestamp) -> bool {
        let Self { account: of, host, api, at, run: _, why: _ } = self;
        of == account && *host == facts.host && *api == facts.api && now.duration_since(*at) < Self::COUNTS_FOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_mark_counts_for_a_month_and_for_that_host_and_api_alone() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (pay, other): (Name, Name) = (Name::parse("pay").unwrap(), Name::parse("other").unwrap());
        let facts = |host: &str, api| ImburseFacts {
            host: serde_json::from_value(serde_json::json!(host)).unwrap(),
            account_id: "a".to_owned(),
            api,
            known_tenants: Vec::new(),
        };
        let here = facts("api.imbursepayments.com", Api::V2);
        let refused = MarkRefused {
            account: pay.clone(),
            host: here.host.clone(),
            api: Api::V2,
            at: time("2026-06-01T00:00:00Z"),
            run: RunId::new([0; 8]),
            why: "405".into(),
        };
        assert!(refused.holds(&pay, &here, time("2026-06-30T23:59:59Z")));
        assert!(!refused.holds(&pay, &here, time("2026-07-01T00:00:00Z")));
        let soon = time("2026-06-02T00:00:00Z");
        assert!(!refused.holds(&other, &here, soon));
        assert!(!refused.holds(&pay, &facts("sandbox-api.imbursepayments.com", Api::V2), soon));
        assert!(!refused.holds(&pay, &facts("api.imbursepayments.com", Api::V1), soon));
    }
}
