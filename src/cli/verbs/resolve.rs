//! `qlik-apply resolve ADDRESS`: explains what is in doubt, and takes a person's word for it.

use std::path::PathBuf;

use crate::apply::event::Failure;
use crate::apply::imburse::resolve as imburse;
use crate::apply::resolve;
use crate::apply::world::World;
use crate::model::address::{Address, Name, Vendor};
use crate::model::live::LedgerFacts;
use crate::model::record::{Intent, State};
use crate::render;

use super::super::args::ResolveHow;
use super::super::args::{ApplyArgs, Format};
use super::super::credentials::Needs;
use super::super::declared;
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::output::Output;
use super::super::stores;
use super::{clock, hold, ledger, random};

pub(in crate::cli) async fn run(
    args: &ApplyArgs,
    address: &Address,
    how: ResolveHow,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let common = &args.common;
    let (declared, _) = declared::at_hand(common, paths, output)?;
    // The record says whose credentials are needed; what is declared need not.
    let record =
        stores::ledger(&declared.settings, common)?.read()?.and_then(|mut facts| facts.records.remove(address));
    let needs = match record.as_ref().and_then(|record| account_of(&record.state)) {
        Some(account) => Needs::of(&declared.desired).and_account(address.vendor, account),
        None => Needs::of(&declared.desired),
    };
    let mut estate = Estate::open(common, &declared, &needs).await?;
    let facts = estate.ledger.read()?.ok_or_else(|| ledger::missing(&estate.ledger))?;
    let record = facts.records.get(address);
    if let ResolveHow::Explain = how {
        let (mut said, mut next) = resolve::explain(address, &facts);
        // Not while its run is at work: then there is nothing to look for yet.
        if let (Some(State::Pending(intent)), false) = (record.map(|record| &record.state), next.is_empty()) {
            let evidence = match evidence(&estate, address, &facts, intent).await {
                Ok(evidence) => evidence,
                Err(failure) => {
                    estate.close().await;
                    return Err(failure.into());
                }
            };
            if let Some((more, steps)) = evidence {
                said = format!("{said}; {more}");
                next = steps;
            }
        }
        estate.close().await;
        let text = if output.format == Format::Json {
            render::json::resolved(address, &said, &next)
        } else {
            let steps: String = next.iter().map(|step| format!("  {step}\n")).collect();
            format!("{}\n{steps}", crate::model::untrusted::escape(&said))
        };
        output.result(&text)?;
        return Ok(if next.is_empty() { Exit::Done } else { Exit::Error });
    }
    let region = record.and_then(|record| match &record.state {
        State::Pending(intent) => declared.desired.qlik.get(&intent.account).map(|facts| facts.region.clone()),
        State::Free | State::Bound(_) | State::Settling(_) | State::Settled(_) => None,
    });
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
    let result = match how {
        ResolveHow::Explain => Ok(String::new()),
        ResolveHow::Adopt(label) if address.vendor == Vendor::Imburse => {
            imburse::adopt(&world, address, label.as_str()).await
        }
        ResolveHow::NotCreated if address.vendor == Vendor::Imburse => imburse::not_created(&world, address).await,
        ResolveHow::Adopt(label) => match region {
            Some(region) => resolve::adopt(&world, address, &region.host(&label)).await,
            None => Err(Failure::new(
                format!("{address} is not in doubt, or its account is no longer in settings"),
                format!("qlik-apply resolve {address}"),
            )),
        },
        ResolveHow::NotCreated => resolve::not_created(&world, address).await,
        ResolveHow::Settle => resolve::settle(&world, address).await,
    };
    let now = estate.server_time().unwrap_or_else(clock);
    estate.close().await;
    held.end(now)?;
    let said = result?;
    let text = if output.format == Format::Json {
        render::json::resolved(address, &said, &[])
    } else {
        format!("{}\n", crate::model::untrusted::escape(&said))
    };
    output.result(&text)?;
    Ok(Exit::Done)
}

/// The account that a record's tenant was made with.
fn account_of(state: &State) -> Option<&Name> {
    match state {
        State::Free => None,
        State::Pending(intent) => Some(&intent.account),
        State::Bound(binding) | State::Settled(binding) => Some(&binding.account),
        State::Settling(settling) => Some(&settling.binding.account),
    }
}

/// What the vendor's lists tell about a creation in doubt, and what to type then; `None` where no list can be read.
async fn evidence(
    estate: &Estate,
    address: &Address,
    facts: &LedgerFacts,
    intent: &Intent,
) -> Result<Option<(String, Vec<String>)>, Failure> {
    Ok(match address.vendor {
        Vendor::Qlik => resolve::candidates(&estate.qlik, facts, intent)
            .await?
            .map(|found| resolve::say_candidates(address, &found)),
        Vendor::Imburse => {
            let found = imburse::candidates(&estate.imburse, facts, intent).await?;
            Some(imburse::say_candidates(address, &found))
        }
    })
}
