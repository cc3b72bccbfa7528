//! What reads Imburse: its wire, its tokens, its accounts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::untrusted::Untrusted;

use super::super::http::{BuildError, Line, NetworkOptions, Trouble, Wire};
use super::accounts::Account;
use super::tokens::Tokens;

/// Reads Imburse, for one run. What it sends changes nothing there; see [`super::ImburseWriter`].
pub struct ImburseReader {
    pub(super) line: Line,
    pub(super) tokens: Tokens,
    pub(super) accounts: BTreeMap<Name, Account>,
}

impl ImburseReader {
    /// Makes the wire. Nothing is sent yet. Signatures carry this machine's time until the host that they are for has told its own.
    ///
    /// # Errors
    /// A proxy or certificate that cannot be used.
    pub fn new(
        network: NetworkOptions,
        accounts: BTreeMap<Name, Account>,
        parallelism: usize,
    ) -> Result<Self, BuildError> {
        let line = Line::new(Wire::new(network, parallelism)?);
        Ok(Self { line, tokens: Tokens::default(), accounts })
    }

    /// The time by the vendors' clocks.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.line.wire.server_time()
    }

    /// Seconds that the vendor's clock is ahead of this machine's, once a token was fetched. Signatures are corrected by it.
    pub fn clock_skew(&self) -> Option<i64> {
        let hosts = self
            .accounts
            .values()
            .filter_map(|account| self.line.wire.clocks().ahead_of_machine(account.host.as_str()));
        hosts.max_by_key(|ahead| ahead.saturating_abs())
    }

    /// The time that a signature for a host carries, in seconds since 1970.
    pub(super) fn time_at(&self, host: &Host) -> i64 {
        self.line.wire.clocks().second_at(host.as_str())
    }

    /// Requests that may have reached the vendor.
    pub fn requests_sent(&self) -> u64 {
        self.line.wire.requests_sent()
    }

    pub(super) fn known(&self, name: &Name) -> Result<&Account, Trouble> {
        self.accounts.get(name).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("there is no account {name}")),
            next: format!("add accounts.{name} to the settings"),
        })
    }
}
