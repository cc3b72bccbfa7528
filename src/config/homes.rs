//! What a sink asks of the keys that are delivered there, beyond being there.

use std::collections::HashMap;

use super::azure::is_part;
use super::diagnostic::{Faults, code};
use super::source::{At, Span};
use crate::model::address::{Address, Name, Vendor};
use crate::model::marker::SinkHash;
use crate::model::settings::{AzureSink, GitHubSink, GitLabSink, Settings, Sink};
use crate::model::spec::Shape;

/// The way out of a name that begins as none may.
const BEGINS: &str =
    "begin the sink's `name` in settings with letters of its own, as in `PROD_{vendor}_{tenant}_{key}`";

/// The places that were told, so that a profile is told once a tenant.
#[derive(Default)]
pub(super) struct Taken {
    taken: HashMap<(Name, Name), Span>,
    /// Of each place, the names of variables and the keys that have them.
    variables: HashMap<(String, String), (Address, Span)>,
}

impl Taken {
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
            Some(Sink::Azure(azure)) => {
                let address = of_vendor(shape, tenant).with_key(key.clone());
                becomes_a_name_in_a_vault(azure, (tenant, key), &address, deliver_to, faults);
                return;
            }
            Some(Sink::GitLab(sink)) => {
                let address = of_vendor(shape, tenant).with_key(key.clone());
                if sink.is_masked() && shape != Some(Shape::Token) {
                    not_maskable(deliver_to, shape, faults);
                }
                let name = sink.name.of(&address);
                let metadata = format!("{name}{}", GitLabSink::METADATA);
                self.variable(&sink.location(), &[name, metadata], &address, deliver_to, faults);
                return;
            }
            Some(Sink::GitHub(sink)) => {
                let address = of_vendor(shape, tenant).with_key(key.clone());
                let name = sink.name.of(&address);
                if name.starts_with(GitHubSink::TAKEN) {
                    let message = format!(
                        "{address} would be the secret {name} in sink `{}`, and GitHub keeps names that begin so",
                        deliver_to.value
                    );
                    faults.add(code::HOME, deliver_to.at, message, "delivered there").help(BEGINS);
                }
                self.variable(&sink.location(), &[name], &address, deliver_to, faults);
                return;
            }
            Some(Sink::File { .. } | Sink::Command(_) | Sink::Vault(_) | Sink::Aws(_) | Sink::Gcp(_)) | None => return,
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

impl Taken {
    /// Names of variables are narrower than addresses, so two keys may come to have one.
    fn variable(
        &mut self,
        location: &str,
        names: &[String],
        address: &Address,
        deliver_to: &At<Name>,
        faults: &mut Faults<'_>,
    ) {
        let (sink, at) = (&deliver_to.value, deliver_to.at);
        for name in names {
            if name.starts_with(|c: char| c.is_ascii_digit()) {
                let message =
                    format!("{address} would be {name} in sink `{sink}`, and no variable's name begins with a digit");
                faults.add(code::HOME, at, message, "delivered there").help(BEGINS);
                return;
            }
            let Some((other, first)) =
                self.variables.insert((location.to_owned(), name.clone()), (address.clone(), at))
            else {
                continue;
            };
            let message = format!("{other} and {address} would both be {name} in sink `{sink}`");
            let first = faults.place(first);
            faults.add(code::HOME, at, message, "again here").also(first, "first here").help(
                "rename one of them, deliver it to another place, or part the names further, as in `name: \"{vendor}__{tenant}__{key}\"`",
            );
            return;
        }
    }
}

fn of_vendor(shape: Option<Shape>, tenant: &Name) -> Address {
    let vendor = if shape.is_some() { Vendor::Qlik } else { Vendor::Imburse };
    Address::tenant(vendor, tenant.clone())
}

/// GitLab masks one line without blanks, and every other shape has lines.
fn not_maskable(deliver_to: &At<Name>, shape: Option<Shape>, faults: &mut Faults<'_>) {
    let sink = &deliver_to.value;
    let message = format!("sink `{sink}` masks its variables, and GitLab masks a value of one line alone");
    let unmasked = format!("say `masked: false` under sinks.{sink} in settings: a job that prints it then shows it");
    let help = match shape {
        Some(_) => format!("say `deliver_as: token`; or {unmasked}"),
        None => format!("a key of Imburse is delivered in several lines: {unmasked}"),
    };
    faults.add(code::HOME, deliver_to.at, message, "delivered there").help(help);
}

/// Two names for one place would have a key delivered over itself.
pub(super) fn each_its_own(deliver_to: &[At<Name>], settings: &Settings, faults: &mut Faults<'_>) {
    let mut seen: Vec<(&At<Name>, SinkHash)> = Vec::new();
    for sink in deliver_to {
        let Some(hash) = settings.sinks.get(&sink.value).map(Sink::hash) else { continue };
        if let Some((first, _)) = seen.iter().find(|(_, other)| *other == hash) {
            let message = format!("sinks `{}` and `{}` are one place", first.value, sink.value);
            let first = faults.place(first.at);
            faults
                .add(code::HOME, sink.at, message, "the same place")
                .also(first, "first here")
                .help("deliver the key to one of them, or let settings say another place");
        }
        seen.push((sink, hash));
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

/// Each name is a part of a secret's name, and two keys must never meet at one.
fn becomes_a_name_in_a_vault(
    azure: &AzureSink,
    (tenant, key): (&Name, &Name),
    address: &Address,
    deliver_to: &At<Name>,
    faults: &mut Faults<'_>,
) {
    let sink = &deliver_to.value;
    let mut is_one = true;
    for bad in [tenant, key].into_iter().filter(|name| !is_part(name.as_str())) {
        is_one = false;
        let message = format!(
            "`{bad}` becomes no part of a secret's name in sink `{sink}`: it ends in '-' or has two of them side by side"
        );
        faults
            .add(code::HOME, deliver_to.at, message, "delivered there")
            .help("two hyphens stand between the parts of a name: give it another, or deliver the key elsewhere");
    }
    let length = azure.name.path(address).len();
    if is_one && length > AzureSink::NAME_MAX {
        let message = format!("the secret of {address} in sink `{sink}` would have a name of {length} characters");
        faults
            .add(code::HOME, deliver_to.at, message, "delivered there")
            .help(format!("a vault takes {} at most: shorten tenant, key or the sink's `name`", AzureSink::NAME_MAX));
    }
}
