//! A reviewed plan, compared with a new one: object by object, a change is refused and the rest stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::untrusted::Untrusted;

use super::action::{Action, CreateKey, Notice, Plan, Planned, Renew, WhyMint};
use super::fact::Fact;
use super::limit::depends;
use super::refusal::{Code, Refusal};

/// One object that is no longer as reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The object.
    pub address: Address,
    /// The place in desired state, now or, if it is no longer declared, when it was reviewed.
    pub at: Place,
    /// Empty: it was not part of what was reviewed.
    pub reviewed: Vec<Action>,
    /// Empty: it is no longer declared.
    pub now: Vec<Action>,
    /// The facts that differ. Empty where one of the plans does not have the object.
    pub facts: Vec<MovedFact>,
}

/// A fact that the actions rest on, then and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedFact {
    /// The name of the fact within its object.
    pub name: String,
    /// The value in the reviewed plan; `None` if it was not read then.
    pub reviewed: Option<Untrusted>,
    /// The value in the new plan; `None` if it was not read this time.
    pub now: Option<Untrusted>,
}

/// The new plan without everything that was not reviewed, and the differences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The new plan, in which everything that is not as reviewed is refused.
    pub plan: Plan,
    /// The objects that differ, in the order of addresses.
    pub moved: Vec<Moved>,
}

impl Review {
    /// Takes a plan as it is, for a run without a reviewed plan.
    pub fn none(plan: Plan) -> Self {
        Self { plan, moved: Vec::new() }
    }

    /// Lets through what is as it was reviewed. An object that moved is refused, and so is what depends on it; what was not
    /// reviewed is refused; what was reviewed and is done already is said.
    pub fn of(reviewed: &Plan, now: Plan) -> Self {
        let mut moved = Vec::new();
        let mut notices = Vec::new();
        let mut refusals: BTreeMap<Address, (Place, Refusal)> = BTreeMap::new();
        {
            let (then_parts, now_parts) = (parts(reviewed), parts(&now));
            let addresses: BTreeSet<&Address> = then_parts.keys().chain(now_parts.keys()).copied().collect();
            for address in addresses {
                match (then_parts.get(address), now_parts.get(address)) {
                    (Some(then), Some(now)) if then.is(now) => {}
                    (None, Some(now)) if now.has_work() => {
                        moved.push(difference(address, None, Some(now), now.at));
                        refusals.insert(address.clone(), (now.at.clone(), not_reviewed()));
                    }
                    (Some(then), Some(now)) if now.has_work() => {
                        let difference = difference(address, Some(then), Some(now), now.at);
                        refusals.insert(address.clone(), (now.at.clone(), no_longer(&difference)));
                        moved.push(difference);
                    }
                    (Some(then), Some(now)) if then.has_work() && now.is_as_declared() => notices.push(Notice {
                        address: Some(address.clone()),
                        at: None,
                        text: "what was reviewed is done already; nothing is left to do".into(),
                    }),
                    // It waits or is refused by itself, and says why; that it was to be acted on is still shown.
                    (Some(then), Some(now)) if then.has_work() => {
                        moved.push(difference(address, Some(then), Some(now), now.at));
                    }
                    (Some(then), None) if then.has_work() => {
                        moved.push(difference(address, Some(then), None, then.at));
                        refusals.insert(address.clone(), (then.at.clone(), undeclared()));
                    }
                    (Some(_), Some(_)) | (Some(_), None) | (None, Some(_)) | (None, None) => {}
                }
            }
        }
        let mut plan = refuse(now, refusals);
        plan.notices.extend(notices);
        Self { plan, moved }
    }
}

/// An object's part of a plan.
struct Part<'a> {
    at: &'a Place,
    actions: Vec<&'a Action>,
    facts: &'a [Fact],
}

impl Part<'_> {
    fn has_work(&self) -> bool {
        self.actions.iter().any(|action| action.changes_something())
    }

    fn is_as_declared(&self) -> bool {
        self.actions.iter().all(|action| matches!(action, Action::Keep(_) | Action::Drift(_)))
    }

    fn is(&self, other: &Self) -> bool {
        let essences = |part: &Self| part.actions.iter().filter_map(|action| essence(action)).collect::<Vec<_>>();
        essences(self) == essences(other) && self.facts == other.facts
    }
}

/// Returns the action without what only a look into a sink can tell: that a key is minted because the sink's is dead,
/// or because there is none; and the shape of what it holds. A plan with `--preflight read` does not look, and is the
/// same plan. `None`: it says nothing else.
pub fn essence(action: &Action) -> Option<Action> {
    if let Action::CreateKey(create) = action {
        let why = match &create.why {
            WhyMint::Dead { .. } => WhyMint::Missing,
            why @ (WhyMint::Missing | WhyMint::Supersede { .. } | WhyMint::Asked | WhyMint::Replaced { .. }) => {
                why.clone()
            }
        };
        return Some(Action::CreateKey(CreateKey { why, replaces: Vec::new(), ..create.clone() }));
    }
    if let Action::Renew(renew) = action {
        let create = CreateKey { replaces: Vec::new(), ..renew.create.clone() };
        return Some(Action::Renew(Renew { create, ..renew.clone() }));
    }
    if let Action::Drift(drift) = action {
        return drift.essence();
    }
    Some(action.clone())
}

fn parts(plan: &Plan) -> BTreeMap<&Address, Part<'_>> {
    let mut parts: BTreeMap<&Address, Part<'_>> = BTreeMap::new();
    for Planned { address, at, action } in &plan.actions {
        let facts = plan.facts.get(address).map(Vec::as_slice).unwrap_or_default();
        let part = parts.entry(address).or_insert_with(|| Part { at, actions: Vec::new(), facts });
        part.actions.push(action);
    }
    parts
}

fn difference(address: &Address, then: Option<&Part>, now: Option<&Part>, at: &Place) -> Moved {
    let actions = |part: Option<&Part>| {
        part.map(|part| part.actions.iter().map(|action| (*action).clone()).collect()).unwrap_or_default()
    };
    let facts = |part: Option<&Part>| -> BTreeMap<String, Untrusted> {
        let facts = part.map(|part| part.facts).unwrap_or_default();
        facts.iter().map(|fact| (fact.name.clone(), fact.value.clone())).collect()
    };
    let (before, after) = (facts(then), facts(now));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let facts = match (then, now) {
        (Some(_), Some(_)) => names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name))
            .map(|name| MovedFact {
                name: name.clone(),
                reviewed: before.get(name).cloned(),
                now: after.get(name).cloned(),
            })
            .collect(),
        // Of an object that one side does not have, everything would differ and nothing be said by it.
        (Some(_), None) | (None, Some(_)) | (None, None) => Vec::new(),
    };
    Moved { address: address.clone(), at: at.clone(), reviewed: actions(then), now: actions(now), facts }
}

fn refuse(plan: Plan, mut refusals: BTreeMap<Address, (Place, Refusal)>) -> Plan {
    let broken: BTreeSet<Address> = refusals.keys().filter(|address| address.is_tenant()).cloned().collect();
    let dependents: Vec<(Address, Place)> = plan
        .actions
        .iter()
        .filter(|planned| planned.action.changes_something() && !refusals.contains_key(&planned.address))
        .filter(|planned| broken.contains(&planned.address.parent()))
        .map(|planned| (planned.address.clone(), planned.at.clone()))
        .collect();
    for (address, at) in dependents {
        let refusal = depends(&address.parent().to_string());
        refusals.insert(address, (at, refusal));
    }
    let Plan { now, actions, facts, findings, notices, mut unchecked } = plan;
    unchecked.retain(|unchecked| !refusals.contains_key(&unchecked.address));
    let mut actions: Vec<Planned> =
        actions.into_iter().filter(|planned| !refusals.contains_key(&planned.address)).collect();
    actions.extend(refusals.into_iter().map(|(address, (at, refusal))| Planned {
        address,
        at,
        action: Action::Refuse(refusal),
    }));
    // Stable: the actions of one object keep their order.
    actions.sort_by(|a, b| a.address.cmp(&b.address));
    Plan { now, actions, facts, findings, notices, unchecked }
}

fn no_longer(moved: &Moved) -> Refusal {
    let what = match moved.facts.as_slice() {
        [] => "what is to be done is not what was reviewed".to_owned(),
        facts => {
            let side = |value: &Option<Untrusted>| value.as_ref().map_or("not read", Untrusted::raw).to_owned();
            facts
                .iter()
                .map(|fact| format!("{} was {}, is {}", fact.name, side(&fact.reviewed), side(&fact.now)))
                .collect::<Vec<_>>()
                .join("; ")
        }
    };
    Refusal::new(
        Code::Moved,
        format!("it is no longer as it was reviewed: {what}"),
        "make a new plan (qlik-plan --out FILE), review it, and apply that",
    )
}

fn not_reviewed() -> Refusal {
    Refusal::new(
        Code::NotReviewed,
        "the plan that was reviewed does not have it",
        "make a new plan (qlik-plan --out FILE), review it, and apply that",
    )
}

fn undeclared() -> Refusal {
    Refusal::new(
        Code::Moved,
        "it was reviewed, and is not declared any more",
        "make a new plan (qlik-plan --out FILE) from what is declared now, or declare it again",
    )
}
