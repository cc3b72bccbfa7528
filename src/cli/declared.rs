//! Settings and desired state, as the command line names them: found, read and checked. No credential has been looked at.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::config;
use crate::config::suggest::nearest;
use crate::model::address::{Name, Vendor};
use crate::model::desired::Desired;
use crate::model::host::QLIK_CLOUD;
use crate::model::selection::{Idle, Selection};
use crate::model::settings::{self, Settings};
use crate::model::spec::Owner;
use crate::model::untrusted::escape;
use crate::render::Outcome;

use super::args::Common;
use super::credentials::Needs;
use super::exit::Problem;
use super::output::Output;
use super::pickup::{self, Found};
use super::sources::{self, Gathered, Reading, SourceError};

/// Where the sandbox keeps its state, below the working directory.
pub(super) const SANDBOX_STATE: &str = ".qlik-sandbox";

/// Settings and desired state, read and checked. No credential has been looked at.
pub(super) struct Declared {
    pub(super) desired: Desired,
    pub(super) settings: Settings,
    /// Files that look like desired state, lie where it was looked for, and were not read.
    pub(super) unread: Vec<PathBuf>,
}

impl Declared {
    /// Of every account, also of one that nothing is declared with.
    pub(super) fn needs(&self) -> Needs {
        let qlik = self.settings.qlik.keys().map(|name| (Vendor::Qlik, name));
        let all = qlik.chain(self.settings.imburse.keys().map(|name| (Vendor::Imburse, name)));
        all.fold(Needs::of(&self.desired), |needs, (vendor, name)| needs.and_account(vendor, name))
    }
}

/// Reads settings and desired state, and of it the part that the options select.
pub(super) fn read(common: &Common, paths: &[PathBuf], output: &Output) -> Result<Declared, Problem> {
    read_part(common, paths, &common.selection, output)
}

/// The same for a part that is not the options' own.
pub(super) fn read_part(
    common: &Common,
    paths: &[PathBuf],
    selection: &Selection,
    output: &Output,
) -> Result<Declared, Problem> {
    let cwd = working_directory()?;
    let (settings, settings_file) = settings(common, paths, &cwd, output)?;
    let Gathered { sources, unread } =
        sources::gather(paths, reading(common, &cwd, Some(&settings_file))).map_err(unread_files)?;
    let desired = config::desired(&sources, &settings).map_err(|report| faults(&report, &sources, output))?;
    let desired = selected(desired, selection)?;
    Ok(Declared { desired, settings, unread })
}

/// The part that the options select.
fn selected(desired: Desired, selection: &Selection) -> Result<Desired, Problem> {
    let known: Vec<String> = desired.items.keys().map(ToString::to_string).collect();
    desired.select(selection.clone()).map_err(|Idle(part)| {
        let typed = part.rsplit(' ').next().unwrap_or_default();
        let near = nearest(typed, known.iter().map(String::as_str)).map(|near| format!("did you mean {near}?"));
        let first = || {
            let shown: Vec<&str> = known.iter().map(String::as_str).take(5).collect();
            format!("declared are {}{}", shown.join(", "), if known.len() > shown.len() { ", …" } else { "" })
        };
        Problem::new(
            format!("{part}: nothing that is declared is meant by it; nothing was sent"),
            near.unwrap_or_else(first),
        )
    })
}

/// The same for a verb that can do without desired state, and whether there is any: none need be named, and none lie in the working
/// directory.
pub(super) fn at_hand(common: &Common, paths: &[PathBuf], output: &Output) -> Result<(Declared, bool), Problem> {
    if !paths.is_empty() {
        return read(common, paths, output).map(|declared| (declared, true));
    }
    let cwd = working_directory()?;
    let (settings, settings_file) = settings(common, paths, &cwd, output)?;
    let (gathered, is_there) = match sources::gather(paths, reading(common, &cwd, Some(&settings_file))) {
        Ok(gathered) => (gathered, true),
        Err(errors) if errors.iter().all(|error| matches!(error, SourceError::NoYaml { .. })) => {
            (Gathered { sources: Vec::new(), unread: Vec::new() }, false)
        }
        Err(errors) => return Err(unread_files(errors)),
    };
    let Gathered { sources, unread } = gathered;
    // Nobody named them, and nothing here stands or falls with them: files of other programs may lie beside.
    let (sources, others): (Vec<_>, Vec<_>) =
        sources.into_iter().partition(|source| config::looks_like_desired_state(&source.text));
    for other in others {
        output.message(&format!("{} was not read: it declares no tenant", escape(&other.name)));
    }
    let is_there = is_there && !sources.is_empty();
    let desired = config::desired(&sources, &settings).map_err(|report| faults(&report, &sources, output))?;
    Ok((Declared { desired, settings, unread }, is_there))
}

/// How desired state is read. In the sandbox nothing is at stake but this machine's files, and those are.
pub(super) fn reading<'a>(common: &Common, cwd: &'a Path, settings_file: Option<&'a Path>) -> Reading<'a> {
    Reading { cwd, settings_file, attended: common.presence.absence().is_none(), recursive: common.recursive }
}

/// Reads settings alone, for verbs that need no desired state.
pub(super) fn settings(
    common: &Common,
    paths: &[PathBuf],
    cwd: &Path,
    output: &Output,
) -> Result<(Settings, PathBuf), Problem> {
    found(common, pickup::find(common, paths, cwd)?, cwd, output)
}

/// Reads the settings file that was found, and says which it is where nobody named it.
pub(super) fn found(
    common: &Common,
    found: Found,
    cwd: &Path,
    output: &Output,
) -> Result<(Settings, PathBuf), Problem> {
    let file = match found {
        Found::Named(file) => file,
        Found::PickedUp(file) => {
            output.message(&pickup::line(&file));
            file
        }
        Found::Nowhere(problem) => return Err(problem),
    };
    let source = sources::load_settings(&file).map_err(|error| unread_files(vec![error]))?;
    let absolute = cwd.join(&file);
    // What a shell hands over lies in no folder.
    let base = absolute.parent().filter(|_| !sources::is_stream(&file)).unwrap_or(cwd);
    let mut settings =
        config::settings(&source, base).map_err(|report| faults(&report, std::slice::from_ref(&source), output))?;
    if common.sandbox {
        move_into_sandbox(&mut settings, &cwd.join(SANDBOX_STATE));
    }
    Ok((settings, file))
}

pub(super) fn working_directory() -> Result<PathBuf, Problem> {
    std::env::current_dir()
        .map_err(|error| Problem::new(format!("the working directory is not there: {error}"), "cd to one that is"))
}

/// Names and regions stay; every place that could touch the world is led below the sandbox's state.
fn move_into_sandbox(settings: &mut Settings, state: &Path) {
    for account in settings.qlik.values_mut() {
        // The sandbox answers for no other.
        QLIK_CLOUD.clone_into(&mut account.region.domain);
    }
    for (name, sink) in &mut settings.sinks {
        *sink =
            settings::Sink::File { directory: state.join("sinks").join(name.as_str()), durable: true, shared: false };
    }
    settings.ledger = settings::Ledger::Directory { path: state.join("ledger"), durable: true };
    settings.network.ignore_env_proxy = true;
}

/// Files that could not be read, all of them.
pub(super) fn unread_files(errors: Vec<SourceError>) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem {
        message: lines.join("; "),
        next: vec!["name files or directories that are there and can be read".to_owned()],
        rendered: Some(lines.iter().map(|line| format!("error: {line}")).collect::<Vec<_>>().join("\n")),
        faults: None,
        outcome: Outcome::Error,
    }
}

/// A report of faults as a problem.
pub(super) fn faults(report: &config::Report, sources: &[config::Source], output: &Output) -> Problem {
    let count = report.faults.len();
    let noun = if count == 1 { "error" } else { "errors" };
    let rendered = report.render(sources, output.stderr_look().colour);
    Problem {
        message: format!("{count} {noun} in the configuration; nothing was sent"),
        next: vec!["correct what is named above; `qlik-plan validate` checks without a network".to_owned()],
        // Its last line counts.
        rendered: Some(format!("{}; nothing was sent", rendered.trim_end())),
        faults: serde_json::to_value(&report.faults).ok(),
        outcome: Outcome::Error,
    }
}

/// The owners that the desired state mints keys for, with an account.
pub(super) fn owners(desired: &Desired, account: &Name) -> BTreeSet<Owner> {
    desired
        .qlik_tenants()
        .filter(|(_, tenant, _)| tenant.account == *account)
        .flat_map(|(address, _, _)| desired.qlik_keys(address))
        .filter(|(_, key, _)| key.adopt.is_none())
        .map(|(_, key, _)| key.owner.clone())
        .collect()
}
