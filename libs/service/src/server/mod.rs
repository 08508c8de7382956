//! The accept loop. `axum::serve` has neither a header-read timeout nor a connection cap, and it closes idle
//! connections at a stop without looking whether a request has arrived on them.

mod patience;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use bz_http::ClientIp;
use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use patience::Patience;

/// What a listener hands its requests to.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, request: Request<Body>) -> impl Future<Output = Response<Body>> + Send;
}

/// How long idle connections stay open after the listener closed, so that a request which was already on its way is
/// answered (with `Connection: close`) rather than reset.
pub const LINGER: Duration = Duration::from_secs(1);
/// Pause after the process ran out of file descriptors.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);
/// Connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 1024;

/// Limits of the accept loop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections served at once; further ones wait in the backlog.
    pub max_connections: usize,
    /// Longest time in which a request's head must arrive.
    pub header_read_timeout: Duration,
    /// Longest time that a connection may idle between two requests.
    pub keep_alive_timeout: Duration,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

/// Opens a listener. Must be called inside the runtime.
///
/// # Errors
/// [`BindError`] when the address is taken or not ours.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    let open = || {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        // A restart must not wait for connections of the last run to time out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|source| BindError { address, source })
}

/// A connection and who has called.
type Accepted = (TcpStream, SocketAddr);

/// A running accept loop over one or more listeners.
pub struct Server<H> {
    listeners: Vec<TcpListener>,
    limits: Limits,
    handler: Arc<H>,
    /// From now on every response asks its client to close the connection.
    draining: Arc<AtomicBool>,
}

impl<H: Handler> Server<H> {
    /// A server that hands every request to `handler`.
    #[must_use]
    pub fn new(listeners: Vec<TcpListener>, limits: Limits, handler: Arc<H>) -> Self {
        Self {
            listeners,
            limits,
            handler,
            draining: Arc::new(AtomicBool::new(false)),
        }
    }

    /// A switch: once set, clients with kept-alive connections are asked to close them.
    #[must_use]
    pub fn draining(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.draining)
    }

    /// Serves until `stop`, then closes the listeners and answers when the last request in flight was answered. The
    /// caller bounds that time; what is left then ends with the runtime.
    pub async fn run(self, stop: CancellationToken) {
        let permits = Arc::new(Semaphore::new(self.limits.max_connections));
        let connections = GracefulShutdown::new();
        while let Some((accepted, permit)) = self.next(&permits, &stop).await {
            self.spawn(accepted, permit, connections.watcher());
        }
        self.draining.store(true, Ordering::Relaxed);
        let all = u32::try_from(self.limits.max_connections).unwrap_or(u32::MAX);
        self.close(&permits, &connections);
        if tokio::time::timeout(LINGER, permits.acquire_many(all))
            .await
            .is_err()
        {
            connections.shutdown().await;
        }
    }

    /// The next connection; none at a stop. A permit is taken first: at the cap nothing is accepted.
    async fn next(
        &self,
        permits: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(Accepted, tokio::sync::OwnedSemaphorePermit)> {
        let accepted = async {
            let permit = Arc::clone(permits).acquire_owned().await.ok()?;
            Some((self.accept().await, permit))
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            accepted = accepted => accepted,
        }
    }

    async fn accept(&self) -> Accepted {
        let mut told = false;
        loop {
            let accepted = std::future::poll_fn(|context| {
                let ready = |listener: &TcpListener| match listener.poll_accept(context) {
                    Poll::Ready(accepted) => Some(accepted),
                    Poll::Pending => None,
                };
                let accepted = self.listeners.iter().find_map(ready);
                accepted.map_or(Poll::Pending, Poll::Ready)
            });
            match accepted.await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !told {
                        tracing::warn!(error = %error, "cannot accept connections; trying again");
                    }
                    told = true;
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }

    /// Closes the listeners, after taking what the kernel had completed: it is answered and not reset.
    fn close(mut self, permits: &Arc<Semaphore>, connections: &GracefulShutdown) {
        for listener in std::mem::take(&mut self.listeners) {
            // The runtime's view of the backlog may be old; the plain socket's is not.
            let Ok(listener) = listener.into_std() else {
                continue;
            };
            while let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
                let Ok((stream, peer)) = listener.accept() else {
                    break;
                };
                let Ok(stream) = stream
                    .set_nonblocking(true)
                    .and_then(|()| TcpStream::from_std(stream))
                else {
                    continue;
                };
                self.spawn((stream, peer), permit, connections.watcher());
            }
        }
    }

    fn spawn(
        &self,
        (stream, peer): Accepted,
        permit: tokio::sync::OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        // Without it a response in two segments waits for the client's delayed acknowledgement.
        let _unsupported = stream.set_nodelay(true);
        let (handler, draining) = (Arc::clone(&self.handler), Arc::clone(&self.draining));
        let client = ClientIp::of_peer(peer);
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(client);
            let (handler, draining) = (Arc::clone(&handler), Arc::clone(&draining));
            async move {
                let mut response = handler.handle(request.map(Body::new)).await;
                if draining.load(Ordering::Relaxed) {
                    response
                        .headers_mut()
                        .insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let patience = Patience {
            head: self.limits.header_read_timeout,
            idle: self.limits.keep_alive_timeout,
        };
        let (stream, timer) = patience::watch(stream, patience);
        let connection = http1::Builder::new()
            .timer(timer)
            .header_read_timeout(self.limits.header_read_timeout)
            .serve_connection(TokioIo::new(stream), answer);
        tokio::spawn(async move {
            // What a client does to its own connection is no news.
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(error = %error, "connection ended");
            }
            drop(permit);
        });
    }
}

/// Errors that concern the connection that was to be accepted, not the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
