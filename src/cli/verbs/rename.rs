//! `qlik-apply ledger mv OLD NEW` and `ledger forget ADDRESS`: a person's word on what the ledger holds. Nothing is sent.

use std::path::PathBuf;

use crate::ledger::{Held, LedgerError};
use crate::model::address::Address;
use crate::model::record::Record;
use crate::model::untrusted::escape;
use crate::render;

use super::super::args::{ApplyArgs, Format};
use super::super::clock::clock;
use super::super::declared::{self, Declared};
use super::super::exit::{Exit, Problem};
use super::super::output::Output;
use super::super::signals::{Signals, Unsaved};
use super::super::stores;
use super::apply::ask;
use super::hold;

pub(in crate::cli) async fn mv(
    args: &ApplyArgs,
    from: &Address,
    to: &Address,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let declared = declared::read(&args.common, paths, output)?;
    if declares(&declared, from) {
        return Err(Problem::new(
            format!("{from} is still declared, and without its record it would be created anew"),
            format!("rename it to {to} in desired state first"),
        ));
    }
    let record = change(args, &declared, async |held| held.rename(from, to).await).await?;
    let bound = record.state.binding().map(|binding| format!(", bound to {}", binding.hostname)).unwrap_or_default();
    let mut said = format!("{from} is {to} now{bound}; its keys stay where they are until they are renewed");
    let mut next = vec![format!("qlik-plan shows that nothing is created for {to}")];
    if !declares(&declared, to) {
        said.push_str(". It is not declared under that name yet");
        next.insert(0, format!("declare {to}"));
    }
    tell(to, &said, &next, output)
}

pub(in crate::cli) async fn forget(
    args: &ApplyArgs,
    address: &Address,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let declared = declared::read(&args.common, paths, output)?;
    if declares(&declared, address) {
        return Err(Problem::new(
            format!("{address} is still declared, and without its record it would be created anew: a second tenant"),
            "remove it from desired state first, or declare which tenant it is: adopt: { hostname: … }",
        ));
    }
    let ledger = stores::ledger(&declared.settings, &args.common)?;
    let facts = ledger.read()?.ok_or_else(|| super::ledger::missing(&ledger))?;
    let record = facts.records.get(address).ok_or_else(|| LedgerError::NoRecord { address: address.clone() })?;
    let consequence = consequence(address, record);
    if record.state.binding().is_some() && !args.yes {
        return Err(Problem::new(
            format!("{consequence} Nothing was changed"),
            format!("if that is what you want: qlik-apply ledger forget {address} --yes"),
        ));
    }
    output.always(&escape(&consequence));
    if !args.yes {
        if let Some(rule) = args.common.presence.absence() {
            return Err(Problem::new(
                format!("nobody at a terminal to confirm that {address} is forgotten ({rule}); nothing was changed"),
                format!("if that is what you want: qlik-apply ledger forget {address} --yes"),
            ));
        }
        let quiet = output.beside();
        let signals = Signals::listen(&args.common.waits, Unsaved::default(), move |text| quiet.always(text)).map_err(
            |error| Problem::new(format!("signals cannot be heard: {error}"), "see the limits of this machine"),
        )?;
        if !ask(&format!("Forget {address}?"), output, &signals).await? {
            return Err(Problem::new("not confirmed; nothing was changed", format!("{address} stays in the ledger")));
        }
    }
    change(args, &declared, async |held| held.forget(address).await).await?;
    tell(address, &format!("{address} is forgotten"), &[], output)
}

fn consequence(address: &Address, record: &Record) -> String {
    match record.state.binding() {
        None => format!("No tenant was made for {address}; its record says nothing else."),
        Some(binding) => format!(
            "{address} is bound to {} (id {}). That tenant stays, with its licence quota, its users and its live keys; \
             nothing here knows of it any more, its keys are not renewed, and whoever declares {address} again without \
             adopt: gets a second tenant.",
            binding.hostname, binding.tenant_id
        ),
    }
}

/// Whether this address would be created if its record were gone.
fn declares(declared: &Declared, address: &Address) -> bool {
    let spec = declared.desired.items.get(address).map(|item| &item.spec);
    address.is_tenant() && spec.is_some_and(|spec| !spec.is_adopted())
}

/// Changes the ledger in a run of its own.
async fn change<T>(
    args: &ApplyArgs,
    declared: &Declared,
    change: impl AsyncFnOnce(&Held) -> Result<T, LedgerError>,
) -> Result<T, Problem> {
    let ledger = stores::ledger(&declared.settings, &args.common)?;
    let held = hold(&ledger, args.common.max_run)?;
    let result = change(&held).await;
    held.end(clock())?;
    Ok(result?)
}

fn tell(address: &Address, said: &str, next: &[String], output: &Output) -> Result<Exit, Problem> {
    let text = if output.format == Format::Json {
        render::json::resolved(address, said, next)
    } else {
        let steps: String = next.iter().map(|step| format!("  next: {step}\n")).collect();
        format!("{}\n{steps}", escape(said))
    };
    output.result(&text)?;
    Ok(Exit::Done)
}
