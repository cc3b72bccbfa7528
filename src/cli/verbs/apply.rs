//! `qlik-apply [PATH…]`: makes what is missing.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use crate::apply::event::{Event, Report};
use crate::apply::world::World;
use crate::apply::{self, rehearse};
use crate::ledger::Held;
use crate::model::live::{LedgerLive, Live};
use crate::model::spec::Owner;
use crate::observe::{Preflight, Sources, observe};
use crate::plan::action::{Action, Plan};
use crate::render::{self, Verdict};

use super::super::args::{ApplyArgs, Format};
use super::super::credentials::Needs;
use super::super::estate::{self, Declared, Estate};
use super::super::output::{Exit, Output, Problem};
use super::super::signals::Signals;
use super::{check_remint, clock, hold, ledger, random, wishes};

pub(in crate::cli) async fn run(args: &ApplyArgs, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let common = &args.common;
    let declared = estate::declared(common, paths, output)?;
    check_remint(common, &declared)?;
    let look = *output.stderr_look();
    let quiet = Output::plain(output.format);
    let signals = Signals::listen(move |text| quiet.message(text))
        .map_err(|error| Problem::new(format!("signals cannot be heard: {error}"), "see the limits of this machine"))?;
    let estate = Estate::open(common, &declared.settings, &Needs::of(&declared.desired)).await?;
    make_ledger(args, &estate, &declared, output)?;
    let began = Instant::now();
    let held = hold(&estate, args.max_run)?;
    let max_run = std::time::Duration::from_secs(args.max_run.seconds());
    let stop = move || {
        if signals.has_come() {
            Some("a signal asked to stop".to_owned())
        } else if began.elapsed() > max_run {
            Some("the run's own time is over (--max-run)".to_owned())
        } else {
            None
        }
    };
    let emit = |event: Event| {
        if let Some(line) = render::events::event(&event, &look) {
            output.message(&line);
        }
    };
    let world = World::new(
        &estate.qlik,
        &estate.sinks,
        &held,
        &declared.desired,
        &clock,
        &random,
        &stop,
        &emit,
        usize::from(common.parallelism),
    );
    let result = work(args, &declared, &estate, &held, &world, output).await;
    let accounted = world.is_accounted();
    let now = estate.qlik.server_time().unwrap_or_else(clock);
    estate.close().await;
    if accounted {
        held.end(now)?;
    }
    result
}

async fn work(
    args: &ApplyArgs,
    declared: &Declared,
    estate: &Estate,
    held: &Held,
    world: &World<'_>,
    output: &Output,
) -> Result<Exit, Problem> {
    let common = &args.common;
    let mut wishes = wishes(common, true);
    let sources = Sources {
        qlik: &estate.qlik,
        sinks: &estate.sinks,
        settings: &declared.settings.sinks,
        preflight: Preflight::Full,
        ci: declared.ci,
        ledger_is_durable: common.ledger_is_durable || declared.settings.ledger.is_shared(),
        parallelism: usize::from(common.parallelism),
        now: clock(),
    };
    let mut live = observe(&declared.desired, LedgerLive::Present(held.facts()?), &wishes, &sources).await;
    let now = || estate.qlik.server_time().unwrap_or_else(clock);
    let mut plan = crate::plan::plan(&declared.desired, &live, &wishes, now());
    if common.sandbox {
        rehearse_in_sandbox(declared, &live, &plan, world, output).await?;
        wishes.will_rehearse = false;
        live = Live { ledger: LedgerLive::Present(held.facts()?), ..live };
        plan = crate::plan::plan(&declared.desired, &live, &wishes, now());
    }
    if output.format == Format::Text {
        output.result(&render::text::plan(&plan, output.look()))?;
    }
    if plan.has_work() && !args.yes && !confirmed(output)? {
        return Err(Problem::new("not confirmed; nothing was sent", "qlik-apply again, and answer yes"));
    }
    let report = apply::apply(&plan, world).await;
    let exit = if report.is_clean() && !plan.has_refusals() { Exit::Done } else { Exit::Error };
    show(&plan, &report, exit, output)?;
    Ok(exit)
}

fn show(plan: &Plan, report: &Report, exit: Exit, output: &Output) -> Result<(), Problem> {
    match output.format {
        Format::Text if report.lines.is_empty() && report.stopped.is_none() => Ok(()),
        Format::Text => output.result(&render::text::report(report, output.look())),
        Format::Json => output.result(&render::json::report(plan, report, &Verdict::of_plan(plan, exit.code()))),
    }
}

/// Made by the sandbox itself; asked for on a terminal; an error elsewhere.
fn make_ledger(args: &ApplyArgs, estate: &Estate, declared: &Declared, output: &Output) -> Result<(), Problem> {
    if args.common.sandbox {
        return ledger::init_sandbox(estate, declared);
    }
    if estate.ledger.read()?.is_some() {
        return Ok(());
    }
    if declared.ci || args.yes || !std::io::stdin().is_terminal() {
        return Err(ledger::missing(&estate.ledger));
    }
    let question =
        format!("There is no ledger at {}. Was there never one, and shall it be made?", estate.ledger.place());
    if !ask(&question, output)? {
        return Err(ledger::missing(&estate.ledger));
    }
    ledger::make(&estate.ledger, &declared.settings, &declared.desired)?;
    Ok(())
}

fn confirmed(output: &Output) -> Result<bool, Problem> {
    if !std::io::stdin().is_terminal() {
        return Err(Problem::new(
            "there is something to do, and nobody at a terminal to confirm it; nothing was sent",
            "review the plan, then say --yes",
        ));
    }
    ask("Do this?", output)
}

/// Only the word `yes` is a yes.
fn ask(question: &str, output: &Output) -> Result<bool, Problem> {
    let gone = |error: std::io::Error| Problem::new(format!("the terminal cannot be asked: {error}"), "say --yes");
    output.message("");
    let mut err = std::io::stderr().lock();
    write!(err, "{question} Only 'yes' is taken: ").and_then(|()| err.flush()).map_err(gone)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(gone)?;
    Ok(answer.trim() == "yes")
}

/// In the sandbox nothing is at stake, so what a person would rehearse once is rehearsed by itself.
async fn rehearse_in_sandbox(
    declared: &Declared,
    live: &Live,
    plan: &Plan,
    world: &World<'_>,
    output: &Output,
) -> Result<(), Problem> {
    let mut wanted: Vec<(Arc<str>, Owner)> = Vec::new();
    for planned in &plan.actions {
        let Action::CreateTenant(create) = &planned.action else { continue };
        for (_, key, _) in declared.desired.qlik_keys(&planned.address).filter(|(_, k, _)| k.adopt.is_none()) {
            let pair = (Arc::from(create.account.as_str()), key.owner.clone());
            if !wanted.contains(&pair) {
                wanted.push(pair);
            }
        }
    }
    for (name, owner) in wanted {
        let Some((account, settings)) = declared.settings.accounts.iter().find(|(n, _)| n.as_str() == &*name) else {
            continue;
        };
        let known = match &live.ledger {
            LedgerLive::Present(facts) => facts.rehearsals.iter().any(|rehearsal| {
                rehearsal.account == *account
                    && rehearsal.owner == owner
                    && rehearsal.failure.is_none()
                    && Some(&rehearsal.credential) == world.qlik.credential_hash(account, &owner).as_ref()
            }),
            LedgerLive::Missing { .. } => false,
        };
        let Some(stage) = super::rehearse::stage(settings, &owner).filter(|_| !known) else { continue };
        let said = rehearse::words(&owner);
        match rehearse::rehearse(world, account, &owner, &stage).await? {
            None => output.message(&format!("rehearsed on {stage} (sandbox): {said} can mint keys")),
            Some(failure) => {
                output.message(&format!("rehearsal on {stage} (sandbox) failed for {said}: {}", failure.why))
            }
        }
    }
    Ok(())
}
