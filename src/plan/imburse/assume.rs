//! Planning from a snapshot: what it lacks of Imburse was not looked at, is taken as it usually is, and listed as unchecked.

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::imburse::{TenantLive, TenantRead};
use crate::model::live::{Live, Observed, SinkLive, Unreadable};

use super::super::action::Unchecked;
use super::super::recorded::knows;

pub(in crate::plan) fn fill(desired: &Desired, live: &mut Live, unchecked: &mut Vec<Unchecked>) {
    for (address, spec, _) in desired.imburse_tenants() {
        let mut say = |address: &Address, what: String| {
            unchecked.push(Unchecked { address: address.clone(), what: format!("{what} (not in the snapshot)") });
        };
        let known = knows(live, address) || spec.adopt.is_some();
        if !known {
            let account = live.imburse.accounts.entry(spec.account.clone()).or_default();
            if account.tenants.is_none() {
                account.tenants = Some(Observed::Present(Vec::new()));
                say(address, format!("whether account {} has a tenant of this name", spec.account));
            }
        }
        if known && !live.imburse.tenants.contains_key(address) {
            let not_there = Unreadable {
                why: "it is not in the snapshot, so nobody has looked at it".into(),
                next: format!("plan with the credentials of account {}; with them it is read", spec.account),
                credentials: false,
            };
            let read = TenantLive::unread(TenantRead::Unreadable(not_there));
            live.imburse.tenants.insert(address.clone(), read);
        }
        for (key, spec, _) in desired.imburse_keys(address).filter(|(_, key, _)| key.adopt.is_none()) {
            if !live.sinks.contains_key(key) {
                live.sinks.insert(key.clone(), SinkLive::default());
                say(key, format!("what {} holds for it", spec.deliver_to.named()));
            }
        }
    }
}
