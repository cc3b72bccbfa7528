//! Groups as text within a limit: routine is shortened before what a reader must act on, and what was left out is counted.

use super::group::{Fold, Group, Item};
use super::medium::Medium;

/// How much of a group is written: the first `whole` items whole, and those up to `listed` in one line each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    whole: usize,
    listed: usize,
}

/// Room for the sentence that says that something was left out.
const NOTE_MAX: usize = 200;
/// Room for a group's title, frame and count of what was left out.
const FRAME_MAX: usize = 150;

/// The head and the groups, of at most the medium's limit.
pub(super) fn fit(head: &str, groups: &[Group], medium: Medium) -> String {
    let groups: Vec<&Group> = groups.iter().filter(|group| !group.items.is_empty()).collect();
    let shown = shorten(&groups, medium.limit().saturating_sub(head.len() + NOTE_MAX));
    let mut out = head.to_owned();
    if let Some(note) = note(&groups, &shown) {
        out.extend(["\n", &note, "\n"]);
    }
    for (group, shown) in groups.iter().zip(&shown) {
        out.push_str(&write(group, *shown, medium));
    }
    out
}

/// From the last group to the first, routine before the rest: details go, then lines.
fn shorten(groups: &[&Group], room: usize) -> Vec<Shown> {
    let mut shown: Vec<Shown> =
        groups.iter().map(|group| Shown { whole: group.items.len(), listed: group.items.len() }).collect();
    let mut total: usize = groups.iter().zip(&shown).map(|(group, shown)| weight(group, *shown)).sum();
    for routine in [true, false] {
        for lines in [false, true] {
            for (group, shown) in groups.iter().zip(&mut shown).rev().filter(|(group, _)| group.routine == routine) {
                if total > room {
                    let others = total - weight(group, *shown);
                    let left = room.saturating_sub(others + FRAME_MAX);
                    *shown = if lines { listed_within(&group.items, left) } else { whole_within(&group.items, left) };
                    total = others + weight(group, *shown);
                }
            }
        }
    }
    shown
}

/// All items are listed, and as many of the first are whole as there is room for.
fn whole_within(items: &[Item], room: usize) -> Shown {
    let short: usize = items.iter().map(|item| item.short.len()).sum();
    let more = items.iter().map(|item| item.whole.len().saturating_sub(item.short.len()));
    Shown { whole: within(more, room.saturating_sub(short)), listed: items.len() }
}

/// As many first items as there is room for, in one line each.
fn listed_within(items: &[Item], room: usize) -> Shown {
    Shown { whole: 0, listed: within(items.iter().map(|item| item.short.len()), room) }
}

/// How many of the first have room side by side.
fn within(weights: impl Iterator<Item = usize>, room: usize) -> usize {
    let mut total = 0;
    weights
        .take_while(|weight| {
            total += weight;
            total <= room
        })
        .count()
}

/// Not less than what [`write`] makes of it.
fn weight(group: &Group, shown: Shown) -> usize {
    let Shown { whole, listed } = shown;
    let items = group.items.iter().take(listed).enumerate();
    FRAME_MAX + items.map(|(n, item)| if n < whole { item.whole.len() } else { item.short.len() }).sum::<usize>()
}

fn write(group: &Group, shown: Shown, medium: Medium) -> String {
    let Group { title, fold, routine: _, items } = group;
    let Shown { whole, listed } = shown;
    let mut body = String::new();
    for (n, item) in items.iter().take(listed).enumerate() {
        body.push_str(if n < whole { &item.whole } else { &item.short });
    }
    let unlisted = items.len() - listed;
    if unlisted > 0 {
        let more = if listed > 0 { "more " } else { "" };
        body.extend(["\n", &unlisted.to_string(), " ", more, "not listed here.\n"]);
    }
    let count = items.len();
    if medium.folds() {
        let open = if *fold == Fold::Open { " open" } else { "" };
        format!("\n<details{open}><summary><b>{title}: {count}</b></summary>\n\n{body}\n</details>\n")
    } else {
        format!("\n**{title}: {count}**\n\n{body}")
    }
}

/// What was left out, in all.
fn note(groups: &[&Group], shown: &[Shown]) -> Option<String> {
    let (mut unexplained, mut unlisted) = (0, 0);
    for (group, Shown { whole, listed }) in groups.iter().zip(shown) {
        unlisted += group.items.len() - listed;
        unexplained += group.items.iter().take(*listed).skip(*whole).filter(|item| item.has_details()).count();
    }
    if unlisted + unexplained == 0 {
        return None;
    }
    Some(format!(
        "Shortened to fit here: {unlisted} not listed, {unexplained} without details. \
         The text and JSON formats have everything."
    ))
}
