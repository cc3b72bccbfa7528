//! Imburse Payments: accounts, their key pairs and the hosts these are bound to. A reader reads; a writer over it, in `write`, changes.

mod accounts;
mod clock;
mod endpoints;
mod exchange;
mod read;
mod reader;
mod sign;
#[cfg(all(test, feature = "sandbox"))]
mod tests;
mod tokens;
mod wire;
mod write;

pub use accounts::Account;
pub use read::TriedKey;
pub use reader::ImburseReader;
pub use write::{ImburseWriter, MintedKey};
