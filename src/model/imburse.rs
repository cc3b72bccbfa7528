//! Imburse Payments: what is declared of its tenants and keys, and what was read of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::host::Host;
use super::live::{Observed, Unreadable};
use super::marker::Marker;
use super::run::RunId;
use super::untrusted::Untrusted;

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

/// What a run learned of an account: the vendor refused to change a key of it. Its keys keep the letter `u`, and what a sink holds
/// decides. Final format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRefused {
    pub account: Name,
    pub host: Host,
    /// Another generation of the API may do it.
    pub api: Api,
    pub at: Timestamp,
    pub run: RunId,
    /// The refusal, as a sentence.
    pub why: Untrusted,
}

impl MarkRefused {
    /// A refusal may have been the vendor's bad day: asked again after this long.
    const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

    /// Whether it still says that this account's keys are not changed.
    pub fn holds(&self, account: &Name, facts: &ImburseFacts, now: Timestamp) -> bool {
        let Self { account: of, host, api, at, run: _, why: _ } = self;
        of == account && *host == facts.host && *api == facts.api && now.duration_since(*at) < Self::COUNTS_FOR
    }
}

// ---- What was read. -------------------------------------------------------------------------------------------------

/// Everything that was read from Imburse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseLive {
    #[serde(default)]
    pub accounts: BTreeMap<Name, AccountLive>,
    #[serde(default)]
    pub tenants: BTreeMap<Address, TenantLive>,
}

impl ImburseLive {
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.tenants.is_empty()
    }
}

/// Read only where a tenant is to be looked for by its name, or created; the list also where a person asks what is unmanaged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLive {
    /// Every tenant of the account. It may lag, and strangers may create too: it is evidence, and never proves absence.
    #[serde(default)]
    pub tenants: Option<Observed<Vec<Tenant>>>,
    #[serde(default)]
    pub account: Option<AccountRead>,
}

/// What became of reading an account's own page, which only the role `account-admin` may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRead {
    Present(Account),
    /// The account key has not the role; what the page says stays unchecked.
    Forbidden(Unreadable),
    Unreadable(Unreadable),
}

/// `GET /account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub account_id: Untrusted,
    pub company_name: Untrusted,
    /// New tenants wait for a person.
    pub tenant_creation_approval_required: bool,
    pub licence: Untrusted,
    /// `None`: the vendor says no number, or a negative one.
    pub max_tenants: Option<u64>,
    pub tenant_usage: u64,
    /// Of the account key itself, where the vendor lists it.
    #[serde(default)]
    pub key_roles: Option<BTreeSet<Untrusted>>,
}

/// A tenant as the vendor shows it, in a list or by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: Untrusted,
    pub name: Untrusted,
    /// An open list of words that the vendor does not publish; empty in the oldest API.
    pub status: Untrusted,
    #[serde(default)]
    pub address: TenantAddress,
    #[serde(default)]
    pub details: StatusDetails,
}

/// All empty where the vendor says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantAddress {
    pub street_address: Untrusted,
    pub extended_address: Untrusted,
    pub locality: Untrusted,
    pub region: Untrusted,
    pub post_code: Untrusted,
    pub country: Untrusted,
}

impl TenantAddress {
    pub fn field(&self, name: &str) -> Option<&Untrusted> {
        match name {
            "street_address" => Some(&self.street_address),
            "extended_address" => Some(&self.extended_address),
            "locality" => Some(&self.locality),
            "region" => Some(&self.region),
            "post_code" => Some(&self.post_code),
            "country" => Some(&self.country),
            _ => None,
        }
    }
}

/// As the vendor says it; a date it leaves out, or leaves empty or null, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetails {
    #[serde(default)]
    pub created_on: Option<Untrusted>,
    #[serde(default)]
    pub approved_on: Option<Untrusted>,
    #[serde(default)]
    pub rejected_on: Option<Untrusted>,
    #[serde(default)]
    pub rejection_reason: Option<Untrusted>,
    #[serde(default)]
    pub deleted_on: Option<Untrusted>,
}

/// Where a tenant stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Usable,
    /// A person at the vendor's portal has not approved it yet.
    Pending,
    Rejected,
    Deleted,
}

impl Tenant {
    /// The dates are documented and the status words are not, so the dates decide first.
    pub fn standing(&self) -> Standing {
        let word = self.status.raw().to_ascii_lowercase();
        if self.details.deleted_on.is_some() || word == "deleted" {
            return Standing::Deleted;
        }
        if self.details.rejected_on.is_some() || word == "rejected" {
            return Standing::Rejected;
        }
        if self.details.approved_on.is_none() && word.contains("pending") {
            return Standing::Pending;
        }
        Standing::Usable
    }
}

/// One declared tenant as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantLive {
    pub tenant: TenantRead,
    /// Every key of the tenant, by public key; `None` where they were not read.
    #[serde(default)]
    pub keys: Option<Observed<BTreeMap<String, Key>>>,
    /// Keys that a sink names and the list does not, by GET.
    #[serde(default)]
    pub looked_up: BTreeMap<String, Observed<Key>>,
}

impl TenantLive {
    pub fn unread(tenant: TenantRead) -> Self {
        Self { tenant, keys: None, looked_up: BTreeMap::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRead {
    /// Neither a record nor an adoption says its id; the account's list is what there is.
    Nowhere,
    Present(Box<Tenant>),
    /// The id of a binding or an adoption leads nowhere.
    Gone(Unreadable),
    Unreadable(Unreadable),
}

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub public_key: String,
    /// The name, without the marker.
    pub text: Untrusted,
    pub marker: Option<Marker>,
    pub roles: BTreeSet<Untrusted>,
}

impl Key {
    /// `name` as the vendor lists it, our marker in it.
    pub fn new(public_key: String, name: &str, roles: BTreeSet<Untrusted>) -> Self {
        let (text, marker) = Marker::split(name);
        Self { public_key, text: text.into(), marker, roles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_mark_counts_for_a_month_and_for_that_host_and_api_alone() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (pay, other): (Name, Name) = (Name::parse("pay").unwrap(), Name::parse("other").unwrap());
        let facts = |host: &str, api| ImburseFacts {
            host: serde_json::from_value(serde_json::json!(host)).unwrap(),
            account_id: "a".to_owned(),
            api,
            known_tenants: Vec::new(),
        };
        let here = facts("api.imbursepayments.com", Api::V2);
        let refused = MarkRefused {
            account: pay.clone(),
            host: here.host.clone(),
            api: Api::V2,
            at: time("2026-06-01T00:00:00Z"),
            run: RunId::new([0; 8]),
            why: "405".into(),
        };
        assert!(refused.holds(&pay, &here, time("2026-06-30T23:59:59Z")));
        assert!(!refused.holds(&pay, &here, time("2026-07-01T00:00:00Z")));
        let soon = time("2026-06-02T00:00:00Z");
        assert!(!refused.holds(&other, &here, soon));
        assert!(!refused.holds(&pay, &facts("sandbox-api.imbursepayments.com", Api::V2), soon));
        assert!(!refused.holds(&pay, &facts("api.imbursepayments.com", Api::V1), soon));
    }

    #[test]
    fn a_tenant_stands_where_its_dates_say() {
        let on = |date: &str| Some(Untrusted::from(date));
        let tenant = |status: &str, details| Tenant { status: status.into(), details, ..Tenant::default() };
        let none = StatusDetails::default();
        assert_eq!(tenant("", none.clone()).standing(), Standing::Usable);
        assert_eq!(tenant("Approved", none.clone()).standing(), Standing::Usable);
        assert_eq!(tenant("PendingApproval", none.clone()).standing(), Standing::Pending);
        let approved = StatusDetails { approved_on: on("2026-01-01"), ..none.clone() };
        assert_eq!(tenant("pending", approved.clone()).standing(), Standing::Usable);
        let rejected = StatusDetails { rejected_on: on("2026-01-02"), ..approved };
        assert_eq!(tenant("Approved", rejected.clone()).standing(), Standing::Rejected);
        assert_eq!(tenant("", StatusDetails { deleted_on: on("x"), ..rejected }).standing(), Standing::Deleted);
    }
}
