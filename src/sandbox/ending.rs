//! How a connection ends where the script says so: closed without a word after a whole answer, or reset in the midst of one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// What is to become of one connection.
#[derive(Default)]
pub(super) struct Ending {
    closing: Notify,
    reset: AtomicBool,
}

impl Ending {
    /// Until an answer has gone out that was to be the last, and did not say so.
    pub(super) async fn comes(&self) {
        self.closing.notified().await;
    }

    /// However this connection ends, its client sees it reset.
    pub(super) fn will_be_a_reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }
}

/// The body of a last answer.
pub(super) struct Last {
    pub(super) body: Full<Bytes>,
    pub(super) ending: Arc<Ending>,
}

impl Drop for Last {
    fn drop(&mut self) {
        // The server lets go of a body when it has handed on all of it.
        self.ending.closing.notify_one();
    }
}

impl Body for Last {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The connection's own end of the wire.
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) ending: Arc<Ending>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.ending.reset.load(Ordering::Relaxed) {
            // A socket that is gone already cannot be reset, and need not be.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
