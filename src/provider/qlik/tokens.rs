//! Access tokens as they are kept: one per host and client.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::secret::Secret;

use super::super::http::ReadError;
use super::accounts::Who;

/// What goes into the Authorization header.
pub(super) struct Bearer {
    pub(super) secret: Arc<Secret>,
    /// Which token of its slot it is; `None` for an API key, which cannot be fetched anew.
    pub(super) serial: Option<u64>,
}

impl Bearer {
    pub(super) fn is_token(&self) -> bool {
        self.serial.is_some()
    }
}

pub(super) type TokenKey = (Name, Who, Host);

#[derive(Default)]
pub(super) struct Tokens {
    pub(super) slots: Mutex<HashMap<TokenKey, Arc<tokio::sync::Mutex<Slot>>>>,
    pub(super) fetched: Mutex<Vec<(TokenKey, Arc<Secret>)>>,
}

/// One host and client. Whoever holds its lock may fetch; the others wait and take what was fetched.
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

impl Tokens {
    pub(super) fn slot(&self, key: &TokenKey) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key.clone()).or_default())
    }

    /// Where tokens were fetched that are not ended yet.
    pub(super) fn hosts(&self) -> BTreeSet<(Name, Host)> {
        let fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.iter().map(|((account, _, host), _)| (account.clone(), host.clone())).collect()
    }
}
