//! `qlik-plan explain ADDRESS [PATH…]` and `qlik-plan explain CODE`.

use std::path::PathBuf;

use crate::model::address::Address;
use crate::plan::explain::explain;
use crate::plan::refusal::Code;
use crate::render;

use super::super::args::{Format, PlanArgs};
use super::super::declared;
use super::super::exit::{Exit, Problem};
use super::super::output::Output;
use super::plan::{Read, reading};

/// The one page that explains every refusal.
const OPERATIONS: &str = include_str!("../../../docs/operations.md");

/// How one object's actions come about.
pub(in crate::cli) async fn object(
    args: &PlanArgs,
    address: &Address,
    paths: &[PathBuf],
    output: &Output,
) -> Result<Exit, Problem> {
    let mut declared = declared::read(&args.common, paths, output)?;
    let (Read { live, now }, wishes) = reading(args, &mut declared, output).await?;
    let now = args.at.unwrap_or(now);
    let Some(explanation) = explain(&declared.desired, &live, &wishes, now, address) else {
        let known: Vec<String> = declared.desired.items.keys().take(10).map(ToString::to_string).collect();
        return Err(Problem::new(format!("{address} is not declared"), format!("declared are: {}", known.join(", "))));
    };
    let text = match output.format {
        Format::Json => render::json::explained(&explanation),
        Format::Text | Format::Markdown | Format::TerraformJson | Format::Gitlab | Format::Github => {
            render::text::explanation(&explanation, now, output.look())
        }
    };
    output.result(&text)?;
    Ok(Exit::Done)
}

/// What a code means and what to do.
pub(in crate::cli) fn code(code: Code, output: &Output) -> Result<Exit, Problem> {
    let page = section(code.as_str());
    let text = match output.format {
        Format::Json => render::json::page(code, page),
        Format::Text | Format::Markdown | Format::TerraformJson | Format::Gitlab | Format::Github => {
            format!("{}\n", page.trim_start_matches("### "))
        }
    };
    output.result(&text)?;
    Ok(Exit::Done)
}

/// The part of the page under a code's heading, its heading included.
fn section(code: &str) -> &'static str {
    let heading = format!("### {code}:");
    let Some(start) = OPERATIONS.find(&heading) else { return "" };
    let rest = OPERATIONS.get(start..).unwrap_or_default();
    // The next heading of the same or a higher level ends it.
    let end = rest.match_indices("\n#").map(|(at, _)| at).next().unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest).trim_end()
}
