//! The live facts that each object's actions rest on: what a reviewer relied on without reading it line by line.
//!
//! Nothing here moves by itself: no remaining time, no order of a list, nothing that is read for another object's sake.

use std::collections::BTreeMap;

use crate::model::address::Address;

use super::action::{Action, Planned};
use super::fact::Facts;
use super::scene::Scene;
use super::{imburse, qlik};

/// Returns the facts that the planned actions rest on.
pub(super) fn of(scene: &Scene, actions: &[Planned]) -> Facts {
    let mut facts = Facts::new();
    // Once for all: a look through every action for each object would take the square of the estate.
    let mut by_address: BTreeMap<&Address, Vec<&Action>> = BTreeMap::new();
    for planned in actions {
        by_address.entry(&planned.address).or_default().push(&planned.action);
    }
    let own = |address: &Address| by_address.get(address).map(Vec::as_slice).unwrap_or_default();
    for (address, spec, _) in scene.desired.qlik_tenants() {
        facts.insert(address.clone(), qlik::facts::tenant(scene, address, spec, own(address)));
        // An adopted key has none, and is among them: every object of a saved plan has its facts.
        for (key, spec, _) in scene.desired.qlik_keys(address) {
            facts.insert(key.clone(), qlik::facts::key(scene, address, spec, own(key)));
        }
    }
    for (address, spec, _) in scene.desired.imburse_tenants() {
        facts.insert(address.clone(), imburse::facts::tenant(scene, address, spec, own(address)));
    }
    // An object about which nothing is said is not in a saved plan, and every object of one has its facts, if none.
    facts.retain(|address, _| by_address.contains_key(address));
    for address in by_address.into_keys() {
        facts.entry(address.clone()).or_default();
    }
    facts
}
