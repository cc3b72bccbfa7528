//! SIGINT and SIGTERM: the first starts nothing new and lets what is in flight finish.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::signal::unix::{SignalKind, signal};

/// How many signals have come.
#[derive(Clone, Default)]
pub(super) struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Listens from now on. Needs a runtime.
    pub(super) fn listen(tell: impl Fn(&str) + Send + Sync + 'static) -> std::io::Result<Self> {
        let count = Self::default();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let counter = count.0.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                let before = counter.fetch_add(1, Ordering::SeqCst);
                tell(if before == 0 {
                    "stopping: nothing new is started; what is in flight is finished first"
                } else {
                    "still finishing what is in flight: a key that was minted is delivered or revoked before the end"
                });
            }
        });
        Ok(count)
    }

    pub(super) fn has_come(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}
