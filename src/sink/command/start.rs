//! Why a program cannot be started: looked up in the file itself, since the system has one word for many reasons.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access as May, StatVfsMountFlags};
use rustix::io::Errno;

use crate::model::untrusted::escape;

/// What the kernel reads of a file to know how to start it (`BINPRM_BUF_SIZE` of Linux 5.1 and later).
const FIRST_LINE: u64 = 256;

const BOM: &[u8] = b"\xef\xbb\xbf";
const ELF: &[u8] = b"\x7fELF";

/// What a program is written for, as its header says it: `e_machine` of the ELF specification.
const MACHINES: [(u16, &str); 8] = [
    (3, "x86"),
    (21, "powerpc64"),
    (22, "s390x"),
    (40, "arm"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "riscv64"),
    (258, "loongarch64"),
];

/// A sentence that goes on after the program's name, and the way out.
pub(super) struct Obstacle {
    pub(super) why: String,
    pub(super) next: String,
}

fn obstacle(why: impl Into<String>, next: impl Into<String>) -> Obstacle {
    Obstacle { why: why.into(), next: next.into() }
}

/// The file of a program: below `folder` where its name has a slash, else in a folder of PATH, the first that may be run.
pub(super) fn file(name: &str, folder: &Path, path: &str) -> Option<PathBuf> {
    if name.contains('/') {
        // Without the `.` of `./name`.
        return Some(folder.join(name).components().collect());
    }
    let there: Vec<PathBuf> = path
        .split(':')
        .filter(|folder| !folder.is_empty())
        .map(|folder| Path::new(folder).join(name))
        .filter(|file| file.exists())
        .collect();
    there.iter().find(|file| may_be_run(file)).or(there.first()).cloned()
}

fn may_be_run(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, May::EXEC_OK).is_ok()
}

/// What can be told of a file without starting it.
pub(super) fn before(path: &Path, folder: &Path) -> Option<Obstacle> {
    let shown = escape(&path.to_string_lossy());
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Some(match fs::read_link(path) {
                Ok(to) => obstacle(
                    format!("is a link to {}, which is not there", escape(&to.to_string_lossy())),
                    format!("correct the link {shown}"),
                ),
                Err(_) => obstacle("is not there", format!("put it at {shown}, or correct it in settings")),
            });
        }
        Err(error) => {
            return Some(obstacle(
                format!("cannot be looked at: {error}"),
                format!("give the user of this process the right to reach {shown}"),
            ));
        }
    };
    if found.is_dir() {
        return Some(obstacle("is a folder", "name a program in it, in settings"));
    }
    if !found.is_file() {
        return Some(obstacle("is not a file", "name a program in settings"));
    }
    if rustix::fs::access(path, May::EXEC_OK).is_err() {
        // The same refusal stands for both.
        let noexec = rustix::fs::statvfs(path).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::NOEXEC));
        return Some(if noexec && found.permissions().mode() & 0o111 != 0 {
            obstacle(
                "is on a disk that is mounted noexec",
                format!("move {shown} to another disk, or mount that one without noexec"),
            )
        } else {
            obstacle("may not be run by the user of this process", format!("chmod +x {shown}"))
        });
    }
    let mut first = Vec::new();
    // A program may be run by people who may not read it; nothing can be told of those.
    File::open(path).ok()?.take(FIRST_LINE).read_to_end(&mut first).ok()?;
    script(&shown, &first, folder)
}

/// Of a file that is no machine code: whether its first line names an interpreter that is there.
fn script(shown: &str, first: &[u8], folder: &Path) -> Option<Obstacle> {
    let Some(rest) = first.strip_prefix(b"#!") else {
        if first.strip_prefix(BOM).is_some_and(|text| text.starts_with(b"#!")) {
            return Some(obstacle(
                "begins with a byte order mark, so that the system does not see its `#!`",
                format!("take the mark off: sed -i '1s/^\\xef\\xbb\\xbf//' {shown}"),
            ));
        }
        let is_text = !first.contains(&0);
        return is_text.then(|| {
            let begins = if first.is_empty() { "is empty" } else { "is text and does not begin with `#!`" };
            obstacle(
                format!("{begins}, so that the system does not know how to start it"),
                format!("begin {shown} with a line that names its interpreter, as in #!/bin/sh"),
            )
        });
    };
    // A line longer than the kernel reads is cut in ways of its own.
    let line = rest.split(|byte| *byte == b'\n').next().filter(|line| line.len() < rest.len() || first.len() < 256)?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.trim_matches([' ', '\t']).splitn(2, [' ', '\t']);
    let interpreter = words.next().unwrap_or_default();
    let of_windows = obstacle(
        format!("has Windows line ends: the system looks for `{}`, which is not there", escape(line.trim()) + "\\r"),
        format!(
            "give it the line ends of Unix: sed -i 's/\\r$//' {shown}; and in git: `* text eol=lf` in .gitattributes"
        ),
    );
    if interpreter.ends_with('\r') || line.ends_with('\r') && interpreter.ends_with("/env") {
        return Some(of_windows);
    }
    if interpreter.is_empty() {
        return Some(obstacle(
            "names no interpreter after its `#!`",
            format!("begin {shown} with a line that names its interpreter, as in #!/bin/sh"),
        ));
    }
    let named = escape(interpreter);
    let place = folder.join(interpreter);
    if !place.exists() {
        return Some(obstacle(
            format!("names an interpreter that is not there: {named}"),
            format!("install {named}, or correct the first line of {shown}"),
        ));
    }
    (!may_be_run(&place)).then(|| {
        obstacle(
            format!("names an interpreter that may not be run: {named}"),
            format!("correct the first line of {shown}"),
        )
    })
}

/// Why it was not started, by the system's error and what the file is.
pub(super) fn after(path: &Path, folder: &Path, error: &io::Error) -> Obstacle {
    if !folder.is_dir() {
        let folder = escape(&folder.to_string_lossy());
        return obstacle(
            format!("could not be started in {folder}, which is not there any more"),
            "run this again where the settings are",
        );
    }
    if let Some(obstacle) = before(path, folder) {
        return obstacle;
    }
    let shown = escape(&path.to_string_lossy());
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut head)).is_ok();
    let is_elf = read && head.starts_with(ELF);
    let errno = Errno::from_io_error(error);
    if errno == Some(Errno::NOEXEC) {
        let ours = std::env::consts::ARCH;
        let why = match machine(&head).filter(|_| is_elf) {
            Some(theirs) if theirs != ours => format!("is a program for {theirs}, and this machine is {ours}"),
            Some(_) | None => "is no program of this system".to_owned(),
        };
        return obstacle(why, format!("put one for {} on {ours} at {shown}", std::env::consts::OS));
    }
    if errno == Some(Errno::NOENT) && is_elf {
        return obstacle(
            "is there, and the loader that it was linked for is not (a program for glibc where musl is, or the reverse)",
            format!("put one that was built for this system at {shown}, or one that is linked statically"),
        );
    }
    if errno == Some(Errno::TXTBSY) {
        return obstacle("is open for writing", format!("see who writes to {shown}, then run this again"));
    }
    if errno == Some(Errno::TOOBIG) {
        return obstacle(
            "was not started, because its arguments and its environment are too large",
            "shorten its arguments, or hand on fewer variables: allow_env in settings",
        );
    }
    obstacle(format!("could not be started: {error}"), format!("see the limits of this machine, and correct {shown}"))
}

fn machine(head: &[u8]) -> Option<&'static str> {
    let bytes: [u8; 2] = head.get(18..20)?.try_into().ok()?;
    let number = match head.get(5)? {
        2 => u16::from_be_bytes(bytes),
        _ => u16::from_le_bytes(bytes),
    };
    Some(MACHINES.iter().find(|(known, _)| *known == number).map_or("another kind of machine", |(_, name)| *name))
}
