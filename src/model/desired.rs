//! The whole of what is declared, joined with the settings that a plan depends on: nothing here is a secret.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::host::{Host, Region};
use super::imburse::{ImburseFacts, ImburseKey, ImburseTenant};
use super::marker::SinkHash;
use super::place::Place;
use super::settings::Limits;
use super::spec::{QlikKey, QlikTenant, Spec};

/// Desired state, resolved: profiles applied, references checked, every object with the place that declared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    pub items: BTreeMap<Address, Declared>,
    /// Of the accounts in settings whose vendor is Qlik.
    #[serde(rename = "accounts")]
    pub qlik: BTreeMap<Name, QlikFacts>,
    /// Of those whose vendor is Imburse.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imburse: BTreeMap<Name, ImburseFacts>,
    /// Of the sinks in settings.
    pub sinks: BTreeMap<Name, SinkFacts>,
    pub limits: Limits,
    /// Differences to leave, each with its reason.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// A difference that people know of and have a reason to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    pub address: Address,
    /// As a drift names it.
    pub field: String,
    pub reason: String,
    /// The last day on which it counts, in UTC.
    pub until: Option<Date>,
    pub at: Place,
}

impl Ignore {
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now.to_zoned(TimeZone::UTC).date() <= until)
    }
}

impl Desired {
    /// The declared Qlik tenants, in order.
    pub fn qlik_tenants(&self) -> impl Iterator<Item = (&Address, &QlikTenant, &Place)> {
        self.items.iter().filter_map(|(address, declared)| match &declared.spec {
            Spec::QlikTenant(tenant) => Some((address, tenant, &declared.at)),
            Spec::QlikKey(_) | Spec::ImburseTenant(_) | Spec::ImburseKey(_) => None,
        })
    }

    /// One declared key.
    pub fn qlik_key(&self, address: &Address) -> Option<&QlikKey> {
        match &self.items.get(address)?.spec {
            Spec::QlikKey(key) => Some(key),
            Spec::QlikTenant(_) | Spec::ImburseTenant(_) | Spec::ImburseKey(_) => None,
        }
    }

    /// The declared keys of one tenant, in order.
    pub fn qlik_keys<'a>(&'a self, tenant: &'a Address) -> impl Iterator<Item = (&'a Address, &'a QlikKey, &'a Place)> {
        self.items.range(tenant.clone()..).take_while(move |(address, _)| address.parent() == *tenant).filter_map(
            |(address, declared)| match &declared.spec {
                Spec::QlikKey(key) => Some((address, key, &declared.at)),
                Spec::QlikTenant(_) | Spec::ImburseTenant(_) | Spec::ImburseKey(_) => None,
            },
        )
    }

    /// Every key that is delivered, of whichever vendor, and the sink that it goes to. Nothing of an adopted key is delivered.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Address, &Name)> {
        self.items.iter().filter_map(|(address, declared)| match &declared.spec {
            Spec::QlikKey(key) => key.adopt.is_none().then_some((address, &key.deliver_to)),
            Spec::ImburseKey(key) => key.adopt.is_none().then_some((address, &key.deliver_to)),
            Spec::QlikTenant(_) | Spec::ImburseTenant(_) => None,
        })
    }

    /// The declared Imburse tenants, in order.
    pub fn imburse_tenants(&self) -> impl Iterator<Item = (&Address, &ImburseTenant, &Place)> {
        self.items.iter().filter_map(|(address, declared)| match &declared.spec {
            Spec::ImburseTenant(tenant) => Some((address, tenant, &declared.at)),
            Spec::QlikTenant(_) | Spec::QlikKey(_) | Spec::ImburseKey(_) => None,
        })
    }

    /// The declared keys of one Imburse tenant, in order.
    pub fn imburse_keys<'a>(
        &'a self,
        tenant: &'a Address,
    ) -> impl Iterator<Item = (&'a Address, &'a ImburseKey, &'a Place)> {
        self.items.range(tenant.clone()..).take_while(move |(address, _)| address.parent() == *tenant).filter_map(
            |(address, declared)| match &declared.spec {
                Spec::ImburseKey(key) => Some((address, key, &declared.at)),
                Spec::QlikTenant(_) | Spec::QlikKey(_) | Spec::ImburseTenant(_) => None,
            },
        )
    }
}

/// One object and where it was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    pub spec: Spec,
    pub at: Place,
}

/// What a plan needs to know of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikFacts {
    pub region: Region,
    /// Whether a source tenant is named: without one no licence key can be read, so nothing can be created.
    pub has_source_tenant: bool,
    /// Whether a `key_client` is named: without one no key can be minted for `owner: { client: {} }`.
    pub has_key_client: bool,
    /// Hosts that are known and not managed: the source tenant, and what settings say to ignore.
    #[serde(default)]
    pub known_hosts: Vec<Host>,
}

/// What a plan needs to know of a sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkFacts {
    /// `file`.
    pub kind: String,
    pub hash: SinkHash,
    /// Whether a put compares versions. Where it does not, a leftover is revoked only when its run's end is proven.
    pub compares_versions: bool,
    /// Whether it is written and read within this machine: what it shows stands there, and a write ends with its run.
    #[serde(default)]
    pub local: bool,
    /// Whether runs on other machines share this ledger and may see another place under the same settings: what this
    /// machine's sink does not hold may be in use there.
    #[serde(default)]
    pub hidden: bool,
    /// Whether nobody can see what it holds: it is taken to hold the newest key that is marked as delivered.
    #[serde(default)]
    pub blind: bool,
}
