//! Editing together over HTTP: its addresses, its counters, and what the editor asks beside the connection.

mod socket;

use axum::extract::State;
use axum::routing::{any, get, post};
use axum::{Json, Router, extract::Path};
use serde::Deserialize;
use serde_json::{Value, json};
use wiki::ContentId;

use crate::failure::Answer;
use crate::state::Web;
use crate::visitor::ChangeJson;

/// Addresses of the sync engine and of what the editor asks.
pub(crate) fn router() -> Router<Web> {
    Router::new()
        .route("/synchrony/v1/live", any(socket::connect))
        .route("/synchrony/heartbeat", get(heartbeat))
        .route("/api/pages/{id}/publish", post(publish))
        .route("/api/pages/{id}/discard", post(discard))
}

/// [WIRE-8]
async fn heartbeat() -> &'static str {
    "OK"
}

/// The engine's counters in the Prometheus text format; none before anybody has edited.
pub(crate) fn metrics(web: &Web) -> String {
    let Some(live) = web.live_now() else {
        return String::new();
    };
    let stats = live.stats();
    let lines = [
        ("rooms", "gauge", stats.rooms),
        ("connections", "gauge", stats.connections),
        ("updates_total", "counter", stats.updates),
        ("commits_total", "counter", stats.commits),
        ("commits_failed_total", "counter", stats.commits_failed),
    ];
    let line = |(name, kind, value): (&str, &str, u64)| {
        format!("# TYPE watersmeet_live_{name} {kind}\nwatersmeet_live_{name} {value}\n")
    };
    lines.map(line).concat()
}

#[derive(Deserialize)]
struct Publish {
    #[serde(default)]
    message: String,
    #[serde(default)]
    minor_edit: bool,
}

async fn publish(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeJson(visitor, how): ChangeJson<Publish>,
) -> Answer<Json<Value>> {
    let live = web.live().await?;
    let published = live
        .publish(
            &visitor.actor,
            ContentId::new(id),
            &how.message,
            how.minor_edit,
        )
        .await?;
    Ok(Json(
        json!({ "version": published.version, "url": published.url }),
    ))
}

async fn discard(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeJson(visitor, _): ChangeJson<Value>,
) -> Answer<Json<Value>> {
    web.live()
        .await?
        .discard(&visitor.actor, ContentId::new(id))
        .await?;
    Ok(Json(json!({})))
}
