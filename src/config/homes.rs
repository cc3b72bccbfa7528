//! What a sink asks of the keys that are delivered there, beyond being there.

use std::collections::HashMap;

use super::diagnostic::{Faults, code};
use super::source::{At, Span};
use crate::model::address::Name;
use crate::model::settings::{Settings, Sink};
use crate::model::spec::Shape;

/// The places that were told, so that a profile is told once a tenant.
#[derive(Default)]
pub(super) struct Homes {
    taken: HashMap<(Name, Name), Span>,
}

impl Homes {
    /// Checks one key of a tenant; `shape` is of a key at Qlik.
    pub(super) fn check(
        &mut self,
        (tenant, key): (&Name, &Name),
        deliver_to: &At<Name>,
        shape: Option<Shape>,
        settings: &Settings,
        faults: &mut Faults<'_>,
    ) {
        let name = &deliver_to.value;
        let sink = match settings.sinks.get(name) {
            Some(Sink::StackOne(sink)) => sink,
            Some(Sink::Kubernetes(_)) => {
                becomes_a_name(tenant, key, deliver_to, faults);
                return;
            }
            Some(Sink::File { .. } | Sink::Command(_) | Sink::Vault(_) | Sink::Aws(_)) | None => return,
        };
        if shape != Some(Shape::Stackone) {
            let what = if shape.is_none() { "keys of Imburse" } else { "another shape" };
            let message = format!("sink `{name}` takes keys of Qlik with `deliver_as: stackone`, and not {what}");
            let help = if shape.is_none() { "deliver it elsewhere" } else { "say `deliver_as: stackone`" };
            faults.add(code::HOME, deliver_to.at, message, "delivered there").help(help);
            return;
        }
        if !sink.accounts.contains_key(tenant) {
            let message = format!("sink `{name}` has no account for the tenant `{tenant}`");
            faults.add(code::HOME, deliver_to.at, message, "delivered there").help(format!(
                "link the tenant at StackOne once, and add `{tenant}: \"ID\"` to sinks.{name}.accounts in settings"
            ));
        }
        if let Some(first) = self.taken.insert((name.clone(), tenant.clone()), deliver_to.at) {
            let message = format!("two keys of the tenant `{tenant}` go to its one account in sink `{name}`");
            let first = faults.place(first);
            faults
                .add(code::HOME, deliver_to.at, message, "again here")
                .also(first, "first here")
                .help("an account holds one key: deliver the other elsewhere");
        }
    }
}

/// Each name is a part of a Secret's name, and a part ends in a letter or a digit.
fn becomes_a_name(tenant: &Name, key: &Name, deliver_to: &At<Name>, faults: &mut Faults<'_>) {
    let sink = &deliver_to.value;
    for bad in [tenant, key].into_iter().filter(|name| name.as_str().ends_with('-')) {
        let message = format!("`{bad}` becomes no part of a Secret's name in sink `{sink}`: it ends in '-'");
        faults
            .add(code::HOME, deliver_to.at, message, "delivered there")
            .help("give it a name that ends in a letter or a digit, or deliver the key elsewhere");
    }
}
