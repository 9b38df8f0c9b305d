//! The sync engine where another process has it (roles `wiki` and `sync`): carrying requests to it, asking how it is.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::Mutex;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt as _, service_fn};

use crate::limits;

/// A way to the process that has the sync engine. Clones share it.
#[derive(Clone)]
pub struct SyncProcess {
    carry: BoxCloneSyncService<Request, Response, BoxError>,
    /// When it was asked last and whether it answered. Who comes while it is asked waits for that answer.
    answered: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl fmt::Debug for SyncProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SyncProcess")
    }
}

impl SyncProcess {
    /// `carry` puts the path of a request below the context path of the other process.
    pub fn new<F, W, B>(carry: F) -> Self
    where
        F: Fn(Request) -> W + Clone + Send + Sync + 'static,
        W: Future<Output = Result<http::Response<B>, BoxError>> + Send + 'static,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let carry = service_fn(move |request: Request| {
            let carried = carry(request);
            async move { Ok(carried.await?.map(Body::new)) }
        });
        Self {
            carry: BoxCloneSyncService::new(carry),
            answered: Arc::default(),
        }
    }

    /// Carries a request there and its answer back.
    pub(crate) async fn carry(&self, request: Request) -> Result<Response, BoxError> {
        self.carry.clone().oneshot(request).await
    }

    /// Whether the engine answers. Asked anew every two seconds at most. [ROLE-10]
    pub(crate) async fn answers(&self) -> bool {
        let mut answered = self.answered.lock().await;
        if let Some((when, answer)) = *answered
            && when.elapsed() < limits::SYNC_ASKED_AGAIN
        {
            return answer;
        }
        let answer = self
            .ask("/heartbeat", None, limits::SYNC_HEARTBEAT)
            .await
            .is_ok();
        *answered = Some((Instant::now(), answer));
        answer
    }

    /// The body of a good answer.
    pub(crate) async fn ask(
        &self,
        path: &str,
        token: Option<&str>,
        within: Duration,
    ) -> Result<Bytes, BoxError> {
        let mut request = Request::builder().uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Body::empty())?;
        let asked = async {
            let response = self.carry(request).await?;
            if response.status() != StatusCode::OK {
                return Err(format!("the sync engine answers {}", response.status()).into());
            }
            Ok(to_bytes(response.into_body(), limits::SYNC_STATE_BYTES_MAX).await?)
        };
        tokio::time::timeout(within, asked).await?
    }
}
