//! The means to reach a shared ledger's store. Values: the environment and the files were read elsewhere.

use std::sync::Arc;
use std::time::Duration;

use crate::flush::Flushes;
use crate::model::secret::Secret;
use crate::model::settings::{self, StoreService};
use crate::model::wait::Waits;
use crate::net::{Proxy, aws};

/// Credentials and the way through the network.
#[derive(Default)]
pub struct Access {
    /// The credentials, by the names that the store's own tools use: those of the first of [`Access::ways`] of which
    /// any is set.
    pub credentials: Vec<(&'static str, Secret)>,
    /// Those of [`Access::passed_over`] that are set: for a message.
    pub passed_over: Vec<&'static str>,
    /// The proxy of settings or environment. Loopback is always reached directly.
    pub proxy: Option<Arc<Proxy>>,
    /// Certificates to trust besides the system's, each in PEM form.
    pub ca_pem: Vec<Vec<u8>>,
    pub ignore_env_proxy: bool,
    /// From start to the reply's last byte; and how long a lock is waited for.
    pub timeout: Duration,
    pub user_agent: String,
    /// The waits of the run, among which those for the store are listed.
    pub waits: Waits,
    /// The run's way to make files durable.
    pub flushes: Flushes,
}

pub const AZURE_KEY: &str = "AZURE_STORAGE_ACCOUNT_KEY";
pub(super) const AZURE_ID: &str = "AZURE_CLIENT_ID";
pub(super) const AZURE_SECRET: &str = "AZURE_CLIENT_SECRET";
pub(super) const AZURE_TENANT: &str = "AZURE_TENANT_ID";
/// The JSON of a service account's key.
pub const GOOGLE_KEY: &str = "GOOGLE_SERVICE_ACCOUNT_KEY";
/// A file with that JSON; here, what stands in it.
pub const GOOGLE_FILE: &str = "GOOGLE_APPLICATION_CREDENTIALS";

impl Access {
    /// The environment variables that hold a store's credentials, by the store's own names: one list a way to log in.
    pub fn ways(settings: &settings::Ledger) -> &'static [&'static [&'static str]] {
        match settings {
            settings::Ledger::Directory { .. } => &[],
            settings::Ledger::ObjectStore(store) => match store.service {
                StoreService::S3 { .. } => &aws::WAYS,
                StoreService::Azure { .. } => &[&[AZURE_KEY], &[AZURE_ID, AZURE_SECRET, AZURE_TENANT]],
                StoreService::Gcs => &[&[GOOGLE_KEY], &[GOOGLE_FILE]],
            },
        }
    }

    /// Variables by which the store's own tools log in, and which nobody heeds here.
    pub fn passed_over(settings: &settings::Ledger) -> &'static [&'static str] {
        match settings {
            settings::Ledger::Directory { .. } => &[],
            settings::Ledger::ObjectStore(store) => match store.service {
                StoreService::S3 { .. } => &aws::PASSED_OVER,
                StoreService::Azure { .. } => &[
                    "AZURE_STORAGE_CONNECTION_STRING",
                    "AZURE_STORAGE_SAS_TOKEN",
                    "AZURE_STORAGE_KEY",
                    "AZURE_FEDERATED_TOKEN_FILE",
                    "AZURE_CLIENT_CERTIFICATE_PATH",
                ],
                StoreService::Gcs => &["CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "CLOUDSDK_AUTH_ACCESS_TOKEN"],
            },
        }
    }

    /// A file's contents count as the JSON that it holds.
    #[cfg(feature = "object-store")]
    pub(super) fn google(&self) -> Option<&Secret> {
        self.credential(GOOGLE_KEY).or_else(|| self.credential(GOOGLE_FILE))
    }

    #[cfg(feature = "object-store")]
    pub(super) fn credential(&self, name: &str) -> Option<&Secret> {
        self.credentials.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }
}
