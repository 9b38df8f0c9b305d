//! Editing together over HTTP: its addresses, its counters, and what the editor asks beside the connection.

mod connection;
mod documents;
mod drafts;
mod entry;
mod hocuspocus;
mod metrics;
mod opening;
mod pace;
mod poll;
mod probe;
mod registry;
mod remote;
mod session;
mod socket;
mod state;
mod stream;
mod varint;
mod yjs;

use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use axum::{Extension, Router};

use crate::failure::{Answer, Failure};
use crate::state::Web;
use crate::sync_settings::{Role, SyncProxy, Transport};
use entry::Way;

pub(crate) use connection::paths;
pub(crate) use entry::origin_of;
pub(crate) use metrics::metrics;
pub(crate) use probe::places as probe_places;
pub(crate) use registry::Registry;
pub(crate) use session::Sessions;
pub(crate) use state::{ConnectionState, LogState, SyncState, of as sync_state};
#[cfg(test)]
pub(crate) use varint::{
    parts as varint_parts, read as varint_read, write_bytes as varint_write_bytes,
};

/// Addresses of the sync engine and of what the editor asks.
pub(crate) fn router(web: &Web) -> Router<Web> {
    let settings = web.sync();
    let mut router = Router::new();
    if settings.role != Role::Sync {
        router = router
            .route("/api/pages/{id}/publish", post(drafts::publish))
            .route("/api/pages/{id}/discard", post(drafts::discard))
            .route("/api/pages/{id}/offline-edits", post(drafts::offline_edits))
            .route("/api/pages/{id}/connection", get(connection::connection));
    }
    if settings.role == Role::Wiki {
        return router.merge(remote::router(web));
    }
    let direct = settings.context_path.as_str();
    router = router.nest(direct, endpoints(web, Way::Direct));
    if settings.role == Role::All && settings.proxy != SyncProxy::Off && direct != INTERNAL_PROXY {
        router = router.nest(INTERNAL_PROXY, endpoints(web, Way::InternalProxy));
    }
    router
}

/// Where the sync engine is reached through the wiki. [TRANS-11]
const INTERNAL_PROXY: &str = "/synchrony-proxy";

/// What answers below each address of the sync engine.
fn endpoints(web: &Web, way: Way) -> Router<Web> {
    Router::new()
        .route("/v1/live", any(socket::connect))
        .route("/v1/live/stream/{session}", get(stream::stream))
        .route("/v1/live/send/{session}", post(stream::send))
        .route("/v1/live/poll/{session}", post(poll::poll))
        .route("/v1/y/{*document}", any(yjs::connect))
        .route("/v1/hocuspocus", any(hocuspocus::connect))
        .route("/v1/state", get(state::state))
        .merge(documents::router())
        .route("/heartbeat", get(heartbeat))
        .merge(probe::router())
        .layer(Extension(way))
        .layer(from_fn_with_state(web.clone(), entry::cors))
}

/// A transport that the administrator does not permit is refused with a reason. [TRANS-6]
fn permit(web: &Web, transport: Transport) -> Answer<()> {
    if web.sync().transports.contains(&transport) {
        return Ok(());
    }
    let name = transport.name();
    Err(Failure::new(
        StatusCode::FORBIDDEN,
        format!(
            "the transport `{name}` is switched off on this server (`sync.transports`); use another"
        ),
    ))
}

/// Whether people may edit together now: `on`, `read-only`, `off`.
async fn mode(web: &Web) -> Answer<&'static str> {
    Ok(web.wiki().live_mode().await?.mode.word())
}

/// [WIRE-8]
async fn heartbeat() -> &'static str {
    "OK"
}
