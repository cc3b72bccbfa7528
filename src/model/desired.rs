//! The whole of what is declared, joined with the settings that a plan depends on. Nothing here is a secret.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::address::{Address, Name};
use super::group::Group;
use super::homes::Homes;
use super::host::{Host, Region};
use super::imburse::{ImburseFacts, ImburseKey, ImburseTenant};
use super::marker::SinkHash;
use super::place::Place;
use super::selection::Selection;
use super::settings::Limits;
use super::spec::{QlikKey, QlikTenant, Spec};

/// Desired state, resolved: profiles applied, references checked, every object with the place that declared it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Every declared tenant and key, by its address. Its order is the order in which actions are shown and done.
    pub items: BTreeMap<Address, Declared>,
    /// Declared objects that the selection of this run leaves aside.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub passed_over: BTreeMap<Address, Declared>,
    /// Declared objects that are selected too, and that other shards of this run look at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_shards: BTreeMap<Address, Declared>,
    /// The part of the estate that this run looks at.
    #[serde(default, skip_serializing_if = "Selection::is_everything")]
    pub selection: Selection,
    /// The groups whose desired state was read in full, each with the groups that it takes tenants from.
    pub groups: BTreeMap<Group, BTreeSet<Group>>,
    /// The accounts in settings whose vendor is Qlik.
    #[serde(rename = "accounts")]
    pub qlik: BTreeMap<Name, QlikFacts>,
    /// The accounts in settings whose vendor is Imburse.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub imburse: BTreeMap<Name, ImburseFacts>,
    /// The sinks in settings.
    pub sinks: BTreeMap<Name, SinkFacts>,
    /// The most that one run may create.
    pub limits: Limits,
    /// Differences to leave, each with its reason.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
}

/// A difference that people know of and have a reason to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    /// The object whose difference is left.
    pub address: Address,
    /// The name of the field, written as a drift names it: `display_name`, `api_key_limits.max_expiry`.
    pub field: String,
    /// The reason that desired state gives, for the reader of a plan.
    pub reason: String,
    /// The last day on which it counts, in UTC; `None` for no end.
    pub until: Option<Date>,
    /// The place in desired state that says so.
    pub at: Place,
}

impl Ignore {
    /// Returns whether it still counts at `now`: through the whole of its last day in UTC.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now.to_zoned(TimeZone::UTC).date() <= until)
    }
}

impl Desired {
    /// The declared Qlik tenants, in order.
    pub fn qlik_tenants(&self) -> impl Iterator<Item = (&Address, &QlikTenant, &Place)> {
        self.items.iter().filter_map(|(address, declared)| {
            let Spec::QlikTenant(tenant) = &declared.spec else { return None };
            Some((address, tenant, &declared.at))
        })
    }

    /// The declared Qlik tenants, those that this run does not look at among them.
    pub fn qlik_tenants_of_all(&self) -> impl Iterator<Item = &QlikTenant> {
        self.all().filter_map(|(_, declared)| {
            let Spec::QlikTenant(tenant) = &declared.spec else { return None };
            Some(tenant)
        })
    }

    /// One declared key.
    pub fn qlik_key(&self, address: &Address) -> Option<&QlikKey> {
        let Spec::QlikKey(key) = &self.items.get(address)?.spec else { return None };
        Some(key)
    }

    /// The declared keys of one tenant, in order.
    pub fn qlik_keys<'a>(&'a self, tenant: &'a Address) -> impl Iterator<Item = (&'a Address, &'a QlikKey, &'a Place)> {
        self.items.range(tenant.clone()..).take_while(move |(address, _)| address.parent() == *tenant).filter_map(
            |(address, declared)| {
                let Spec::QlikKey(key) = &declared.spec else { return None };
                Some((address, key, &declared.at))
            },
        )
    }

    /// Every key that is delivered, of whichever vendor, and the sinks that it goes to. Nothing of an adopted key is delivered.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Address, &Homes)> {
        self.items.iter().filter_map(|(address, declared)| Some((address, declared.spec.deliver_to()?)))
    }

    /// Returns the facts of a key's sinks together; `None` where settings lack one.
    pub fn sink_facts(&self, homes: &Homes) -> Option<SinkFacts> {
        let each: Option<Vec<&SinkFacts>> = homes.iter().map(|name| self.sinks.get(name)).collect();
        SinkFacts::together(&each?)
    }

    /// A key's sinks in the order of looking and of delivery, the same in every run, whatever they are called: those that compare
    /// versions first, since a run that lost there touches no other, and those that nobody can look into last.
    pub fn in_order<'a>(&self, homes: &'a Homes) -> Vec<&'a Name> {
        let mut names: Vec<&Name> = homes.iter().collect();
        names.sort_by_key(|name| self.sinks.get(*name).map(|sink| (!sink.compares_versions, sink.blind, &sink.hash)));
        names
    }

    /// The declared Imburse tenants, in order.
    pub fn imburse_tenants(&self) -> impl Iterator<Item = (&Address, &ImburseTenant, &Place)> {
        self.items.iter().filter_map(|(address, declared)| {
            let Spec::ImburseTenant(tenant) = &declared.spec else { return None };
            Some((address, tenant, &declared.at))
        })
    }

    /// The declared Imburse tenants, those that this run does not look at among them.
    pub fn imburse_tenants_of_all(&self) -> impl Iterator<Item = &ImburseTenant> {
        self.all().filter_map(|(_, declared)| {
            let Spec::ImburseTenant(tenant) = &declared.spec else { return None };
            Some(tenant)
        })
    }

    /// The declared keys of one Imburse tenant, in order.
    pub fn imburse_keys<'a>(
        &'a self,
        tenant: &'a Address,
    ) -> impl Iterator<Item = (&'a Address, &'a ImburseKey, &'a Place)> {
        self.items.range(tenant.clone()..).take_while(move |(address, _)| address.parent() == *tenant).filter_map(
            |(address, declared)| {
                let Spec::ImburseKey(key) = &declared.spec else { return None };
                Some((address, key, &declared.at))
            },
        )
    }
}

/// One object and where it was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The declaration, with profiles applied.
    pub spec: Spec,
    /// The place that an error, a plan or an event names for this object.
    pub at: Place,
    /// The group of the file that declares it.
    #[serde(default, skip_serializing_if = "Group::is_default")]
    pub group: Group,
    /// The labels of a tenant, by which a run may select it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<Name, Name>,
}

/// The settings of a Qlik account that a plan depends on. No credentials are among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QlikFacts {
    /// The region that its tenants are made in, and that every host of theirs lies under.
    pub region: Region,
    /// True if a source tenant is named. Without one no licence key can be read, so nothing can be created.
    pub has_source_tenant: bool,
    /// True if a `key_client` is named. Without one no key can be minted for `owner: { client: {} }`.
    pub has_key_client: bool,
    /// Hosts that are known and not managed: the source tenant, and what settings say to ignore.
    #[serde(default)]
    pub known_hosts: Vec<Host>,
}

/// The settings of a sink that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkFacts {
    /// The word that settings use for this kind of sink, as in `file` or `vault`.
    pub kind: String,
    /// Four digits that markers carry for this sink, so that a key of another sink is told apart.
    pub hash: SinkHash,
    /// True if a put compares versions. Otherwise a leftover is revoked only when its run's end is proven.
    pub compares_versions: bool,
    /// True if the sink is written and read within this machine. Reads are then never stale, and a write ends with its
    /// run.
    #[serde(default)]
    pub local: bool,
    /// True if runs on other machines share this ledger and may see another place under the same settings. A key that
    /// this machine's sink does not hold may be in use there.
    #[serde(default)]
    pub hidden: bool,
    /// True if a write may arrive after its run has ended, and the sink takes it all the same. Then no leftover is revoked: it
    /// may be the very key that comes to be in use.
    #[serde(default)]
    pub late: bool,
    /// True if nobody can see what the sink holds. It is taken to hold the newest key that is marked as delivered.
    #[serde(default)]
    pub blind: bool,
    /// True of several sinks together if nobody can see what one of them holds, and others can be looked into.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub half_blind: bool,
}

impl SinkFacts {
    /// Returns the facts of several sinks together: the least that is known of one. `None` of none.
    pub fn together(each: &[&Self]) -> Option<Self> {
        let all = |is: fn(&Self) -> bool| each.iter().copied().all(is);
        let any = |is: fn(&Self) -> bool| each.iter().copied().any(is);
        match each {
            [] => None,
            [one] => Some((*one).clone()),
            [_, _, ..] => Some(Self {
                kind: each.iter().map(|sink| sink.kind.as_str()).collect::<Vec<_>>().join("+"),
                hash: SinkHash::of_all(each.iter().map(|sink| &sink.hash)),
                compares_versions: all(|sink| sink.compares_versions),
                local: all(|sink| sink.local),
                hidden: any(|sink| sink.hidden),
                late: any(|sink| sink.late),
                blind: all(|sink| sink.blind),
                half_blind: any(|sink| sink.blind) && !all(|sink| sink.blind),
            }),
        }
    }
}
