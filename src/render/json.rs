//! JSON for programs: one document on every exit, in a format of its own that `schemas/plan.v1.json` describes.

mod details;
mod document;
mod from;
mod from_details;
mod imburse;
mod object;
mod words;
mod write;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::apply::event::Report;
use crate::model::address::{Address, Name};
use crate::model::live::LedgerFacts;
use crate::model::record::LedgerId;
use crate::plan::action::{Plan, Planned};
use crate::plan::explain::Explanation;
use crate::plan::refusal::Code;
use crate::plan::review::{Moved, essence};

use super::{Outcome, Verdict};
use document::{Answer, AnswerDocument, Document, ErrorDocument, Failed, LedgerRecord, PlanDocument, ReportDocument};

/// The plan as one document, ending with a newline.
pub fn plan(plan: &Plan, verdict: &Verdict) -> String {
    write::pretty(&PlanDocument::of(plan, verdict))
}

/// The plan and what became of it, ending with a newline.
pub fn report(plan: &Plan, report: &Report, verdict: &Verdict) -> String {
    write::pretty(&ReportDocument::of(plan, report, verdict))
}

/// The same of a run that was held to a reviewed plan: also what was no longer as reviewed.
pub fn reviewed(plan: &Plan, report: &Report, moved: &[Moved], verdict: &Verdict) -> String {
    let mut document = ReportDocument::of(plan, report, verdict);
    document.moved = moved.iter().map(document::Moved::from).collect();
    write::pretty(&document)
}

/// A run that came to no plan: what was wrong and the ways out. `faults` are those of the configuration, one each.
pub fn error(message: &str, next: &[String], exit: u8, outcome: Outcome, faults: Option<&Value>) -> String {
    let failed = Failed { message: message.to_owned(), next: next.to_vec(), faults: faults.cloned() };
    write::pretty(&ErrorDocument::of(failed, exit, outcome))
}

/// `qlik-plan validate`: how many objects are declared, and whether settings were at hand.
pub fn valid(objects: usize, with_settings: bool) -> String {
    write::pretty(&AnswerDocument::of(Answer::Valid { objects, with_settings }, 0))
}

/// `qlik-plan explain ADDRESS`.
pub fn explained(explanation: &Explanation) -> String {
    let Explanation { address, read, path, actions, notices } = explanation;
    let said = Answer::Explained {
        address: address.to_string(),
        read: read
            .iter()
            .map(|fact| document::Fact { name: fact.name.clone(), value: fact.value.raw().to_owned() })
            .collect(),
        path: path.clone(),
        actions: actions.iter().map(document::Action::from).collect(),
        notices: notices.iter().map(|notice| notice.text.raw().to_owned()).collect(),
    };
    write::pretty(&AnswerDocument::of(said, 0))
}

/// `qlik-plan explain CODE`.
pub fn page(code: Code, text: &str) -> String {
    write::pretty(&AnswerDocument::of(Answer::Page { code: code.as_str(), text: text.to_owned() }, 0))
}

/// `qlik-apply ledger init`.
pub fn ledger_made(id: &LedgerId, place: &str) -> String {
    write::pretty(&AnswerDocument::of(Answer::LedgerMade { id: id.to_string(), place: place.to_owned() }, 0))
}

/// `qlik-apply ledger list`.
pub fn ledger(facts: &LedgerFacts) -> String {
    let records = facts.records.values().map(LedgerRecord::from).collect();
    let said = Answer::Ledger { id: facts.id.to_string(), place: facts.place.clone(), records };
    write::pretty(&AnswerDocument::of(said, 0))
}

/// `qlik-apply rehearse`, where every way of owning passed.
pub fn rehearsed(account: &Name, passed: &[String]) -> String {
    write::pretty(&AnswerDocument::of(Answer::Rehearsed { account: account.to_string(), passed: passed.to_vec() }, 0))
}

/// `qlik-apply resolve`: what was said or done, and what is left to do.
pub fn resolved(address: &Address, text: &str, next: &[String]) -> String {
    let said = Answer::Resolved { address: address.to_string(), text: text.to_owned(), next: next.to_vec() };
    write::pretty(&AnswerDocument::of(said, u8::from(!next.is_empty())))
}

/// What a plan says, as `sha256:` and 64 hexadecimal digits.
///
/// It covers the actions as this format writes them and the live facts that they rest on, keys sorted, without white
/// space, without `at`. Where an object is declared, and when the plan was made, changes nothing of what apply would do;
/// notices and what was not checked are remarks on it. Two plans of one hash therefore do the same, for the same reasons.
pub fn hash(plan: &Plan) -> String {
    let actions: Vec<document::Action> = plan
        .actions
        .iter()
        .filter_map(|planned| {
            Some(document::Action::from(&Planned { action: essence(&planned.action)?, ..planned.clone() }))
        })
        .collect();
    write::hash(&actions, &plan.facts)
}

/// The SHA-256 of a value's one canonical spelling, as `sha256:` and 64 hexadecimal digits.
pub fn sum(value: &Value) -> String {
    write::sum(value)
}

/// Somebody else's document, in one line.
pub(super) fn line(document: &impl serde::Serialize) -> String {
    write::compact(document)
}

/// JSON Schema (draft 2020-12) of the documents of this room.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), Value::from("qlik-plan output, version 1"));
    let mut schema = schema.to_value();
    without_foreign_formats(&mut schema);
    schema
}

/// `uint32` and the like are Rust's own, and JavaScript's usual validator refuses to compile what it does not know.
fn without_foreign_formats(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_foreign_formats),
        Value::Object(map) => {
            if map.get("format").and_then(Value::as_str).is_some_and(|format| format.contains("int")) {
                map.remove("format");
            }
            map.values_mut().for_each(without_foreign_formats);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
