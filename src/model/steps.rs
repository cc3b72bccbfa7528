//! How many addresses and texts from outside are compared: a measure of work that is the same on every machine. For tests alone.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn count() {
    TAKEN.set(TAKEN.get() + 1);
}

/// Counts the steps that something takes in this thread.
pub(crate) fn taken<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = TAKEN.get();
    let done = work();
    (done, TAKEN.get() - before)
}

/// Compares as the derived traits do, and counts.
macro_rules! counted {
    ($type:ty, |$value:ident| $parts:expr) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other).is_eq()
            }
        }

        impl Eq for $type {}

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                crate::model::steps::count();
                fn parts($value: &$type) -> impl Ord + '_ {
                    $parts
                }
                parts(self).cmp(&parts(other))
            }
        }
    };
}

pub(crate) use counted;
