//! The trusted half of the configuration: accounts, sinks, ledger, limits, network. It names secrets and holds none.

mod azure;
mod ci;
mod gcp;
mod login;
mod reference;
mod sink;
mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::address::Name;
use super::host::{Host, Label, Region};
use super::imburse::Api;
use super::origin::Origin;

pub use self::azure::AzureSink;
pub use self::ci::{GitHubOwner, GitHubSink, GitLabOwner, GitLabSink, Shown, VariableName, Visibility};
pub use self::gcp::GcpSink;
pub use self::login::{IdToken, LoginMethod, VaultAuth, VaultLogin};
pub use self::reference::Reference;
pub use self::sink::{AwsSink, CommandSink, KubernetesSink, Sink, StackOneFields, StackOneSink, VaultSink};
pub use self::template::PathTemplate;

/// Settings as read, relative paths already joined to the settings file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Accounts whose vendor is Qlik.
    pub qlik: BTreeMap<Name, Account>,
    /// Accounts whose vendor is Imburse. A name stands in one of the two.
    pub imburse: BTreeMap<Name, ImburseAccount>,
    /// The places that secrets are delivered to, by name.
    pub sinks: BTreeMap<Name, Sink>,
    /// The place of the ledger.
    pub ledger: Ledger,
    /// The most that one run may create.
    pub limits: Limits,
    /// The way to every server.
    pub network: Network,
}

/// A named set of credentials at one vendor, in one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The region that its tenants are made in.
    pub region: Region,
    /// The tenant whose licence key creates others, by the first label of its host.
    pub source_tenant: Option<Label>,
    /// Region-level: creates tenants and reads them.
    pub client: Client,
    /// Tenant-level and published: mints keys.
    pub key_client: Option<Client>,
    /// Organization-level: lists tenants.
    pub organization_client: Option<Client>,
    /// Tenants of the subscription that are nobody's concern here: first labels of their hostnames.
    pub ignore_tenants: Vec<Label>,
    /// The owners who mint with an API key of their own, by name.
    pub owners: BTreeMap<Name, ConfiguredOwner>,
}

/// One account at Imburse Payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImburseAccount {
    /// The host of `base_url`, to which alone these credentials go.
    pub host: Host,
    /// The vendor's id of the account.
    pub account_id: String,
    /// The place of the public half of the account key.
    pub public_key: Reference,
    /// The place of the private half.
    pub private_key: Reference,
    /// The generation of the API that requests use.
    pub api: Api,
    /// Tenants of the account that are nobody's concern here, by id.
    pub ignore_tenants: Vec<String>,
}

/// The place of an OAuth client's credentials at Qlik.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The place of the client's id.
    pub id: Reference,
    /// The place of the client's secret.
    pub secret: Reference,
}

/// An owner who mints with an API key of its own, which belongs to one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredOwner {
    /// The tenant that the API key belongs to, by the first label of its host.
    pub tenant: Label,
    /// The place of the API key.
    pub api_key: Reference,
}

/// The place of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ledger {
    /// A folder, for runs of one machine.
    Directory {
        /// The folder, as an absolute path.
        path: PathBuf,
        /// True if the folder outlives the machine. It is asked for in unattended runs.
        durable: bool,
    },
    /// A bucket, for runs of several machines.
    ObjectStore(ObjectStore),
}

impl Ledger {
    /// Returns whether runs of several machines meet in it.
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
    /// The service, with what is its own.
    pub service: StoreService,
    /// The bucket, or Azure's container.
    pub bucket: String,
    /// The path of the ledger within the bucket, with slashes between names; empty for the whole bucket.
    pub prefix: String,
    /// The server to use instead of the service's own host.
    pub endpoint: Option<Origin>,
}

/// A service that stores objects and refuses a write to one that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreService {
    /// Amazon S3, or a server that speaks as it does.
    S3 {
        /// The region that requests are signed for.
        region: String,
    },
    /// Azure Blob Storage.
    Azure {
        /// The storage account.
        account: String,
        /// True if the account is the first segment of each path and not a part of the host, as at an emulator.
        in_path: bool,
    },
    /// Google Cloud Storage.
    Gcs,
}

impl ObjectStore {
    /// Returns the URL as settings write it: `s3://bucket/prefix`.
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

/// The most that one run may create. Creations cost licences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The most tenants that one run creates.
    pub create_tenants: u32,
    /// The most keys that one run mints, successors included.
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

/// The way to every server: proxies and certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The proxy, written as `http://host:port`; `None` for the one of the environment, if any.
    pub proxy: Option<String>,
    /// Certificates to trust besides the system's. Absolute.
    pub ca_file: Option<PathBuf>,
    /// True if the environment's own proxy settings do not count.
    pub ignore_env_proxy: bool,
}
