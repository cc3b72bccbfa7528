//! A sink in Google's Secret Manager, as settings say it: names by the rules of its API.

use super::diagnostic::{Faults, code};
use super::place::cloud_word;
use super::read::{self, Fields, Keys};
use super::reference::origin;
use super::syntax::Entry;
use crate::model::address::{NAME_MAX, Vendor};
use crate::model::settings::{GcpSink, PathTemplate};

const GCP: Keys =
    Keys { known: &["kind", "project", "location", "name", "attached_service_account", "endpoint"], later: &[] };

const NAME: &str = "{vendor}_{tenant}_{key}";

/// The longest name of a secret.
const LONGEST: usize = 255;

pub(super) fn sink(what: &str, entry: &Entry, faults: &mut Faults<'_>) -> Option<GcpSink> {
    let fields = read::fields(&entry.value, what, entry.key_at, &GCP, faults)?;
    let project = fields
        .require("project", "my-project", faults)
        .and_then(|node| cloud_word(node, "`project`", "my-project", faults));
    let location = fields.get("location").map(|node| cloud_word(node, "`location`", "europe-west3", faults));
    let name = name(&fields, faults);
    let attached = match fields.get("attached_service_account") {
        Some(node) => read::boolean(node, "`attached_service_account`", faults),
        None => Some(false),
    };
    let endpoint = fields.get("endpoint").map(|node| origin(node, "`endpoint`", "http://127.0.0.1:5000", faults));
    Some(GcpSink {
        project: project?,
        location: match location {
            Some(location) => Some(location?),
            None => None,
        },
        name: name?,
        attached_service_account: attached?,
        endpoint: match endpoint {
            Some(endpoint) => Some(endpoint?),
            None => None,
        },
    })
}

/// Names of tenants and keys have no `_`, so each is a part of its own, and none has one within.
fn is_part(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn name(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<PathTemplate> {
    let Some(node) = fields.get("name") else { return PathTemplate::underscored(NAME, is_part) };
    let text = read::text(node, "`name`", faults)?;
    // Whatever the tenants and keys are called.
    let room = LONGEST - Vendor::Imburse.as_str().len() - 2 * NAME_MAX;
    let fits = |_: &PathTemplate| text.len() - PathTemplate::PLACES.concat().len() <= room;
    let template = PathTemplate::underscored(text, is_part).filter(fits);
    if template.is_none() {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`name` does not give each key a secret of its own", "not shown")
            .help(format!("{{vendor}}, {{tenant}} and {{key}} once each, with '_' between, as in `prod_{NAME}`; letters, digits and '-' besides, {room} at most"));
    }
    template
}
