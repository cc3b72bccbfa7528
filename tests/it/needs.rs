//! What a story needs of its machine, and where it is told by name that one did not run.

use std::io::Write as _;
use std::panic::Location;
use std::process::{Command, Stdio};

/// Whether all these programs are in `PATH`. Where one is not, the test that asks has not run: that is recorded.
#[track_caller]
pub(crate) fn programs(names: &[&str]) -> bool {
    let missing: Vec<&str> = names.iter().copied().filter(|name| !is_here(name)).collect();
    missing.is_empty() || not_run(&missing.join(", "))
}

/// Records that this test did not run, for the list at the end of `cargo test` (tests/not_run.rs). Always false.
///
/// One file a run of `cargo test`, which starts this program and the one that prints the list: its process id is in the name.
#[track_caller]
pub(crate) fn not_run(missing: &str) -> bool {
    let thread = std::thread::current();
    let place = Location::caller();
    // With `--test-threads 1` no thread has a test's name.
    let name = match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("a test that needs what {}:{} does", place.file(), place.line()),
    };
    let file = format!("{}/not-run-{}", env!("CARGO_TARGET_TMPDIR"), std::os::unix::process::parent_id());
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
    // One write a line: tests run side by side.
    file.write_all(format!("{name}\t{missing}\n").as_bytes()).unwrap();
    false
}

fn is_here(program: &str) -> bool {
    let mut look = Command::new("sh");
    look.args(["-c", "command -v \"$0\"", program]).stdout(Stdio::null()).stderr(Stdio::null());
    look.status().unwrap().success()
}
