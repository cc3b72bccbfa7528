//! The facts about the whole estate that decisions on one object ask for, found once: a look through everything for
//! each object would take the square of the estate.

use std::collections::BTreeMap;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::live::{LedgerLive, Live, SinkEntry, TenantRead};
use crate::model::record::{Binding, Record};
use crate::model::untrusted::Untrusted;

use super::imburse::listed::Listed as ImburseListed;
use super::qlik::listed::Listed as QlikListed;

/// The facts that are found once.
pub(super) struct Estate<'a> {
    bound: BTreeMap<&'a Untrusted, Vec<&'a Address>>,
    /// The bound tenants that nothing declares any more, in the order of addresses.
    pub(super) undeclared: Vec<(&'a Address, &'a Binding)>,
    /// Some key that a sink holds.
    pub(super) held: Option<&'a SinkEntry>,
    /// Tenants that more than one address leads to, by id.
    pub(super) twice: BTreeMap<&'a Untrusted, Vec<&'a Address>>,
    /// The lists of Qlik's organizations.
    pub(super) qlik: QlikListed<'a>,
    /// The lists of Imburse's accounts.
    pub(super) imburse: ImburseListed<'a>,
}

/// An estate without facts, for a question about one object that asks nothing of the others.
pub(super) static NOTHING: Estate<'static> = Estate {
    bound: BTreeMap::new(),
    undeclared: Vec::new(),
    held: None,
    twice: BTreeMap::new(),
    qlik: QlikListed::NOTHING,
    imburse: ImburseListed::NOTHING,
};

impl<'a> Estate<'a> {
    pub(super) fn of(desired: &'a Desired, live: &'a Live) -> Self {
        let records = match &live.ledger {
            LedgerLive::Present(facts) => Some(&facts.records),
            LedgerLive::Missing { .. } => None,
        };
        let records = records.into_iter().flatten();
        let bound_records: Vec<(&Address, &Record, &Binding)> =
            records.filter_map(|(address, record)| Some((address, record, record.state.binding()?))).collect();
        let bindings: Vec<(&Address, &Binding)> =
            bound_records.iter().map(|(address, _, binding)| (*address, *binding)).collect();
        let mut bound: BTreeMap<&Untrusted, Vec<&Address>> = BTreeMap::new();
        for (address, binding) in &bindings {
            bound.entry(&binding.tenant_id).or_default().push(address);
        }
        let is_lost = |(address, record, _): &&(&Address, &Record, &Binding)| desired.has_lost(address, &record.group);
        let undeclared: Vec<(&Address, &Binding)> =
            bound_records.iter().filter(is_lost).map(|(address, _, binding)| (*address, *binding)).collect();
        let mut twice: BTreeMap<&Untrusted, Vec<&Address>> = BTreeMap::new();
        for (address, tenant) in &live.qlik.tenants {
            if let TenantRead::Present(present) = &tenant.tenant {
                twice.entry(&present.id).or_default().push(address);
            }
        }
        twice.retain(|_, all| all.len() > 1);
        Self {
            qlik: QlikListed::of(desired, live, &bindings, &undeclared),
            imburse: ImburseListed::of(desired, live, &bindings),
            held: live.sinks.values().find_map(|sink| sink.entries().next()),
            bound,
            undeclared,
            twice,
        }
    }

    /// The addresses that the ledger binds to a tenant, in order.
    pub(super) fn bound_to(&self, id: &Untrusted) -> &[&'a Address] {
        self.bound.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}
