//! Holds the house to its walls: reads every source file and checks what it names.

mod circles;
mod kinds;
mod readers;
mod source;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use source::{Named, code, paths, test_modules};

/// Lines of code that a file may have before it is to be split by topic.
const LINES_MAX: usize = 400;

/// What each room may name of ours, besides itself.
const WALLS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("config", &["model"]),
    ("plan", &["model"]),
    ("net", &["model"]),
    ("flush", &[]),
    ("provider", &["model", "net"]),
    ("sink", &["model", "net", "flush"]),
    ("ledger", &["model", "net", "flush"]),
    // What it asks of the planner is one function; the wishes are an argument of it. What it holds of a sink cannot put.
    ("observe", &["model", "plan::needs", "plan::Wishes", "provider", "sink::SinkReader", "sink::SinkReaders"]),
    ("apply", &["model", "plan", "provider", "sink", "ledger"]),
    (
        "render",
        &[
            "model",
            "plan::action",
            "plan::counts",
            "plan::explain",
            "plan::fact",
            "plan::finding",
            "plan::refusal",
            "plan::review",
            "apply::event",
        ],
    ),
    ("saved", &["model", "plan", "render"]),
    ("sandbox", &["model::secret"]),
    (
        "cli",
        &[
            "apply", "config", "flush", "ledger", "model", "net", "observe", "plan", "provider", "render", "sandbox",
            "saved", "sink",
        ],
    ),
    ("bin", &["cli"]),
];

/// Environment, clock and terminal: for `cli` alone.
const OUTSIDE: &[&str] = &[
    "std::env",
    "env::args",
    "env::current_dir",
    "env::temp_dir",
    "env::var",
    "env::var_os",
    "env::vars",
    "std::process::exit",
    "process::exit",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "io::stdin",
    "io::stdout",
    "io::stderr",
    "tokio::io::stdin",
    "tokio::io::stdout",
    "tokio::io::stderr",
    "anstream::stdout",
    "anstream::stderr",
    "std::time::SystemTime::now",
    "SystemTime::now",
    "jiff::Timestamp::now",
    "Timestamp::now",
    "jiff::Zoned::now",
    "Zoned::now",
];

const PRINTING: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// Names that say nothing of what belongs inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "managers", "common", "misc"];

/// A source file: its module's path (`render::text::plan`), where it is, and what it says.
struct File {
    module: Vec<String>,
    path: PathBuf,
    text: String,
}

impl File {
    fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

fn files() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(File { module: module(path.strip_prefix(&src).unwrap()), path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 20, "the sources are not where they were");
    found
}

/// The files that are part of the program: not those that a `#[cfg(test)] mod NAME;` declares.
fn program() -> Vec<File> {
    let all = files();
    let tests: Vec<Vec<String>> = all
        .iter()
        .flat_map(|file| {
            test_modules(&file.text).into_iter().map(|name| file.module.iter().cloned().chain([name]).collect())
        })
        .collect();
    all.into_iter().filter(|file| !tests.iter().any(|test| file.module.starts_with(test))).collect()
}

fn module(path: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod" || last == "lib") {
        parts.pop();
    }
    parts
}

/// A path as one below the crate's root: `crate::…`, `qlik_plan::…`, and `super::…` that leaves its room.
fn of_ours(named: &Named, module: &[String]) -> Option<Vec<String>> {
    let (first, rest) = named.segments.split_first()?;
    match first.as_str() {
        // `pub(crate)` names nothing.
        "crate" | "qlik_plan" => (!rest.is_empty()).then(|| rest.to_vec()),
        "super" => {
            let ups = named.segments.iter().take_while(|segment| *segment == "super").count();
            let base = module.len().checked_sub(ups)?;
            let rest = named.segments.get(ups..)?;
            (!rest.is_empty()).then(|| module.iter().take(base).chain(rest).cloned().collect())
        }
        _ => None,
    }
}

fn starts_with(path: &[String], prefix: &str) -> bool {
    prefix.split("::").enumerate().all(|(n, segment)| path.get(n).is_some_and(|own| own == segment))
}

/// What a file of a module names and may not.
fn breaches(module: &[String], text: &str) -> Vec<String> {
    let room = module.first().map_or("lib", String::as_str);
    if room == "lib" {
        return Vec::new();
    }
    let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == room) else {
        return vec![format!("no wall is drawn for the room {room:?}: add it to WALLS and to src/lib.rs")];
    };
    let mut found = Vec::new();
    for named in paths(&code(text)) {
        let shown = named.segments.join("::");
        if let Some(ours) = of_ours(&named, module) {
            let may = starts_with(&ours, room) || allowed.iter().any(|prefix| starts_with(&ours, prefix));
            if !may {
                found.push(format!("line {}: {room} may not name {shown}", named.line));
            }
        }
        // What this was built for is a constant, and no part of the environment.
        let built_for = starts_with(&named.segments, "std::env::consts");
        let outside = !built_for && OUTSIDE.iter().any(|prefix| starts_with(&named.segments, prefix));
        let prints = named.is_macro && named.segments.last().is_some_and(|name| PRINTING.contains(&name.as_str()));
        if room != "cli" && (outside && !named.is_macro || prints) {
            found.push(format!("line {}: only cli may use {shown}", named.line));
        }
    }
    found
}

/// Lines with code in them: neither blank, comment nor test.
fn lines_of_code(text: &str) -> usize {
    let mut lines: Vec<usize> = code(text).iter().map(|(_, line)| *line).collect();
    lines.dedup();
    lines.len()
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{}", breaches.join("\n"));
}

#[test]
fn every_room_keeps_to_its_walls() {
    let all: Vec<String> = program()
        .iter()
        .flat_map(|file| {
            breaches(&file.module, &file.text).into_iter().map(|breach| format!("{}: {breach}", file.path.display()))
        })
        .collect();
    assert_none(&all);
}

/// What is printed elsewhere would not be escaped: `cli::stream` alone has the streams, and clap prints nothing itself.
#[test]
fn one_file_prints() {
    const STREAMS: &[&str] = &["stdout", "stderr", "Stdout", "Stderr"];
    let mut all = Vec::new();
    for file in program().iter().filter(|file| file.room() == "cli" && file.module.join("::") != "cli::stream") {
        for named in paths(&code(&file.text)) {
            let last = named.segments.last().map(String::as_str).unwrap_or_default();
            let of_io = named.segments.iter().any(|segment| segment == "io" || segment == "anstream");
            let by_clap = ["parse", "print", "exit"].contains(&last)
                && named
                    .segments
                    .iter()
                    .any(|segment| ["Arguments", "PlanArgs", "ApplyArgs"].contains(&segment.as_str()));
            let prints = named.is_macro && ["print", "println", "eprint", "eprintln", "dbg"].contains(&last);
            if of_io && STREAMS.contains(&last) || by_clap || prints {
                all.push(format!(
                    "{}: line {}: only cli::stream may use {}",
                    file.path.display(),
                    named.line,
                    named.segments.join("::")
                ));
            }
        }
        if file.text.contains("error.print()") || file.text.contains("error.exit()") {
            all.push(format!("{}: clap would print unescaped; see cli::run::said_by_clap", file.path.display()));
        }
    }
    assert_none(&all);
}

#[test]
fn every_room_that_lib_declares_has_walls() {
    let lib = files().into_iter().find(|file| file.module.is_empty()).unwrap();
    let declared: Vec<&str> =
        lib.text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let drawn: Vec<&str> = WALLS.iter().map(|(room, _)| *room).filter(|room| *room != "bin").collect();
    let missing: Vec<&&str> = declared.iter().filter(|room| !drawn.contains(room)).collect();
    assert!(missing.is_empty(), "without walls: {missing:?}");
    assert_eq!(declared.len(), drawn.len(), "WALLS names rooms that are not there");
}

#[test]
fn every_module_opens_with_its_charter() {
    let without = |file: &&File| {
        let first = file.text.lines().next().unwrap_or_default();
        file.room() != "bin" && first.strip_prefix("//! ").is_none_or(|charter| charter.trim().is_empty())
    };
    let all: Vec<String> = files()
        .iter()
        .filter(without)
        .map(|file| format!("{}: the first line is not `//! ` and a sentence", file.path.display()))
        .collect();
    assert_none(&all);
}

#[test]
fn no_file_outgrows_its_topic() {
    let all: Vec<String> = program()
        .iter()
        .map(|file| (file, lines_of_code(&file.text)))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(file, lines)| format!("{}: {lines} lines of code, {LINES_MAX} at most", file.path.display()))
        .collect();
    assert_none(&all);
}

#[test]
fn no_module_has_an_empty_name() {
    let all: Vec<String> = files()
        .iter()
        .filter(|file| file.module.iter().flat_map(|name| name.split('_')).any(|word| EMPTY_NAMES.contains(&word)))
        .map(|file| format!("{}: say what belongs there", file.path.display()))
        .collect();
    assert_none(&all);
}

/// The check itself is checked: each of these must be caught.
#[test]
fn a_breach_is_seen_however_it_is_written() {
    let caught = |module: &[&str], text: &str| {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        breaches(&module, text).len()
    };
    for (module, text) in [
        (&["model", "host"] as &[&str], "use crate::plan::action::Plan;"),
        (&["plan"], "fn f() -> crate::provider::Error {}"),
        (&["plan", "keys"], "use super::super::ledger;"),
        (&["render"], "use crate::{model::host::Host, plan::decide};"),
        (&["render"], "use crate::plan;"),
        (&["render"], "use crate::apply::{event::Event, run};"),
        (&["sandbox", "wire"], "use crate::model::host::Region;"),
        (&["sandbox"], "use crate::*;"),
        (&["apply"], "use crate::render::text;"),
        (&["observe"], "use crate::apply::event;"),
        (&["observe", "sources"], "use crate::sink::{Sink, SinkReaders};"),
        (&["observe", "tenant"], "use crate::plan::{Scene, Wishes, needs::needs};"),
        (&["cellar"], ""),
        (&["provider"], "fn f() { println!(\"x\"); }"),
        (&["provider"], "use std::{env, fs};"),
        (&["provider"], "fn f() { let t = jiff::Timestamp::now(); }"),
        (&["ledger"], "fn f() { std::process::exit(1) }"),
        (&["sink"], "use std::io::{self, Write}; fn f() { io::stdout() }"),
        (&["bin", "qlik-plan"], "fn main() { qlik_plan::apply::run() }"),
    ] {
        assert_eq!(caught(module, text), 1, "{module:?}: {text}");
    }
    for (module, text) in [
        (
            &["render", "text"] as &[&str],
            "use crate::plan::action::Plan; use crate::model::host::Host; pub(crate) fn f() {}",
        ),
        (&["render", "text", "plan"], "use super::super::layout; use super::report;"),
        (&["sandbox"], "use crate::model::secret::hex; use crate::sandbox::state;"),
        (&["cli"], "fn f() { std::env::var(\"X\"); println!(\"x\") }"),
        (&["provider"], "const V: &str = env!(\"CARGO_PKG_VERSION\"); // std::env"),
        (&["plan"], "#[cfg(test)] mod tests { use crate::config; }"),
    ] {
        assert_eq!(caught(module, text), 0, "{module:?}: {text}");
    }
}
