//! (to be furnished)

pub(crate) mod sources;
