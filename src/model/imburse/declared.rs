//! The declarations of Imburse's tenants and keys, and the settings of its accounts.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::address::Name;
use super::super::homes::{Homes, Shapes};
use super::super::host::Host;

/// The generation of the vendor's API that an account speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Api {
    /// The paths under `/v2`, the newest and the default.
    #[default]
    V2,
    /// The paths under `/v1`, whose calls for keys lie below the account.
    V1,
    /// The paths of the tutorials of 2019: `/v1/tenant/{id}/keys`, `/identity/v1/hmac/management`.
    #[serde(rename = "2019")]
    Y2019,
}

impl Api {
    /// Every generation with the word that settings use for it.
    pub const ALL: [(&'static str, Self); 3] = [("v2", Self::V2), ("v1", Self::V1), ("2019", Self::Y2019)];
}

/// The settings of an Imburse account that a plan depends on. No credentials are among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseFacts {
    /// The host of `base_url`, where the vendor is reached. Ledger records name it.
    pub host: Host,
    /// The vendor's id of the account, as in settings.
    pub account_id: String,
    /// The generation of the API that requests use.
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
    /// The vendor's name of it. `None` only if it is adopted.
    pub display_name: Option<String>,
    /// The postal address. `None` only if it is adopted.
    pub address: Option<PostalAddress>,
    /// The vendor's id of a tenant that exists. Such a tenant is never created.
    pub adopt: Option<String>,
}

/// The declared postal address of a tenant. A field that was not declared is `None` and is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Street and number.
    pub street_address: Option<String>,
    /// A second line, such as a floor or a suite.
    pub extended_address: Option<String>,
    /// The town.
    pub locality: Option<String>,
    /// The state, province or county.
    pub region: Option<String>,
    /// The postal code, in the form that the country uses.
    pub post_code: Option<String>,
    /// The country, in the vendor's spelling. It is not checked here.
    pub country: Option<String>,
}

impl PostalAddress {
    /// Returns each field with its name in desired state.
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
    /// The name that the vendor lists, without our marker.
    pub name: String,
    /// The vendor's names of the roles that the key has. See [`TENANT_ROLES`].
    pub roles: BTreeSet<String>,
    /// The sinks, as settings name them.
    pub deliver_to: Homes,
    /// The form of the payload that each sink gets.
    pub deliver_as: Shapes<PairShape>,
    /// The public key of a key that exists. Such a key is never minted, and its private key is its owner's affair.
    pub adopt: Option<String>,
}

/// The form of a sink's payload. A key is a pair, so there is no bare token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairShape {
    /// The vendor's own form of a new key.
    #[default]
    Imburse,
    /// `NAME=value`, one a line: `IMBURSE_BASE_URL`, `IMBURSE_ACCOUNT_ID`, `IMBURSE_TENANT_ID`, `IMBURSE_PUBLIC_KEY`,
    /// `IMBURSE_PRIVATE_KEY`.
    Env,
    /// One JSON object.
    Json,
}

impl PairShape {
    /// Every form with the word that desired state uses for it.
    pub const ALL: [(&'static str, Self); 3] = [("imburse", Self::Imburse), ("env", Self::Env), ("json", Self::Json)];

    /// Returns the word that desired state uses for this form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Imburse => "imburse",
            Self::Env => "env",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for PairShape {
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
