//! Hocuspocus v3 and v4: `GET {base}/v1/hocuspocus`. One socket, many documents; each is asked for with a token of its own.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use bytes::Bytes;
use collab::{CloseCode, HocuspocusFrame, HocuspocusMessage, Outbox, YMessage, addressed, closing};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Duration, timeout};
use wiki::LiveLink;

use super::entry::Entry;
use super::opening::{self, End, Opening};
use super::pace::Pace;
use super::permit;
use super::registry::Carrier;
use super::yjs::{Given, as_yjs, close, sized};
use crate::failure::Answer;
use crate::limits;
use crate::serve::Place;
use crate::state::Web;
use crate::sync_settings::Transport;

/// [YJS-22]
pub(super) async fn connect(
    State(web): State<Web>,
    Query(given): Query<Given>,
    entry: Entry,
    place: Option<Extension<Place>>,
    upgrade: WebSocketUpgrade,
) -> Answer {
    permit(&web, Transport::WebSocket)?;
    Ok(sized(upgrade).on_upgrade(async move |socket| {
        serve(web, entry, socket, given.token).await;
        drop(place);
    }))
}

/// What is written to the socket.
enum Out {
    Frame(Bytes),
    End(End),
}

/// One document on a socket.
enum Document {
    /// Waits for its token; what came before it waits too.
    Waiting(Vec<HocuspocusMessage>),
    /// In its room.
    Joined(Arc<LiveLink>, AbortHandle),
    /// Was refused, or has ended; another token begins again.
    Ended,
}

impl Drop for Document {
    fn drop(&mut self) {
        if let Document::Joined(_, forwarder) = self {
            forwarder.abort();
        }
    }
}

/// All documents on a socket.
struct Socket {
    web: Web,
    entry: Entry,
    /// From the address; for documents whose own token is empty.
    token: Option<String>,
    documents: HashMap<String, Document>,
    waiting_messages: usize,
    waiting_bytes: usize,
    out: mpsc::Sender<Out>,
}

async fn serve(web: Web, entry: Entry, socket: WebSocket, token: Option<String>) {
    let (mut sink, mut stream) = socket.split();
    let (out, mut outbox) = mpsc::channel(limits::HOCUSPOCUS_FRAMES_MAX);
    let heartbeat = Duration::from_secs(web.sync().heartbeat_seconds);
    let mut socket = Socket {
        web,
        entry,
        token,
        documents: HashMap::new(),
        waiting_messages: 0,
        waiting_bytes: 0,
        out,
    };
    let ended = tokio::select! {
        ended = socket.read(&mut stream) => ended,
        ended = write(&mut sink, &mut outbox, heartbeat) => ended,
    };
    drop(socket);
    if let Some(end) = ended {
        close(&mut sink, &mut stream, end).await;
    }
}

/// Writes what the documents give, as much as there is with one flush.
async fn write(
    sink: &mut SplitSink<WebSocket, Message>,
    outbox: &mut mpsc::Receiver<Out>,
    heartbeat: Duration,
) -> Option<End> {
    loop {
        let mut next = match timeout(heartbeat, outbox.recv()).await {
            Ok(first) => first,
            Err(_) => {
                sink.send(Message::Ping(Bytes::new())).await.ok()?;
                continue;
            }
        };
        let all = async {
            while let Some(out) = next.take() {
                match out {
                    Out::Frame(frame) => sink.feed(Message::Binary(frame)).await?,
                    Out::End(end) => return Ok(Some(end)),
                }
                next = outbox.try_recv().ok();
            }
            sink.flush().await.map(|()| None)
        };
        match timeout(limits::LIVE_STALL, all).await {
            Ok(Ok::<_, axum::Error>(None)) => {}
            Ok(Ok(end)) => return end,
            Ok(Err(_)) | Err(_) => return None,
        }
    }
}

impl Socket {
    async fn read(&mut self, stream: &mut SplitStream<WebSocket>) -> Option<End> {
        let mut pace = Pace::default();
        loop {
            let frame = match timeout(limits::LIVE_SILENCE, stream.next()).await.ok()? {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Text(_))) => {
                    return Some(End::new(CloseCode::Protocol, "frames are binary"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            };
            pace.keep(frame.len()).await;
            let bytes = frame.len();
            let Ok(frame) = HocuspocusFrame::decode(&frame) else {
                return Some(End::new(CloseCode::Protocol, "a frame is malformed"));
            };
            if let Err(end) = self.frame(frame, bytes).await {
                return Some(end);
            }
        }
    }

    async fn frame(&mut self, frame: HocuspocusFrame, bytes: usize) -> Result<(), End> {
        let document = frame.document().to_owned();
        let HocuspocusFrame { address, message } = frame;
        match message {
            HocuspocusMessage::Ping => {
                self.say(Bytes::from_static(&[10])).await;
                Ok(())
            }
            HocuspocusMessage::Pong => Ok(()),
            HocuspocusMessage::Close => {
                self.documents.remove(&address);
                Ok(())
            }
            HocuspocusMessage::Token(token) => self.join(address, &document, &token).await,
            message => self.deliver(address, message, bytes).await,
        }
    }

    /// A message for a document: to its room, or aside until its token has come. [YJS-23]
    async fn deliver(
        &mut self,
        address: String,
        message: HocuspocusMessage,
        bytes: usize,
    ) -> Result<(), End> {
        let full = self.documents.len() >= limits::HOCUSPOCUS_DOCUMENTS_MAX;
        match self.documents.get_mut(&address) {
            Some(Document::Joined(link, _)) => {
                pass_on(link, message).await;
                return Ok(());
            }
            Some(Document::Ended) => return Ok(()),
            Some(Document::Waiting(held)) => held.push(message),
            None if full => return Err(too_many()),
            None => {
                let held = Document::Waiting(vec![message]);
                self.documents.insert(address, held);
            }
        }
        self.waiting_messages += 1;
        self.waiting_bytes += bytes;
        if self.waiting_messages > limits::HOCUSPOCUS_WAITING_MAX
            || self.waiting_bytes > limits::HOCUSPOCUS_WAITING_BYTES_MAX
        {
            let reason = "too much before the token";
            return Err(End::new(CloseCode::NotLoggedIn, reason));
        }
        Ok(())
    }

    /// The token of a document: into its room, or a refusal that leaves the socket and its other documents alone.
    async fn join(&mut self, address: String, document: &str, token: &str) -> Result<(), End> {
        if self.documents.len() >= limits::HOCUSPOCUS_DOCUMENTS_MAX
            && !self.documents.contains_key(&address)
        {
            return Err(too_many());
        }
        let mut opening = Opening::new(self.web.clone(), self.entry.clone(), Carrier::Hocuspocus);
        let token = Some(token).filter(|token| !token.is_empty());
        let joined = match token.or(self.token.as_deref()) {
            Some(token) => opening.authenticate(token).await,
            None => Ok(()),
        };
        let entered = match joined {
            Ok(()) => opening.enter(document, as_yjs()).await,
            Err(end) => Err(end),
        };
        let (link, outbox) = match entered {
            Ok(entered) => entered,
            Err(end) if end.code == CloseCode::TryAgain as u16 => return Err(end),
            Err(end) => {
                let denied = YMessage::Denied(end.reason.into_owned()).encode();
                self.say(addressed(&address, &denied)).await;
                self.documents.insert(address, Document::Ended);
                return Ok(());
            }
        };
        let link = Arc::new(link);
        let held = match self.documents.get_mut(&address) {
            Some(Document::Waiting(held)) => std::mem::take(held),
            _ => Vec::new(),
        };
        self.waiting_messages = self.waiting_messages.saturating_sub(held.len());
        for message in held {
            pass_on(&link, message).await;
        }
        let forwarder = forward(opening, address.clone(), link.clone(), outbox, &self.out);
        self.documents
            .insert(address, Document::Joined(link, forwarder));
        Ok(())
    }

    async fn say(&self, frame: Bytes) {
        let _ = self.out.send(Out::Frame(frame)).await;
    }
}

fn too_many() -> End {
    End::new(CloseCode::Protocol, "too many documents on one socket")
}

async fn pass_on(link: &LiveLink, message: HocuspocusMessage) {
    match message {
        HocuspocusMessage::Y(message) => link.message(message).await,
        HocuspocusMessage::Stateless(payload) => link.stateless(payload).await,
        _ => {}
    }
}

/// Brings what a room gives to the socket, which takes no more than a few frames ahead.
fn forward(
    opening: Opening,
    address: String,
    link: Arc<LiveLink>,
    mut outbox: Outbox,
    out: &mpsc::Sender<Out>,
) -> AbortHandle {
    let out = out.clone();
    let forwarder = tokio::spawn(async move {
        loop {
            match opening::given(&opening.web, outbox.next().await) {
                Ok(message) => {
                    opening.listed.said(&message);
                    let frame = addressed(&address, &message);
                    if out.send(Out::Frame(frame)).await.is_err() {
                        return;
                    }
                    link.taken(message.len()).await;
                }
                Err(end) => {
                    let _ = out.send(ending(&address, end)).await;
                    return;
                }
            }
        }
    });
    forwarder.abort_handle()
}

/// [YJS-24] The end of a document: for good it is told for that document alone; for now the socket ends, so that the provider
/// connects again.
fn ending(address: &str, end: End) -> Out {
    const NOT_LOGGED_IN: u16 = CloseCode::NotLoggedIn as u16;
    const FORBIDDEN: u16 = CloseCode::Forbidden as u16;
    match end.code {
        NOT_LOGGED_IN | FORBIDDEN => {
            let denied = YMessage::Denied(end.reason.into_owned()).encode();
            Out::Frame(addressed(address, &denied))
        }
        4400..=4499 => Out::Frame(addressed(address, &closing(&end.reason))),
        _ => Out::End(end),
    }
}
