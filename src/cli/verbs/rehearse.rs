//! `qlik-apply rehearse ACCOUNT [PATH…]`: can this account mint keys, in each way that the desired state uses?

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::apply::rehearse;
use crate::apply::world::World;
use crate::model::address::Name;
use crate::model::host::Label;
use crate::model::settings::Account;
use crate::model::spec::{Owner, User, Way};
use crate::render;

use super::super::args::{ApplyArgs, Format};
use super::super::credentials::Needs;
use super::super::declared::{self, Declared};
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::output::Output;
use super::{clock, hold, ledger, random};

pub(in crate::cli) async fn run(
    args: &ApplyArgs,
    account: &Name,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let common = &args.common;
    let (declared, is_declared) = declared::at_hand(common, paths, output)?;
    let (name, settings) = find(&declared, account)?;
    let owners =
        if is_declared { declared::owners(&declared.desired, &name) } else { in_settings(settings, &name, output) };
    if owners.is_empty() {
        return Err(Problem::new(
            match is_declared {
                true => format!("no declared key is minted with account {name}, so there is nothing to rehearse"),
                false => {
                    format!("account {name} has no key_client and no owners in settings, so nobody can mint a key")
                }
            },
            match is_declared {
                true => "declare a key, or name another account",
                false => {
                    "add key_client: to the account in settings, or name the desired state: qlik-apply rehearse ACCOUNT PATH"
                }
            },
        ));
    }
    let mut estate = Estate::open(common, &declared, &Needs::of_account(&name, owners.iter().cloned())).await?;
    if common.sandbox {
        ledger::init_sandbox(&estate, &declared).await?;
    } else if estate.ledger.read()?.is_none() {
        return Err(ledger::missing(&estate.ledger));
    }
    let held = hold(&estate.ledger, common.max_run)?;
    let stop = || common.waits.ending().why().map(str::to_owned);
    let emit = |_| {};
    let world = World::new(
        &mut estate.qlik,
        &mut estate.imburse,
        &estate.sinks,
        &held,
        &declared.desired,
        &clock,
        &random,
        &stop,
        &emit,
        1,
    );
    let mut failures = Vec::new();
    let mut passed = Vec::new();
    let people = people(&owners);
    let ways: BTreeSet<Way> = owners.iter().map(Owner::way).collect();
    for way in &ways {
        let said = rehearse::words(way);
        let Some(stage) = stage(settings, way) else {
            failures.push((
                said,
                crate::apply::event::Failure::new(
                    "there is no tenant to rehearse on",
                    format!("set accounts.{name}.source_tenant in settings"),
                ),
            ));
            continue;
        };
        match rehearse::rehearse(&world, &name, way, &people, &stage).await {
            Ok(None) => passed.push(format!("{said} on {stage}")),
            Ok(Some(failure)) | Err(failure) => failures.push((said, failure)),
        }
    }
    let now = estate.server_time().unwrap_or_else(clock);
    estate.close().await;
    held.end(now)?;
    if output.format == Format::Json && failures.is_empty() {
        output.result(&render::json::rehearsed(&name, &passed))?;
    }
    if failures.is_empty() {
        if output.format != Format::Json {
            output.result(&format!(
                "Rehearsed account {name}: {}. A ten-minute key was minted, tried, marked and revoked for each.\n",
                passed.join("; ")
            ))?;
        }
        return Ok(Exit::Done);
    }
    let message =
        failures.iter().map(|(who, f)| format!("rehearsal of {who}: {}", f.why)).collect::<Vec<_>>().join("; ");
    let next = failures.into_iter().flat_map(|(_, failure)| failure.next).collect();
    Err(Problem { message, next, rendered: None, faults: None, outcome: crate::render::Outcome::Error })
}

fn find<'a>(declared: &'a Declared, account: &Name) -> Result<(Name, &'a Account), Problem> {
    let known: Vec<&str> = declared.settings.qlik.keys().map(Name::as_str).collect();
    declared
        .settings
        .qlik
        .iter()
        .find(|(name, _)| *name == account)
        .map(|(name, settings)| (name.clone(), settings))
        .ok_or_else(|| {
            Problem::new(format!("settings have no account {account}"), format!("one of: {}", known.join(", ")))
        })
}

/// The owners that need no declaration: the client itself, and those that settings name.
fn in_settings(account: &Account, name: &Name, output: &Output) -> BTreeSet<Owner> {
    let configured = account.owners.keys().cloned().map(Owner::Configured);
    output.message(&format!(
        "notice: no desired state was named or found; a key owned by a user is rehearsed with: qlik-apply rehearse {name} PATH"
    ));
    account.key_client.iter().map(|_| Owner::Client).chain(configured).collect()
}

/// The tenant that a way of owning can be rehearsed on.
pub(super) fn stage(account: &Account, way: &Way) -> Option<Label> {
    match way {
        Way::Client | Way::Impersonation => account.source_tenant.clone(),
        Way::Configured(name) => account.owners.get(name).map(|owner| owner.tenant.clone()),
    }
}

/// The users among owners.
pub(super) fn people(owners: &BTreeSet<Owner>) -> Vec<User> {
    owners.iter().filter_map(Owner::user).cloned().collect()
}
