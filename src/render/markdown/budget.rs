//! Groups as text within a limit: shortened group by group, never inside a fence, and what was left out is counted.

use super::group::{Group, Item};
use super::medium::Medium;

/// How much of a group is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Every line.
    Whole,
    /// Without the lines that explain, and this many.
    Heads(usize),
}

/// Room for the sentence that says that something was left out.
const NOTE_MAX: usize = 200;
/// Room for a group's title, fence and count of what was left out.
const FRAME_MAX: usize = 250;

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

/// From the last group to the first: explanations go, then lines. What stands open is what a reader must act on: all else
/// is shortened before it.
fn shorten(groups: &[&Group], room: usize) -> Vec<Shown> {
    let mut shown = vec![Shown::Whole; groups.len()];
    let mut total: usize = groups.iter().map(|group| weight(group, Shown::Whole)).sum();
    for open in [false, true] {
        for lines in [false, true] {
            for (group, shown) in groups.iter().zip(&mut shown).rev().filter(|(group, _)| group.open == open) {
                if total > room {
                    let others = total - weight(group, *shown);
                    let left = room.saturating_sub(others + FRAME_MAX);
                    *shown = Shown::Heads(if lines { heads_within(&group.items, left) } else { group.items.len() });
                    total = others + weight(group, *shown);
                }
            }
        }
    }
    shown
}

/// How many first lines there is room for.
fn heads_within(items: &[Item], room: usize) -> usize {
    let mut left = room;
    items.iter().take_while(|item| left.checked_sub(item.weight(false)).inspect(|rest| left = *rest).is_some()).count()
}

/// Not less than what [`write`] makes of it.
fn weight(group: &Group, shown: Shown) -> usize {
    let items: usize = match shown {
        Shown::Whole => group.items.iter().map(|item| item.weight(true)).sum(),
        Shown::Heads(number) => group.items.iter().take(number).map(|item| item.weight(false)).sum(),
    };
    FRAME_MAX + items
}

fn write(group: &Group, shown: Shown, medium: Medium) -> String {
    let Group { title, open, items } = group;
    let (number, whole) = match shown {
        Shown::Whole => (items.len(), true),
        Shown::Heads(number) => (number, false),
    };
    let mut body = String::new();
    if number > 0 {
        // Bitbucket knows no language by this name, and would show the word.
        body.push_str(if medium.folds() { "```diff\n" } else { "```\n" });
        for item in items.iter().take(number) {
            for line in std::iter::once(&item.head).chain(item.lines.iter().filter(|_| whole)) {
                body.push_str(line);
                body.push('\n');
            }
        }
        body.push_str("```\n");
    }
    let unlisted = items.len() - number;
    if unlisted > 0 {
        let more = if number > 0 { "more " } else { "" };
        body.extend(["\n", &unlisted.to_string(), " ", more, "not listed here.\n"]);
    }
    let count = items.len();
    if medium.folds() {
        let open = if *open { " open" } else { "" };
        format!("\n<details{open}>\n<summary>{title}: {count}</summary>\n\n{body}\n</details>\n")
    } else {
        format!("\n**{title}: {count}**\n\n{body}")
    }
}

/// What was left out, in all.
fn note(groups: &[&Group], shown: &[Shown]) -> Option<String> {
    let (mut unexplained, mut unlisted) = (0, 0);
    for (group, shown) in groups.iter().zip(shown) {
        if let Shown::Heads(number) = shown {
            unlisted += group.items.len() - number;
            unexplained += group.items.iter().take(*number).filter(|item| !item.lines.is_empty()).count();
        }
    }
    if unlisted + unexplained == 0 {
        return None;
    }
    Some(format!(
        "Shortened to fit here: {unlisted} not listed, {unexplained} without details. \
         The text and JSON formats have everything."
    ))
}
