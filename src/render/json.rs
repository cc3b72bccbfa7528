//! JSON for programs: one document on every exit, in a format of its own that `schemas/plan.v1.json` describes.

mod details;
mod document;
mod from;
mod from_details;
mod write;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::apply::event::Report;
use crate::plan::action::Plan;

use super::Verdict;
use document::{Document, ErrorDocument, Failed, PlanDocument, ReportDocument};

/// The plan as one document, ending with a newline.
pub fn plan(plan: &Plan, verdict: &Verdict) -> String {
    write::pretty(&PlanDocument::of(plan, verdict))
}

/// The plan and what became of it, ending with a newline.
pub fn report(plan: &Plan, report: &Report, verdict: &Verdict) -> String {
    write::pretty(&ReportDocument::of(plan, report, verdict))
}

/// A run that came to no plan: what was wrong and the ways out. `faults` are those of the configuration, one each.
pub fn error(message: &str, next: &[String], exit: u8, faults: Option<&Value>) -> String {
    let failed = Failed { message: message.to_owned(), next: next.to_vec(), faults: faults.cloned() };
    write::pretty(&ErrorDocument::of(failed, exit))
}

/// What a plan says, as `sha256:` and 64 hexadecimal digits.
///
/// It covers the actions as this format writes them, keys sorted, without white space, without `at`. Where an object is
/// declared, and when the plan was made, changes nothing of what apply would do; notices and what was not checked are
/// remarks on it. Two plans of one hash therefore do the same.
pub fn hash(plan: &Plan) -> String {
    write::hash(&plan.actions.iter().map(document::Action::from).collect::<Vec<_>>())
}

/// JSON Schema (draft 2020-12) of the documents of this room.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), Value::from("qlik-plan output, version 1"));
    schema.to_value()
}
