//! The lists of Imburse's accounts, by name, and the tenants that are accounted for: found once for a plan.

use std::collections::BTreeMap;

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::imburse::{ListedTenant, Standing};
use crate::model::likeness::folded;
use crate::model::live::{Live, Observed};
use crate::model::record::Binding;
use crate::model::untrusted::Untrusted;

pub(in crate::plan) struct Listed<'a> {
    /// Tenants that are not deleted, by account and name as a person takes it, in the order of ids: the vendor's list may have
    /// another every day.
    pub(in crate::plan) names: BTreeMap<(&'a Name, String), Vec<&'a ListedTenant>>,
    /// Tenants that are recorded, at the first address that binds them, or adopted. Ids are GUIDs, whose letters have no case;
    /// here they are small.
    accounted_for: BTreeMap<String, Option<&'a Address>>,
}

impl<'a> Listed<'a> {
    pub(in crate::plan) const NOTHING: Self = Self { names: BTreeMap::new(), accounted_for: BTreeMap::new() };

    pub(in crate::plan) fn of(desired: &'a Desired, live: &'a Live, bound: &[(&'a Address, &'a Binding)]) -> Self {
        let mut found = Self::NOTHING;
        for (address, binding) in bound {
            found.accounted_for.entry(binding.tenant_id.raw().to_ascii_lowercase()).or_insert(Some(*address));
        }
        for id in desired.imburse_tenants_of_all().filter_map(|spec| spec.adopt.as_deref()) {
            found.accounted_for.entry(id.to_ascii_lowercase()).or_insert(None);
        }
        for (account, live) in &live.imburse.accounts {
            let Some(Observed::Present(tenants)) = &live.tenants else { continue };
            for tenant in tenants.iter().filter(|tenant| tenant.standing() != Standing::Deleted) {
                found.names.entry((account, folded(tenant.name.raw()))).or_default().push(tenant);
            }
        }
        found.names.values_mut().for_each(|same| same.sort_by(|a, b| a.id.cmp(&b.id)));
        found
    }

    /// Returns whether a declared or recorded tenant is known to be this one.
    pub(in crate::plan) fn accounts_for(&self, id: &Untrusted) -> bool {
        self.accounted_for.contains_key(&id.raw().to_ascii_lowercase())
    }

    /// The address that the ledger binds to a tenant.
    pub(in crate::plan) fn bound_to(&self, id: &Untrusted) -> Option<&'a Address> {
        self.accounted_for.get(&id.raw().to_ascii_lowercase()).copied().flatten()
    }

    /// The account's tenants whose names a person takes for this one.
    pub(in crate::plan) fn like(&self, account: &'a Name, name: &str) -> &[&'a ListedTenant] {
        self.names.get(&(account, folded(name))).map(Vec::as_slice).unwrap_or_default()
    }
}
