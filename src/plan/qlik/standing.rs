//! The checks on a kept key: if it works and can be renewed, as far as that was read. They look at its owner, its
//! permission, its life.

use crate::model::live::{KeyLive, Observed};
use crate::model::spec::Owner;
use crate::model::untrusted::Untrusted;

use super::ground::{Case, Ground};
use super::headroom::could_mint;
use super::slots::Slots;
use crate::plan::action::Plan;
use crate::plan::finding::Finding;
use crate::plan::refusal::Code;

pub(super) fn find(case: &Case<'_, '_>, slots: &Slots, good: &KeyLive, plan: &mut Plan) {
    let (address, at) = (case.address, case.scene.desired.items.get(case.address).map(|declared| &declared.at));
    let about = |finding: Finding| {
        let finding = finding.of(address);
        at.map_or(finding.clone(), |at| finding.at(at))
    };
    if let Some(status) = not_active(case) {
        let who = match &case.spec.owner {
            Owner::Client => "its owner, the account's key client,".to_owned(),
            Owner::Configured(name) => format!("its owner {name}"),
            Owner::User(user) => format!("its owner (user with {user})"),
        };
        let key = Untrusted::from(good.id.as_str());
        let finding = Finding::new(
            Code::OwnerInactive,
            format!("{who} is {status}: key {key} is not accepted for as long as that is so, and cannot be renewed"),
            "activate the user (Administration > Manage users)",
        )
        .or("or declare the key under another name, with another owner, and remove this one");
        plan.findings.push(about(finding));
        return;
    }
    let Err(refusal) = could_mint(case, slots) else { return };
    // The tenant's own refusal says that already, and a change of owner is refused.
    if matches!(refusal.code, Code::Depends | Code::OwnerChanged) {
        return;
    }
    let when = good.expiry.map(|expiry| format!(" before it ends {expiry:.0}")).unwrap_or_default();
    let why = format!("it is kept, and could not be renewed{when}: {}", refusal.why.raw());
    plan.findings.push(about(Finding {
        code: refusal.code,
        address: None,
        at: None,
        why: why.into(),
        next: refusal.next,
    }));
}

/// Returns the owner's status, where that was read and is not active.
fn not_active<'a>(case: &Case<'a, '_>) -> Option<&'a Untrusted> {
    let Ground::Exists { live, .. } = case.ground else { return None };
    let owner = &case.spec.owner;
    if let Some(Observed::Present(caller)) = live.caller(owner) {
        return (!caller.is_active()).then_some(&caller.status);
    }
    let holders = live.holders.as_ref().and_then(Observed::present)?;
    holders.inactive.iter().find(|(known, _)| known == owner).map(|(_, status)| status)
}
