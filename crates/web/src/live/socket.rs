//! The WebSocket of `docs/spec/collab.md`.
//!
//! One task for a connection: it hands what came to the room, and writes what the room gives. It has no queue of its own: the room
//! gives no more than a window that was not reported as written.

mod upgrade;
mod wire;

use axum::Extension;
use axum::extract::State;
use axum::http::Version;
use collab::{ClientFrame, CloseCode, Outbox, Outgoing};
use tokio::time::{Duration, Instant, sleep_until, timeout, timeout_at};
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
use upgrade::{Socket, Upgrade};
use wire::{Heard, Turn, Wrong};

/// [WIRE-1] [WIRE-9]
pub(super) async fn connect(
    State(web): State<Web>,
    entry: Entry,
    version: Version,
    place: Option<Extension<Place>>,
    upgrade: Upgrade,
) -> Answer {
    permit(&web, Transport::WebSocket)?;
    let carrier = Carrier::of_websocket(version);
    Ok(upgrade.run(async move |socket| {
        serve(Opening::new(web, entry, carrier), socket).await;
        drop(place);
    }))
}

async fn serve(mut opening: Opening, mut socket: Socket) {
    // Boxed: the way into a room needs more memory than being there.
    let joined = Box::pin(open(&mut opening, &mut socket)).await;
    let ended = match joined {
        Ok((link, outbox)) => live(&mut socket, &link, outbox, &opening).await,
        Err(ended) => ended,
    };
    drop(opening);
    if let Some(end) = ended {
        socket.close(end.code, &end.reason);
    }
    // A peer that does not take the end is gone anyway.
    let _ = timeout(limits::LIVE_CLOSE, last_words(&mut socket)).await;
}

/// Writes what is left, and waits for the peer's own end, so that our last frame is not lost with the socket.
async fn last_words(socket: &mut Socket) {
    let mut closed = false;
    while !closed || socket.unsent() {
        match socket.turn().await {
            Ok(Turn::Read) => {
                while let Ok(Some(heard)) = socket.heard() {
                    closed |= heard == Heard::Closed;
                }
            }
            Ok(Turn::Written(_)) => {}
            Err(_) => return,
        }
    }
}

/// [WIRE-5] The first frames, and the way into the room.
async fn open(
    opening: &mut Opening,
    socket: &mut Socket,
) -> Result<(LiveLink, Outbox), Option<End>> {
    let deadline = Instant::now() + limits::LIVE_HELLO;
    loop {
        while let Some(frame) = next(socket, &opening.listed)? {
            match opening.frame(frame).await? {
                Step::Wait => {}
                Step::Answer(answer) => socket.put(answer),
                Step::Joined(link, outbox) => return Ok((link, outbox)),
            }
        }
        let turn = timeout_at(deadline, socket.turn()).await;
        turn.map_err(|_| Some(no_hello()))?.map_err(|_| None)?;
    }
}

/// [WIRE-3] The next frame that is there; `None` as the error when the peer has ended the connection.
fn next(socket: &mut Socket, listed: &Listed) -> Result<Option<ClientFrame>, Option<End>> {
    let wrong = |reason| Some(End::new(CloseCode::Protocol, reason));
    loop {
        match socket.heard() {
            Ok(Some(Heard::Message(bytes))) => {
                listed.heard(bytes.len());
                let frame = ClientFrame::decode(&bytes);
                return frame.map(Some).map_err(|_| wrong("a frame is malformed"));
            }
            Ok(Some(Heard::Alive)) => {}
            Ok(Some(Heard::Closed)) => return Err(None),
            Ok(None) => return Ok(None),
            Err(Wrong::Text) => return Err(wrong("frames are binary")),
            Err(Wrong::TooLong) => return Err(wrong("a frame is too long")),
            Err(Wrong::Malformed) => return Err(wrong("not a WebSocket frame")),
        }
    }
}

/// When something was last heard and written; what is due is looked at now and then only.
struct Clock {
    heartbeat: Duration,
    heard: Instant,
    /// When everything was written, or since when something is not.
    written: Instant,
}

impl Clock {
    fn next(&self, unsent: bool) -> Instant {
        let patience = if unsent {
            limits::LIVE_STALL
        } else {
            self.heartbeat
        };
        (self.heard + limits::LIVE_SILENCE).min(self.written + patience)
    }
}

/// Everything between the join and the end: why it ends, if the peer is to be told.
async fn live(
    socket: &mut Socket,
    link: &LiveLink,
    mut outbox: Outbox,
    opening: &Opening,
) -> Option<End> {
    let mut clock = Clock {
        heartbeat: Duration::from_secs(opening.web.sync().heartbeat_seconds),
        heard: Instant::now(),
        written: Instant::now(),
    };
    // [WIRE-5] Frames may have come in one piece with HELLO.
    if let Err(ended) = read(socket, link, &opening.listed).await {
        return ended;
    }
    let mut wake = std::pin::pin!(sleep_until(clock.next(false)));
    loop {
        tokio::select! {
            turn = socket.turn() => match turn.ok()? {
                Turn::Read => {
                    clock.heard = Instant::now();
                    if let Err(ended) = read(socket, link, &opening.listed).await {
                        return ended;
                    }
                }
                Turn::Written(bytes) => {
                    clock.written = Instant::now();
                    if bytes > 0 {
                        link.taken(bytes).await;
                    }
                }
            },
            given = outbox.next(), if !socket.unsent() => {
                clock.written = Instant::now();
                if let Some(end) = take(socket, given, &mut outbox, opening) {
                    return Some(end);
                }
            }
            () = wake.as_mut() => {
                let now = Instant::now();
                // [WIRE-7] Silent for too long, or a peer that takes nothing: it must not hold its room's frames for ever.
                let silent = now >= clock.heard + limits::LIVE_SILENCE;
                if silent || (socket.unsent() && now >= clock.written + limits::LIVE_STALL) {
                    return None;
                }
                if !socket.unsent() && now >= clock.written + clock.heartbeat {
                    clock.written = now;
                    socket.ping();
                }
                wake.as_mut().reset(clock.next(socket.unsent()));
            }
        }
    }
}

/// Hands all frames that are there to the room at once.
async fn read(socket: &mut Socket, link: &LiveLink, listed: &Listed) -> Result<(), Option<End>> {
    let mut frames = Vec::new();
    let ended = loop {
        match next(socket, listed) {
            Ok(Some(frame)) => match opening::permitted(listed, &frame) {
                Ok(()) => frames.push(frame),
                Err(end) => break Err(Some(end)),
            },
            Ok(None) => break Ok(()),
            Err(ended) => break Err(ended),
        }
    };
    if !frames.is_empty() {
        link.frames(frames).await;
    }
    ended
}

/// Puts this and all that is there already behind what is to be written; the end, if that is among it.
fn take(
    socket: &mut Socket,
    given: Option<Outgoing>,
    outbox: &mut Outbox,
    opening: &Opening,
) -> Option<End> {
    let mut next = Some(given);
    while let Some(given) = next {
        match opening::given(&opening.web, given) {
            Ok(frame) => {
                opening.listed.said(&frame);
                socket.put(frame);
                next = outbox.next_now().map(Some);
            }
            Err(end) => return Some(end),
        }
    }
    None
}
