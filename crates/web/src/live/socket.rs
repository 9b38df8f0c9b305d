//! The WebSocket of `docs/spec/collab.md`.
//!
//! A socket is two loops: one reads frames and hands them to the room, one writes what the room gives. Neither waits for the other,
//! and neither has a queue: the room gives no more than a window that the writer has not reported as written.

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::Version;
use bytes::Bytes;
use collab::{ClientFrame, CloseCode, Outbox, Outgoing};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Duration, Instant, timeout, timeout_at};
use wiki::LiveLink;

use super::entry::Entry;
use super::opening::{self, End, Opening, Step, no_hello};
use super::permit;
use super::registry::{Carrier, Listed};
use crate::failure::Answer;
use crate::limits;
use crate::serve::Place;
use crate::state::Web;
use crate::sync_settings::Transport;

/// [WIRE-1] [WIRE-9]
pub(super) async fn connect(
    State(web): State<Web>,
    entry: Entry,
    version: Version,
    place: Option<Extension<Place>>,
    upgrade: WebSocketUpgrade,
) -> Answer {
    permit(&web, Transport::WebSocket)?;
    let carrier = Carrier::of_websocket(version);
    Ok(upgrade
        .max_message_size(limits::LIVE_FRAME_BYTES_MAX)
        .max_frame_size(limits::LIVE_FRAME_BYTES_MAX)
        .read_buffer_size(limits::LIVE_READ_BUFFER_BYTES)
        .write_buffer_size(limits::LIVE_WRITE_BUFFER_BYTES)
        .on_upgrade(async move |socket| {
            serve(Opening::new(web, entry, carrier), socket).await;
            drop(place);
        }))
}

async fn serve(mut opening: Opening, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let ended = match open(&mut opening, &mut sink, &mut stream).await {
        Ok((link, mut outbox)) => {
            tokio::select! {
                ended = read(&mut stream, &link, &opening.listed) => ended,
                ended = write(&mut sink, &link, &mut outbox, &opening) => ended,
            }
        }
        Err(ended) => ended,
    };
    drop(opening);
    if let Some(end) = ended {
        let frame = CloseFrame {
            code: end.code,
            reason: end.reason.as_ref().into(),
        };
        // A peer that does not take it is gone anyway.
        let _ = timeout(limits::LIVE_CLOSE, sink.send(Message::Close(Some(frame)))).await;
        let _ = timeout(limits::LIVE_CLOSE, drained(&mut stream)).await;
    }
}

/// Waits for the peer's own end, so that our last frame is not lost with the socket.
async fn drained(stream: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// [WIRE-5] The first frames, and the way into the room.
async fn open(
    opening: &mut Opening,
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
) -> Result<(LiveLink, Outbox), Option<End>> {
    let deadline = Instant::now() + limits::LIVE_HELLO;
    loop {
        let next = timeout_at(deadline, next(stream, &opening.listed)).await;
        let Some(frame) = next.map_err(|_| Some(no_hello()))?? else {
            continue;
        };
        match opening.frame(frame).await? {
            Step::Wait => {}
            Step::Answer(answer) => sink.send(Message::Binary(answer)).await.map_err(|_| None)?,
            Step::Joined(link, outbox) => return Ok((link, outbox)),
        }
    }
}

/// [WIRE-3] The next frame, if it is one and not just a sign of life; `None` as the error when the peer has ended the connection.
async fn next(
    stream: &mut SplitStream<WebSocket>,
    listed: &Listed,
) -> Result<Option<ClientFrame>, Option<End>> {
    let wrong = |reason| Some(End::new(CloseCode::Protocol, reason));
    match stream.next().await {
        Some(Ok(Message::Binary(bytes))) => {
            listed.heard(bytes.len());
            let frame = ClientFrame::decode(&bytes);
            frame.map(Some).map_err(|_| wrong("a frame is malformed"))
        }
        Some(Ok(Message::Text(_))) => Err(wrong("frames are binary")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
    }
}

/// [WIRE-7] Reads until the end or until the peer is silent for too long.
async fn read(
    stream: &mut SplitStream<WebSocket>,
    link: &LiveLink,
    listed: &Listed,
) -> Option<End> {
    loop {
        match timeout(limits::LIVE_SILENCE, next(stream, listed)).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(frame))) => {
                if let Err(end) = opening::permitted(listed, &frame) {
                    return Some(end);
                }
                link.frame(frame).await;
            }
            Ok(Err(ended)) => return ended,
            Err(_) => return None,
        }
    }
}

/// Writes what the room gives, as much as there is with one flush, and a ping when nothing else was written for a while.
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
        // A peer that takes nothing must not hold its room's frames for ever.
        let sent = timeout(limits::LIVE_STALL, send(sink, outbox, first, opening)).await;
        let Ok(Ok((written, ended))) = sent else {
            return None;
        };
        if ended.is_some() {
            return ended;
        }
        link.taken(written).await;
    }
}

/// Writes this and all that is there already: how many bytes of frames, and whether that was the end.
async fn send(
    sink: &mut SplitSink<WebSocket, Message>,
    outbox: &mut Outbox,
    first: Outgoing,
    opening: &Opening,
) -> Result<(usize, Option<End>), axum::Error> {
    let mut written = 0;
    let mut next = Some(first);
    let mut ended = None;
    while let Some(outgoing) = next.take() {
        match opening::given(&opening.web, Some(outgoing)) {
            Ok(frame) => {
                written += frame.len();
                opening.listed.said(&frame);
                sink.feed(Message::Binary(frame)).await?;
                next = outbox.next_now();
            }
            Err(end) => ended = Some(end),
        }
    }
    sink.flush().await?;
    Ok((written, ended))
}
