//! What `qlik-plan init` is asked: what the first files of an estate say.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::address::Name;
use crate::model::host::Label;

use super::groups::Show;
use super::options::Common;
use super::values::{Wrong, name};

const FIRST: &str = "The first tenant, and whose account makes it";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Pipeline {
    Github,
    Gitlab,
    Azure,
    None,
}

/// What is known so far; what is missing is asked for at a terminal.
#[derive(Clone, Debug)]
pub(in crate::cli) struct First {
    pub(in crate::cli) folder: PathBuf,
    pub(in crate::cli) account: Option<Name>,
    pub(in crate::cli) region: Option<Label>,
    pub(in crate::cli) source_tenant: Option<Label>,
    pub(in crate::cli) tenant: Option<Name>,
    pub(in crate::cli) display_name: Option<String>,
    pub(in crate::cli) pipeline: Pipeline,
}

#[derive(Args)]
pub(super) struct Init {
    /// Where the files go.
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The account's name in settings, as in us-oem.
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = FIRST)]
    account: Option<Name>,
    /// The account's region, as in us or eu.
    #[arg(long, value_name = "REGION", value_parser = label, help_heading = FIRST)]
    region: Option<Label>,
    /// Your own tenant there, where the licence key is read: mycorp of mycorp.us.qlikcloud.com.
    #[arg(long, value_name = "TENANT", value_parser = label, help_heading = FIRST)]
    source_tenant: Option<Label>,
    /// The first tenant's name in desired state, for good, as in acme.
    #[arg(long, value_name = "NAME", value_parser = name, help_heading = FIRST)]
    tenant: Option<Name>,
    /// The name that people see. Default: its name in desired state.
    #[arg(long, value_name = "TEXT", help_heading = FIRST)]
    display_name: Option<String>,
    /// The pipelines of which system are written too.
    #[arg(long, value_enum, default_value = "none", value_name = "SYSTEM", help_heading = FIRST)]
    pipeline: Pipeline,
    #[command(flatten)]
    show: Show,
}

impl Init {
    pub(super) fn asked(self) -> (Common, First) {
        let Self { folder, account, region, source_tenant, tenant, display_name, pipeline, show } = self;
        let first = First { folder, account, region, source_tenant, tenant, display_name, pipeline };
        (Common::unasked().with(show), first)
    }
}

/// One part of a host name.
pub(in crate::cli) fn label(text: &str) -> Result<Label, Wrong> {
    let first = text.trim_start_matches("https://").split('.').next().unwrap_or_default();
    Label::parse(first).map_err(|error| Wrong {
        why: error.to_string(),
        next: "give one part of a host name, as mycorp or us of mycorp.us.qlikcloud.com".to_owned(),
    })
}
