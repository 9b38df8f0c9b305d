//! The WebSocket of `docs/spec/collab.md`.
//!
//! A socket is two loops: one reads frames and hands them to the room, one writes what the room gives. Neither waits for the other,
//! and neither has a queue: the room gives no more than a window that the writer has not reported as written.

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use collab::{ClientFrame, CloseCode, Join, Outbox, Outgoing, PROTOCOL_VERSION, ServerFrame};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use wiki::{Actor, Error, LiveLink};

use crate::failure::Failure;
use crate::limits;
use crate::state::Web;
use crate::visitor::Visitor;

/// [WIRE-1] [WIRE-9]
pub(super) async fn connect(
    State(web): State<Web>,
    visitor: Visitor,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    if !from_here(&web, &headers) {
        return Failure::new(
            StatusCode::FORBIDDEN,
            "live editing works from the pages of this site only",
        )
        .into_response();
    }
    upgrade
        .max_message_size(limits::LIVE_FRAME_BYTES_MAX)
        .max_frame_size(limits::LIVE_FRAME_BYTES_MAX)
        .read_buffer_size(limits::LIVE_READ_BUFFER_BYTES)
        .write_buffer_size(limits::LIVE_WRITE_BUFFER_BYTES)
        .on_upgrade(move |socket| serve(web, socket, visitor.actor))
}

/// Whether a browser's page of this site asks, or a program (they send no `Origin`).
fn from_here(web: &Web, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return !headers.contains_key(header::ORIGIN);
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    origin == web.public_url() || (host.is_some() && host == text(header::HOST))
}

/// Why a connection ends.
type End = (u16, &'static str);

fn end(code: CloseCode, reason: &'static str) -> End {
    (code as u16, reason)
}

async fn serve(web: Web, socket: WebSocket, actor: Actor) {
    let (mut sink, mut stream) = socket.split();
    let ended = match join(&web, &mut sink, &mut stream, &actor).await {
        Ok((link, mut outbox)) => {
            tokio::select! {
                ended = read(&mut stream, &link) => ended,
                ended = write(&mut sink, &link, &mut outbox) => ended,
            }
        }
        Err(ended) => Some(ended),
    };
    if let Some((code, reason)) = ended {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        // A peer that does not take it is gone anyway.
        let _ =
            tokio::time::timeout(limits::LIVE_CLOSE, sink.send(Message::Close(Some(frame)))).await;
        let _ = tokio::time::timeout(limits::LIVE_CLOSE, drained(&mut stream)).await;
    }
}

/// Waits for the peer's own end, so that our last frame is not lost with the socket.
async fn drained(stream: &mut SplitStream<WebSocket>) {
    while let Some(Ok(_)) = stream.next().await {}
}

/// [WIRE-5] The first frame, and the way into the room.
async fn join(
    web: &Web,
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
    actor: &Actor,
) -> Result<(LiveLink, Outbox), End> {
    let hello = tokio::time::timeout(limits::LIVE_HELLO, first(sink, stream)).await;
    let no_hello = end(CloseCode::Protocol, "hello comes first");
    let frame = hello
        .map_err(|_| no_hello)?
        .map_err(|ended| ended.unwrap_or(no_hello))?;
    let ClientFrame::Hello {
        version: PROTOCOL_VERSION,
        document,
        resume,
        leases,
    } = frame
    else {
        return Err(no_hello);
    };
    let join = Join {
        resume,
        leases,
        ..Join::default()
    };
    enter(web, actor, &document, join).await
}

/// [WIRE-10] The first frame that is no PING; each PING before it is answered: an echo that tests the path.
async fn first(
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
) -> Result<ClientFrame, Option<End>> {
    loop {
        match next(stream).await? {
            ClientFrame::Ping { nonce: ALIVE, .. } => {}
            ClientFrame::Ping { nonce, .. } => {
                let pong = ServerFrame::Pong { nonce }.encode();
                let sent = sink.send(Message::Binary(pong)).await;
                sent.map_err(|_| None)?;
            }
            frame => return Ok(frame),
        }
    }
}

async fn enter(
    web: &Web,
    actor: &Actor,
    document: &str,
    how: Join,
) -> Result<(LiveLink, Outbox), End> {
    let joined = match web.live().await {
        Ok(live) => live.join(actor, document, how).await,
        Err(why) => Err(why),
    };
    joined.map_err(|why| match why {
        Error::Forbidden(_) if actor.is_anonymous() => end(CloseCode::NotLoggedIn, "log in first"),
        Error::Forbidden(_) => end(CloseCode::Forbidden, "no right to read"),
        Error::NotFound(_) | Error::Invalid(_) => end(CloseCode::NotFound, "no such document"),
        error => {
            tracing::error!(%error, document, "a live document could not be joined");
            end(CloseCode::TryAgain, "try again later")
        }
    })
}

/// [WIRE-3] The next frame; `None` as the error when the peer has ended the connection.
async fn next(stream: &mut SplitStream<WebSocket>) -> Result<ClientFrame, Option<End>> {
    let wrong = |reason| Some(end(CloseCode::Protocol, reason));
    match stream.next().await {
        Some(Ok(Message::Binary(bytes))) => {
            ClientFrame::decode(&bytes).map_err(|_| wrong("a frame is malformed"))
        }
        Some(Ok(Message::Text(_))) => Err(wrong("frames are binary")),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(ClientFrame::Ping {
            nonce: ALIVE,
            rtt_ms: 0,
        }),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
    }
}

/// Stands for a sign of life that is no frame; no nonce on the wire is so large.
const ALIVE: u64 = u64::MAX;

/// [WIRE-7] Reads until the end or until the peer is silent for too long.
async fn read(stream: &mut SplitStream<WebSocket>, link: &LiveLink) -> Option<End> {
    loop {
        match tokio::time::timeout(limits::LIVE_SILENCE, next(stream)).await {
            Ok(Ok(ClientFrame::Ping { nonce: ALIVE, .. })) => {}
            Ok(Ok(ClientFrame::Hello { version, .. })) if version != PROTOCOL_VERSION => {
                return Some(end(CloseCode::Protocol, "another version of the protocol"));
            }
            Ok(Ok(frame)) => link.frame(frame).await,
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
) -> Option<End> {
    loop {
        let first = match tokio::time::timeout(limits::LIVE_PING, outbox.next()).await {
            Ok(Some(first)) => first,
            Ok(None) => return Some(end(CloseCode::TryAgain, "the room has ended")),
            Err(_) => {
                sink.send(Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        // A peer that takes nothing must not hold its room's frames for ever.
        let sent = tokio::time::timeout(limits::LIVE_STALL, send(sink, outbox, first)).await;
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
) -> Result<(usize, Option<End>), axum::Error> {
    let mut written = 0;
    let mut ended = None;
    let mut next = Some(first);
    while let Some(outgoing) = next {
        match outgoing {
            Outgoing::Frame(frame) => {
                written += frame.len();
                sink.feed(Message::Binary(frame)).await?;
            }
            Outgoing::Close { code, reason } => ended = Some(end(code, reason)),
        }
        next = if ended.is_none() {
            outbox.next_now()
        } else {
            None
        };
    }
    sink.flush().await?;
    Ok((written, ended))
}
