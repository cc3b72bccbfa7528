//! Takes secrets out of what others say: a program's output, the error of a vendor, a vault or a store. Whoever repeats a
//! secret seldom repeats it as it was: JSON, URLs, base64, dumps and line breaks change it.

use std::collections::{BTreeSet, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::secret::{Secret, hex};
use super::untrusted::Untrusted;

/// The length in letters and digits at which a piece of a secret is no coincidence.
const PIECE: usize = 16;
/// Words of a text that stand in a secret, each at least so long, give it away with this much together.
const SHARD: usize = 4;
const SHARDS: usize = 24;

/// No word of people is as long and has digits in it.
const OPAQUE: usize = 24;
/// The length at which a word with letters of both cases is taken for a secret. An id of a vendor's has one case, or is
/// a UUID.
const OPAQUE_MIXED: usize = 32;

/// The bytes of a text that are looked at. The rest is never shown, so nobody need look at it.
const LOOKED_AT: usize = 64 * 1024;
/// The most characters of a program's text that are shown.
const SHOWN: usize = 600;
/// The most characters of a vendor's text that are shown.
const SHOWN_OF_VENDOR: usize = 300;

const NOT_SHOWN: &str = "(not shown: it holds a secret)";
const WITHHELD: &str = "(withheld)";
const OMITTED: &str = "(…)";

/// The source of a text, which decides how much of it may be a secret that nobody here knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// A program that was given a secret on its standard input. Text that looks like a dump is withheld too.
    Given,
    /// Anybody else, such as a vault that answers with an error.
    Other,
}

/// A text from outside, for a message: without the secrets that are known, and without what looks like a token.
pub fn said(text: &[u8], secrets: &[&[u8]], speaker: Speaker) -> Untrusted {
    let whole = String::from_utf8_lossy(text.get(..LOOKED_AT).unwrap_or(text));
    let dumped = speaker == Speaker::Given && looks_like_a_dump(&whole);
    if dumped || secrets.iter().any(|secret| holds(&whole, &String::from_utf8_lossy(secret))) || holds_a_token(&whole) {
        return Untrusted::from(NOT_SHOWN);
    }
    let opaque = |word: &str| mixed(word) && word.len() >= OPAQUE;
    Untrusted::new(shortened(&without(whole.trim(), opaque), SHOWN, "…"))
}

/// A vendor's text for a message: an id is worth showing, a secret never.
pub fn of_vendor(text: &str, secrets: &[&Secret]) -> String {
    let mut shown: String = text.chars().take(LOOKED_AT).collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        shown = shown.replace(secret.expose(), WITHHELD);
    }
    if secrets.iter().any(|secret| holds(&shown, secret.expose())) {
        return WITHHELD.to_owned();
    }
    let both_cases =
        |word: &str| word.contains(|c: char| c.is_ascii_lowercase()) && word.contains(|c: char| c.is_ascii_uppercase());
    let opaque = |word: &str| word.len() >= OPAQUE_MIXED && mixed(word) && both_cases(word);
    shortened(&without(&shown, |word| opaque(word) || is_jwt(word)), SHOWN_OF_VENDOR, "")
}

/// Returns whether a text repeats a secret, or enough of it, in a form that programs give it.
pub fn holds(text: &str, secret: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    if text.contains(secret) {
        return true;
    }
    let plain = decoded(secret);
    let core = letters(&plain);
    // So short a secret has no pieces; what it is made of stands in any text.
    if core.len() < PIECE / 2 {
        return decoded(text).contains(&plain);
    }
    let mut forms = vec![core.clone(), core.chars().rev().collect()];
    let bytes = [secret.as_bytes(), plain.as_bytes()];
    forms.extend(bytes.into_iter().flat_map(spellings).map(|form| letters(&form)));
    let ruled = without_rulers(text);
    let views = [text, &ruled].map(|view| [letters(view), letters(&decoded(view))]);
    let (pieces, sizes) = pieces(&forms);
    let shares =
        |view: &String| sizes.iter().any(|size| view.as_bytes().windows(*size).any(|piece| pieces.contains(piece)));
    views.iter().flatten().any(shares) || shards(&decoded(text), &core) >= SHARDS
}

/// Returns all stretches of the forms, and how long they are.
fn pieces(forms: &[String]) -> (HashSet<&[u8]>, BTreeSet<usize>) {
    let (mut pieces, mut sizes) = (HashSet::new(), BTreeSet::new());
    for form in forms.iter().filter(|form| form.len() >= PIECE / 2) {
        let size = form.len().min(PIECE);
        sizes.insert(size);
        pieces.extend(form.as_bytes().windows(size));
    }
    (pieces, sizes)
}

/// Returns the bytes in base64 from each offset, in hexadecimal digits, and in those of words of two, four and eight
/// bytes as `hexdump` and `od` write them.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let mut all = vec![hex(bytes)];
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset.min(2)], bytes].concat();
        let text = STANDARD.encode(shifted);
        // The first characters also hold what stood before, the last what stands behind.
        let start = if offset == 0 { 0 } else { offset + 1 };
        let end = text.trim_end_matches('=').len().saturating_sub(1);
        all.push(text.get(start..end).unwrap_or_default().to_owned());
    }
    for (size, skip) in [2, 4, 8].into_iter().flat_map(|size| (0..size).map(move |skip| (size, skip))) {
        let words = bytes.get(skip..).unwrap_or_default().chunks_exact(size);
        all.push(words.map(|word| hex(&word.iter().rev().copied().collect::<Vec<u8>>())).collect());
    }
    all
}

/// Counts how much of a text are words that stand in the secret, each once.
fn shards(text: &str, core: &str) -> usize {
    let mut words: Vec<String> = text.split_whitespace().map(letters).filter(|word| word.len() >= SHARD).collect();
    words.sort_unstable();
    words.dedup();
    words.iter().filter(|word| core.contains(word.as_str())).map(String::len).sum()
}

/// Letters and digits alone, in one case: what is left of a text whatever breaks, quotes or spaces it.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Lines without the number, offset or address that they begin with (`od`, `xxd`, `hexdump`, `nl`, `cat -n`, `grep -n`).
fn without_rulers(text: &str) -> String {
    let unruled = |line: &str| {
        let line = line.trim_start();
        let (first, rest) = line.split_at(line.find(|c: char| c.is_whitespace() || c == ':').unwrap_or(0));
        let is_number = !first.is_empty() && first.bytes().all(|b| b.is_ascii_hexdigit());
        let starts = first.bytes().next().is_some_and(|b| b.is_ascii_digit());
        if is_number && starts { rest.to_owned() } else { line.to_owned() }
    };
    text.lines().map(unruled).collect::<Vec<_>>().join("\n")
}

/// A text without the escapes of JSON, URLs and HTML, however often one was laid over another.
fn decoded(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let next = entities(&backslashes(&percents(&text)));
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// `%41` and `+`, and quoted-printable's `=41`.
fn percents(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = bytes.get(at + 1..at + 3).filter(|_| matches!(byte, b'%' | b'=')).and_then(number);
        match (byte, code) {
            (_, Some(code)) => {
                out.push(code);
                at += 2;
            }
            (b'+', None) => out.push(b' '),
            (byte, None) => out.push(*byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn number(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// `\"`, `\n`, `\u0041`, `\x41`.
fn backslashes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let unit =
            rest.strip_prefix("\\u").and_then(|more| more.get(..4)).and_then(|d| u16::from_str_radix(d, 16).ok());
        if let Some(unit) = unit {
            units.push(unit);
            rest = rest.get(6..).unwrap_or_default();
            continue;
        }
        // Two units may make one character.
        out.push_str(&String::from_utf16_lossy(&std::mem::take(&mut units)));
        let byte = rest.strip_prefix("\\x").and_then(|more| more.as_bytes().get(..2)).and_then(number);
        let after = rest.get(1..).and_then(|more| more.chars().next());
        match (c, byte, after) {
            ('\\', Some(byte), _) => {
                out.push(char::from(byte));
                rest = rest.get(4..).unwrap_or_default();
            }
            ('\\', None, Some(after)) => {
                // White space is no part of what is compared.
                out.push(if matches!(after, 'n' | 'r' | 't' | 'b' | 'f') { ' ' } else { after });
                rest = rest.get(1 + after.len_utf8()..).unwrap_or_default();
            }
            (c, _, _) => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out.push_str(&String::from_utf16_lossy(&units));
    out
}

/// `&quot;`, `&#34;`, `&#x22;`.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found = after.split_once(';').and_then(|(name, behind)| Some((entity(name)?, behind)));
        match found {
            Some((c, behind)) => {
                out.push(c);
                rest = behind;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    let code = |digits: &str, radix: u32| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    match name {
        "quot" => Some('"'),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "apos" => Some('\''),
        name => {
            let digits = name.strip_prefix('#')?;
            digits.strip_prefix(['x', 'X']).map_or_else(|| code(digits, 10), |digits| code(digits, 16))
        }
    }
}

/// JSON Web Tokens begin with `eyJ`, and every API key of Qlik Cloud is one. Broken into pieces, it is known by its second
/// part, which begins so too.
fn holds_a_token(text: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let decoded = decoded(text);
    let ruled = without_rulers(&decoded);
    let joined: String = ruled.chars().filter(|c| !c.is_whitespace()).collect();
    let whole = decoded.match_indices("eyJ").any(|(at, _)| {
        decoded.get(at..).is_some_and(|rest| rest.chars().take_while(|c| in_token(*c)).count() >= 2 * PIECE)
    });
    whole || joined.split_once("eyJ").is_some_and(|(_, rest)| rest.contains(".eyJ"))
}

fn is_jwt(word: &str) -> bool {
    word.contains("eyJ") && word.len() >= PIECE
}

/// Bytes as numbers: no message of people's is made of them.
fn looks_like_a_dump(text: &str) -> bool {
    let is_number = |word: &str| {
        let word = word.trim_matches([',', ':', '|']).trim_start_matches("0x").trim_start_matches("\\x");
        (2..=16).contains(&word.len())
            && word.bytes().all(|b| b.is_ascii_hexdigit())
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let numbers = words.iter().filter(|word| is_number(word)).count();
    numbers >= PIECE && numbers * 2 > words.len()
}

/// A text in which some words are left out: an old secret that nobody knows may be one. (So may the id of a request.)
fn without(text: &str, is_left_out: impl Fn(&str) -> bool) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '=' | '.' | '/');
    let parts = |word: &str| {
        // A path or a host is many words, a token with dots is one.
        let of_path = |c: char| matches!(c, '/' | '.');
        if is_jwt(word) || !word.contains(of_path) {
            return if is_left_out(word) { OMITTED.to_owned() } else { word.to_owned() };
        }
        let shown = |piece: &str| {
            let name = piece.trim_end_matches(of_path);
            if is_left_out(name) {
                format!("{OMITTED}{}", piece.get(name.len()..).unwrap_or_default())
            } else {
                piece.to_owned()
            }
        };
        word.split_inclusive(of_path).map(shown).collect()
    };
    let mut shown = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c| !in_word(c)) {
        let word = piece.trim_end_matches(|c| !in_word(c));
        shown.push_str(&parts(word));
        shown.push_str(piece.get(word.len()..).unwrap_or_default());
    }
    shown
}

/// Returns whether a value of the environment is one long word of letters and digits, as credentials are.
pub fn is_opaque(value: &str) -> bool {
    value.len() >= PIECE && mixed(value) && !value.contains(['/', ':', '.', ' ', ','])
}

fn mixed(word: &str) -> bool {
    word.contains(|c: char| c.is_ascii_digit()) && word.contains(|c: char| c.is_ascii_alphabetic())
}

fn shortened(text: &str, most: usize, end: &str) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}{end}", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "C4n+/=&\"\\<>%41 é-CLIENT&SECRET-\u{1f511}-0123456789";

    fn shown(text: &str) -> String {
        said(text.as_bytes(), &[b"hunter2-is-the-secret-of-all", b"pin7"], Speaker::Other).to_string()
    }

    #[test]
    fn no_piece_of_a_secret_is_shown() {
        for bad in [
            "hunter2-is-the-secret-of-all",
            "+ curl -d 'hunter2-is-the-secret-of-all' https://x",
            "line\nunter2-is-the-secret\nline",
            "pin7",
            "token=eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.sig",
            "eyJhbGci\nOiJFUzM4\nNCJ9.eyJ\nzdWIiOi\n",
            "0000000   e   y   J   h   b   G   c   i   O   i   J   9   .   e   y   J\n0000020   z   d\n",
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

    /// A URL as form fields and as paths have it: both cases of the digits, `+` and `%20`.
    fn url(text: &str, upper: bool, plus: bool) -> String {
        let one = |b: u8| match b {
            b' ' if plus => "+".to_owned(),
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b if upper => format!("%{b:02X}"),
            b => format!("%{b:02x}"),
        };
        text.bytes().map(one).collect()
    }

    #[test]
    fn an_echo_is_known_in_every_form() {
        let secret = Secret::new(SECRET.to_owned());
        let json = serde_json::to_string(SECRET).unwrap();
        let ascii: String = SECRET.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        let html = SECRET.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&#62;");
        let mut echoes = vec![
            SECRET.to_owned(),
            json.clone(),
            serde_json::to_string(&format!("{{\"client_secret\":{json}}}")).unwrap(),
            ascii,
            html,
            url(SECRET, true, true),
            url(SECRET, false, false),
            url(&url(SECRET, true, false), false, true),
            hex(SECRET.as_bytes()),
            hex(SECRET.as_bytes()).to_uppercase(),
            SECRET.chars().rev().collect(),
            SECRET.to_uppercase(),
            SECRET.chars().map(|c| format!("{c} ")).collect(),
            format!("{}\n    {}", &SECRET[..20], &SECRET[20..]),
            // Only a part of it.
            SECRET.chars().skip(12).collect(),
        ];
        for before in ["", "a", "ab", "abc", "id:"] {
            let encoded = STANDARD.encode(format!("{before}{SECRET}:x"));
            let lines: Vec<&str> = encoded.as_bytes().chunks(19).map(|c| std::str::from_utf8(c).unwrap()).collect();
            echoes.push(lines.join("\n"));
            echoes.push(encoded.replace('+', "-").replace('/', "_"));
        }
        for echo in echoes {
            for text in [echo.clone(), format!("invalid_client: {echo} (request 17)")] {
                let shown = of_vendor(&text, &[&secret]);
                assert!(!holds(&shown, SECRET) && shown.contains(WITHHELD), "{text}\n{shown}");
                assert_eq!(said(text.as_bytes(), &[SECRET.as_bytes()], Speaker::Other).raw(), NOT_SHOWN, "{text}");
            }
        }
        let other = "Invalid client secret: client 7d1c0b1e-1b7e-4b3c-9c55-0d6f0a1b2c3d is not known at eu-central-1";
        assert_eq!(of_vendor(other, &[&secret]), other);
    }

    #[test]
    fn a_minted_token_or_a_private_key_in_a_vendors_error_is_left_out() {
        let token = "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4In0.AbC-d_0";
        assert_eq!(of_vendor(&format!("made {token}, refused"), &[]), "made (…), refused");
        let key = STANDARD.encode([0x5a_u8, 0x13, 0xf7].repeat(11));
        assert_eq!(of_vendor(&format!("privateKey={key}"), &[]), "(…)");
        for id in
            ["6f1b3c0a-9d1e-4a0e-8d57-3e1f2a5b9c77", "507f1f77bcf86cd799439011", "xzoau8xi93gyfo0.us.qlikcloud.com"]
        {
            assert_eq!(of_vendor(&format!("at {id}: no"), &[]), format!("at {id}: no"));
        }
    }
}
