//! A connection over plain HTTP: frames with numbers in both directions, kept until the other side says that it has them.
//!
//! One task owns the session's place in the room. Requests hand it the client's frames and confirmations; what the room gives waits in
//! `Down` until the client has confirmed it, and only then the room gives more. So a session holds no more than the room's window.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use bytes::Bytes;
use collab::{ClientFrame, CloseCode, Outbox};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, timeout_at};
use wiki::{LiveLink, UserId};

use super::entry::Entry;
use super::opening::{self, End, Opening, Step, no_hello};
use super::registry::Carrier;
use super::varint;
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;

/// The number that the client chose for its session: 32 hex digits.
pub(super) type Id = [u8; 16];

/// All sessions of this process.
pub(crate) struct Sessions {
    /// A lock around a map, held only to look something up.
    all: Mutex<HashMap<Id, Arc<Session>>>,
    stopping: watch::Sender<bool>,
}

/// Who a session is counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Counted {
    User(UserId),
    Address(String),
}

/// One client's connection.
pub(super) struct Session {
    user: Option<UserId>,
    counted: Counted,
    commands: mpsc::Sender<Command>,
    /// How many frames came; held while frames are handed over, so that two requests do not mix theirs.
    up: tokio::sync::Mutex<u64>,
    /// A lock held for look-ups only.
    down: Mutex<Down>,
    /// Something for the leg to carry.
    news: Notify,
    /// A leg has left.
    left: Notify,
}

/// From a request to the session's task.
enum Command {
    Frame(ClientFrame, usize),
    /// So many bytes have arrived at the client.
    Taken(usize),
    CarriedBy(Carrier),
    /// What came is no frame.
    Malformed,
    /// The client has gone by its own will.
    Leave,
}

/// What is on its way to the client.
struct Down {
    /// Given, and not confirmed; the first has the number `first`.
    frames: VecDeque<Bytes>,
    first: u64,
    end: Option<End>,
    /// The number of the request that carries frames down; a newer one takes over.
    leg: u64,
    open: bool,
    left_at: Instant,
    heard_at: Instant,
}

/// A request that carries frames down; dropping it starts the clock that ends the session.
pub(super) struct Leg {
    session: Arc<Session>,
    number: u64,
    next: u64,
}

/// What a leg is to carry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The number of the first, and all that is there.
    Frames(u64, Vec<Bytes>),
    End(End),
    /// Another leg has taken over.
    Replaced,
}

/// Why frames were not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Frames are missing before these; so many came.
    Gap(u64),
    /// The client says it has what it was never given, or wants again what it has confirmed.
    Unknown,
    Malformed,
    Ended(Option<End>),
}

impl Refused {
    /// Whether the client learns of it by the down leg anyway.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Refused::Ended(_) | Refused::Malformed)
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            all: Mutex::default(),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Id, Arc<Session>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server stops: sessions that are in no room end; those in one end with it.
    pub(crate) fn stop(&self) {
        let _ = self.stopping.send_replace(true);
    }

    /// Tells when the server stops.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// The session, if there is one and it belongs to whoever asks. [TRANS-9]
    pub(super) fn find(&self, id: &Id, entry: &Entry) -> Answer<Option<Arc<Session>>> {
        let Some(session) = self.all().get(id).cloned() else {
            return Ok(None);
        };
        if session.user != entry.actor.user_id() {
            return Err(Failure::new(
                StatusCode::FORBIDDEN,
                "this session belongs to somebody else; begin another",
            ));
        }
        session.down().heard_at = Instant::now();
        Ok(Some(session))
    }

    /// The session, begun if there is none.
    pub(super) fn open(
        &self,
        web: &Web,
        id: Id,
        entry: &Entry,
        carrier: Carrier,
    ) -> Answer<Arc<Session>> {
        if let Some(session) = self.find(&id, entry)? {
            return Ok(session);
        }
        let (commands, inbox) = mpsc::channel(limits::LIVE_SESSION_INBOX);
        let session = Arc::new(Session::new(entry, commands));
        {
            let mut all = self.all();
            admit(&all, &session.counted, *self.stopping.borrow())?;
            all.insert(id, session.clone());
        }
        let opening = Opening::new(web.clone(), entry.clone(), carrier);
        tokio::spawn(drive(id, session.clone(), opening, inbox));
        Ok(session)
    }
}

/// [TRANS-9]
fn admit(all: &HashMap<Id, Arc<Session>>, counted: &Counted, stopping: bool) -> Answer<()> {
    let refuse = |status, message| {
        Err(Failure {
            retry_after_s: Some(5),
            ..Failure::new(status, message)
        })
    };
    if stopping {
        let message = "the server restarts; come back in a moment";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, message);
    }
    if all.len() >= limits::LIVE_SESSIONS_MAX {
        let message = "this server has as many sessions as it takes; try again in a while";
        return refuse(StatusCode::SERVICE_UNAVAILABLE, message);
    }
    let mine = all.values().filter(|it| it.counted == *counted).count();
    let most = match counted {
        Counted::User(_) => limits::LIVE_SESSIONS_PER_USER,
        Counted::Address(_) => limits::LIVE_SESSIONS_PER_ADDRESS,
    };
    if mine >= most {
        let message = "too many sessions at once; close some pages and try again";
        return refuse(StatusCode::TOO_MANY_REQUESTS, message);
    }
    Ok(())
}

impl Session {
    fn new(entry: &Entry, commands: mpsc::Sender<Command>) -> Self {
        let user = entry.actor.user_id();
        let down = Down {
            frames: VecDeque::new(),
            first: 1,
            end: None,
            leg: 0,
            open: false,
            left_at: Instant::now(),
            heard_at: Instant::now(),
        };
        Self {
            user,
            counted: user.map_or_else(|| Counted::Address(entry.address.clone()), Counted::User),
            commands,
            up: tokio::sync::Mutex::new(0),
            down: Mutex::new(down),
            news: Notify::new(),
            left: Notify::new(),
        }
    }

    fn down(&self) -> MutexGuard<'_, Down> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [TRANS-7] Takes frames, the first of which has this number, and a confirmation: how many frames have come now.
    pub(super) async fn take(
        &self,
        first: u64,
        received: u64,
        body: &Bytes,
    ) -> Result<u64, Refused> {
        let mut up = self.up.lock().await;
        let Some(frames) = varint::parts(body, limits::LIVE_BODY_FRAMES_MAX) else {
            let _ = self.commands.send(Command::Malformed).await;
            return Err(Refused::Malformed);
        };
        if first > *up + 1 && !frames.is_empty() {
            return Err(Refused::Gap(*up));
        }
        self.confirm(received).await?;
        for (number, bytes) in (first..).zip(frames) {
            if number <= *up {
                continue;
            }
            // A small frame must not keep a large body in memory.
            let bytes = if bytes.len() < body.len() / 2 {
                Bytes::copy_from_slice(&bytes)
            } else {
                bytes
            };
            let command = match ClientFrame::decode(&bytes) {
                Ok(frame) => Command::Frame(frame, bytes.len()),
                Err(_) => Command::Malformed,
            };
            self.command(command).await?;
            *up = number;
        }
        Ok(*up)
    }

    async fn command(&self, command: Command) -> Result<(), Refused> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| Refused::Ended(self.down().end.clone()))
    }

    /// The client has the frames up to this one.
    async fn confirm(&self, received: u64) -> Result<(), Refused> {
        let bytes = self.down().confirm(received)?;
        if bytes > 0 {
            // Where the session has ended nobody waits for it.
            let _ = self.commands.send(Command::Taken(bytes)).await;
        }
        Ok(())
    }

    /// The client goes.
    pub(super) async fn leave(&self) {
        let _ = self.commands.send(Command::Leave).await;
    }

    /// [TRANS-8] Begins to carry frames down, from the one after `received`.
    pub(super) async fn leg(
        self: &Arc<Self>,
        received: u64,
        carrier: Carrier,
    ) -> Result<Leg, Refused> {
        self.confirm(received).await?;
        let number = {
            let mut down = self.down();
            if received + 1 < down.first {
                return Err(Refused::Unknown);
            }
            down.leg += 1;
            down.open = true;
            down.leg
        };
        self.news.notify_waiters();
        let _ = self.commands.send(Command::CarriedBy(carrier)).await;
        Ok(Leg {
            session: self.clone(),
            number,
            next: received + 1,
        })
    }

    /// How many frames wait then.
    fn give(&self, frame: Bytes) -> usize {
        let waiting = {
            let mut down = self.down();
            down.frames.push_back(frame);
            down.frames.len()
        };
        self.news.notify_waiters();
        waiting
    }

    /// The end, which the client is told; without one it has gone, and whoever still listens is let go.
    fn finish(&self, end: Option<End>) {
        let mut down = self.down();
        down.leg += u64::from(end.is_none());
        down.end = end;
        drop(down);
        self.news.notify_waiters();
    }

    /// Completes when nobody has listened, or nobody was heard of, for too long.
    async fn expired(&self) {
        loop {
            let left = self.left.notified();
            let deadline = self.down().deadline();
            if deadline <= Instant::now() {
                return;
            }
            // Whichever it is: the deadline may have moved.
            let _ = timeout_at(deadline, left).await;
        }
    }
}

impl Down {
    /// How many bytes this frees.
    fn confirm(&mut self, received: u64) -> Result<usize, Refused> {
        if received >= self.first + self.frames.len() as u64 {
            return Err(Refused::Unknown);
        }
        let mut bytes = 0;
        while self.first <= received
            && let Some(frame) = self.frames.pop_front()
        {
            bytes += frame.len();
            self.first += 1;
        }
        Ok(bytes)
    }

    fn deadline(&self) -> Instant {
        let silence = self.heard_at + limits::LIVE_SILENCE;
        if self.open {
            silence
        } else {
            silence.min(self.left_at + limits::LIVE_SESSION_LIFE)
        }
    }
}

impl Leg {
    /// The next thing to carry; waits for it.
    pub(super) async fn next(&mut self) -> Item {
        let session = self.session.clone();
        loop {
            let mut news = std::pin::pin!(session.news.notified());
            news.as_mut().enable();
            if let Some(item) = self.now() {
                return item;
            }
            news.await;
        }
    }

    /// What is there now.
    fn now(&mut self) -> Option<Item> {
        let down = self.session.down();
        if down.leg != self.number {
            return Some(Item::Replaced);
        }
        let skip = usize::try_from(self.next.saturating_sub(down.first)).unwrap_or(usize::MAX);
        let frames: Vec<Bytes> = down.frames.iter().skip(skip).cloned().collect();
        if !frames.is_empty() {
            let first = self.next;
            self.next += frames.len() as u64;
            return Some(Item::Frames(first, frames));
        }
        down.end.clone().map(Item::End)
    }

    /// The number of the frame that comes next.
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }
}

impl Drop for Leg {
    fn drop(&mut self) {
        let mut down = self.session.down();
        if down.leg == self.number {
            down.open = false;
            down.left_at = Instant::now();
        }
        drop(down);
        self.session.left.notify_one();
    }
}

/// The task of one session: from its first request until nobody needs to hear of it any more.
async fn drive(
    id: Id,
    session: Arc<Session>,
    mut opening: Opening,
    mut inbox: mpsc::Receiver<Command>,
) {
    let web = opening.web.clone();
    let end = tokio::select! {
        end = converse(&session, &mut opening, &mut inbox) => end,
        () = session.expired() => None,
    };
    let told = end.is_some();
    session.finish(end);
    drop((opening, inbox));
    if told {
        // [TRANS-8] The client may have to come back to hear of it.
        let stay = tokio::time::sleep(limits::LIVE_SESSION_LIFE);
        tokio::select! {
            () = stay => {}
            () = session.expired() => {}
        }
    }
    web.sessions().all().remove(&id);
}

/// Until the end; `None`: the client has gone.
async fn converse(
    session: &Session,
    opening: &mut Opening,
    inbox: &mut mpsc::Receiver<Command>,
) -> Option<End> {
    let (link, mut outbox) = match open(session, opening, inbox).await {
        Ok(joined) => joined,
        Err(end) => return end,
    };
    loop {
        tokio::select! {
            command = inbox.recv() => match command? {
                Command::Frame(frame, bytes) => {
                    opening.listed.heard(bytes);
                    if let Err(end) = opening::permitted(&opening.listed, &frame) {
                        return Some(end);
                    }
                    link.frame(frame).await;
                }
                Command::Taken(bytes) => link.taken(bytes).await,
                Command::CarriedBy(carrier) => opening.listed.carried_by(carrier),
                Command::Malformed => return Some(malformed()),
                Command::Leave => return None,
            },
            outgoing = outbox.next() => match opening::given(&opening.web, outgoing) {
                Ok(frame) => {
                    opening.listed.said(&frame);
                    session.give(frame);
                }
                Err(end) => return Some(end),
            },
        }
    }
}

fn malformed() -> End {
    End::new(CloseCode::Protocol, "a frame is malformed")
}

/// [WIRE-5] The first frames, and the way into the room.
async fn open(
    session: &Session,
    opening: &mut Opening,
    inbox: &mut mpsc::Receiver<Command>,
) -> Result<(LiveLink, Outbox), Option<End>> {
    let deadline = Instant::now() + limits::LIVE_HELLO;
    let mut stopping = opening.web.sessions().stopping();
    loop {
        let command = tokio::select! {
            command = timeout_at(deadline, inbox.recv()) => command,
            _ = stopping.wait_for(|stopping| *stopping) => {
                return Err(Some(End::new(CloseCode::Restart, "the server restarts")));
            }
        };
        match command.map_err(|_| Some(no_hello()))?.ok_or(None)? {
            Command::Frame(frame, bytes) => {
                opening.listed.heard(bytes);
                match opening.frame(frame).await? {
                    Step::Wait => {}
                    Step::Answer(answer) => {
                        if session.give(answer) > limits::LIVE_ECHOES_MAX {
                            let reason = "too many echoes that nobody takes";
                            return Err(Some(End::new(CloseCode::Protocol, reason)));
                        }
                    }
                    Step::Joined(link, outbox) => return Ok((link, outbox)),
                }
            }
            Command::Taken(_) => {}
            Command::CarriedBy(carrier) => opening.listed.carried_by(carrier),
            Command::Malformed => return Err(Some(malformed())),
            Command::Leave => return Err(None),
        }
    }
}
