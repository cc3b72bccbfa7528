//! What a person reviewed or approved, for an apply to hold itself to.

use crate::model::selection::{Selection, Shard};
use crate::plan::action::Plan;
use crate::render::{self, Outcome};
use crate::saved::{self, SavedPlan, Unusable};

use super::super::args::{ApplyArgs, Format};
use super::super::exit::Problem;
use super::super::files;
use super::super::output::Output;

impl From<Unusable> for Problem {
    fn from(unusable: Unusable) -> Self {
        let message = unusable.to_string();
        Self::new(message, unusable.next)
    }
}

/// Renewals are what a job on a schedule does: nothing that a person decides goes with them.
pub(super) fn check(args: &ApplyArgs) -> Result<(), Problem> {
    if args.common.only_renewals {
        let choices = &args.common;
        let beside = [
            ("--plan", args.plan.is_some()),
            ("--approve", args.approve.is_some()),
            ("--remint", !choices.remint.is_empty()),
            ("--replace", !choices.replace.is_empty()),
            ("--reclaim", !choices.reclaim.is_empty()),
            ("--new", !choices.new.is_empty()),
        ];
        if let Some((option, _)) = beside.iter().find(|(_, given)| *given) {
            return Err(Problem::new(
                format!("--only renewals and {option} cannot be used together"),
                format!("leave {option} out: renewals are what a job on a schedule does, and need no review"),
            ));
        }
    }
    if args.approve.is_some() && args.plan.is_none() && args.common.selection.shard.is_some() {
        return Err(Problem::new(
            "a shard knows its own part alone, and cannot tell from a hash what the others do",
            "name the merged plan too, which has the hash: qlik-apply --plan FILE --approve HASH --shard K/N",
        ));
    }
    Ok(())
}

/// The plan that `--plan` names, if it is the one that `--approve` means.
pub(super) fn load(args: &ApplyArgs) -> Result<Option<SavedPlan>, Problem> {
    let Some(file) = &args.plan else { return Ok(None) };
    let text = files::load(file, "--plan")?;
    let saved = saved::read_plan(&file.to_string_lossy(), &text)?;
    match &args.approve {
        Some(approved) if *approved != saved.hash => Err(Problem::new(
            format!("--plan {} has the hash {}, and {approved} was approved", file.display(), saved.hash),
            "name the file that was approved, or approve this one",
        )),
        Some(_) | None => Ok(Some(saved)),
    }
}

/// The part of the estate that is applied: what was reviewed, unless the line says it anew, and then it is the same.
pub(super) fn selection(args: &ApplyArgs, reviewed: Option<&SavedPlan>) -> Result<Selection, Problem> {
    let asked = &args.common.selection;
    match reviewed.map(|saved| &saved.selection) {
        None => Ok(asked.clone()),
        Some(saved) if asked.is_everything() || asked == saved => Ok(saved.clone()),
        // A shard applies its part of what was merged, whatever number of shards planned it.
        Some(saved)
            if saved.shard.is_none() && (asked.of_all_shards().is_everything() || asked.of_all_shards() == *saved) =>
        {
            Ok(Selection { shard: asked.shard, ..saved.clone() })
        }
        Some(saved) => {
            let was = if saved.is_everything() { "of everything".to_owned() } else { format!("of {saved}") };
            Err(Problem::new(
                format!("the plan that was reviewed is {was}, and this is {asked}"),
                format!("leave {asked} out: what was reviewed is applied"),
            ))
        }
    }
}

/// All of what was approved, or nothing. A shard's part is held to its part of the plan that was approved.
pub(super) fn approved(
    args: &ApplyArgs,
    reviewed: Option<&Plan>,
    plan: &Plan,
    shard: Option<Shard>,
    output: &Output,
) -> Result<(), Problem> {
    let hash = render::json::hash(plan);
    let expected = match (shard, reviewed) {
        (Some(_), Some(reviewed)) => Some(render::json::hash(reviewed)),
        (Some(_), None) | (None, _) => args.approve.clone(),
    };
    match &args.approve {
        Some(approved) if expected.as_ref() != Some(&hash) => {
            if output.format == Format::Text {
                output.plan(&render::text::plan(plan, output.look()))?;
            }
            let stale = Problem::new(
                format!("{approved} was approved, and the current plan is {hash}; nothing was sent"),
                "review the current plan (qlik-plan --preflight full sees all that it sees), and approve its hash",
            );
            Err(Problem { outcome: Outcome::Stale, ..stale })
        }
        Some(_) | None => Ok(()),
    }
}
