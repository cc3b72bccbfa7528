//! `qlik-plan schema [desired|settings|plan]`: the JSON Schemas, as committed in `schemas/`.

use crate::config;
use crate::render;

use super::super::args::SchemaOf;
use super::super::exit::{Exit, Problem};
use super::super::output::Output;

pub(in crate::cli) fn run(of: SchemaOf, output: &Output) -> Result<Exit, Problem> {
    let schema = match of {
        SchemaOf::Desired => config::schema::desired(),
        SchemaOf::Settings => config::schema::settings(),
        SchemaOf::Plan => render::json::schema(),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Problem::new(format!("the schema could not be written: {error}"), "please report this"))?;
    output.json(&format!("{text}\n"))?;
    Ok(Exit::Done)
}
