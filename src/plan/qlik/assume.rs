//! Planning from a snapshot: what it lacks of Qlik was not looked at, is taken as it usually is, and listed as unchecked.

use std::collections::BTreeSet;

use crate::model::address::{Address, Name};
use crate::model::desired::Desired;
use crate::model::live::{
    AccountLive, HoldersLive, LedgerLive, LicenceLive, Live, Observed, SinkLive, TenantLive, TenantRead, Unreadable,
};
use crate::model::record::Rehearsal;
use crate::model::run::RunId;
use crate::model::spec::{QlikTenant, Way};
use crate::model::untrusted::escape;
use crate::plan::action::Unchecked;
use crate::plan::recorded::knows;

pub(in crate::plan) fn fill(desired: &Desired, filled: &mut Live, unchecked: &mut Vec<Unchecked>) {
    for (address, spec, _) in desired.qlik_tenants() {
        let mut say = |address: &Address, what: String| {
            unchecked.push(Unchecked { address: address.clone(), what: format!("{what} (not in the snapshot)") });
        };
        let known = knows(filled, address);
        if !known && spec.adopt.is_none() {
            if licence(filled, &spec.account) {
                say(address, format!("the licence of account {}", spec.account));
            }
            for way in ways(desired, address) {
                if rehearsal(filled, &spec.account, &way) {
                    say(address, format!("whether account {} can mint keys", spec.account));
                }
            }
        }
        if (known || spec.adopt.is_some()) && !filled.qlik.tenants.contains_key(address) {
            filled.qlik.tenants.insert(address.clone(), TenantLive::unread(TenantRead::Unreadable(not_there(spec))));
        }
        if let (Some(grant), Some(live)) = (spec.grants.by_role(), filled.qlik.tenants.get_mut(address))
            && live.holders.is_none()
            && matches!(live.tenant, TenantRead::Present(_))
        {
            // Nobody is taken to have it: then everything that may be missing is in the plan.
            let holders = HoldersLive { role: Some(Observed::Absent), ..HoldersLive::default() };
            live.holders = Some(Observed::Present(holders));
            say(address, format!("whether role {} is there and who has it", escape(&grant.name)));
        }
        for (key, spec, _) in desired.qlik_keys(address).filter(|(_, key, _)| key.adopt.is_none()) {
            if !filled.sinks.contains_key(key) {
                filled.sinks.insert(key.clone(), SinkLive::default());
                say(key, format!("what {} holds for it", spec.deliver_to.named()));
            }
        }
    }
}

fn licence(live: &mut Live, account: &Name) -> bool {
    let known: &mut AccountLive = live.qlik.accounts.entry(account.clone()).or_default();
    let missing = known.licence.is_none();
    if missing {
        known.licence = Some(Observed::Present(LicenceLive { status: "not read".into(), valid: true }));
    }
    missing
}

/// Takes a rehearsal for passed that nobody can tell to be of these credentials.
fn rehearsal(live: &mut Live, account: &Name, way: &Way) -> bool {
    const NOT_READ: &str = "not read";
    let known = live.qlik.accounts.entry(account.clone()).or_default();
    if known.credentials.iter().any(|(known, _)| known == way) {
        return false;
    }
    known.credentials.push((way.clone(), NOT_READ.to_owned()));
    if let (LedgerLive::Present(facts), Some(run)) = (&mut live.ledger, RunId::parse("0000000000000000")) {
        facts.rehearsals.push(Rehearsal {
            account: account.clone(),
            owner: way.clone(),
            credential: NOT_READ.to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            run,
            failure: None,
        });
    }
    true
}

fn ways(desired: &Desired, tenant: &Address) -> BTreeSet<Way> {
    desired.qlik_keys(tenant).filter(|(_, key, _)| key.adopt.is_none()).map(|(_, key, _)| key.owner.way()).collect()
}

fn not_there(spec: &QlikTenant) -> Unreadable {
    Unreadable {
        why: "it is not in the snapshot, so nobody has looked at it".into(),
        next: format!("plan with the credentials of account {}; with them it is read", spec.account),
        credentials: false,
    }
}
