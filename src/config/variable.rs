//! What the variables of pipelines are called, as settings say it.

use super::diagnostic::{Faults, code};
use super::read::{self, Fields};
use crate::model::address::{NAME_MAX, Vendor};
use crate::model::settings::VariableName;

const NAME: &str = "{vendor}_{tenant}_{key}";

/// The template under `name`; no name that comes of it is longer than `longest`, whatever tenants and keys are called.
pub(super) fn name(fields: &Fields<'_>, longest: usize, faults: &mut Faults<'_>) -> Option<VariableName> {
    let Some(node) = fields.get("name") else { return VariableName::parse(NAME) };
    let text = read::text(node, "`name`", faults)?;
    let Some(template) = VariableName::parse(text) else {
        faults.mask(node.at);
        faults
            .add(code::PLACE, node.at, "`name` does not give each key a variable", "not shown")
            .help(format!("{{vendor}}, {{tenant}} and {{key}} once each, between underscores; upper-case letters and digits beside them, as in `PROD_{NAME}`"));
        return None;
    };
    let room = longest - Vendor::Imburse.as_str().len() - 2 * NAME_MAX;
    let literal = text.len() - VariableName::PLACES.concat().len();
    if literal > room {
        let message = format!("`name` is too long: {literal} characters besides vendor, tenant and key");
        faults
            .add(code::PLACE, node.at, message, "too long")
            .help(format!("a variable's name has {longest} at most; {room} are left for these"));
        return None;
    }
    Some(template)
}
