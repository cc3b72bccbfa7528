//! The two programs from start to exit code.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser as _, ValueEnum as _};

use crate::render::Outcome;

use super::args::{ApplyArgs, ColourArg, Common, Format, PlanArgs};
use super::exit::{Exit, Problem};
use super::formats::{self, Told};
use super::harden::guarded;
use super::output::{Output, colour};
use super::stream::{Kind, Stream};
use super::verbs::{apply, explain, ledger, plan, rehearse, rename, resolve, schema, validate};
use super::watch;
use super::words::{ApplyVerb, PlanVerb};

/// `qlik-plan`.
pub fn plan_main() -> ExitCode {
    guarded(run_plan, format_asked())
}

fn run_plan() -> ExitCode {
    let args = match PlanArgs::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let output = Output::of(&args.common);
    let result =
        args.verb().and_then(|verb| formats::check(&args.common, verb.answers()).map(|()| verb)).and_then(|verb| {
            match verb {
                PlanVerb::Plan(paths) => block(true, &args.common, &output, plan::run(&args, &paths, &output)),
                PlanVerb::Validate(paths) => validate::run(&args.common, &paths, &output),
                PlanVerb::Schema(of) => schema::run(of, &output),
                PlanVerb::ExplainObject(address, paths) => {
                    block(true, &args.common, &output, explain::object(&args, &address, &paths, &output))
                }
                PlanVerb::ExplainCode(code) => explain::code(code, &output),
            }
        });
    end(result, &output)
}

/// `qlik-apply`.
pub fn apply_main() -> ExitCode {
    guarded(run_apply, format_asked())
}

fn run_apply() -> ExitCode {
    let args = match ApplyArgs::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let output = Output::of(&args.common);
    // One thread: the ledger's and the sinks' writes happen in one order, and a test can fail each of them.
    let result =
        args.verb().and_then(|verb| formats::check(&args.common, verb.answers()).map(|()| verb)).and_then(|verb| {
            match verb {
                ApplyVerb::Apply(paths) => block(false, &args.common, &output, apply::run(&args, &paths, &output)),
                ApplyVerb::LedgerInit(paths) => {
                    block(false, &args.common, &output, ledger::init(&args.common, &paths, &output))
                }
                ApplyVerb::LedgerMove { from, to, paths } => {
                    block(false, &args.common, &output, rename::mv(&args, &from, &to, &paths, &output))
                }
                ApplyVerb::LedgerForget { address, paths } => {
                    block(false, &args.common, &output, rename::forget(&args, &address, &paths, &output))
                }
                ApplyVerb::LedgerList(paths) => {
                    watch::start(&args.common, output.beside());
                    ledger::list(&args.common, &paths, &output)
                }
                ApplyVerb::Resolve { address, how, paths } => {
                    block(false, &args.common, &output, resolve::run(&args, &address, how, &paths, &output))
                }
                ApplyVerb::Rehearse { account, paths } => {
                    block(false, &args.common, &output, rehearse::run(&args, &account, &paths, &output))
                }
            }
        });
    end(result, &output)
}

fn end(result: Result<Exit, Problem>, output: &Output) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(problem) => output.problem(&problem).into(),
    }
}

fn block<T>(
    threads: bool,
    common: &Common,
    output: &Output,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    watch::start(common, output.beside());
    let mut builder = if threads {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.enable_all().build().map_err(|error| {
        Problem::new(format!("no runtime could be started: {error}"), "see the limits of this machine")
    })?;
    // A question that nobody answers any more must not hold the program, not even where the work ends in a panic.
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(work)));
    runtime.shutdown_background();
    result.unwrap_or_else(|payload| resume_unwind(payload))
}

/// clap's own message; help and version are results, everything else an error. In a program's format too, if the line asked for it.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe is no error: whoever read had enough.
        drop(said_by_clap(error, Stream::Out));
        return Exit::Done.into();
    }
    if let Some(format) = format_asked() {
        let first = error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let next = ["--help shows what is taken".to_owned()];
        let (outcome, exit) = (Outcome::Error, Exit::Error);
        let told = Told::Error { message: &first, next: &next, faults: None, outcome, exit };
        drop(Output::plain(format).tell(told));
    }
    // There is nobody left to tell when stderr itself is gone.
    drop(said_by_clap(error, Stream::Err));
    Exit::Error.into()
}

/// What clap has to say, in its colours only where nobody can have brought others.
pub(super) fn said_by_clap(error: &clap::Error, stream: Stream) -> std::io::Result<()> {
    let foreign = std::env::args_os().any(|word| word.as_encoded_bytes().contains(&0x1b));
    let text = error.render();
    if colour(ColourArg::Auto, stream.is_terminal()) && !foreign {
        stream.say(Kind::Styled, &text.ansi().to_string())
    } else {
        stream.say(Kind::Lines, &text.to_string())
    }
}

/// The format that the command line names, whatever else is wrong with it. A word that is no text names none.
fn format_asked() -> Option<Format> {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let behind = words.windows(2).filter_map(|pair| match pair {
        [flag, value] if flag == "--format" => Some(value.as_str()),
        _ => None,
    });
    let mut named = words.iter().filter_map(|word| word.strip_prefix("--format=")).chain(behind);
    named.find_map(|name| Format::from_str(name, false).ok())
}
