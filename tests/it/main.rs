//! One test binary; a module per story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod apply;
mod architecture;
mod cloud;
mod config;
mod finding;
mod crash;
mod papers;
mod rehearse;
mod bad_input;
mod config;
mod finding;
mod first_minute;
mod papers;
mod plan;
mod render;
mod stage;
