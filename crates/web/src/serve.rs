//! Answers on a socket until it is told to stop.

use std::future::Future;
use std::io;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::router::router;
use crate::state::Web;

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
    axum::serve(listener, router(web))
        .with_graceful_shutdown(stop)
        .await
}
