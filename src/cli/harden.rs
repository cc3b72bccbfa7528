//! What the process does for its secrets before it holds one: no core dump, no panic text with values in it.

use std::io::Write as _;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps and keeps panic messages to their place in the source.
pub(super) fn harden() {
    // A limit that cannot be lowered further is low enough already; there is no run to refuse for it.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        let mut err = std::io::stderr().lock();
        drop(writeln!(
            err,
            "internal error{place}; nothing more is said, since it could hold a secret\n  next: run again; what was begun is found by its record. Please report the place"
        ));
    }));
}
