//! The questions that a reader asks the planner: which facts of a tenant are still to be read, and which listed tenants nobody accounts for.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::address::{Address, Vendor};
use crate::model::desired::Desired;
use crate::model::live::{LedgerFacts, LedgerLive, Live, TenantLive};
use crate::model::spec::{Owner, QlikKey, QlikTenant, RoleGrant, Spec};
use crate::model::untrusted::Untrusted;

use super::deliver::judge;
use super::estate::Estate;
use super::qlik::Qlik;
use super::qlik::role::meant;
use super::scene::{Scene, Wishes};
use super::stop::Stop;

/// The facts at hand when the question is asked.
pub struct Known<'a> {
    /// Desired state.
    pub desired: &'a Desired,
    /// Ledger and sinks. Tenants are not in it yet: the one that is asked about is told beside it.
    pub live: &'a Live,
    /// The wishes for this run: `--remint` and the like make other keys due.
    pub wishes: &'a Wishes,
    /// The time by the clock of the tenant's host.
    pub now: Timestamp,
    /// True if the keys in place are asked about too, for the day of their renewal.
    pub renewals: bool,
}

/// Returns the ids of tenants that an organization lists and that nothing which was read accounts for.
pub fn strangers(desired: &Desired, live: &Live) -> BTreeSet<Untrusted> {
    let estate = Estate::of(desired, live);
    estate.qlik.unmanaged.values().flatten().map(|tenant| tenant.id.clone()).collect()
}

/// Returns whether the records of all tenants are needed for these, also of those that other shards look at: who else binds a tenant
/// is asked before one is adopted, or looked for by its name; and a record that nothing declares may be the rest of a renaming.
pub fn needs_all_records(desired: &Desired, facts: &LedgerFacts) -> bool {
    let is_bound =
        |address: &Address| facts.records.get(address).is_some_and(|record| record.state.binding().is_some());
    // An Imburse account is listed whole, and whoever is on the list is looked for in the ledger.
    let asks =
        |address: &Address, spec: &Spec| address.vendor == Vendor::Imburse || spec.is_adopted() && !is_bound(address);
    let tenants = desired.items.iter().filter(|(address, _)| address.is_tenant());
    tenants.into_iter().any(|(address, declared)| asks(address, &declared.spec))
        || facts
            .records
            .iter()
            .any(|(address, record)| desired.has_lost(address, &record.group) && desired.selection.judges(address))
}

/// The facts to read next of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs<'a> {
    /// The holders of the declared role among these. Ask again once they are read: they tell who some owners are.
    Holders(&'a RoleGrant, BTreeSet<Owner>),
    /// All that minting needs, for these owners: a key of theirs would be minted or revoked, or it cannot be told whose
    /// a key is.
    Owners(BTreeSet<Owner>),
}

/// Returns the facts still to be read of a tenant at Qlik whose keys were read.
pub fn needs<'a>(known: &Known<'_>, address: &Address, spec: &'a QlikTenant, tenant: &TenantLive) -> Needs<'a> {
    let scene = Scene::of(known.desired, known.live, known.wishes, known.now);
    match spec.grants.by_role() {
        Some(grant) if tenant.holders.is_none() => Needs::Holders(grant, meant(&scene, address, grant)),
        Some(_) | None => Needs::Owners(owners(&Qlik { scene: &scene, address, spec }, tenant, known.renewals)),
    }
}

fn owners<'a>(asked: &Qlik<'a>, tenant: &'a TenantLive, renewals: bool) -> BTreeSet<Owner> {
    let (scene, address) = (asked.scene, asked.address);
    let record = match &scene.live.ledger {
        LedgerLive::Present(facts) => facts.records.get(address),
        LedgerLive::Missing { .. } => None,
    };
    let keys = scene.desired.qlik_keys(address).filter(|(_, spec, _)| spec.adopt.is_none());
    keys.filter(|(key, spec, _)| match judge(asked, key, spec, tenant, record) {
        Ok(judgement) => {
            let renewed = renewals && judgement.good.is_some();
            let revokes = !judgement.reclaim.is_empty() || !judgement.freed.is_empty();
            judgement.mint.is_some() || revokes || renewed || moved(scene, key, spec)
        }
        Err(Stop::Refuse(_)) => true,
        Err(Stop::Wait(_)) => false,
    })
    .map(|(_, spec, _)| spec.owner.clone())
    .collect()
}

/// Returns whether the owner is declared otherwise than when the key was made: only then is it worth asking who that
/// is.
fn moved(scene: &Scene<'_>, key: &Address, spec: &QlikKey) -> bool {
    let made_as = scene.live.sinks.get(key).and_then(|sink| sink.held()).and_then(|entry| entry.made_as.as_ref());
    let made_for = made_as.and_then(|made_as| made_as.owner.as_ref());
    made_for.is_some_and(|made_for| *made_for != spec.owner.word())
}
