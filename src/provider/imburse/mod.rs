//! Imburse Payments: accounts, their key pairs and the hosts these are bound to. A reader reads; a writer over it, in `write`, changes.

mod clock;
mod endpoints;
mod exchange;
mod read;
mod sign;
#[cfg(all(test, feature = "sandbox"))]
mod tests;
mod wire;
mod write;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::Api;
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::http::{BuildError, Line, NetworkOptions, Trouble, Wire};
use endpoints::Endpoint;
use exchange::{Call, Tokens};

pub use read::TriedKey;
pub use write::{ImburseWriter, MintedKey};

/// One account: where it is, and its secrets.
pub struct Account {
    pub host: Host,
    pub account_id: String,
    pub api: Api,
    /// An identifier, and kept as a secret all the same: it comes from a reference.
    pub public_key: Secret,
    /// Base64, as the vendor prints it.
    pub private_key: Secret,
}

/// Reads Imburse, for one run. What it sends changes nothing there; see [`ImburseWriter`].
pub struct ImburseReader {
    line: Line,
    tokens: Tokens,
    accounts: BTreeMap<Name, Account>,
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
    fn time_at(&self, host: &Host) -> i64 {
        self.line.wire.clocks().second_at(host.as_str())
    }

    /// Requests that may have reached the vendor.
    pub fn requests_sent(&self) -> u64 {
        self.line.wire.requests_sent()
    }

    fn known(&self, name: &Name) -> Result<&Account, Trouble> {
        self.accounts.get(name).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("there is no account {name}")),
            next: format!("add accounts.{name} to the settings"),
        })
    }

    fn call<'a>(&'a self, name: &'a Name, endpoint: &'static Endpoint, ids: &[&str]) -> Result<Call<'a>, Trouble> {
        Call::new(name, self.known(name)?, endpoint, ids, &[])
    }
}
