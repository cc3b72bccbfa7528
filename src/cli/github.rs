//! GitHub Actions: what a run amounts to, for later steps (`GITHUB_OUTPUT`) and for people (`GITHUB_STEP_SUMMARY`).
//!
//! Neither is the run's result, so a file that cannot be written is said and changes nothing.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use crate::model::secret::hex;
use crate::model::untrusted::escape;
use crate::render::Verdict;

/// What later steps are told, and people by the page. `hash` is the plan's.
pub(super) fn tell(verdict: &Verdict, hash: Option<&str>, page: impl FnOnce() -> String) -> io::Result<()> {
    if let Some(path) = file("GITHUB_OUTPUT") {
        append(path, &outputs(verdict, hash)?)?;
    }
    if let Some(path) = file("GITHUB_STEP_SUMMARY") {
        append(path, &page())?;
    }
    Ok(())
}

fn file(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|path| !path.is_empty())
}

fn append(path: OsString, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

fn outputs(verdict: &Verdict, hash: Option<&str>) -> io::Result<String> {
    let exit = verdict.exit.to_string();
    let summary = escape(&verdict.summary);
    let hash = hash.unwrap_or_default();
    let mut lines = Vec::new();
    for (name, value) in [("verdict", verdict.outcome.word()), ("exit", &exit), ("summary", &summary), ("hash", hash)] {
        // Nobody who chose a part of the value can have guessed its end.
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| io::Error::other("there is no randomness"))?;
        let end = format!("qlik_plan_{}", hex(&random));
        lines.push(format!("{name}<<{end}\n{value}\n{end}\n"));
    }
    Ok(lines.concat())
}
