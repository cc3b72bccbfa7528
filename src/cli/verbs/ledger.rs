//! `qlik-apply ledger init|list`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::ledger::Ledger;
use crate::model::address::Name;
use crate::model::desired::Desired;
use crate::model::live::Observed;
use crate::model::record::LedgerId;
use crate::render;
use crate::sink::Sink;

use super::super::args::{Common, Format};
use super::super::clock::clock;
use super::super::declared::{self, Declared};
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::ledger_place;
use super::super::output::Output;
use super::super::stores;
use super::random;

pub(in crate::cli) async fn init(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let (declared, is_declared) = declared::at_hand(common, paths, output)?;
    let ledger = stores::ledger(&declared.settings, common)?;
    let sinks = stores::sinks(&declared, common)?;
    let made = make(&ledger, &sinks, &declared.desired).await;
    stores::end(&sinks, Duration::from_secs(common.timeout)).await;
    let id = made?;
    let place = ledger.place();
    let text = if output.format == Format::Json {
        render::json::ledger_made(&id, &place)
    } else {
        format!("Made ledger {id} at {place}. Keep it: it is what prevents a second tenant.\n")
    };
    output.result(&text)?;
    if !is_declared {
        output.message(
            "notice: no desired state was named or found, so no sink was asked whether it holds keys of another ledger",
        );
    }
    if let Some(there) = ledger_place::of(common, &declared.settings).lies_in {
        output.always(&format!(
            "warning: it lies in {there}; a clone is a copy of a ledger, not the ledger, and unattended runs create nothing with one"
        ));
        output.always("  next: move the folder out of every checkout, and name its place under ledger: in settings");
    }
    Ok(Exit::Done)
}

/// Makes a ledger, unless a sink names another one: then that one is missing, and a new one would forget its tenants.
pub(super) async fn make(
    ledger: &Ledger,
    sinks: &BTreeMap<Name, Sink>,
    desired: &Desired,
) -> Result<LedgerId, Problem> {
    let deliveries = desired.deliveries().flat_map(|(address, homes)| homes.iter().map(move |sink| (address, sink)));
    for (address, deliver_to) in deliveries {
        let Some(sink) = sinks.get(deliver_to) else { continue };
        if let Some(Observed::Present(entry)) = sink.look(address, &[]).await.entry {
            return Err(Problem::new(
                format!(
                    "sink {deliver_to} holds a key of {address} that ledger {} delivered; a new ledger would forget that estate",
                    entry.ledger.short()
                ),
                format!("restore that ledger to {} from its backup", ledger.place()),
            ));
        }
    }
    let id = LedgerId::new(random());
    ledger.init(id.clone(), clock())?;
    Ok(id)
}

/// The sandbox makes its own ledger, where none was lost.
pub(super) async fn init_sandbox(estate: &Estate, declared: &Declared) -> Result<(), Problem> {
    if estate.ledger.read()?.is_none() {
        make(&estate.ledger, &estate.sinks, &declared.desired).await?;
    }
    Ok(())
}

pub(in crate::cli) fn list(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let cwd = declared::working_directory()?;
    let (settings, _) = declared::settings(common, paths, &cwd, output)?;
    let ledger = stores::ledger(&settings, common)?;
    let facts = ledger.read()?.ok_or_else(|| missing(&ledger))?;
    let text = if output.format == Format::Json {
        render::json::ledger(&facts)
    } else {
        render::text::ledger(&facts, output.look())
    };
    output.result(&text)?;
    Ok(Exit::Done)
}

pub(super) fn missing(ledger: &Ledger) -> Problem {
    Problem {
        message: format!("there is no ledger at {}", ledger.place()),
        next: vec![
            "restore it from its backup: it says which tenants exist".to_owned(),
            "if there never was one: qlik-apply ledger init".to_owned(),
        ],
        rendered: None,
        faults: None,
        outcome: crate::render::Outcome::Error,
    }
}
