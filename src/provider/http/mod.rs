//! What every vendor's wire needs: outcomes as types, host binding, retries of reads, faults in words without secrets.

mod classify;
mod client;
mod envelope;
mod exchange;
mod fault;
mod gate;
#[cfg(all(test, feature = "sandbox"))]
pub(crate) mod local;
mod outcome;
mod target;

pub(crate) use classify::{Deed, kind};
pub(crate) use client::{Head, Verb, Wire};
pub(crate) use envelope::Envelope;
pub(crate) use exchange::{Answer, Change, Exchange, Line, bearer};
pub(crate) use fault::Fault;
pub(crate) use gate::{GateKey, Tier};
pub use gate::{Shared, Tiers};
pub(crate) use target::{Target, is_segment, redirected_id};

pub use crate::net::BuildError;
pub use client::{NetworkOptions, Timeouts};
pub use outcome::{Outcome, ReadError, Rejection, RejectionKind, TraceName, Trouble};
