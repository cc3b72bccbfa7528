//! One field that differs: declared and live, and for long texts also where.

use icu_normalizer::DecomposingNormalizerBorrowed;
use similar::{ChangeTag, TextDiff};

use crate::plan::action::DriftField;

use super::line::{Line, quote};
use crate::model::untrusted::escape;

/// Up to this many characters a reader sees a difference without help.
const SHORT: usize = 60;
/// Beyond this many characters a comparison by words is not worth its time; the time must not decide what is shown.
const LONG: usize = 4_000;
/// How much of what is equal stands around a difference.
const AROUND: usize = 20;

/// `field: declared "a", live "b"`; of long texts, one line each and one that tells where they differ.
pub(super) fn lines(DriftField { field, declared, live }: &DriftField) -> Vec<Line> {
    let (declared, live) = (spelled(declared, live.raw()), spelled(live.raw(), declared));
    let (declared, live) = (declared.as_str(), live.as_str());
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

/// A text, with escapes in the stretch in which it differs from another, where readers see no difference: `é` as one character
/// or as two, a blank that does not break, a Cyrillic `а` in a Latin word.
pub(super) fn spelled(text: &str, other: &str) -> String {
    let count = |same: &mut dyn Iterator<Item = (char, char)>| same.take_while(|(one, other)| one == other).count();
    let (length, other_length) = (text.chars().count(), other.chars().count());
    let before = count(&mut text.chars().zip(other.chars()));
    let after = count(&mut text.chars().rev().zip(other.chars().rev())).min(length.min(other_length) - before);
    let alike = text != other && decomposed(text) == decomposed(other);
    let differs = |at: usize| (before..length - after).contains(&at);
    let spell = |(at, c): (usize, char)| match c {
        _ if !differs(at) || c.is_ascii() => c.to_string(),
        _ if alike || (is_of_alike_script(c) && is_among_latin(text, at)) => c.escape_unicode().to_string(),
        _ => c.to_string(),
    };
    text.chars().enumerate().map(spell).collect()
}

/// What is one letter to a reader is one here (Unicode's NFKD).
fn decomposed(text: &str) -> String {
    DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned()
}

/// Greek, Cyrillic and Armenian have letters that look like Latin ones.
fn is_of_alike_script(c: char) -> bool {
    c.is_alphabetic() && matches!(c, '\u{370}'..='\u{58f}')
}

/// Whether Latin letters stand in the word around a place: nobody writes so by intent.
fn is_among_latin(text: &str, at: usize) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let (before, after) = chars.split_at(at.min(chars.len()));
    let word =
        before.iter().rev().take_while(|c| c.is_alphanumeric()).chain(after.iter().take_while(|c| c.is_alphanumeric()));
    word.into_iter().any(char::is_ascii_alphabetic)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_texts_that_look_the_same_are_told_apart() {
        for (declared, live, shown) in [
            ("Cafe\u{301}", "Caf\u{e9}", ["Cafe\\u{301}", "Caf\\u{e9}"]),
            ("Acme Corp", "Acme\u{a0}Corp", ["Acme Corp", "Acme\\u{a0}Corp"]),
            ("Acme", "\u{410}cme", ["Acme", "\\u{410}cme"]),
            ("\u{ff21}cme", "Acme", ["\\u{ff21}cme", "Acme"]),
            // These differ for everybody to see.
            ("Gr\u{f6}\u{df}e", "Gr\u{f6}sse", ["Größe", "Grösse"]),
            ("\u{41c}\u{43e}\u{441}\u{43a}\u{432}\u{430}", "Moscow", ["Москва", "Moscow"]),
            ("a", "", ["a", ""]),
            ("\u{e9}\u{e9}", "\u{e9}", ["éé", "é"]),
        ] {
            assert_eq!([spelled(declared, live), spelled(live, declared)], shown);
        }
    }
}
