//! Options that several verbs have, in groups as `--help` shows them. Each verb takes the groups that it needs.

use std::path::PathBuf;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::selection::{Label, Pattern, Selection, Shard};
use crate::render::Detail;
use crate::render::markdown::Commit;

use super::super::candidates::{addresses, keys, tenants};
use super::options::{Common, MAX_RUN, PARALLELISM, TIMEOUT};
use super::values::{
    Also, ColourArg, ExitCodes, Format, Only, Platform, address, also, commit, duration, label, name, only,
    parallelism, pattern, shard, timeout,
};

const DESIRED: &str = "Desired state and settings";
const OUTPUT: &str = "Output";
const PART: &str = "Which part of the estate";
const CHOICES: &str = "What is done, and to which keys";
const RUN: &str = "The run";

/// Options of one group, put where verbs look for them.
pub(super) trait Group {
    fn put(self, common: &mut Common);
}

impl Common {
    pub(super) fn with(mut self, group: impl Group) -> Self {
        group.put(&mut self);
        self
    }
}

/// What is declared.
#[derive(Args)]
pub(super) struct Tree {
    /// Desired state: files, or directories (with --recursive, those below too). The working directory without one.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
}

impl Group for &Tree {
    fn put(self, common: &mut Common) {
        common.paths.clone_from(&self.paths);
    }
}

/// Where credentials, sinks and the ledger are described.
#[derive(Args)]
pub(super) struct Place {
    /// The settings file; also QLIK_PLAN_SETTINGS. At a terminal outside CI also found as qlik-plan.settings.yaml in the working directory, or the directory given.
    #[arg(long, value_name = "FILE", help_heading = DESIRED)]
    settings: Option<PathBuf>,
    /// Use a stand-in for Qlik Cloud on this machine (state in ./.qlik-sandbox); no account is needed, nothing real is touched.
    #[arg(long, help_heading = DESIRED)]
    sandbox: bool,
    /// Read the folders below a directory too. Without it, desired state there is a finding.
    #[arg(long, help_heading = DESIRED)]
    recursive: bool,
}

impl Group for Place {
    fn put(self, common: &mut Common) {
        common.settings = self.settings;
        common.sandbox = self.sandbox;
        common.recursive = self.recursive;
    }
}

/// What is printed, and how a program ends.
#[derive(Args)]
pub(super) struct Show {
    /// What is printed on stdout.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT", help_heading = OUTPUT)]
    format: Format,
    /// Which exit codes: fine tells refused, partly applied, stale, over a limit, credentials and drift apart.
    #[arg(long, value_enum, default_value = "coarse", value_name = "HOW", help_heading = OUTPUT)]
    exit_codes: ExitCodes,
    /// Colour: NO_COLOR and CLICOLOR_FORCE are honoured too.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN", help_heading = OUTPUT)]
    color: ColourArg,
    /// Say nothing on stderr but what went wrong and what is at stake; no progress.
    #[arg(short, long, conflicts_with = "verbose", help_heading = OUTPUT)]
    quiet: bool,
    /// Say on stderr what is asked of servers: method, host, path, status and milliseconds. No secret, no body.
    #[arg(short, long, help_heading = OUTPUT)]
    verbose: bool,
}

impl Group for Show {
    fn put(self, common: &mut Common) {
        common.format = self.format;
        common.exit_codes = self.exit_codes;
        common.color = self.color;
        common.quiet = self.quiet;
        common.verbose = self.verbose;
    }
}

/// How a plan is told.
#[derive(Args)]
pub(super) struct Report {
    /// Write another format into a file too, as in --also json=plan.json. May be repeated.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = also, help_heading = OUTPUT)]
    also: Vec<Also>,
    /// As text, show every step of a plan in full, however many there are; without it, many are one line a tenant.
    #[arg(long, help_heading = OUTPUT)]
    details: bool,
    /// As text, show of a plan only what needs a person, and its sum.
    #[arg(long, conflicts_with = "details", help_heading = OUTPUT)]
    summary: bool,
    /// Whose comment Markdown is for: what it may weigh, and whether it may fold.
    #[arg(long = "for", value_enum, default_value = "github", value_name = "PLATFORM", help_heading = OUTPUT)]
    platform: Platform,
    /// The name in Markdown's title and hidden first line, by which its comment is found again (default: plan); one per plan of a pull request.
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = OUTPUT)]
    comment: Option<Name>,
    /// The commit that Markdown links to. Default: the one that the CI's variables name, which for a pull request may be a merge that nobody keeps.
    #[arg(long, value_name = "SHA", value_parser = commit, help_heading = OUTPUT)]
    commit: Option<Commit>,
    /// Exit with 2 when something is missing, drifted or due.
    #[arg(long, help_heading = OUTPUT)]
    detailed_exitcode: bool,
}

impl Group for Report {
    fn put(self, common: &mut Common) {
        common.also = self.also;
        common.detail = match (self.details, self.summary) {
            (true, _) => Detail::All,
            (false, true) => Detail::Trouble,
            (false, false) => Detail::Fitting,
        };
        common.platform = self.platform;
        common.comment = self.comment;
        common.commit = self.commit;
        common.detailed_exitcode = self.detailed_exitcode;
    }
}

/// Which part of the estate a run looks at.
#[derive(Args)]
pub(super) struct Part {
    /// Look at this part alone: what a pattern of addresses matches, as in 'qlik/acme-*' or 'qlik/*/ci'; or renewals, and nothing is
    /// created that an apply did not create before. May be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = only, add = ArgValueCandidates::new(addresses), help_heading = PART)]
    only: Vec<Only>,
    /// Leave out what this pattern of addresses matches. May be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = pattern, add = ArgValueCandidates::new(addresses), help_heading = PART)]
    except: Vec<Pattern>,
    /// Look at the tenants alone that have this label in desired state. May be repeated: all of them.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, help_heading = PART)]
    label: Vec<Label>,
    /// Do the part of the tenants that falls to this run, of N that share the estate: K/N from 1, as in 2/4; or auto, from the variables of
    /// GitLab, Kubernetes, AWS Batch, Cloud Run or Nomad (auto/N where they name no N).
    #[arg(long, value_name = "K/N", value_parser = shard, help_heading = PART)]
    shard: Option<Shard>,
}

impl Group for Part {
    fn put(self, common: &mut Common) {
        let Self { only, except, label, shard } = self;
        let mut patterns = Vec::new();
        for only in only {
            match only {
                Only::Renewals => common.only_renewals = true,
                Only::Matching(pattern) => patterns.push(pattern),
            }
        }
        common.selection = Selection { only: patterns, except, labels: label, shard };
    }
}

/// What a plan is to do beyond what desired state says.
#[derive(Args)]
pub(super) struct Choices {
    /// Create tenants with keys although minting was never rehearsed.
    #[arg(long, help_heading = CHOICES)]
    unrehearsed: bool,
    /// Mint this key anew although a delivered one lives and is not in its sink; that one is left to expire. May be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = address, add = ArgValueCandidates::new(keys), help_heading = CHOICES)]
    remint: Vec<Address>,
    /// Mint another over this key, which is in its sink and works (it leaked, or is old); the old one stays as it is. May be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = address, add = ArgValueCandidates::new(keys), help_heading = CHOICES)]
    replace: Vec<Address>,
    /// Delete this key of ours at Imburse, by its public key: nobody uses it, and its run's machine is gone. May be repeated.
    #[arg(long, value_name = "PUBLIC_KEY", help_heading = CHOICES)]
    reclaim: Vec<String>,
    /// This tenant is new, although its name is close to one that is no longer declared: create it. May be repeated.
    #[arg(long, value_name = "ADDRESS", value_parser = address, add = ArgValueCandidates::new(tenants), help_heading = CHOICES)]
    new: Vec<Address>,
    /// Name keys that will be due, or end, within this (ISO 8601, as in P14D).
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = CHOICES)]
    warn_within: Option<Duration>,
    /// Name the tenants that nobody manages here: of the account at Imburse; at Qlik of the organization (needs an organization_client in settings).
    #[arg(long, help_heading = CHOICES)]
    unmanaged: bool,
}

impl Group for Choices {
    fn put(self, common: &mut Common) {
        common.unrehearsed = self.unrehearsed;
        common.remint = self.remint;
        common.replace = self.replace;
        common.reclaim = self.reclaim;
        common.new = self.new;
        common.warn_within = self.warn_within;
        common.unmanaged = self.unmanaged;
    }
}

/// What a run that sends or records something is bound to.
#[derive(Args)]
pub(super) struct Run {
    /// How many tenants are worked on side by side.
    #[arg(long, value_name = "N", default_value_t = PARALLELISM, value_parser = parallelism, help_heading = RUN)]
    parallelism: u16,
    /// How long one request may take, in seconds (a creation: four times as long).
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = timeout, help_heading = RUN)]
    timeout: u64,
    /// Stop by itself after this long (ISO 8601). An apply that began longer ago than this is known to be over.
    #[arg(long, value_name = "DURATION", default_value_t = MAX_RUN, value_parser = duration, help_heading = RUN)]
    max_run: Duration,
    /// The ledger's folder outlives this machine, as `durable: true` says in settings. It may not lie in a Git work tree.
    #[arg(long, help_heading = RUN)]
    ledger_is_durable: bool,
}

impl Group for Run {
    fn put(self, common: &mut Common) {
        common.parallelism = self.parallelism;
        common.timeout = self.timeout;
        common.max_run = self.max_run;
        common.ledger_is_durable = self.ledger_is_durable;
    }
}

/// What stands below the options of a program.
macro_rules! help {
    ($example:literal) => {
        concat!(
            "Exit codes:\n",
            "  0  done; without --detailed-exitcode also: a plan was made\n",
            "  1  an error, or something refused or in doubt\n",
            "  2  with --detailed-exitcode: something is missing, drifted or due\n",
            "With --exit-codes fine:\n",
            "  0 done; 1 an error; 2 something is missing or due; 3 refused or in doubt; 4 partly applied;\n",
            "  5 no longer as reviewed; 6 over a limit; 7 credentials; 8 drift, or unmanaged tenants, alone\n",
            "\nTry it, without an account:\n  ",
            $example,
        )
    };
}

pub(super) use help;

/// What is done with the script.
pub(super) const COMPLETIONS: &str = "\
As in:
  bash        source <(qlik-plan completions bash)          in ~/.bashrc
  zsh         source <(qlik-plan completions zsh)           in ~/.zshrc, behind compinit
  fish        qlik-plan completions fish | source           in ~/.config/fish/config.fish
  PowerShell  qlik-plan completions powershell | Out-String | Invoke-Expression    in $PROFILE
Addresses and accounts are read from desired state and settings at hand; nothing is sent.
The same for qlik-apply.";
