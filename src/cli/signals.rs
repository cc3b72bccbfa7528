//! SIGINT, SIGTERM, SIGQUIT and SIGHUP: the first starts nothing new and lets what is in flight finish; the second waits for
//! nothing any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::apply::event::{Event, Happened, Step};
use crate::model::address::Address;
use crate::model::wait::{Ending, Waits};

use super::watch::ending;

/// Keys that were minted and are not yet known to be in their sink: what a kill would lose now.
#[derive(Clone, Default)]
pub(super) struct Unsaved(Arc<Mutex<BTreeMap<Address, String>>>);

impl Unsaved {
    /// Follows an apply by what it tells.
    pub(super) fn follow(&self, event: &Event) {
        let mut unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (event.step, &event.happened) {
            (Step::Mint, Happened::Succeeded { detail }) => {
                unsaved.insert(event.address.clone(), detail.to_string());
            }
            // Whatever became of the whole key, its end is told.
            (Step::Verify | Step::Revoke, Happened::Succeeded { .. })
            | (Step::CreateKey | Step::RenewKey, Happened::Succeeded { .. } | Happened::Failed(_)) => {
                unsaved.remove(&event.address);
            }
            (
                _,
                Happened::Began
                | Happened::Succeeded { .. }
                | Happened::Failed(_)
                | Happened::Skipped { .. }
                | Happened::Noted { .. },
            ) => {}
        }
    }

    fn words(&self) -> String {
        let unsaved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if unsaved.is_empty() {
            return "still finishing a request that is in flight; no secret is at stake".to_owned();
        }
        let keys: Vec<String> = unsaved.iter().map(|(address, key)| format!("{address} (key {key})")).collect();
        format!(
            "still finishing: the secret of {} is not in its sink yet, and is lost if this process is killed; the next \
             qlik-apply would then mint another and revoke this one",
            keys.join(", ")
        )
    }
}

/// Asks the run to end, signal by signal.
#[derive(Clone)]
pub(super) struct Signals(Waits);

impl Signals {
    /// Listens from now on, on a thread of its own: also while the run stands still for the disk, a lock or the ledger's store.
    pub(super) fn listen(
        waits: &Waits,
        unsaved: Unsaved,
        tell: impl Fn(&str) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut heard = {
            let _in = runtime.enter();
            Heard::listen()?
        };
        let asked = waits.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut first = true;
                loop {
                    let hung_up = heard.next().await == Kind::HangUp;
                    if first {
                        asked.end(Ending::Soon("a signal asked to stop".to_owned()));
                        tell("stopping: nothing new is started; what is in flight is finished first");
                    } else if hung_up {
                        // A terminal that closes tells it twice: through its shell, and when that is gone.
                    } else {
                        asked.end(Ending::Now("a second signal asked to stop".to_owned()));
                        tell(&unsaved.words());
                    }
                    first = false;
                }
            });
        });
        Ok(Self(waits.clone()))
    }

    /// Waits until the run is asked to end: by a signal, or since its time is over.
    pub(super) async fn come(&self) {
        ending(&self.0).await;
    }
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SIGINT or SIGQUIT, by which a terminal's keys ask the program and those that it started.
    Keys,
    /// SIGTERM: somebody asks this process.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
}

/// The signals that ask a program to end, but for those that whoever started it had it ignore: `nohup` does that with SIGHUP, and a
/// shell with SIGINT and SIGQUIT of what it runs in the background.
pub(super) struct Heard {
    terminate: Signal,
    interrupt: Option<Signal>,
    quit: Option<Signal>,
    hang_up: Option<Signal>,
}

impl Heard {
    /// Listens from now on. Needs a runtime.
    pub(super) fn listen() -> std::io::Result<Self> {
        let ignored = ignored();
        let unless_ignored = |kind: SignalKind| {
            let bit = u32::try_from(kind.as_raw_value() - 1).ok().and_then(|number| 1_u64.checked_shl(number));
            if bit.is_some_and(|bit| ignored & bit != 0) { Ok(None) } else { signal(kind).map(Some) }
        };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: unless_ignored(SignalKind::interrupt())?,
            quit: unless_ignored(SignalKind::quit())?,
            hang_up: unless_ignored(SignalKind::hangup())?,
        })
    }

    /// Waits for the next.
    pub(super) async fn next(&mut self) -> Kind {
        tokio::select! {
            () = one(Some(&mut self.terminate)) => Kind::Terminate,
            () = one(self.interrupt.as_mut()) => Kind::Keys,
            () = one(self.quit.as_mut()) => Kind::Keys,
            () = one(self.hang_up.as_mut()) => Kind::HangUp,
        }
    }
}

async fn one(signal: Option<&mut Signal>) {
    match signal {
        // A stream of signals has no end.
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that this process ignores, one bit each, as Linux lists them (proc_pid_status(5)). Elsewhere only the call that
/// replaces a handler tells the former one, and that is not to be had without unsafe code: there, none is taken to be ignored.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}
