//! Readers cannot write: what a vendor's reader is made of holds no request that changes something, and only `apply` makes a writer.

use super::source::{Token, code, paths};
use super::{File, assert_none, program};

const WRITERS: [&str; 2] = ["QlikWriter", "ImburseWriter"];

/// What a request that changes something cannot be sent without: the words of `provider::http` for it.
const CHANGING: [&str; 4] = ["Change", "Deed", "Outcome", "change"];

/// The requests of a reader that are no GET, and why each of them changes nothing.
const ASKING_POSTS: [(&str, &str); 4] = [
    ("qlik TOKEN", "gives the client a token"),
    ("qlik IMPERSONATE", "gives the key client a token on a user's behalf"),
    ("qlik REVOKE_TOKEN", "ends a token that this run fetched"),
    ("imburse TOKEN", "gives the account a token"),
];

/// `qlik` or `imburse`, for a file of that vendor's reader.
fn reader_of(module: &[String]) -> Option<&str> {
    match module {
        [room, vendor, rest @ ..] if room == "provider" && vendor != "http" => {
            (rest.first().is_none_or(|part| part != "write")).then_some(vendor.as_str())
        }
        _ => None,
    }
}

/// Each verb that a file names, with the `static` or `const` that it stands in.
fn verbs(text: &str) -> Vec<(String, String)> {
    let tokens: Vec<Token> = code(text).into_iter().map(|(token, _)| token).collect();
    let word = |n: usize| match tokens.get(n) {
        Some(Token::Word(word)) => Some(word.as_str()),
        Some(Token::Sign(_) | Token::Colons) | None => None,
    };
    let (mut item, mut found) = ("", Vec::new());
    for n in 0..tokens.len() {
        match word(n) {
            Some("static" | "const") => item = word(n + 1).unwrap_or_default(),
            Some("Verb" | "Method") if tokens.get(n + 1) == Some(&Token::Colons) => {
                found.push((item.to_owned(), word(n + 2).unwrap_or("*").to_uppercase()));
            }
            Some(_) | None => {}
        }
    }
    found
}

fn breaches(module: &[String], text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let room = module.first().map_or("lib", String::as_str);
    let reader = reader_of(module);
    for named in paths(&code(text)) {
        let shown = named.segments.join("::");
        let last = named.segments.last().map(String::as_str).unwrap_or_default();
        // A vendor's own root hands its writer out.
        let handed_out = module.len() == 2 && shown.starts_with("write::");
        let writer = named.segments.iter().any(|segment| WRITERS.contains(&segment.as_str()));
        if writer && !handed_out && (reader.is_some() || !matches!(room, "provider" | "apply")) {
            found.push(format!("line {}: only apply and the writers themselves may name {shown}", named.line));
        }
        let in_change = CHANGING.contains(&last) || (last == "*" && shown.contains("http"));
        let wired = named.segments.first().is_some_and(|first| first == "reqwest");
        if reader.is_some() && !handed_out && (in_change || wired) {
            found.push(format!("line {}: a reader may not name {shown}", named.line));
        }
    }
    if let Some(vendor) = reader {
        for (item, verb) in verbs(text).into_iter().filter(|(_, verb)| verb != "GET") {
            let endpoint = format!("{vendor} {item}");
            let asks = verb == "POST" && ASKING_POSTS.iter().any(|(known, _)| *known == endpoint);
            if !asks {
                found.push(format!("{verb} in {item:?}: a reader sends GET, and these POSTs: {ASKING_POSTS:?}"));
            }
        }
    }
    found
}

#[test]
fn readers_cannot_write() {
    let files = program();
    let readers = |vendor: &str| files.iter().filter(|file| reader_of(&file.module) == Some(vendor)).count();
    assert!(readers("qlik") > 5 && readers("imburse") > 3, "the readers are not where they were");
    let all = files.iter().flat_map(|File { module, path, text }| {
        breaches(module, text).into_iter().map(|breach| format!("{}: {breach}", path.display()))
    });
    assert_none(&all.collect::<Vec<_>>());
    // None of the four is listed without being sent.
    for (endpoint, _) in ASKING_POSTS {
        let sent = files.iter().any(|file| {
            reader_of(&file.module).is_some_and(|vendor| {
                verbs(&file.text).iter().any(|(item, verb)| verb == "POST" && format!("{vendor} {item}") == endpoint)
            })
        });
        assert!(sent, "no reader sends {endpoint}");
    }
}

/// The check itself is checked: each of these must be caught.
#[test]
fn a_reader_that_writes_is_seen() {
    let caught = |module: &[&str], text: &str| {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        breaches(&module, text).len()
    };
    for (module, text) in [
        (&["observe", "tenant"] as &[&str], "use crate::provider::qlik::{QlikReader, QlikWriter};"),
        (&["cli", "estate"], "fn f() { crate::provider::imburse::ImburseWriter::over(&mut reader); }"),
        (&["provider", "qlik", "read"], "use super::write::QlikWriter;"),
        (&["provider", "qlik", "read"], "async fn mint(&self) { self.line.change(&call, &what, read).await; }"),
        (&["provider", "qlik", "people"], "use super::super::http::{Deed, ReadError};"),
        (&["provider", "imburse", "read"], "use super::super::http::*;"),
        (&["provider", "imburse", "read"], "use reqwest::Client;"),
        (&["provider", "qlik", "endpoints"], "static MINT: Endpoint = endpoint(Verb::Post, \"/api/v1/api-keys\");"),
        (&["provider", "qlik", "endpoints"], "static TOKEN: Endpoint = endpoint(Verb::Delete, \"/oauth/token\");"),
        (&["provider", "imburse", "endpoints"], "pub(super) const KEY: Endpoint = Endpoint { verb: Verb::Put };"),
    ] {
        assert_eq!(caught(module, text), 1, "{module:?}: {text}");
    }
    for (module, text) in [
        (&["provider", "qlik"] as &[&str], "pub use write::{MintedKey, QlikWriter};"),
        (&["provider", "qlik", "write", "people"], "use crate::provider::http::{Deed, Outcome};"),
        (&["provider", "imburse", "write"], "const CREATE: Endpoint = Endpoint { verb: Verb::Post };"),
        (&["apply", "world"], "use crate::provider::qlik::{QlikReader, QlikWriter};"),
        (&["observe", "sources"], "use crate::provider::qlik::QlikReader;"),
        (&["provider", "qlik", "endpoints"], "static TOKEN: Endpoint = endpoint(Verb::Post, \"/oauth/token\");"),
    ] {
        assert_eq!(caught(module, text), 0, "{module:?}: {text}");
    }
}
