//! Imburse Payments: accounts, their key pairs and the hosts these are bound to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::host::Host;
use crate::model::imburse::{AccountRead, Api, Key, PostalAddress, Tenant};
use crate::model::secret::Secret;
use crate::model::untrusted::Untrusted;

use super::http::{BuildError, NetworkOptions, Outcome, ReadError, Trouble};

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

/// A key that was just made, with its secret.
pub struct MintedKey {
    pub public_key: String,
    /// As the vendor says it, the marker in it.
    pub name: Untrusted,
    pub roles: BTreeSet<Untrusted>,
    pub private_key: Secret,
}

/// What a new key says of itself, asked with a token of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedKey {
    /// Whether its tenant's own list of keys has it. `None`: it works, and its roles do not let it see the list.
    pub lists_itself: Option<bool>,
}

/// The wire to Imburse, for one run.
pub struct Imburse {
    _accounts: BTreeMap<Name, Account>,
}

impl Imburse {
    /// Makes the wire. Nothing is sent yet.
    ///
    /// # Errors
    /// A proxy or certificate that cannot be used.
    pub fn new(
        _network: NetworkOptions,
        accounts: BTreeMap<Name, Account>,
        _parallelism: usize,
    ) -> Result<Self, BuildError> {
        Ok(Self { _accounts: accounts })
    }

    /// The newest `Date` of any reply.
    pub fn server_time(&self) -> Option<Timestamp> {
        None
    }

    /// Requests that may have reached the vendor.
    pub fn requests_sent(&self) -> u64 {
        0
    }

    /// `GET /account`; a 403 is `Forbidden`. Where it can be read, also `GET /account/keys/{own}` for the key's roles.
    pub async fn account(&self, _account: &Name) -> AccountRead {
        AccountRead::Unreadable(absent().unreadable())
    }

    /// Every tenant of the account, all pages, whatever their status.
    ///
    /// # Errors
    /// Why the list could not be read to its end.
    pub async fn list_tenants(&self, _account: &Name) -> Result<Vec<Tenant>, ReadError> {
        Err(absent())
    }

    /// One tenant by its id. `ReadError::NotFound` for 404 and for 400 with a `*_NOT_FOUND`.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn get_tenant(&self, _account: &Name, _tenant_id: &str) -> Result<Tenant, ReadError> {
        Err(absent())
    }

    /// Makes a tenant, in one single request on its own connection that nothing repeats.
    pub async fn create_tenant(&self, _account: &Name, _name: &str, _address: &PostalAddress) -> Outcome<Tenant> {
        Outcome::NotSent(trouble())
    }

    /// A tenant's keys by public key, markers taken out of their names (`Key::new`).
    ///
    /// # Errors
    /// Why they could not be read.
    pub async fn list_keys(&self, _account: &Name, _tenant_id: &str) -> Result<BTreeMap<String, Key>, ReadError> {
        Err(absent())
    }

    /// One key by its public key. `ReadError::NotFound` as in `get_tenant`.
    ///
    /// # Errors
    /// Why it could not be read.
    pub async fn get_key(&self, _account: &Name, _tenant_id: &str, _public_key: &str) -> Result<Key, ReadError> {
        Err(absent())
    }

    /// Makes a key: one POST, its own connection. `name` carries the marker.
    pub async fn create_key(
        &self,
        _account: &Name,
        _tenant_id: &str,
        _name: &str,
        _roles: &BTreeSet<String>,
    ) -> Outcome<MintedKey> {
        Outcome::NotSent(trouble())
    }

    /// `PUT {name, roles}`: always both, for nobody documents what leaving one out means.
    pub async fn rename_key(
        &self,
        _account: &Name,
        _tenant_id: &str,
        _public_key: &str,
        _name: &str,
        _roles: &BTreeSet<String>,
    ) -> Outcome<()> {
        Outcome::NotSent(trouble())
    }

    /// Deletes a key. What is not there is deleted.
    pub async fn delete_key(&self, _account: &Name, _tenant_id: &str, _public_key: &str) -> Outcome<()> {
        Outcome::NotSent(trouble())
    }

    /// Gets a token for a new key itself and, where its roles allow it, lists its tenant's own keys.
    ///
    /// # Errors
    /// `Unauthorized` where the vendor refuses the key itself (401, or the exchange's 400).
    pub async fn try_key(
        &self,
        _account: &Name,
        _tenant_id: &str,
        _public_key: &str,
        _private_key: &Secret,
    ) -> Result<TriedKey, ReadError> {
        Err(absent())
    }
}

fn absent() -> ReadError {
    ReadError::Trouble(trouble())
}

fn trouble() -> Trouble {
    Trouble {
        why: Untrusted::new("this program was built without its Imburse client"),
        next: "use a build that has it".to_owned(),
    }
}
