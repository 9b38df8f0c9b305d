//! What an administrator's browser asks to find out what a path does to it: does it pass WebSockets, does it hold streams back, which
//! host does the server see. Each test is small, and has an end.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::entry::Entry;
use super::stream::{event_stream, pad};
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;

/// [TRANS-13]
pub(super) fn router() -> Router<Web> {
    Router::new()
        .route("/v1/probe/socket", any(socket))
        .route("/v1/probe/events", get(events))
        .route("/v1/probe/upload", post(upload))
        .route("/v1/probe/wait", get(wait).post(wait))
        .route("/v1/probe/headers", get(headers).post(headers))
}

/// An administrator, and a place among the tests that run at once.
pub(super) struct Test {
    entry: Entry,
    place: OwnedSemaphorePermit,
}

impl FromRequestParts<Web> for Test {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Answer<Self> {
        let entry = Entry::from_request_parts(parts, web).await?;
        entry.require_admin()?;
        let place = web.probes().clone().try_acquire_owned().map_err(|_| {
            let message = "too many tests run at once; try again in a minute";
            Failure::new(StatusCode::TOO_MANY_REQUESTS, message)
        })?;
        Ok(Self { entry, place })
    }
}

/// The places of tests.
pub(crate) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limits::PROBES_MAX))
}

/// Sends back what comes.
async fn socket(test: Test, upgrade: WebSocketUpgrade) -> Answer {
    let upgrade = upgrade
        .max_message_size(limits::PROBE_MESSAGE_BYTES_MAX)
        .max_frame_size(limits::PROBE_MESSAGE_BYTES_MAX);
    Ok(upgrade.on_upgrade(async move |socket| {
        // Whatever the peer does, the test has an end.
        let _ = timeout(limits::PROBE_TIME_MAX, echo(socket)).await;
        drop(test.place);
    }))
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.next().await {
        let answered = match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message).await,
            Message::Close(_) => return,
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        if answered.is_err() {
            return;
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
struct Events {
    #[serde(default = "five")]
    count: u64,
    #[serde(default)]
    every_ms: u64,
    #[serde(default)]
    padding: usize,
}

fn five() -> u64 {
    5
}

/// Events with the time at which each was sent.
async fn events(
    State(web): State<Web>,
    Query(asked): Query<Events>,
    test: Test,
) -> axum::response::Response {
    let count = asked.count.min(limits::PROBE_EVENTS_MAX);
    let every = Duration::from_millis(asked.every_ms).min(limits::PROBE_PAUSE_MAX);
    let padding = "x".repeat(asked.padding.min(limits::PROBE_PADDING_MAX));
    let end = Instant::now() + limits::PROBE_TIME_MAX;
    let stopping = web.sessions().stopping();
    let start = stream::once(async { pad() });
    let events = stream::unfold((0, test), move |(number, test)| {
        let (web, padding) = (web.clone(), padding.clone());
        let mut stopping = stopping.clone();
        async move {
            if number >= count || Instant::now() >= end {
                return None;
            }
            let stopped = stopping.wait_for(|stopping| *stopping);
            // The pause ends early only when the server stops.
            if number > 0 && timeout(every, stopped).await.is_ok() {
                return None;
            }
            let data =
                json!({ "number": number, "sent_at_ms": web.wiki().now_ms(), "padding": padding });
            Some((
                format!("id: {number}\ndata: {data}\n\n"),
                (number + 1, test),
            ))
        }
    });
    event_stream(start.chain(events))
}

/// Counts what comes, and says when the first and the last of it came.
async fn upload(_test: Test, request: Request) -> Answer<Json<Value>> {
    let began = Instant::now();
    let deadline = began + limits::PROBE_TIME_MAX;
    let (mut bytes, mut first_ms) = (0, None);
    let mut body: axum::body::BodyDataStream = Body::into_data_stream(request.into_body());
    while let Ok(Some(piece)) = timeout_at(deadline, body.next()).await {
        let piece = piece.map_err(|_| {
            let message = "the body was cut off, or is larger than this test takes";
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        })?;
        first_ms.get_or_insert(began.elapsed().as_millis() as u64);
        bytes += piece.len();
        if bytes > limits::LIVE_BODY_BYTES_MAX {
            let message = "larger than this test takes";
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
    }
    let took_ms = began.elapsed().as_millis() as u64;
    Ok(Json(
        json!({ "bytes": bytes, "first_byte_after_ms": first_ms, "took_ms": took_ms }),
    ))
}

#[derive(Deserialize)]
struct Wait {
    #[serde(default)]
    seconds: u64,
}

/// Answers after a while, as a long poll does.
async fn wait(
    State(web): State<Web>,
    Query(asked): Query<Wait>,
    _test: Test,
) -> Answer<Json<Value>> {
    let began = Instant::now();
    let pause = Duration::from_secs(asked.seconds).min(limits::LIVE_POLL_WAIT_MAX);
    let mut stopping = web.sessions().stopping();
    // The pause ends early only when the server stops.
    let _ = timeout(pause, stopping.wait_for(|stopping| *stopping)).await;
    let waited_ms = began.elapsed().as_millis() as u64;
    Ok(Json(json!({ "waited_ms": waited_ms })))
}

/// What arrives here of what the browser sent: the host, the origin, what proxies say of themselves.
async fn headers(State(web): State<Web>, test: Test, request: Request) -> impl IntoResponse {
    let asked = request.headers();
    let host = text(asked, "host").or_else(|| request.uri().authority().map(|it| it.as_str()));
    let answer = json!({
        "host": host,
        "origin": text(asked, "origin"),
        "forwarded": text(asked, "forwarded"),
        "forwarded_for": text(asked, "x-forwarded-for"),
        "forwarded_host": text(asked, "x-forwarded-host"),
        "forwarded_proto": text(asked, "x-forwarded-proto"),
        "via": text(asked, "via"),
        "connection": text(asked, "connection"),
        "upgrade": text(asked, "upgrade"),
        "accept_encoding": text(asked, "accept-encoding"),
        "http_version": format!("{:?}", request.version()),
        "client_address": test.entry.address,
        "path": test.entry.way.name(),
        "public_url": web.public_url(),
        "sent_at_ms": web.wiki().now_ms(),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
