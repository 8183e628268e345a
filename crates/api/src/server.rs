//! The server: an accept loop with a limit on everything a slow or hostile peer could hold on to.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use crate::app::{Limits, stopped};
use crate::backend::Backend;
use crate::router::stoppable_router;

type Request = hyper::Request<hyper::body::Incoming>;

/// Serves the interface until `shutdown` is done. Then no connection is accepted any more, event
/// streams end, and open requests get [`Limits::drain_timeout`] to finish.
pub async fn serve<B: Backend>(
    listener: TcpListener,
    backend: Arc<B>,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) {
    let (stop, stopping) = watch::channel(false);
    let router = stoppable_router(backend, limits.clone(), stopping);
    serve_router(listener, router, stop, shutdown, limits).await;
}

/// Serves one route, `GET /hello`, that answers a small JSON text and does nothing else, through
/// the same loop with the same settings: the yardstick that benchmarks compare [`serve`] with.
pub async fn serve_hello(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) {
    let hello = || async { axum::Json(Hello { hello: "world" }) };
    let router = axum::Router::new().route("/hello", axum::routing::get(hello));
    serve_router(listener, router, watch::channel(false).0, shutdown, limits).await;
}

#[derive(serde::Serialize)]
struct Hello {
    hello: &'static str,
}

async fn serve_router<S>(
    listener: TcpListener,
    router: S,
    stop: watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) where
    S: tower::Service<Request, Response = axum::response::Response, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    // The runtime wakes its driver, a system call, for every timer that is due before all the
    // driver went to sleep with. With this one, the time limits of requests never are.
    let mut soon = tokio::time::interval(limits.header_timeout.min(limits.body_timeout) / 4);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            _ = soon.tick() => continue,
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, permit)) => {
                let service = TowerToHyperService::new(router.clone());
                let (limits, stopping) = (limits.clone(), stop.subscribe());
                connections.spawn(async move {
                    converse(stream, service, &limits, stopping).await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of descriptors, or the peer was gone already: neither is a reason to stop.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    // The receivers are in the router and in every connection.
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain_timeout, drained).await.is_err() {
        tracing::warn!(open = connections.len(), "connections were cut at shutdown");
        connections.shutdown().await;
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn converse<S>(
    stream: TcpStream,
    service: S,
    limits: &Limits,
    mut stopping: watch::Receiver<bool>,
) where
    S: hyper::service::Service<Request, Response = axum::response::Response, Error = Infallible>,
{
    // Answers are small and complete: waiting for more to send would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay was not set");
    }
    let io = TokioIo::new(Impatient::new(stream, limits.write_timeout));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .serve_connection(io, service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A stream that gives up on a peer which takes nothing for too long.
struct Impatient<T> {
    inner: T,
    patience: Duration,
    /// Runs while a write waits for the peer.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<T> Impatient<T> {
    fn new(inner: T, patience: Duration) -> Self {
        Self { inner, patience, waiting: None }
    }

    fn watch<O>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<O>>,
    ) -> Poll<io::Result<O>> {
        if result.is_ready() {
            self.waiting = None;
            return result;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        match waiting.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Impatient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Impatient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let closed = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.watch(cx, closed)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bytes);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (mine, theirs) = tokio::io::duplex(16);
        let mut stream = Impatient::new(mine, Duration::from_secs(10));
        stream.write_all(&[0; 16]).await.unwrap();
        let began = tokio::time::Instant::now();
        let error = stream.write_all(&[0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 10);
        drop(theirs);
    }
}
