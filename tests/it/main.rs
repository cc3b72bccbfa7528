//! One test binary; a module per story.

mod architecture;
mod render;
