//! What a sync engine says about itself to the wiki's administrator, in this process or from another.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::entry;
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;

/// How a sync engine is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncState {
    /// Whether it answers at all; the rest is empty otherwise.
    pub(crate) up: bool,
    /// Live documents in memory.
    pub(crate) rooms: u64,
    /// Everybody who is linked to it.
    pub(crate) connections: Vec<ConnectionState>,
}

/// How a connection is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Bytes of frames that came from it.
    pub(crate) bytes_in: u64,
    /// Bytes of frames that went to it.
    pub(crate) bytes_out: u64,
}

/// `GET {context}/v1/state`: for the wiki's own process only. [ROLE-11]
pub(super) async fn state(State(web): State<Web>, headers: HeaderMap) -> Answer<Json<SyncState>> {
    let refused = || Failure::new(StatusCode::FORBIDDEN, "this address is for the wiki itself");
    let token = entry::bearer(&headers).ok_or_else(refused)?;
    let claims = web.wiki().trust().verify(token).await?;
    if !claims.is_service() {
        return Err(refused());
    }
    Ok(Json(here(&web)))
}

/// The state of the engine, wherever it runs.
#[allow(dead_code, reason = "the administrator's page shows it")]
pub(crate) async fn of(web: &Web) -> SyncState {
    let Some(process) = web.sync_process() else {
        return here(web);
    };
    let asked = async {
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
fn here(web: &Web) -> SyncState {
    let connections = web.registry().all();
    SyncState {
        up: true,
        rooms: web.live_now().map_or(0, |live| live.stats().rooms),
        connections: connections
            .iter()
            .map(|connection| {
                let place = connection.place.get();
                let text =
                    |of: fn(&super::registry::Place) -> &str| place.map_or("", of).to_owned();
                ConnectionState {
                    document: text(|place| &place.document),
                    connection: place.map_or(0, |place| place.connection),
                    user: text(|place| &place.user),
                    name: text(|place| &place.name),
                    transport: connection.carrier().name().to_owned(),
                    path: connection.way.name().to_owned(),
                    since_ms: connection.since_ms,
                    rtt_ms: connection.rtt_ms.load(Relaxed),
                    sent_seq: connection.sent_seq.load(Relaxed),
                    bytes_in: connection.bytes_in.load(Relaxed),
                    bytes_out: connection.bytes_out.load(Relaxed),
                }
            })
            .collect(),
    }
}
