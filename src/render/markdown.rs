//! A plan as a comment on a pull request: a summary, then groups that fold; whole where it fits, shorter where it does not.
//!
//! Nothing that comes from outside stands anywhere but inside fences, one line a piece. There Markdown, HTML, mentions
//! and references mean nothing, and what could end the fence is broken. Outside of fences stand our own words, numbers,
//! addresses and a hash.

mod budget;
mod group;
mod medium;

use serde_json::Value;

use crate::apply::event::{Failure, Report, ReportLine, ReportOutcome};
use crate::model::address::Name;
use crate::model::untrusted::escape;
use crate::plan::action::{Notice, Plan, Unchecked};
use crate::plan::review::Moved;

use super::block::{Block, place};
use super::events::{deed, done};
use super::style::Sign;
use super::{Look, json, summary, text};
use budget::fit;
use group::{Group, Item, cut};
pub use medium::Medium;

/// What a text is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub medium: Medium,
    /// In the hidden first line, by which the comment of an earlier run is found and replaced; `plan` unless named.
    pub comment: Option<Name>,
}

impl Page {
    /// The hidden first line. It shows on no platform, and nothing from outside can write one like it.
    pub fn marker(&self) -> String {
        let Self { medium, comment } = self;
        let comment = comment.as_ref().map_or("plan", Name::as_str);
        if medium.folds() {
            format!("<!-- qlik-plan: {comment} -->")
        } else {
            format!("[//]: # (qlik-plan: {comment})")
        }
    }
}

/// The plan, within the limit of its place.
pub fn plan(plan: &Plan, page: &Page) -> String {
    let head =
        vec![format!("**{}**", summary::plan(plan)), format!("`{}`, planned for {}", json::hash(plan), plan.now)];
    page_of(page, head, plan_groups(plan))
}

/// What an apply made and did not make, and what of its plan it was not to make.
pub fn report(plan: &Plan, report: &Report, moved: &[Moved], page: &Page) -> String {
    let Report { started, lines, stopped } = report;
    let mut head = vec![format!("**{}**", summary::report(report))];
    head.push(format!("`{}`, begun at {started}", json::hash(plan)));
    let (mut made, mut unmade, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for ReportLine { address, step, outcome } in lines {
        match outcome {
            ReportOutcome::Done { detail } => {
                made.push(Item::line(format!("+ {address}  {}  {detail}", done(*step))));
            }
            ReportOutcome::Failed(Failure { why, next }) => {
                let next = next.iter().map(|step| format!("    next: {}", escape(step)));
                let lines = std::iter::once(format!("    why: {why}")).chain(next).collect();
                unmade.push(Item { head: format!("x {address}  could not {}", deed(*step)), lines });
            }
            ReportOutcome::Skipped { because } => {
                skipped.push(Item::line(format!(". {address}  did not {}: {}", deed(*step), escape(because))));
            }
        }
    }
    let stopped = stopped.iter().map(|why| Item::line(format!("x {}", escape(why)))).collect();
    let mut groups = vec![
        Group::open("Stopped early", stopped),
        Group::open("Not made", unmade),
        Group::open("Not as reviewed any more", no_longer(plan, moved)),
        Group::closed("Skipped", skipped),
        Group::closed("Made", made),
    ];
    groups.push(found(plan));
    let quiet = |sign: Sign| matches!(sign, Sign::Refuse | Sign::Drift | Sign::Wait);
    groups.extend(of_signs(plan, quiet));
    page_of(page, head, groups)
}

/// A run that came to no plan.
pub fn error(message: &str, next: &[String], faults: Option<&Value>, page: &Page) -> String {
    let next = next.iter().map(|step| format!("    next: {}", escape(step))).collect();
    let why = Item { head: format!("x {}", escape(message)), lines: next };
    let faults = faults.and_then(Value::as_array).into_iter().flatten().map(fault).collect();
    let groups = vec![Group::open("Why", vec![why]), Group::open("Faults", faults)];
    page_of(page, vec!["**No plan could be made.**".to_owned()], groups)
}

/// The three-way view of each object, as text has it.
fn no_longer(plan: &Plan, moved: &[Moved]) -> Vec<Item> {
    let view = text::review(moved, plan.now, &Look::PLAIN);
    let mut items: Vec<Item> = Vec::new();
    for line in view.lines().skip(1) {
        match (line.strip_prefix("      "), items.last_mut()) {
            (Some(detail), Some(item)) => item.lines.push(format!("    {}", cut(detail))),
            _ => items.push(Item::line(format!("x {}", line.trim_start()))),
        }
    }
    items
}

fn page_of(page: &Page, head: Vec<String>, groups: Vec<Group>) -> String {
    let head = std::iter::once(page.marker()).chain(head).collect::<Vec<String>>().join("\n\n") + "\n";
    fit(&head, &groups, page.medium)
}

/// What matters most stands first, and is shortened last.
fn plan_groups(plan: &Plan) -> Vec<Group> {
    let mut groups = of_signs(plan, |_| true);
    // Of all that there is only what is refused matters more.
    groups.insert(groups.len().min(1), found(plan));
    let kept = groups.pop_if(|group| group.title == title(Sign::Keep));
    let notice = |Notice { address, at, text }: &Notice| {
        let address = address.as_ref().map(|address| format!("{address}  ")).unwrap_or_default();
        let at = at.as_ref().map(|at| format!(" ({})", place(at))).unwrap_or_default();
        Item::line(format!("- {address}{text}{at}"))
    };
    let unchecked = |Unchecked { address, what }: &Unchecked| Item::line(format!("? {address}  {}", escape(what)));
    groups.push(Group::closed("Notices", plan.notices.iter().map(notice).collect()));
    groups.push(Group::closed("Not checked", plan.unchecked.iter().map(unchecked).collect()));
    groups.extend(kept);
    groups
}

/// Findings stand open, as refusals do: nothing else in a plan without work says that it is not clean.
fn found(plan: &Plan) -> Group {
    Group::open("Findings", plan.findings.iter().map(|finding| Item::of(&Block::found(finding))).collect())
}

fn of_signs(plan: &Plan, wanted: impl Fn(Sign) -> bool) -> Vec<Group> {
    let mut of_sign: Vec<(Sign, Vec<Item>)> =
        ORDER.into_iter().filter(|sign| wanted(*sign)).map(|sign| (sign, Vec::new())).collect();
    for planned in &plan.actions {
        let sign = Sign::of(&planned.action);
        if let Some((_, items)) = of_sign.iter_mut().find(|(known, _)| *known == sign) {
            items.push(Item::of(&Block::of(planned, plan.now)));
        }
    }
    of_sign
        .into_iter()
        .map(
            |(sign, items)| {
                if sign == Sign::Refuse { Group::open(title(sign), items) } else { Group::closed(title(sign), items) }
            },
        )
        .collect()
}

const ORDER: [Sign; 8] =
    [Sign::Refuse, Sign::Create, Sign::Reclaim, Sign::Change, Sign::Renew, Sign::Drift, Sign::Wait, Sign::Keep];

fn title(sign: Sign) -> &'static str {
    match sign {
        Sign::Refuse => "Refused",
        Sign::Create => "To create",
        Sign::Reclaim => "To revoke",
        Sign::Change => "To set up or record, once",
        Sign::Renew => "To renew",
        Sign::Drift => "Differs, reported and not changed",
        Sign::Wait => "Waits for another run",
        Sign::Keep => "As declared",
    }
}

fn fault(fault: &Value) -> Item {
    let text = |name: &str| fault.get(name).and_then(Value::as_str).map(escape).unwrap_or_default();
    let number = |name: &str| fault.get(name).and_then(Value::as_u64).unwrap_or_default();
    let place = format!("{}:{}:{}", text("file"), number("line"), number("column"));
    let help = Some(text("help")).filter(|help| !help.is_empty());
    Item {
        head: format!("x {place}  {}  {}", text("code"), text("message")),
        lines: help.map(|help| format!("    help: {help}")).into_iter().collect(),
    }
}
