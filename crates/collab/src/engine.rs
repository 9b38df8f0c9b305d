//! The shell around the rooms: tasks, timers, one group commit for all. All I/O of the engine is here.
//!
//! One task owns one room. Rooms hand their appends to one committer, which takes what is there while the last commit runs. A watcher
//! compares heads with the log, so that what other processes write is seen too.

use crate::admission::{Gate, Later, Slot};
use crate::counted::{Counters, Histogram, Refused};
use crate::lease::LeaseKey;
use crate::limits::*;
use crate::log::{Append, Fold, Log, LogError, Outcome};
use crate::protocol::{ClientFrame, CloseCode, Position, Rights};
use crate::room::{Effect, Event, Join, Mode, Policy, Room, Settings, Who};
use crate::yjs::YMessage;
use bytes::Bytes;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Duration, Instant};

/// What an engine needs besides its log.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The secret for leases; the same over restarts.
    pub key: LeaseKey,
    /// Randomness for client ids; another one at each start.
    pub seed: u64,
    /// Root names that updates may have; empty: any.
    pub roots: fn(document: &str) -> &'static [&'static str],
}

/// What a connection is to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// One frame.
    Frame(Bytes),
    /// The end.
    Close {
        /// Close code.
        code: CloseCode,
        /// For people.
        reason: Cow<'static, str>,
    },
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Open rooms.
    pub rooms: u64,
    /// Connections.
    pub connections: u64,
    /// Connections that came in since the start.
    pub joins: u64,
    /// Updates committed since the start.
    pub updates: u64,
    /// Transactions for them.
    pub commits: u64,
    /// Transactions that failed.
    pub commits_failed: u64,
    /// How long transactions took.
    pub commit_times: Histogram,
    /// From the arrival of a batch to its acknowledgement.
    pub acknowledgement_times: Histogram,
    /// Refused batches.
    pub refused: Refused,
    /// CRDT instances built since the start.
    pub hydrations: u64,
    /// Bytes that hydrations under way are taken to need.
    pub hydration_bytes: u64,
    /// Updates that the connection furthest behind has not been given.
    pub lag: u64,
    /// Joins that wait for their turn.
    pub joins_waiting: u64,
    /// Joins that were asked to come back later, since the start.
    pub joins_turned_away: u64,
}

/// The sync engine of one process.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    log: Arc<dyn Log>,
    settings: EngineSettings,
    started: Instant,
    /// A lock, because rooms are found from many tasks; it is held only for a look-up.
    rooms: Mutex<HashMap<String, RoomDoor>>,
    gate: Arc<Gate>,
    /// What holds for all rooms; written only while `rooms` is locked, so that no new room misses it.
    policy: Mutex<Policy>,
    room_ended: Notify,
    commits: mpsc::UnboundedSender<Commit>,
    next_connection: AtomicU64,
    draining: AtomicBool,
    counters: Counters,
}

/// A room's way in, and what it tells of itself.
#[derive(Clone)]
struct RoomDoor {
    inbox: mpsc::Sender<Message>,
    lag: Arc<AtomicU64>,
    /// What a newcomer will be sent, about.
    bytes: Arc<AtomicUsize>,
}

/// Where the frames of a connection go, and its place among the joins under way.
struct Newcomer {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    slot: Slot,
}

/// To a room.
enum Message {
    /// What happens, and for a join who comes.
    Event(Event, Option<Newcomer>),
    /// Frames of one connection that came together.
    Frames(u64, Vec<ClientFrame>),
}

impl From<Event> for Message {
    fn from(event: Event) -> Message {
        Message::Event(event, None)
    }
}

/// To the committer: rows, and where the outcome goes.
struct Commit {
    append: Append,
    answer: CommitAnswer,
}

/// The way of an outcome to its room, which gets one in any case.
struct CommitAnswer(Option<mpsc::UnboundedSender<Event>>);

impl CommitAnswer {
    fn send(mut self, outcome: Result<Outcome, LogError>) {
        if let Some(room) = self.0.take() {
            let _ = room.send(Event::Appended(outcome));
        }
    }
}

impl Drop for CommitAnswer {
    fn drop(&mut self) {
        if let Some(room) = self.0.take() {
            let lost = LogError::Unavailable("the committer has ended".to_owned());
            let _ = room.send(Event::Appended(Err(lost)));
        }
    }
}

/// One connection's way into its room. Dropping it leaves the room.
pub struct Link {
    connection: u64,
    room: mpsc::Sender<Message>,
    inner: Arc<Inner>,
}

/// What one connection is to write.
pub struct Outbox {
    outgoing: mpsc::UnboundedReceiver<Outgoing>,
}

impl Engine {
    /// Starts an engine on the current Tokio runtime; it ends when the last clone of it and the last link are gone.
    pub fn start(log: Arc<dyn Log>, settings: EngineSettings) -> Engine {
        let (commits, requests) = mpsc::unbounded_channel();
        let gate = Gate::new(settings.seed);
        let inner = Arc::new(Inner {
            log,
            settings,
            started: Instant::now(),
            rooms: Mutex::new(HashMap::new()),
            gate,
            policy: Mutex::new(Policy::default()),
            room_ended: Notify::new(),
            commits,
            next_connection: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            counters: Counters::default(),
        });
        tokio::spawn(commit_all(Arc::downgrade(&inner), requests));
        tokio::spawn(watch(Arc::downgrade(&inner)));
        Engine { inner }
    }

    /// Joins a document; WELCOME or the end comes by the outbox. Waits for its turn when very many join at once. [ROOM-20]
    pub async fn join(&self, document: &str, who: Who, join: Join) -> (Link, Outbox) {
        let connection = self.inner.next_connection.fetch_add(1, Ordering::Relaxed);
        let (sender, outgoing) = mpsc::unbounded_channel();
        let bytes = join
            .resume
            .map_or_else(|| self.inner.bytes_of(document), |_| 0);
        let room = match self.inner.gate.enter(bytes).await {
            Ok(slot) => {
                let event = Event::Join {
                    connection,
                    who,
                    join,
                };
                let newcomer = Some(Newcomer {
                    outgoing: sender,
                    slot,
                });
                let message = Message::Event(event, newcomer);
                self.inner.submit(document, message).await
            }
            Err(Later(wait_ms)) => {
                let (code, reason) = (CloseCode::TryAgain, format!("retry_after_ms={wait_ms}"));
                let reason = reason.into();
                let _ = sender.send(Outgoing::Close { code, reason });
                mpsc::channel(1).0
            }
        };
        let counters = &self.inner.counters;
        counters.connections.fetch_add(1, Ordering::Relaxed);
        counters.joins.fetch_add(1, Ordering::Relaxed);
        let link = Link {
            connection,
            room,
            inner: self.inner.clone(),
        };
        (link, Outbox { outgoing })
    }

    /// Changes what a connection may do.
    pub async fn set_access(&self, document: &str, connection: u64, rights: Rights, reason: &str) {
        let reason = reason.to_owned();
        self.tell(
            document,
            Event::Access {
                connection,
                rights,
                reason,
            },
        )
        .await;
    }

    /// Whether people may edit, in all open and future documents. [ROOM-16]
    pub async fn set_mode(&self, mode: Mode) {
        self.set_policy(|policy| policy.mode = mode).await;
    }

    /// How many may write in one document at a time; 0: any number. [ROOM-16]
    pub async fn set_writers_max(&self, writers_max: usize) {
        self.set_policy(|policy| policy.writers_max = writers_max)
            .await;
    }

    /// Whether people may edit.
    pub fn mode(&self) -> Mode {
        self.inner.policy().mode
    }

    async fn set_policy(&self, change: impl FnOnce(&mut Policy)) {
        let (policy, rooms): (_, Vec<_>) = {
            let rooms = self.inner.rooms();
            let mut policy = self.inner.policy();
            change(&mut policy);
            (*policy, rooms.values().cloned().collect())
        };
        for room in rooms {
            let _ = room.inbox.send(Event::Policy(policy).into()).await;
        }
    }

    /// Tells everybody in a document something (EVENT).
    pub async fn notify(&self, document: &str, json: String) {
        self.tell(document, Event::Notify { json }).await;
    }

    /// To be called after this process has written to a document's log by another way; the watch would find it a little later.
    pub async fn changed(&self, document: &str) {
        if self.inner.room(document).is_none() {
            return;
        }
        if let Ok(heads) = self.inner.log.heads(vec![document.to_owned()]).await
            && let Some(head) = heads.into_iter().next()
        {
            self.tell(document, Event::Head(head)).await;
        }
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> EngineStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.inner.counters;
        let commit_times = counters.commit_times.read();
        let (hydrations, hydration_bytes) = crate::hydrate::load();
        let (joins_waiting, joins_turned_away) = self.inner.gate.counts();
        let rooms = self.inner.rooms();
        EngineStats {
            rooms: rooms.len() as u64,
            connections: get(&counters.connections),
            joins: get(&counters.joins),
            updates: get(&counters.updates),
            commits: commit_times.count(),
            commits_failed: get(&counters.commits_failed),
            commit_times,
            acknowledgement_times: counters.acknowledgement_times.read(),
            refused: counters.refused(),
            hydrations,
            hydration_bytes,
            lag: rooms.values().map(|room| get(&room.lag)).max().unwrap_or(0),
            joins_waiting,
            joins_turned_away,
        }
    }

    /// [ROOM-13] Commits what was pushed, ends all connections with 1012, and takes no more.
    pub async fn drain(&self) {
        self.inner.draining.store(true, Ordering::SeqCst);
        let rooms: Vec<_> = self.inner.rooms().values().cloned().collect();
        for room in rooms {
            let _ = room.inbox.send(Event::Shutdown.into()).await;
        }
        let deadline = Instant::now() + Duration::from_millis(DRAIN_MS);
        loop {
            let ended = self.inner.room_ended.notified();
            if self.inner.rooms().is_empty() {
                return;
            }
            if tokio::time::timeout_at(deadline, ended).await.is_err() {
                tracing::warn!("not every room could commit before the shutdown");
                return;
            }
        }
    }

    async fn tell(&self, document: &str, event: Event) {
        if let Some(room) = self.inner.room(document) {
            // A room that has just ended has nobody to tell.
            let _ = room.send(event.into()).await;
        }
    }
}

impl Link {
    /// The connection's number in BATCH and PRESENCE.
    pub fn connection(&self) -> u64 {
        self.connection
    }

    /// Hands a frame from the client to the room; waits while the room has too much to do.
    pub async fn frame(&self, frame: ClientFrame) {
        let _ = self
            .room
            .send(
                Event::Frame {
                    connection: self.connection,
                    frame,
                }
                .into(),
            )
            .await;
    }

    /// Hands over frames that came together; waits while the room has too much to do.
    pub async fn frames(&self, frames: Vec<ClientFrame>) {
        let _ = self
            .room
            .send(Message::Frames(self.connection, frames))
            .await;
    }

    /// Hands a message of a Yjs client to the room; waits while the room has too much to do.
    pub async fn message(&self, message: YMessage) {
        let connection = self.connection;
        let event = Event::YMessage {
            connection,
            message,
        };
        let _ = self.room.send(event.into()).await;
    }

    /// Hands a message for the other Yjs clients to the room.
    pub async fn stateless(&self, payload: String) {
        let connection = self.connection;
        let event = Event::Stateless {
            connection,
            payload,
        };
        let _ = self.room.send(event.into()).await;
    }

    /// Says that so many bytes of frames have been written, so that the room gives more.
    pub async fn taken(&self, bytes: usize) {
        let _ = self
            .room
            .send(
                Event::Taken {
                    connection: self.connection,
                    bytes,
                }
                .into(),
            )
            .await;
    }
}

impl Outbox {
    /// The next thing to write; `None` when the room has gone.
    pub async fn next(&mut self) -> Option<Outgoing> {
        self.outgoing.recv().await
    }

    /// More to write, if it is there already.
    pub fn next_now(&mut self) -> Option<Outgoing> {
        self.outgoing.try_recv().ok()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let connections = &self.inner.counters.connections;
        connections.fetch_sub(1, Ordering::Relaxed);
        let leave = Event::Leave {
            connection: self.connection,
        }
        .into();
        if let Err(mpsc::error::TrySendError::Full(leave)) = self.room.try_send(leave)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let room = self.room.clone();
            runtime.spawn(async move {
                let _ = room.send(leave).await;
            });
        }
    }
}

impl Inner {
    fn rooms(&self) -> MutexGuard<'_, HashMap<String, RoomDoor>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn policy(&self) -> MutexGuard<'_, Policy> {
        self.policy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn room(&self, document: &str) -> Option<mpsc::Sender<Message>> {
        let rooms = self.rooms();
        rooms.get(document).map(|room| room.inbox.clone())
    }

    /// What somebody who joins will be sent; 0 when that is not known.
    fn bytes_of(&self, document: &str) -> usize {
        let rooms = self.rooms();
        let bytes = rooms.get(document).map(|room| &room.bytes);
        bytes.map_or(0, |bytes| bytes.load(Ordering::Relaxed))
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Brings a message to a document's room, which is opened if need be. While the engine drains, nobody gets in.
    async fn submit(
        self: &Arc<Self>,
        document: &str,
        mut message: Message,
    ) -> mpsc::Sender<Message> {
        while !self.draining.load(Ordering::SeqCst) {
            let room = self.open(document);
            match room.send(message).await {
                Ok(()) => return room,
                // It ended in this moment; the next one is another.
                Err(mpsc::error::SendError(back)) => message = back,
            }
        }
        if let Message::Event(_, Some(newcomer)) = message {
            let (code, reason) = (CloseCode::Restart, "the server restarts".into());
            let _ = newcomer.outgoing.send(Outgoing::Close { code, reason });
        }
        mpsc::channel(1).0
    }

    fn open(self: &Arc<Self>, document: &str) -> mpsc::Sender<Message> {
        let mut rooms = self.rooms();
        let open = |room: &&RoomDoor| !room.inbox.is_closed();
        if let Some(room) = rooms.get(document).filter(open) {
            return room.inbox.clone();
        }
        let (sender, inbox) = mpsc::channel(ROOM_INBOX);
        let task = RoomTask::new(self.clone(), document.to_owned());
        let door = RoomDoor {
            inbox: sender.clone(),
            lag: task.lag.clone(),
            bytes: task.bytes.clone(),
        };
        rooms.insert(document.to_owned(), door);
        let policy = *self.policy();
        tokio::spawn(task.run(policy, inbox));
        sender
    }
}

/// The task that owns one room.
struct RoomTask {
    inner: Arc<Inner>,
    document: String,
    outgoing: HashMap<u64, mpsc::UnboundedSender<Outgoing>>,
    /// Joins under way; what is dropped here makes place for others.
    arriving: HashMap<u64, Slot>,
    bytes: Arc<AtomicUsize>,
    answers: mpsc::UnboundedSender<Event>,
    inbox_of_answers: mpsc::UnboundedReceiver<Event>,
    lag: Arc<AtomicU64>,
    wake: Option<Instant>,
    evicted: bool,
}

impl RoomTask {
    fn new(inner: Arc<Inner>, document: String) -> RoomTask {
        let (answers, inbox_of_answers) = mpsc::unbounded_channel();
        let outgoing = HashMap::new();
        RoomTask {
            inner,
            document,
            outgoing,
            arriving: HashMap::new(),
            bytes: Arc::default(),
            answers,
            inbox_of_answers,
            lag: Arc::default(),
            wake: None,
            evicted: false,
        }
    }

    async fn run(mut self, policy: Policy, mut inbox: mpsc::Receiver<Message>) {
        let settings = Settings {
            document: self.document.clone(),
            key: self.inner.settings.key.clone(),
            roots: (self.inner.settings.roots)(&self.document),
            seed: self.inner.settings.seed ^ fnv(&self.document),
        };
        let (mut room, effects) = Room::new(self.inner.now_ms(), settings);
        self.perform(effects);
        room.take(self.inner.now_ms(), Event::Policy(policy));
        self.settle(&mut room);
        if self.inner.draining.load(Ordering::SeqCst) {
            room.take(self.inner.now_ms(), Event::Shutdown);
            self.settle(&mut room);
        }
        let mut messages = Vec::new();
        let mut left = Vec::new();
        while !self.evicted {
            tokio::select! {
                biased;
                Some(event) = self.inbox_of_answers.recv() => room.take(self.inner.now_ms(), event),
                1.. = inbox.recv_many(&mut messages, ROOM_EVENTS_MAX) => {
                    for message in messages.drain(..) {
                        // What comes behind the end of the room is for the next one.
                        if room.ended() {
                            left.push(message);
                        } else {
                            self.accept(&mut room, message);
                        }
                    }
                }
                () = sleep_until(self.wake) => {
                    self.wake = None;
                    room.take(self.inner.now_ms(), Event::Tick);
                }
            }
            self.settle(&mut room);
        }
        self.end(left, inbox).await;
    }

    fn settle(&mut self, room: &mut Room) {
        let effects = room.settled(self.inner.now_ms());
        self.perform(effects);
        self.inner.counters.add(&room.counted());
        self.lag.store(room.lag_seen(), Ordering::Relaxed);
        self.bytes.store(room.bytes(), Ordering::Relaxed);
    }

    fn accept(&mut self, room: &mut Room, message: Message) {
        let now_ms = self.inner.now_ms();
        match message {
            Message::Frames(connection, frames) => {
                for frame in frames {
                    room.take(now_ms, Event::Frame { connection, frame });
                }
            }
            Message::Event(event, newcomer) => {
                if let (Event::Join { connection, .. }, Some(newcomer)) = (&event, newcomer) {
                    self.outgoing.insert(*connection, newcomer.outgoing);
                    self.arriving.insert(*connection, newcomer.slot);
                }
                if let Event::Leave { connection } = &event {
                    self.outgoing.remove(connection);
                    self.arriving.remove(connection);
                }
                // Of two changes at once the later one counts, whichever comes here first.
                let event = match event {
                    Event::Policy(_) => Event::Policy(*self.inner.policy()),
                    event => event,
                };
                room.take(now_ms, event);
            }
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frame } => {
                    // The room gives no more than a window that the connection has not written.
                    if let Some(outgoing) = self.outgoing.get(&connection) {
                        let _ = outgoing.send(Outgoing::Frame(frame));
                    }
                }
                Effect::Close {
                    connection,
                    code,
                    reason,
                } => {
                    self.arriving.remove(&connection);
                    if let Some(outgoing) = self.outgoing.remove(&connection) {
                        let _ = outgoing.send(Outgoing::Close { code, reason });
                    }
                }
                Effect::Arrived { connection } => {
                    self.arriving.remove(&connection);
                }
                Effect::Load { since } => self.load(since),
                Effect::Append {
                    base,
                    rows,
                    new_authors,
                } => {
                    self.append(Append {
                        document: self.document.clone(),
                        base,
                        rows,
                        new_authors,
                    });
                }
                Effect::Fold {
                    at,
                    updates,
                    clocks,
                } => {
                    let (log, document) = (self.inner.log.clone(), self.document.clone());
                    let answers = self.answers.clone();
                    tokio::spawn(async move {
                        let bytes = updates.iter().map(Bytes::len).sum();
                        let work = move || crate::hydrate::fold(&updates, &clocks);
                        let snapshot = fold_in_log(&*log, &document, at, bytes, work).await;
                        let _ = answers.send(Event::Folded { at, snapshot });
                    });
                }
                Effect::Wake { at_ms } => {
                    self.wake = Some(self.inner.started + Duration::from_millis(at_ms));
                }
                Effect::Evict => self.evicted = true,
            }
        }
    }

    fn load(&self, since: Option<Position>) {
        let (log, document, answers) = (
            self.inner.log.clone(),
            self.document.clone(),
            self.answers.clone(),
        );
        tokio::spawn(async move {
            let loaded = log.load(&document, since).await;
            if let Err(why @ (LogError::Unavailable(_) | LogError::Corrupt(_))) = &loaded {
                tracing::error!(document, error = %why, "a live document could not be loaded");
            }
            let _ = answers.send(Event::Loaded(loaded));
        });
    }

    fn append(&self, append: Append) {
        let answer = CommitAnswer(Some(self.answers.clone()));
        // If nobody takes it, its answer says so when it is dropped.
        let _ = self.inner.commits.send(Commit { append, answer });
    }

    /// Leaves the map; who came in this moment gets a new room.
    async fn end(self, left: Vec<Message>, mut inbox: mpsc::Receiver<Message>) {
        inbox.close();
        {
            let mut rooms = self.inner.rooms();
            if rooms
                .get(&self.document)
                .is_some_and(|room| room.inbox.is_closed())
            {
                rooms.remove(&self.document);
            }
        }
        self.inner.room_ended.notify_waiters();
        for message in left {
            self.pass_on(message).await;
        }
        while let Some(message) = inbox.recv().await {
            self.pass_on(message).await;
        }
    }

    /// A join that came too late opens the room anew; everything else has lost its connection.
    async fn pass_on(&self, message: Message) {
        if let Message::Event(_, Some(_)) = message {
            self.inner.submit(&self.document, message).await;
        }
    }
}

async fn fold_in_log(
    log: &dyn Log,
    document: &str,
    at: Position,
    bytes: usize,
    work: impl FnOnce() -> Result<Bytes, LogError> + Send + 'static,
) -> Option<Bytes> {
    let stored = async {
        let snapshot = crate::hydrate::hydrate_of(bytes, work).await?;
        log.fold(Fold {
            document: document.to_owned(),
            at,
            snapshot: snapshot.clone(),
        })
        .await?;
        Ok::<_, LogError>(snapshot)
    };
    match stored.await {
        Ok(snapshot) => Some(snapshot),
        Err(why) => {
            tracing::warn!(document, error = %why, "a live document could not be folded");
            None
        }
    }
}

/// [LOG-5] One commit at a time for all rooms: at once when idle, and everything that came while the last one ran.
async fn commit_all(inner: std::sync::Weak<Inner>, mut requests: mpsc::UnboundedReceiver<Commit>) {
    let mut next_at = Instant::now();
    while let Some(first) = requests.recv().await {
        // Among many a short wait brings more edits into one transaction; whoever writes alone does not wait.
        if Instant::now() < next_at {
            tokio::time::sleep_until(next_at).await;
        }
        let (mut rows, mut bytes) = size(&first.append);
        let mut commits = vec![first];
        while rows < COMMIT_ROWS_MAX && bytes < COMMIT_BYTES_MAX {
            let Ok(next) = requests.try_recv() else { break };
            let (more_rows, more_bytes) = size(&next.append);
            rows += more_rows;
            bytes += more_bytes;
            commits.push(next);
        }
        let Some(inner) = inner.upgrade() else { return };
        let (writes, answers): (Vec<_>, Vec<_>) = commits
            .into_iter()
            .map(|commit| (commit.append, commit.answer))
            .unzip();
        let began = Instant::now();
        next_at = began + Duration::from_millis(COMMIT_EVERY_MS);
        let outcomes = inner.log.append(writes).await;
        let counters = &inner.counters;
        match &outcomes {
            Ok(_) => {
                let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
                counters.commit_times.note(took);
                counters.updates.fetch_add(rows as u64, Ordering::Relaxed);
            }
            Err(why) => {
                counters.commits_failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(error = %why, "edits could not be committed");
            }
        }
        for (i, answer) in answers.into_iter().enumerate() {
            let missing = || LogError::Unavailable("an outcome is missing".to_owned());
            let outcome = outcomes
                .as_ref()
                .map_err(LogError::clone)
                .and_then(|all| all.get(i).copied().ok_or_else(missing));
            answer.send(outcome);
        }
    }
}

fn size(append: &Append) -> (usize, usize) {
    (
        append.rows.len(),
        append.rows.iter().map(|row| row.update.len()).sum(),
    )
}

/// [LOG-4] Compares open rooms with the log, for what other processes write.
async fn watch(inner: std::sync::Weak<Inner>) {
    let mut every = tokio::time::interval(Duration::from_millis(WATCH_MS));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let Some(inner) = inner.upgrade() else { return };
        let documents: Vec<String> = inner.rooms().keys().cloned().collect();
        if documents.is_empty() {
            continue;
        }
        let Ok(heads) = inner.log.heads(documents.clone()).await else {
            continue;
        };
        for (document, head) in documents.into_iter().zip(heads) {
            if let Some(room) = inner.room(&document) {
                // A room with a full inbox is seen to the next time.
                let _ = room.try_send(Event::Head(head).into());
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// So that two documents do not lease the same ids at the same start.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
