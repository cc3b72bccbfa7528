//! A person's terminal: a pseudo-terminal of the system's own, so that a test needs no program that makes one.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};
use std::{ffi::OsStr, path::Path, thread};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::stage::Run;

/// Which streams of a program are a terminal. Standard output is only where all are, and then takes what all of them show: else
/// what it says is to be told from the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Streams {
    All,
    InputAndError,
    Input,
    Error,
}

/// Runs a program with a person at it, who types something.
pub(crate) fn at_a_terminal(command: Command, typed: &str) -> Run {
    at(command, Streams::InputAndError, typed)
}

/// Runs a program with some of its streams on a terminal. What is not is a pipe, or nothing at all.
pub(crate) fn at(mut command: Command, streams: Streams, typed: &str) -> Run {
    let mut ours = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap());
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = OpenOptions::new().read(true).write(true).open(Path::new(OsStr::from_bytes(name.as_bytes()))).unwrap();
    let end = || Stdio::from(theirs.try_clone().unwrap());
    command.stdin(if streams == Streams::Error { Stdio::null() } else { end() });
    command.stderr(if streams == Streams::Input { Stdio::piped() } else { end() });
    command.stdout(if streams == Streams::All { end() } else { Stdio::piped() });
    ours.write_all(typed.as_bytes()).unwrap();
    let child = command.spawn().unwrap();
    // Once the program is gone nobody holds their end, and reading ours ends.
    drop((command, theirs));
    let shown = thread::spawn(move || {
        let mut shown = Vec::new();
        let mut piece = [0; 4096];
        // Linux ends it with an error, others with nothing.
        while let Ok(count @ 1..) = ours.read(&mut piece) {
            shown.extend_from_slice(&piece[..count]);
        }
        String::from_utf8_lossy(&shown).replace("\r\n", "\n")
    });
    let mut run = Run::of(&child.wait_with_output().unwrap());
    let shown = shown.join().unwrap();
    if streams == Streams::All {
        run.out = shown
    } else {
        run.err.push_str(&shown)
    }
    run
}
