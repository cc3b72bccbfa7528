//! One test binary; a module per story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod apply;
mod architecture;
mod cloud;
mod config;
mod incidents;
mod papers;
mod rehearse;
mod render;
mod stage;
mod trouble;
