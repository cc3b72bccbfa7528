//! The lists of Qlik's organizations, compared with everything that is recorded, adopted or known: found once for a
//! plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::{Address, Name, Vendor};
use crate::model::desired::{Desired, QlikFacts};
use crate::model::likeness::folded;
use crate::model::live::{ListedTenant, Live, Observed};
use crate::model::record::Binding;
use crate::model::untrusted::Untrusted;

pub(in crate::plan) struct Listed<'a> {
    /// Active tenants of an account's region that are neither bound, nor adopted, nor known; by account, in the order of hosts.
    pub(in crate::plan) unmanaged: BTreeMap<&'a Name, Vec<&'a ListedTenant>>,
    /// Active tenants that are recorded and no longer declared, by account and name as a person takes it; of several, the first.
    pub(in crate::plan) undeclared_names: BTreeMap<(&'a Name, String), (&'a Address, &'a ListedTenant)>,
}

impl<'a> Listed<'a> {
    pub(in crate::plan) const NOTHING: Self = Self { unmanaged: BTreeMap::new(), undeclared_names: BTreeMap::new() };

    pub(in crate::plan) fn of(
        desired: &'a Desired,
        live: &'a Live,
        bound: &[(&'a Address, &'a Binding)],
        undeclared: &[(&'a Address, &'a Binding)],
    ) -> Self {
        let mut found = Self::NOTHING;
        let mut managed = None;
        for (account, facts) in &desired.qlik {
            let organization = live.qlik.accounts.get(account).and_then(|live| live.organization.as_ref());
            let Some(Observed::Present(listed)) = organization else { continue };
            let managed = managed.get_or_insert_with(|| Managed::of(desired, live, bound));
            let in_region = |tenant: &&ListedTenant| facts.region.accept(tenant.hostname().raw()).is_some();
            let active = || listed.iter().filter(|tenant| tenant.is_active());
            let strangers = active().filter(in_region).filter(|tenant| !managed.is(facts, tenant));
            let mut unmanaged: Vec<&ListedTenant> = strangers.collect();
            // The vendor's list may have another order every day.
            unmanaged.sort_by(|a, b| (a.hostname(), &a.id).cmp(&(b.hostname(), &b.id)));
            found.unmanaged.insert(account, unmanaged);
            let by_id: BTreeMap<&Untrusted, &ListedTenant> = active().map(|tenant| (&tenant.id, tenant)).collect();
            for (other, binding) in undeclared.iter().filter(|(other, _)| other.vendor == Vendor::Qlik) {
                if let Some(tenant) = by_id.get(&binding.tenant_id) {
                    let name = (account, folded(tenant.name.raw()));
                    found.undeclared_names.entry(name).or_insert((*other, *tenant));
                }
            }
        }
        found
    }
}

/// Tenants that somebody accounts for.
struct Managed<'a> {
    ids: BTreeSet<&'a Untrusted>,
    /// The hosts that are accounted for, in lower case.
    hosts: BTreeSet<String>,
}

impl<'a> Managed<'a> {
    fn of(desired: &Desired, live: &'a Live, bound: &[(&'a Address, &'a Binding)]) -> Self {
        let ids = bound.iter().map(|(_, binding)| &binding.tenant_id).chain(&live.bound_since).collect();
        let recorded = bound.iter().map(|(_, binding)| binding.hostname.raw().to_ascii_lowercase());
        let adopted = desired.qlik_tenants_of_all().filter_map(|spec| {
            let region = &desired.qlik.get(&spec.account)?.region;
            spec.adopt.as_ref().map(|label| region.host(label).as_str().to_ascii_lowercase())
        });
        Self { ids, hosts: recorded.chain(adopted).collect() }
    }

    fn is(&self, facts: &QlikFacts, tenant: &ListedTenant) -> bool {
        self.ids.contains(&tenant.id)
            || tenant.hostnames.iter().any(|host| self.hosts.contains(&host.raw().to_ascii_lowercase()))
            || facts.known_hosts.iter().any(|host| tenant.has_host(host.as_str()))
    }
}
