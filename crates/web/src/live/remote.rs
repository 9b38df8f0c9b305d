//! The role `wiki`: the sync engine is another process, reached through a tunnel or by an address of its own.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;
use tower::service_fn;

use super::INTERNAL_PROXY;
use crate::failure::Ready;
use crate::state::Web;
use crate::sync_process::SyncProcess;
use crate::sync_settings::SyncProxy;

/// The tunnel, and a word for those who look for the engine here.
pub(super) fn router(web: &Web) -> Router<Web> {
    let direct = &web.sync().context_path;
    let mut router = Router::new()
        .route(direct, any(elsewhere))
        .route(&format!("{direct}/{{*rest}}"), any(elsewhere));
    if let Some(process) = web.sync_process()
        && web.sync().proxy != SyncProxy::Off
    {
        let process = process.clone();
        let carry = move |request: Request| {
            let process = process.clone();
            async move { Ok::<_, Infallible>(carry(&process, request).await) }
        };
        router = router.nest_service(INTERNAL_PROXY, service_fn(carry));
    }
    router
}

/// [ROLE-8]
async fn carry(process: &SyncProcess, request: Request) -> Response {
    match process.carry(request).await {
        Ok(mut response) => {
            response.extensions_mut().insert(Ready);
            response
        }
        Err(error) => {
            tracing::debug!(%error, "the sync engine cannot be reached");
            let message = "the sync engine does not answer now; reading and comments work, and what you typed stays on your device";
            let mut response = refusal(StatusCode::BAD_GATEWAY, message);
            let seconds = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
    }
}

/// [ROLE-9] A request for the engine that has come to the wiki: the proxy in front is not set up for two processes.
async fn elsewhere(State(web): State<Web>) -> Response {
    let settings = web.sync();
    let otherwise = match settings.proxy {
        SyncProxy::Off => "",
        SyncProxy::Auto | SyncProxy::On => {
            "; browsers get there through `/synchrony-proxy` meanwhile"
        }
    };
    let message = format!(
        "the sync engine is another process (`sync.internal_url`); let the proxy in front send `{}/` to port {}{otherwise}",
        settings.context_path, settings.port
    );
    refusal(StatusCode::NOT_FOUND, &message)
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let mut response = (status, axum::Json(json!({ "error": message }))).into_response();
    response.extensions_mut().insert(Ready);
    response
}
