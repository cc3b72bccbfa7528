//! (to be furnished)

#[cfg(feature = "sandbox")]
pub mod sandbox;
