//! Comments that newcomers read once: they begin with their subject, and public items of `model` and `plan` all have one.

use super::{assert_none, files};

/// The rooms that are held to it.
const ROOMS: [&str; 5] = ["model", "plan", "apply", "ledger", "observe"];

/// The rooms in which the compiler also asks for a comment on every public item.
const COMPLETE: [&str; 2] = ["model", "plan"];

/// Words that no comment begins with: the sentence after them has no subject of its own.
const NO_SUBJECT: [&str; 8] = ["What", "Whether", "Of", "As", "It", "Its", "So", "By"];

/// The comments for readers of an item (`///`) or of a module (`//!`), each with its first line's number.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, &str, String)> = Vec::new();
    let mut last = 0;
    for (line, text) in text.lines().enumerate().map(|(n, text)| (n + 1, text.trim_start())) {
        let Some(kind) = ["///", "//!"].into_iter().find(|kind| text.starts_with(kind) && !text.starts_with("////"))
        else {
            continue;
        };
        let words = text.strip_prefix(kind).unwrap_or_default();
        match found.last_mut() {
            Some((_, of, comment)) if last + 1 == line && *of == kind => comment.push_str(words),
            Some(_) | None => found.push((line, kind, words.to_owned())),
        }
        last = line;
    }
    found.into_iter().map(|(line, _, comment)| (line, comment)).collect()
}

/// The reason for which a comment cannot be read once.
fn fault(comment: &str) -> Option<String> {
    let words: Vec<&str> = comment.split_whitespace().collect();
    match words.as_slice() {
        [] => Some("is empty".to_owned()),
        [one] => Some(format!("is one word: {one:?}")),
        [first, ..] if NO_SUBJECT.contains(first) => Some(format!("begins with {first:?}; begin with its subject")),
        [..] => None,
    }
}

#[test]
fn every_comment_has_a_subject() {
    let mut all = Vec::new();
    for file in files().iter().filter(|file| ROOMS.contains(&file.room())) {
        for (line, comment) in comments(&file.text) {
            all.extend(fault(&comment).map(|fault| format!("{}:{line}: the comment {fault}", file.path.display())));
        }
    }
    assert_none(&all);
}

#[test]
fn the_compiler_asks_for_a_comment_on_every_public_item() {
    let all = files();
    let lib = all.iter().find(|file| file.path.ends_with("src/lib.rs")).unwrap();
    let held = |room: &str| lib.text.contains(&format!("#[deny(missing_docs)]\npub mod {room};"));
    let free: Vec<String> =
        COMPLETE.iter().filter(|room| !held(room)).map(|room| format!("{room} has no `missing_docs`")).collect();
    assert_none(&free);
}

/// The check itself is checked: each of these must be caught, and none of the others.
#[test]
fn a_comment_without_a_subject_is_seen() {
    for bad in ["What was read.", "Whether it holds.", "Of the account.", "It lives.", "Durably.", "`file`.", ""] {
        assert!(fault(bad).is_some(), "{bad:?}");
    }
    for good in ["Returns whether it holds.", "The account.", "Assigns a role.", "Items by name.", "Sorts them."] {
        assert_eq!(fault(good), None, "{good:?}");
    }
    let text = "//! A charter\n//! of two lines.\n\n/// One.\nstruct A {\n    /// Two\n    /// lines.\n    a: u8, // aside\n}\n";
    let found = comments(text);
    assert_eq!(
        found,
        [(1, " A charter of two lines.".to_owned()), (4, " One.".to_owned()), (6, " Two lines.".to_owned())]
    );
}
