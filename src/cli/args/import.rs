//! What `qlik-plan import` is asked: whose tenants, and which.

use std::path::PathBuf;

use clap::Args;

use crate::model::address::Name;
use crate::model::selection::Pattern;

use super::values::{name, pattern};

const WHICH: &str = "Which tenants";
const WHERE: &str = "Where they are written";

/// Whose tenants are imported, and which of them.
#[derive(Args)]
pub(in crate::cli) struct ImportOf {
    /// Only the tenants of this account. Default: of every account of the settings.
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = WHICH)]
    pub(in crate::cli) account: Option<Name>,
    /// This tenant at Qlik, by its host: acme.us.qlikcloud.com. Default: all that an organization_client lists.
    #[arg(long = "tenant", value_name = "HOSTNAME", help_heading = WHICH)]
    pub(in crate::cli) tenants: Vec<String>,
    /// The tenants whose hosts are in this file: a list, or qlik-cli's contexts.yml.
    #[arg(long, value_name = "FILE", help_heading = WHICH)]
    pub(in crate::cli) from: Option<PathBuf>,
    /// Of what was found, only what this pattern matches once it is named, as in 'qlik/acme-*'. May be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = pattern, help_heading = WHICH)]
    pub(in crate::cli) only: Vec<Pattern>,
    /// Of what is listed, only tenants with such a name at the vendor, in letters of any case, as in 'Acme*'. May be repeated.
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::of_names, conflicts_with_all = ["tenants", "from"], help_heading = WHICH)]
    pub(in crate::cli) name_pattern: Vec<Pattern>,
    /// Adds what is found to this file of desired state, and leaves every other byte of it as it is.
    #[arg(long, value_name = "FILE", help_heading = WHERE)]
    pub(in crate::cli) into: Option<PathBuf>,
    /// With --into, prints what would be added, and writes nothing.
    #[arg(long, requires = "into", help_heading = WHERE)]
    pub(in crate::cli) dry_run: bool,
    /// Also tenants with keys that another ledger's runs made, because nobody manages them any more.
    #[arg(long, help_heading = WHICH)]
    pub(in crate::cli) take_over: bool,
}
