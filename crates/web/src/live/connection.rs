//! `GET /api/pages/{id}/connection`: where and how a page's editor reaches the sync engine, with a token that says who asks.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use wiki::{ContentId, TokenRights};

use super::INTERNAL_PROXY;
use super::entry::Way;
use crate::failure::Answer;
use crate::limits;
use crate::state::Web;
use crate::sync_settings::{SyncProxy, SyncSettings};
use crate::visitor::Visitor;

/// [TRANS-12]
pub(super) async fn connection(
    State(web): State<Web>,
    Path(id): Path<i64>,
    visitor: Visitor,
) -> Answer {
    let page = web
        .wiki()
        .pages()
        .head(&visitor.actor, ContentId::new(id))
        .await?;
    let document = format!("page-{}", page.id);
    // What its bearer may do with the page is asked of the database each time; so a right that comes later needs no new token.
    let rights = TokenRights::Write;
    let token = web
        .wiki()
        .trust()
        .issue(&visitor.actor, &document, rights, limits::LIVE_TOKEN_VALID)
        .await?;
    // [ROLE-10]
    let down = match web.sync_process() {
        Some(process) => !process.answers().await,
        None => false,
    };
    let settings = web.sync();
    let transports: Vec<_> = settings.transports.iter().map(|it| it.name()).collect();
    let answer = json!({
        "document": document,
        "token": token.token,
        "token_expires_at_ms": token.expires_at_ms,
        "paths": paths(settings),
        "transports": transports,
        "heartbeat_ms": settings.heartbeat_seconds * 1_000,
        "mode": super::mode(&web).await?,
        "sync": if down { "down" } else { "up" },
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

/// The paths that browsers may try, in this order.
pub(crate) fn paths(settings: &SyncSettings) -> Vec<Value> {
    // Without a setting the engine is at the address of the page itself, by whichever name the browser came.
    let own = || format!("{}/v1", settings.context_path);
    let direct = settings.service_url.clone().unwrap_or_else(own);
    let direct = (Way::Direct, direct);
    let proxy = (Way::InternalProxy, format!("{INTERNAL_PROXY}/v1"));
    let paths = match settings.proxy {
        SyncProxy::Auto => vec![direct, proxy],
        SyncProxy::On => vec![proxy],
        SyncProxy::Off => vec![direct],
    };
    paths
        .into_iter()
        .map(|(way, url)| json!({ "name": way.name(), "url": url }))
        .collect()
}
