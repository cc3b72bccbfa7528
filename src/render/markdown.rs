//! A plan as a comment on a pull request: what is wrong first, then what will be done, by tenant; whole where it fits,
//! shorter where it does not.
//!
//! What comes from outside stands in code spans and fences only, one line a piece. There Markdown, HTML, mentions and
//! references mean nothing, and what could end them is broken. Elsewhere stand our own words, numbers, addresses, a hash,
//! and links made of characters that need no escape.

mod budget;
mod group;
mod medium;
mod origin;
mod page;
mod span;
mod tenants;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::apply::event::{Failure, Report, ReportLine, ReportOutcome};
use crate::model::address::Address;
use crate::model::place::Place;
use crate::model::untrusted::escape;
use crate::plan::action::{Notice, Plan, Unchecked};
use crate::plan::review::Moved;

use super::block::{Block, place};
use super::events::{deed, done};
use super::line::line;
use super::style::Sign;
use super::{Look, json, summary, text};
use budget::fit;
use group::{Fold, Group, Item};
pub use medium::Medium;
pub use origin::{Commit, Files, Origin, Web};
pub use page::Page;
use span::{code, object};

/// The plan, within the limit of its place.
pub fn plan(plan: &Plan, page: &Page) -> String {
    let mut head = page.head("qlik-plan");
    head.push(format!("**{}**", summary::plan(plan)));
    head.push(next(plan, page));
    head.push(page.facts(Some(&json::hash(plan)), &format!("planned for {}", plan.now)));
    page_of(page, head, plan_groups(plan, page))
}

/// What happens after the review, and with which command.
fn next(plan: &Plan, page: &Page) -> String {
    let works = plan.actions.iter().any(|planned| is_work(Sign::of(&planned.action)));
    let command = code(&page.apply(plan));
    match (works, plan.has_refusals()) {
        (false, false) => "**Next:** nothing is to be made.".to_owned(),
        (false, true) => "**Next:** nothing can be made until what is refused is resolved; each says how.".to_owned(),
        (true, false) => format!("**Next:** after the merge, {command} makes this, and nothing else."),
        (true, true) => {
            format!("**Next:** after the merge, {command} makes what is not refused. What is refused says what to do.")
        }
    }
}

fn is_work(sign: Sign) -> bool {
    match sign {
        Sign::Create | Sign::Change | Sign::Renew | Sign::Reclaim => true,
        Sign::Keep | Sign::Drift | Sign::Wait | Sign::Refuse => false,
    }
}

/// What an apply made and did not make, and what of its plan it was not to make.
pub fn report(plan: &Plan, report: &Report, moved: &[Moved], page: &Page) -> String {
    let Report { started, lines, stopped } = report;
    let mut head = page.head("qlik-apply");
    head.push(format!("**{}**", summary::report(report)));
    let places: BTreeMap<&Address, &Place> =
        plan.actions.iter().rev().map(|planned| (&planned.address, &planned.at)).collect();
    let (mut made, mut unmade, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for ReportLine { address, step, outcome } in lines {
        let named = object(page, address, places.get(address).copied());
        match outcome {
            ReportOutcome::Done { detail } => {
                let detail = detail.to_string();
                let detail = if detail.is_empty() { String::new() } else { format!(" {}", code(&detail)) };
                made.push(Item::line(&format!("{named} {}{detail}", done(*step))));
            }
            ReportOutcome::Failed(Failure { why, next }) => {
                let mut lines = vec![line("why", why.to_string())];
                lines.extend(next.iter().map(|step| line("next", escape(step))));
                unmade.push(Item::explained(&format!("{named} could not {}", deed(*step)), &lines));
            }
            ReportOutcome::Skipped { because } => {
                let because = code(&escape(because));
                skipped.push(Item::line(&format!("{named} did not {}: {because}", deed(*step))));
            }
        }
    }
    if !unmade.is_empty() || stopped.is_some() {
        let again = code("qlik-apply apply");
        head.push(format!(
            "**Next:** each failure says what to do. Then {again} again: it goes on where this run stopped."
        ));
    }
    head.push(page.facts(Some(&json::hash(plan)), &format!("begun at {started}")));
    let stopped = stopped.iter().map(|why| Item::line(&code(&escape(why)))).collect();
    let mut groups = vec![
        Group::weighty("Stopped early", stopped),
        Group::weighty("Not made", unmade),
        Group::weighty("Not as reviewed any more", no_longer(plan, moved)),
        found(plan, page),
    ];
    groups.extend([Sign::Refuse, Sign::Drift, Sign::Wait].map(|sign| of_sign(plan, sign, page)));
    groups.push(Group::routine("Skipped", Fold::Closed, skipped));
    groups.push(Group::routine("Made", Fold::Closed, made));
    page_of(page, head, groups)
}

/// A run that came to no plan.
pub fn error(message: &str, next: &[String], faults: Option<&Value>, page: &Page) -> String {
    let mut head = page.head("qlik-plan");
    head.push("**No plan could be made.**".to_owned());
    head.push(code(&escape(message)));
    head.extend(next.iter().map(|step| format!("**Next:** {}", code(&escape(step)))));
    head.push(page.facts(None, ""));
    let faults = faults.and_then(Value::as_array).into_iter().flatten().map(|one| fault(page, one)).collect();
    page_of(page, head, vec![Group::weighty("Faults", faults)])
}

/// The three-way view of each object, as text has it.
fn no_longer(plan: &Plan, moved: &[Moved]) -> Vec<Item> {
    let view = text::review(moved, plan.now, &Look::PLAIN);
    let mut items: Vec<(String, Vec<super::line::Line>)> = Vec::new();
    for said in view.lines().skip(1) {
        match (said.strip_prefix("      "), items.last_mut()) {
            (Some(detail), Some((_, lines))) => {
                let (label, value) = detail.trim_start().split_once(':').unwrap_or(("", detail));
                lines.push(line(label, value.trim_start()));
            }
            _ => items.push((said.trim_start().to_owned(), Vec::new())),
        }
    }
    items.iter().map(|(head, lines)| Item::explained(&code(head), lines)).collect()
}

fn page_of(page: &Page, head: Vec<String>, groups: Vec<Group>) -> String {
    let head = head.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n\n") + "\n";
    fit(&head, &groups, page.medium)
}

/// What matters most stands first, and is shortened last.
fn plan_groups(plan: &Plan, page: &Page) -> Vec<Group> {
    let unchecked = |Unchecked { address, what }: &Unchecked| {
        Item::line(&format!("{} {}", object(page, address, None), code(&escape(what))))
    };
    let [refused, reclaimed, drifted, waiting, kept] =
        [Sign::Refuse, Sign::Reclaim, Sign::Drift, Sign::Wait, Sign::Keep].map(|sign| of_sign(plan, sign, page));
    vec![
        refused,
        found(plan, page),
        reclaimed,
        drifted,
        Group::weighty("Notices", notices(plan, page)),
        waiting,
        tenants::group(plan, page),
        Group::routine("Not checked", Fold::Closed, plan.unchecked.iter().map(unchecked).collect()),
        kept,
    ]
}

/// So many objects are named for one notice.
const NAMED: usize = 6;

/// One notice for one cause, and the objects or places that have it.
fn notices(plan: &Plan, page: &Page) -> Vec<Item> {
    let mut causes: Vec<(String, Vec<&Notice>)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for notice in &plan.notices {
        let text = notice.text.to_string();
        let at = *known.entry(text.clone()).or_insert(causes.len());
        match causes.get_mut(at) {
            Some((_, with)) => with.push(notice),
            None => causes.push((text, vec![notice])),
        }
    }
    let named = |Notice { address, at, text: _ }: &&Notice| match (address, at) {
        (Some(address), at) => Some(object(page, address, at.as_ref())),
        (None, Some(at)) => Some(span::line(page, at)),
        (None, None) => None,
    };
    let item = |(text, with): &(String, Vec<&Notice>)| {
        let mut names: Vec<String> = with.iter().filter_map(named).collect();
        let more = names.len().saturating_sub(NAMED);
        names.truncate(NAMED);
        if more > 0 {
            names.push(format!("{more} more"));
        }
        let of = if names.is_empty() { String::new() } else { names.join(", ") + " " };
        Item::line(&format!("{of}{}", code(text)))
    };
    causes.iter().map(item).collect()
}

/// Nothing else in a plan without work says that it is not clean.
fn found(plan: &Plan, page: &Page) -> Group {
    let item = |finding| Item::of(page, &Block::found(finding), finding.at.as_ref());
    Group::weighty("Findings", plan.findings.iter().map(item).collect())
}

fn of_sign(plan: &Plan, sign: Sign, page: &Page) -> Group {
    let items = plan.actions.iter().filter(|planned| Sign::of(&planned.action) == sign);
    let items = items.map(|planned| Item::of(page, &Block::of(planned, plan.now), Some(&planned.at))).collect();
    match sign {
        Sign::Refuse => Group::weighty("Refused", items),
        Sign::Reclaim => Group::weighty("To revoke", items),
        Sign::Drift => Group::weighty("Differs, reported and not changed", items),
        Sign::Wait => Group::weighty("Waits for another run", items),
        Sign::Create | Sign::Change | Sign::Renew => Group::routine("To do", Fold::Open, items),
        Sign::Keep => Group::routine("As declared", Fold::Closed, items),
    }
}

fn fault(page: &Page, fault: &Value) -> Item {
    let text = |name: &str| fault.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| fault.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let at = Place {
        file: text("file").to_owned(),
        line: number("line").unwrap_or_default(),
        column: number("column").unwrap_or_default(),
    };
    let shown = code(&format!("{}:{}", place(&at), at.column));
    let shown = span::link(page, &at).map(|url| format!("[{shown}]({url})")).unwrap_or(shown);
    let help = Some(text("help")).filter(|help| !help.is_empty()).map(|help| line("help", escape(help)));
    let said = code(&format!("{} {}", escape(text("code")), escape(text("message"))));
    Item::explained(&format!("{shown} {said}"), help.as_slice())
}
