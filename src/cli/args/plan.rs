//! The command line of `qlik-plan`: its verbs, and what each of them takes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;
use jiff::Timestamp;

use crate::model::address::Address;
use crate::plan::refusal::Code;

use super::super::candidates::addresses;
use super::super::formats::Answers;
use super::groups::{Choices, Part, Place, Report, Run, Show, Tree};
use super::import::ImportOf;
use super::init::{First, Init};
use super::options::{Common, PlanArgs};
use super::values::{PreflightArg, SchemaOf, ShellArg, Target, target, time};

const READING: &str = "What is read, and when";

/// What `qlik-plan` is asked to do.
pub(in crate::cli) enum PlanVerb {
    Plan(Vec<PathBuf>),
    Validate(Vec<PathBuf>),
    Schema(SchemaOf),
    ExplainObject(Address, Vec<PathBuf>),
    ExplainCode(Code),
    Init(First),
    Import(ImportOf, Vec<PathBuf>),
    Doctor(Vec<PathBuf>),
    /// `doctor --scopes`.
    Scopes(Vec<PathBuf>),
    Completions(ShellArg),
    /// The parts, and the file for the whole.
    Merge(Vec<PathBuf>),
    /// Of the program, or of the verb of these words.
    Man(Vec<String>),
}

impl PlanVerb {
    pub(in crate::cli) fn answers(&self) -> Answers {
        match self {
            Self::Plan(_) | Self::Merge(_) => Answers::Plan,
            Self::Validate(_) => Answers::Faults,
            Self::Schema(_)
            | Self::ExplainObject(..)
            | Self::ExplainCode(_)
            | Self::Init(_)
            | Self::Import(..)
            | Self::Doctor(_)
            | Self::Scopes(_)
            | Self::Completions(_)
            | Self::Man(_) => Answers::Other,
        }
    }

    /// The words that must be files or folders.
    pub(in crate::cli) fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Plan(paths)
            | Self::Validate(paths)
            | Self::ExplainObject(_, paths)
            | Self::Import(_, paths)
            | Self::Doctor(paths)
            | Self::Merge(paths)
            | Self::Scopes(paths) => paths,
            Self::Schema(_) | Self::ExplainCode(_) | Self::Init(_) | Self::Completions(_) | Self::Man(_) => &[],
        }
    }
}

/// Shows what is missing between declared and live tenants and API keys. Changes nothing.
///
/// Without a command: reads the desired state under PATH… (files or directories; the working directory without one), compares it
/// with what is live, and prints the plan.
///
/// With one of the commands below it does that instead: `qlik-plan COMMAND --help`. A path that is named like a command is
/// written ./COMMAND.
#[derive(Parser)]
#[command(
    name = "qlik-plan",
    version,
    override_usage = "qlik-plan [OPTIONS] [PATH]...\n       qlik-plan COMMAND [OPTIONS] ...",
    subcommand_help_heading = "Commands",
    after_help = super::groups::help!("qlik-plan --sandbox examples/quickstart")
)]
pub(in crate::cli) struct PlanLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    plan: Planned,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows what is missing; the same without a command
    Plan(Planned),
    /// Checks the files, offline
    Validate {
        #[command(flatten)]
        tree: Tree,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        show: Show,
    },
    /// Prints a JSON Schema
    Schema {
        /// Of which files.
        #[arg(value_enum, value_name = "WHICH", default_value = "desired")]
        of: SchemaOf,
        #[command(flatten)]
        show: Show,
    },
    /// Shows how the plan for one object comes about, or what a refusal's code means and what to do
    #[command(override_usage = "qlik-plan explain [OPTIONS] ADDRESS [PATH]...\n       qlik-plan explain CODE")]
    Explain {
        /// The address of a declared object, as in qlik/acme/ci, or a refusal's code, as in QP0203.
        #[arg(value_name = "ADDRESS|CODE", value_parser = target, add = ArgValueCandidates::new(addresses))]
        target: Target,
        #[command(flatten)]
        tree: Tree,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        reading: Reading,
        #[command(flatten)]
        show: Show,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        run: Run,
    },
    /// Writes the first files of an estate: settings, a tenant, schemas, what Git leaves out
    Init(Init),
    /// Prints desired state for tenants and keys that exist and that nobody declares yet
    Import {
        #[command(flatten)]
        of: ImportOf,
        #[command(flatten)]
        tree: Tree,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        show: Show,
        #[command(flatten)]
        run: Run,
    },
    /// Looks at everything that a plan stands on: credentials, rights, network, rehearsal, sinks, ledger
    Doctor {
        /// Print the least rights that each credential needs for this desired state, and ask nothing.
        #[arg(long)]
        scopes: bool,
        #[command(flatten)]
        tree: Tree,
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        show: Show,
        #[command(flatten)]
        run: Run,
    },
    /// Makes one plan of the parts that shards saved, for one review and one hash
    Merge {
        /// The parts: what `qlik-plan --shard K/N --out FILE` saved, of every K.
        #[arg(value_name = "PART", required = true)]
        parts: Vec<PathBuf>,
        /// Also saves the plan, for `qlik-apply --plan FILE --shard K/N`. It holds no secret.
        #[arg(long, value_name = "FILE", help_heading = READING)]
        out: Option<PathBuf>,
        #[command(flatten)]
        show: Show,
        #[command(flatten)]
        report: Report,
    },
    /// Prints what a shell loads to complete command lines
    #[command(after_help = super::groups::COMPLETIONS)]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: ShellArg,
    },
    /// Prints the manual page, of the program or of a command
    Man {
        /// The command, as in ledger init.
        #[arg(value_name = "COMMAND")]
        of: Vec<String>,
    },
}

#[derive(Args)]
struct Planned {
    #[command(flatten)]
    tree: Tree,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    saving: Saving,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    report: Report,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Reading {
    /// Plan as of this time (RFC 3339) instead of the vendors' clock: which keys will be due then.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = READING)]
    at: Option<Timestamp>,
    /// Plans from a snapshot: with settings, without credentials and without a network.
    #[arg(long, value_name = "FILE", help_heading = READING)]
    live: Option<PathBuf>,
    /// How much is looked at before anything is made: nothing that is to be written, the sinks, or also whether each key in place could be
    /// renewed. Default: sinks, and read where nobody is at a terminal, or in CI.
    #[arg(long, value_enum, value_name = "HOW", help_heading = READING)]
    preflight: Option<PreflightArg>,
}

#[derive(Args)]
struct Saving {
    /// Also saves the plan, for a review and `qlik-apply --plan FILE`. It holds no secret.
    #[arg(long, value_name = "FILE", help_heading = READING)]
    out: Option<PathBuf>,
    /// Also saves what was read, and reads a little more than this plan needs. It holds no secret.
    #[arg(long, value_name = "FILE", conflicts_with = "live", help_heading = READING)]
    snapshot: Option<PathBuf>,
}

fn args(common: Common, reading: Reading) -> PlanArgs {
    let Reading { at, live, preflight } = reading;
    PlanArgs { common, at, live, preflight, out: None, snapshot: None }
}

impl Planned {
    fn asked(self) -> (PlanArgs, PlanVerb) {
        let Self { tree, place, reading, saving, show, report, part, choices, run } = self;
        let common =
            Common::unasked().with(&tree).with(place).with(show).with(report).with(part).with(choices).with(run);
        let Saving { out, snapshot } = saving;
        let common = Common { saved: out.clone(), ..common };
        (PlanArgs { out, snapshot, ..args(common, reading) }, PlanVerb::Plan(tree.paths))
    }
}

impl PlanLine {
    /// What is asked, for the verb that is asked.
    pub(in crate::cli) fn asked(self) -> (PlanArgs, PlanVerb) {
        let nothing = Reading { at: None, live: None, preflight: None };
        match self.verb {
            None => self.plan.asked(),
            Some(Verb::Plan(planned)) => planned.asked(),
            Some(Verb::Init(init)) => {
                let (common, first) = init.asked();
                (args(common, nothing), PlanVerb::Init(first))
            }
            Some(Verb::Doctor { scopes, tree, place, show, run }) => {
                let common = Common::unasked().with(&tree).with(place).with(show).with(run);
                // As much is asked as can be asked without a change.
                let full = Reading { preflight: Some(PreflightArg::Full), ..nothing };
                let verb = if scopes { PlanVerb::Scopes } else { PlanVerb::Doctor };
                (args(common, full), verb(tree.paths))
            }
            Some(Verb::Import { of, tree, place, show, run }) => {
                let common = Common::unasked().with(&tree).with(place).with(show).with(run);
                (args(common, nothing), PlanVerb::Import(of, tree.paths))
            }
            Some(Verb::Merge { parts, out, show, report }) => {
                let common = Common { saved: out.clone(), ..Common::unasked().with(show).with(report) };
                (PlanArgs { out, ..args(common, nothing) }, PlanVerb::Merge(parts))
            }
            Some(Verb::Completions { shell }) => (args(Common::unasked(), nothing), PlanVerb::Completions(shell)),
            Some(Verb::Man { of }) => (args(Common::unasked(), nothing), PlanVerb::Man(of)),
            Some(Verb::Validate { tree, place, show }) => {
                (args(Common::unasked().with(&tree).with(place).with(show), nothing), PlanVerb::Validate(tree.paths))
            }
            Some(Verb::Schema { of, show }) => (args(Common::unasked().with(show), nothing), PlanVerb::Schema(of)),
            Some(Verb::Explain { target, tree, place, reading, show, choices, run }) => {
                let common = Common::unasked().with(&tree).with(place).with(show).with(choices).with(run);
                let verb = match target {
                    Target::Object(address) => PlanVerb::ExplainObject(address, tree.paths),
                    Target::Code(code) => PlanVerb::ExplainCode(code),
                };
                (args(common, reading), verb)
            }
        }
    }
}
