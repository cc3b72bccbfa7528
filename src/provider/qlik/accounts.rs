//! Accounts, their secrets, and the hosts that these are bound to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::address::Name;
use crate::model::host::{Host, Label, Region};
use crate::model::secret::Secret;
use crate::model::untrusted::{Untrusted, escape};

use super::super::http::Trouble;

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

pub(super) struct Account {
    pub(super) region: Region,
    pub(super) source_tenant: Option<Label>,
    pub(super) client: Client,
    pub(super) key_client: Option<Client>,
    pub(super) organization_client: Option<Client>,
    pub(super) owners: BTreeMap<Name, (Host, Arc<Secret>)>,
}

pub(super) struct Client {
    pub(super) id: Secret,
    pub(super) secret: Secret,
}

/// As whom a request is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
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
pub(super) enum Lookup {
    Id(String),
    Subject(String),
}

impl Who {
    /// Where the credential stands, for messages.
    pub(super) fn place(&self, account: &Name) -> String {
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

impl Account {
    /// Whether this account's credentials may go to `host`: one label under its own region; the organization's to the
    /// console and nowhere else.
    pub(super) fn binds(&self, who: &Who, host: &Host) -> bool {
        match who {
            Who::Organization => *host == self.region.console(),
            Who::Client | Who::KeyClient | Who::Owner(_) | Who::User(_) | Who::NewKey => {
                self.region.accept(host.as_str()).as_ref() == Some(host)
            }
        }
    }

    pub(super) fn client(&self, name: &Name, who: &Who) -> Result<Option<&Client>, Trouble> {
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
