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
        tenant: &Name,
        deliver_to: &At<Name>,
        shape: Option<Shape>,
        settings: &Settings,
        faults: &mut Faults<'_>,
    ) {
        let name = &deliver_to.value;
        let Some(Sink::StackOne(sink)) = settings.sinks.get(name) else { return };
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
