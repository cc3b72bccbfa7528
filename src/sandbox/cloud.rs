//! One server's whole life: the state behind one lock, what was asked, what is held, and when to stop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::call::Call;
use super::fault::{self, Action, Fault};
use super::files::FileError;
use super::jwt::Signer;
use super::qlik;
use super::reply::Reply;
use super::state::State;
use super::store::Store;
use super::vendor::Vendor;

/// What says the real time.
type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Shared by the proxy and the control API.
pub(super) struct Cloud {
    inner: Mutex<Inner>,
    clock: Clock,
    pub(super) signer: Signer,
    /// Rings whenever a request was answered or is held.
    progress: Notify,
    stopping: watch::Receiver<bool>,
    /// Every task holds a clone; the server is stopped when none is left.
    alive: mpsc::WeakSender<()>,
}

pub(super) struct Inner {
    pub(super) state: State,
    store: Store,
    pub(super) record: Vec<Entry>,
    /// Requests so far. Counts on when the record is cut at its limit.
    pub(super) count: u64,
    pub(super) answered: u64,
    pub(super) faults: Vec<Fault>,
    pub(super) latency_ms: u64,
    held: BTreeMap<u64, oneshot::Sender<Release>>,
}

/// One line of the record. No header and no body is ever in it.
#[derive(Clone, Serialize)]
pub(super) struct Entry {
    pub(super) n: u64,
    pub(super) at: String,
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: String,
    pub(super) who: Option<String>,
    pub(super) status: Option<u16>,
    /// Whether the vendor changed anything: a tenant, a key, a setting, a token.
    pub(super) committed: bool,
    pub(super) fault: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    GoOn,
    Drop,
}

/// So much of the record is kept; older entries go first. `n` goes on counting.
const RECORD_LIMIT: usize = 200_000;

impl Cloud {
    pub(super) fn new(
        (state, store): (State, Store),
        clock: Clock,
        signer: Signer,
        stopping: watch::Receiver<bool>,
        alive: mpsc::WeakSender<()>,
    ) -> Self {
        let inner = Inner {
            state,
            store,
            record: Vec::new(),
            count: 0,
            answered: 0,
            faults: Vec::new(),
            latency_ms: 0,
            held: BTreeMap::new(),
        };
        Self { inner: Mutex::new(inner), clock, signer, progress: Notify::new(), stopping, alive }
    }

    /// A panic while the lock was held has changed nothing that was saved; going on is better than hanging.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn real_now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(super) fn now(&self, state: &State) -> Timestamp {
        state.main().clock.now(self.real_now())
    }

    pub(super) fn sandbox_now(&self) -> Timestamp {
        self.now(&self.lock().state)
    }

    /// Notes that a request has come, and what the script has for it.
    pub(super) fn arrive(&self, method: &str, host: &str, path: &str, query: &str) -> (u64, Option<Action>, u64) {
        let mut inner = self.lock();
        inner.count += 1;
        let number = inner.count;
        let struck = fault::strike(&mut inner.faults, number, method, host, path);
        let mark = if query.is_empty() { "" } else { "?" };
        let entry = Entry {
            n: number,
            at: self.now(&inner.state).to_string(),
            method: method.to_owned(),
            host: host.to_owned(),
            path: format!("{path}{mark}{query}"),
            who: None,
            status: None,
            committed: false,
            fault: struck.as_ref().map(Action::name),
        };
        inner.note(entry);
        (number, struck, inner.latency_ms)
    }

    /// What the proxy itself refuses is recorded too, but neither counted nor struck.
    pub(super) fn refused(&self, method: &str, target: &str, status: u16) {
        let mut inner = self.lock();
        let entry = Entry {
            n: 0,
            at: self.now(&inner.state).to_string(),
            method: method.to_owned(),
            host: target.to_owned(),
            path: String::new(),
            who: None,
            status: Some(status),
            committed: false,
            fault: None,
        };
        inner.note(entry);
    }

    /// Lets the vendor act, and saves what changed. The answer goes out only when this has returned.
    pub(super) fn commit(&self, number: u64, call: &mut Call<'_>) -> Reply {
        let mut inner = self.lock();
        call.now = self.now(&inner.state);
        let purged = if qlik::purge(&mut inner.state, call.now) { inner.save() } else { Ok(()) };
        let vendor = Vendor::of(call.host);
        let who = vendor.claimed(&inner.state, call);
        let reply = vendor.answer(&mut inner.state, call);
        let changed = inner.state.has_changed();
        let saved = purged.and_then(|()| inner.save());
        let reply = match saved {
            Ok(()) => reply,
            Err(_) => vendor.problem(500, "SANDBOX-1", "The sandbox could not save its state", call.now),
        };
        if let Some(entry) = inner.entry(number) {
            entry.who = who;
            entry.status = Some(reply.status);
            entry.committed = changed && reply.status < 400;
        }
        reply
    }

    /// The last word on a request: the status that really went out, or none.
    pub(super) fn answered(&self, number: u64, status: Option<u16>) {
        let mut inner = self.lock();
        inner.answered += 1;
        if let Some(entry) = inner.entry(number) {
            entry.status = status;
        }
        drop(inner);
        self.progress.notify_waiters();
    }

    /// Waits to be released; a stopping server drops what it holds.
    pub(super) async fn hold(&self, number: u64) -> Release {
        let (sender, receiver) = oneshot::channel();
        self.lock().held.insert(number, sender);
        self.progress.notify_waiters();
        let held = Held { cloud: self, number };
        let release = tokio::select! {
            release = receiver => release.unwrap_or(Release::Drop),
            () = self.stopped() => Release::Drop,
        };
        drop(held);
        release
    }

    /// All that are held, or the one of this number.
    pub(super) fn release(&self, how: Release, only: Option<u64>) -> usize {
        let mut inner = self.lock();
        let held = match only {
            None => std::mem::take(&mut inner.held),
            Some(number) => inner.held.remove_entry(&number).into_iter().collect(),
        };
        drop(inner);
        let count = held.len();
        for sender in held.into_values() {
            // Whoever waited may be gone.
            let _ = sender.send(how);
        }
        count
    }

    /// Until so many requests were answered, or so many are held.
    pub(super) async fn wait(&self, requests: Option<u64>, held: usize) -> (u64, Vec<u64>) {
        loop {
            let progress = self.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            {
                let inner = self.lock();
                if inner.held.len() >= held || requests.is_some_and(|wanted| inner.answered >= wanted) {
                    return (inner.answered, inner.held.keys().copied().collect());
                }
            }
            progress.await;
        }
    }

    pub(super) async fn stopped(&self) {
        let mut stopping = self.stopping.clone();
        // An error means that the sender is gone, which is a stop as well.
        let _ = stopping.wait_for(|stop| *stop).await;
    }

    /// Runs beside the others until it ends or the server stops. `None` once the server is stopping.
    pub(super) fn spawn<F>(self: &Arc<Self>, task: F) -> Option<tokio::task::JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let alive = self.alive.upgrade()?;
        Some(tokio::spawn(async move {
            let output = task.await;
            drop(alive);
            output
        }))
    }
}

/// Takes a held request off the list also when its client has left.
struct Held<'a> {
    cloud: &'a Cloud,
    number: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.cloud.lock().held.remove(&self.number);
        self.cloud.progress.notify_waiters();
    }
}

impl Inner {
    pub(super) fn save(&mut self) -> Result<(), FileError> {
        self.store.save(&mut self.state)
    }

    fn note(&mut self, entry: Entry) {
        if self.record.len() >= RECORD_LIMIT {
            self.record.drain(..RECORD_LIMIT / 2);
        }
        self.record.push(entry);
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        self.record.iter_mut().rev().find(|entry| entry.n == number)
    }
}
