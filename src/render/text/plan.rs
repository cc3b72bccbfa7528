//! A plan as people review it: legend, what needs a person, what is done, what was not checked, and one line that sums up.

use crate::model::untrusted::escape;
use crate::plan::action::{Notice, Plan, Unchecked};
use crate::render::block::{Block, place};
use crate::render::guard;
use crate::render::layout::{count, pad, table, widest, width};
use crate::render::line::Line;
use crate::render::style::{FAINT, STRONG, Sign, paint};
use crate::render::summary;
use crate::render::{Detail, Look};

use super::refused::{self, ALIKE};
use super::routine::{by_tenant, is_routine};

/// Kept objects are listed up to this many: an estate of thousands should show what changes.
const KEPT_LISTED: usize = 20;
/// Routine is told in full up to so many lines, about three new tenants with two keys each: what somebody reads to its end.
const IN_FULL: usize = 120;

/// The whole plan, ending with a newline: what a reader must see first, then routine, then what is as declared.
pub fn plan(plan: &Plan, look: &Look) -> String {
    let Plan { now, actions, facts: _, findings, notices, unchecked } = plan; // facts are for saved plans and `explain`
    let of = |weight: Weight| actions.iter().filter(move |planned| Weight::of(Sign::of(&planned.action)) == weight);
    let blocks = |weight: Weight| of(weight).map(|planned| Block::of(planned, *now)).collect::<Vec<Block>>();
    let (mut work, kept) = (blocks(Weight::Work), blocks(Weight::Kept));
    let mut trouble = match look.detail {
        Detail::All => blocks(Weight::Refused),
        Detail::Fitting | Detail::Trouble => refused::by_cause(of(Weight::Refused), *now),
    };
    trouble.extend(blocks(Weight::Amiss));

    let is_much = work.iter().map(|block| block.lines.len() + 2).sum::<usize>() > IN_FULL;
    let told = match look.detail {
        Detail::Fitting if is_much => Told::InShort,
        Detail::Fitting | Detail::All => Told::InFull,
        Detail::Trouble => Told::Not,
    };
    let (routine, weighty): (Vec<_>, Vec<_>) = of(Weight::Work).partition(|planned| is_routine(&planned.action));
    let short = by_tenant(&routine, *now);
    let steps = format!("{} of {}", count(routine.len(), "step"), count(short.len(), "tenant"));
    let how = match told {
        Told::InFull => None,
        Told::InShort => Some(format!("{steps}, one line a tenant; --details shows each step.")),
        Told::Not => (!routine.is_empty()).then(|| format!("{steps} not listed; --details lists each.")),
    };
    if told != Told::InFull {
        work = weighty.iter().map(|planned| Block::of(planned, *now)).collect();
        work.extend(short.into_iter().filter(|_| told == Told::InShort));
    }
    let kept_listed = kept.len() <= KEPT_LISTED && told != Told::Not;

    let listed = trouble.iter().chain(&work).chain(kept.iter().filter(|_| kept_listed)).collect::<Vec<_>>();
    let mut lines = Vec::new();
    group(&mut lines, "", &trouble, look);
    let found: Vec<Block> = findings.iter().map(Block::found).collect();
    if !found.is_empty() {
        separate(&mut lines);
        lines.push(paint("Findings:", STRONG, look));
        lines.extend(lay(&found, look));
    }
    let rows = |rows: Vec<Vec<String>>| if told == Told::InFull { rows } else { fold(rows) };
    section(&mut lines, "Notices:", rows(notices.iter().map(notice).collect()), look);
    group(&mut lines, "To do:", &work, look);
    if let Some(how) = how {
        separate(&mut lines);
        lines.push(format!("  {how}"));
    }
    if told != Told::Not {
        section(&mut lines, "Not checked:", rows(unchecked.iter().map(not_checked).collect()), look);
        if kept_listed {
            group(&mut lines, "As declared:", &kept, look);
        } else {
            separate(&mut lines);
            let objects = count(kept.len(), "object");
            lines.push(format!("  {} {objects} are as declared and not listed.", Sign::Keep.mark()));
        }
    }
    separate(&mut lines);
    lines.push(paint(&summary::plan(plan), STRONG, look));
    let lines = [legend(&listed, look), lines].concat();
    guard::text(lines.join("\n") + "\n")
}

/// How routine is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    InFull,
    InShort,
    Not,
}

/// What a reader is to see first. Findings and notices stand behind what is amiss.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Refused,
    Amiss,
    Work,
    Kept,
}

impl Weight {
    fn of(sign: Sign) -> Self {
        match sign {
            Sign::Refuse => Self::Refused,
            Sign::Drift | Sign::Wait => Self::Amiss,
            Sign::Create | Sign::Change | Sign::Renew | Sign::Reclaim => Self::Work,
            Sign::Keep => Self::Kept,
        }
    }
}

/// Blocks, below a title where something else stands before them.
fn group(lines: &mut Vec<String>, title: &str, blocks: &[Block], look: &Look) {
    if !blocks.is_empty() {
        if !lines.is_empty() {
            separate(lines);
            lines.push(paint(title, STRONG, look));
        }
        lines.extend(lay(blocks, look));
    }
}

/// Many objects of which the same is said, in one row: the first of them, and how many more.
fn fold(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let mut alike: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows {
        let mut cells = row.into_iter();
        let (address, text) = (cells.next().unwrap_or_default(), cells.collect::<String>());
        match alike.iter_mut().find(|(known, _)| *known == text) {
            Some((_, of)) => of.push(address),
            None => alike.push((text, vec![address])),
        }
    }
    let rows = alike.into_iter().flat_map(|(text, of)| {
        let addresses = match of.as_slice() {
            [first, others @ ..] if others.len() >= ALIKE => vec![format!("{first} and {} more", others.len())],
            _ => of,
        };
        addresses.into_iter().map(move |address| vec![address, text.clone()])
    });
    rows.collect()
}

/// Only the signs that occur, in one order.
fn legend(blocks: &[&Block], look: &Look) -> Vec<String> {
    let signs: Vec<Sign> =
        Sign::ALL.into_iter().filter(|sign| blocks.iter().any(|block| block.sign == *sign)).collect();
    if signs.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["Signs:".to_owned()];
    lines.extend(signs.iter().map(|sign| format!("  {} {}", paint(sign.mark(), sign.style(), look), sign.meaning())));
    lines.push(String::new());
    lines
}

/// Blocks below each other; their places stand in one column at the right.
fn lay(blocks: &[Block], look: &Look) -> Vec<String> {
    let addresses = widest(blocks.iter().map(|block| block.address.as_str()));
    let places = widest(blocks.iter().map(|block| block.at.as_str()));
    let head = |block: &Block| 4 + addresses + 2 + width(&block.what);
    let longest = blocks.iter().map(head).max().unwrap_or(0);
    let column = (longest + 2).min(look.width.saturating_sub(places));
    let mut lines: Vec<String> = Vec::new();
    let mut after_detail = false;
    for block in blocks {
        // A block with details is set off; single lines stay together.
        if (after_detail || !block.lines.is_empty()) && lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(String::new());
        }
        let gap = " ".repeat(column.saturating_sub(head(block)).max(2));
        let sign = paint(block.sign.mark(), block.sign.style(), look);
        let indent = " ".repeat(addresses.saturating_sub(width(&block.address)));
        let address = format!("{}{indent}", paint(&block.address, STRONG, look));
        let what = paint(&block.what, block.sign.style(), look);
        let head = format!("  {sign} {address}  {what}{gap}{}", paint(&block.at, FAINT, look));
        lines.push(head.trim_end().to_owned());
        lines.extend(details(&block.lines, look));
        after_detail = !block.lines.is_empty();
    }
    lines
}

/// Labels in one column; a label that repeats is shown once.
fn details(lines: &[Line], look: &Look) -> Vec<String> {
    let labels = widest(lines.iter().map(|line| line.label.as_str())) + 1;
    let mut before = "";
    lines
        .iter()
        .map(|Line { label, value }| {
            let shown = if label == before { String::new() } else { format!("{label}:") };
            before = label;
            format!("      {} {value}", paint(&pad(&shown, labels), FAINT, look))
        })
        .collect()
}

fn notice(notice: &Notice) -> Vec<String> {
    let Notice { address, at, text } = notice;
    let at = at.as_ref().map(|at| format!(" ({})", place(at))).unwrap_or_default();
    vec![address.as_ref().map(ToString::to_string).unwrap_or_default(), format!("{text}{at}")]
}

fn not_checked(unchecked: &Unchecked) -> Vec<String> {
    let Unchecked { address, what } = unchecked;
    vec![address.to_string(), escape(what)]
}

/// A title and its rows; what concerns no one object comes first, and without a column for it.
fn section(lines: &mut Vec<String>, title: &str, rows: Vec<Vec<String>>, look: &Look) {
    if rows.is_empty() {
        return;
    }
    separate(lines);
    lines.push(paint(title, STRONG, look));
    let (general, of_objects): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.first().is_some_and(String::is_empty));
    let general = general.into_iter().map(|row| format!("- {}", row.concat()));
    lines.extend(general.chain(table(&of_objects)).map(|line| format!("  {line}")));
}

fn separate(lines: &mut Vec<String>) {
    if lines.last().is_some_and(|last| !last.is_empty()) {
        lines.push(String::new());
    }
}
