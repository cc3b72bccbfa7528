//! The answers of vendors and the ledger in the terms of live state.

use crate::model::address::Address;
use crate::model::live::{LedgerFacts, LedgerLive, Observed};
use crate::model::record::State;
use crate::provider::http::ReadError;

pub(super) fn observed<T>(read: Result<T, ReadError>) -> Observed<T> {
    match read {
        Ok(value) => Observed::Present(value),
        Err(error) => Observed::Unreadable(error.unreadable()),
    }
}

/// The same where the vendor may say that there is none.
pub(super) fn found<T>(read: Result<Option<T>, ReadError>) -> Observed<T> {
    match read {
        Ok(Some(value)) => Observed::Present(value),
        Ok(None) => Observed::Absent,
        Err(error) => Observed::Unreadable(error.unreadable()),
    }
}

/// Returns whether nothing is recorded of an object: no tenant, and no attempt at one.
pub(super) fn is_free(ledger: &LedgerLive, address: &Address) -> bool {
    match ledger {
        LedgerLive::Missing { .. } => true,
        LedgerLive::Present(LedgerFacts { records, .. }) => {
            records.get(address).is_none_or(|record| record.state == State::Free)
        }
    }
}
