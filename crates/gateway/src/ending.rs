//! Answers that never end by themselves, and how they end when the program stops.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use hyper::body::{Body, Frame};
use tokio::sync::watch;

use crate::tunnel::TunnelBody;

/// Whether an answer goes on until somebody ends it.
pub(crate) fn is_endless(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}

/// Completes when the tunnel is closed or gone.
pub(crate) async fn closed(mut closed: watch::Receiver<bool>) {
    // An error says that the tunnel is gone.
    let _ = closed.wait_for(|closed| *closed).await;
}

/// A body that ends in order when the tunnel is closed.
pub(crate) struct Ending {
    body: TunnelBody,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Ending {
    pub(crate) fn new(body: TunnelBody, told: watch::Receiver<bool>) -> Ending {
        Ending {
            body,
            closed: Box::pin(closed(told)),
        }
    }
}

impl Body for Ending {
    type Data = Bytes;
    type Error = <TunnelBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }
}
