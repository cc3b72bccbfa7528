//! Text for people: the plan, the report of an apply, and what the ledger holds.

mod ledger;
mod plan;
mod report;
mod review;

pub use ledger::ledger;
pub use plan::plan;
pub use report::report;
pub use review::review;
