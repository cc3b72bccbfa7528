//! SIGINT and SIGTERM: the first starts nothing new and lets what is in flight finish.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How many signals have come.
#[derive(Clone)]
pub(super) struct Signals(watch::Receiver<usize>);

impl Signals {
    /// Listens from now on. Needs a runtime.
    pub(super) fn listen(tell: impl Fn(&str) + Send + Sync + 'static) -> std::io::Result<Self> {
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
                tell(if first {
                    "stopping: nothing new is started; what is in flight is finished first"
                } else {
                    "still finishing what is in flight: a key that was minted is delivered or revoked before the end"
                });
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
