//! A credential as text: what may stand around it, and what in it is a mistake of whoever saved it. No message shows it.

use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::model::untrusted::is_hostile;

/// How a credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Carried {
    /// In a body, which can hold any character.
    Body,
    /// In a header, which holds visible ASCII only.
    Header,
}

/// What becomes of blanks and line ends around a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Ends {
    /// They are taken off: the name is of our own settings, and nobody else reads it.
    Cut,
    /// They are refused: other programs read the same variable, and none of them takes them off.
    Exact,
}

/// Why a text is no credential, as it goes on after the name of the variable or the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum Fault {
    #[error("is empty")]
    Empty,
    #[error("{0}")]
    Wrong(String),
}

const BOM: &[u8] = b"\xef\xbb\xbf";
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// The credential that was saved as these bytes, without a byte order mark.
///
/// # Errors
/// What is wrong with it and where; places are counted in characters, from 1.
pub(in crate::cli) fn credential(saved: Vec<u8>, carried: Carried, ends: Ends) -> Result<Secret, Fault> {
    // Also where it is refused, the copy is wiped.
    let saved = Zeroizing::new(saved);
    let text = plain(&saved).map_err(|why| Fault::Wrong(why.to_owned()))?;
    let inner = text.trim();
    if inner.is_empty() {
        return Err(Fault::Empty);
    }
    if ends == Ends::Exact
        && let Some(why) = around(text)
    {
        return Err(Fault::Wrong(why));
    }
    let before = text.len() - text.trim_start().len();
    let skipped = text.get(..before).unwrap_or_default().chars().count();
    for (place, c) in inner.chars().enumerate().map(|(place, c)| (skipped + place + 1, c)) {
        if let Some(what) = misplaced(c, carried) {
            return Err(Fault::Wrong(format!("holds {what} at character {place}")));
        }
    }
    Ok(Secret::new(inner.to_owned()))
}

/// The text of what was saved, with nothing before it that an editor or a shell has put there.
///
/// # Errors
/// It is not UTF-8.
pub(in crate::cli) fn plain(saved: &[u8]) -> Result<&str, &'static str> {
    let bytes = saved.strip_prefix(BOM).unwrap_or(saved);
    let halves = bytes.len() > 1 && bytes.iter().skip(1).step_by(2).all(|byte| *byte == 0);
    if halves || UTF_16.iter().any(|mark| bytes.starts_with(mark)) {
        return Err("is UTF-16 text and not UTF-8 text");
    }
    std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text")
}

/// What stands around it and does not belong to it.
fn around(text: &str) -> Option<String> {
    let named = |c: char| if matches!(c, '\n' | '\r') { "a line end" } else { "a blank" };
    let last = text.chars().next_back().filter(|c| c.is_whitespace());
    let first = text.chars().next().filter(|c| c.is_whitespace());
    let last = last.map(|c| format!("ends with {}", named(c)));
    last.or_else(|| first.map(|c| format!("begins with {}", named(c))))
}

/// What a character is that no credential holds; it is named only where it could not be a part of one.
fn misplaced(c: char, carried: Carried) -> Option<String> {
    match c {
        '\n' | '\r' => Some("a line end".to_owned()),
        '\0' => Some("a NUL".to_owned()),
        _ if c.is_control() => Some(format!("a control character (U+{:04X})", u32::from(c))),
        _ if is_hostile(c) => Some(format!("a character that nobody can see (U+{:04X})", u32::from(c))),
        _ if carried == Carried::Header && !c.is_ascii() => {
            Some("a character outside ASCII, which no header can carry,".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(saved: &[u8], carried: Carried, ends: Ends) -> Result<String, String> {
        credential(saved.to_vec(), carried, ends)
            .map(|secret| secret.expose().to_owned())
            .map_err(|why| why.to_string())
    }

    #[test]
    fn what_editors_and_shells_put_around_a_credential_is_taken_off() {
        for saved in ["s3cret", "s3cret\n", "s3cret\r\n", " s3cret\t", "\u{feff}s3cret", "\u{feff}s3cret\r\n"] {
            for carried in [Carried::Body, Carried::Header] {
                assert_eq!(read(saved.as_bytes(), carried, Ends::Cut).as_deref(), Ok("s3cret"), "{saved:?}");
            }
        }
    }

    #[test]
    fn what_stands_in_it_is_refused_with_its_place() {
        for (saved, why) in [
            ("s3cret\0", "holds a NUL at character 7"),
            ("s3c\nret", "holds a line end at character 4"),
            ("  s3c\r\nret\n", "holds a line end at character 6"),
            ("s3c\tret", "holds a control character (U+0009) at character 4"),
            ("s3cret\u{7f}", "holds a control character (U+007F) at character 7"),
            ("s3\u{85}cret", "holds a control character (U+0085) at character 3"),
            ("s3cret\u{200b}", "holds a character that nobody can see (U+200B) at character 7"),
            ("\u{feff}s3\u{feff}cret", "holds a character that nobody can see (U+FEFF) at character 3"),
            ("", "is empty"),
            ("\u{feff} \r\n", "is empty"),
        ] {
            assert_eq!(read(saved.as_bytes(), Carried::Body, Ends::Cut), Err(why.to_owned()), "{saved:?}");
        }
    }

    #[test]
    fn another_encoding_is_named() {
        let halves: Vec<u8> = "s3cret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked: Vec<u8> = UTF_16[0].iter().copied().chain(halves.clone()).collect();
        for saved in [halves, marked] {
            let why = read(&saved, Carried::Body, Ends::Cut);
            assert_eq!(why, Err("is UTF-16 text and not UTF-8 text".to_owned()));
        }
        assert_eq!(read(b"s3cr\xe9t", Carried::Body, Ends::Cut), Err("is not UTF-8 text".to_owned()));
    }

    #[test]
    fn a_header_takes_ascii_and_a_body_takes_more() {
        assert_eq!(read("pässwörd".as_bytes(), Carried::Body, Ends::Cut).as_deref(), Ok("pässwörd"));
        let why = read("pässwörd".as_bytes(), Carried::Header, Ends::Cut).unwrap_err();
        assert_eq!(why, "holds a character outside ASCII, which no header can carry, at character 2");
    }

    #[test]
    fn a_variable_that_others_read_is_taken_as_it_is_or_refused() {
        for (saved, why) in [
            ("AKIA\n", "ends with a line end"),
            ("AKIA\r\n", "ends with a line end"),
            ("AKIA ", "ends with a blank"),
            (" AKIA", "begins with a blank"),
            ("AKIA\u{a0}", "ends with a blank"),
            ("\u{feff}AKIA\n", "ends with a line end"),
        ] {
            assert_eq!(read(saved.as_bytes(), Carried::Header, Ends::Exact), Err(why.to_owned()), "{saved:?}");
        }
        assert_eq!(read("AKIA".as_bytes(), Carried::Header, Ends::Exact).as_deref(), Ok("AKIA"));
    }
}
