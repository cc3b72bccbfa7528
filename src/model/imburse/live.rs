//! What was read of Imburse's accounts, tenants and keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Name};
use super::super::marker::Marker;
use super::super::observed::{Observed, Unreadable};
use super::super::untrusted::Untrusted;

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
