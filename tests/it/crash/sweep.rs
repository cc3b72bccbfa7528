//! Playing many points side by side, and the figures.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use super::history;

/// What a sweep is made of.
pub(super) trait Story: Sync + fmt::Display {
    /// Plays to the end, or panics; gives the number of programs that ran. `None`: what was to be struck was not there.
    fn play(&self) -> Option<usize>;
    /// Run in every sweep, however short: the request that must never be sent twice.
    fn is_dear(&self) -> bool;
}

/// How much of a sweep is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Full,
    /// Every `of`-th point from this one on, of all: several machines, or sittings, make a whole.
    Share {
        part: usize,
        of: usize,
    },
    /// A spread that takes seconds; the same at every run.
    Short,
}

impl Extent {
    /// What `QLIK_PLAN_SWEEP` says; short unless told.
    pub(super) fn asked() -> Self {
        match variable("QLIK_PLAN_SWEEP").as_deref() {
            Some("full") => Self::Full,
            Some("short") | None => Self::Short,
            Some(other) => match other.split_once('/').map(|(part, of)| (part.parse(), of.parse())) {
                Some((Ok(part), Ok(of))) if (1..=of).contains(&part) => Self::Share { part, of },
                Some(_) | None => panic!("QLIK_PLAN_SWEEP is full, short, or a share like 1/10, not {other:?}"),
            },
        }
    }

    /// A short sweep takes about so `few` points, beside the dear ones.
    fn of<S: Story>(self, points: &[S], few: usize) -> Vec<&S> {
        match self {
            Self::Full => points.iter().collect(),
            Self::Share { part, of } => points.iter().skip(part - 1).step_by(of).collect(),
            Self::Short => points
                .iter()
                .enumerate()
                .filter(|(index, point)| index % stride(points.len(), few) == 0 || point.is_dear())
                .map(|(_, point)| point)
                .collect(),
        }
    }
}

/// How much is run, and with what seed, is the tester's choice.
pub(crate) fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the tester's choice comes from the environment")]
    std::env::var(name).ok()
}

/// Points of a short sweep, beside the dear ones.
const FEW: usize = 12;

/// Kinds of trouble come in threes, sixes and fifteens; a stride that shares no factor with them meets each kind.
fn stride(points: usize, few: usize) -> usize {
    let shares = |stride: usize| stride.is_multiple_of(2) || stride.is_multiple_of(3) || stride.is_multiple_of(5);
    (points / few..).find(|stride| *stride > 0 && !shares(*stride)).unwrap_or(1)
}

/// Points wait for programs and for the disk more than they compute.
const SIDE_BY_SIDE: usize = 4;

/// What a sweep came to.
pub(super) struct Figures {
    pub(super) run: usize,
    pub(super) executions: usize,
    /// The point, and what was found.
    pub(super) failures: Vec<(String, String)>,
    /// Points at which something else was struck, again and again.
    pub(super) unseen: Vec<String>,
}

/// Plays points; all of them, or until one fails.
pub(super) fn play<S: Story>(points: &[&S], until_one_fails: bool) -> Figures {
    let (next, executions, run) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = AtomicBool::new(false);
    let (failures, unseen) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if until_one_fails && failed.load(Ordering::SeqCst) {
                        return;
                    }
                    match catch_unwind(AssertUnwindSafe(|| point.play())) {
                        Ok(Some(count)) => {
                            executions.fetch_add(count, Ordering::SeqCst);
                        }
                        Ok(None) => unseen.lock().unwrap().push(point.to_string()),
                        Err(panic) => {
                            failed.store(true, Ordering::SeqCst);
                            failures.lock().unwrap().push((point.to_string(), said(&*panic)));
                        }
                    }
                    run.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    Figures {
        run: run.into_inner(),
        executions: executions.into_inner(),
        failures: failures.into_inner().unwrap(),
        unseen: unseen.into_inner().unwrap(),
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// Plays the points, prints the figures, and fails if any point failed.
pub(super) fn sweep<S: Story>(name: &str, points: &[S], extent: Extent) {
    sweep_some(name, points, extent, FEW);
}

/// The same with another number of points where the sweep is short.
pub(super) fn sweep_some<S: Story>(name: &str, points: &[S], extent: Extent, few: usize) {
    let began = Instant::now();
    let chosen = extent.of(points, few);
    let figures = play(&chosen, false);
    print(&format!(
        "{name}: {} points, {} chosen, {} run, {} executions, {} failures, {:.0} s",
        points.len(),
        chosen.len(),
        figures.run,
        figures.executions,
        figures.failures.len(),
        began.elapsed().as_secs_f64(),
    ));
    assert!(!chosen.is_empty(), "nothing was swept");
    assert!(figures.unseen.is_empty(), "these calls were expected and not seen:\n{}", figures.unseen.join("\n"));
    let failures: Vec<String> = figures.failures.iter().map(|(point, found)| format!("{point}\n{found}")).collect();
    assert!(failures.is_empty(), "these points failed:\n{}", failures.join("\n\n"));
}

/// Draws a history for each seed and plays it; one that fails is made as short as it still fails, and named by its seed.
pub(super) fn histories(seed: u64, count: u64) {
    let began = Instant::now();
    let (next, executions) = (AtomicU64::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    if index >= count {
                        return;
                    }
                    let seed = seed.wrapping_add(index);
                    if let Err(failure) = history_of(seed, &executions) {
                        let again = format!("QLIK_PLAN_SEED={seed} QLIK_PLAN_STORIES=1");
                        failures.lock().unwrap().push(format!("{again}: {failure}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    print(&format!(
        "histories by lot, seeds {seed} to {}: {count} histories, {} executions, {} failures, {:.0} s",
        seed + count - 1,
        executions.into_inner(),
        failures.len(),
        began.elapsed().as_secs_f64(),
    ));
    assert!(failures.is_empty(), "these histories failed:\n{}", failures.join("\n\n"));
}

fn history_of(seed: u64, executions: &AtomicUsize) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: 1, max_shrink_iters: 40, failure_persistence: None, ..Config::default() };
    let played = TestRunner::new_with_rng(config, rng).run(&history::histories(), |steps| {
        let count = catch_unwind(AssertUnwindSafe(|| history::play(&steps)))
            .map_err(|panic| TestCaseError::fail(said(&*panic)))?;
        executions.fetch_add(count, Ordering::SeqCst);
        Ok(())
    });
    played.map_err(|error| error.to_string())
}

#[expect(clippy::print_stderr, reason = "the figures are what the sweep is run for")]
pub(super) fn print(figures: &str) {
    eprintln!("{figures}");
}
