//! Which settings file a run uses: the one that is named, and where a person is there, one that lies in the folders at hand.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::untrusted::escape;

use super::args::Common;
use super::exit::Problem;
use super::sources::{SETTINGS_NAME, SETTINGS_VARIABLE};

pub(super) enum Found {
    /// By `--settings` or the variable.
    Named(PathBuf),
    /// In the working directory, or in a directory given.
    PickedUp(PathBuf),
    /// There is none, or none may be taken unnamed.
    Nowhere(Problem),
}

/// Looks for the settings file. The working directory's comes before one that lies with the desired state.
///
/// # Errors
/// Two different files lie there: whoever may change the desired state must not change where credentials go.
pub(super) fn find(common: &Common, paths: &[PathBuf], cwd: &Path) -> Result<Found, Problem> {
    let variable = std::env::var_os(SETTINGS_VARIABLE);
    let unnamed = match &variable {
        Some(value) if value.is_empty() => format!("no settings file is named ({SETTINGS_VARIABLE} is set, and empty)"),
        Some(_) | None => "no settings file is named".to_owned(),
    };
    let named = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(file) = common.settings.clone().or(named) {
        return Ok(Found::Named(file));
    }
    if let Some(rule) = common.unattended() {
        return Ok(Found::Nowhere(Problem::new(
            format!("{unnamed}, and an unattended run ({rule}) picks up none by itself"),
            "say --settings FILE, or set QLIK_PLAN_SETTINGS: from the base branch or the runner, not from the change under review",
        )));
    }
    let given = paths.iter().map(|path| if path.is_dir() { path.clone() } else { parent(path) });
    let mut candidates: Vec<PathBuf> =
        [PathBuf::new()].into_iter().chain(given).map(|folder| folder.join(SETTINGS_NAME)).collect();
    candidates.dedup();
    // What is there and cannot be read is not passed over for the next: reading it says what is wrong.
    let mut there = candidates.iter().filter(|file| cwd.join(file).symlink_metadata().is_ok());
    let Some(first) = there.next() else {
        let looked: Vec<String> = candidates.iter().map(|file| file.display().to_string()).collect();
        return Ok(Found::Nowhere(Problem::new(
            format!("{unnamed}, and there are no settings at {}", looked.join(" or ")),
            "say --settings FILE; examples/quickstart has one to start from",
        )));
    };
    if let Some(other) = there.find(|other| differ(&cwd.join(first), &cwd.join(other))) {
        return Err(Problem::new(
            format!(
                "{} and {} differ, and settings say where credentials go and which programs run",
                first.display(),
                other.display()
            ),
            format!("look at {}, then name the one that is meant: --settings {}", other.display(), first.display()),
        ));
    }
    Ok(Found::PickedUp(first.clone()))
}

/// What was picked up, for a person to see.
pub(super) fn line(file: &Path) -> String {
    format!("settings: {}", escape(&file.to_string_lossy()))
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Whether two files say different things; what cannot be read may.
fn differ(one: &Path, other: &Path) -> bool {
    match (fs::canonicalize(one), fs::canonicalize(other)) {
        (Ok(one), Ok(other)) if one == other => return false,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => {}
    }
    match (read(one), read(other)) {
        (Some(one), Some(other)) => one != other,
        (Some(_) | None, Some(_) | None) => true,
    }
}

/// A pipe is not waited for.
fn read(path: &Path) -> Option<Vec<u8>> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    fs::read(path).ok()
}
