//! Desired state, live state and the time → a plan. Pure, total, synchronous; imports only the model.

pub mod action;
pub mod refusal;
