//! What a person reviewed or approved, for an apply to hold itself to.

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

/// All of what was approved, or nothing.
pub(super) fn approved(args: &ApplyArgs, plan: &Plan, output: &Output) -> Result<(), Problem> {
    let hash = render::json::hash(plan);
    match &args.approve {
        Some(approved) if *approved != hash => {
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
