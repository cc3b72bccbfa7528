//! The values of a plan: what other rooms may name, and nothing that decides.

pub mod action;
pub mod counts;
pub mod fact;
pub mod finding;
pub(super) mod key;
pub(super) mod parent;
pub mod refusal;
pub(super) mod tenant;
