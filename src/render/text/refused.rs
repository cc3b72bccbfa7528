//! Refusals by cause: where many objects are refused for one reason, the reason is told once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::action::{Action, Planned};
use crate::plan::refusal::Code;
use crate::render::block::Block;
use crate::render::line::line;

/// So many objects of which one thing is said each have their line.
pub(super) const ALIKE: usize = 3;
/// So many of the others are named; `--details` tells of each.
const NAMED: usize = 5;

/// One block for each cause that is told of more than a few objects, and one for each other object, in the plan's order.
pub(super) fn by_cause<'a>(refused: impl Iterator<Item = &'a Planned>, now: Timestamp) -> Vec<Block> {
    let mut causes: Vec<Vec<Block>> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for planned in refused {
        let block = Block::of(planned, now);
        let index = *known.entry(cause(planned, &block)).or_insert(causes.len());
        match causes.get_mut(index) {
            Some(of) => of.push(block),
            None => causes.push(vec![block]),
        }
    }
    causes.into_iter().flat_map(told).collect()
}

/// What goes with a refused tenant has that tenant in its words, and is one cause all the same.
fn cause(planned: &Planned, block: &Block) -> String {
    let depends = matches!(&planned.action, Action::Refuse(refusal) if refusal.code == Code::Depends);
    let lines = block.lines.iter().filter(|_| !depends).map(|line| line.value.as_str());
    [block.what.as_str()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn told(mut blocks: Vec<Block>) -> Vec<Block> {
    if blocks.len() > ALIKE + 1 {
        let others = blocks.split_off(1);
        let named: Vec<&str> = others.iter().take(NAMED).map(|block| block.address.as_str()).collect();
        let more = match others.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more; --details lists each"),
        };
        for block in &mut blocks {
            block.lines.push(line("likewise", format!("{}{more}", named.join(", "))));
        }
    }
    blocks
}
