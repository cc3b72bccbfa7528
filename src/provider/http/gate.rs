//! When to try again: one back-off per host, user and rate tier, shared by all tasks; jitter; a budget for the whole run.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::wait::{STEP, Stake, Waits};

/// The vendor counts requests per tier: reading is 1, writing and tokens are 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tier {
    One,
    Two,
}

/// Host, user and tier: what the vendor's limit is counted by.
pub(crate) type GateKey = (String, String, Tier);

/// Who may send when.
pub(crate) struct Gates {
    /// Until when nobody is to send, and how many seconds were asked for.
    closed: Mutex<HashMap<GateKey, (Instant, u64)>>,
    paces: Mutex<HashMap<GateKey, Pace>>,
    tiers: Tiers,
    shared: Shared,
}

/// Why a gate is not waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// So many seconds are more than one request waits for.
    TooLong(u64),
    /// The run ends.
    Ending(String),
}

impl Gates {
    pub(crate) fn new(tiers: Tiers, shared: Shared) -> Self {
        Self { closed: Mutex::default(), paces: Mutex::default(), tiers, shared }
    }

    /// Nobody sends for so many seconds, at least half a second.
    pub(crate) fn close(&self, key: &GateKey, seconds: u64) {
        let until = Instant::now() + Duration::from_secs(seconds).max(Duration::from_millis(500));
        let mut gates = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = gates.entry(key.clone()).or_insert((until, seconds));
        *entry = (*entry).max((until, seconds));
    }

    /// Waits until the gate is open, and takes the time from what this request has `left` for it. Those who waited do not all
    /// start at the same instant.
    pub(crate) async fn pass(&self, key: &GateKey, left: &mut Duration, waits: &Waits) -> Result<(), Shut> {
        while let Some((until, asked)) = self.closed_until(key) {
            let rest = until.saturating_duration_since(Instant::now());
            if rest > *left {
                return Err(Shut::TooLong(rest.as_secs().saturating_add(1)));
            }
            *left -= rest;
            let what = format!("{}: it asks for {asked} s", key.0);
            pause(waits, what, rest + Duration::from_millis(200).mul_f64(fraction())).await?;
        }
        Ok(())
    }

    /// Waits for a turn besides, and takes it: no more are sent than the vendor allows a minute. That is no fault of the request's,
    /// so it may take as long as the run.
    pub(crate) async fn turn(&self, key: &GateKey, left: &mut Duration, waits: &Waits) -> Result<(), Shut> {
        loop {
            self.pass(key, left, waits).await?;
            let Some((wait, most)) = self.take_turn(key) else { return Ok(()) };
            pause(waits, format!("{}: it takes {most} requests of this kind in a time", key.0), wait).await?;
        }
    }

    /// How long to wait for a turn, and how many there are in a window; `None`: it is taken.
    fn take_turn(&self, key: &GateKey) -> Option<(Duration, usize)> {
        let now = Instant::now();
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = paces.entry(key.clone()).or_insert_with(|| Pace::of(self.tiers, key.2, self.shared.by(&key.0)));
        pace.take(now)
    }

    /// The vendor refused a request for there being too many: it took no turn, and nobody sends for so many seconds.
    pub(crate) fn refused(&self, key: &GateKey, seconds: u64) {
        self.close(key, seconds);
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pace) = paces.get_mut(key) {
            pace.refused(Instant::now() + Duration::from_secs(seconds));
        }
    }

    fn closed_until(&self, key: &GateKey) -> Option<(Instant, u64)> {
        let gates = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(key).copied().filter(|(until, _)| *until > Instant::now())
    }
}

/// What is known of a vendor's tiers before it says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiers {
    /// As Qlik documents them: of the first tier 1,000 a minute, of the second 100.
    Documented,
    /// Nothing: what is refused teaches how many in how long.
    Unknown,
}

/// Hosts that other runs send to as the same users, at the same time.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The hosts.
    pub hosts: BTreeSet<String>,
    /// The number of runs; 0 and 1 are one.
    pub runs: u32,
}

impl Shared {
    fn by(&self, host: &str) -> usize {
        if self.hosts.contains(host) { usize::try_from(self.runs).unwrap_or(usize::MAX).max(1) } else { 1 }
    }
}

/// How fast requests of one host, user and tier are sent.
struct Pace {
    /// How many, in how long.
    limit: Option<(usize, Duration)>,
    /// When the last ones took their turns.
    taken: VecDeque<Instant>,
    /// When the window ends in which one was refused.
    full_until: Option<Instant>,
    tiers: Tiers,
}

/// The minute, and what a request may be on its way longer than the next.
const WINDOW: Duration = Duration::from_secs(61);
/// Fewer than this before a refusal say nothing of a limit: others may have used it up.
const TELLING: usize = 20;
/// No tier that is documented has more.
const MOST: usize = 1000;

impl Pace {
    /// `runs`: how many share what the vendor allows.
    fn of(tiers: Tiers, tier: Tier, runs: usize) -> Self {
        let limit = match (tiers, tier) {
            (Tiers::Documented, Tier::One) => Some(1000),
            (Tiers::Documented, Tier::Two) => Some(100),
            (Tiers::Unknown, Tier::One | Tier::Two) => None,
        };
        let limit = limit.map(|all: usize| ((all / runs).max(1), WINDOW));
        Self { limit, taken: VecDeque::new(), full_until: None, tiers }
    }

    fn take(&mut self, now: Instant) -> Option<(Duration, usize)> {
        self.learn(now);
        let span = self.limit.map_or(WINDOW, |(_, window)| window);
        while self.taken.front().is_some_and(|first| now.saturating_duration_since(*first) >= span)
            || self.taken.len() > MOST
        {
            self.taken.pop_front();
        }
        if let (Some((most, window)), Some(first)) = (self.limit, self.taken.front())
            && self.taken.len() >= most
        {
            return Some((window.saturating_sub(now.saturating_duration_since(*first)), most));
        }
        self.taken.push_back(now);
        None
    }

    fn refused(&mut self, until: Instant) {
        // What the vendor documents is not unlearned for what others of the same user sent.
        if self.tiers == Tiers::Unknown {
            self.taken.pop_back();
            self.full_until = Some(self.full_until.unwrap_or(until).max(until));
        }
    }

    /// Once a window is over that was full, what was taken in it is how many there are.
    fn learn(&mut self, now: Instant) {
        let Some(until) = self.full_until.filter(|until| *until <= now) else { return };
        self.full_until = None;
        if let (Some(first), true) = (self.taken.front(), self.taken.len() >= TELLING) {
            self.limit = Some((self.taken.len(), until.saturating_duration_since(*first)));
        }
    }
}

/// Lets time pass; `what` is what for.
pub(crate) async fn pause(waits: &Waits, what: String, how_long: Duration) -> Result<(), Shut> {
    let _waiting = waits.begin(what, how_long);
    let until = Instant::now() + how_long;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        if let Some(why) = waits.is_over(Stake::Nothing, left) {
            return Err(Shut::Ending(why));
        }
        tokio::time::sleep(left.min(STEP)).await;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::wait::{Ending, PATIENCE};

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

    fn key(tier: Tier) -> GateKey {
        ("h".to_owned(), "u".to_owned(), tier)
    }

    #[tokio::test]
    async fn a_closed_gate_holds_everyone_of_its_user_and_nobody_else() {
        let (gates, waits) = (Gates::new(Tiers::Unknown, Shared::default()), Waits::default());
        gates.close(&key(Tier::One), 0);
        let start = Instant::now();
        let mut left = PATIENCE;
        gates.pass(&key(Tier::Two), &mut left, &waits).await.unwrap();
        assert_eq!(left, PATIENCE);
        assert!(gates.closed_until(&key(Tier::One)).is_some());
        gates.pass(&key(Tier::One), &mut left, &waits).await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(450) && left < PATIENCE);
    }

    #[tokio::test]
    async fn what_asks_for_more_than_there_is_patience_is_not_waited_for() {
        let (gates, waits) = (Gates::new(Tiers::Unknown, Shared::default()), Waits::default());
        for asked in [121, 99_999_999, 315_360_000] {
            let gate = (asked.to_string(), "u".to_owned(), Tier::One);
            gates.close(&gate, asked);
            let shut = gates.pass(&gate, &mut PATIENCE.clone(), &waits).await;
            assert_eq!(shut, Err(Shut::TooLong(asked)), "{asked}");
        }
        // It was patient before, and has no more left.
        gates.close(&key(Tier::One), 100);
        let shut = gates.pass(&key(Tier::One), &mut Duration::from_secs(50), &waits).await;
        assert_eq!(shut, Err(Shut::TooLong(100)));
    }

    #[tokio::test]
    async fn an_interrupt_ends_the_wait() {
        let (gates, waits) = (Gates::new(Tiers::Unknown, Shared::default()), Waits::default());
        gates.close(&key(Tier::One), 100);
        waits.end(Ending::Soon("enough".to_owned()));
        let shut = gates.pass(&key(Tier::One), &mut PATIENCE.clone(), &waits).await;
        assert_eq!(shut, Err(Shut::Ending("enough".to_owned())));
    }

    #[test]
    fn what_is_documented_is_kept_to_from_the_start() {
        let mut pace = Pace::of(Tiers::Documented, Tier::Two, 1);
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!((0..150).filter(|_| pace.take(at(1)).is_none()).count(), 100);
        assert_eq!(pace.take(at(41)), Some((Duration::from_secs(21), 100)));
        // A refusal changes nothing of it.
        pace.refused(at(50));
        assert_eq!((0..150).filter(|_| pace.take(at(62)).is_none()).count(), 100);
    }

    #[test]
    fn a_full_window_teaches_how_many_in_how_long_and_a_stray_refusal_teaches_nothing() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let mut pace = Pace::of(Tiers::Unknown, Tier::Two, 1);
        assert_eq!((0..64).filter(|_| pace.take(at(0)).is_none()).count(), 64);
        for _ in 0..4 {
            pace.refused(at(10));
        }
        assert_eq!((0..100).filter(|_| pace.take(at(10)).is_none()).count(), 60);
        assert_eq!(pace.take(at(12)), Some((Duration::from_secs(8), 60)));
        let mut pace = Pace::of(Tiers::Unknown, Tier::Two, 1);
        assert_eq!((0..5).filter(|_| pace.take(at(0)).is_none()).count(), 5);
        pace.refused(at(3));
        assert_eq!((0..500).filter(|_| pace.take(at(3)).is_none()).count(), 500);
    }
}
