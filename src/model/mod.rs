//! The nouns that every room shares. Imports nothing of ours and does no I/O.

pub mod address;
pub mod clock;
pub mod desired;
pub mod duration;
pub mod group;
mod hex;
pub mod homes;
pub mod host;
pub mod imburse;
pub mod likeness;
pub mod live;
pub mod marker;
pub mod object;
pub mod observed;
pub mod origin;
pub mod place;
pub mod record;
pub mod redact;
pub mod requests;
pub mod run;
pub mod secret;
mod selected;
pub mod selection;
pub mod settings;
pub mod spec;
#[cfg(test)]
pub(crate) mod steps;
pub mod untrusted;
pub mod wait;
