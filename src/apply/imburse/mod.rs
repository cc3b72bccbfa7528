//! Imburse Payments: what its tenants and keys need at the vendor.

pub(super) mod key;
pub mod resolve;
pub(super) mod tenant;
