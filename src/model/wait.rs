//! Waiting: what a run waits for and how long at most, and how far it was asked to end. Who says so and who asks is `cli`'s affair.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::requests::Requests;

/// The longest that one request waits, in all its tries, because a server asked for it. A server that asks for more is
/// not asked again in this run: asking early only makes it longer.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The pause after which a wait looks again whether the run is to end.
pub const STEP: Duration = Duration::from_millis(50);

/// A wait that has no more left than this is waited for even after the first interrupt: what is in flight is finished.
const ALMOST_DONE: Duration = Duration::from_secs(5);

/// The extent to which a run was asked to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// Nobody asked.
    #[default]
    No,
    /// The run begins nothing new and finishes what is in flight. It holds the reason.
    Soon(String),
    /// The run waits for nothing any more. It holds the reason.
    Now(String),
}

impl Ending {
    /// Returns the reason; `None` while nobody asked.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::No => None,
            Self::Soon(why) | Self::Now(why) => Some(why),
        }
    }
}

/// The loss if a wait is given up, which decides how easily it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stake {
    /// No loss: the first interrupt is enough.
    Nothing,
    /// A secret that is nowhere else yet: only what ends every wait ends this one.
    Secret,
}

/// The list of everything that one run waits for. Clones are the same.
#[derive(Clone, Default)]
pub struct Waits(Arc<Inner>);

#[derive(Default)]
struct Inner {
    open: Mutex<Open>,
    ending: Mutex<Ending>,
    holder: Option<fn(&File) -> Option<u32>>,
    requests: Requests,
}

#[derive(Default)]
struct Open {
    next: u64,
    waits: BTreeMap<u64, OpenWait>,
}

/// One wait that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenWait {
    /// The thing that is waited for and why, safe to print: it follows "waiting for".
    pub what: String,
    /// The time at which it began, on the steady clock.
    pub began: Instant,
    /// The longest time that it lasts.
    pub at_most: Duration,
}

/// A wait lasts as long as this value.
#[must_use = "a wait that is not kept is over at once"]
pub struct Waiting {
    waits: Waits,
    number: u64,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.waits.open().waits.remove(&self.number);
    }
}

impl std::fmt::Debug for Waits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waits").field("ending", &self.ending()).finish_non_exhaustive()
    }
}

impl Waits {
    /// Makes an empty list. `holder` tells the number of a process that holds a lock on a file, where the system tells
    /// it.
    pub fn with(holder: fn(&File) -> Option<u32>) -> Self {
        Self(Arc::new(Inner { holder: Some(holder), ..Inner::default() }))
    }

    /// Begins a wait, which is over when the value is dropped.
    pub fn begin(&self, what: impl Into<String>, at_most: Duration) -> Waiting {
        let mut open = self.open();
        let number = open.next;
        open.next += 1;
        open.waits.insert(number, OpenWait { what: what.into(), began: Instant::now(), at_most });
        Waiting { waits: self.clone(), number }
    }

    /// Returns the waits that are not over, the oldest first.
    pub fn now(&self) -> Vec<OpenWait> {
        self.open().waits.values().cloned().collect()
    }

    /// Asks the run to end. What was asked before is not taken back.
    pub fn end(&self, ending: Ending) {
        let mut known = self.0.ending.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &ending) {
            (Ending::Now(_), _) | (Ending::Soon(_), Ending::No | Ending::Soon(_)) => {}
            (Ending::No, _) | (Ending::Soon(_), Ending::Now(_)) => *known = ending,
        }
    }

    /// Returns how far the run was asked to end.
    pub fn ending(&self) -> Ending {
        self.0.ending.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the reason to give up a wait that could last `left` more; `None` where it goes on.
    pub fn is_over(&self, stake: Stake, left: Duration) -> Option<String> {
        match self.ending() {
            Ending::No => None,
            Ending::Now(why) => Some(why),
            Ending::Soon(why) => (stake == Stake::Nothing && left > ALMOST_DONE).then_some(why),
        }
    }

    /// Returns the list of requests that this run sends.
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// Returns the number of a process that holds a lock on `file`; `None` where nobody does or the system does not
    /// tell.
    pub fn holder(&self, file: &File) -> Option<u32> {
        self.0.holder.and_then(|holder| holder(file))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file's lock that was not had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLock {
    /// Somebody has it, and has had it for as long as we waited.
    Held {
        /// The number of its process, where the system tells it.
        by: Option<u32>,
        /// The time that was waited.
        waited: Duration,
    },
    /// The run ends.
    Ending(String),
}

/// One try after another to take a file's lock: the caller pauses between them, as it can.
pub struct Lock<'a> {
    waits: &'a Waits,
    /// The path, safe to print.
    place: String,
    limit: Duration,
    stake: Stake,
    since: Option<(Instant, Waiting)>,
}

impl<'a> Lock<'a> {
    /// Makes a lock that waits for at most `limit`. `place` is the path, safe to print.
    pub fn new(waits: &'a Waits, place: String, limit: Duration, stake: Stake) -> Self {
        Self { waits, place, limit, stake, since: None }
    }

    /// Decides after a try that found the file locked whether to try once more.
    ///
    /// # Errors
    /// It is not to be tried again.
    pub fn again(&mut self, file: &File) -> Result<(), NoLock> {
        let (since, _) = self.since.get_or_insert_with(|| {
            let by = self.waits.holder(file).map(|pid| format!(", held by process {pid}")).unwrap_or_default();
            (Instant::now(), self.waits.begin(format!("the lock on {}{by}", self.place), self.limit))
        });
        let waited = since.elapsed();
        if let Some(why) = self.waits.is_over(self.stake, self.limit.saturating_sub(waited)) {
            return Err(NoLock::Ending(why));
        }
        if waited >= self.limit {
            return Err(NoLock::Held { by: self.waits.holder(file), waited });
        }
        Ok(())
    }
}

impl NoLock {
    /// Returns the sentence about the lock on `place`, and the way out.
    pub fn words(&self, place: &str) -> (String, String) {
        match self {
            Self::Held { by: Some(pid), waited } => (
                format!("the lock on {place} is held by process {pid}, and was not free within {} s", waited.as_secs()),
                format!(
                    "see what process {pid} is (`ps -p {pid}`): a backup, or a run that is stopped; let it end, then run this again"
                ),
            ),
            Self::Held { by: None, waited } => (
                format!(
                    "the lock on {place} is held by another process, and was not free within {} s",
                    waited.as_secs()
                ),
                format!(
                    "see which process has {place} open (`fuser -v {place}`): a backup, or a run that is stopped; let it end, then run this again"
                ),
            ),
            Self::Ending(why) => (
                format!("{why} while the lock on {place} was waited for"),
                "see who holds the lock, then run this again".to_owned(),
            ),
        }
    }
}

/// Ten years, in seconds: whoever asks for more asks for ever.
const LONGEST: u64 = 10 * 365 * 86_400;

/// `Retry-After` in seconds: a number, or a date seen from the reply's own `Date`. Anything else says nothing.
pub fn asked_to_wait(value: &str, date: Option<Timestamp>) -> Option<u64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(LONGEST).min(LONGEST));
    }
    let until = http_date(value)?;
    Some(u64::try_from(until.as_second().saturating_sub(date?.as_second())).unwrap_or(0).min(LONGEST))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(value: &str) -> Option<Timestamp> {
    let read = |text: &str| DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    let value = value.trim();
    // The last two days that can be written lie behind the last time that can be told.
    read(value).or_else(|| read(&value.replace(" 9999 ", " 9998 ")).map(|_| Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_own_clock() {
        let date = http_date("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date.unwrap().to_string(), "1994-11-06T08:49:37Z");
        assert_eq!(http_date("Fri, 31 Dec 9999 23:59:59 GMT"), Some(Timestamp::MAX));
        assert_eq!(asked_to_wait("13", None), Some(13));
        assert_eq!(asked_to_wait(" 0 ", None), Some(0));
        assert_eq!(asked_to_wait("99999999999999999999999", None), Some(LONGEST));
        assert_eq!(asked_to_wait("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(30));
        assert_eq!(asked_to_wait("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(0));
        assert_eq!(asked_to_wait("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        for bad in ["", "-1", "soon", "1.5", "1e3", "+5", "0x10", "1 2"] {
            assert_eq!(asked_to_wait(bad, date), None, "{bad}");
        }
    }

    #[test]
    fn a_wait_is_open_as_long_as_its_value() {
        let waits = Waits::default();
        let first = waits.begin("a", STEP);
        let second = waits.begin("b", STEP);
        let whats = || waits.now().into_iter().map(|wait| wait.what).collect::<Vec<_>>();
        assert_eq!(whats(), ["a", "b"]);
        drop(first);
        assert_eq!(whats(), ["b"]);
        drop(second);
        assert!(waits.now().is_empty());
    }

    #[test]
    fn an_interrupt_ends_what_has_long_to_wait_and_only_the_last_word_ends_a_secrets_wait() {
        let (long, short) = (Duration::from_secs(60), Duration::from_secs(2));
        let waits = Waits::default();
        assert_eq!(waits.is_over(Stake::Nothing, long), None);
        waits.end(Ending::Soon("a".to_owned()));
        assert_eq!(waits.is_over(Stake::Nothing, long), Some("a".to_owned()));
        assert_eq!(waits.is_over(Stake::Nothing, short), None);
        assert_eq!(waits.is_over(Stake::Secret, long), None);
        waits.end(Ending::Now("b".to_owned()));
        waits.end(Ending::Soon("c".to_owned()));
        assert_eq!(waits.is_over(Stake::Secret, short), Some("b".to_owned()));
    }
}
