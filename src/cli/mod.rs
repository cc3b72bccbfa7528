//! Environment, clock, printing, signals and exit codes: here and nowhere else.
#![expect(clippy::disallowed_methods, reason = "the one room that touches the environment and the clock")]

mod args;
mod attended;
mod candidates;
mod clock;
mod completing;
mod credentials;
mod declared;
mod descriptors;
mod estate;
mod exit;
mod files;
mod formats;
mod github;
mod harden;
mod ledger_place;
mod line;
mod locks;
mod mistakes;
mod origin;
mod output;
mod pasted;
mod pickup;
mod progress;
mod reach;
mod run;
#[cfg(feature = "sandbox")]
pub mod sandbox;
mod signals;
mod sources;
mod stores;
mod stream;
mod verbs;
mod watch;

pub use run::{apply_main, plan_main};
