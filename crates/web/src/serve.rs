//! Answers on a socket until it is told to stop.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::http::HeaderValue;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::router::router;
use crate::state::Web;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Serves the wiki on a listener. When `stop` completes it takes no new connection and returns after the requests that run
/// have been answered; live connections end with [`Web::drain`].
pub async fn serve(
    listener: TcpListener,
    web: Web,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Small frames must not wait for each other; where this cannot be set they do, and that is all.
        let _ = stream.set_nodelay(true);
    });
    let service = router(web).layer(from_fn(note_peer));
    axum::serve(
        listener,
        service.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop)
    .await
}

/// Where a request comes from, for the limits per address: the peer of the socket. What `X-Forwarded-For` says counts only
/// when a proxy on this machine says it, because anybody else could make it up.
async fn note_peer(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = peer.ip().to_canonical();
    let headers = request.headers_mut();
    if (!address.is_loopback() || !headers.contains_key(FORWARDED_FOR))
        && let Ok(value) = HeaderValue::from_str(&address.to_string())
    {
        headers.insert(FORWARDED_FOR, value);
    }
    next.run(request).await
}
