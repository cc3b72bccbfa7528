//! One test binary; a module per story.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

mod also;
mod apply;
mod architecture;
mod config;
mod formats;
mod papers;
mod render;
mod stage;
