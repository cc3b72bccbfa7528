//! The two programs from start to exit code.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory, FromArgMatches, ValueEnum as _};

use super::args::{ApplyLine, ApplyVerb, ColourArg, Common, Format, PlanLine, PlanVerb};
use super::completing;
use super::exit::{Exit, Problem};
use super::formats;
use super::harden::guarded;
use super::line::{Line, ordered};
use super::mistakes::Asked;
use super::output::{Output, colour};
use super::stream::{Kind, Stream};
use super::verbs::{
    apply, doctor, explain, import, init, ledger, man, merge, plan, rehearse, rename, resolve, schema, validate,
};
use super::watch;

/// `qlik-plan`.
pub fn plan_main() -> ExitCode {
    guarded(run_plan, format_asked())
}

fn run_plan() -> ExitCode {
    let (command, other) = (built::<PlanLine>(), built::<ApplyLine>());
    if completing::answered(&command) {
        return Exit::Done.into();
    }
    let line = ordered(std::env::args_os(), &command, &other);
    let asked = Asked { line: &line, command: &command, other: &other };
    let (args, verb) = match read::<PlanLine>(&asked) {
        Ok(read) => read.asked(),
        Err(error) => return usage(&error, &asked),
    };
    if let Err(problem) = asked.paths(verb.paths()) {
        return no_line(problem, &line);
    }
    let output = Output::of(&args.common);
    let result = formats::check(&args.common, verb.answers()).and_then(|()| match verb {
        PlanVerb::Plan(paths) => block(true, &args.common, &output, plan::run(&args, &paths, &output)),
        PlanVerb::Validate(paths) => validate::run(&args.common, &paths, &output),
        PlanVerb::Schema(of) => schema::run(of, &output),
        PlanVerb::ExplainObject(address, paths) => {
            block(true, &args.common, &output, explain::object(&args, &address, &paths, &output))
        }
        PlanVerb::ExplainCode(code) => explain::code(code, &output),
        PlanVerb::Init(first) => init::run(&args.common, first, &output),
        PlanVerb::Import(of, paths) => block(true, &args.common, &output, import::run(&args, &of, &paths, &output)),
        PlanVerb::Doctor(paths) => block(true, &args.common, &output, doctor::run(&args, &paths, &output)),
        PlanVerb::Scopes(paths) => doctor::scopes(&args.common, &paths, &output),
        PlanVerb::Merge(parts) => merge::run(&args, &parts),
        PlanVerb::Completions(shell) => completing::script(shell.name(), &command, &output),
        PlanVerb::Man(of) => man::run(&of, &command, &output),
    });
    end(result, &line, &output)
}

/// `qlik-apply`.
pub fn apply_main() -> ExitCode {
    guarded(run_apply, format_asked())
}

fn run_apply() -> ExitCode {
    let (command, other) = (built::<ApplyLine>(), built::<PlanLine>());
    if completing::answered(&command) {
        return Exit::Done.into();
    }
    let line = ordered(std::env::args_os(), &command, &other);
    let asked = Asked { line: &line, command: &command, other: &other };
    let (args, verb) = match read::<ApplyLine>(&asked) {
        Ok(read) => read.asked(),
        Err(error) => return usage(&error, &asked),
    };
    if let Err(problem) = asked.paths(verb.paths()) {
        return no_line(problem, &line);
    }
    let common = &args.common;
    let output = Output::of(common);
    // One thread: the ledger's and the sinks' writes happen in one order, and a test can fail each of them.
    let result = formats::check(common, verb.answers()).and_then(|()| match verb {
        ApplyVerb::Apply(paths) => block(false, common, &output, apply::run(&args, &paths, &output)),
        ApplyVerb::LedgerInit(paths) => block(false, common, &output, ledger::init(common, &paths, &output)),
        ApplyVerb::LedgerMove { from, to, paths } => {
            block(false, common, &output, rename::mv(&args, &from, &to, &paths, &output))
        }
        ApplyVerb::LedgerForget { address, paths } => {
            block(false, common, &output, rename::forget(&args, &address, &paths, &output))
        }
        ApplyVerb::LedgerList(paths) => {
            watch::start(common, output.beside());
            ledger::list(common, &paths, &output)
        }
        ApplyVerb::Resolve { address, how, paths } => {
            block(false, common, &output, resolve::run(&args, &address, how, &paths, &output))
        }
        ApplyVerb::Rehearse { account, paths } => {
            block(false, common, &output, rehearse::run(&args, &account, &paths, &output))
        }
        ApplyVerb::Completions(shell) => completing::script(shell.name(), &command, &output),
        ApplyVerb::Man(of) => man::run(&of, &command, &output),
    });
    end(result, &line, &output)
}

/// A program's command line, with what clap adds to it.
fn built<T: CommandFactory>() -> Command {
    let mut command = T::command();
    command.build();
    if command.find_subcommand("help").is_some() {
        command = command.mut_subcommand("help", |help| help.about("Shows the help of a command"));
    }
    command
}

fn read<T: FromArgMatches>(asked: &Asked<'_>) -> Result<T, clap::Error> {
    let matches = asked.command.clone().try_get_matches_from(&asked.line.words)?;
    T::from_arg_matches(&matches)
}

fn end(result: Result<Exit, Problem>, line: &Line, output: &Output) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(problem) => output.problem(&or_a_path(problem, line)).into(),
    }
}

/// Where a verb was meant as a path, that is said with what went wrong.
fn or_a_path(mut problem: Problem, line: &Line) -> Problem {
    if let Some(verb) = line.verbs.first().filter(|verb| Path::new(verb).exists()) {
        problem.next.push(format!("{verb} is read as a command; the path of that name is ./{verb}"));
    }
    problem
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

/// Help and version are results, everything else is an error, told as every other.
fn usage(error: &clap::Error, asked: &Asked<'_>) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A closed pipe is no error: whoever read had enough.
        drop(said_by_clap(error, Stream::Out));
        return Exit::Done.into();
    }
    no_line(asked.explain(error), asked.line)
}

/// What is wrong with a line, of which nothing is taken over into what is printed.
fn no_line(problem: Problem, line: &Line) -> ExitCode {
    Output::plain(format_asked().unwrap_or(Format::Text)).problem(&or_a_path(problem, line)).into()
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
