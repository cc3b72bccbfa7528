//! What reads Qlik Cloud: its wire, its tokens, its accounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::host::{Host, Label, Region};
use crate::model::secret::Fingerprint;
use crate::model::spec::Way;
use crate::model::untrusted::Untrusted;

use super::super::http::{BuildError, Line, NetworkOptions, Trouble, Wire};
use super::accounts::{Account, Client, Credentials, Who};
use super::tokens::Tokens;
use super::wire;

/// Reads Qlik Cloud, for one run. What it sends changes nothing there; see [`super::QlikWriter`].
pub struct QlikReader {
    pub(super) line: Line,
    pub(super) tokens: Tokens,
    pub(super) accounts: BTreeMap<Name, Account>,
}

impl QlikReader {
    /// Makes the wire. Nothing is sent yet. Each account: its region, its source tenant, its secrets.
    ///
    /// # Errors
    /// A proxy or certificate that cannot be used.
    pub fn new(
        network: NetworkOptions,
        accounts: BTreeMap<Name, (Region, Option<Label>, Credentials)>,
        parallelism: usize,
    ) -> Result<Self, BuildError> {
        let wire = Wire::new(network, parallelism)?;
        let accounts = accounts.into_iter().map(|(name, (region, source_tenant, credentials))| {
            let owners = credentials.owners.into_iter();
            let owners =
                owners.map(|(owner, key)| (owner, (region.host(&key.tenant), Arc::new(key.api_key)))).collect();
            let client = Client { id: credentials.client_id, secret: credentials.client_secret };
            let key_client = credentials.key_client.map(|(id, secret)| Client { id, secret });
            let organization_client = credentials.organization_client.map(|(id, secret)| Client { id, secret });
            (name, Account { region, source_tenant, client, key_client, organization_client, owners })
        });
        let accounts = accounts.collect();
        Ok(Self { line: Line::new(wire), tokens: Tokens::default(), accounts })
    }

    /// The time by the vendors' clocks.
    pub fn server_time(&self) -> Option<Timestamp> {
        self.line.wire.server_time()
    }

    /// A host's own time; the vendors' where it told none.
    pub fn time_at(&self, host: &Host) -> Option<Timestamp> {
        self.line.wire.clocks().at(host.as_str())
    }

    /// Requests that may have reached the vendor.
    pub fn requests_sent(&self) -> u64 {
        self.line.wire.requests_sent()
    }

    /// Tells one credential from another for rehearsals: sixteen digits of a hash of the client's id, or of the id in
    /// the owner's key. `None` where the settings have no such credential, or the key has no id.
    pub fn credential_hash(&self, account: &Name, way: &Way) -> Option<String> {
        let account = self.accounts.get(account)?;
        let public = match way {
            Way::Client | Way::Impersonation => account.key_client.as_ref()?.id.expose().to_owned(),
            Way::Configured(name) => wire::key_id_of(&account.owners.get(name)?.1)?,
        };
        Fingerprint::of(public.as_bytes()).as_str().get(..16).map(str::to_owned)
    }

    /// Where a request goes that is about the tenant at `host`: an owner's own key goes to the host it was given for. A tenant
    /// has several names, and which one settings use must not matter; whether it is the same tenant, `users/me` tells.
    pub(super) fn seat<'a>(&'a self, account: &Name, who: &Who, host: &'a Host) -> &'a Host {
        match who {
            Who::Owner(owner) => {
                let own = self.accounts.get(account).and_then(|account| account.owners.get(owner));
                own.map_or(host, |(home, _)| home)
            }
            Who::Client | Who::KeyClient | Who::Organization | Who::User(_) | Who::NewKey => host,
        }
    }

    pub(super) fn account(&self, name: &Name) -> Result<&Account, Trouble> {
        self.accounts.get(name).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("there is no account {name}")),
            next: format!("add accounts.{name} to the settings"),
        })
    }
}
