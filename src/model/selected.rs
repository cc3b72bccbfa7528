//! Desired state of which a run looks at a part: what is selected, what is left aside, and of what it can tell that it is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::address::Address;
use super::desired::{Declared, Desired};
use super::group::Group;
use super::selection::{Idle, Selection};

impl Desired {
    /// Keeps what is selected in `items` and lays the rest aside. A selected key brings its tenant along, because the key stands on it.
    ///
    /// # Errors
    /// A part of the selection that chooses nothing, or all of it if it leaves nothing.
    pub fn select(mut self, selection: Selection) -> Result<Self, Idle> {
        if selection.is_everything() {
            return Ok(self);
        }
        if let Some(idle) = selection.idle(self.items.iter().map(|(address, declared)| (address, &declared.labels))) {
            return Err(idle);
        }
        let all = std::mem::take(&mut self.items);
        let of_tenant = |address: &Address| all.get(&address.parent()).map(|tenant| &tenant.labels);
        let none = BTreeMap::new();
        let mut chosen: BTreeSet<Address> =
            all.keys().filter(|address| selection.has(address, of_tenant(address).unwrap_or(&none))).cloned().collect();
        let tenants: Vec<Address> = chosen.iter().map(Address::parent).collect();
        chosen.extend(tenants);
        let (selected, passed_over) = all.into_iter().partition(|(address, _)| chosen.contains(address));
        self.passed_over = passed_over;
        (self.items, self.other_shards) = match selection.shard {
            None => (selected, BTreeMap::new()),
            Some(shard) => selected.into_iter().partition(|(address, _)| shard.has(address)),
        };
        if self.items.is_empty() && self.other_shards.is_empty() && selection.is_by_choice() {
            return Err(Idle(selection.to_string()));
        }
        let items = &self.items;
        self.ignore.retain(|entry| items.contains_key(&entry.address));
        self.selection = selection;
        Ok(self)
    }

    /// Everything that is declared, looked at or not.
    pub fn all(&self) -> impl Iterator<Item = (&Address, &Declared)> {
        self.items.iter().chain(&self.passed_over).chain(&self.other_shards)
    }

    /// Everything that the shards of this run look at together.
    pub fn of_all_shards(&self) -> impl Iterator<Item = (&Address, &Declared)> {
        self.items.iter().chain(&self.other_shards)
    }

    /// The tenants that other shards look at.
    pub fn elsewhere(&self) -> BTreeSet<Address> {
        self.other_shards.keys().filter(|address| address.is_tenant()).cloned().collect()
    }

    /// The declared parts of a tenant that this run does not look at, in order.
    pub fn passed_over_of<'a>(&'a self, tenant: &'a Address) -> impl Iterator<Item = &'a Address> {
        let from_it = self.passed_over.range(tenant.clone()..).map(|(address, _)| address);
        from_it.take_while(move |address| address.parent() == *tenant)
    }

    /// Returns whether nothing declares the tenant of a record any more, as far as this run has read: in a group that it read in full.
    pub fn has_lost(&self, tenant: &Address, group: &Group) -> bool {
        !self.declares(tenant) && self.groups.contains_key(group)
    }

    /// Returns whether an object is declared, looked at or not.
    pub fn declares(&self, address: &Address) -> bool {
        [&self.items, &self.passed_over, &self.other_shards].iter().any(|declared| declared.contains_key(address))
    }
}
