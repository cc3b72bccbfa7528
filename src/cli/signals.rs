//! SIGINT and SIGTERM: the first starts nothing new and lets what is in flight finish; the second waits for nothing any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};

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
        let (mut interrupt, mut terminate) = {
            let _in = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let asked = waits.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                let mut first = true;
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if first {
                        asked.end(Ending::Soon("a signal asked to stop".to_owned()));
                        tell("stopping: nothing new is started; what is in flight is finished first");
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
