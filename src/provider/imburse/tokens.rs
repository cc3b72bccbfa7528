//! Tokens as they are kept: one per account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::model::address::Name;
use crate::model::secret::Secret;

use super::super::http::ReadError;

/// One token per account, fetched once however many ask.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<Name, Arc<tokio::sync::Mutex<Slot>>>>);

/// Whoever holds its lock may fetch; the others wait and take what was fetched.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) token: Option<Token>,
    pub(super) serial: u64,
    /// When a fetch failed, and how: those who waited for it share its failure instead of failing one after another.
    pub(super) failed: Option<(Instant, ReadError)>,
}

pub(super) struct Token {
    pub(super) secret: Arc<Secret>,
    pub(super) refresh_at: Instant,
}

/// A token, and which one of its slot it is.
pub(super) struct Held {
    pub(super) secret: Arc<Secret>,
    pub(super) serial: u64,
}

impl Tokens {
    pub(super) fn slot(&self, account: &Name) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(account.clone()).or_default())
    }
}
