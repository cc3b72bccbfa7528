//! `qlik-plan validate [PATH…]`: checks the files, offline.

use std::path::PathBuf;

use crate::config;
use crate::plan::finding::Finding;

use super::super::args::{Common, Format};
use super::super::declared;
use super::super::exit::{Exit, Problem};
use super::super::output::Output;
use super::super::pickup::{self, Found};
use super::super::sources::{self, Gathered};

pub(in crate::cli) fn run(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Exit, Problem> {
    let cwd = declared::working_directory()?;
    // With settings at hand, what refers into them is checked too; without, the rest.
    let (count, unread, with_settings) = match pickup::find(common, paths, &cwd)? {
        found @ (Found::Named(_) | Found::PickedUp(_)) => {
            let (settings, file) = declared::found(common, found, &cwd, output)?;
            let Gathered { sources, unread } =
                sources::gather(paths, declared::reading(common, &cwd, Some(&file))).map_err(declared::unread_files)?;
            let desired = config::desired(&sources, &settings).map_err(|r| declared::faults(&r, &sources, output))?;
            (desired.items.len(), unread, true)
        }
        Found::Nowhere(_) => {
            let Gathered { sources, unread } =
                sources::gather(paths, declared::reading(common, &cwd, None)).map_err(declared::unread_files)?;
            let count = config::validate(&sources).map_err(|r| declared::faults(&r, &sources, output))?;
            (count, unread, false)
        }
    };
    let noun = if count == 1 { "object" } else { "objects" };
    let rest =
        if with_settings { "" } else { "; references into settings were not checked, since none were named or found" };
    let text = if output.format == Format::Json {
        crate::render::json::valid(count, with_settings)
    } else {
        format!("Valid: {count} {noun} declared{rest}.\n")
    };
    output.result(&text)?;
    if let Some(Finding { why, next, .. }) = sources::not_read(&unread) {
        output.message(&format!("notice: {why}\n  next: {}", next.join("\n        ")));
    }
    Ok(Exit::Done)
}
