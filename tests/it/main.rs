//! One test binary; a module per story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod also;
mod apply;
mod architecture;
mod bad_input;
mod cloud;
mod command_sink;
mod config;
mod crash;
mod doubt;
mod drift;
mod exits;
mod explain;
mod finding;
mod first_minute;
mod formats;
mod guards;
mod imburse;
mod incidents;
mod offline;
mod organization;
mod papers;
mod payments;
mod people;
mod plan;
mod rehearse;
mod rename;
mod render;
mod sandbox;
mod saved;
mod service;
mod shared_ledger;
mod stage;
mod trouble;
mod vault;
mod watching;
