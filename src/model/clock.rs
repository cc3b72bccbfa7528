//! The clocks of all servers, and the time that is believed. It also reads times that others wrote.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;

/// The clocks of all servers of a run, by host, as seconds ahead of this machine's. Clones are the same.
///
/// No clock is right by itself: a machine's is often wrong, and one host's wrong `Date` must not make keys elsewhere due or fresh.
/// The run's time is the median of the hosts'; where their number is even, this machine's is one of them.
#[derive(Clone)]
pub struct Clocks(Arc<Inner>);

struct Inner {
    /// This machine's time when the run began, and a steady clock beside it.
    started: (Timestamp, Instant),
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    /// The difference of each host from this machine, in milliseconds.
    ahead: BTreeMap<String, i64>,
    /// The times that no clock says which was ever set, by host.
    odd: BTreeMap<String, Timestamp>,
}

/// 1990 and 2200: before and after, a clock was never set, or is a date of another kind.
const SET: std::ops::Range<i64> = 631_152_000..7_258_118_400;

impl Clocks {
    /// Begins with this machine's time, before any server has told one.
    pub fn new(local: Timestamp) -> Self {
        Self(Arc::new(Inner { started: (local, Instant::now()), heard: Mutex::default() }))
    }

    /// Takes the `Date` of a reply that has just come.
    pub fn hear(&self, host: &str, date: Timestamp) {
        let ahead = date.as_millisecond().saturating_sub(self.machine());
        let mut heard = self.heard();
        if SET.contains(&date.as_second()) {
            // A `Date` is cut to seconds and then takes its time: of those that agree, the latest is the nearest.
            let known = heard.ahead.get(host).filter(|known| ahead.abs_diff(**known) <= AGREE);
            let ahead = known.map_or(ahead, |known| ahead.max(*known));
            heard.ahead.insert(host.to_owned(), ahead);
        } else {
            heard.odd.insert(host.to_owned(), date);
        }
    }

    /// The run's time in whole seconds; `None` until a host has told one.
    pub fn now(&self) -> Option<Timestamp> {
        let ahead = reference(&self.heard())?;
        self.moved_by(ahead)
    }

    /// A host's own time; the run's where it told none.
    pub fn at(&self, host: &str) -> Option<Timestamp> {
        let ahead = self.heard().ahead.get(host).copied();
        ahead.map_or_else(|| self.now(), |ahead| self.moved_by(ahead))
    }

    /// Seconds that a host is ahead of this machine; `None` until it has told its time.
    pub fn ahead_of_machine(&self, host: &str) -> Option<i64> {
        self.heard().ahead.get(host).map(|ahead| ahead.div_euclid(1_000))
    }

    /// A host's own time, or this machine's until it has told one, in seconds since 1970: never ahead of what it last said, plus
    /// what passed since.
    pub fn second_at(&self, host: &str) -> i64 {
        let ahead = self.heard().ahead.get(host).copied().unwrap_or(0);
        self.machine().saturating_add(ahead).div_euclid(1_000)
    }

    /// This machine's time, in milliseconds since 1970.
    fn machine(&self) -> i64 {
        let (start, since) = self.0.started;
        start.as_millisecond().saturating_add(i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Seconds that the run's time is ahead of this machine's.
    pub fn ahead(&self) -> Option<i64> {
        reference(&self.heard()).map(|ahead| ahead.div_euclid(1_000))
    }

    /// Hosts whose clock is by more than so many seconds before or behind the run's time, and by how many.
    pub fn astray(&self, more_than: i64) -> BTreeMap<String, i64> {
        let heard = self.heard();
        let Some(reference) = reference(&heard) else { return BTreeMap::new() };
        let off = heard.ahead.iter().map(|(host, ahead)| (host.clone(), ahead.saturating_sub(reference) / 1_000));
        off.filter(|(_, by)| by.saturating_abs() > more_than).collect()
    }

    /// Hosts that told a time that no clock tells which was ever set.
    pub fn odd(&self) -> BTreeMap<String, Timestamp> {
        self.heard().odd.clone()
    }

    fn moved_by(&self, ahead: i64) -> Option<Timestamp> {
        Timestamp::from_second(self.machine().saturating_add(ahead).div_euclid(1_000)).ok()
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two dates of one clock differ by no more than this from how far it is ahead, in milliseconds.
const AGREE: u64 = 2_000;

/// Returns the run's difference from this machine, in milliseconds.
fn reference(heard: &Heard) -> Option<i64> {
    let mut all: Vec<i64> = heard.ahead.values().copied().collect();
    if all.is_empty() {
        return None;
    }
    if all.len().is_multiple_of(2) {
        all.push(0);
    }
    all.sort_unstable();
    all.get(all.len() / 2).copied()
}

/// Writes a length of time in words that a reader can weigh: `12 minutes`, `3 hours`, `10 days`.
pub fn rough(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_170 => format!("{} minutes", (seconds + 30) / 60),
        7_170..171_000 => format!("{} hours", (seconds + 1_800) / 3_600),
        _ => format!("{} days", seconds.saturating_add(43_200) / 86_400),
    }
}

/// A time in RFC 3339 as others write it. What lies beyond what can be told is the last or the first time that can: people and
/// vendors write `9999-12-31T23:59:59Z` for "never", and JavaScript writes `+010000-01-01T00:00:00Z`.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let (year, rest) = text.split_at_checked(text.get(1..)?.find('-')? + 1)?;
    let digits = year.trim_start_matches(['+', '-']);
    let is_year = matches!(digits.len(), 4..=6) && digits.bytes().all(|b| b.is_ascii_digit());
    // The rest is read in a leap year of its own, so that a day or hour that is none is still none.
    let is_time = format!("2000{rest}").parse::<Timestamp>().is_ok();
    let beyond = match (is_year, is_time, year.starts_with('-')) {
        (true, true, false) if digits.parse::<u32>().is_ok_and(|year| year >= 9_999) => Timestamp::MAX,
        (true, true, true) => Timestamp::MIN,
        (_, _, _) => return None,
    };
    Timestamp::from_second(beyond.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn clocks(hosts: &[(&str, i64)]) -> Clocks {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let clocks = Clocks::new(at(NOW));
        for (host, ahead) in hosts {
            clocks.hear(host, at(NOW + ahead));
        }
        clocks
    }

    fn near(ahead: Option<i64>, expected: i64) -> bool {
        ahead.is_some_and(|ahead| (expected - 2..=expected + 2).contains(&ahead))
    }

    #[test]
    fn one_wrong_host_moves_nobodys_time_but_its_own() {
        const DAYS: i64 = 10 * 86_400;
        for wrong in [DAYS, -DAYS, 30 * 365 * 86_400] {
            for right in [&[("b", 0)][..], &[("b", 0), ("c", 1)], &[("b", 0), ("c", 1), ("d", 0)]] {
                let clocks = clocks(&[&[("a", wrong)], right].concat());
                assert!(near(clocks.ahead(), 0), "{wrong} {right:?}");
                assert_eq!(clocks.astray(3_600).into_keys().collect::<Vec<_>>(), ["a"]);
                assert!(near(clocks.at("a").map(|at| at.as_second() - NOW), wrong));
            }
        }
    }

    #[test]
    fn a_machine_that_is_wrong_by_years_is_not_believed_where_hosts_agree() {
        const YEARS: i64 = 20 * 365 * 86_400;
        for hosts in
            [&[("a", YEARS)][..], &[("a", YEARS), ("b", YEARS + 1)], &[("a", YEARS), ("b", YEARS), ("c", YEARS - 1)]]
        {
            let clocks = clocks(hosts);
            assert!(near(clocks.ahead(), YEARS), "{hosts:?}");
            assert!(clocks.astray(60).is_empty());
        }
        // Nor where one of them is wrong too.
        assert!(near(clocks(&[("a", YEARS), ("b", YEARS), ("c", 9)]).ahead(), YEARS));
    }

    #[test]
    fn a_clock_that_was_never_set_is_none() {
        let clocks = clocks(&[("a", -NOW), ("b", 200 * 365 * 86_400)]);
        assert_eq!((clocks.ahead(), clocks.now(), clocks.at("a")), (None, None, None));
        assert_eq!(clocks.odd().into_keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn times_beyond_what_can_be_told_are_the_last_and_the_first() {
        let last = "9999-12-30T22:00:00Z";
        for (text, expected) in [
            ("2027-01-15T00:00:00Z", "2027-01-15T00:00:00Z"),
            ("9999-12-31T23:59:59Z", last),
            ("9999-12-31T23:59:59.999+00:00", last),
            ("+010000-01-01T00:00:00Z", last),
            ("10000-01-01T00:00:00Z", last),
            ("+275760-09-13T00:00:00.000Z", last),
        ] {
            assert_eq!(read_time(text).unwrap().to_string(), expected, "{text}");
        }
        assert!(read_time("-009999-01-01T00:00:00Z").unwrap() < Timestamp::UNIX_EPOCH);
        for bad in [
            "",
            "never",
            "next week",
            "9999",
            "2027-13-01T00:00:00Z",
            "9999-12-32T00:00:00Z",
            "12345678-01-01T00:00:00Z",
            "é-01",
        ] {
            assert_eq!(read_time(bad), None, "{bad}");
        }
    }
}
