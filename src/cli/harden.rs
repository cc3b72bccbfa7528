//! What the process does for its secrets before it holds one (no core dump, no other process in its memory), and what
//! becomes of a panic: words of ours and an exit code of the table.

use std::any::Any;
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::model::untrusted::escape;

use super::args::Format;
use super::exit::{Exit, Problem};
use super::output::Output;
use super::stream::{Kind, Stream};

/// Runs a program. Nothing in it ends with a code that stands in no table.
pub(super) fn guarded(program: impl FnOnce() -> ExitCode, format: Option<Format>) -> ExitCode {
    withhold();
    std::panic::set_hook(Box::new(|panic| {
        let problem = problem(panic.payload(), panic.location());
        // There is nobody left to tell when stderr itself is gone.
        drop(Stream::Err.say(Kind::Lines, &lines(&problem)));
        *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }));
    catch_unwind(AssertUnwindSafe(program)).unwrap_or_else(|payload| {
        // People were told on stderr, at the place itself; a program that waits for a format is told here.
        let last = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        let problem = last.unwrap_or_else(|| problem(&*payload, None));
        if let Some(format) = format {
            Output::plain(format).told_by_hook(&problem);
        }
        Exit::Error.into()
    })
}

/// What the last panic was told as.
static LAST: Mutex<Option<Problem>> = Mutex::new(None);

/// Forbids core dumps, and that another process of the same user reads this one's memory or environment.
fn withhold() {
    // Neither has a way to fail that a run could be refused for: a limit that cannot be lowered is low enough already.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    // The limit does not count where core dumps are piped to a program (core(5)), as many distributions do; this does.
    // It is the process's own affair and ends with `exec`: what is started is as it always was.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

const REPORT: &str = "run again; what was begun is found by its record. Please report the place";

/// Ends the program with words of its own, from a place that can give no error back.
pub(super) fn give_up(message: &'static str, next: &'static str) -> ! {
    std::panic::panic_any(GaveUp { message, next })
}

struct GaveUp {
    message: &'static str,
    next: &'static str,
}

/// What a panic is told as: the place in the source, and nothing that it says itself, since it could hold a secret.
fn problem(payload: &(dyn Any + Send), location: Option<&Location<'_>>) -> Problem {
    if let Some(GaveUp { message, next }) = payload.downcast_ref() {
        return Problem::new(*message, *next);
    }
    let place = location.map(|at| format!(" at {}:{}", relative(at.file()), at.line())).unwrap_or_default();
    Problem::new(format!("internal error{place}; nothing more is said, since it could hold a secret"), REPORT)
}

fn lines(problem: &Problem) -> String {
    let next: String = problem.next.iter().map(|next| format!("\n  next: {}", escape(next))).collect();
    format!("error: {}{next}", escape(&problem.message))
}

/// A source file as this project or the library names it, not as it lay on the machine that built it.
fn relative(file: &str) -> String {
    let below = |mark: &str, skip: usize| {
        let (_, rest) = file.split_once(mark)?;
        // Past the name of the registry, or the hash of the compiler.
        Some(rest.splitn(skip + 1, '/').last().unwrap_or(rest).to_owned())
    };
    let of_library = below("/registry/src/", 1).or_else(|| below("/git/checkouts/", 2)).or_else(|| below("/rustc/", 1));
    of_library.unwrap_or_else(|| match file.rsplit_once("/src/") {
        Some((_, rest)) if file.starts_with('/') => format!("src/{rest}"),
        Some(_) | None => file.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_source_names_no_folder_of_the_builders() {
        for (file, shown) in [
            ("src/cli/run.rs", "src/cli/run.rs"),
            (
                "/home/ann/.cargo/registry/src/index.example-1949cf8c/tokio-1.48.0/src/task.rs",
                "tokio-1.48.0/src/task.rs",
            ),
            ("/home/ann/.cargo/git/checkouts/x-1234/abcd/src/lib.rs", "src/lib.rs"),
            ("/rustc/0123456789abcdef/library/std/src/env.rs", "library/std/src/env.rs"),
            ("/home/ann/qlik-plan/src/cli/run.rs", "src/cli/run.rs"),
            ("crates/tokio-1.48.0/src/task.rs", "crates/tokio-1.48.0/src/task.rs"),
        ] {
            assert_eq!(relative(file), shown);
        }
    }

    const SECRET: &str = "eyJhbGciOiJFUzM4NCJ9.c2VjcmV0";

    /// In a process of its own: a panic, under the name of one of the programs.
    fn panics() -> ! {
        let code = guarded(
            || {
                // Also on a thread that somebody waits for.
                drop(std::thread::spawn(|| std::panic::panic_any(String::from(SECRET))).join());
                std::panic::panic_any(String::from(SECRET))
            },
            Some(Format::Json),
        );
        std::process::exit(if code == ExitCode::from(1) { 1 } else { 99 })
    }

    /// The hook and the standard streams belong to the process, so this test runs itself again in one of its own.
    #[test]
    fn a_panic_ends_with_words_of_ours_an_exit_of_the_table_and_json() {
        const ALONE: &str = "QLIK_PLAN_TEST_PANIC";
        if std::env::var_os(ALONE).is_some() {
            panics();
        }
        let name = "cli::harden::tests::a_panic_ends_with_words_of_ours_an_exit_of_the_table_and_json";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--test-threads=1", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(!out.contains("eyJ") && !err.contains("eyJ") && !err.contains("panicked"), "{out}{err}");
        assert_eq!(err.matches("error: internal error at src/cli/harden.rs:").count(), 2, "{err}");
        assert_eq!(err.matches("  next: run again;").count(), 2, "{err}");
        // What the harness itself says stands before it.
        let document: serde_json::Value = serde_json::from_str(&out[out.find('{').unwrap()..]).unwrap();
        assert_eq!(document["format"], "qlik-plan/error");
        assert_eq!(document["verdict"]["exit"], 1);
        assert!(document["error"]["message"].as_str().unwrap().starts_with("internal error at src/cli/harden.rs:"));
    }
}
