//! The wire to the vendors: requests, outcomes, credentials bound to hosts. It has never heard of a plan.

pub mod http;
pub mod imburse;
pub mod qlik;
