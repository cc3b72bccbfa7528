//! The vendor's clock: our own, corrected by what the vendor's replies say.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::time::Instant;

/// Signatures are good for five minutes by the vendor's clock, and perhaps not at all before their time.
pub(super) struct Clock {
    /// Our time when the run began, and a steady clock beside it.
    started: (Timestamp, Instant),
    /// Seconds that the vendor is ahead of us; `None` until it has said its time.
    ahead: Mutex<Option<i64>>,
}

/// A signature closer than this to the window's end was refused for its time, as far as anybody can tell.
const OLD: i64 = 240;

impl Clock {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { started: (now, Instant::now()), ahead: Mutex::new(None) }
    }

    fn ours(&self) -> i64 {
        let (start, since) = self.started;
        start.as_second().saturating_add(i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    /// The vendor's time in whole seconds: never ahead of what it last said, plus what passed since.
    pub(super) fn now(&self) -> i64 {
        self.ours().saturating_add(self.ahead().unwrap_or(0))
    }

    /// How far the vendor's clock is ahead of ours, in seconds.
    pub(super) fn ahead(&self) -> Option<i64> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the `Date` of a reply that has just come.
    pub(super) fn learn(&self, date: Timestamp) {
        let ahead = date.as_second().saturating_sub(self.ours());
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
    }

    /// Whether a signature of `signed` may have been refused for its time alone, by what the vendor says the time is.
    pub(super) fn untimely(signed: i64, date: Timestamp) -> bool {
        let age = date.as_second().saturating_sub(signed);
        !(0..OLD).contains(&age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn our_time_is_used_until_the_vendor_has_said_its_own() {
        let clock = Clock::new(at(1_000_000));
        assert_eq!(clock.ahead(), None);
        assert!((1_000_000..1_000_005).contains(&clock.now()));
        clock.learn(at(999_000));
        assert!((998_999..999_005).contains(&clock.now()));
        assert!((-1_001..=-999).contains(&clock.ahead().unwrap()));
    }

    #[test]
    fn only_what_lies_ahead_or_is_old_is_untimely() {
        assert!(!Clock::untimely(1_000, at(1_000)) && !Clock::untimely(1_000, at(1_239)));
        assert!(Clock::untimely(1_001, at(1_000)) && Clock::untimely(1_000, at(1_240)));
    }
}
