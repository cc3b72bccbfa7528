//! `qlik-plan [PATH…]`: what is missing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::model::desired::Desired;
use crate::model::live::{LedgerFacts, Live};
use crate::model::selection::Selection;
use crate::observe::{Breadth, Leaving, Preflight, Sources, observe};
use crate::plan::action::Plan;
use crate::plan::needs::needs_all_records;
use crate::plan::{Limiting, Wishes, hurdles};
use crate::render::progress::Work;
use crate::render::{self, Outcome};
use crate::saved::{self, Line, Part, Snapshot};
use crate::sink::SinkReaders;

use super::super::args::{Common, Format, PlanArgs, PreflightArg};
use super::super::clock::clock;
use super::super::credentials::Needs;
use super::super::declared::{self, Declared};
use super::super::estate::Estate;
use super::super::exit::{Exit, Problem};
use super::super::files;
use super::super::formats::Told;
use super::super::ledger_place;
use super::super::output::Output;
use super::super::watch::unless_ending;
use super::{again, check_reclaims, check_wishes, ledger, ledger_live, of_this_shard, tell_absence, wishes};

pub(in crate::cli) async fn run(args: &PlanArgs, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let common = &args.common;
    for (option, file) in [("--out", &args.out), ("--snapshot", &args.snapshot)] {
        files::may_be_written(option, file.as_deref())?;
    }
    let mut declared = declared::read(common, paths, output)?;
    let (Read { mut live, now }, wishes) = reading(args, &mut declared, output).await?;
    if let Some(file) = &args.snapshot {
        let text = saved::write_snapshot(&Snapshot::new(now, declared.desired.sinks.clone(), live.clone()))
            .map_err(unwritable)?;
        files::save(file, &text, "qlik-plan/snapshot", "--snapshot")?;
    }
    if args.at.is_some() {
        // A time that was given is everybody's.
        live.clocks.clear();
    }
    let now = args.at.unwrap_or(now);
    let mut plan = crate::plan::plan(&declared.desired, &live, &wishes, now);
    hurdles::tell(&declared.desired, &live, &wishes, now, &mut plan);
    check_reclaims(common, &plan, &live, &wishes)?;
    let finds_unmanaged = crate::plan::finds_unmanaged(&declared.desired, &live, &wishes);
    if let Some(file) = &args.out {
        let part = Part::of(&declared.desired, &live, finds_unmanaged, line_of(common));
        save(file, &plan, &wishes, &declared.desired.selection, part)?;
    }
    tell(common, &plan, &declared.desired, finds_unmanaged, output)
}

/// Saves a plan, or a shard's part of one.
pub(super) fn save(
    file: &Path,
    plan: &Plan,
    wishes: &Wishes,
    selection: &Selection,
    part: Option<Part>,
) -> Result<(), Problem> {
    let text = saved::write_plan(plan, wishes, selection, part).map_err(unwritable)?;
    files::save(file, &text, "qlik-plan/saved", "--out")
}

/// Prints a plan, and its hash where there is something to do.
pub(super) fn tell(
    common: &Common,
    plan: &Plan,
    desired: &Desired,
    finds_unmanaged: bool,
    output: &Output,
) -> Result<Exit, Problem> {
    let outcome = Outcome::of_plan(plan);
    let outcome = if outcome == Outcome::Clean && finds_unmanaged { Outcome::Drift } else { outcome };
    let exit = Exit::of(outcome, common);
    output.tell(Told::Plan { plan, desired, outcome, exit })?;
    if output.format == Format::Text && plan.has_work() {
        match desired.selection.shard {
            // Its hash is nobody's to approve.
            Some(shard) => {
                output.message(&format!("shard {shard}: `qlik-plan merge` makes one plan of all parts, and its hash"))
            }
            None => output.message(&format!("hash: {}", render::json::hash(plan))),
        }
    }
    Ok(exit)
}

/// The line, for commands that whoever merges prints.
fn line_of(common: &Common) -> Line {
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    Line {
        settings: common.settings.as_ref().map(text),
        sandbox: common.sandbox,
        recursive: common.recursive,
        paths: common.paths.iter().map(text).collect(),
    }
}

/// A live state, and the vendors' time when it was read.
pub(super) struct Read {
    pub(super) live: Live,
    pub(super) now: Timestamp,
}

/// What is live, from the vendors or from a snapshot, and what was asked for.
pub(super) async fn reading(
    args: &PlanArgs,
    declared: &mut Declared,
    output: &Output,
) -> Result<(Read, Wishes), Problem> {
    let common = &args.common;
    check_wishes(common, declared)?;
    let mut wishes = Wishes { limits: Limiting::WhenMerged, ..wishes(common, declared, true) };
    let read = match &args.live {
        Some(file) => {
            wishes.offline = true;
            from_snapshot(file, declared)?
        }
        None => read(args, declared, &wishes, output).await?,
    };
    Ok((read, wishes))
}

async fn read(args: &PlanArgs, declared: &Declared, wishes: &Wishes, output: &Output) -> Result<Read, Problem> {
    let common = &args.common;
    tell_absence(common, output);
    let estate = Estate::open(common, declared, &Needs::of(&declared.desired)).await?;
    if common.sandbox {
        ledger::init_sandbox(&estate, declared).await?;
    }
    let told = output.line().follow(Work::Reading);
    let ledger_again = || again(&estate.ledger);
    let sources = Sources {
        qlik: &estate.qlik,
        imburse: &estate.imburse,
        sinks: SinkReaders::of(&estate.sinks),
        settings: &declared.settings.sinks,
        preflight: match args.preflight {
            Some(PreflightArg::Read) => Preflight::Read,
            Some(PreflightArg::Sinks) => Preflight::Sinks,
            Some(PreflightArg::Full) => Preflight::Full,
            None if common.unattended().is_some() => Preflight::Read,
            None => Preflight::Sinks,
        },
        breadth: if args.snapshot.is_some() { Breadth::All } else { Breadth::Needed },
        unattended: common.unattended().is_some(),
        ledger: ledger_place::of(common, &declared.settings),
        ledger_again: &ledger_again,
        parallelism: estate.parallelism,
        told: &told,
        leaving: Leaving::ForGood,
        clocks: &estate.clocks,
        now: clock(),
    };
    let desired = &declared.desired;
    let facts = match &args.snapshot {
        // Whoever plans from it later may ask about all.
        Some(_) => estate.ledger.read(),
        None => {
            let asks_for_all =
                |found: &Option<LedgerFacts>| found.as_ref().is_some_and(|facts| needs_all_records(desired, facts));
            of_this_shard(desired, &estate.qlik, |left_out| estate.ledger.read_without(left_out), asks_for_all)
        }
    };
    let read = match facts.map(|facts| ledger_live(facts, &estate, common)).map_err(Problem::from) {
        Ok(ledger) => unless_ending(&common.waits, observe(desired, ledger, wishes, &sources)).await,
        Err(problem) => Err(problem),
    };
    let live = match read {
        Ok(live) => live,
        Err(problem) => {
            estate.close().await;
            return Err(problem);
        }
    };
    let now = estate.server_time().unwrap_or_else(clock);
    estate.close().await;
    Ok(Read { live, now })
}

/// What somebody with credentials read. Sinks are where they were there, not where this machine would have them.
fn from_snapshot(file: &Path, declared: &mut Declared) -> Result<Read, Problem> {
    let text = files::load(file, "--live")?;
    let Snapshot { taken, sinks, live, .. } = saved::read_snapshot(&file.to_string_lossy(), &text)?;
    for (name, facts) in &mut declared.desired.sinks {
        if let Some(there) = sinks.get(name) {
            *facts = there.clone();
        }
    }
    Ok(Read { live, now: taken })
}

fn unwritable(error: serde_json::Error) -> Problem {
    Problem::new(format!("it cannot be written as JSON: {error}"), "please report this")
}
