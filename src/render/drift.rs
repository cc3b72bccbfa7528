//! One field that differs: declared and live, and for long texts also where.

use similar::{ChangeTag, TextDiff};

use crate::plan::action::DriftField;

use super::block::{Line, quote};
use crate::model::untrusted::escape;

/// Up to this many characters a reader sees a difference without help.
const SHORT: usize = 60;
/// Beyond this many characters a comparison by words is not worth its time; the time must not decide what is shown.
const LONG: usize = 4_000;
/// How much of what is equal stands around a difference.
const AROUND: usize = 20;

/// `field: declared "a", live "b"`; of long texts, one line each and one that tells where they differ.
pub(super) fn lines(DriftField { field, declared, live }: &DriftField) -> Vec<Line> {
    let (declared, live) = (declared.as_str(), live.raw());
    let line = |value: String| Line { label: escape(field), value };
    let longest = declared.chars().count().max(live.chars().count());
    if longest <= SHORT {
        return vec![line(format!("declared {}, live {}", quote(declared), quote(live)))];
    }
    let mut lines = vec![line(format!("declared {}", quote(declared))), line(format!("live     {}", quote(live)))];
    lines.push(line(if longest <= LONG {
        format!("change   {}", change(declared, live))
    } else {
        let same = declared.chars().zip(live.chars()).take_while(|(one, other)| one == other).count();
        format!("change   from character {} on", same + 1)
    }));
    lines
}

/// Pieces in quotes: `-` stands before what only the declaration has, `+` before what is live instead. Equal text between
/// is shortened.
fn change(declared: &str, live: &str) -> String {
    let mut pieces: Vec<(ChangeTag, String)> = Vec::new();
    for one in TextDiff::from_words(declared, live).iter_all_changes() {
        match pieces.last_mut() {
            Some((tag, text)) if *tag == one.tag() => text.push_str(one.value()),
            _ => pieces.push((one.tag(), one.value().to_owned())),
        }
    }
    let last = pieces.len().saturating_sub(1);
    let shown = |(at, (tag, text)): (usize, &(ChangeTag, String))| match tag {
        ChangeTag::Delete => format!("-{}", quote(text)),
        ChangeTag::Insert => format!("+{}", quote(text)),
        ChangeTag::Equal => equal(text, at > 0, at < last),
    };
    pieces.iter().enumerate().map(shown).collect::<Vec<_>>().join(" ")
}

/// The ends that touch a difference.
fn equal(text: &str, after: bool, before: bool) -> String {
    let count = text.chars().count();
    let wanted = usize::from(after) * AROUND + usize::from(before) * AROUND;
    if count <= wanted + 3 {
        return quote(text);
    }
    let first: String = text.chars().take(AROUND).collect();
    let last: String = text.chars().skip(count - AROUND).collect();
    match (after, before) {
        (true, true) => format!("{} ... {}", quote(&first), quote(&last)),
        (true, false) => format!("{} ...", quote(&first)),
        (false, true) => format!("... {}", quote(&last)),
        (false, false) => quote(text),
    }
}
