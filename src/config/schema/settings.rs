//! Settings, as their schema says them.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::{CloudWord, Domain, Label, OriginText, PathText, Proxy, StoreUrl, Variable, Version, named};

/// Settings: accounts, sinks, ledger, limits. Trusted; names secrets and holds none.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "qlik-plan: settings")]
pub struct SettingsFile {
    /// The version of this format.
    pub version: Version,
    /// Credentials, by the name that desired state uses for them.
    #[schemars(schema_with = "named::<Account>")]
    #[schemars(default)]
    pub accounts: BTreeMap<String, Account>,
    /// Where keys are delivered, by the name that desired state uses.
    #[schemars(schema_with = "named::<Sink>")]
    #[schemars(default)]
    pub sinks: BTreeMap<String, Sink>,
    /// The durable record of what was begun and made.
    pub ledger: Option<Ledger>,
    /// What one run may create at most.
    pub limits: Option<Limits>,
    /// How the vendor is reached.
    pub network: Option<Network>,
}

/// Credentials at one vendor, in one region.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Account {
    /// Whose cloud.
    pub vendor: Vendor,
    /// `us`, `eu`, `de`, …: the label between the tenant and the domain.
    pub region: Label,
    /// `qlikcloud.com` if left out; a government's cloud has another. It stands in settings only.
    pub domain: Option<Domain>,
    /// The tenant where the licence key is read, its first label. Needed to create tenants.
    pub source_tenant: Option<Label>,
    /// The region-level OAuth client: creates tenants and reads them.
    pub client: Client,
    /// The tenant-level, published OAuth client: mints keys for `owner: { client: {} }`.
    pub key_client: Option<Client>,
    /// An organization-level OAuth client of the cloud console: lists tenants, so that unmanaged ones are seen.
    pub organization_client: Option<Client>,
    /// Tenants of the subscription that are not managed here, by the first label of their hostname.
    #[schemars(default)]
    pub ignore_tenants: Vec<Label>,
    /// Owners who mint with an API key of their own, by the name that `owner: { configured: NAME }` uses.
    #[schemars(schema_with = "named::<ConfiguredOwner>")]
    #[schemars(default)]
    pub owners: BTreeMap<String, ConfiguredOwner>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Vendor {
    /// Qlik Cloud.
    Qlik,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Client {
    /// The client's id.
    pub id: Reference,
    /// The client's secret.
    pub secret: Reference,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConfiguredOwner {
    /// The tenant that the API key belongs to, its first label.
    pub tenant: Label,
    /// The owner's API key.
    pub api_key: Reference,
}

/// Where a value stands that may not stand in YAML. Exactly one of these.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Reference {
    /// In an environment variable of this name.
    Env(Variable),
    /// In a file, relative to the settings file.
    File(PathText),
}

/// Where secrets rest.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sink {
    /// What kind of place.
    pub kind: SinkKind,
    /// The folder, relative to the settings file.
    pub directory: PathText,
    /// Whether the folder outlives the machine; asked for in CI.
    #[schemars(default)]
    pub durable: bool,
    /// With a shared ledger: whether every machine sees the same folder.
    #[schemars(default)]
    pub shared: bool,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum SinkKind {
    /// One file a key, in a folder.
    File,
}

/// The durable record. Exactly one kind.
#[derive(JsonSchema)]
#[schemars(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Ledger {
    /// A folder.
    Directory {
        /// The folder, relative to the settings file; `.qlik-plan/ledger` if left out.
        path: Option<PathText>,
    },
    /// A bucket that runs of several machines share. Credentials come from the environment, by the store's own names.
    ObjectStore {
        /// `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`.
        url: StoreUrl,
        /// Of S3. Needed unless there is an `endpoint`.
        region: Option<CloudWord>,
        /// The storage account, for Azure.
        account: Option<CloudWord>,
        /// Instead of the cloud's own host. Plain http on loopback only.
        endpoint: Option<OriginText>,
    },
}

/// What one run may create at most.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Limits {
    /// Tenants; each costs licence quota. 5 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub create_tenants: Option<u32>,
    /// API keys. 50 if left out.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub mint_keys: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Network {
    /// `http://host:port`.
    pub proxy: Option<Proxy>,
    /// Certificates to trust besides the system's, relative to the settings file.
    pub ca_file: Option<PathText>,
    /// Whether the environment's proxy is ignored.
    #[schemars(default)]
    pub ignore_env_proxy: bool,
}
