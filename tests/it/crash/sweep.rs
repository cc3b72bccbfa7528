//! Playing many points side by side, and the figures.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::point::Point;

/// How much of a sweep is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Full,
    /// A spread that takes seconds; the same at every run.
    Short,
}

impl Extent {
    /// What `QLIK_PLAN_SWEEP` says; short unless told.
    pub(super) fn asked() -> Self {
        #[expect(clippy::disallowed_methods, reason = "how much is run is the tester's choice")]
        let asked = std::env::var("QLIK_PLAN_SWEEP");
        match asked.as_deref() {
            Ok("full") => Self::Full,
            Ok("short") | Err(_) => Self::Short,
            Ok(other) => panic!("QLIK_PLAN_SWEEP is full or short, not {other:?}"),
        }
    }

    fn of(self, points: &[Point]) -> Vec<&Point> {
        match self {
            Self::Full => points.iter().collect(),
            Self::Short => points
                .iter()
                .enumerate()
                .filter(|(index, point)| index % stride(points.len()) == 0 || point.is_dear())
                .map(|(_, point)| point)
                .collect(),
        }
    }
}

/// Points of a short sweep, beside the dear ones.
const FEW: usize = 12;

/// Kinds of trouble come in threes, sixes and fifteens; a stride that shares no factor with them meets each kind.
fn stride(points: usize) -> usize {
    let shares = |stride: &usize| [2, 3, 5].iter().any(|factor| stride % factor == 0);
    (points / FEW..).find(|stride| *stride > 0 && !shares(stride)).unwrap_or(1)
}

/// Points wait for programs and for the disk more than they compute.
const SIDE_BY_SIDE: usize = 4;

/// Plays the points, prints the figures, and fails if any point failed.
pub(super) fn sweep(name: &str, points: &[Point], extent: Extent) {
    let began = Instant::now();
    let chosen = extent.of(points);
    let next = AtomicUsize::new(0);
    let executions = AtomicUsize::new(0);
    let run = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(point) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match catch_unwind(AssertUnwindSafe(|| point.play())) {
                        Ok(count) => executions.fetch_add(count, Ordering::SeqCst),
                        Err(_) => {
                            failures.lock().unwrap().push(point.to_string());
                            0
                        }
                    };
                    run.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    print(&format!(
        "{name}: {} points, {} chosen, {} run, {} executions, {} failures, {:.0} s",
        points.len(),
        chosen.len(),
        run.into_inner(),
        executions.into_inner(),
        failures.len(),
        began.elapsed().as_secs_f64(),
    ));
    assert!(!chosen.is_empty(), "nothing was swept");
    assert!(failures.is_empty(), "these points failed:\n{}", failures.join("\n"));
}

/// Says that a sweep was not run, and why.
pub(super) fn skipped(name: &str, why: &str) {
    print(&format!("{name}: skipped: {why}"));
}

#[expect(clippy::print_stderr, reason = "the figures are what the sweep is run for")]
fn print(figures: &str) {
    eprintln!("{figures}");
}
