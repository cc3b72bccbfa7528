//! The command line of `qlik-apply`: its verbs, and what each of them takes.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::engine::ArgValueCandidates;

use crate::model::address::{Address, Name};
use crate::model::host::Label;

use super::super::candidates::{accounts, tenants};
use super::super::formats::Answers;
use super::groups::{Choices, Part, Place, Report, Run, Show, Tree};
use super::options::{ApplyArgs, Common};
use super::values::{ShellArg, hostname, name, plan_hash, tenant};

const AGREED: &str = "What was agreed";
const KNOWN: &str = "What a person knows";

/// What `qlik-apply` is asked to do.
pub(in crate::cli) enum ApplyVerb {
    Apply(Vec<PathBuf>),
    LedgerInit(Vec<PathBuf>),
    LedgerList(Vec<PathBuf>),
    LedgerMove {
        from: Address,
        to: Address,
        paths: Vec<PathBuf>,
    },
    LedgerForget {
        address: Address,
        paths: Vec<PathBuf>,
    },
    Resolve {
        address: Address,
        how: ResolveHow,
        paths: Vec<PathBuf>,
    },
    Rehearse {
        account: Name,
        paths: Vec<PathBuf>,
    },
    Completions(ShellArg),
    /// Of the program, or of the verb of these words.
    Man(Vec<String>),
}

pub(in crate::cli) enum ResolveHow {
    Explain,
    Adopt(Label),
    NotCreated,
    Settle,
}

impl ApplyVerb {
    pub(in crate::cli) fn answers(&self) -> Answers {
        match self {
            Self::Apply(_) => Answers::Plan,
            Self::LedgerInit(_)
            | Self::LedgerList(_)
            | Self::LedgerMove { .. }
            | Self::LedgerForget { .. }
            | Self::Resolve { .. }
            | Self::Rehearse { .. }
            | Self::Completions(_)
            | Self::Man(_) => Answers::Other,
        }
    }

    /// The words that must be files or folders.
    pub(in crate::cli) fn paths(&self) -> &[PathBuf] {
        match self {
            Self::Apply(paths)
            | Self::LedgerInit(paths)
            | Self::LedgerList(paths)
            | Self::LedgerMove { paths, .. }
            | Self::LedgerForget { paths, .. }
            | Self::Resolve { paths, .. }
            | Self::Rehearse { paths, .. } => paths,
            Self::Completions(_) | Self::Man(_) => &[],
        }
    }
}

/// Makes what is missing between declared and live tenants and API keys. Updates and deletes nothing that it finds.
///
/// Without a command: plans as qlik-plan does, shows the plan, asks, and makes it.
///
/// With one of the commands below it does that instead: `qlik-apply COMMAND --help`. A path that is named like a command is
/// written ./COMMAND.
#[derive(Parser)]
#[command(
    name = "qlik-apply",
    version,
    override_usage = "qlik-apply [OPTIONS] [PATH]...\n       qlik-apply COMMAND [OPTIONS] ...",
    subcommand_help_heading = "Commands",
    after_help = super::groups::help!("qlik-apply --sandbox --yes examples/quickstart")
)]
pub(in crate::cli) struct ApplyLine {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    apply: Applied,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes what is missing; the same without a command
    Apply(Box<Applied>),
    /// The record of tenants and runs: make it, list it, follow a rename, forget
    #[command(subcommand_help_heading = "Commands", subcommand_value_name = "COMMAND")]
    Ledger {
        #[command(subcommand)]
        verb: LedgerVerb,
    },
    /// Finds out whether keys can be minted, before a tenant is paid for
    Rehearse {
        /// The name of an account in settings.
        #[arg(value_parser = name, add = ArgValueCandidates::new(accounts))]
        account: Name,
        #[command(flatten)]
        on: On,
    },
    /// Explains a creation in doubt; resolves it with --adopt, --not-created or --settle
    Resolve {
        /// The tenant's address, as in qlik/acme.
        #[arg(value_parser = tenant, add = ArgValueCandidates::new(tenants))]
        address: Address,
        /// The tenant in doubt is the one with this hostname (at Imburse: this id).
        #[arg(long, value_name = "HOSTNAME", value_parser = hostname, conflicts_with_all = ["not_created", "settle"], help_heading = KNOWN)]
        adopt: Option<Label>,
        /// A person has looked, and no tenant was made.
        #[arg(long, conflicts_with = "settle", help_heading = KNOWN)]
        not_created: bool,
        /// The machine of the run that began setting up the tenant is gone.
        #[arg(long, help_heading = KNOWN)]
        settle: bool,
        #[command(flatten)]
        on: On,
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

#[derive(Subcommand)]
enum LedgerVerb {
    /// Makes the ledger, once
    Init {
        #[command(flatten)]
        on: On,
    },
    /// Lists what it holds
    List {
        #[command(flatten)]
        on: On,
    },
    /// Follows a rename in desired state: nothing is bought twice
    Mv {
        /// The address that it had.
        #[arg(value_name = "OLD", value_parser = tenant, add = ArgValueCandidates::new(tenants))]
        from: Address,
        /// The address that it has now.
        #[arg(value_name = "NEW", value_parser = tenant, add = ArgValueCandidates::new(tenants))]
        to: Address,
        #[command(flatten)]
        on: On,
    },
    /// Drops a record; asks first
    Forget {
        /// The tenant's address, as in qlik/acme.
        #[arg(value_parser = tenant, add = ArgValueCandidates::new(tenants))]
        address: Address,
        /// Forget without asking.
        #[arg(long, help_heading = AGREED)]
        yes: bool,
        #[command(flatten)]
        on: On,
    },
}

/// What every verb takes.
#[derive(Args)]
struct On {
    #[command(flatten)]
    tree: Tree,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    show: Show,
    #[command(flatten)]
    run: Run,
}

#[derive(Args)]
struct Applied {
    #[command(flatten)]
    on: On,
    #[command(flatten)]
    report: Report,
    /// Apply without asking.
    #[arg(long, help_heading = AGREED)]
    yes: bool,
    /// Apply what was reviewed: a plan saved with `qlik-plan --out FILE`. What moved since is refused, object by object.
    #[arg(long, value_name = "FILE", help_heading = AGREED)]
    plan: Option<PathBuf>,
    /// Apply only if the current plan has this hash: everything that was approved, or nothing.
    #[arg(long, value_name = "sha256:HASH", value_parser = plan_hash, help_heading = AGREED)]
    approve: Option<String>,
    #[command(flatten)]
    part: Part,
    #[command(flatten)]
    choices: Choices,
}

impl On {
    fn asked(self) -> (Common, Vec<PathBuf>) {
        let Self { tree, place, show, run } = self;
        (Common::unasked().with(&tree).with(place).with(show).with(run), tree.paths)
    }
}

impl Applied {
    fn asked(self) -> (ApplyArgs, ApplyVerb) {
        let Self { on, report, yes, plan, approve, part, choices } = self;
        let (common, paths) = on.asked();
        (
            ApplyArgs { common: common.with(report).with(part).with(choices), yes, plan, approve },
            ApplyVerb::Apply(paths),
        )
    }
}

fn unasked() -> ApplyArgs {
    ApplyArgs { common: Common::unasked(), yes: false, plan: None, approve: None }
}

/// A verb that applies nothing.
fn beside(on: On, verb: impl FnOnce(Vec<PathBuf>) -> ApplyVerb) -> (ApplyArgs, ApplyVerb) {
    let (common, paths) = on.asked();
    (ApplyArgs { common, yes: false, plan: None, approve: None }, verb(paths))
}

impl ApplyLine {
    /// What is asked, for the verb that is asked.
    pub(in crate::cli) fn asked(self) -> (ApplyArgs, ApplyVerb) {
        match self.verb {
            None => self.apply.asked(),
            Some(Verb::Apply(applied)) => applied.asked(),
            Some(Verb::Completions { shell }) => (unasked(), ApplyVerb::Completions(shell)),
            Some(Verb::Man { of }) => (unasked(), ApplyVerb::Man(of)),
            Some(Verb::Rehearse { account, on }) => beside(on, |paths| ApplyVerb::Rehearse { account, paths }),
            Some(Verb::Resolve { address, adopt, not_created, settle, on }) => {
                let how = match adopt {
                    Some(label) => ResolveHow::Adopt(label),
                    None if not_created => ResolveHow::NotCreated,
                    None if settle => ResolveHow::Settle,
                    None => ResolveHow::Explain,
                };
                beside(on, |paths| ApplyVerb::Resolve { address, how, paths })
            }
            Some(Verb::Ledger { verb: LedgerVerb::Init { on } }) => beside(on, ApplyVerb::LedgerInit),
            Some(Verb::Ledger { verb: LedgerVerb::List { on } }) => beside(on, ApplyVerb::LedgerList),
            Some(Verb::Ledger { verb: LedgerVerb::Mv { from, to, on } }) => {
                beside(on, |paths| ApplyVerb::LedgerMove { from, to, paths })
            }
            Some(Verb::Ledger { verb: LedgerVerb::Forget { address, yes, on } }) => {
                let (args, verb) = beside(on, |paths| ApplyVerb::LedgerForget { address, paths });
                (ApplyArgs { yes, ..args }, verb)
            }
        }
    }
}
