//! The two programs from start to exit code.

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::render::Outcome;

use super::args::{ApplyArgs, ApplyVerb, Format, PlanArgs, PlanVerb};
use super::harden::harden;
use super::output::{Exit, Output, Problem};
use super::verbs::{apply, ledger, plan, rehearse, resolve, schema, validate};

/// `qlik-plan`.
pub fn plan_main() -> ExitCode {
    harden();
    let args = match PlanArgs::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let output = Output::of(&args.common);
    let result = args.verb().and_then(|verb| match verb {
        PlanVerb::Plan(paths) => block(true, plan::run(&args, &paths, &output)),
        PlanVerb::Validate(paths) => validate::run(&args.common, &paths, &output),
        PlanVerb::Schema(of) => schema::run(of, &output),
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
    let result = args.verb().and_then(|verb| match verb {
        ApplyVerb::Apply(paths) => block(false, apply::run(&args, &paths, &output)),
        ApplyVerb::LedgerInit(paths) => ledger::init(&args.common, &paths, &output),
        ApplyVerb::LedgerList(paths) => ledger::list(&args.common, &paths, &output),
        ApplyVerb::Resolve { address, how, paths } => block(false, resolve::run(&args, &address, how, &paths, &output)),
        ApplyVerb::Rehearse { account, paths } => block(false, rehearse::run(&args, &account, &paths, &output)),
    });
    end(result, &output)
}

fn end(result: Result<Exit, Problem>, output: &Output) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(problem) => output.problem(&problem).into(),
    }
}

fn block<T>(threads: bool, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
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

/// clap's own message; help and version are results, everything else an error. In JSON too, if the line asked for it.
fn usage(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        drop(error.print());
        return Exit::Done.into();
    }
    let words: Vec<String> = std::env::args().collect();
    let json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| matches!(pair, [a, b] if a == "--format" && b == "json"));
    if json {
        let first = error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let text = crate::render::json::error(
            &first,
            &["--help shows what is taken".to_owned()],
            Exit::Error.code(),
            Outcome::Error,
            None,
        );
        let output = Output::plain(Format::Json);
        drop(output.result(&text));
    }
    drop(error.print());
    Exit::Error.into()
}
