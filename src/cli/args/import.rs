//! What `qlik-plan import` is asked: whose tenants, and which.

use std::path::PathBuf;

use clap::Args;

use crate::model::address::Name;

use super::values::name;

const WHICH: &str = "Which tenants";

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
    /// Also tenants with keys that another ledger's runs made, because nobody manages them any more.
    #[arg(long, help_heading = WHICH)]
    pub(in crate::cli) take_over: bool,
}
