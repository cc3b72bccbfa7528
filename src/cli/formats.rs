//! The formats that a plan, a report or an error can be told in, and the files that are written beside stdout.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::NamedTempFile;

use crate::apply::event::Report;
use crate::model::desired::Desired;
use crate::plan::action::Plan;
use crate::plan::review::Moved;
use crate::render::markdown::{Medium, Page};
use crate::render::{self, Detail, Look, Outcome, Verdict};

use super::args::{Also, Common, Format, Platform};
use super::exit::{Exit, Problem};
use super::mistakes::quoted;
use super::origin;
use super::pasted::Given;

/// A file has room for all of a plan.
const FILE: Look = Look { detail: Detail::All, ..Look::PLAIN };

/// What there is to tell.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    Plan {
        plan: &'a Plan,
        desired: &'a Desired,
        outcome: Outcome,
        exit: Exit,
    },
    Report {
        plan: &'a Plan,
        desired: &'a Desired,
        report: &'a Report,
        moved: &'a [Moved],
        outcome: Outcome,
        exit: Exit,
    },
    Error {
        message: &'a str,
        next: &'a [String],
        faults: Option<&'a serde_json::Value>,
        outcome: Outcome,
        exit: Exit,
    },
}

impl Told<'_> {
    /// The same, where the run ends with an error although what it tells is well.
    fn with_error(self) -> Self {
        let exit = Exit::Error;
        match self {
            Self::Plan { plan, desired, outcome, exit: _ } => Self::Plan { plan, desired, outcome, exit },
            Self::Report { plan, desired, report, moved, outcome, exit: _ } => {
                Self::Report { plan, desired, report, moved, outcome, exit }
            }
            Self::Error { .. } => self,
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Plan { plan, desired: _, outcome, exit } => {
                Verdict { outcome, ..Verdict::of_plan(plan, exit.code()) }
            }
            Self::Report { plan, desired: _, report, moved: _, outcome, exit } => {
                Verdict { outcome, ..Verdict::of_report(plan, report, exit.code()) }
            }
            Self::Error { message, next: _, faults: _, outcome, exit } => {
                Verdict { exit: exit.code(), outcome, summary: message.to_owned() }
            }
        }
    }

    /// Of the plan, where there is one.
    pub(super) fn hash(self) -> Option<String> {
        match self {
            Self::Plan { plan, .. } | Self::Report { plan, .. } => Some(render::json::hash(plan)),
            Self::Error { .. } => None,
        }
    }
}

/// Formats and files that were asked for.
pub(super) struct Formats {
    also: Vec<Also>,
    page: Page,
    told: AtomicBool,
}

impl Formats {
    pub(super) fn of(common: &Common) -> Self {
        let medium = medium(common.platform);
        let page = Page {
            medium,
            comment: common.comment.clone(),
            origin: origin::of(medium, common.commit.as_ref()),
            saved: common.saved.as_ref().map(|file| quoted(&file.to_string_lossy())),
        };
        // What is refused below must not be written either, not even with the words of the refusal.
        let also = if check_files(&common.also).is_ok() { common.also.clone() } else { Vec::new() };
        Self { also, page, told: AtomicBool::new(false) }
    }

    /// Before a command line could be read.
    pub(super) fn none() -> Self {
        Self { also: Vec::new(), page: Page::default(), told: AtomicBool::new(false) }
    }

    pub(super) fn is_untold(&self) -> bool {
        !self.told.load(Ordering::Relaxed)
    }

    /// A page for the summary of a step of GitHub Actions.
    pub(super) fn summary(&self, told: Told) -> String {
        let page = Page { medium: Medium::GithubSummary, ..self.page.clone() };
        match told {
            Told::Plan { plan, .. } => render::markdown::plan(plan, &page),
            Told::Report { plan, report, moved, .. } => render::markdown::report(plan, report, moved, &page),
            Told::Error { message, next, faults, .. } => render::markdown::error(message, next, faults, &page),
        }
    }

    /// Writes every `--also`, each whole or not at all, and gives what is for stdout. A run tells one result: an error
    /// after it is for stderr alone.
    ///
    /// The text comes with an error where a file could not be written: what was planned is worth reading all the same.
    pub(super) fn tell(&self, format: Format, told: Told, look: &Look, given: &Given) -> (String, Result<(), Problem>) {
        if self.told.swap(true, Ordering::Relaxed) {
            return (String::new(), Ok(()));
        }
        // Opened before anything is rendered: each format is to tell the same exit.
        let opened: Vec<(&Also, io::Result<NamedTempFile>)> =
            self.also.iter().map(|also| (also, open(&also.file))).collect();
        let told = if opened.iter().any(|(_, file)| file.is_err()) { told.with_error() } else { told };
        let mut unwritten = Vec::new();
        for (also, file) in opened {
            let text = whole(also.format, self.text(also.format, told, &FILE, true), given);
            if let Err(error) = file.and_then(|file| fill(file, &text, &also.file)) {
                // The error itself names a file that nobody asked for: the one before the renaming.
                unwritten.push(format!("{}: {}", also.file.display(), error.kind()));
            }
        }
        let result = if unwritten.is_empty() {
            Ok(())
        } else {
            Err(Problem::new(
                format!("--also could not be written: {}", unwritten.join("; ")),
                "name a file in a directory that is there and may be written, then run again",
            ))
        };
        (whole(format, self.text(format, told, look, false), given), result)
    }

    /// `alone`: the text is all that its reader gets. On stdout the plan of an apply stood before.
    fn text(&self, format: Format, told: Told, look: &Look, alone: bool) -> String {
        match told {
            Told::Plan { plan, desired, .. } => self.plan(format, plan, desired, &told.verdict(), look),
            Told::Report { plan, desired, report, moved, .. } => match format {
                Format::Text if report.lines.is_empty() && report.stopped.is_none() && !alone => String::new(),
                Format::Text if alone => {
                    let moved = render::text::review(moved, plan.now, look);
                    format!("{}{moved}\n{}", render::text::plan(plan, look), render::text::report(report, look))
                }
                Format::Text => render::text::report(report, look),
                Format::Json => render::json::reviewed(plan, report, moved, &told.verdict()),
                Format::Markdown => render::markdown::report(plan, report, moved, &self.page),
                Format::Github => render::github::report(plan, report),
                // These know plans only: what was to be done.
                Format::TerraformJson | Format::Gitlab => self.plan(format, plan, desired, &told.verdict(), look),
            },
            Told::Error { message, next, faults, outcome, exit } => match format {
                // On stdout, people are told nothing where there is no result; stderr has it.
                Format::Text if !alone => String::new(),
                Format::Text => render::text::error(message, next, faults),
                Format::Json => render::json::error(message, next, exit.code(), outcome, faults),
                Format::Markdown => render::markdown::error(message, next, faults, &self.page),
                Format::TerraformJson => render::terraform::error(message, next),
                Format::Gitlab => render::gitlab::error(message),
                Format::Github => render::github::error(message, next, faults),
            },
        }
    }

    fn plan(&self, format: Format, plan: &Plan, desired: &Desired, verdict: &Verdict, look: &Look) -> String {
        match format {
            Format::Text => render::text::plan(plan, look),
            Format::Json => render::json::plan(plan, verdict),
            Format::Markdown => render::markdown::plan(plan, &self.page),
            Format::TerraformJson => render::terraform::plan(plan, Some(desired)),
            Format::Gitlab => render::gitlab::plan(plan),
            Format::Github => render::github::plan(plan),
        }
    }
}

/// What people read, with commands that they can paste. What programs read is the plan's own text.
fn whole(format: Format, text: String, given: &Given) -> String {
    match format {
        Format::Text | Format::Markdown => given.complete(&text),
        Format::Json | Format::TerraformJson | Format::Gitlab | Format::Github => text,
    }
}

/// A new file beside the one that it will replace, as readable as any other file: it holds no secret.
fn open(file: &Path) -> io::Result<NamedTempFile> {
    if file.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".qlik-plan-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

fn fill(mut file: NamedTempFile, text: &str, to: &Path) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.flush()?;
    file.persist(to)?;
    Ok(())
}

fn medium(platform: Platform) -> Medium {
    match platform {
        Platform::Github => Medium::GithubComment,
        Platform::GithubSummary => Medium::GithubSummary,
        Platform::Gitlab => Medium::Gitlab,
        Platform::Bitbucket => Medium::Bitbucket,
        Platform::Azure => Medium::Azure,
    }
}

/// What a verb answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// A plan, in every format.
    Plan,
    /// Whether files are valid: text, JSON, and faults on their lines.
    Faults,
    Other,
}

/// Refuses formats that a verb has nothing to say in, before it does anything.
pub(super) fn check(common: &Common, answers: Answers) -> Result<(), Problem> {
    let known = match (answers, common.format) {
        (Answers::Plan, _)
        | (Answers::Faults | Answers::Other, Format::Text | Format::Json)
        | (Answers::Faults, Format::Github) => true,
        (Answers::Other, Format::Github)
        | (Answers::Faults | Answers::Other, Format::Markdown | Format::TerraformJson | Format::Gitlab) => false,
    };
    if answers == Answers::Plan {
        return check_files(&common.also);
    }
    if known {
        return Ok(());
    }
    let formats = if answers == Answers::Faults { "text, json or github" } else { "text or json" };
    Err(Problem::new("this command makes no plan, so it has no format for one", format!("say --format {formats}")))
}

/// A file can hold one format, and none of ours is YAML: such a file is somebody's declarations.
fn check_files(also: &[Also]) -> Result<(), Problem> {
    for (at, one) in also.iter().enumerate() {
        if one.file.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            return Err(Problem::new(
                format!("--also {} would be written over declarations", one.file.display()),
                "name a file that is not called .yaml or .yml",
            ));
        }
        if also.iter().take(at).any(|other| other.file == one.file) {
            return Err(Problem::new(
                format!("--also names {} twice", one.file.display()),
                "give each format a file of its own",
            ));
        }
    }
    Ok(())
}
