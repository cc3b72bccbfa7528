//! When to try again: one back-off per host, user and rate tier, shared by all tasks; jitter; a budget for the whole run.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::Instant;

/// The vendor counts requests per tier: reading is 1, writing and tokens are 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tier {
    One,
    Two,
}

/// Host, user and tier: what the vendor's limit is counted by.
pub(crate) type GateKey = (String, String, Tier);

/// Until when nobody is to send.
#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<GateKey, Instant>>);

impl Gates {
    pub(crate) fn close(&self, key: &GateKey, wait: Duration) {
        let until = Instant::now() + wait;
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = gates.entry(key.clone()).or_insert(until);
        *entry = (*entry).max(until);
    }

    /// Waits until the gate is open. Those who waited do not all start at the same instant.
    pub(crate) async fn pass(&self, key: &GateKey) {
        while let Some(until) = self.closed_until(key) {
            tokio::time::sleep_until(until + Duration::from_millis(200).mul_f64(fraction())).await;
        }
    }

    fn closed_until(&self, key: &GateKey) -> Option<Instant> {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(key).copied().filter(|until| *until > Instant::now())
    }
}

/// How many repeats a run may spend on servers that do not answer well: when everything is down, each request is not tried four times.
pub(crate) struct Budget(AtomicI64);

impl Budget {
    /// Enough for a run's ordinary bad luck.
    const FULL: i64 = 500;
    const REPEAT: i64 = 10;
    /// Every good reply pays for a fifth of a repeat.
    const REPLY: i64 = 2;

    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(Self::FULL))
    }

    pub(crate) fn earn(&self) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| Some((n + Self::REPLY).min(Self::FULL)));
    }

    pub(crate) fn spend(&self) -> bool {
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| (n >= Self::REPEAT).then_some(n - Self::REPEAT))
            .is_ok()
    }
}

/// Full jitter: anything up to half a second doubled with each try, at most 30 s.
pub(crate) fn backoff(attempt: u32) -> Duration {
    Duration::from_millis(500).saturating_mul(1 << attempt.min(6)).min(Duration::from_secs(30)).mul_f64(fraction())
}

/// At random, from 0 to 1. Without randomness, the middle: jitter is manners, not safety.
fn fraction() -> f64 {
    getrandom::u32().map_or(0.5, |n| f64::from(n) / f64::from(u32::MAX))
}

/// `Retry-After` in seconds: a number, or a date seen from the reply's own `Date`.
pub(crate) fn retry_after(value: &str, date: Option<Timestamp>) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(u64::MAX));
    }
    let until = http_date(value)?;
    Some(u64::try_from(until.as_second().saturating_sub(date?.as_second())).unwrap_or(0))
}

/// How long we do wait when asked to wait so many seconds.
pub(crate) fn clamp(seconds: u64) -> Duration {
    Duration::from_secs(seconds).clamp(Duration::from_millis(500), Duration::from_secs(120))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(value: &str) -> Option<Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(value.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_own_clock() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date.unwrap().to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(retry_after("13", None), Some(13));
        assert_eq!(retry_after(" 0 ", None), Some(0));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(30));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        for bad in ["", "-1", "soon", "1.5", "1e3"] {
            assert_eq!(retry_after(bad, date), None, "{bad}");
        }
    }

    #[test]
    fn nobody_waits_shorter_than_half_a_second_or_longer_than_two_minutes() {
        assert_eq!(clamp(0), Duration::from_millis(500));
        assert_eq!(clamp(13), Duration::from_secs(13));
        assert_eq!(clamp(retry_after("99999999999999999999999", None).unwrap()), Duration::from_secs(120));
    }

    #[test]
    fn back_off_grows_and_stays_below_its_cap() {
        for attempt in 0..40 {
            assert!(backoff(attempt) <= Duration::from_secs(30));
        }
        assert!(backoff(0) <= Duration::from_millis(500));
    }

    #[test]
    fn the_budget_runs_dry_and_good_replies_fill_it() {
        let budget = Budget::new();
        assert_eq!((0..1000).filter(|_| budget.spend()).count(), 50);
        for _ in 0..5 {
            budget.earn();
        }
        assert!(budget.spend());
        assert!(!budget.spend());
    }

    #[tokio::test]
    async fn a_closed_gate_holds_everyone_of_its_user_and_nobody_else() {
        let gates = Gates::default();
        let key = ("h".to_owned(), "u".to_owned(), Tier::One);
        gates.close(&key, Duration::from_millis(40));
        let start = Instant::now();
        gates.pass(&("h".to_owned(), "u".to_owned(), Tier::Two)).await;
        assert!(gates.closed_until(&key).is_some());
        gates.pass(&key).await;
        assert!(start.elapsed() >= Duration::from_millis(40));
    }
}
