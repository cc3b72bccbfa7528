//! Printing and exit codes: results on stdout, progress and messages on stderr, JSON on every exit.

use std::io;

use crate::model::untrusted::escape;
use crate::render::{Look, wrap};

use super::args::{ColourArg, Common, ExitCodes, Format};
use super::exit::{Exit, Problem};
use super::formats::{Formats, Told};
use super::github;
use super::pasted::Given;
use super::progress::Line;
use super::stream::{Kind, Stream};

/// Where output goes and how it looks.
pub(super) struct Output {
    pub(super) format: Format,
    exit_codes: ExitCodes,
    formats: Formats,
    stdout: Look,
    stderr: Look,
    line: Line,
    given: Given,
    quiet: bool,
}

impl Output {
    pub(super) fn of(common: &Common) -> Self {
        let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let width = told.or(Stream::Out.columns()).unwrap_or(Look::PLAIN.width);
        let look = |terminal: bool| Look {
            colour: colour(common.color, terminal),
            width,
            wraps: terminal,
            detail: common.detail,
        };
        let stderr = look(Stream::Err.is_terminal());
        Self {
            format: common.format,
            exit_codes: common.exit_codes,
            formats: Formats::of(common),
            stdout: look(Stream::Out.is_terminal()),
            stderr,
            line: if common.quiet { Line::none() } else { Line::of(stderr) },
            given: Given::of(common),
            quiet: common.quiet,
        }
    }

    /// Before a command line could be read.
    pub(super) fn plain(format: Format) -> Self {
        let look = || Look::PLAIN;
        Self {
            format,
            exit_codes: ExitCodes::Coarse,
            formats: Formats::none(),
            stdout: look(),
            stderr: look(),
            line: Line::none(),
            given: Given::default(),
            quiet: false,
        }
    }

    /// For messages from elsewhere, beside what this one says.
    pub(super) fn beside(&self) -> Self {
        Self { line: self.line.clone(), given: self.given.clone(), quiet: self.quiet, ..Self::plain(self.format) }
    }

    /// The progress line of this run.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    pub(super) fn look(&self) -> &Look {
        &self.stdout
    }

    pub(super) fn stderr_look(&self) -> &Look {
        &self.stderr
    }

    /// Prints a result: JSON if that was asked for, else lines for people.
    pub(super) fn result(&self, text: &str) -> Result<(), Problem> {
        match self.format {
            Format::Json => self.print(Kind::Json, text),
            Format::Text | Format::Markdown | Format::TerraformJson | Format::Gitlab | Format::Github => {
                self.print(Kind::lines(self.stdout.colour), &self.given.complete(text))
            }
        }
    }

    /// Prints a plan for people, as wide as their terminal.
    pub(super) fn plan(&self, text: &str) -> Result<(), Problem> {
        self.print(Kind::lines(self.stdout.colour), &wrap(&self.given.complete(text), &self.stdout))
    }

    /// Prints a result that is JSON whatever was asked for.
    pub(super) fn json(&self, text: &str) -> Result<(), Problem> {
        self.print(Kind::Json, text)
    }

    /// Prints YAML whose texts are JSON's strings: what is escaped in them reads back as the same, and nothing is added.
    pub(super) fn yaml(&self, text: &str) -> Result<(), Problem> {
        self.print(Kind::Json, text)
    }

    /// Prints a result that is neither a plan nor JSON, whatever was asked for.
    pub(super) fn plain_lines(&self, text: &str) -> Result<(), Problem> {
        self.print(Kind::Columns, text)
    }

    /// A closed pipe is not an error: whoever read had enough.
    fn print(&self, kind: Kind, text: &str) -> Result<(), Problem> {
        self.line.clear();
        match Stream::Out.print(kind, text) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Problem::new(
                format!("the result could not be written to stdout: {error}"),
                "see that the disk or the reader of stdout takes it, then run again",
            )),
        }
    }

    /// Tells a plan or a report: into its files, and on stdout whatever became of them.
    pub(super) fn tell(&self, told: Told) -> Result<(), Problem> {
        let first = self.formats.is_untold();
        let (text, written) = self.formats.tell(self.format, told, &self.stdout, &self.given);
        let text = if self.format == Format::Text { wrap(&text, &self.stdout) } else { text };
        self.print(kind(self.format, self.stdout.colour), &text)?;
        if first
            && let Err(error) = github::tell(&told.verdict(), told.hash().as_deref(), || self.formats.summary(told))
        {
            self.always(&format!("warning: GITHUB_OUTPUT or GITHUB_STEP_SUMMARY could not be written: {error}"));
        }
        written
    }

    /// Tells something beside the result, which who asked for quiet can do without.
    pub(super) fn message(&self, text: &str) {
        if !self.quiet {
            self.always(text);
        }
    }

    /// Tells what everybody must hear: what went wrong, and what is at stake.
    pub(super) fn always(&self, text: &str) {
        // There is nobody left to tell when stderr itself is gone.
        let text = self.given.complete(text);
        self.line.above(|| drop(Stream::Err.say(Kind::lines(self.stderr.colour), &text)));
    }

    /// Asks something, on the line that the answer is typed on.
    pub(super) fn prompt(&self, question: &str) -> Result<(), Problem> {
        self.line.clear();
        Stream::Err
            .print(Kind::lines(self.stderr.colour), question)
            .map_err(|error| Problem::new(format!("the terminal cannot be asked: {error}"), "say --yes"))
    }

    /// Tells a problem that people were told already, unless a result stands on stdout: it has one.
    pub(super) fn told_by_hook(&self, problem: &Problem) {
        let Problem { message, next, rendered: _, faults, outcome } = problem;
        let told = Told::Error { message, next, faults: faults.as_ref(), outcome: *outcome, exit: Exit::Error };
        if Stream::Out.is_unused() {
            // There is nobody left to tell when stdout is gone too.
            drop(self.tell(told));
        }
    }

    /// Tells a problem and gives the exit.
    pub(super) fn problem(&self, problem: &Problem) -> Exit {
        let exit = match self.exit_codes {
            ExitCodes::Coarse => Exit::Error,
            ExitCodes::Fine => Exit::Code(problem.outcome.fine()),
        };
        let Problem { message, next, rendered, faults, outcome } = problem;
        let next: Vec<String> = next.iter().map(|next| self.given.complete(next)).collect();
        let told = Told::Error { message, next: &next, faults: faults.as_ref(), outcome: *outcome, exit };
        let unwritten = self.tell(told).err();
        match rendered {
            Some(rendered) => self.always(rendered),
            None => self.always(&format!("error: {}", escape(message))),
        }
        for next in &next {
            self.always(&format!("  next: {}", escape(next)));
        }
        if let Some(problem) = unwritten {
            self.always(&format!("error: {}", escape(&problem.message)));
        }
        exit
    }
}

/// What a format is made of.
pub(super) fn kind(format: Format, styled: bool) -> Kind {
    match format {
        Format::Text => Kind::lines(styled),
        Format::Markdown => Kind::Lines,
        Format::Json | Format::TerraformJson | Format::Gitlab => Kind::Json,
        Format::Github => Kind::Commands,
    }
}

pub(super) fn colour(asked: ColourArg, terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    match asked {
        ColourArg::Always => true,
        ColourArg::Never => false,
        ColourArg::Auto if std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) => false,
        ColourArg::Auto if set("CLICOLOR_FORCE") => true,
        ColourArg::Auto => terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
    }
}
