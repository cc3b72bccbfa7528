//! `qlik-plan [PATH…]`: what is missing.

use std::path::PathBuf;

use crate::observe::{Preflight, Sources, observe};
use crate::plan::action::Plan;
use crate::render::{self, Verdict};

use super::super::args::{Format, PlanArgs, PreflightArg};
use super::super::credentials::Needs;
use super::super::estate::{self, Estate};
use super::super::output::{Exit, Output, Problem};
use super::{check_remint, clock, ledger, read_ledger, wishes};

pub(in crate::cli) async fn run(args: &PlanArgs, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let common = &args.common;
    let declared = estate::declared(common, paths, output)?;
    check_remint(common, &declared)?;
    let estate = Estate::open(common, &declared.settings, &Needs::of(&declared.desired)).await?;
    if common.sandbox {
        ledger::init_sandbox(&estate, &declared)?;
    }
    let wishes = wishes(common, true);
    let sources = Sources {
        qlik: &estate.qlik,
        sinks: &estate.sinks,
        settings: &declared.settings.sinks,
        preflight: match args.preflight {
            Some(PreflightArg::Read) => Preflight::Read,
            Some(PreflightArg::Full) => Preflight::Full,
            None if declared.ci => Preflight::Read,
            None => Preflight::Full,
        },
        ci: declared.ci,
        ledger_is_durable: common.ledger_is_durable || declared.settings.ledger.is_shared(),
        parallelism: usize::from(common.parallelism),
        now: clock(),
    };
    let live = match read_ledger(&estate, &declared) {
        Ok(ledger) => observe(&declared.desired, ledger, &wishes, &sources).await,
        Err(problem) => {
            estate.close().await;
            return Err(problem);
        }
    };
    let now = args.at.or(estate.qlik.server_time()).unwrap_or_else(clock);
    let plan = crate::plan::plan(&declared.desired, &live, &wishes, now);
    estate.close().await;
    let exit = exit(&plan, common.detailed_exitcode);
    let text = match output.format {
        Format::Text => render::text::plan(&plan, output.look()),
        Format::Json => render::json::plan(&plan, &Verdict::of_plan(&plan, exit.code())),
    };
    output.result(&text)?;
    Ok(exit)
}

/// DESIGN §8: refused is an error; missing, drifted or due is 2 when asked for; what only waits counts as 0.
pub(super) fn exit(plan: &Plan, detailed: bool) -> Exit {
    if plan.has_refusals() {
        Exit::Error
    } else if detailed && (plan.has_work() || plan.has_drift()) {
        Exit::Changes
    } else {
        Exit::Done
    }
}
