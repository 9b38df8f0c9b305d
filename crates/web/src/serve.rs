//! Answers on a socket until it is told to stop: our own accept loop, because every bound of a connection is set here.
//!
//! HTTP/1.1 and, with prior knowledge, HTTP/2 on the same socket; both can become WebSockets (RFC 6455 and RFC 8441).

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use crate::limits;
use crate::router::router;
use crate::state::Web;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// What a client reads that came when there was no place left. [TRANS-2]
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 69\r\n\r\nthis server has as many connections as it takes; try again in a while";

/// A connection's place among those that may be open at once. A request carries it along, so that a WebSocket keeps it.
#[derive(Clone)]
pub(crate) struct Place(#[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>);

/// The bounds of connections that tests shorten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) connections: usize,
    pub(crate) first_request: Duration,
    pub(crate) idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS_MAX,
            first_request: limits::HTTP_FIRST_REQUEST,
            idle: limits::HTTP_IDLE,
        }
    }
}

/// Serves the wiki on a listener. When `stop` completes it takes no new connection and returns after the requests that run
/// have been answered; live connections end with [`Web::drain`].
pub async fn serve(
    listener: TcpListener,
    web: Web,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    accept(listener, router(web), Bounds::default(), stop).await;
    Ok(())
}

/// The accept loop. It survives whatever `accept` answers: that one connection failed, or that the system has none to give.
pub(crate) async fn accept(
    listener: TcpListener,
    app: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let (stopping, told) = watch::channel(());
    let mut spare = Spare::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Small frames must not wait for each other; where this cannot be set they do, and that is all.
                let _ = stream.set_nodelay(true);
                match places.clone().try_acquire_owned() {
                    Ok(place) => {
                        let told = told.clone();
                        let place = Place(Arc::new(place));
                        tokio::spawn(connection(stream, peer, app.clone(), bounds, place, told));
                    }
                    Err(_) => drop(tokio::spawn(refuse(stream))),
                }
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => spare.refuse(&listener, &error).await,
        }
    }
    drop((listener, told));
    // Nobody listens any more when the sender of the news is the only one left.
    let _ = stopping.send(());
    stopping.closed().await;
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// A file that is kept open to be closed: when the process has no descriptor left, one client can still be told so.
struct Spare {
    file: Option<std::fs::File>,
    complained: Option<Instant>,
}

impl Spare {
    fn new() -> Self {
        Self {
            file: std::fs::File::open("/dev/null").ok(),
            complained: None,
        }
    }

    /// [TRANS-2] The system has no connection to give: whoever comes next is refused, and then there is a pause.
    async fn refuse(&mut self, listener: &TcpListener, error: &io::Error) {
        let silent = |since: Instant| since.elapsed() < limits::COMPLAINTS;
        if !self.complained.is_some_and(silent) {
            tracing::error!(%error, "no connection can be taken; raise the limit of open files if this goes on");
            self.complained = Some(Instant::now());
        }
        drop(self.file.take());
        let accepted = tokio::time::timeout(limits::ACCEPT_PAUSE, listener.accept()).await;
        if let Ok(Ok((stream, _))) = accepted {
            // The next one waits meanwhile.
            let _ = tokio::time::timeout(limits::ACCEPT_PAUSE, refuse(stream)).await;
        }
        self.file = std::fs::File::open("/dev/null").ok();
        tokio::time::sleep(limits::ACCEPT_PAUSE).await;
    }
}

/// [TRANS-2] There is no place: the client is told, and not left to guess.
async fn refuse(mut stream: TcpStream) {
    let told = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // What it has sent is read, or the system would take our answer back with a reset.
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        io::Result::Ok(())
    };
    // One that does not take it finds the connection closed.
    let _ = tokio::time::timeout(limits::REFUSAL, told).await;
}

/// One connection from its first byte to its last request, or until it becomes a WebSocket.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    bounds: Bounds,
    place: Place,
    mut stop: watch::Receiver<()>,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let seen = asked.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        seen.store(true, Relaxed);
        note_peer(&mut request, peer);
        request.extensions_mut().insert(place.clone());
        let app = app.clone();
        async move { answer(app, request.map(Body::new)).await }
    });
    let builder = builder(bounds);
    let mut served = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let mut first = pin!(tokio::time::sleep(bounds.first_request));
    let (mut waiting, mut stopping) = (true, false);
    loop {
        tokio::select! {
            ended = served.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, %peer, "a connection ended early");
                }
                return;
            }
            // [TRANS-1]
            () = first.as_mut(), if waiting => {
                if !asked.load(Relaxed) {
                    return;
                }
                waiting = false;
            }
            _ = stop.changed(), if !stopping => {
                served.as_mut().graceful_shutdown();
                stopping = true;
            }
        }
    }
}

/// Boxed: the future of an answer is large, and an idle connection should not keep room for it.
fn answer(
    app: Router,
    request: Request<Body>,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>> {
    Box::pin(app.oneshot(request))
}

/// hyper applies none of its time limits unless it is given a timer.
fn builder(bounds: Bounds) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.idle)
        .max_buf_size(limits::HTTP_HEAD_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .enable_connect_protocol()
        .max_concurrent_streams(limits::HTTP2_STREAMS_MAX)
        .max_header_list_size(limits::HTTP_HEAD_BYTES_MAX as u32)
        .keep_alive_interval(limits::HTTP2_PING)
        .keep_alive_timeout(limits::HTTP2_PONG);
    builder
}

/// Where a request comes from, for the limits per address: the peer of the socket. What `X-Forwarded-For` says counts only
/// when a proxy on this machine says it, because anybody else could make it up.
fn note_peer(request: &mut Request<Incoming>, peer: SocketAddr) {
    let address = peer.ip().to_canonical();
    let headers = request.headers_mut();
    if (!address.is_loopback() || !headers.contains_key(FORWARDED_FOR))
        && let Ok(value) = HeaderValue::from_str(&address.to_string())
    {
        headers.insert(FORWARDED_FOR, value);
    }
}
