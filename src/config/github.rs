//! A sink at GitHub, as settings say it: secrets of one repository, environment or organization, by GitHub's own words.

use std::path::Path;

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::reference::{origin, required_reference};
use super::syntax::{Entry, Node, Value};
use super::variable;
use crate::model::origin::Origin;
use crate::model::settings::{GitHubOwner, GitHubSink, Visibility};

const GITHUB: Keys = Keys {
    known: &[
        "kind",
        "server",
        "repository",
        "environment",
        "organization",
        "visibility",
        "repository_ids",
        "name",
        "token",
    ],
    later: &[],
};
const VISIBILITIES: Keys = Keys { known: &["all", "private", "selected"], later: &[] };

const SERVER: &str = "https://api.github.com";
/// Where people look, and no API is.
const PAGES: &str = "https://github.com";

/// GitHub documents none; far above what anybody writes.
const LONGEST: usize = 255;

pub(super) fn sink(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<GitHubSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &GITHUB, faults)?;
    let server = match fields.get("server") {
        Some(node) => server(node, faults),
        None => Origin::parse(SERVER).ok(),
    };
    let of = owner(&fields, what, entry, faults);
    let name = variable::name(&fields, LONGEST, faults);
    let token = required_reference(&fields, "token", "GH_SECRETS_TOKEN", base, faults);
    Some(GitHubSink { server: server?, of: of?, name: name?, token: token? })
}

fn server(node: &Node, faults: &mut Faults<'_>) -> Option<Origin> {
    let server = origin(node, "`server`", SERVER, faults)?;
    if server.as_str() == PAGES {
        faults
            .add(code::PLACE, node.at, format!("`server` is {PAGES}, where the API is not"), "not the API")
            .help(format!("leave it out, or say `{SERVER}`"));
        return None;
    }
    Some(server)
}

fn owner(fields: &Fields<'_>, what: &str, entry: &Entry, faults: &mut Faults<'_>) -> Option<GitHubOwner> {
    let of_another = |keys: &[&str], why: &str, faults: &mut Faults<'_>| {
        let mut found = keys.iter().filter_map(|key| fields.entry(key)).peekable();
        let is_one = found.peek().is_some();
        for other in found {
            let message = format!("`{}` belongs to {why}", other.key);
            faults
                .add(code::CHOICE, other.key_at, message, "not here")
                .help("a sink is of a repository, of an environment of it, or of an organization");
        }
        is_one
    };
    match (fields.get("repository"), fields.get("organization")) {
        (Some(_), Some(_)) => {
            faults
                .add(
                    code::CHOICE,
                    entry.key_at,
                    format!("{what} says `repository` and `organization`"),
                    "one of them is expected",
                )
                .help("secrets are of a repository, of an environment of it, or of an organization: a sink each");
            None
        }
        (None, Some(node)) => {
            let is_odd = of_another(&["environment"], "a `repository`", faults);
            let name = named(node, "`organization`", "acme", 1, faults);
            let visibility = visibility(fields, faults);
            let (name, visibility) = (name?, visibility?);
            (!is_odd).then_some(GitHubOwner::Organization { name, visibility })
        }
        (Some(_) | None, None) => {
            let is_odd = of_another(&["visibility", "repository_ids"], "an `organization`", faults);
            let repository = fields.require("repository", "acme/deploy", faults);
            let repository = repository.and_then(|node| named(node, "`repository`", "acme/deploy", 2, faults));
            let environment = fields.get("environment").map(|node| environment(node, faults));
            let repository = repository?;
            let of = match environment {
                Some(environment) => GitHubOwner::Environment { repository, environment: environment? },
                None => GitHubOwner::Repository(repository),
            };
            (!is_odd).then_some(of)
        }
    }
}

/// A name of so many parts. A token may have been pasted, so what does not fit is not shown.
fn named(node: &Node, what: &str, example: &str, parts: usize, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, what, faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_part = |part: &str| {
        (1..=100).contains(&part.len())
            && !part.starts_with('-')
            && part.bytes().all(inner)
            && part.bytes().any(|b| b != b'.')
    };
    if text.split('/').count() == parts && text.split('/').all(is_part) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, format!("{what} is no name of GitHub's"), "not shown")
        .help(format!("as in `{example}`, without the host"));
    None
}

fn environment(node: &Node, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`environment`", faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || b" ()-_./:".contains(&b);
    if (1..=255).contains(&text.len()) && text.bytes().all(inner) && text.trim() == text {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, "`environment` is no name of an environment", "not shown")
        .help("as in `production`; it must be there");
    None
}

fn visibility(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Visibility> {
    let node = fields.require("visibility", "private", faults)?;
    let word = read::word(node, "`visibility`", &VISIBILITIES, faults)?;
    if word == "selected" {
        let node = fields.require("repository_ids", "[1296269]", faults)?;
        let Value::List(items) = &node.value else {
            read::wrong_kind(node, "`repository_ids`", "a list", faults).help("as in `repository_ids: [1296269]`");
            return None;
        };
        let ids: Option<Vec<u32>> =
            items.iter().map(|item| read::number(item, "an id of `repository_ids`", u32::MAX, faults)).collect();
        return ids.map(Visibility::Selected);
    }
    if let Some(entry) = fields.entry("repository_ids") {
        faults
            .add(code::CHOICE, entry.key_at, format!("`repository_ids` beside `visibility: {word}`"), "not heeded")
            .help("say `visibility: selected`, or leave the ids out");
        return None;
    }
    Some(if word == "all" { Visibility::All } else { Visibility::Private })
}
