//! What a verb is asked: every option's value, whichever verb has it. An option that a verb does not have is as if it was not given.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::flush::Flushes;
use crate::model::address::{Address, Name};
use crate::model::duration::Duration;
use crate::model::selection::Selection;
use crate::model::wait::Waits;
use crate::render::Detail;
use crate::render::markdown::Commit;

use super::super::attended::Presence;
use super::super::locks;
use super::values::{Also, ColourArg, ExitCodes, Format, Platform, PreflightArg};

/// How long one request may take, in seconds.
pub(super) const TIMEOUT: u64 = 30;
/// How many tenants are worked on side by side.
pub(super) const PARALLELISM: u16 = 32;
/// How long a run may take.
pub(super) const MAX_RUN: Duration = Duration::from_seconds(3_600);

/// What `qlik-plan` is asked.
pub(in crate::cli) struct PlanArgs {
    pub(in crate::cli) common: Common,
    pub(in crate::cli) at: Option<Timestamp>,
    pub(in crate::cli) out: Option<PathBuf>,
    pub(in crate::cli) snapshot: Option<PathBuf>,
    pub(in crate::cli) live: Option<PathBuf>,
    pub(in crate::cli) preflight: Option<PreflightArg>,
}

/// What `qlik-apply` is asked.
pub(in crate::cli) struct ApplyArgs {
    pub(in crate::cli) common: Common,
    pub(in crate::cli) yes: bool,
    pub(in crate::cli) plan: Option<PathBuf>,
    pub(in crate::cli) approve: Option<String>,
}

#[derive(Clone)]
pub(in crate::cli) struct Common {
    /// As they were typed.
    pub(in crate::cli) paths: Vec<PathBuf>,
    pub(in crate::cli) recursive: bool,
    pub(in crate::cli) settings: Option<PathBuf>,
    pub(in crate::cli) sandbox: bool,
    pub(in crate::cli) format: Format,
    pub(in crate::cli) also: Vec<Also>,
    /// How much of a plan's routine is told as text.
    pub(in crate::cli) detail: Detail,
    pub(in crate::cli) platform: Platform,
    pub(in crate::cli) comment: Option<Name>,
    /// The commit that comments link to, where it is not the CI's own.
    pub(in crate::cli) commit: Option<Commit>,
    /// The file that the plan is saved in.
    pub(in crate::cli) saved: Option<PathBuf>,
    pub(in crate::cli) detailed_exitcode: bool,
    pub(in crate::cli) exit_codes: ExitCodes,
    pub(in crate::cli) parallelism: u16,
    pub(in crate::cli) ledger_is_durable: bool,
    /// The part of the estate that is looked at.
    pub(in crate::cli) selection: Selection,
    /// Of that, renewals alone.
    pub(in crate::cli) only_renewals: bool,
    pub(in crate::cli) unrehearsed: bool,
    pub(in crate::cli) remint: Vec<Address>,
    pub(in crate::cli) replace: Vec<Address>,
    pub(in crate::cli) reclaim: Vec<String>,
    pub(in crate::cli) warn_within: Option<Duration>,
    pub(in crate::cli) unmanaged: bool,
    pub(in crate::cli) new: Vec<Address>,
    pub(in crate::cli) timeout: u64,
    pub(in crate::cli) max_run: Duration,
    /// What this run waits for, and whether it is to end.
    pub(in crate::cli) waits: Waits,
    /// What makes the files of ledger and sinks durable.
    pub(in crate::cli) flushes: Flushes,
    pub(in crate::cli) color: ColourArg,
    pub(in crate::cli) quiet: bool,
    pub(in crate::cli) verbose: bool,
    /// Whether a person is there.
    pub(in crate::cli) presence: Presence,
}

impl Common {
    /// Nothing but the program's name on the line.
    pub(super) fn unasked() -> Self {
        Self {
            paths: Vec::new(),
            recursive: false,
            settings: None,
            sandbox: false,
            format: Format::Text,
            also: Vec::new(),
            detail: Detail::Fitting,
            platform: Platform::Github,
            comment: None,
            commit: None,
            saved: None,
            detailed_exitcode: false,
            exit_codes: ExitCodes::Coarse,
            parallelism: PARALLELISM,
            ledger_is_durable: false,
            selection: Selection::default(),
            only_renewals: false,
            unrehearsed: false,
            remint: Vec::new(),
            replace: Vec::new(),
            reclaim: Vec::new(),
            warn_within: None,
            unmanaged: false,
            new: Vec::new(),
            timeout: TIMEOUT,
            max_run: MAX_RUN,
            waits: locks::waits(),
            flushes: Flushes::default(),
            color: ColourArg::Auto,
            quiet: false,
            verbose: false,
            presence: Presence::of_this_run(),
        }
    }

    /// Why nobody is there, where that matters: in the sandbox nothing is at stake.
    pub(in crate::cli) fn unattended(&self) -> Option<&str> {
        if self.sandbox { None } else { self.presence.absence() }
    }
}
