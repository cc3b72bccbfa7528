//! What is declared of Imburse's tenants and keys, and what settings say of its accounts.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::address::Name;
use super::super::host::Host;

/// Which generation of the vendor's API an account speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    #[default]
    V2,
    V1,
    /// The tutorials' paths: `/v1/tenant/{id}/keys`, `/identity/v1/hmac/management`.
    #[serde(rename = "2019")]
    Y2019,
}

impl Api {
    pub const ALL: [(&'static str, Self); 3] = [("v2", Self::V2), ("v1", Self::V1), ("2019", Self::Y2019)];
}

/// What a plan needs to know of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseFacts {
    /// Of `base_url`: where the vendor is reached, and what ledger records name.
    pub host: Host,
    pub account_id: String,
    pub api: Api,
    /// Tenants that are known and not managed: what settings say to ignore.
    #[serde(default)]
    pub known_tenants: Vec<String>,
}

/// A declared tenant, its profile already applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseTenant {
    /// The account in settings whose credentials it uses.
    pub account: Name,
    /// The vendor's name of it. Always there, unless it is adopted.
    pub display_name: Option<String>,
    /// Always there, unless it is adopted.
    pub address: Option<PostalAddress>,
    /// This tenant exists under this id; it is never created.
    pub adopt: Option<String>,
}

/// As desired state says it; what is `None` was not declared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    pub street_address: Option<String>,
    pub extended_address: Option<String>,
    pub locality: Option<String>,
    pub region: Option<String>,
    pub post_code: Option<String>,
    pub country: Option<String>,
}

impl PostalAddress {
    /// Each field by its name in desired state.
    pub fn fields(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("street_address", self.street_address.as_deref()),
            ("extended_address", self.extended_address.as_deref()),
            ("locality", self.locality.as_deref()),
            ("region", self.region.as_deref()),
            ("post_code", self.post_code.as_deref()),
            ("country", self.country.as_deref()),
        ]
    }
}

/// A declared key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseKey {
    /// As the vendor lists it, without our marker.
    pub name: String,
    pub roles: BTreeSet<String>,
    /// A sink named in settings.
    pub deliver_to: Name,
    pub deliver_as: Shape,
    /// The public key of a key that exists; it is never minted, and its private key is its owner's affair.
    pub adopt: Option<String>,
}

/// What a sink's payload looks like. A key is a pair, so there is no bare token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// As the vendor prints a new key.
    #[default]
    Imburse,
    /// `IMBURSE_BASE_URL`, `IMBURSE_ACCOUNT_ID`, `IMBURSE_TENANT_ID`, `IMBURSE_PUBLIC_KEY`, `IMBURSE_PRIVATE_KEY`.
    Env,
    /// One JSON object.
    Json,
}

impl Shape {
    pub const ALL: [(&'static str, Self); 3] = [("imburse", Self::Imburse), ("env", Self::Env), ("json", Self::Json)];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imburse => "imburse",
            Self::Env => "env",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The roles of a tenant key that the vendor documents. The list is open: another one is worth a warning and no more.
pub const TENANT_ROLES: [&str; 12] = [
    "tenant-admin",
    "tenant-app-read",
    "tenant-app-write",
    "tenant-collect-scheme-read",
    "tenant-collect-scheme-write",
    "tenant-management",
    "tenant-payout-scheme-read",
    "tenant-payout-scheme-write",
    "tenant-reward-group-read",
    "tenant-reward-group-write",
    "tenant-transaction-read",
    "tenant-transaction-write",
];
