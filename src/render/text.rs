//! Text for people: the plan, the report of an apply, an error, and what the ledger holds.

mod error;
mod explain;
mod ledger;
mod plan;
mod refused;
mod report;
mod review;
mod routine;

pub use error::error;
pub use explain::explanation;
pub use ledger::ledger;
pub use plan::plan;
pub use report::report;
pub use review::review;
