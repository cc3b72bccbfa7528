//! The values read of Imburse's accounts, tenants and keys.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::address::{Address, Name};
use super::super::marker::Marker;
use super::super::observed::{Observed, Unreadable};
use super::super::untrusted::Untrusted;

/// Everything that was read from Imburse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImburseLive {
    /// The accounts that were read, by their name in settings.
    #[serde(default)]
    pub accounts: BTreeMap<Name, AccountLive>,
    /// The declared tenants, by address.
    #[serde(default)]
    pub tenants: BTreeMap<Address, TenantLive>,
}

impl ImburseLive {
    /// Returns whether nothing of this vendor was read.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.tenants.is_empty()
    }
}

/// The values read of one account. They are read only where a tenant is to be created or found by its name; the list
/// also where a person asks for unmanaged tenants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLive {
    /// Every tenant of the account. It may lag, and strangers may create too: it is evidence, and never proves absence.
    #[serde(default)]
    pub tenants: Option<Observed<Vec<ListedTenant>>>,
    /// The account's own page; `None` where it was not read.
    #[serde(default)]
    pub account: Option<AccountRead>,
}

/// The outcome of reading an account's own page, which takes the role `account-admin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountRead {
    /// The page was read.
    Present(AccountDetails),
    /// The account key has not the role; what the page says stays unchecked.
    Forbidden(Unreadable),
    /// The page could not be read for another reason; a refusal says which.
    Unreadable(Unreadable),
}

/// `GET /account`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountDetails {
    /// The vendor's id of the account, to compare with settings.
    pub account_id: Untrusted,
    /// The company that the account belongs to, for messages.
    pub company_name: Untrusted,
    /// New tenants wait for a person.
    pub tenant_creation_approval_required: bool,
    /// The vendor's word for the licence.
    pub licence: Untrusted,
    /// The most tenants that the licence allows; `None` where the vendor says no number, or a negative one.
    pub max_tenants: Option<u64>,
    /// The number of tenants that count against the licence; 0 where the vendor says none.
    pub tenant_usage: u64,
    /// The roles of the account key itself; `None` where the vendor does not list it.
    #[serde(default)]
    pub key_roles: Option<BTreeSet<Untrusted>>,
}

/// A tenant as the vendor shows it, in a list or by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTenant {
    /// The vendor's id, which never changes.
    pub id: Untrusted,
    /// The vendor's name of it, which is not unique in an account.
    pub name: Untrusted,
    /// An open list of words that the vendor does not publish; empty in the oldest API.
    pub status: Untrusted,
    /// The postal address.
    #[serde(default)]
    pub address: TenantAddress,
    /// The dates of its approval, rejection and deletion.
    #[serde(default)]
    pub details: StatusDetails,
}

/// The postal address of a tenant as the vendor has it. Fields are empty where the vendor says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantAddress {
    /// Street and number.
    pub street_address: Untrusted,
    /// The second line.
    pub extended_address: Untrusted,
    /// The town.
    pub locality: Untrusted,
    /// The state, province or county.
    pub region: Untrusted,
    /// The postal code.
    pub post_code: Untrusted,
    /// The country, in the vendor's spelling.
    pub country: Untrusted,
}

impl TenantAddress {
    /// Returns the field that desired state calls `name`; `None` for a name that no address has.
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

/// The dates in a tenant's life, in the vendor's own text. A date that the vendor leaves out, empty or null is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetails {
    /// The time of the request that created it.
    #[serde(default)]
    pub created_on: Option<Untrusted>,
    /// The time of approval; `None` while a person has still to approve it.
    #[serde(default)]
    pub approved_on: Option<Untrusted>,
    /// The time at which approval was refused.
    #[serde(default)]
    pub rejected_on: Option<Untrusted>,
    /// The reason that the person who rejected it gave.
    #[serde(default)]
    pub rejection_reason: Option<Untrusted>,
    /// The time of deletion.
    #[serde(default)]
    pub deleted_on: Option<Untrusted>,
}

/// The stage of a tenant's life that decides what may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Keys can be made in it.
    Usable,
    /// A person at the vendor's portal has not approved it yet.
    Pending,
    /// A person at the vendor's portal refused it; it will never be usable.
    Rejected,
    /// The tenant was deleted, and the vendor still lists it.
    Deleted,
}

impl ListedTenant {
    /// Returns the stage of its life. The dates are documented and the status words are not, so the dates decide first.
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
    /// The tenant itself, or why there is none to look at.
    pub tenant: TenantRead,
    /// Every key of the tenant, by public key; `None` where they were not read.
    #[serde(default)]
    pub keys: Option<Observed<BTreeMap<String, ListedKey>>>,
    /// Keys that a sink names and the list does not, by GET.
    #[serde(default)]
    pub looked_up: BTreeMap<String, Observed<ListedKey>>,
}

impl TenantLive {
    /// Makes a value for a tenant whose keys were not read.
    pub fn unread(tenant: TenantRead) -> Self {
        Self { tenant, keys: None, looked_up: BTreeMap::new() }
    }
}

/// The outcome of reading one declared tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantRead {
    /// Neither a record nor an adoption tells its id, so it can only be found in the account's list.
    Nowhere,
    /// The tenant was read by its id.
    Present(Box<ListedTenant>),
    /// The id of a binding or an adoption leads nowhere.
    Gone(Unreadable),
    /// The tenant could not be read, which says nothing about whether it is there.
    Unreadable(Unreadable),
}

/// One key of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedKey {
    /// The public half of the pair, which is the key's id at the vendor.
    pub public_key: String,
    /// The name, without the marker.
    pub text: Untrusted,
    /// The marker in its name; `None` for a key that no run of ours made.
    pub marker: Option<Marker>,
    /// The roles that it has, in the vendor's spelling.
    pub roles: BTreeSet<Untrusted>,
}

impl ListedKey {
    /// Makes a key of a name as the vendor lists it, from which the marker is split off.
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
        let tenant = |status: &str, details| ListedTenant { status: status.into(), details, ..ListedTenant::default() };
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
