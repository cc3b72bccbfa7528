//! Annotations for GitHub: workflow commands that put a plan's words on the lines of YAML that caused them.

mod command;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::apply::event::{Failure, Report, ReportLine, ReportOutcome};
use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::untrusted::escape;
use crate::plan::action::{Notice, Plan};

use super::block::{Block, place};
use super::events::deed;
use super::style::Sign;
use super::{guard, json, summary};

pub use command::{Annotation, Level};

/// GitHub shows this many annotations of each level per step, and drops the rest without a word.
pub const PER_LEVEL: usize = 10;

/// The annotations of a plan, one command a line.
pub fn plan(plan: &Plan) -> String {
    lines(&annotations(plan))
}

/// The annotations of what an apply did not make, and of what was refused or drifted.
pub fn report(plan: &Plan, report: &Report) -> String {
    let Report { started: _, lines: done, stopped } = report;
    let places = places(plan);
    let mut all = vec![general(Level::Notice, "qlik-apply", &summary::report(report))];
    for ReportLine { address, step, outcome } in done {
        let (level, what, message) = match outcome {
            ReportOutcome::Done { detail: _ } => continue, // the sum tells how many
            ReportOutcome::Failed(Failure { why, next }) => {
                (Level::Error, format!("could not {}", deed(*step)), with_next(&why.to_string(), next))
            }
            ReportOutcome::Skipped { because } => (Level::Warning, format!("did not {}", deed(*step)), escape(because)),
        };
        let at = places.get(address).copied();
        all.push(annotation(level, at, &format!("{address}: {what}"), &message));
    }
    all.extend(stopped.iter().map(|why| general(Level::Error, "qlik-apply stopped early", &escape(why))));
    all.extend(of_actions(plan).into_iter().filter(|annotation| annotation.level != Level::Notice));
    all.extend(of_findings(plan));
    lines(&held(all))
}

/// A run that came to no plan: one annotation a fault of the configuration, or one for the message.
pub fn error(message: &str, next: &[String], faults: Option<&Value>) -> String {
    let faults: Vec<Annotation> = faults.and_then(Value::as_array).into_iter().flatten().filter_map(fault).collect();
    if faults.is_empty() {
        return lines(&[general(Level::Error, "qlik-plan", &with_next(&escape(message), next))]);
    }
    lines(&held(faults))
}

/// What [`plan`] writes, before it is written as commands.
pub fn annotations(plan: &Plan) -> Vec<Annotation> {
    let sum = format!("{}\n{}", summary::plan(plan), json::hash(plan));
    let mut all = vec![general(Level::Notice, "qlik-plan", &sum)];
    all.extend(of_actions(plan));
    all.extend(of_findings(plan));
    let places = places(plan);
    for Notice { address, at, text } in &plan.notices {
        let (declared, title) = match address {
            Some(address) => (places.get(address).copied(), address.to_string()),
            None => (None, "qlik-plan".to_owned()),
        };
        all.push(annotation(Level::Notice, at.as_ref().or(declared), &title, &text.to_string()));
    }
    held(all)
}

/// One annotation for what happens to an object, in one line each; another for what is wrong with it.
fn of_actions(plan: &Plan) -> Vec<Annotation> {
    let mut all: Vec<(Address, Annotation)> = Vec::new();
    for planned in &plan.actions {
        let block = Block::of(planned, plan.now);
        let Some(level) = level(block.sign) else { continue };
        let said: Vec<String> = block.lines.iter().map(|line| format!("{}: {}", line.label, line.value)).collect();
        let known = all.iter_mut().rev().take_while(|(address, _)| *address == planned.address);
        match known.map(|(_, annotation)| annotation).find(|annotation| annotation.level == level) {
            Some(same) => same.add(&block.what, &guard::text(said.join("\n"))),
            None => {
                let title = format!("{}: {}", block.address, block.what);
                all.push((planned.address.clone(), annotation(level, Some(&planned.at), &title, &said.join("\n"))));
            }
        }
    }
    all.into_iter().map(|(_, annotation)| annotation).collect()
}

/// On the line of the object, where it is declared.
fn of_findings(plan: &Plan) -> impl Iterator<Item = Annotation> {
    let places = places(plan);
    plan.findings.iter().map(move |finding| {
        let Block { sign: _, address, what, at: _, lines } = Block::found(finding);
        let said: Vec<String> = lines.iter().map(|line| format!("{}: {}", line.label, line.value)).collect();
        let declared = finding.address.as_ref().and_then(|address| places.get(address).copied());
        annotation(Level::Warning, finding.at.as_ref().or(declared), &format!("{address}: {what}"), &said.join("\n"))
    })
}

fn level(sign: Sign) -> Option<Level> {
    match sign {
        Sign::Create | Sign::Change | Sign::Renew | Sign::Reclaim | Sign::Wait => Some(Level::Notice),
        Sign::Drift => Some(Level::Warning),
        Sign::Refuse => Some(Level::Error),
        Sign::Keep => None,
    }
}

/// At most [`PER_LEVEL`] of each level; the last of a level tells how many there was no room for.
fn held(all: Vec<Annotation>) -> Vec<Annotation> {
    let mut out = Vec::new();
    for level in Level::ALL {
        let mut of_level: Vec<Annotation> = all.iter().filter(|one| one.level == level).cloned().collect();
        if of_level.len() > PER_LEVEL {
            let rest = of_level.len() - (PER_LEVEL - 1);
            of_level.truncate(PER_LEVEL - 1);
            let text = format!(
                "{rest} more annotations of this level are not shown, since GitHub shows {PER_LEVEL} a step; \
                 the plan itself lists everything"
            );
            of_level.push(general(level, &format!("qlik-plan: {rest} more"), &text));
        }
        out.extend(of_level);
    }
    out
}

/// Where each object is declared.
fn places(plan: &Plan) -> BTreeMap<&Address, &Place> {
    // The first of an object's actions is about the object itself; a grant or an owner has a line of its own.
    plan.actions.iter().rev().map(|planned| (&planned.address, &planned.at)).collect()
}

fn fault(fault: &Value) -> Option<Annotation> {
    let text = |name: &str| fault.get(name).and_then(Value::as_str);
    let number = |name: &str| fault.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let at = Place { file: text("file")?.to_owned(), line: number("line")?, column: number("column")? };
    let message = escape(text("message")?);
    let help = text("help").map(|help| format!("\nhelp: {}", escape(help))).unwrap_or_default();
    Some(annotation(Level::Error, Some(&at), text("code")?, &format!("{message}{help}")))
}

fn with_next(why: &str, next: &[String]) -> String {
    let next: Vec<String> = next.iter().map(|step| format!("\nnext: {}", escape(step))).collect();
    format!("{why}{}", next.concat())
}

fn general(level: Level, title: &str, message: &str) -> Annotation {
    annotation(level, None, title, message)
}

/// `title` and `message` are escaped by the caller, who may have put line ends between.
fn annotation(level: Level, at: Option<&Place>, title: &str, message: &str) -> Annotation {
    // GitHub looks for the file under its very name. One whose name cannot be written as it is, is named in the words.
    let (at, place) = match at {
        Some(at) if guard::json(&escape(&at.file)) == at.file => (Some(at.clone()), String::new()),
        Some(at) => (None, format!("\n{}", place(at))),
        None => (None, String::new()),
    };
    Annotation { level, title: guard::text(title.to_owned()), message: guard::text(format!("{message}{place}")), at }
}

fn lines(annotations: &[Annotation]) -> String {
    annotations.iter().map(|annotation| format!("{annotation}\n")).collect()
}
