//! A plan to be reviewed and applied later: its objects one by one, each with the facts that it rests on and a checksum.
//!
//! The checksums tell a damaged or edited file from a whole one and say where. They prove nothing against somebody who
//! wants to deceive, and need not: apply makes a plan of its own and uses this one only to leave things out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::selection::{Selection, Shard};
use crate::plan::Wishes;
use crate::plan::action::{Action, Notice, Plan, Planned, Unchecked};
use crate::plan::fact::Fact;
use crate::plan::finding::Finding;
use crate::render::json;

use super::part::Part;
use super::trouble::{Kind, Unusable, open};
use super::{PROGRAM, earlier};

const KIND: Kind = Kind { noun: "a saved plan", format: "qlik-plan/saved", version: 1, again: "qlik-plan --out FILE" };

/// A plan as it was saved, and what was asked for when it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    pub plan: Plan,
    pub hash: String,
    pub remint: BTreeSet<Address>,
    pub replace: BTreeSet<Address>,
    pub reclaim: BTreeSet<String>,
    pub new: BTreeSet<Address>,
    pub unrehearsed: bool,
    /// The part of the estate that was looked at.
    pub selection: Selection,
    /// What a shard's plan carries besides.
    pub part: Option<Part>,
}

impl SavedPlan {
    /// What was asked for when it was made.
    pub fn wishes(&self) -> Wishes {
        Wishes {
            remint: self.remint.clone(),
            replace: self.replace.clone(),
            reclaim: self.reclaim.clone(),
            new: self.new.clone(),
            unrehearsed: self.unrehearsed,
            ..Wishes::default()
        }
    }

    /// The part of the plan that one shard applies.
    pub fn of_shard(&self, shard: Shard) -> Plan {
        let mut plan = self.plan.clone();
        plan.actions.retain(|planned| shard.has(&planned.address));
        plan.facts.retain(|address, _| shard.has(address));
        plan
    }
}

/// Version 1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    version: u64,
    /// Actions mean what this version of the program makes of them.
    program: String,
    hash: String,
    now: Timestamp,
    remint: BTreeSet<Address>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    replace: BTreeSet<Address>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    reclaim: BTreeSet<String>,
    new: BTreeSet<Address>,
    unrehearsed: bool,
    #[serde(default, skip_serializing_if = "Selection::is_everything")]
    selection: Selection,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
    objects: Vec<Object>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    notices: Vec<Notice>,
    unchecked: Vec<Unchecked>,
    /// Of all the rest.
    sum: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object {
    address: Address,
    at: Place,
    actions: Vec<Action>,
    /// Actions that another place caused, by their number from 0.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    elsewhere: BTreeMap<usize, Place>,
    facts: Vec<Fact>,
    /// Of all the rest.
    sum: String,
}

/// The plan as a file's text, ending with a newline.
///
/// # Errors
/// The plan cannot be written as JSON; no plan is like that.
pub fn write_plan(
    plan: &Plan,
    wishes: &Wishes,
    selection: &Selection,
    part: Option<Part>,
) -> Result<String, serde_json::Error> {
    let Plan { now, actions, facts, findings, notices, unchecked } = plan;
    let mut objects: Vec<Object> = Vec::new();
    for Planned { address, at, action } in actions {
        match objects.last_mut().filter(|last| last.address == *address) {
            Some(last) => {
                if last.at != *at {
                    last.elsewhere.insert(last.actions.len(), at.clone());
                }
                last.actions.push(action.clone());
            }
            None => objects.push(Object {
                address: address.clone(),
                at: at.clone(),
                actions: vec![action.clone()],
                elsewhere: BTreeMap::new(),
                facts: facts.get(address).cloned().unwrap_or_default(),
                sum: String::new(),
            }),
        }
    }
    for object in &mut objects {
        object.sum = sum_of(&serde_json::to_value(&*object)?);
    }
    let mut file = File {
        format: KIND.format.to_owned(),
        version: KIND.version,
        program: PROGRAM.to_owned(),
        hash: json::hash(plan),
        now: *now,
        remint: wishes.remint.clone(),
        replace: wishes.replace.clone(),
        reclaim: wishes.reclaim.clone(),
        new: wishes.new.clone(),
        unrehearsed: wishes.unrehearsed,
        selection: selection.clone(),
        part,
        objects,
        findings: findings.clone(),
        notices: notices.clone(),
        unchecked: unchecked.clone(),
        sum: String::new(),
    };
    file.sum = sum_of(&serde_json::to_value(&file)?);
    Ok(serde_json::to_string_pretty(&file)? + "\n")
}

/// A saved plan of this program's own version, whole and as it was written. `name` is what the user called the file.
///
/// # Errors
/// It is another kind of file, of another version, torn, or edited; with the place.
pub fn read_plan(name: &str, text: &str) -> Result<SavedPlan, Unusable> {
    let value = open(&KIND, name, text)?;
    let program = value.get("program").and_then(Value::as_str).unwrap_or_default();
    if program != PROGRAM {
        let shown = crate::model::untrusted::escape(program);
        return Err(Unusable::new(
            name,
            format!("was made by version {shown} of this program, and this is version {PROGRAM}"),
            format!("make and review it with the version that applies it: {}", KIND.again),
        ));
    }
    check_sums(name, text, &value)?;
    let file: File = serde_json::from_value(earlier::plan(value)).map_err(|_| edited(name))?;
    let mut plan =
        Plan { findings: file.findings, notices: file.notices, unchecked: file.unchecked, ..Plan::empty(file.now) };
    for Object { address, at, actions, elsewhere, facts, sum: _ } in file.objects {
        plan.actions.extend(actions.into_iter().enumerate().map(|(number, action)| Planned {
            address: address.clone(),
            at: elsewhere.get(&number).unwrap_or(&at).clone(),
            action,
        }));
        plan.facts.insert(address, facts);
    }
    if json::hash(&plan) != file.hash {
        return Err(edited(name));
    }
    Ok(SavedPlan {
        plan,
        hash: file.hash,
        remint: file.remint,
        replace: file.replace,
        reclaim: file.reclaim,
        new: file.new,
        unrehearsed: file.unrehearsed,
        selection: file.selection,
        part: file.part,
    })
}

fn check_sums(name: &str, text: &str, value: &Value) -> Result<(), Unusable> {
    let holds = |value: &Value| value.get("sum").and_then(Value::as_str) == Some(sum_of(value).as_str());
    for object in value.get("objects").and_then(Value::as_array).into_iter().flatten() {
        if !holds(object) {
            return Err(edited(&place(name, text, object)));
        }
    }
    if holds(value) { Ok(()) } else { Err(edited(name)) }
}

/// The sum of a value without its own.
fn sum_of(value: &Value) -> String {
    let mut value = value.clone();
    value.as_object_mut().map(|members| members.remove("sum"));
    json::sum(&value)
}

/// `FILE:LINE (ADDRESS)`, as far as both can be told.
fn place(name: &str, text: &str, object: &Value) -> String {
    let Some(address) = object.get("address").and_then(Value::as_str) else { return name.to_owned() };
    let member = format!("\"address\": \"{address}\",");
    let line = text.lines().position(|line| line.trim() == member).map(|at| format!(":{}", at + 1));
    format!("{name}{} ({})", line.unwrap_or_default(), crate::model::untrusted::escape(address))
}

fn edited(place: &str) -> Unusable {
    Unusable::new(
        place,
        "is not as it was saved: something was changed in it by hand or on its way",
        format!("take the file that was saved, or make and review a new one: {}", KIND.again),
    )
}
