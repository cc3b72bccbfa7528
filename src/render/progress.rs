//! The progress line: how far a long piece of work is, at which pace, and how long it will still take.

use std::time::Duration;

use crate::model::untrusted::escape;

use super::Look;

/// A pace is told after this long: before, it is the first connections' and no measure.
const PACE_AFTER: Duration = Duration::from_secs(1);

/// How far a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub work: Work,
    pub done: usize,
    pub total: usize,
    pub elapsed: Duration,
}

/// What is being worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Tenants are read.
    Reading,
    /// Actions of the plan are taken.
    Applying,
}

impl Work {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Reading => ("reading", "tenants"),
            Self::Applying => ("applying", "actions"),
        }
    }
}

/// The line, without anything that a terminal obeys, and no wider than one of its lines.
/// `asked`: whom an answer is awaited from, which is told while nothing is done.
pub fn line(progress: &Progress, asked: Option<&str>, look: &Look) -> String {
    let Progress { work, done, total, elapsed } = *progress;
    let (doing, things) = work.words();
    let mut text = format!("{doing}: {done} of {total} {things}");
    if done > 0 && done < total && elapsed >= PACE_AFTER {
        let rest = total - done;
        // Whole milliseconds are exact enough, and no estate has so many objects that this overflows.
        let each = elapsed.as_millis() / u128::try_from(done).unwrap_or(1);
        let left = each * u128::try_from(rest).unwrap_or(0) / 1000;
        text = format!("{text}, {}, about {} left", pace(done, elapsed), rough(left));
    }
    if done == 0
        && let Some(asked) = asked
    {
        text = format!("{text}, asking {}...", escape(asked));
    }
    text.chars().take(look.width.saturating_sub(1)).collect()
}

/// So many a second, or a minute where it is less than ten a second.
fn pace(done: usize, elapsed: Duration) -> String {
    let per_minute = u128::try_from(done).unwrap_or(0) * 60_000 / elapsed.as_millis().max(1);
    if per_minute >= 600 { format!("{}/s", per_minute / 60) } else { format!("{per_minute}/min") }
}

fn rough(seconds: u128) -> String {
    match seconds {
        0..=90 => format!("{} s", seconds.max(1)),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(done: usize, total: usize, seconds: u64) -> String {
        line(&Progress { work: Work::Reading, done, total, elapsed: Duration::from_secs(seconds) }, None, &Look::PLAIN)
    }

    #[test]
    fn pace_and_remaining_time_are_told_once_there_is_a_measure() {
        assert_eq!(at(0, 500, 30), "reading: 0 of 500 tenants");
        assert_eq!(at(40, 500, 0), "reading: 40 of 500 tenants");
        assert_eq!(at(40, 500, 2), "reading: 40 of 500 tenants, 20/s, about 23 s left");
        assert_eq!(at(100, 300, 60), "reading: 100 of 300 tenants, 100/min, about 2 min left");
        assert_eq!(at(1, 500, 60), "reading: 1 of 500 tenants, 1/min, about 9 h left");
        assert_eq!(at(500, 500, 25), "reading: 500 of 500 tenants");
    }

    #[test]
    fn a_line_is_no_wider_than_the_terminal() {
        let progress = Progress { work: Work::Applying, done: 40, total: 500, elapsed: Duration::from_secs(2) };
        assert_eq!(line(&progress, None, &Look { width: 20, ..Look::PLAIN }), "applying: 40 of 500");
    }

    #[test]
    fn before_anything_is_done_it_is_told_who_is_asked() {
        let mut progress = Progress { work: Work::Reading, done: 0, total: 12, elapsed: Duration::from_secs(1) };
        let told = |progress: &Progress| line(progress, Some("a.us.example"), &Look::PLAIN);
        assert_eq!(told(&progress), "reading: 0 of 12 tenants, asking a.us.example...");
        progress.done = 6;
        assert_eq!(told(&progress), "reading: 6 of 12 tenants, 360/min, about 1 s left");
    }
}
