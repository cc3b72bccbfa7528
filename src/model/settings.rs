//! The trusted half of the configuration: accounts, sinks, ledger, limits, network. It names secrets and holds none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::Name;
use super::duration::Duration;
use super::host::{Host, Label, Region};
use super::imburse::Api;
use super::marker::SinkHash;
use super::origin::Origin;

/// Settings as read, relative paths already joined to the settings file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Accounts whose vendor is Qlik.
    pub qlik: BTreeMap<Name, Account>,
    /// Accounts whose vendor is Imburse. A name stands in one of the two.
    pub imburse: BTreeMap<Name, ImburseAccount>,
    pub sinks: BTreeMap<Name, Sink>,
    pub ledger: Ledger,
    pub limits: Limits,
    pub network: Network,
}

/// A named set of credentials at one vendor, in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub region: Region,
    /// Where the licence key is read. Its first label.
    pub source_tenant: Option<Label>,
    /// Region-level: creates tenants and reads them.
    pub client: Client,
    /// Tenant-level and published: mints keys.
    pub key_client: Option<Client>,
    /// Organization-level: lists tenants.
    pub organization_client: Option<Client>,
    /// Tenants of the subscription that are nobody's concern here: first labels of their hostnames.
    pub ignore_tenants: Vec<Label>,
    pub owners: BTreeMap<Name, ConfiguredOwner>,
}

/// One account at Imburse Payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImburseAccount {
    /// Of `base_url`: the exact host that these credentials go to.
    pub host: Host,
    pub account_id: String,
    pub public_key: Reference,
    pub private_key: Reference,
    pub api: Api,
    /// Tenants of the account that are nobody's concern here, by id.
    pub ignore_tenants: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    pub id: Reference,
    pub secret: Reference,
}

/// An owner who mints with an API key of its own, which belongs to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredOwner {
    pub tenant: Label,
    pub api_key: Reference,
}

/// Where a value stands that may not stand in YAML.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    Env(String),
    File(PathBuf),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    File {
        /// Absolute.
        directory: PathBuf,
        /// Whether the folder outlives the machine; asked for in unattended runs.
        durable: bool,
        /// Whether every machine that runs with these settings sees the same folder.
        shared: bool,
    },
    Command(CommandSink),
    Vault(VaultSink),
}

/// Programs that store a payload and say what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSink {
    /// As written; a program with a slash is below `folder`.
    pub deliver: Vec<String>,
    /// `None`: what was delivered cannot be read back.
    pub check: Option<Vec<String>>,
    /// Of each run of a program.
    pub timeout: Duration,
    /// Variables of the environment that are handed on, besides those that every program needs.
    pub allow_env: Vec<String>,
    /// Whether every machine that runs with these settings reaches the same place.
    pub shared: bool,
    /// Of the settings file. Absolute; the programs run there.
    pub folder: PathBuf,
}

/// A KV v2 engine of Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSink {
    pub address: Origin,
    pub namespace: Option<String>,
    pub mount: String,
    /// With `{vendor}`, `{tenant}` and `{key}`, each a whole segment.
    pub path: String,
    pub token: Reference,
    /// Certificates to trust besides the system's. Absolute.
    pub ca_file: Option<PathBuf>,
}

impl Sink {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File { .. } => "file",
            Self::Command(_) => "command",
            Self::Vault(_) => "vault",
        }
    }

    /// Whether nobody can see what it holds.
    pub fn is_blind(&self) -> bool {
        match self {
            Self::Command(command) => command.check.is_none(),
            Self::File { .. } | Self::Vault(_) => false,
        }
    }

    /// Whether a put compares versions, so that what comes late is refused.
    pub fn compares_versions(&self) -> bool {
        match self {
            Self::File { .. } | Self::Command(_) => false,
            Self::Vault(_) => true,
        }
    }

    /// Whether it is written and read within this machine, so that nothing is seen late and no write outlives its run. What
    /// machines share may be seen late.
    pub fn is_local(&self) -> bool {
        match self {
            Self::File { shared, .. } => !shared,
            Self::Command(_) | Self::Vault(_) => false,
        }
    }

    /// Whether another machine with the same settings may see another place.
    pub fn is_per_machine(&self) -> bool {
        match self {
            Self::File { shared, .. } | Self::Command(CommandSink { shared, .. }) => !shared,
            Self::Vault(_) => false,
        }
    }

    /// What markers carry of this sink: its kind and resolved location, not the entry within.
    pub fn hash(&self) -> SinkHash {
        match self {
            Self::File { directory, .. } => SinkHash::of("file", &directory.to_string_lossy()),
            // As written: another runner has the settings in another folder.
            Self::Command(command) => SinkHash::of("command", &command.deliver.join("\0")),
            Self::Vault(vault) => {
                let namespace = vault.namespace.as_deref().unwrap_or_default();
                SinkHash::of("vault", &[vault.address.as_str(), namespace, &vault.mount, &vault.path].join("\0"))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ledger {
    Directory {
        /// Absolute.
        path: PathBuf,
        /// Whether the folder outlives the machine; asked for in unattended runs.
        durable: bool,
    },
    ObjectStore(ObjectStore),
}

impl Ledger {
    /// Whether runs of several machines meet in it.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Directory { .. } => false,
            Self::ObjectStore(_) => true,
        }
    }
}

/// A ledger in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectStore {
    pub service: StoreService,
    /// The bucket, or Azure's container.
    pub bucket: String,
    /// Names within it, with slashes between; empty for the whole bucket.
    pub prefix: String,
    /// Instead of the service's own host.
    pub endpoint: Option<Origin>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreService {
    S3 {
        region: String,
    },
    Azure {
        account: String,
        /// Whether the account is the first word of each path, and not of the host's name: so at an emulator.
        in_path: bool,
    },
    Gcs,
}

impl ObjectStore {
    /// `s3://bucket/prefix`.
    pub fn url(&self) -> String {
        let scheme = match self.service {
            StoreService::S3 { .. } => "s3",
            StoreService::Azure { .. } => "az",
            StoreService::Gcs => "gs",
        };
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("{scheme}://{}{slash}{}", self.bucket, self.prefix)
    }
}

/// What one run may create at most; creations cost licences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub create_tenants: u32,
    pub mint_keys: u32,
    /// Tenants and keys that a desired state may declare, inherited keys included.
    #[serde(default = "objects_max")]
    pub objects: u32,
}

/// Far above every estate that one program run can look after, and made in a second.
const fn objects_max() -> u32 {
    200_000
}

impl Default for Limits {
    /// Small enough that a mistake is cheap, large enough for a first estate.
    fn default() -> Self {
        Self { create_tenants: 5, mint_keys: 50, objects: objects_max() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `http://host:port`.
    pub proxy: Option<String>,
    /// Certificates to trust besides the system's. Absolute.
    pub ca_file: Option<PathBuf>,
    pub ignore_env_proxy: bool,
}
