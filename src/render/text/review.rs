//! What moved since a review: reviewed, now, and the facts that differ, object by object.

use jiff::Timestamp;

use crate::model::untrusted::{Untrusted, escape};
use crate::plan::action::{Action, Planned};
use crate::plan::review::{Moved, MovedFact};
use crate::render::Look;
use crate::render::block::Block;
use crate::render::drift::spelled;
use crate::render::guard;
use crate::render::layout::pad;
use crate::render::style::{FAINT, STRONG, paint};

/// The three-way view, ending with a newline; nothing where nothing moved.
pub fn review(moved: &[Moved], now: Timestamp, look: &Look) -> String {
    if moved.is_empty() {
        return String::new();
    }
    let mut lines = vec![paint("Not as reviewed any more:", STRONG, look)];
    for Moved { address, at, reviewed, now: today, facts } in moved {
        lines.push(format!("  {}", paint(&address.to_string(), STRONG, look)));
        let side = |label: &str, actions: &[Action], none: &str, lines: &mut Vec<String>| {
            let mut said: Vec<String> = actions
                .iter()
                .map(|action| {
                    sentence(&Planned { address: address.clone(), at: at.clone(), action: action.clone() }, now)
                })
                .collect();
            if said.is_empty() {
                said.push(none.to_owned());
            }
            labelled(label, &said, look, lines);
        };
        side("reviewed", reviewed, "not part of the plan", &mut lines);
        side("now", today, "not declared", &mut lines);
        labelled("moved", &facts.iter().map(fact).collect::<Vec<_>>(), look, &mut lines);
    }
    guard::text(lines.join("\n") + "\n")
}

fn labelled(label: &str, values: &[String], look: &Look, lines: &mut Vec<String>) {
    for (at, value) in values.iter().enumerate() {
        let shown = if at == 0 { format!("{label}:") } else { String::new() };
        lines.push(format!("      {} {value}", paint(&pad(&shown, 9), FAINT, look)));
    }
}

fn sentence(planned: &Planned, now: Timestamp) -> String {
    let block = Block::of(planned, now);
    let details: Vec<String> = block.lines.iter().map(|line| format!("{} {}", line.label, line.value)).collect();
    if details.is_empty() { block.what } else { format!("{} ({})", block.what, details.join(", ")) }
}

fn fact(fact: &MovedFact) -> String {
    let MovedFact { name, reviewed, now } = fact;
    let raw = |value: &Option<Untrusted>| value.as_ref().map_or_else(String::new, |value| value.raw().to_owned());
    let side = |value: &Option<Untrusted>, other: &Option<Untrusted>| match value {
        Some(value) => escape(&spelled(value.raw(), &raw(other))),
        None => "not read".to_owned(),
    };
    format!("{}: {} -> {}", escape(name), side(reviewed, now), side(now, reviewed))
}
