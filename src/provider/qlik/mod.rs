//! Qlik Cloud: accounts, their credentials and the hosts these are bound to. A reader reads; a writer over it, in `write`, changes.

mod accounts;
mod auth;
mod endpoints;
mod exchange;
mod organization;
mod pages;
mod people;
mod read;
mod reader;
#[cfg(all(test, feature = "sandbox"))]
mod tests;
mod tokens;
mod wire;
mod write;

use accounts::{Lookup, Who};

pub use accounts::{Credentials, OwnerKey};
pub use auth::Revoked;
pub use people::Assignee;
pub use read::TriedKey;
pub use reader::QlikReader;
pub use write::{CreatedTenant, MintedKey, QlikWriter};
