//! One document that somebody has open, as a plain struct: `handle(now, event) -> effects`. No I/O, no clock, no randomness.
//!
//! Start reading at [`Room::handle`]. `room/connections.rs` has joins and what each connection is sent, `room/commit.rs` the way of
//! an edit into the log, `room/reload.rs` what happens when the log has moved or failed, `room/rights.rs` who may write.

#[cfg(test)]
mod bounds;
mod clock;
mod commit;
mod connections;
mod presence;
mod reload;
mod rights;
mod yjs;

use crate::authors::Authors;
use crate::clocks::ClockMap;
use crate::counted::Counted;
use crate::history::History;
use crate::lease::LeaseKey;
use crate::limits::*;
use crate::log::{Author, Loaded, LogError, NewRow, Outcome};
use crate::people::People;
use crate::protocol::{ClientFrame, CloseCode, Lease, Position, Rights};
use crate::yjs::YMessage;
use bytes::Bytes;
use clock::Clock;
use connections::Connection;
pub use rights::Mode;
pub(crate) use rights::Policy;
use rights::Turns;
use std::borrow::Cow;
use std::collections::BTreeMap;
use yjs::YjsSide;

/// Who stands behind a connection; the engine only carries it.
#[derive(Debug, Clone)]
pub struct Who {
    /// The account, for leases and for the log.
    pub user: String,
    /// JSON with `user`, `name`, `hue` for the others' eyes.
    pub identity: String,
    /// What the connection may do.
    pub rights: Rights,
}

/// How a client talks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The frames of `docs/spec/collab.md`.
    #[default]
    Native,
    /// Messages of the y-protocols; client ids are the client's own choice.
    Yjs,
}

/// How somebody joins.
#[derive(Debug, Clone, Default)]
pub struct Join {
    /// How the client talks.
    pub dialect: Dialect,
    /// What it has already.
    pub resume: Option<Position>,
    /// Client ids from before that it still needs.
    pub leases: Vec<Lease>,
}

/// What happens to a room.
#[derive(Debug)]
pub(crate) enum Event {
    Join {
        connection: u64,
        who: Who,
        join: Join,
    },
    Frame {
        connection: u64,
        frame: ClientFrame,
    },
    /// From a Yjs client.
    YMessage {
        connection: u64,
        message: YMessage,
    },
    /// From a Yjs client to the others.
    Stateless {
        connection: u64,
        payload: String,
    },
    /// The connection has written so many bytes of what it was sent.
    Taken {
        connection: u64,
        bytes: usize,
    },
    Leave {
        connection: u64,
    },
    Access {
        connection: u64,
        rights: Rights,
        reason: String,
    },
    /// Other rules for who may write.
    Policy(Policy),
    Notify {
        json: String,
    },
    Loaded(Result<Loaded, LogError>),
    Appended(Result<Outcome, LogError>),
    Folded {
        at: Position,
        snapshot: Option<Bytes>,
    },
    /// The log's head as somebody else sees it; `None`: the document is gone.
    Head(Option<Position>),
    Tick,
    Shutdown,
}

/// What a room wants done.
#[derive(Debug)]
pub(crate) enum Effect {
    Send {
        connection: u64,
        frame: Bytes,
    },
    Close {
        connection: u64,
        code: CloseCode,
        reason: Cow<'static, str>,
    },
    /// A join has been given its whole document, or takes long by itself.
    Arrived {
        connection: u64,
    },
    Load {
        since: Option<Position>,
    },
    Append {
        base: Position,
        rows: Vec<NewRow>,
        new_authors: Vec<Author>,
    },
    Fold {
        at: Position,
        updates: Vec<Bytes>,
        clocks: ClockMap,
    },
    /// Send `Tick` at this time; it replaces what was asked for before.
    Wake {
        at_ms: u64,
    },
    /// Nothing is left here.
    Evict,
}

/// Whether the room knows the state of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A load is under way; what is pushed waits for it.
    Loading,
    Ready,
    /// The last load failed.
    Failed {
        retry_at_ms: u64,
    },
}

/// What never changes in a room.
pub(crate) struct Settings {
    pub(crate) document: String,
    pub(crate) key: LeaseKey,
    /// The root names that updates may have; empty: any.
    pub(crate) roots: &'static [&'static str],
    /// Where the client ids come from.
    pub(crate) seed: u64,
}

/// A batch on its way to the log.
struct Batch {
    connection: u64,
    user: String,
    batch_id: u64,
    updates: Vec<Bytes>,
    arrived_ms: u64,
    /// Those of the updates that bring something new.
    fresh: Vec<Bytes>,
}

/// Batches that go to the log together, and the clocks they bring.
#[derive(Default)]
struct Group {
    batches: Vec<Batch>,
    clocks: ClockMap,
    authors: Authors,
    bytes: usize,
}

/// A document in memory: no CRDT, only bytes, clocks and connections.
pub(crate) struct Room {
    settings: Settings,
    clock: Clock,
    phase: Phase,
    history: Option<History>,
    clocks: ClockMap,
    authors: Authors,
    /// Client ids of past epochs, sorted: who brings them has a document from before.
    past: Vec<u64>,
    connections: BTreeMap<u64, Connection>,
    /// Joins under way, and since when.
    arriving: Vec<(u64, u64)>,
    people: People,
    /// Connections whose presence changes too fast.
    presence_waiting: Vec<u64>,
    turns: Turns,
    /// Connections that have something new and were not given it yet.
    due: Vec<u64>,
    /// Before this nobody can have stalled.
    stall_at_ms: u64,
    lag: u64,
    counted: Counted,
    /// About Yjs clients, while there are any.
    yjs: Option<Box<YjsSide>>,
    /// At the log.
    running: Option<Group>,
    /// Judged, for the next append.
    waiting: Group,
    /// Not judged, because a load is under way.
    held: Vec<Batch>,
    held_bytes: usize,
    /// Up to where BATCH frames may go: the head at the last broadcast.
    shown: u64,
    broadcast_at_ms: u64,
    broadcast_due: bool,
    presence_at_ms: u64,
    presence_due: bool,
    folding: bool,
    fold_retry_at_ms: u64,
    /// Since when nobody is here.
    empty_since_ms: u64,
    ids_made: u64,
    /// The pause after the last failed load.
    pause_ms: u64,
    closing: bool,
    evicted: bool,
    wake_at_ms: Option<u64>,
    out: Vec<Effect>,
}

impl Room {
    /// A room that begins with its load.
    pub(crate) fn new(now_ms: u64, settings: Settings) -> (Room, Vec<Effect>) {
        let room = Room {
            settings,
            clock: Clock::new(now_ms),
            phase: Phase::Loading,
            history: None,
            clocks: ClockMap::default(),
            authors: Authors::default(),
            past: Vec::new(),
            connections: BTreeMap::new(),
            arriving: Vec::new(),
            people: People::default(),
            presence_waiting: Vec::new(),
            turns: Turns::default(),
            due: Vec::new(),
            stall_at_ms: now_ms,
            lag: 0,
            counted: Counted::default(),
            yjs: None,
            running: None,
            waiting: Group::default(),
            held: Vec::new(),
            held_bytes: 0,
            shown: 0,
            broadcast_at_ms: now_ms,
            broadcast_due: false,
            presence_at_ms: now_ms,
            presence_due: false,
            folding: false,
            fold_retry_at_ms: 0,
            empty_since_ms: now_ms,
            ids_made: 0,
            pause_ms: 0,
            closing: false,
            evicted: false,
            wake_at_ms: None,
            out: Vec::new(),
        };
        (room, vec![Effect::Load { since: None }])
    }

    /// Where the log is, as far as the room knows.
    pub(crate) fn head(&self) -> Option<Position> {
        self.history.as_ref().map(History::head)
    }

    /// Bytes of snapshot and tail.
    pub(crate) fn bytes(&self) -> usize {
        self.history.as_ref().map_or(0, History::bytes)
    }

    /// One event and all that follows from it.
    #[cfg(test)]
    pub(crate) fn handle(&mut self, now_ms: u64, event: Event) -> Vec<Effect> {
        self.take(now_ms, event);
        self.settled(now_ms)
    }

    /// The only way in. Several events may be taken before what follows is asked for with [`Room::settled`].
    pub(crate) fn take(&mut self, now_ms: u64, event: Event) {
        let now_ms = self.time(now_ms);
        match event {
            Event::Join {
                connection,
                who,
                join,
            } => self.join(now_ms, connection, who, join),
            Event::Frame { connection, frame } => self.frame(now_ms, connection, frame),
            Event::YMessage {
                connection,
                message,
            } => self.y_message(now_ms, connection, message),
            Event::Stateless {
                connection,
                payload,
            } => self.relay(now_ms, connection, &payload),
            Event::Taken { connection, bytes } => self.taken(now_ms, connection, bytes),
            Event::Leave { connection } => self.leave(now_ms, connection),
            Event::Access {
                connection,
                rights,
                reason,
            } => {
                self.access(now_ms, connection, rights, reason);
            }
            Event::Policy(policy) => self.set_policy(now_ms, policy),
            Event::Notify { json } => self.notify(json),
            Event::Loaded(loaded) => self.loaded(now_ms, loaded),
            Event::Appended(outcome) => self.appended(now_ms, outcome),
            Event::Folded { at, snapshot } => self.folded(now_ms, at, snapshot),
            Event::Head(head) => self.head_seen(head),
            Event::Tick => self.wake_at_ms = None,
            Event::Shutdown => self.closing = true,
        }
    }

    /// After one or more events: what is due by now, and everything that is to be done.
    pub(crate) fn settled(&mut self, now_ms: u64) -> Vec<Effect> {
        let now_ms = self.time(now_ms);
        self.settle(now_ms);
        std::mem::take(&mut self.out)
    }

    /// The room's own time, which never goes back.
    fn time(&mut self, now_ms: u64) -> u64 {
        let (now_ms, put_back) = self.clock.read(now_ms);
        if put_back {
            self.wake_at_ms = None;
        }
        now_ms
    }

    /// Whether nothing is left here; what comes now belongs to another room.
    pub(crate) fn ended(&self) -> bool {
        self.evicted
    }

    /// What was counted since the last time.
    pub(crate) fn counted(&mut self) -> Counted {
        std::mem::take(&mut self.counted)
    }

    /// How many updates the connection furthest behind had not been given at the last broadcast.
    pub(crate) fn lag_seen(&self) -> u64 {
        self.lag
    }

    fn settle(&mut self, now_ms: u64) {
        if self.evicted {
            return;
        }
        self.retry_load(now_ms);
        self.settle_rights(now_ms);
        self.append_waiting(now_ms);
        self.settle_presence(now_ms);
        self.tick(now_ms);
        self.renew_awareness(now_ms);
        self.pump_due(now_ms);
        self.end_stalled(now_ms);
        self.settle_arrivals(now_ms);
        self.finish_closing();
        self.fold_or_evict(now_ms);
        self.plan_wake(now_ms);
    }

    /// Pause between two broadcasts: the more people, the more is gained by telling them of many edits at once.
    fn broadcast_pause_ms(&self) -> u64 {
        let people = self.connections.len();
        if people <= FEW_PEOPLE {
            return 0;
        }
        (people as u64 / PEOPLE_PER_TICK_MS).clamp(1, TICK_MS)
    }

    /// Pause between two presence frames.
    fn presence_pause_ms(&self) -> u64 {
        match self.connections.len() {
            0..=FEW_PEOPLE => 0,
            people if people <= MANY_PEOPLE => PRESENCE_TICK_MS,
            _ => PRESENCE_SLOW_TICK_MS,
        }
    }

    /// Shows everybody what is new, if it is time for that.
    fn tick(&mut self, now_ms: u64) {
        let edits =
            self.broadcast_due && now_ms >= self.broadcast_at_ms + self.broadcast_pause_ms();
        let presence =
            self.presence_due && now_ms >= self.presence_at_ms + self.presence_pause_ms();
        if edits {
            self.broadcast_due = false;
            self.broadcast_at_ms = now_ms;
            self.shown = self.head().map_or(0, |head| head.seq);
        }
        if presence {
            self.presence_due = false;
            self.presence_at_ms = now_ms;
            self.settle_awareness();
        }
        if edits || presence {
            self.pump_all(now_ms);
            self.lag = self.lag();
            if self.lag == 0
                && let Some(history) = &mut self.history
            {
                history.forget_frames();
            }
        }
        if presence {
            self.forget_departed();
        }
    }

    /// [ROOM-13] When everything is committed and acknowledged, connections end.
    fn finish_closing(&mut self) {
        let busy =
            self.running.is_some() || !self.waiting.batches.is_empty() || !self.held.is_empty();
        if !self.closing || busy {
            return;
        }
        for connection in self.connections.keys().copied().collect::<Vec<_>>() {
            self.end(connection, CloseCode::Restart, "the server restarts");
        }
        self.evict();
    }

    fn evict(&mut self) {
        self.evicted = true;
        self.out.push(Effect::Evict);
    }

    fn fold_or_evict(&mut self, now_ms: u64) {
        if self.evicted || self.folding || self.phase == Phase::Loading {
            return;
        }
        let idle = self.connections.is_empty()
            && self.running.is_none()
            && now_ms >= self.empty_since_ms + IDLE_MS;
        let Some(history) = &self.history else {
            return if idle {
                self.evict()
            };
        };
        let long = history.tail_bytes() > FOLD_TAIL_BYTES.max(history.snapshot_bytes() / 4)
            || history.tail_len() > FOLD_TAIL_ROWS;
        let wanted = long || (idle && history.tail_len() > 0);
        if wanted && self.phase == Phase::Ready && now_ms >= self.fold_retry_at_ms {
            self.folding = true;
            self.fold_retry_at_ms = now_ms + FOLD_PAUSE_MS;
            let (at, updates) = (history.head(), history.updates());
            self.out.push(Effect::Fold {
                at,
                updates,
                clocks: self.clocks.clone(),
            });
        } else if idle {
            self.evict();
        }
    }

    fn folded(&mut self, now_ms: u64, at: Position, snapshot: Option<Bytes>) {
        self.folding = false;
        match (snapshot, &mut self.history) {
            (Some(snapshot), Some(history)) => history.fold(at, snapshot),
            _ => self.fold_retry_at_ms = now_ms + FOLD_RETRY_MS,
        }
    }

    /// Asks to be woken for what falls due by time alone; what waits for I/O is woken by its answer.
    fn plan_wake(&mut self, now_ms: u64) {
        if self.evicted {
            return;
        }
        let mut at_ms = self.stall_at_ms;
        match self.phase {
            Phase::Failed { retry_at_ms } if !self.connections.is_empty() => {
                at_ms = at_ms.min(retry_at_ms);
            }
            _ => {}
        }
        if self.broadcast_due {
            at_ms = at_ms.min(self.broadcast_at_ms + self.broadcast_pause_ms());
        }
        if self.presence_due {
            at_ms = at_ms.min(self.presence_at_ms + self.presence_pause_ms());
        }
        let busy = self.folding || self.running.is_some() || self.phase == Phase::Loading;
        if self.connections.is_empty() && !busy {
            at_ms = at_ms.min(self.empty_since_ms + IDLE_MS);
        }
        if !self.presence_waiting.is_empty() {
            at_ms = at_ms.min(now_ms + PRESENCE_EVERY_MS);
        }
        if let Some((since_ms, _)) = self.arriving.first() {
            at_ms = at_ms.min(since_ms + JOIN_SLOW_MS);
        }
        if let Some(due_ms) = self.renew_at_ms() {
            at_ms = at_ms.min(due_ms);
        }
        if let Some(due_ms) = self.turns.due_ms() {
            at_ms = at_ms.min(due_ms);
        }
        let at_ms = at_ms.max(now_ms + 1);
        // An earlier wake that is asked for already serves; it plans the next.
        if self
            .wake_at_ms
            .is_none_or(|planned| planned > at_ms || planned <= now_ms)
        {
            self.wake_at_ms = Some(at_ms);
            let at_ms = self.clock.theirs(at_ms);
            self.out.push(Effect::Wake { at_ms });
        }
    }
}

#[cfg(test)]
mod tests;
