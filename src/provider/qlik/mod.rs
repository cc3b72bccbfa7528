//! Qlik Cloud: accounts, their credentials and the hosts these are bound to. A reader reads; a writer over it, in `write`, changes.

mod auth;
mod endpoints;
mod exchange;
mod organization;
mod pages;
mod people;
mod read;
#[cfg(all(test, feature = "sandbox"))]
mod tests;
mod wire;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::address::Name;
use crate::model::host::{Host, Label, Region};
use crate::model::secret::{Fingerprint, Secret};
use crate::model::spec::Way;
use crate::model::untrusted::{Untrusted, escape};

use super::http::{BuildError, Line, NetworkOptions, Trouble, Wire};

pub use auth::Revoked;
pub use people::Assignee;
pub use read::TriedKey;
pub use write::{CreatedTenant, MintedKey, QlikWriter};

/// The secrets of one account, as settings name them.
pub struct Credentials {
    pub client_id: Secret,
    pub client_secret: Secret,
    pub key_client: Option<(Secret, Secret)>,
    pub organization_client: Option<(Secret, Secret)>,
    pub owners: BTreeMap<Name, OwnerKey>,
}

/// An owner's own API key, which belongs to one tenant.
pub struct OwnerKey {
    pub tenant: Label,
    pub api_key: Secret,
}

/// Reads Qlik Cloud, for one run. What it sends changes nothing there; see [`QlikWriter`].
pub struct QlikReader {
    line: Line,
    tokens: auth::Tokens,
    accounts: BTreeMap<Name, Account>,
}

struct Account {
    region: Region,
    source_tenant: Option<Label>,
    client: Client,
    key_client: Option<Client>,
    organization_client: Option<Client>,
    owners: BTreeMap<Name, (Host, Arc<Secret>)>,
}

struct Client {
    id: Secret,
    secret: Secret,
}

/// As whom a request is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Client,
    KeyClient,
    /// At the console only.
    Organization,
    Owner(Name),
    /// The key client on a user's behalf.
    User(Lookup),
    /// A key that was just minted, to be tried.
    NewKey,
}

/// How the vendor is told on whose behalf a token is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Lookup {
    Id(String),
    Subject(String),
}

impl Who {
    /// Where the credential stands, for messages.
    fn place(&self, account: &Name) -> String {
        match self {
            Self::Client => format!("settings: accounts.{account}.client"),
            Self::KeyClient => format!("settings: accounts.{account}.key_client"),
            Self::Organization => format!("settings: accounts.{account}.organization_client"),
            Self::Owner(owner) => format!("settings: accounts.{account}.owners.{owner}"),
            Self::User(Lookup::Id(user) | Lookup::Subject(user)) => {
                format!("settings: accounts.{account}.key_client, on behalf of user {}", escape(user))
            }
            Self::NewKey => "the new key".to_owned(),
        }
    }
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
        Ok(Self { line: Line::new(wire), tokens: auth::Tokens::default(), accounts })
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
    fn seat<'a>(&'a self, account: &Name, who: &Who, host: &'a Host) -> &'a Host {
        match who {
            Who::Owner(owner) => {
                let own = self.accounts.get(account).and_then(|account| account.owners.get(owner));
                own.map_or(host, |(home, _)| home)
            }
            Who::Client | Who::KeyClient | Who::Organization | Who::User(_) | Who::NewKey => host,
        }
    }

    fn account(&self, name: &Name) -> Result<&Account, Trouble> {
        self.accounts.get(name).ok_or_else(|| Trouble {
            why: Untrusted::new(format!("there is no account {name}")),
            next: format!("add accounts.{name} to the settings"),
        })
    }
}

impl Account {
    /// Whether this account's credentials may go to `host`: one label under its own region; the organization's to the
    /// console and nowhere else.
    fn binds(&self, who: &Who, host: &Host) -> bool {
        match who {
            Who::Organization => *host == self.region.console(),
            Who::Client | Who::KeyClient | Who::Owner(_) | Who::User(_) | Who::NewKey => {
                self.region.accept(host.as_str()).as_ref() == Some(host)
            }
        }
    }

    fn client(&self, name: &Name, who: &Who) -> Result<Option<&Client>, Trouble> {
        match who {
            Who::Client => Ok(Some(&self.client)),
            Who::KeyClient | Who::User(_) => self.key_client.as_ref().map(Some).ok_or_else(|| Trouble {
                why: Untrusted::new(format!(
                    "account {name} has no key_client, which mints keys for itself and for users"
                )),
                next: format!(
                    "add accounts.{name}.key_client to the settings: a tenant-level client, published to the region"
                ),
            }),
            Who::Organization => self.organization_client.as_ref().map(Some).ok_or_else(|| Trouble {
                why: Untrusted::new(format!("account {name} has no organization_client, which lists tenants")),
                next: format!("add accounts.{name}.organization_client to the settings: a client of the cloud console"),
            }),
            Who::Owner(_) | Who::NewKey => Ok(None),
        }
    }
}
