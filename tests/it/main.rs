//! One test binary; a module per story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod apply;
mod architecture;
mod config;
mod drift;
mod exits;
mod finding;
mod offline;
mod papers;
mod render;
mod saved;
mod stage;
