//! Takes secrets out of what others say: a program's output, a server's message.

use crate::model::untrusted::Untrusted;

/// As much of a secret that nobody writes it by chance.
const PIECE: usize = 16;

/// No word of people is as long and has digits in it.
const OPAQUE: usize = 24;

/// What is shown of a text at most.
const SHOWN: usize = 600;

const NOT_SHOWN: &str = "(not shown: it holds a secret)";

/// A text from outside, for a message: without the secrets that are known, and without what looks like a token.
pub(super) fn said(text: &[u8], secrets: &[&[u8]]) -> Untrusted {
    if secrets.iter().any(|secret| holds(text, secret)) || looks_like_a_token(text) {
        return Untrusted::from(NOT_SHOWN);
    }
    let text = without_opaque_words(String::from_utf8_lossy(text).trim());
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Untrusted::new(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Untrusted::new(text),
    }
}

/// Whether a piece of the secret stands in the text.
fn holds(text: &[u8], secret: &[u8]) -> bool {
    if secret.is_empty() {
        return false;
    }
    let piece = secret.len().min(PIECE);
    secret.windows(piece).any(|piece| text.windows(piece.len()).any(|window| window == piece))
}

/// JSON Web Tokens begin with `eyJ`, and every API key of Qlik Cloud is one.
fn looks_like_a_token(text: &[u8]) -> bool {
    let in_token = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.windows(3)
        .enumerate()
        .any(|(at, window)| window == b"eyJ" && text.iter().skip(at).take_while(in_token).count() >= 2 * PIECE)
}

/// Long words with digits and letters in them: an old secret that nobody knows may be one. (So may the id of a request.)
fn without_opaque_words(text: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=');
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !in_word(c)) {
        let word = piece.trim_end_matches(|c| !in_word(c));
        let mixed = word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic());
        if mixed && word.len() >= OPAQUE {
            shown.push_str("(…)");
            shown.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            shown.push_str(piece);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        said(text.as_bytes(), &[b"hunter2-is-the-secret-of-all", b"pin7"]).to_string()
    }

    #[test]
    fn no_piece_of_a_secret_is_shown() {
        for bad in [
            "hunter2-is-the-secret-of-all",
            "+ curl -d 'hunter2-is-the-secret-of-all' https://x",
            "line\nunter2-is-the-secr\nline",
            "pin7",
            "token=eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.sig",
        ] {
            assert_eq!(shown(bad), NOT_SHOWN, "{bad}");
        }
        assert_eq!(shown("no such bucket: hunter2\n"), "no such bucket: hunter2");
        assert_eq!(shown("\u{1b}[2J"), "\\u{1b}[2J");
        let id = "request 6f1b3c0a-9d1e-4a0e-8d57-3e1f2a5b9c77: no access to arn:aws:secretsmanager:eu-central-1";
        assert_eq!(shown(id), "request (…): no access to arn:aws:secretsmanager:eu-central-1");
        assert_eq!(shown("Größe: CAESIJ3kq9vQm2nX8z7LpTt4, 漢字"), "Größe: (…), 漢字");
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), SHOWN + 1);
    }
}
