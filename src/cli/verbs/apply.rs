//! `qlik-apply [PATH…]`: makes what is missing.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::event::Event;
use crate::apply::world::World;
use crate::apply::{self, rehearse};
use crate::ledger::Held;
use crate::model::clock::Clocks;
use crate::model::live::{LedgerFacts, LedgerLive, Live};
use crate::model::spec::Way;
use crate::observe::{Breadth, Leaving, Preflight, Sources, observe};
use crate::plan::action::{Action, Plan};
use crate::plan::hurdles;
use crate::plan::needs::needs_all_records;
use crate::plan::review::Review;
use crate::plan::{Limiting, Wishes};
use crate::render::progress::Work;
use crate::render::{self, Outcome};
use crate::saved::SavedPlan;
use crate::sink::SinkReaders;

use super::super::args::{ApplyArgs, Format};
use super::super::attended::Presence;
use super::super::clock::clock;
use super::super::credentials::Needs;
use super::super::declared::{self, Declared};
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::formats::Told;
use super::super::ledger_place;
use super::super::output::Output;
use super::super::signals::{Signals, Unsaved};
use super::super::watch::unless_ending;
use super::{check_reclaims, check_wishes, hold, ledger, of_this_shard, random, review, tell_absence, unread, wishes};

pub(in crate::cli) async fn run(args: &ApplyArgs, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let common = &args.common;
    review::check(args)?;
    let asked = Asked { args, reviewed: review::load(args)? };
    let selection = review::selection(args, asked.reviewed.as_ref())?;
    let declared = declared::read_part(common, paths, &selection, output)?;
    tell_absence(common, output);
    check_wishes(common, &declared)?;
    let look = *output.stderr_look();
    let quiet = output.beside();
    let unsaved = Unsaved::default();
    let signals = Signals::listen(&common.waits, unsaved.clone(), move |text| quiet.always(text))
        .map_err(|error| Problem::new(format!("signals cannot be heard: {error}"), "see the limits of this machine"))?;
    let mut estate = Estate::open(common, &declared, &Needs::of(&declared.desired)).await?;
    make_ledger(args, &estate, &declared, output, &signals).await?;
    let held = hold(&estate.ledger, common.max_run)?;
    estate.bequeath(&held)?;
    let stop = || common.waits.ending().why().map(str::to_owned);
    let emit = |event: Event| {
        unsaved.follow(&event);
        if let Some(line) = render::events::event(&event, &look) {
            output.message(&line);
        }
    };
    let mut world = World::new(
        &mut estate.qlik,
        &mut estate.imburse,
        &estate.sinks,
        &held,
        &declared.desired,
        &clock,
        &random,
        &stop,
        &emit,
        estate.parallelism,
    );
    let told = output.line().follow(Work::Applying);
    world.told = &told;
    let result = work(&asked, &declared, &estate.clocks, &held, &world, &signals, output).await;
    let accounted = world.is_accounted();
    let now = estate.server_time().unwrap_or_else(clock);
    estate.close().await;
    if accounted {
        held.end(now)?;
    } else {
        held.leave();
    }
    result
}

/// What the command line says, and the reviewed plan that it names.
struct Asked<'a> {
    args: &'a ApplyArgs,
    reviewed: Option<SavedPlan>,
}

async fn work(
    asked: &Asked<'_>,
    declared: &Declared,
    clocks: &Clocks,
    held: &Held,
    world: &World<'_>,
    signals: &Signals,
    output: &Output,
) -> Result<Exit, Problem> {
    let args = asked.args;
    let common = &args.common;
    let mut wishes = wishes(common, declared, true);
    if let Some(saved) = &asked.reviewed {
        if saved.selection.shard.is_none() {
            wishes.limits = Limiting::Merged;
        }
        wishes.remint.extend(saved.remint.iter().cloned());
        wishes.replace.extend(saved.replace.iter().cloned());
        wishes.reclaim.extend(saved.reclaim.iter().cloned());
        wishes.new.extend(saved.new.iter().cloned());
        wishes.unrehearsed |= saved.unrehearsed;
    }
    let told = output.line().follow(Work::Reading);
    let (qlik, imburse) = world.readers();
    let ledger_again = || held.facts().map_err(|error| unread(&error));
    let sources = Sources {
        qlik,
        imburse,
        sinks: SinkReaders::of(world.sinks),
        settings: &declared.settings.sinks,
        preflight: Preflight::Sinks,
        breadth: Breadth::Needed,
        unattended: common.unattended().is_some(),
        ledger: ledger_place::of(common, &declared.settings),
        ledger_again: &ledger_again,
        parallelism: world.parallelism,
        told: &told,
        leaving: Leaving::UnlessDue,
        clocks,
        now: clock(),
    };
    let desired = &declared.desired;
    let recorded = || {
        let asks_for_all = |facts: &LedgerFacts| needs_all_records(desired, facts);
        of_this_shard(desired, qlik, |left_out| held.facts_without(left_out), asks_for_all)
    };
    let reading = observe(&declared.desired, LedgerLive::Present(recorded()?), &wishes, &sources);
    let mut live = unless_ending(&common.waits, reading).await?;
    let now = || clocks.now().unwrap_or_else(clock);
    let planned = |live: &Live, wishes: &Wishes| crate::plan::plan(&declared.desired, live, wishes, now());
    let mut plan = planned(&live, &wishes);
    // A plan that creates nothing (one over a limit, say) is not to be refused for want of a rehearsal instead.
    if common.sandbox && plan.counts().tenants_to_create > 0 {
        rehearse_in_sandbox(declared, &live, &plan, world, output).await?;
        wishes.will_rehearse = false;
        live = Live { ledger: LedgerLive::Present(recorded()?), ..live };
        plan = planned(&live, &wishes);
    }
    hurdles::tell(&declared.desired, &live, &wishes, now(), &mut plan);
    check_reclaims(common, &plan, &live, &wishes)?;
    let shard = declared.desired.selection.shard;
    // Of what was merged, this shard's part.
    let reviewed = asked.reviewed.as_ref().map(|saved| match shard.filter(|_| saved.selection.shard.is_none()) {
        Some(shard) => saved.of_shard(shard),
        None => saved.plan.clone(),
    });
    review::approved(args, reviewed.as_ref(), &plan, shard, output)?;
    let Review { plan, moved } = match &reviewed {
        Some(reviewed) => Review::of(reviewed, plan),
        None => Review::none(plan),
    };
    if output.format == Format::Text {
        let moved = render::text::review(&moved, plan.now, output.look());
        output.plan(&format!("{}{moved}", render::text::plan(&plan, output.look())))?;
    }
    let agreed = args.yes || args.plan.is_some() || args.approve.is_some();
    if plan.has_work() && !agreed && !confirmed(&common.presence, output, signals).await? {
        return Err(Problem::new("not confirmed; nothing was sent", "qlik-apply again, and answer yes"));
    }
    let report = apply::apply(&plan, world).await;
    let outcome = Outcome::of_report(&plan, &report);
    let exit = Exit::of(outcome, common);
    output.tell(Told::Report {
        plan: &plan,
        desired: &declared.desired,
        report: &report,
        moved: &moved,
        outcome,
        exit,
    })?;
    Ok(exit)
}

/// Made by the sandbox itself; asked for on a terminal; an error elsewhere.
async fn make_ledger(
    args: &ApplyArgs,
    estate: &Estate,
    declared: &Declared,
    output: &Output,
    signals: &Signals,
) -> Result<(), Problem> {
    if args.common.sandbox {
        return ledger::init_sandbox(estate, declared).await;
    }
    if estate.ledger.read()?.is_some() {
        return Ok(());
    }
    if args.yes || args.common.presence.absence().is_some() {
        return Err(ledger::missing(&estate.ledger));
    }
    let question =
        format!("There is no ledger at {}. Was there never one, and shall it be made?", estate.ledger.place());
    if !ask(&question, output, signals).await? {
        return Err(ledger::missing(&estate.ledger));
    }
    ledger::make(&estate.ledger, &estate.sinks, &declared.desired).await?;
    Ok(())
}

async fn confirmed(presence: &Presence, output: &Output, signals: &Signals) -> Result<bool, Problem> {
    if let Some(rule) = presence.absence() {
        return Err(Problem::new(
            format!("there is something to do, and nobody at a terminal to confirm it ({rule}); nothing was sent"),
            "review the plan, then say --yes",
        ));
    }
    ask("Do this?", output, signals).await
}

/// Only the word `yes` is a yes; a signal is a no.
pub(super) async fn ask(question: &str, output: &Output, signals: &Signals) -> Result<bool, Problem> {
    output.message("");
    output.prompt(&format!("{question} Only 'yes' is taken: "))?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    tokio::select! {
        answer = answer => match answer {
            Ok(Ok(answer)) => Ok(answer.trim() == "yes"),
            Ok(Err(_)) | Err(_) => Err(Problem::new("the terminal cannot be asked", "review the plan, then say --yes")),
        },
        () = signals.come() => Ok(false),
    }
}

/// In the sandbox nothing is at stake, so what a person would rehearse once is rehearsed by itself.
async fn rehearse_in_sandbox(
    declared: &Declared,
    live: &Live,
    plan: &Plan,
    world: &World<'_>,
    output: &Output,
) -> Result<(), Problem> {
    let mut wanted: Vec<(Arc<str>, Way)> = Vec::new();
    for planned in &plan.actions {
        let Action::CreateTenant(create) = &planned.action else { continue };
        for (_, key, _) in declared.desired.qlik_keys(&planned.address).filter(|(_, k, _)| k.adopt.is_none()) {
            let pair = (Arc::from(create.account.as_str()), key.owner.way());
            if !wanted.contains(&pair) {
                wanted.push(pair);
            }
        }
    }
    for (name, way) in wanted {
        let Some((account, settings)) = declared.settings.qlik.iter().find(|(n, _)| n.as_str() == &*name) else {
            continue;
        };
        let known = match &live.ledger {
            LedgerLive::Present(facts) => facts.rehearsals.iter().any(|rehearsal| {
                rehearsal.account == *account
                    && rehearsal.owner == way
                    && rehearsal.failure.is_none()
                    && Some(&rehearsal.credential) == world.readers().0.credential_hash(account, &way).as_ref()
            }),
            LedgerLive::Missing { .. } => false,
        };
        let Some(stage) = super::rehearse::stage(settings, &way).filter(|_| !known) else { continue };
        let said = rehearse::words(&way);
        let people = super::rehearse::people(&declared::owners(&declared.desired, account));
        match rehearse::rehearse(world, account, &way, &people, &stage).await? {
            None => output.message(&format!("rehearsed on {stage} (sandbox): {said} can mint keys")),
            Some(failure) => {
                output.message(&format!("rehearsal on {stage} (sandbox) failed for {said}: {}", failure.why))
            }
        }
    }
    Ok(())
}
