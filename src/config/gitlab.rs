//! A sink at GitLab, as settings say it: variables of one project or group, by GitLab's own words.

use std::path::Path;

use super::diagnostic::{Faults, code};
use super::read::{self, Fields, Keys};
use super::reference::{origin, required_reference};
use super::syntax::{Entry, Node};
use super::variable;
use crate::model::origin::Origin;
use crate::model::settings::{GitLabOwner, GitLabSink, Shown};

const GITLAB: Keys = Keys {
    known: &[
        "kind",
        "server",
        "project",
        "group",
        "name",
        "token",
        "environment_scope",
        "masked",
        "hidden",
        "protected",
        "variable_type",
    ],
    later: &[],
};
const TYPES: Keys = Keys { known: &["env_var", "file"], later: &[] };

const SERVER: &str = "https://gitlab.com";
const EVERYWHERE: &str = "*";

/// The longest name of a variable.
const LONGEST: usize = 255;

pub(super) fn sink(what: &str, entry: &Entry, base: &Path, faults: &mut Faults<'_>) -> Option<GitLabSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &GITLAB, faults)?;
    let server = match fields.get("server") {
        Some(node) => origin(node, "`server`", SERVER, faults),
        None => Origin::parse(SERVER).ok(),
    };
    let of = owner(&fields, what, entry, faults);
    let name = variable::name(&fields, LONGEST - GitLabSink::METADATA.len(), faults);
    let token = required_reference(&fields, "token", "GITLAB_TOKEN", base, faults);
    let environment_scope = match fields.get("environment_scope") {
        Some(node) => scope(node, of.as_ref(), faults),
        None => Some(EVERYWHERE.to_owned()),
    };
    let shown = shown(&fields, faults);
    let protected = flag(&fields, "protected", true, faults);
    let as_file = match fields.get("variable_type") {
        Some(node) => read::word(node, "`variable_type`", &TYPES, faults).map(|word| word == "file"),
        None => Some(false),
    };
    Some(GitLabSink {
        server: server?,
        of: of?,
        name: name?,
        token: token?,
        environment_scope: environment_scope?,
        shown: shown?,
        protected: protected?,
        as_file: as_file?,
    })
}

fn owner(fields: &Fields<'_>, what: &str, entry: &Entry, faults: &mut Faults<'_>) -> Option<GitLabOwner> {
    match (fields.get("project"), fields.get("group")) {
        (Some(_), Some(_)) => {
            faults
                .add(
                    code::CHOICE,
                    entry.key_at,
                    format!("{what} says `project` and `group`"),
                    "one of them is expected",
                )
                .help("variables are of one project, or of all projects of a group: a sink each");
            None
        }
        (None, Some(group)) => path(group, "`group`", "acme", faults).map(GitLabOwner::Group),
        (Some(_) | None, None) => {
            let node = fields.require("project", "acme/deploy", faults)?;
            path(node, "`project`", "acme/deploy", faults).map(GitLabOwner::Project)
        }
    }
}

/// An id or a whole path. A token may have been pasted, so what does not fit is not shown.
fn path(node: &Node, what: &str, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, what, faults)?;
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_part = |part: &str| !part.is_empty() && !part.starts_with(['-', '.']) && part.bytes().all(inner);
    if text.len() <= 1_024 && text.split('/').all(is_part) {
        return Some(text.to_owned());
    }
    faults.mask(node.at);
    faults
        .add(code::PLACE, node.at, format!("{what} is no path and no id of GitLab's"), "not shown")
        .help(format!("the whole path without the host, as in `{example}`, or the id in quotes"));
    None
}

fn scope(node: &Node, of: Option<&GitLabOwner>, faults: &mut Faults<'_>) -> Option<String> {
    let text = read::text(node, "`environment_scope`", faults)?;
    // As the documentation has the names of environments.
    let inner = |b: u8| b.is_ascii_alphanumeric() || b" -_/${}.*".contains(&b);
    if !(1..=255).contains(&text.len()) || !text.bytes().all(inner) {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`environment_scope` is no name of environments", "not shown")
            .help("as in `production`, `review/*` or `*`");
        return None;
    }
    if matches!(of, Some(GitLabOwner::Group(_))) && text != EVERYWHERE {
        faults
            .add(code::PLACE, node.at, "`environment_scope` of a group's variables is not taken", "of a group")
            .help("GitLab has it in Premium alone, and elsewhere leaves it out in silence: name a `project`");
        return None;
    }
    Some(text.to_owned())
}

fn shown(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Shown> {
    let (masked, hidden) = (flag(fields, "masked", true, faults), flag(fields, "hidden", false, faults));
    match (masked?, hidden?) {
        (true, true) => Some(Shown::Hidden),
        (true, false) => Some(Shown::Masked),
        (false, false) => Some(Shown::Everywhere),
        (false, true) => {
            let node = fields.get("masked")?;
            faults
                .add(code::PLACE, node.at, "a variable that is hidden is masked too", "not masked")
                .help("leave `masked` out, or say `hidden: false`");
            None
        }
    }
}

fn flag(fields: &Fields<'_>, key: &str, left_out: bool, faults: &mut Faults<'_>) -> Option<bool> {
    match fields.get(key) {
        Some(node) => read::boolean(node, &format!("`{key}`"), faults),
        None => Some(left_out),
    }
}
