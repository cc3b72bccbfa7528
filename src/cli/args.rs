//! The options of `qlik-plan` and `qlik-apply`, read by clap, and what `--help` says.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use jiff::Timestamp;

use crate::model::address::{Address, Name};
use crate::model::clock::read_time;
use crate::model::duration::Duration;
use crate::model::wait::Waits;

use super::attended::Presence;

/// Shows what is missing between declared and live tenants and API keys. Changes nothing.
///
/// Without a verb: reads the desired state under PATH… (files or directories; the working directory without one), compares it
/// with what is live, and prints the plan.
///
/// With one of the verbs below it does that instead. A verb may stand anywhere; `./validate` is a path of that name.
#[derive(Parser)]
#[command(name = "qlik-plan", version, after_help = PLAN_HELP)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Plan as of this time (RFC 3339) instead of the vendors' clock: which keys will be due then.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) at: Option<Timestamp>,
    /// Also saves the plan, for a review and `qlik-apply --plan FILE`. It holds no secret.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Also saves what was read, and reads a little more than this plan needs. It holds no secret.
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    pub(super) snapshot: Option<PathBuf>,
    /// Plans from a snapshot: with settings, without credentials and without a network.
    #[arg(long, value_name = "FILE")]
    pub(super) live: Option<PathBuf>,
    /// How much is looked at before anything is made: nothing that is to be written, the sinks, or also whether each key in place could be
    /// renewed. Default: sinks, and read where nobody is at a terminal, or in CI.
    #[arg(long, value_enum, value_name = "HOW")]
    pub(super) preflight: Option<PreflightArg>,
}

/// Makes what is missing between declared and live tenants and API keys. Updates and deletes nothing that it finds.
///
/// Without a verb: plans as qlik-plan does, shows the plan, asks, and makes it. With one of the verbs below it does that instead.
#[derive(Parser)]
#[command(name = "qlik-apply", version, after_help = APPLY_HELP)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    pub(super) common: Common,
    /// Apply without asking.
    #[arg(long)]
    pub(super) yes: bool,
    /// Apply what was reviewed: a plan saved with `qlik-plan --out FILE`. What moved since is refused, object by object.
    #[arg(long, value_name = "FILE")]
    pub(super) plan: Option<PathBuf>,
    /// Apply only if the plan of now has this hash: all of what was approved, or nothing.
    #[arg(long, value_name = "sha256:HASH", value_parser = plan_hash)]
    pub(super) approve: Option<String>,
    /// With `resolve`: the tenant in doubt is the one with this hostname.
    #[arg(long, value_name = "HOSTNAME", conflicts_with_all = ["not_created", "settle"])]
    pub(super) adopt: Option<String>,
    /// With `resolve`: a person has looked, and no tenant was made.
    #[arg(long, conflicts_with = "settle")]
    pub(super) not_created: bool,
    /// With `resolve`: the machine of the run that began settling is gone.
    #[arg(long)]
    pub(super) settle: bool,
}

/// The hash of a plan, as plans print it.
fn plan_hash(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        Ok(text.to_owned())
    } else {
        Err("a plan's hash is sha256: and 64 hexadecimal digits, as qlik-plan prints it".to_owned())
    }
}

#[derive(Args)]
pub(super) struct Common {
    /// Desired state: files, or directories (with --recursive, those below too); or a verb.
    #[arg(value_name = "PATH|VERB")]
    pub(super) words: Vec<OsString>,
    /// Read the folders below a directory too. Without it, desired state there is a finding.
    #[arg(long)]
    pub(super) recursive: bool,
    /// The settings file; also QLIK_PLAN_SETTINGS. At a terminal outside CI also found as qlik-plan.settings.yaml in the working directory, or the directory given.
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// Use a stand-in for Qlik Cloud on this machine (state in ./.qlik-sandbox); no account is needed, nothing real is touched.
    #[arg(long)]
    pub(super) sandbox: bool,
    /// What is printed on stdout.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(super) format: Format,
    /// Write another format into a file too, as in --also json=plan.json. May be repeated.
    #[arg(long, value_name = "FORMAT=FILE", value_parser = Also::parse)]
    pub(super) also: Vec<Also>,
    /// Whose comment Markdown is for: what it may weigh, and whether it may fold.
    #[arg(long = "for", value_enum, default_value = "github", value_name = "PLATFORM")]
    pub(super) platform: Platform,
    /// The name in Markdown's hidden first line, by which its comment is found again (default: plan); one per plan of a pull request.
    #[arg(long, value_name = "NAME")]
    pub(super) comment: Option<Name>,
    /// Exit with 2 when something is missing, drifted or due.
    #[arg(long)]
    pub(super) detailed_exitcode: bool,
    /// Which exit codes: fine tells refused, partly applied, stale, over a limit, credentials and drift apart.
    #[arg(long, value_enum, default_value = "coarse", value_name = "HOW")]
    pub(super) exit_codes: ExitCodes,
    /// How many tenants are worked on side by side.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) parallelism: u16,
    /// The ledger's folder outlives this machine, as `durable: true` says in settings. It may not lie in a Git work tree.
    #[arg(long)]
    pub(super) ledger_is_durable: bool,
    /// Create tenants with keys although minting was never rehearsed.
    #[arg(long)]
    pub(super) unrehearsed: bool,
    /// Mint this key anew although a delivered one lives and is not in its sink; that one is left to expire. May be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) remint: Vec<Address>,
    /// Mint another over this key, which is in its sink and works (it leaked, or is old); the old one stays as it is. May be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) replace: Vec<Address>,
    /// Delete this key of ours at Imburse, by its public key: nobody uses it, and its run's machine is gone. May be repeated.
    #[arg(long, value_name = "PUBLIC_KEY")]
    pub(super) reclaim: Vec<String>,
    /// Name keys that will be due, or end, within this (ISO 8601, as in P14D).
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    pub(super) warn_within: Option<Duration>,
    /// Name the tenants that nobody manages here: of the account at Imburse; at Qlik of the organization (needs an organization_client in settings).
    #[arg(long)]
    pub(super) unmanaged: bool,
    /// This tenant is new, although its name is close to one that is no longer declared: create it. May be repeated.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) new: Vec<Address>,
    /// How long one request may take, in seconds (a creation: four times as long).
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(super) timeout: u64,
    /// Stop by itself after this long (ISO 8601). An apply that began longer ago than this is known to be over.
    #[arg(long, value_name = "DURATION", default_value = "PT1H", value_parser = Duration::parse)]
    pub(super) max_run: Duration,
    /// What this run waits for, and whether it is to end.
    #[arg(skip = super::locks::waits())]
    pub(super) waits: Waits,
    /// Colour: NO_COLOR and CLICOLOR_FORCE are honoured too.
    #[arg(long, value_enum, default_value = "auto", value_name = "WHEN")]
    pub(super) color: ColourArg,
    /// Whether a person is there.
    #[arg(skip = Presence::of_this_run())]
    pub(super) presence: Presence,
}

impl Common {
    /// Why nobody is there, where that matters: in the sandbox nothing is at stake.
    pub(super) fn unattended(&self) -> Option<&str> {
        if self.sandbox { None } else { self.presence.absence() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
    /// A comment on a pull request.
    Markdown,
    /// Terraform's plan representation 1.2, in one line.
    TerraformJson,
    /// The counts of GitLab's `terraform` report.
    Gitlab,
    /// Annotations on the lines of YAML.
    Github,
}

/// A format, and the file that it goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Also {
    pub(super) format: Format,
    pub(super) file: PathBuf,
}

impl Also {
    fn parse(text: &str) -> Result<Self, String> {
        let (format, file) = text.split_once('=').ok_or("give FORMAT=FILE, as in json=plan.json")?;
        let format = Format::from_str(format, false).map_err(|_| {
            let known: Vec<String> = Format::value_variants()
                .iter()
                .filter_map(ValueEnum::to_possible_value)
                .map(|value| value.get_name().to_owned())
                .collect();
            format!("the formats are {}", known.join(", "))
        })?;
        if file.is_empty() {
            return Err("name a file behind the =".to_owned());
        }
        Ok(Self { format, file: PathBuf::from(file) })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Platform {
    /// A comment: 65,536 characters.
    Github,
    /// A job's summary: 1 MiB.
    GithubSummary,
    /// A comment: 1,000,000 characters.
    Gitlab,
    /// A comment: 32,768 characters, without HTML.
    Bitbucket,
    /// A comment: 150,000 characters.
    Azure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ExitCodes {
    Coarse,
    Fine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColourArg {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PreflightArg {
    Read,
    Sinks,
    Full,
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    read_time(text).ok_or("a time is written as in 2027-01-15T00:00:00Z")
}

macro_rules! help {
    ($verbs:literal, $example:literal) => {
        concat!(
            "Verbs:\n",
            $verbs,
            "\nExit codes:\n",
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

const PLAN_HELP: &str = help!(
    "  validate [PATH…]                   checks the files, offline\n  \
       schema [desired|settings|plan]     prints a JSON Schema\n  \
       explain ADDRESS [PATH…]            shows how the plan for one object comes about\n  \
       explain CODE                       shows what a refusal's code means and what to do\n",
    "qlik-plan --sandbox examples/quickstart"
);

const APPLY_HELP: &str = help!(
    "  ledger init                        makes the ledger, once\n  \
       ledger list                        lists what it holds\n  \
       ledger mv OLD NEW                  follows a rename in desired state: nothing is bought twice\n  \
       ledger forget ADDRESS              drops a record; asks first\n  \
       rehearse ACCOUNT [PATH…]           finds out whether keys can be minted, before a tenant is paid for\n  \
       resolve ADDRESS                    explains a creation in doubt; settles it with --adopt, --not-created or --settle\n",
    "qlik-apply --sandbox --yes examples/quickstart"
);
