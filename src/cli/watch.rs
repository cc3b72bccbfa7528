//! Beside every run: says what is waited for, and sees to it that the run ends.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::requests::Asked;
use crate::model::untrusted::escape;
use crate::model::wait::{Ending, OpenWait, STEP, Waits};

use super::args::Common;
use super::exit::{Exit, Problem};
use super::output::Output;

/// What is waited for longer than this is said: within five seconds, whatever else is being said.
const SAID_AFTER: Duration = Duration::from_secs(3);
const LOOKED_AFTER: Duration = Duration::from_millis(500);
/// Between two times that something new is said.
const AT_ONCE: Duration = Duration::from_millis(1_500);
/// What still lasts is said again.
const SAID_AGAIN: Duration = Duration::from_secs(60);
/// A hundred slow hosts are no hundred lines.
const LINES: usize = 3;

/// When its time is over, a run begins nothing and waits for nothing; so many times `--timeout` later it is ended, whatever it does.
const GRACE: u32 = 10;
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Watches until the program ends.
pub(super) fn start(common: &Common, output: Output) {
    if common.verbose {
        let told = output.beside();
        common.waits.requests().listen(move |asked| told.message(&request(asked)));
    }
    let waits = common.waits.clone();
    let (began, max_run) = (Instant::now(), Duration::from_secs(common.max_run.seconds()));
    let grace = Duration::from_secs(common.timeout).saturating_mul(GRACE);
    let limit = common.max_run;
    std::thread::spawn(move || {
        let mut said = Said::default();
        loop {
            std::thread::park_timeout(LOOKED_AFTER);
            let open = waits.now();
            for line in said.lines(&open, Instant::now()) {
                output.message(&line);
            }
            // `HOST: no answer yet`: on the line the host is enough.
            output.line().tick(open.first().and_then(|wait| wait.what.split(": ").next()));
            if began.elapsed() > max_run {
                waits.end(Ending::Now(format!("the run's own time is over (--max-run {limit})")));
            }
            if began.elapsed() > max_run.saturating_add(grace) {
                let problem = stuck(&waits.now(), limit);
                // Whoever reads what we print may be what we wait for.
                let told = std::thread::spawn(move || output.problem(&problem));
                let until = Instant::now() + LAST_WORDS;
                while !told.is_finished() && Instant::now() < until {
                    std::thread::park_timeout(STEP);
                }
                std::process::exit(Exit::Error.code().into());
            }
        }
    });
}

/// `GET acme.us.qlikcloud.com/api/v1/tenants/me 200 12 ms`
fn request(asked: &Asked) -> String {
    let Asked { method, host, path, status, took } = asked;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    escape(&format!("{method} {host}{path} {status} {} ms", took.as_millis()))
}

fn stuck(waits: &[OpenWait], limit: crate::model::duration::Duration) -> Problem {
    let what = waits.first().map(|wait| format!(", still waiting for {}", wait.what)).unwrap_or_default();
    Problem::new(
        format!(
            "the run's own time (--max-run {limit}) is over for long, and it did not end{what}; it ends now as if it was killed"
        ),
        "see to what it waited for, then run this again: it begins with what is there then",
    )
}

/// What the work gives; a run that is asked to end meanwhile drops it. Only for what changes nothing.
pub(super) async fn unless_ending<T>(waits: &Waits, work: impl Future<Output = T>) -> Result<T, Problem> {
    let mut next = "run this again".to_owned();
    let value = tokio::select! {
        value = work => Some(value),
        _ = ending(waits) => {
            if let Some(wait) = waits.now().first() {
                next = format!("it waited for {}; see to that, then run this again", wait.what);
            }
            None
        }
    };
    // Whoever waited for something may have heard it first, and what was read then is not all.
    match (waits.ending().why(), value) {
        (None, Some(value)) => Ok(value),
        (why, Some(_) | None) => {
            let why = why.unwrap_or("the run was asked to end");
            Err(Problem::new(format!("{why} while things were read; nothing was changed"), next))
        }
    }
}

/// Waits until the run is asked to end; says why.
pub(super) async fn ending(waits: &Waits) -> String {
    loop {
        if let Some(why) = waits.ending().why() {
            return why.to_owned();
        }
        tokio::time::sleep(STEP).await;
    }
}

/// What was said, and when.
#[derive(Default)]
struct Said {
    at: BTreeMap<String, Instant>,
    last: Option<Instant>,
}

impl Said {
    /// What is to be said now.
    fn lines(&mut self, waits: &[OpenWait], now: Instant) -> Vec<String> {
        self.at.retain(|what, _| waits.iter().any(|wait| wait.what == *what));
        if self.last.is_some_and(|last| now.duration_since(last) < AT_ONCE) {
            return Vec::new();
        }
        let mut due: Vec<&OpenWait> = Vec::new();
        for wait in waits.iter().filter(|wait| now.duration_since(wait.began) >= SAID_AFTER) {
            let again = self.at.get(&wait.what).is_none_or(|at| now.duration_since(*at) >= SAID_AGAIN);
            if again && !due.iter().any(|other| other.what == wait.what) {
                due.push(wait);
            }
        }
        if !due.is_empty() {
            self.last = Some(now);
        }
        self.at.extend(due.iter().map(|wait| (wait.what.clone(), now)));
        let mut lines: Vec<String> = due.iter().take(LINES).map(|wait| line(wait, now)).collect();
        let more = due.len().saturating_sub(LINES);
        if more > 0 {
            lines.push(format!("waiting for {more} more like these"));
        }
        lines
    }
}

fn line(wait: &OpenWait, now: Instant) -> String {
    let left = wait.at_most.saturating_sub(now.duration_since(wait.began)).as_secs();
    format!("waiting for {}; at most {left} s more", wait.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(what: &str, began: Instant) -> OpenWait {
        OpenWait { what: what.to_owned(), began, at_most: Duration::from_secs(30) }
    }

    #[test]
    fn a_wait_is_said_once_and_again_when_it_lasts() {
        let began = Instant::now();
        let at = |seconds: f64| began + Duration::from_secs_f64(seconds);
        let (mut said, waits) = (Said::default(), [wait("a", began), wait("a", began)]);
        assert_eq!(said.lines(&waits, at(2.5)), Vec::<String>::new());
        assert_eq!(said.lines(&waits, at(3.5)), ["waiting for a; at most 26 s more"]);
        assert_eq!(said.lines(&waits, at(30.0)), Vec::<String>::new());
        assert_eq!(said.lines(&waits, at(64.0)), ["waiting for a; at most 0 s more"]);
        // Over, and begun anew.
        assert_eq!(said.lines(&[], at(65.0)), Vec::<String>::new());
        assert_eq!(said.lines(&waits, at(66.0)), ["waiting for a; at most 0 s more"]);
    }

    #[test]
    fn a_hundred_slow_hosts_are_four_lines() {
        let began = Instant::now();
        let waits: Vec<OpenWait> = (0..100).map(|n| wait(&format!("h{n}"), began)).collect();
        let lines = Said::default().lines(&waits, began + Duration::from_secs(4));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3], "waiting for 97 more like these");
    }
}
