//! GitHub Actions: what a run amounts to, for later steps (`GITHUB_OUTPUT`) and for people (`GITHUB_STEP_SUMMARY`).
//!
//! Neither is the run's result, so a file that cannot be written is said and changes nothing.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use crate::model::secret::hex;
use crate::model::untrusted::escape;
use crate::render::Verdict;

use super::output::Output;

/// GitHub drops a step's summary that is larger than 1 MiB.
const SUMMARY_MAX: usize = 1024 * 1024 - 4096;

/// What later steps and people are told. `hash` is the plan's; `shown` is the plan or report as text.
pub(super) fn tell(verdict: &Verdict, hash: Option<&str>, shown: &str, output: &Output) {
    let told = outputs(verdict, hash).and_then(|()| summary(verdict, shown));
    if let Err(error) = told {
        output.message(&format!("warning: GITHUB_OUTPUT or GITHUB_STEP_SUMMARY could not be written: {error}"));
    }
}

fn file(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|path| !path.is_empty())
}

fn append(path: OsString, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(text.as_bytes())
}

fn outputs(verdict: &Verdict, hash: Option<&str>) -> io::Result<()> {
    let Some(path) = file("GITHUB_OUTPUT") else { return Ok(()) };
    let mut text = String::new();
    let exit = verdict.exit.to_string();
    let summary = escape(&verdict.summary);
    let values = [
        ("verdict", verdict.outcome.word()),
        ("exit", &exit),
        ("summary", &summary),
        ("hash", hash.unwrap_or_default()),
    ];
    for (name, value) in values {
        // Nobody who chose a part of the value can have guessed its end.
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|_| io::Error::other("there is no randomness"))?;
        let end = format!("qlik_plan_{}", hex(&random));
        text += &format!("{name}<<{end}\n{value}\n{end}\n");
    }
    append(path, &text)
}

fn summary(verdict: &Verdict, shown: &str) -> io::Result<()> {
    let Some(path) = file("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let mut body = String::new();
    let mut left_out = 0;
    for line in shown.lines() {
        if body.len() + line.len() < SUMMARY_MAX && left_out == 0 {
            body += line;
            body.push('\n');
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        body += &format!("… and {left_out} more lines, in the log of this step\n");
    }
    let fence = "`".repeat(longest_run(&body, '`').max(2) + 1);
    append(path, &format!("### qlik-plan: {}\n\n{fence}text\n{body}{fence}\n", verdict.outcome.word()))
}

/// The longest run of one character: a fence must be longer.
fn longest_run(text: &str, wanted: char) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
