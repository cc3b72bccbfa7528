//! `qlik-plan merge PART…`: one plan, one comment and one hash of what the shards of a run planned.

use std::path::PathBuf;

use crate::saved::{self, Line, Merged, SavedPlan};

use super::super::args::{Common, PlanArgs};
use super::super::exit::{Exit, Problem};
use super::super::files;
use super::super::output::Output;
use super::plan;

pub(in crate::cli) fn run(args: &PlanArgs, parts: &[PathBuf]) -> Result<Exit, Problem> {
    files::may_be_written("--out", args.out.as_deref())?;
    let mut read: Vec<(String, SavedPlan)> = Vec::new();
    for part in parts {
        let (name, text) = (part.to_string_lossy().into_owned(), files::load(part, "PART")?);
        let saved = saved::read_plan(&name, &text)?;
        read.push((name, saved));
    }
    let Merged { plan, desired, wishes, finds_unmanaged, line } = saved::merge_parts(read)?;
    if let Some(file) = &args.out {
        plan::save(file, &plan, &wishes, &desired.selection, None)?;
    }
    // Printed commands are those of whoever planned: the parts are no desired state.
    let common = as_given(args.common.clone(), line);
    plan::tell(&common, &plan, &desired, finds_unmanaged, &Output::of(&common))
}

fn as_given(common: Common, line: Line) -> Common {
    let Line { settings, sandbox, recursive, paths } = line;
    let paths = paths.into_iter().map(PathBuf::from).collect();
    Common { settings: settings.map(PathBuf::from), sandbox, recursive, paths, ..common }
}
