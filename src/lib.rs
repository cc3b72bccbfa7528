//! Plan and apply SaaS tenants and API keys from YAML.
//!
//! # The pipeline
//!
//! ```text
//! bytes ──config──▶ Desired ──┐
//! ledger, vendor, sinks ──observe──▶ Live ──┴──plan──▶ Plan ──render──▶ text, JSON
//!                                                       └─────apply───▶ the world, and events ──render──▶ text
//! ```
//!
//! # The rooms
//!
//! - [`model`]: the nouns. Imports nothing of ours.
//! - [`config`]: bytes → desired state and settings, or every fault at once.
//! - [`flush`]: files made durable beside other work.
//! - [`net`]: the one HTTP client, and its way: proxies, certificates, and what stands in it.
//! - [`provider`]: the wire to the vendors: readers, and writers over them. Has never heard of a plan.
//! - [`sink`]: where secrets rest.
//! - [`ledger`]: intents, bindings and runs: the durable record.
//! - [`plan`]: desired state, live state and the time → a plan. Pure.
//! - [`observe`]: reads ledger, vendor and sinks into one live value, with readers only.
//! - [`apply`]: the one room that changes the world. Emits events, prints nothing.
//! - [`render`]: values → strings.
//! - [`saved`]: plans and live states as files.
//! - `sandbox`: a stateful stand-in for the vendors' clouds. Shares nothing with `provider`.
//! - [`cli`]: environment, clock, printing, signals, exit codes.
//!
//! # The walls
//!
//! `model` imports nothing; `config`, `plan` and `net` import only `model`, `flush` nothing; `provider` imports `model` and `net`, `sink` and `ledger` `flush` besides; `observe` and `apply`
//! stand above them, and `observe` names one function of `plan`, `apply` alone a writer; `render` imports only values; `saved` stands on `plan` and `render`; `sandbox` imports nothing of ours but `model::secret`; only `cli` touches environment,
//! clock and terminal. `tests/it/architecture.rs` reads the `use` lines and holds us to it.

pub mod apply;
pub mod cli;
pub mod config;
pub mod flush;
pub mod ledger;
#[deny(missing_docs)]
pub mod model;
pub mod net;
pub mod observe;
#[deny(missing_docs)]
pub mod plan;
pub mod provider;
pub mod render;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod saved;
pub mod sink;
