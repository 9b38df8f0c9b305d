//! What a sync engine says about itself to administrators and to the wiki's own process, here or from another process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use wiki::{Actor, ContentId, LogSize};

use super::entry::Entry;
use super::registry::{Connection, Place};
use crate::failure::Answer;
use crate::limits;
use crate::state::Web;

/// How a sync engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SyncState {
    /// Whether it answers at all; the rest is empty otherwise.
    pub(crate) up: bool,
    /// `all` or `sync`.
    pub(crate) role: String,
    /// `on`, `read-only` or `off`.
    pub(crate) mode: String,
    /// Its clock, in milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// Live documents in memory.
    pub(crate) rooms: u64,
    /// Updates, and the transactions that brought them to disk, since its start.
    pub(crate) updates: u64,
    pub(crate) commits: u64,
    pub(crate) commits_failed: u64,
    /// Everybody who is linked to it.
    pub(crate) connections: Vec<ConnectionState>,
    /// The logs of open documents, and the largest of all.
    pub(crate) logs: Vec<LogState>,
}

/// How a connection is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ConnectionState {
    /// Empty before HELLO.
    pub(crate) document: String,
    /// Its number in the room; 0 before HELLO.
    pub(crate) connection: u64,
    /// Login name; empty: not logged in.
    pub(crate) user: String,
    /// The name to show.
    pub(crate) name: String,
    /// How its frames travel.
    pub(crate) transport: String,
    /// `direct` or `internal proxy`.
    pub(crate) path: String,
    /// Since when, in milliseconds since 1970.
    pub(crate) since_ms: i64,
    /// Its round trip in milliseconds; 0: not measured.
    pub(crate) rtt_ms: u64,
    /// The last update that it was sent.
    pub(crate) sent_seq: u64,
    /// Updates that it was not sent yet.
    pub(crate) lag: u64,
    /// Bytes of frames that came from it.
    pub(crate) bytes_in: u64,
    /// Bytes of frames that went to it.
    pub(crate) bytes_out: u64,
}

/// What the log of a live document holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LogState {
    /// `page-5` or `namespace/name`.
    pub(crate) document: String,
    /// The page's title; of another document its name.
    pub(crate) title: String,
    pub(crate) epoch: i64,
    pub(crate) head_seq: i64,
    pub(crate) published_seq: i64,
    /// Bytes of the folded prefix.
    pub(crate) snapshot_bytes: i64,
    /// Updates behind it, and those that are kept for history.
    pub(crate) tail_rows: i64,
    pub(crate) tail_bytes: i64,
}

/// `GET {context}/v1/state`: for administrators and for the wiki's own process. [ROLE-11] [TRANS-13]
pub(super) async fn state(State(web): State<Web>, entry: Entry) -> Answer {
    entry.require_admin_session()?;
    let state = here(&web).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(state)).into_response())
}

/// The state of the engine, wherever it runs.
pub(crate) async fn of(web: &Web) -> SyncState {
    let asked = async {
        let Some(process) = web.sync_process() else {
            return Ok(here(web).await?);
        };
        let valid = Duration::from_secs(limits::SYNC_TOKEN_S);
        let token = web.wiki().trust().issue_service(valid).await?.token;
        let answer = process.ask("/v1/state", Some(&token), limits::SYNC_STATE);
        Ok::<SyncState, tower::BoxError>(serde_json::from_slice(&answer.await?)?)
    };
    asked.await.unwrap_or_else(|error| {
        tracing::warn!(%error, "the sync engine does not say how it is");
        SyncState::default()
    })
}

/// The state of the engine of this process.
async fn here(web: &Web) -> wiki::Result<SyncState> {
    let connections = web.registry().all();
    let mut heads: BTreeMap<&str, u64> = BTreeMap::new();
    for connection in &connections {
        if let Some(place) = connection.place.get() {
            // Where the database has nothing to say yet, who is furthest knows the head.
            let head = heads.entry(&place.document).or_default();
            *head = connection.sent_seq.load(Relaxed).max(*head);
        }
    }
    let pages = heads.keys().filter_map(|document| page_of(document));
    let live = web.live().await?;
    let sizes = live
        .log_sizes(&Actor::System, limits::LARGEST_LOGS, pages.collect())
        .await?;
    for size in &sizes {
        if let Some(head) = heads.get_mut(size.document.as_str()) {
            *head = size.head_seq.unsigned_abs().max(*head);
        }
    }
    let head_of = |place: &Place| heads.get(place.document.as_str()).copied().unwrap_or(0);
    let stats = live.stats();
    Ok(SyncState {
        up: true,
        role: web.sync().role.name().to_owned(),
        mode: web.wiki().live_mode().await?.mode.word().to_owned(),
        now_ms: web.wiki().now_ms(),
        rooms: stats.rooms,
        updates: stats.updates,
        commits: stats.commits,
        commits_failed: stats.commits_failed,
        connections: connections
            .iter()
            .map(|connection| connection_state(connection, head_of))
            .collect(),
        logs: sizes.into_iter().map(log_state).collect(),
    })
}

fn page_of(document: &str) -> Option<ContentId> {
    document.strip_prefix("page-")?.parse().ok()
}

fn connection_state(it: &Arc<Connection>, head_of: impl Fn(&Place) -> u64) -> ConnectionState {
    let place = it.place.get();
    let text = |of: fn(&Place) -> &str| place.map_or("", of).to_owned();
    let sent_seq = it.sent_seq.load(Relaxed);
    ConnectionState {
        document: text(|place| &place.document),
        connection: place.map_or(0, |place| place.connection),
        user: text(|place| &place.user),
        name: text(|place| &place.name),
        transport: it.carrier().name().to_owned(),
        path: it.way.name().to_owned(),
        since_ms: it.since_ms,
        rtt_ms: it.rtt_ms.load(Relaxed),
        sent_seq,
        lag: place.map_or(0, head_of).saturating_sub(sent_seq),
        bytes_in: it.bytes_in.load(Relaxed),
        bytes_out: it.bytes_out.load(Relaxed),
    }
}

fn log_state(size: LogSize) -> LogState {
    LogState {
        document: size.document,
        title: size.title,
        epoch: size.epoch,
        head_seq: size.head_seq,
        published_seq: size.published_seq,
        snapshot_bytes: size.snapshot_bytes,
        tail_rows: size.tail_rows,
        tail_bytes: size.tail_bytes,
    }
}
