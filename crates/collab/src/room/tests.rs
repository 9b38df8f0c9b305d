//! The rules of the room, one by one, in groups.

mod edits;
mod endings;
mod joining;
mod log;
mod memory;
mod presence;
mod rights;
mod yjs;

use super::*;
use crate::log::LogError;
use crate::protocol::{PROTOCOL_VERSION, PresenceKind, Refusal, ResetReason, ServerFrame};
use crate::simulation::store::{Store, insert, new_doc, remove};

/// A room with a log that does as told, and what its connections were sent.
struct Stage {
    now_ms: u64,
    room: Room,
    store: Store,
    /// Answer loads and appends at once.
    prompt: bool,
    todo: Vec<Effect>,
    sent: BTreeMap<u64, Vec<ServerFrame>>,
    raw: BTreeMap<u64, Vec<Bytes>>,
    closed: BTreeMap<u64, CloseCode>,
    /// Connections that speak the y-protocols.
    yjs: Vec<u64>,
    /// Connections that write nothing.
    stuck: Vec<u64>,
    arrived: Vec<u64>,
    evicted: bool,
    wakes: Vec<u64>,
}

impl Stage {
    fn new() -> Stage {
        let settings = Settings {
            document: "page-1".to_owned(),
            key: LeaseKey::new([7; 32]),
            roots: &["title"],
            seed: 42,
        };
        let (room, effects) = Room::new(0, settings);
        let mut stage = Stage {
            now_ms: 0,
            room,
            store: Store::new(),
            prompt: true,
            todo: Vec::new(),
            sent: BTreeMap::new(),
            raw: BTreeMap::new(),
            closed: BTreeMap::new(),
            yjs: Vec::new(),
            stuck: Vec::new(),
            arrived: Vec::new(),
            evicted: false,
            wakes: Vec::new(),
        };
        stage.perform(effects);
        stage
    }

    fn happens(&mut self, event: Event) {
        let effects = self.room.handle(self.now_ms, event);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frame } => {
                    if !self.yjs.contains(&connection) {
                        let decoded = ServerFrame::decode(&frame).unwrap();
                        self.sent.entry(connection).or_default().push(decoded);
                    }
                    self.raw.entry(connection).or_default().push(frame.clone());
                    if !self.stuck.contains(&connection) {
                        self.happens(Event::Taken {
                            connection,
                            bytes: frame.len(),
                        });
                    }
                }
                Effect::Close {
                    connection, code, ..
                } => {
                    self.closed.insert(connection, code);
                }
                Effect::Arrived { connection } => self.arrived.push(connection),
                Effect::Evict => self.evicted = true,
                Effect::Wake { at_ms } => self.wakes.push(at_ms),
                io if self.prompt => self.answer(io),
                io => self.todo.push(io),
            }
        }
    }

    /// Does the I/O as it should be done.
    fn answer(&mut self, io: Effect) {
        match io {
            Effect::Load { since } => {
                let loaded = self.store.load(since);
                self.happens(Event::Loaded(Ok(loaded)));
            }
            Effect::Append {
                base,
                rows,
                new_authors,
            } => {
                let outcome = self.store.append(base, &rows, new_authors);
                self.happens(Event::Appended(Ok(outcome)));
            }
            Effect::Fold {
                at,
                updates,
                clocks,
            } => {
                let snapshot = crate::hydrate::fold(&updates, &clocks).unwrap();
                self.store.fold(at, &snapshot);
                self.happens(Event::Folded {
                    at,
                    snapshot: Some(snapshot),
                });
            }
            _ => unreachable!(),
        }
    }

    fn answer_all(&mut self) {
        for io in std::mem::take(&mut self.todo) {
            self.answer(io);
        }
    }

    fn join_as(
        &mut self,
        connection: u64,
        user: &str,
        rights: Rights,
        resume: Option<Position>,
        leases: Vec<Lease>,
    ) {
        let join = Join {
            dialect: Dialect::Native,
            resume,
            leases,
        };
        self.join_how(connection, user, rights, join);
    }

    fn join_how(&mut self, connection: u64, user: &str, rights: Rights, join: Join) {
        let identity = format!("{{\"user\":\"{user}\",\"name\":\"Person {connection}\"}}");
        let who = Who {
            user: user.to_owned(),
            identity,
            rights,
        };
        if join.dialect == Dialect::Yjs {
            self.yjs.push(connection);
        }
        self.happens(Event::Join {
            connection,
            who,
            join,
        });
    }

    /// A writer joins; a document under its leased id.
    fn join(&mut self, connection: u64) -> yrs::Doc {
        self.join_as(
            connection,
            &format!("u{connection}"),
            Rights::Write,
            None,
            Vec::new(),
        );
        new_doc(self.lease(connection).client_id)
    }

    fn lease(&self, connection: u64) -> Lease {
        let welcomes = self.sent[&connection].iter().rev();
        let lease = |frame: &ServerFrame| match frame {
            ServerFrame::Welcome { lease, .. } => Some(lease.clone()),
            _ => None,
        };
        welcomes.into_iter().find_map(lease).expect("a welcome")
    }

    fn push(&mut self, connection: u64, batch_id: u64, updates: &[Bytes]) {
        let frame = ClientFrame::Push {
            batch_id,
            updates: updates.to_vec(),
        };
        self.happens(Event::Frame { connection, frame });
    }

    fn take(&mut self, connection: u64) -> Vec<ServerFrame> {
        self.sent.remove(&connection).unwrap_or_default()
    }

    /// The first answer to a batch: `Ok` with the sequence number, or the reason.
    #[track_caller]
    fn answered(&mut self, connection: u64) -> Result<u64, Refusal> {
        let frames = self.take(connection);
        let answer = |frame: &ServerFrame| match frame {
            ServerFrame::Ack { position, .. } => Some(Ok(position.seq)),
            ServerFrame::Nack { reason, .. } => Some(Err(*reason)),
            _ => None,
        };
        frames
            .iter()
            .find_map(answer)
            .unwrap_or_else(|| panic!("no answer among {frames:?}"))
    }

    fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.happens(Event::Tick);
    }
}

fn count(frames: &[ServerFrame], wanted: fn(&ServerFrame) -> bool) -> usize {
    frames.iter().filter(|frame| wanted(frame)).count()
}

fn is_batch(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Batch { .. })
}

fn presence(frames: &[ServerFrame]) -> Vec<(u64, PresenceKind)> {
    let changes = frames.iter().filter_map(|frame| match frame {
        ServerFrame::Presence { changes } => Some(changes.clone()),
        _ => None,
    });
    changes.flatten().collect()
}

fn hello() -> ClientFrame {
    ClientFrame::Hello {
        version: PROTOCOL_VERSION,
        document: "page-1".to_owned(),
        resume: None,
        leases: Vec::new(),
    }
}
