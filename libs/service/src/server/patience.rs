//! Two times that hyper has only one for: a request's head must arrive soon after its first byte, but a kept-alive
//! connection may idle for longer than that. Proxies and pooled clients keep idle connections for about a minute; a
//! server that closes them earlier resets requests that were just being sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From a head's first byte, or from the connection's start, to the head's end.
    pub(super) head: Duration,
    /// From an answer to the next request's first byte.
    pub(super) idle: Duration,
}

/// One connection's state, shared by its socket and its timer.
struct Watch {
    patience: Patience,
    opened: Instant,
    /// Milliseconds from `opened` to the first byte of the head that is awaited, plus one; 0 before it.
    first_byte: AtomicU64,
    /// Whether a head has been awaited before.
    used: AtomicBool,
}

/// The socket and the timer of one connection.
pub(super) fn watch(stream: TcpStream, patience: Patience) -> (WatchedStream, HeadTimer) {
    let (first_byte, used) = (AtomicU64::new(0), AtomicBool::new(false));
    let watch = Arc::new(Watch {
        patience,
        opened: Instant::now(),
        first_byte,
        used,
    });
    (
        WatchedStream {
            stream,
            watch: Arc::clone(&watch),
        },
        HeadTimer(watch),
    )
}

impl Watch {
    fn note_read(&self) {
        if self.first_byte.load(Ordering::Relaxed) == 0 {
            let millis = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
            self.first_byte.store(millis + 1, Ordering::Relaxed);
        }
    }

    /// When to give up, or to look again, for a wait that began at `since` and may idle for `idle`.
    fn due(&self, now: Instant, since: Instant, idle: Duration) -> Instant {
        match self.first_byte.load(Ordering::Relaxed) {
            0 => (since + idle).min(now + self.patience.head),
            millis => self.opened + Duration::from_millis(millis - 1) + self.patience.head,
        }
    }

    fn is_over(&self, now: Instant, since: Instant, idle: Duration) -> bool {
        match self.first_byte.load(Ordering::Relaxed) {
            0 => now >= since + idle,
            _ => now >= self.due(now, since, idle),
        }
    }
}

/// A socket that notes when a head begins.
pub(super) struct WatchedStream {
    stream: TcpStream,
    watch: Arc<Watch>,
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.watch.note_read();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The timer of hyper's header-read timeout, which starts whenever a connection begins to await a head.
#[derive(Clone)]
pub(super) struct HeadTimer(Arc<Watch>);

impl Timer for HeadTimer {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now())
    }

    /// hyper's own deadline is that of the head; this one knows better.
    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        let watch = Arc::clone(&self.0);
        watch.first_byte.store(0, Ordering::Relaxed);
        let first = !watch.used.swap(true, Ordering::Relaxed);
        let idle = if first {
            watch.patience.head
        } else {
            watch.patience.idle
        };
        let since = Instant::now();
        let wait = tokio::time::sleep_until(watch.due(since, since, idle).into());
        Box::pin(HeadSleep {
            watch,
            since,
            idle,
            wait: Box::pin(wait),
        })
    }
}

struct HeadSleep {
    watch: Arc<Watch>,
    since: Instant,
    idle: Duration,
    wait: Pin<Box<tokio::time::Sleep>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.wait.as_mut().poll(cx));
            let now = Instant::now();
            if self.watch.is_over(now, self.since, self.idle) {
                return Poll::Ready(());
            }
            let due = self.watch.due(now, self.since, self.idle);
            self.wait.as_mut().reset(due.into());
        }
    }
}

impl Sleep for HeadSleep {}
