//! The obstacles behind the present refusals: each that a person can remove is thought away, and the plan is made
//! again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::address::Address;
use crate::model::desired::Desired;
use crate::model::live::{LedgerLive, Live};

use super::action::{Action, Notice, Plan};
use super::refusal::{Code, Refusal};
use super::scene::Wishes;

/// The number of objects that are named for one kind of obstacle.
const NAMED: usize = 3;

/// Tells of a plan what else would be refused once its own refusals are seen to: all at once, not one a run.
pub fn tell(desired: &Desired, live: &Live, wishes: &Wishes, now: Timestamp, plan: &mut Plan) {
    let (mut live, mut wishes) = (live.clone(), wishes.clone());
    let mut seen: BTreeSet<(Address, Code)> = refusals(plan).map(|(at, refusal)| (at.clone(), refusal.code)).collect();
    let mut codes: BTreeSet<Code> = seen.iter().map(|(_, code)| *code).collect();
    let mut found: Vec<(Refusal, Vec<Address>)> = Vec::new();
    while think_away(&codes, &mut live, &mut wishes) {
        let then = super::plan(desired, &live, &wishes, now);
        codes = refusals(&then).map(|(_, refusal)| refusal.code).collect();
        for (address, refusal) in refusals(&then) {
            // What only waits for another object's refusal is no obstacle of its own.
            if refusal.code == Code::Depends || !seen.insert((address.clone(), refusal.code)) {
                continue;
            }
            match found.iter_mut().find(|(known, _)| known == refusal) {
                Some((_, addresses)) => addresses.push(address.clone()),
                None => found.push((refusal.clone(), vec![address.clone()])),
            }
        }
    }
    plan.notices.extend(found.iter().map(|(refusal, addresses)| notice(refusal, addresses)));
}

/// Removes what a person could have removed. Returns whether anything was.
fn think_away(codes: &BTreeSet<Code>, live: &mut Live, wishes: &mut Wishes) -> bool {
    let mut any = false;
    if let (true, LedgerLive::Missing { strict, .. }) = (codes.contains(&Code::LedgerMissing), &mut live.ledger) {
        any |= std::mem::take(strict);
    }
    if codes.contains(&Code::LedgerNotDurable) {
        any |= std::mem::take(&mut live.ledger_forgets);
    }
    if codes.contains(&Code::NotRehearsed) || codes.contains(&Code::RehearsalFailed) {
        any |= !std::mem::replace(&mut wishes.unrehearsed, true);
    }
    any
}

fn refusals(plan: &Plan) -> impl Iterator<Item = (&Address, &Refusal)> {
    plan.actions.iter().filter_map(|planned| {
        let Action::Refuse(refusal) = &planned.action else { return None };
        Some((&planned.address, refusal))
    })
}

fn notice(refusal: &Refusal, addresses: &[Address]) -> Notice {
    let mut names: Vec<String> = addresses.iter().take(NAMED).map(ToString::to_string).collect();
    if addresses.len() > NAMED {
        names.push(format!("{} more", addresses.len() - NAMED));
    }
    let next = refusal.next.first().map(|next| format!("; next: {next}")).unwrap_or_default();
    Notice::general(format!("then in the way, {} for {}: {}{next}", refusal.code, names.join(", "), refusal.why.raw()))
}
