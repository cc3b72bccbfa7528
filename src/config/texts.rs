//! Texts that a vendor stores and people read: whether one is what somebody meant to write.

use super::diagnostic::{Faults, code};
use super::read::line;
use super::syntax::Node;
use super::template::template;
use crate::model::untrusted::is_hostile;

/// A line that is sent as it stands: without blanks at its ends or two in a row, without a template that nobody filled
/// in, and without characters that nobody sees.
pub(crate) fn sent<'n>(node: &'n Node, what: &str, most: usize, faults: &mut Faults<'_>) -> Option<&'n str> {
    let text = line(node, what, most, faults)?;
    let (message, label, help) = if let Some(template) = template(text) {
        (
            format!("{what} holds {}, which looks like a template that was not filled in", faults.quote(template)),
            "sent as it stands",
            "nothing is filled in by this program: write the text itself, or fill it in before the file is read \
             (`envsubst < tenants.in.yaml > tenants.yaml`)",
        )
    } else if let Some(c) = unseen(text) {
        (
            format!("{what} holds U+{:04X}, which nobody sees", u32::from(c)),
            "holds a character without a shape",
            "type the text anew instead of pasting it; signs that join letters or emoji are taken between them",
        )
    } else if text.trim() != text {
        (
            format!("{what} begins or ends with a space"),
            "a space at an end",
            "leave it out: two names that differ in it look like one",
        )
    } else if has_double_space(text) {
        (
            format!("{what} has two spaces in a row"),
            "two spaces",
            "write one: two names that differ in it look like one",
        )
    } else {
        return Some(text);
    };
    faults.add(code::TEXT, node.at, message, label).help(help);
    None
}

fn has_double_space(text: &str) -> bool {
    let mut before = false;
    text.chars().any(|c| {
        let double = before && c.is_whitespace();
        before = c.is_whitespace();
        double
    })
}

/// A character without a shape, where it has no work to do.
fn unseen(text: &str) -> Option<char> {
    let letters: Vec<char> = text.chars().collect();
    letters.iter().enumerate().find(|(at, c)| is_hostile(**c) && !works(&letters, *at)).map(|(_, c)| *c)
}

/// Joiners within a word of a script that has them (Persian, Hindi) or within an emoji, and the sign that asks for an
/// emoji's picture.
fn works(letters: &[char], at: usize) -> bool {
    const NON_JOINER: char = '\u{200c}';
    const JOINER: char = '\u{200d}';
    let near = |at: Option<usize>| at.and_then(|at| letters.get(at)).copied();
    let (before, after) = (near(at.checked_sub(1)), near(at.checked_add(1)));
    let is_letter =
        |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !is_hostile(c) && (c.is_alphanumeric() || is_mark(c)));
    let is_emoji = |c: Option<char>| c.is_some_and(|c| is_emoji(c) || c == '\u{fe0f}');
    match letters.get(at) {
        Some(&NON_JOINER) => is_letter(before) && is_letter(after),
        Some(&JOINER) => is_letter(before) && is_letter(after) || is_emoji(before) && is_emoji(after),
        Some('\u{fe0e}' | '\u{fe0f}') => {
            is_emoji(before)
                || before.is_some_and(|c| c.is_ascii_digit() || matches!(c, '#' | '*' | '\u{a9}' | '\u{ae}'))
        }
        Some(_) | None => false,
    }
}

/// Signs of the scripts of India that a joiner follows.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0900..=0x0DFF | 0x0600..=0x06FF)
}

/// Pictures, arrows, signs, and the colours of skin.
fn is_emoji(c: char) -> bool {
    matches!(u32::from(c), 0x203C..=0x2049 | 0x2122..=0x2139 | 0x2190..=0x2BFF | 0x3030..=0x303D | 0x3297..=0x3299 | 0x1F000..=0x1FAFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_tool_should_have_filled_in_is_seen_and_what_people_write_is_not() {
        for (text, found) in [
            ("${TENANT_NAME}", "${TENANT_NAME}"),
            ("Acme ${ENV:-prod}", "${ENV:-prod}"),
            ("${{ inputs.name }}", "${{ inputs.name }"),
            ("{{ key.description }}", "{{ key.description }}"),
            ("{{.Values.name}}", "{{.Values.name}}"),
            ("{% if x %}Acme", "{% if x %}"),
            ("##TENANT##", "##TENANT##"),
            ("<%= name %>", "<%= name %>"),
            ("$(TENANT_NAME)", "$(TENANT_NAME)"),
            ("$(Build.BuildId)", "$(Build.BuildId)"),
            ("#{Octopus.Name}", "#{Octopus.Name}"),
            ("%TENANT_NAME%", "%TENANT_NAME%"),
            ("100 % of %NAME%", "%NAME%"),
            ("a ## b ##B##", "##B##"),
        ] {
            assert_eq!(template(text), Some(found), "{text}");
        }
        for text in [
            "$5",
            "$5 and $6",
            "100 %",
            "50 % of 100 %",
            "50% off, 20% on",
            "C#",
            "## Heading",
            "#1 of #2",
            "{}",
            "{a}",
            "${}",
            "{{}}",
            "<%>",
            "$()",
            "$(1)",
            "(a)",
            "A & B <Ltd>",
            "%",
            "%%",
            "% A %",
            "%a%",
            "100%SALE",
            "80%OFF%",
            "10%_20%",
            "a ## b ## c",
            "R$ (BRL)",
            "a ## b",
            "####",
            "Price: 5$ (net)",
            "~/x",
            "A $ B",
            "{ {a} }",
        ] {
            assert_eq!(template(text), None, "{text}");
        }
    }

    #[test]
    fn signs_without_a_shape_are_seen_unless_they_have_work_to_do() {
        for text in [
            "Acme\u{200b}",
            "\u{feff}Acme",
            "Ac\u{ad}me",
            "\u{202e}Acme",
            "a\u{2066}b",
            "שלום\u{200f}",
            "\u{61c}ا",
            "a\u{200d}b",
            "a\u{200c}b",
            "a\u{fe0f}",
            "\u{3164}",
            "Acme\u{e0041}",
            "\u{200d}",
            "👩\u{200d}",
            "ف\u{200c}",
            "a\u{2060}b",
            "\u{1d173}",
        ] {
            assert!(unseen(text).is_some(), "{text:?}");
        }
        for text in [
            "Acme",
            "שלום",
            "شركة",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "👩\u{200d}💻",
            "👨\u{200d}👩\u{200d}👧\u{200d}👦",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "👩🏽\u{200d}🔬",
            "🇩🇪",
            "©\u{fe0f}",
            "漢字",
            "Größe — “x”",
            "café",
            "Cafe\u{301}",
        ] {
            assert_eq!(unseen(text), None, "{text:?}");
        }
    }
}
