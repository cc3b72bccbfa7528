//! The two programs from start to exit code.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser as _, ValueEnum as _};

use crate::render::Outcome;

use super::args::{ApplyArgs, Common, Format, PlanArgs};
use super::formats::{self, Told};
use super::harden::harden;
use super::output::{Exit, Output, Problem};
use super::verbs::{apply, explain, ledger, plan, rehearse, rename, resolve, schema, validate};
use super::watch;
use super::words::{ApplyVerb, PlanVerb};

/// `qlik-plan`.
pub fn plan_main() -> ExitCode {
    harden();
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
    harden();
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
    let result = runtime.block_on(work);
    // A question that nobody answers any more must not hold the program.
    runtime.shutdown_background();
    result
}

/// clap's own message; help and version are results, everything else an error. In a program's format too, if the line asked for it.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        drop(error.print());
        return Exit::Done.into();
    }
    let words: Vec<String> = std::env::args().collect();
    let behind = words.windows(2).filter_map(|pair| match pair {
        [flag, value] if flag == "--format" => Some(value.as_str()),
        _ => None,
    });
    let mut named = words.iter().filter_map(|word| word.strip_prefix("--format=")).chain(behind);
    if let Some(format) = named.find_map(|name| Format::from_str(name, false).ok()) {
        let first = error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let next = ["--help shows what is taken".to_owned()];
        let (outcome, exit) = (Outcome::Error, Exit::Error);
        let told = Told::Error { message: &first, next: &next, faults: None, outcome, exit };
        drop(Output::plain(format).tell(told));
    }
    drop(error.print());
    Exit::Error.into()
}
