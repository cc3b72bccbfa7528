//! Runs one program to its end, or to its time-out: nothing of it outlives the call.

use std::io::{self, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use zeroize::Zeroizing;

use crate::model::secret::Secret;
use crate::sink::access::Lock;

/// Far more than any metadata, and than anybody reads of an error.
pub(super) const LARGEST: usize = 64 * 1024;

/// How long a dead program's output may stay open: whoever holds it has left the program's process group.
const LINGER: Duration = Duration::from_secs(2);

/// One run of a program.
pub(super) struct Program<'a> {
    pub(super) argv: &'a [String],
    pub(super) folder: &'a Path,
    pub(super) environment: &'a [(String, Secret)],
    /// What this run is about: no secret among it.
    pub(super) about: &'a [(&'static str, String)],
    pub(super) input: Option<Zeroizing<Vec<u8>>>,
    pub(super) timeout: Duration,
    /// Stays held as long as the program or a child of it runs, whatever becomes of us.
    pub(super) lock: Option<&'a Lock>,
}

/// How it ended.
pub(super) struct Ran {
    pub(super) ended: Ended,
    pub(super) out: Zeroizing<Vec<u8>>,
    pub(super) err: Zeroizing<Vec<u8>>,
    /// Whether something that it started still holds its output.
    pub(super) left_behind: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Code(i32),
    Signal(i32),
    TimedOut,
}

impl Program<'_> {
    /// Runs it.
    ///
    /// # Errors
    /// It was never started.
    pub(super) fn run(self) -> io::Result<Ran> {
        let mut child = self.start()?;
        if let (Some(input), Some(mut stdin)) = (self.input, child.stdin.take()) {
            // A program need not read it; a thread of its own, since a pipe holds only so much.
            std::thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let out = collect(child.stdout.take());
        let err = collect(child.stderr.take());
        let pid = Pid::from_child(&child);
        let (tell, ended) = mpsc::channel();
        std::thread::spawn(move || {
            // Not reaped yet: its number, and so its group's, belongs to nobody else.
            let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let _ = tell.send(());
        });
        let in_time = ended.recv_timeout(self.timeout).is_ok();
        // Also after a good end: what it left in the background ends with it.
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        let status = child.wait()?;
        let (out, out_ended) = out.finish();
        let (err, err_ended) = err.finish();
        let ended = match (in_time, status.code(), status.signal()) {
            (false, _, _) => Ended::TimedOut,
            (true, Some(code), _) => Ended::Code(code),
            (true, None, signal) => Ended::Signal(signal.unwrap_or_default()),
        };
        Ok(Ran { ended, out, err, left_behind: !(out_ended && err_ended) })
    }

    fn start(&self) -> io::Result<Child> {
        let (name, arguments) = self.argv.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = match name.contains('/') {
            true => Command::new(self.folder.join(name)),
            false => Command::new(name),
        };
        command
            .args(arguments)
            .current_dir(self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value.expose())))
            .envs(self.about.iter().map(|(name, value)| (name, value)))
            .stdin(if self.input.is_some() { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut heirlooms = Vec::new();
        for file in self.lock.map(|lock| lock.0.as_slice()).unwrap_or_default() {
            let copy = file.try_clone()?;
            // Only a copy without this flag is still open in the program.
            rustix::io::fcntl_setfd(&copy, FdFlags::empty())?;
            heirlooms.push(copy);
        }
        command.spawn()
    }
}

/// What a stream has said, and word when it ends.
struct Collected {
    bytes: Arc<Mutex<Zeroizing<Vec<u8>>>>,
    ended: Receiver<()>,
}

fn collect(stream: Option<impl Read + Send + 'static>) -> Collected {
    let bytes = Arc::new(Mutex::new(Zeroizing::new(Vec::with_capacity(LARGEST))));
    let (tell, ended) = mpsc::channel();
    let kept = Arc::clone(&bytes);
    std::thread::spawn(move || {
        let mut stream = stream;
        let mut buffer = Zeroizing::new([0; 4_096]);
        // What is beyond the limit is read too, so that the program never waits for a reader.
        while let Some(Ok(count @ 1..)) = stream.as_mut().map(|stream| stream.read(&mut *buffer)) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let room = LARGEST.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(buffer.get(..room).unwrap_or_default());
        }
        let _ = tell.send(());
    });
    Collected { bytes, ended }
}

impl Collected {
    fn finish(self) -> (Zeroizing<Vec<u8>>, bool) {
        let ended = self.ended.recv_timeout(LINGER).is_ok();
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::take(&mut *bytes), ended)
    }
}
