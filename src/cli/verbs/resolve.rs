//! `qlik-apply resolve ADDRESS`: explains what is in doubt, and takes a person's word for it.

use std::path::PathBuf;

use crate::apply::resolve;
use crate::apply::world::World;
use crate::model::address::Address;
use crate::model::record::State;
use crate::render;

use super::super::args::{ApplyArgs, Format, ResolveHow};
use super::super::credentials::Needs;
use super::super::estate::{self, Estate};
use super::super::output::{Exit, Output, Problem};
use super::{clock, hold, ledger, random};

pub(in crate::cli) async fn run(
    args: &ApplyArgs,
    address: &Address,
    how: ResolveHow,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let common = &args.common;
    let declared = estate::declared(common, paths, output)?;
    let estate = Estate::open(common, &declared, &Needs::of(&declared.desired)).await?;
    let facts = estate.ledger.read()?.ok_or_else(|| ledger::missing(&estate.ledger))?;
    let record = facts.records.get(address);
    if let ResolveHow::Explain = how {
        let (mut said, mut next) = resolve::explain(address, &facts);
        // Not while its run is at work: then there is nothing to look for yet.
        if let (Some(State::Pending(intent)), false) = (record.map(|record| &record.state), next.is_empty()) {
            let found = resolve::candidates(&estate.qlik, &facts, intent).await;
            if let Some(found) = found? {
                let (more, steps) = resolve::say_candidates(address, &found);
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
        State::Pending(intent) => declared.desired.accounts.get(&intent.account).map(|facts| facts.region.clone()),
        State::Free | State::Bound(_) | State::Settling(_) | State::Settled(_) => None,
    });
    let held = hold(&estate.ledger, args.max_run)?;
    let (stop, emit) = (|| None, |_| {});
    let world = World::new(&estate.qlik, &estate.sinks, &held, &declared.desired, &clock, &random, &stop, &emit, 1);
    let result = match how {
        ResolveHow::Explain => Ok(String::new()),
        ResolveHow::Adopt(label) => match region {
            Some(region) => resolve::adopt(&world, address, &region.host(&label)).await,
            None => Err(crate::apply::event::Failure::new(
                format!("{address} is not in doubt, or its account is no longer in settings"),
                format!("qlik-apply resolve {address}"),
            )),
        },
        ResolveHow::NotCreated => resolve::not_created(&world, address).await,
        ResolveHow::Settle => resolve::settle(&world, address),
    };
    let now = estate.qlik.server_time().unwrap_or_else(clock);
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
