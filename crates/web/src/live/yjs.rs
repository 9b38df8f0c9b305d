//! The y-websocket protocol: `GET {base}/v1/y/<document>`. One socket, one document, one message in each binary frame.

use axum::Extension;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use collab::{CloseCode, Dialect, Join, Outbox, Outgoing, YMessage};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::time::{Duration, timeout};
use wiki::LiveLink;

use super::entry::Entry;
use super::opening::{self, End, Opening};
use super::pace::Pace;
use super::permit;
use super::registry::Carrier;
use crate::failure::Answer;
use crate::limits;
use crate::serve::Place;
use crate::state::Web;
use crate::sync_settings::Transport;

/// What Yjs clients put into the address.
#[derive(Deserialize)]
pub(super) struct Given {
    /// A signed token or a personal access token, where a header cannot be set.
    pub(super) token: Option<String>,
}

/// [YJS-20]
pub(super) async fn connect(
    State(web): State<Web>,
    Path(document): Path<String>,
    Query(given): Query<Given>,
    entry: Entry,
    place: Option<Extension<Place>>,
    upgrade: WebSocketUpgrade,
) -> Answer {
    permit(&web, Transport::WebSocket)?;
    Ok(sized(upgrade).on_upgrade(async move |socket| {
        let opening = Opening::new(web, entry, Carrier::YWebSocket);
        serve(opening, socket, document, given.token).await;
        drop(place);
    }))
}

/// The bounds of a WebSocket for live documents.
pub(super) fn sized(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(limits::LIVE_FRAME_BYTES_MAX)
        .max_frame_size(limits::LIVE_FRAME_BYTES_MAX)
        .read_buffer_size(limits::LIVE_READ_BUFFER_BYTES)
        .write_buffer_size(limits::LIVE_WRITE_BUFFER_BYTES)
}

/// How Yjs clients join.
pub(super) fn as_yjs() -> Join {
    Join {
        dialect: Dialect::Yjs,
        ..Join::default()
    }
}

async fn serve(mut opening: Opening, socket: WebSocket, document: String, token: Option<String>) {
    let (mut sink, mut stream) = socket.split();
    let ended = match enter(&mut opening, &document, token).await {
        Ok((link, mut outbox)) => {
            tokio::select! {
                ended = read(&mut stream, &link, &opening) => ended,
                ended = write(&mut sink, &link, &mut outbox, &opening) => ended,
            }
        }
        Err(ended) => Some(ended),
    };
    drop(opening);
    if let Some(end) = ended {
        close(&mut sink, &mut stream, end).await;
    }
}

/// Ends a socket from this side: a peer that does not take the reason is gone anyway.
pub(super) async fn close(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    end: End,
) {
    let frame = CloseFrame {
        code: end.code,
        reason: end.reason.as_ref().into(),
    };
    let _ = timeout(limits::LIVE_CLOSE, sink.send(Message::Close(Some(frame)))).await;
    // Waits for the peer's own end, so that our last frame is not lost with the socket.
    let drained = async { while let Some(Ok(_)) = stream.next().await {} };
    let _ = timeout(limits::LIVE_CLOSE, drained).await;
}

async fn enter(
    opening: &mut Opening,
    document: &str,
    token: Option<String>,
) -> Result<(LiveLink, Outbox), End> {
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        opening.authenticate(&token).await?;
    }
    opening.enter(document, as_yjs()).await
}

/// Reads until the end or until the peer is silent for too long, no faster than a client may write.
async fn read(
    stream: &mut SplitStream<WebSocket>,
    link: &LiveLink,
    opening: &Opening,
) -> Option<End> {
    let mut pace = Pace::default();
    loop {
        let message = match timeout(limits::LIVE_SILENCE, stream.next()).await.ok()? {
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Text(_))) => {
                return Some(End::new(CloseCode::Protocol, "messages are binary"));
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
        };
        opening.listed.heard(message.len());
        pace.keep(message.len()).await;
        match YMessage::decode(&message) {
            Ok(message) => link.message(message).await,
            Err(_) => return Some(End::new(CloseCode::Protocol, "a message is malformed")),
        }
    }
}

/// Writes what the room gives, as much as there is with one flush.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    link: &LiveLink,
    outbox: &mut Outbox,
    opening: &Opening,
) -> Option<End> {
    let heartbeat = Duration::from_secs(opening.web.sync().heartbeat_seconds);
    loop {
        let first = match timeout(heartbeat, outbox.next()).await {
            Ok(Some(first)) => first,
            Ok(None) => return Some(End::try_again(&opening.web)),
            Err(_) => {
                sink.send(Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        let sent = timeout(limits::LIVE_STALL, send(sink, outbox, first, opening)).await;
        let Ok(Ok((taken, ended))) = sent else {
            return None;
        };
        if ended.is_some() {
            return ended;
        }
        link.taken(taken).await;
    }
}

/// Writes this and all that is there already: how many bytes the room gave for it, and whether that was the end.
async fn send(
    sink: &mut SplitSink<WebSocket, Message>,
    outbox: &mut Outbox,
    first: Outgoing,
    opening: &Opening,
) -> Result<(usize, Option<End>), axum::Error> {
    let mut taken = 0;
    let mut next = Some(first);
    let mut ended = None;
    while let Some(outgoing) = next.take() {
        match opening::given(&opening.web, Some(outgoing)) {
            Ok(message) => {
                taken += message.len();
                // [YJS-4] What only Hocuspocus has is left out or said otherwise.
                if let Some(message) = YMessage::for_y_websocket(&message) {
                    opening.listed.said(&message);
                    sink.feed(Message::Binary(message)).await?;
                }
                next = outbox.next_now();
            }
            Err(end) => ended = Some(end),
        }
    }
    sink.flush().await?;
    Ok((taken, ended))
}
