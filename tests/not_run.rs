//! Says by name which tests of `cargo test` did not run for want of a program. Cargo runs this after the other tests, whose
//! names come before in the alphabet; it is no test itself, so that what it prints is seen.
#![expect(clippy::print_stdout, reason = "what it is for")]

use std::collections::BTreeMap;
use std::{fs, io};

fn main() -> io::Result<()> {
    // Programs that run tests one by one ask for their names first, and show what passed to nobody.
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let file = format!("{}/not-run-{}", env!("CARGO_TARGET_TMPDIR"), std::os::unix::process::parent_id());
    let lines = match fs::read_to_string(&file) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut tests: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (test, missing) in lines.lines().filter_map(|line| line.split_once('\t')) {
        let reasons = tests.entry(test).or_default();
        if !reasons.contains(&missing) {
            reasons.push(missing);
        }
    }
    match tests.len() {
        0 => println!("\nEvery test was run."),
        1 => println!("\n1 test was NOT RUN, though it is counted as passed. It needs:"),
        count => println!("\n{count} tests were NOT RUN, though they are counted as passed. They need:"),
    }
    for (test, missing) in &tests {
        println!("  {test}: {}", missing.join("; "));
    }
    if !tests.is_empty() {
        println!("`.ci/run` installs the programs.");
    }
    println!();
    // What is left by runs that ended before they came here is in nobody's way, except of a run with the same id.
    if lines.is_empty() { Ok(()) } else { fs::remove_file(file) }
}
