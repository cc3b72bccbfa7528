//! The command lines of `qlik-plan` and `qlik-apply`, as verbs get them. clap reads them, each verb with its own options.

mod apply;
mod groups;
mod import;
mod init;
mod options;
mod plan;
mod values;

pub(super) use apply::{ApplyLine, ApplyVerb, ResolveHow};
pub(super) use import::ImportOf;
pub(super) use init::{First, Pipeline, label};
pub(super) use options::{ApplyArgs, Common, PlanArgs};
pub(super) use plan::{PlanLine, PlanVerb};
pub(super) use values::{Also, ColourArg, ExitCodes, Format, Platform, PreflightArg, SchemaOf, Wrong, name};
