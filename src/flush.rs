//! Makes files durable beside other work: threads that wait for the disk, and one flush of a folder for all who wait for it.
//!
//! A flush takes milliseconds, and seconds on a busy disk. Whoever waits for it on the thread that talks to a vendor lets answers lie
//! until they look lost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;

use tokio::sync::oneshot;

/// The most threads that wait for disks. A flush takes no processor, so more than there are cores is right; a disk that takes more
/// at once gains little.
const THREADS_MAX: usize = 16;

/// `File::sync_all`, or a test's stand-in that fails.
type Sync = fn(&File) -> io::Result<()>;

/// The way to make files durable. Its clones share their threads, which start when they are needed and end with the last clone.
#[derive(Clone)]
pub struct Flushes {
    threads: Arc<Threads>,
    sync: Sync,
}

impl Default for Flushes {
    fn default() -> Self {
        Self { threads: Arc::default(), sync: File::sync_all }
    }
}

impl fmt::Debug for Flushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flushes").finish_non_exhaustive()
    }
}

impl Flushes {
    /// A disk on which every flush ends like this.
    #[cfg(test)]
    pub(crate) fn ending(sync: Sync) -> Self {
        Self { threads: Arc::default(), sync }
    }

    /// Makes a file durable, and lets others go on meanwhile.
    ///
    /// # Errors
    /// Nobody knows what the disk holds of it.
    pub async fn file(&self, file: File) -> io::Result<File> {
        let (tell, hear) = oneshot::channel();
        self.flush(file, move |outcome| drop(tell.send(outcome)));
        hear.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Makes a file or a folder durable, and stands still until it is.
    ///
    /// # Errors
    /// Nobody knows what the disk holds of it.
    pub fn now(&self, file: File) -> io::Result<File> {
        let (tell, hear) = mpsc::sync_channel(1);
        self.flush(file, move |outcome| drop(tell.send(outcome)));
        hear.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// Makes the entries of a folder durable, and lets others go on meanwhile. Whoever asks while the folder is being flushed shares
    /// the next flush with all who do: one that had begun before may have missed what was just renamed.
    ///
    /// # Errors
    /// Nobody knows what the disk holds of the entries.
    pub async fn folder(&self, path: &Path, folder: File) -> io::Result<()> {
        let (tell, hear) = oneshot::channel();
        self.threads.0.flush_folder(path, Asked { folder, sync: self.sync, tell });
        hear.await.unwrap_or_else(|_| Err(gone()))
    }

    fn flush(&self, file: File, tell: impl FnOnce(io::Result<File>) + Send + 'static) {
        let sync = self.sync;
        let pool = &self.threads.0;
        pool.give(
            pool.state(),
            Box::new(move |_| {
                let outcome = sync(&file).map(|()| file);
                Box::new(move || tell(outcome))
            }),
        );
    }
}

/// The threads, as long as anybody may give them work.
#[derive(Default)]
struct Threads(Arc<Pool>);

impl Drop for Threads {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.work.notify_all();
    }
}

/// A flush.
type Job = Box<dyn FnOnce(&Pool) -> Tell + Send>;

/// Tells of a flush, once the thread that did it is free again.
type Tell = Box<dyn FnOnce()>;

#[derive(Default)]
struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads without a job.
    free: usize,
    closed: bool,
    /// Who waits for the next flush of a folder.
    asked: BTreeMap<PathBuf, Vec<Asked>>,
    /// Folders whose flush is queued or under way.
    flushing: BTreeSet<PathBuf>,
}

/// Somebody who waits for a folder.
struct Asked {
    folder: File,
    sync: Sync,
    tell: oneshot::Sender<io::Result<()>>,
}

impl Pool {
    fn state(&self) -> MutexGuard<'_, State> {
        // No job runs under the guard, so no panic can have left half a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a free thread do it, or one more; without any, does it here.
    fn give(self: &Arc<Self>, mut state: MutexGuard<'_, State>, job: Job) {
        state.jobs.push_back(job);
        if state.jobs.len() > state.free && state.threads < THREADS_MAX {
            let pool = Arc::clone(self);
            if thread::Builder::new().name("flush".to_owned()).spawn(move || pool.serve()).is_ok() {
                state.threads += 1;
                state.free += 1;
            }
        }
        if state.threads == 0 {
            // The machine gives no thread: slower, and as durable.
            let job = state.jobs.pop_back();
            drop(state);
            if let Some(job) = job {
                job(self)();
            }
            return;
        }
        drop(state);
        self.work.notify_one();
    }

    fn serve(&self) {
        let mut state = self.state();
        loop {
            match state.jobs.pop_front() {
                Some(job) => {
                    state.free -= 1;
                    drop(state);
                    let tell = job(self);
                    state = self.state();
                    // Free before it is told, so that whoever hears of it and asks for the next finds this thread, and starts no other.
                    state.free += 1;
                    tell();
                }
                None if state.closed => return,
                None => state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Queues a flush of a folder, if none is queued or under way.
    fn flush_folder(self: &Arc<Self>, path: &Path, asked: Asked) {
        let mut state = self.state();
        state.asked.entry(path.to_owned()).or_default().push(asked);
        if !state.flushing.insert(path.to_owned()) {
            return;
        }
        let path = path.to_owned();
        self.give(state, Box::new(move |pool| pool.flush_for_all(&path)));
    }

    /// Flushes a folder until nobody waits for it any more.
    fn flush_for_all(&self, path: &Path) -> Tell {
        let mut state = self.state();
        loop {
            let all = state.asked.remove(path).unwrap_or_default();
            drop(state);
            let outcome = all.first().map_or(Ok(()), |first| (first.sync)(&first.folder));
            state = self.state();
            let tell = move || {
                for asked in all {
                    // Whoever does not wait any more needs no answer.
                    drop(asked.tell.send(again(&outcome)));
                }
            };
            if !state.asked.contains_key(path) {
                state.flushing.remove(path);
                return Box::new(tell);
            }
            tell();
        }
    }
}

/// An outcome that more than one is told of.
fn again(outcome: &io::Result<()>) -> io::Result<()> {
    match outcome {
        Ok(()) => Ok(()),
        Err(error) => Err(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)),
    }
}

fn gone() -> io::Error {
    io::Error::other("the thread that waits for the disk is gone")
}

#[cfg(test)]
mod tests;
