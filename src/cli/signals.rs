//! SIGINT and SIGTERM: the first starts nothing new and lets what is in flight finish.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::apply::event::{Event, Happened, Step};
use crate::model::address::Address;

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

/// How many signals have come.
#[derive(Clone)]
pub(super) struct Signals(watch::Receiver<usize>);

impl Signals {
    /// Listens from now on. Needs a runtime.
    pub(super) fn listen(unsaved: Unsaved, tell: impl Fn(&str) + Send + Sync + 'static) -> std::io::Result<Self> {
        let (sender, receiver) = watch::channel(0_usize);
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                let first = *sender.borrow() == 0;
                if first {
                    tell("stopping: nothing new is started; what is in flight is finished first");
                } else {
                    tell(&unsaved.words());
                }
                sender.send_modify(|count| *count += 1);
            }
        });
        Ok(Self(receiver))
    }

    pub(super) fn has_come(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits for the first.
    pub(super) async fn come(&self) {
        // The listener lives as long as the runtime; were it gone, no signal could come any more.
        if self.0.clone().wait_for(|count| *count > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
