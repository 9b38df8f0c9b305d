//! Frames down as server-sent events, up by POST.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use super::entry::Entry;
use super::opening::End;
use super::permit;
use super::registry::Carrier;
use super::session::{Id, Item, Leg, Refused};
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;
use crate::sync_settings::Transport;

/// What every request about a session may say. [TRANS-7] [TRANS-8]
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// The number of the first frame in the body.
    #[serde(default = "one")]
    pub(super) first: u64,
    /// The client has the frames up to this one.
    #[serde(default)]
    pub(super) received: u64,
    /// Seconds that a long poll may wait.
    #[serde(default)]
    pub(super) wait: u64,
    /// The client goes after this.
    #[serde(default)]
    end: u8,
}

fn one() -> u64 {
    1
}

/// `GET {base}/live/stream/{session}`
pub(super) async fn stream(
    State(web): State<Web>,
    Path(session): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    entry: Entry,
) -> Answer {
    permit(&web, Transport::EventStream)?;
    let id = session_id(&session)?;
    let carrier = Carrier::EventStream;
    let again = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let received = asked.received.max(again.unwrap_or(0));
    let session = match web.sessions().find(&id, &entry)? {
        Some(session) => session,
        None if received == 0 => web.sessions().open(&web, id, &entry, carrier)?,
        None => return Err(unknown()),
    };
    let leg = match session.leg(received, carrier).await {
        Ok(leg) => leg,
        Err(refused) => return Ok(refusal(refused)),
    };
    Ok(event_stream(events(leg, heartbeat(&web))))
}

/// How often something goes down a stream, at least.
fn heartbeat(web: &Web) -> Duration {
    Duration::from_secs(web.sync().heartbeat_seconds).min(limits::LIVE_STREAM_HEARTBEAT)
}

/// An answer that is sent piece by piece; proxies are asked not to collect or repack it. [TRANS-8]
pub(super) fn event_stream<S>(pieces: S) -> Response
where
    S: futures_util::Stream<Item = String> + Send + 'static,
{
    use futures_util::StreamExt as _;
    let pieces = pieces.map(Ok::<_, std::convert::Infallible>);
    let headers = [
        (header::CONTENT_TYPE.as_str(), "text/event-stream"),
        (header::CACHE_CONTROL.as_str(), "no-cache, no-transform"),
        ("x-accel-buffering", "no"),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// A proxy that collects answers shows itself: this much is there at once, or nothing is.
pub(super) fn pad() -> String {
    let mut pad = String::with_capacity(limits::LIVE_PAD_BYTES + 2);
    while pad.len() < limits::LIVE_PAD_BYTES {
        pad.push_str(": these lines make a proxy that collects answers show itself\n");
    }
    pad.push('\n');
    pad
}

/// Where a stream is.
enum Place {
    Before(Leg),
    Within(Leg),
    After,
}

fn events(leg: Leg, heartbeat: Duration) -> impl futures_util::Stream<Item = String> + Send {
    stream::unfold(Place::Before(leg), move |place| piece(place, heartbeat))
}

/// The next piece of a stream, and where it is then.
async fn piece(place: Place, heartbeat: Duration) -> Option<(String, Place)> {
    let mut leg = match place {
        Place::Before(leg) => return Some((pad(), Place::Within(leg))),
        Place::Within(leg) => leg,
        Place::After => return None,
    };
    match timeout(heartbeat, leg.next()).await {
        Err(_) => Some((":\n\n".to_owned(), Place::Within(leg))),
        Ok(Item::Frames(first, frames)) => Some((as_events(first, &frames), Place::Within(leg))),
        Ok(Item::End(end)) => Some((close_event(&end), Place::After)),
        Ok(Item::Replaced) => None,
    }
}

fn as_events(first: u64, frames: &[Bytes]) -> String {
    let bytes: usize = frames.iter().map(|frame| frame.len() * 4 / 3 + 32).sum();
    let mut text = String::with_capacity(bytes);
    for (number, frame) in (first..).zip(frames) {
        text.push_str(&format!("id: {number}\ndata: "));
        STANDARD.encode_string(frame, &mut text);
        text.push_str("\n\n");
    }
    text
}

fn close_event(end: &End) -> String {
    let data = json!({ "code": end.code, "reason": end.reason });
    format!("event: close\ndata: {data}\n\n")
}

/// `POST {base}/live/send/{session}`
pub(super) async fn send(
    State(web): State<Web>,
    Path(session): Path<String>,
    Query(asked): Query<Asked>,
    entry: Entry,
    body: Body,
) -> Answer {
    let id = session_id(&session)?;
    let Some(session) = web.sessions().find(&id, &entry)? else {
        return Err(unknown());
    };
    let body = read(body).await?;
    match session.take(asked.first, asked.received, &body).await {
        Ok(received) => {
            if asked.end == 1 {
                session.leave().await;
            }
            Ok(Json(json!({ "received": received })).into_response())
        }
        Err(refused) => Ok(refusal(refused)),
    }
}

/// A body, if it comes within a reasonable time.
pub(super) async fn read(body: Body) -> Answer<Bytes> {
    let read = timeout(
        limits::LIVE_BODY,
        to_bytes(body, limits::LIVE_BODY_BYTES_MAX),
    );
    match read.await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "that is too large, or was cut off; send less at once",
        )),
        Err(_) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "the body took too long; send less at once",
        )),
    }
}

pub(super) fn session_id(text: &str) -> Answer<Id> {
    let mut id = [0; 16];
    match hex::decode_to_slice(text, &mut id) {
        Ok(()) => Ok(id),
        Err(_) => Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "a session has a name of 32 hex digits, chosen at random by the client",
        )),
    }
}

pub(super) fn unknown() -> Failure {
    Failure::new(
        StatusCode::NOT_FOUND,
        "there is no such session; it may have ended; begin another",
    )
}

/// [TRANS-7] [TRANS-8]
pub(super) fn refusal(refused: Refused) -> Response {
    let (status, body) = match refused {
        Refused::Gap(received) => (
            StatusCode::CONFLICT,
            json!({ "error": "frames are missing before these; send them first", "received": received }),
        ),
        Refused::Unknown => (
            StatusCode::CONFLICT,
            json!({ "error": "these frames cannot be sent again; begin another session" }),
        ),
        Refused::Malformed => (
            StatusCode::BAD_REQUEST,
            json!({ "error": "the body is no list of frames" }),
        ),
        Refused::Ended(Some(end)) => (
            StatusCode::GONE,
            json!({ "error": "the session has ended", "code": end.code, "reason": end.reason }),
        ),
        Refused::Ended(None) => (
            StatusCode::GONE,
            json!({ "error": "the session has ended; begin another" }),
        ),
    };
    (status, Json(body)).into_response()
}
