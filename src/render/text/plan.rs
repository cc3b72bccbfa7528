//! A plan as people review it: legend, one block an action, notices, what was not checked, and one line that sums up.

use crate::model::untrusted::escape;
use crate::plan::action::{Notice, Plan, Unchecked};
use crate::render::Look;
use crate::render::block::{Block, place};
use crate::render::guard;
use crate::render::layout::{count, pad, table, widest, width};
use crate::render::line::Line;
use crate::render::style::{FAINT, STRONG, Sign, paint};
use crate::render::summary;

/// Kept objects are listed up to this many: an estate of thousands should show what changes.
const KEPT_LISTED: usize = 20;

/// The whole plan, ending with a newline.
pub fn plan(plan: &Plan, look: &Look) -> String {
    let Plan { now, actions, facts: _, findings, notices, unchecked } = plan; // facts are for saved plans and `explain`
    let blocks: Vec<Block> = actions.iter().map(|planned| Block::of(planned, *now)).collect();
    let kept = blocks.iter().filter(|block| block.sign == Sign::Keep).count();
    let listed: Vec<&Block> = blocks.iter().filter(|block| block.sign != Sign::Keep || kept <= KEPT_LISTED).collect();

    let mut lines = legend(&listed, look);
    lines.extend(lay(&listed, look));
    if kept > KEPT_LISTED {
        separate(&mut lines);
        lines.push(format!("  {} {} are as declared and not listed.", Sign::Keep.mark(), count(kept, "object")));
    }
    let found: Vec<Block> = findings.iter().map(Block::found).collect();
    if !found.is_empty() {
        separate(&mut lines);
        lines.push(paint("Findings:", STRONG, look));
        lines.extend(lay(&found.iter().collect::<Vec<_>>(), look));
    }
    section(&mut lines, "Notices:", notices.iter().map(notice).collect(), look);
    section(&mut lines, "Not checked:", unchecked.iter().map(not_checked).collect(), look);
    separate(&mut lines);
    lines.push(paint(&summary::plan(plan), STRONG, look));
    guard::text(lines.join("\n") + "\n")
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
fn lay(blocks: &[&Block], look: &Look) -> Vec<String> {
    let addresses = widest(blocks.iter().map(|block| block.address.as_str()));
    let places = widest(blocks.iter().map(|block| block.at.as_str()));
    let head = |block: &Block| 4 + addresses + 2 + width(&block.what);
    let longest = blocks.iter().map(|block| head(block)).max().unwrap_or(0);
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
