//! Plans and live states as files: values ↔ text. Touches no disk.
//!
//! Both files carry a format, its version and the program's. Neither can hold a secret, since neither a plan nor a live
//! state has a place for one.

mod earlier;
mod merge;
mod part;
mod plan;
mod snapshot;
mod trouble;

pub use merge::{Merged, merge_parts};
pub use part::{Line, Part};
pub use plan::{SavedPlan, read_plan, write_plan};
pub use snapshot::{Snapshot, read_snapshot, write_snapshot};
pub use trouble::Unusable;

/// This program's version, which saved plans are bound to.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");
