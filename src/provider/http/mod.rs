//! What every vendor's wire needs: outcomes as types, host binding, retries of reads, faults in words without secrets.

mod classify;
mod client;
mod envelope;
mod fault;
mod gate;
mod outcome;
mod target;

pub(crate) use classify::{Class, Deed, class, kind};
pub(crate) use client::{Ask, Head, Lane, Reply, Verb, Wire};
pub(crate) use envelope::Envelope;
pub(crate) use fault::Fault;
pub(crate) use gate::{Budget, GateKey, Gates, Tier, backoff, clamp};
pub(crate) use target::{Target, is_segment, redirected_id};

pub use client::{BuildError, NetworkOptions, Timeouts};
pub use outcome::{Outcome, ReadError, Rejection, RejectionKind, Trouble};
