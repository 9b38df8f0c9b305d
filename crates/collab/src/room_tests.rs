//! The rules of the room, one by one.

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
    /// Connections that write nothing.
    stuck: Vec<u64>,
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
            stuck: Vec::new(),
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
                    let decoded = ServerFrame::decode(&frame).unwrap();
                    self.sent.entry(connection).or_default().push(decoded);
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
        let identity = format!("{{\"user\":\"{user}\"}}");
        let who = Who {
            user: user.to_owned(),
            identity,
            rights,
        };
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

/// [LOG-2] Nothing is acknowledged or shown before the commit.
#[test]
fn acknowledged_after_commit() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.prompt = false;
    stage.push(1, 7, &[insert(&doc, 0, "a")]);
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(f, ServerFrame::Ack { .. })
            || is_batch(f)),
        0
    );
    assert_eq!(count(&stage.sent[&2], is_batch), 0);
    stage.answer_all();
    assert_eq!(count(&stage.sent[&2], is_batch), 1);
    assert_eq!(stage.answered(1), Ok(1));
}

/// [LOG-3] After a failure everything under way is refused and the log is read before anything is accepted.
#[test]
fn failing_log() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    let (first, second) = (insert(&doc, 0, "a"), insert(&doc, 1, "b"));
    stage.push(1, 1, std::slice::from_ref(&first));
    stage.push(1, 2, std::slice::from_ref(&second));
    // The commit happened, its answer was lost.
    let Some(Effect::Append {
        base,
        rows,
        new_authors,
    }) = stage.todo.pop()
    else {
        panic!()
    };
    stage.store.append(base, &rows, new_authors);
    stage.happens(Event::Appended(Err(LogError::Unavailable("x".to_owned()))));
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(
            f,
            ServerFrame::Nack {
                reason: Refusal::Unavailable,
                ..
            }
        )),
        2
    );
    assert_eq!(count(&stage.sent[&1], is_batch), 0);
    assert!(matches!(stage.todo[..], [Effect::Load { .. }]));
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(count(&stage.sent[&1], is_batch), 1);
    stage.take(1);
    stage.push(1, 3, &[first, second]);
    assert_eq!(stage.answered(1), Ok(2));
}

/// [LOG-4] What another process wrote is shown, and what waited is appended behind it.
#[test]
fn another_process_writes() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.store.write_aside(77, "x");
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    assert_eq!(stage.answered(1), Ok(2));
    stage.store.write_aside(78, "y");
    stage.happens(Event::Head(Some(stage.store.head())));
    assert_eq!(count(&stage.take(1), is_batch), 1);
    // An answer that is older than our own append changes nothing.
    stage.happens(Event::Head(Some(Position { epoch: 1, seq: 1 })));
    assert_eq!(stage.room.head(), Some(stage.store.head()));
}

/// [LOG-6] A failed load sends those who wait away and is tried again; it is never an empty page.
#[test]
fn failed_load() {
    let mut stage = Stage::new();
    stage.store.write_aside(77, "x");
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.join_as(1, "u", Rights::Read, None, Vec::new());
    stage.join_as(2, "v", Rights::Read, None, Vec::new());
    stage.happens(Event::Loaded(Err(LogError::Unavailable("x".to_owned()))));
    assert_eq!(
        stage.closed,
        BTreeMap::from([(1, CloseCode::TryAgain), (2, CloseCode::TryAgain)])
    );
    assert!(stage.sent.is_empty());
    stage.join_as(3, "u", Rights::Read, None, Vec::new());
    assert_eq!(stage.closed[&3], CloseCode::TryAgain);
    stage.wait(RELOAD_PAUSE_MS);
    stage.join_as(4, "u", Rights::Read, None, Vec::new());
    assert!(matches!(stage.sent[&4][1], ServerFrame::Snapshot { .. }));
}

/// [LOG-6] People who come at once share one load.
#[test]
fn one_load() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    let (room, first) = Room::new(0, settings);
    (stage.room, stage.prompt) = (room, false);
    for connection in 1..50 {
        stage.join_as(connection, "u", Rights::Read, None, Vec::new());
    }
    assert!(stage.todo.is_empty());
    stage.prompt = true;
    stage.perform(first);
    assert_eq!(stage.sent.len(), 49);
}

/// [ROOM-1] WELCOME first; only the tail for those who have the rest.
#[test]
fn joining() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    assert!(matches!(
        stage.sent[&1][0],
        ServerFrame::Welcome {
            snapshot_follows: true,
            ..
        }
    ));
    assert!(matches!(stage.sent[&1][1], ServerFrame::Snapshot { .. }));
    for (i, text) in ["a", "b", "c"].into_iter().enumerate() {
        stage.push(1, i as u64, &[insert(&doc, 0, text)]);
    }
    stage.join_as(
        2,
        "u",
        Rights::Read,
        Some(Position { epoch: 1, seq: 2 }),
        Vec::new(),
    );
    let frames = stage.take(2);
    assert!(matches!(
        frames[0],
        ServerFrame::Welcome {
            snapshot_follows: false,
            head_seq: 3,
            ..
        }
    ));
    assert!(
        matches!(&frames[1], ServerFrame::Batch { first_seq: 3, updates, .. } if updates.len() == 1)
    );
    for other in [Position { epoch: 9, seq: 2 }, Position { epoch: 1, seq: 4 }] {
        stage.join_as(3, "u", Rights::Read, Some(other), Vec::new());
        assert!(
            matches!(stage.take(3)[1], ServerFrame::Snapshot { .. }),
            "{other:?}"
        );
    }
}

/// [ROOM-2] Only leased ids; a lease of before counts if its proof holds for this user and document.
#[test]
fn leases() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let old = stage.lease(1);
    stage.join(2);
    let update = insert(&doc, 0, "a");
    stage.push(2, 1, std::slice::from_ref(&update));
    assert_eq!(stage.answered(2), Err(Refusal::NotLeased));
    stage.join_as(3, "u1", Rights::Write, None, vec![old.clone()]);
    stage.push(3, 1, &[update]);
    assert_eq!(stage.answered(3), Ok(1));
    stage.join_as(4, "mallory", Rights::Write, None, vec![old]);
    stage.push(4, 1, &[insert(&doc, 0, "b")]);
    assert_eq!(stage.answered(4), Err(Refusal::NotLeased));
}

/// [ROOM-2] The first user of a client id is written with the rows and alone may go on with it, in either dialect.
#[test]
fn authors() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    let author = Author {
        client_id: stage.lease(1).client_id,
        user: "u1".to_owned(),
    };
    let Some(Effect::Append { new_authors, .. }) = stage.todo.last() else {
        panic!("an append");
    };
    assert_eq!(new_authors[..], [author]);
    stage.prompt = true;
    stage.answer_all();
    stage.take(1);
    let more = insert(&doc, 0, "c");
    for (connection, user, outcome) in [(2, "mallory", Err(Refusal::NotLeased)), (3, "u1", Ok(3))] {
        let join = Join {
            dialect: Dialect::Yjs,
            ..Join::default()
        };
        stage.join_how(connection, user, Rights::Write, join);
        stage.push(connection, 1, std::slice::from_ref(&more));
        assert_eq!(stage.answered(connection), outcome, "{user}");
    }
    // Nobody takes an id that somebody else was given and has not used.
    let join = Join {
        dialect: Dialect::Yjs,
        ..Join::default()
    };
    let given = stage.join(4);
    stage.join_how(5, "u4", Rights::Write, join);
    stage.push(5, 1, &[insert(&given, 0, "d")]);
    assert_eq!(stage.answered(5), Err(Refusal::NotLeased));
}

/// [ROOM-3] Gaps in clocks, unknown references and unknown deletions are refused.
#[test]
fn gaps() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let other = stage.join(2);
    let (first, second) = (insert(&doc, 0, "a"), insert(&doc, 1, "b"));
    stage.push(1, 1, std::slice::from_ref(&second));
    assert_eq!(stage.answered(1), Err(Refusal::Gap));
    // Refers to what the server does not know.
    use yrs::Transact;
    use yrs::updates::decoder::Decode;
    other
        .transact_mut()
        .apply_update(yrs::Update::decode_v1(&first).unwrap())
        .unwrap();
    stage.push(2, 1, &[insert(&other, 1, "x")]);
    assert_eq!(stage.answered(2), Err(Refusal::Gap));
    let (_, deletion) = remove(&doc, 0).unwrap();
    stage.push(1, 2, std::slice::from_ref(&deletion));
    assert_eq!(stage.answered(1), Err(Refusal::Gap));
    stage.push(1, 3, &[first, second, deletion]);
    assert_eq!(stage.answered(1), Ok(3));
}

/// [ROOM-4] What is known is acknowledged without a new row, also while its first commit runs.
#[test]
fn resending() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let update = insert(&doc, 0, "a");
    stage.prompt = false;
    stage.push(1, 1, std::slice::from_ref(&update));
    stage.push(1, 2, std::slice::from_ref(&update));
    assert_eq!(
        count(&stage.sent[&1], |f| matches!(f, ServerFrame::Ack { .. })),
        0
    );
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(
        count(&stage.take(1), |f| matches!(f, ServerFrame::Ack { .. })),
        2
    );
    stage.push(1, 3, &[update]);
    assert_eq!(stage.answered(1), Ok(1));
    assert_eq!(stage.store.head().seq, 1);
}

/// [ROOM-5] One bad update refuses the whole batch.
#[test]
fn whole_batches() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let good = insert(&doc, 0, "a");
    stage.push(1, 1, &[good.clone(), Bytes::from_static(b"\x01\x01\x01")]);
    assert_eq!(stage.answered(1), Err(Refusal::Malformed));
    assert_eq!(stage.store.head().seq, 0);
    stage.push(1, 2, &[good]);
    assert_eq!(stage.answered(1), Ok(1));
}

/// [ROOM-6] Everybody gets the same bytes, encoded once.
#[test]
fn encoded_once() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    let frame = |id: u64| {
        stage.raw[&id]
            .iter()
            .rev()
            .find(|f| f[0] == 0x83)
            .unwrap()
            .clone()
    };
    assert_eq!(frame(1), frame(2));
    assert_eq!(frame(1).as_ptr(), frame(2).as_ptr());
}

/// [ROOM-7] A slow reader gets a window and no more, catches up in few frames, and is ended when it takes nothing at all.
#[test]
fn slow_readers() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.join(2);
    stage.take(2);
    stage.stuck.push(2);
    for i in 0..60 {
        stage.push(1, i, &[insert(&doc, 0, "0123456789")]);
    }
    let before: usize = stage.raw[&2].iter().map(Bytes::len).sum();
    assert!(before < 2 * (WINDOW_BYTES + CATCH_UP_BYTES), "{before}");
    stage.stuck.clear();
    stage.happens(Event::Taken {
        connection: 2,
        bytes: 100_000,
    });
    let frames = stage.take(2);
    let last = frames.iter().rev().find_map(|f| match f {
        ServerFrame::Batch {
            first_seq, updates, ..
        } => Some(first_seq + updates.len() as u64 - 1),
        _ => None,
    });
    assert_eq!(last, Some(60));
    stage.stuck.push(2);
    stage.push(1, 100, &[insert(&doc, 0, "x")]);
    stage.wait(STALL_MS - 1);
    assert!(!stage.closed.contains_key(&2));
    stage.wait(1);
    assert_eq!(stage.closed[&2], CloseCode::TryAgain);
    assert!(!stage.closed.contains_key(&1));
}

/// [ROOM-8] [ROOM-9] [PRES-5] Readers cannot push, but be present; a change of rights is told and counts from then on.
#[test]
fn rights() {
    let mut stage = Stage::new();
    stage.join_as(1, "u1", Rights::Read, None, Vec::new());
    let doc = new_doc(stage.lease(1).client_id);
    let update = insert(&doc, 0, "a");
    stage.push(1, 1, std::slice::from_ref(&update));
    assert_eq!(stage.answered(1), Err(Refusal::ReadOnly));
    stage.join(2);
    stage.take(2);
    stage.happens(Event::Frame {
        connection: 1,
        frame: ClientFrame::Presence {
            blob: Bytes::from_static(b"x"),
        },
    });
    assert_eq!(presence(&stage.take(2)).len(), 1);
    let access = |connection, rights| Event::Access {
        connection,
        rights,
        reason: "r".to_owned(),
    };
    stage.happens(access(1, Rights::Write));
    assert!(matches!(
        stage.take(1)[..],
        [
            ..,
            ServerFrame::Access {
                rights: Rights::Write,
                ..
            }
        ]
    ));
    stage.push(1, 2, &[update]);
    assert_eq!(stage.answered(1), Ok(1));
    stage.happens(access(1, Rights::None));
    assert!(matches!(
        stage.take(1)[..],
        [
            ..,
            ServerFrame::Access {
                rights: Rights::None,
                ..
            }
        ]
    ));
    assert_eq!(stage.closed[&1], CloseCode::Forbidden);
}

/// [ROOM-10] A new epoch: RESET, everything refused until HELLO, then a snapshot of the new one. [LOG-1] Numbers go on.
#[test]
fn new_epoch() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.take(1);
    stage.store.discard();
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    let frames = stage.take(1);
    assert!(
        matches!(
            frames[0],
            ServerFrame::Reset {
                epoch: 2,
                reason: ResetReason::Discarded
            }
        ),
        "{frames:?}"
    );
    assert!(matches!(
        frames[1],
        ServerFrame::Nack {
            reason: Refusal::WrongEpoch,
            ..
        }
    ));
    stage.push(
        1,
        3,
        &[insert(
            &new_doc(
                stage.room.connections[&1]
                    .leased
                    .first()
                    .copied()
                    .unwrap_or(5),
            ),
            0,
            "c",
        )],
    );
    assert_eq!(stage.answered(1), Err(Refusal::WrongEpoch));
    stage.happens(Event::Frame {
        connection: 1,
        frame: hello(),
    });
    assert!(matches!(
        stage.sent[&1][0],
        ServerFrame::Welcome {
            epoch: 2,
            connection_id: 1,
            head_seq: 2,
            ..
        }
    ));
    assert!(matches!(stage.sent[&1][1], ServerFrame::Snapshot { .. }));
    let fresh = new_doc(stage.lease(1).client_id);
    stage.push(1, 4, &[insert(&fresh, 0, "d")]);
    assert_eq!(stage.answered(1), Ok(3));
}

/// [WIRE-5] A HELLO that answers no RESET is an error.
#[test]
fn second_hello() {
    let mut stage = Stage::new();
    stage.join(1);
    let frame = hello();
    stage.happens(Event::Frame {
        connection: 1,
        frame,
    });
    assert_eq!(stage.closed[&1], CloseCode::Protocol);
}

fn hello() -> ClientFrame {
    ClientFrame::Hello {
        version: PROTOCOL_VERSION,
        document: "page-1".to_owned(),
        resume: None,
        leases: Vec::new(),
    }
}

/// [ROOM-11] Too many unanswered batches, and too many bytes.
#[test]
fn budgets() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    for i in 0..BATCHES_IN_FLIGHT_MAX as u64 {
        stage.push(1, i, &[insert(&doc, 0, "a")]);
    }
    stage.take(1);
    stage.push(1, 1_000, &[insert(&doc, 0, "a")]);
    assert_eq!(stage.answered(1), Err(Refusal::Rate));
    stage.prompt = true;
    stage.answer_all();
    let huge = Bytes::from(vec![0; PUSH_BYTES_BURST as usize - (1 << 20)]);
    stage.push(1, 1_001, &[huge]);
    stage.take(1);
    stage.push(1, 1_002, &[Bytes::from(vec![0; 1 << 20])]);
    assert_eq!(stage.answered(1), Err(Refusal::Rate));
    stage.wait(10_000);
    stage.push(
        1,
        1_003,
        &[insert(
            &new_doc(stage.room.connections[&1].leased[0]),
            0,
            "b",
        )],
    );
    assert_ne!(stage.answered(1), Err(Refusal::Rate));
}

/// [ROOM-12] A room without people folds and goes; a deleted document ends connections.
#[test]
fn endings() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.happens(Event::Leave { connection: 1 });
    stage.wait(IDLE_MS - 1);
    assert!(!stage.evicted);
    stage.prompt = false;
    stage.wait(1);
    assert!(matches!(
        stage.todo[..],
        [Effect::Fold {
            at: Position { seq: 1, .. },
            ..
        }]
    ));
    assert!(!stage.evicted);
    stage.prompt = true;
    stage.answer_all();
    assert!(stage.evicted);

    let mut stage = Stage::new();
    stage.join(1);
    stage.take(1);
    stage.happens(Event::Head(None));
    assert!(
        matches!(&stage.take(1)[..], [ServerFrame::Event { json }] if json.contains("deleted"))
    );
    assert_eq!(stage.closed[&1], CloseCode::NotFound);
    assert!(stage.evicted);
}

/// [ROOM-13] Shutdown waits for the commit, then ends everybody with 1012.
#[test]
fn shutdown() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.prompt = false;
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.push(1, 2, &[insert(&doc, 0, "b")]);
    stage.happens(Event::Shutdown);
    assert!(!stage.evicted && stage.closed.is_empty());
    stage.prompt = true;
    stage.answer_all();
    assert_eq!(
        count(&stage.take(1), |f| matches!(f, ServerFrame::Ack { .. })),
        2
    );
    assert_eq!(stage.closed[&1], CloseCode::Restart);
    assert!(stage.evicted);
    assert_eq!(stage.store.head().seq, 2);
}

/// [ROOM-14] A document has a size limit.
#[test]
fn document_size() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    let text = "x".repeat(100 << 10);
    let mut refused = None;
    for i in 0..40 {
        stage.now_ms += 10_000;
        stage.stuck.clear();
        stage.push(1, i, &[insert(&doc, 0, &text)]);
        if let Err(reason) = stage.answered(1) {
            refused = Some((i, reason));
            break;
        }
    }
    assert_eq!(refused, Some((10, Refusal::TooLarge)));
}

/// [PRES-1] [PRES-2] [PRES-4] Newcomers are told of all, others once of each newcomer and each who goes; the last value wins.
#[test]
fn presence_of_few() {
    let mut stage = Stage::new();
    stage.join(1);
    let blob = |text: &'static str| ClientFrame::Presence {
        blob: Bytes::from_static(text.as_bytes()),
    };
    stage.happens(Event::Frame {
        connection: 1,
        frame: blob("caret"),
    });
    stage.take(1);
    stage.join(2);
    let identity = "{\"user\":\"u2\"}".to_owned();
    let joined = (
        2,
        PresenceKind::Joined {
            identity,
            blob: Bytes::new(),
        },
    );
    assert_eq!(presence(&stage.take(1)), [joined]);
    let seen = presence(&stage.take(2));
    assert_eq!(seen.len(), 2);
    assert!(matches!(&seen[0], (1, PresenceKind::Joined { blob, .. }) if &blob[..] == b"caret"));
    stage.happens(Event::Frame {
        connection: 2,
        frame: blob("x"),
    });
    let changed = PresenceKind::Changed {
        blob: Bytes::from_static(b"x"),
    };
    assert_eq!(presence(&stage.take(1)), [(2, changed)]);
    stage.happens(Event::Leave { connection: 2 });
    assert_eq!(presence(&stage.take(1)), [(2, PresenceKind::Gone)]);
}

/// [PRES-3] Among many, one frame per tick, each change once, the same bytes for all.
#[test]
fn presence_of_many() {
    let mut stage = Stage::new();
    for connection in 1..=10 {
        stage.join(connection);
    }
    stage.wait(PRESENCE_TICK_MS);
    stage.sent.clear();
    stage.raw.clear();
    for round in 0..5u8 {
        for connection in 1..=10 {
            let frame = ClientFrame::Presence {
                blob: vec![round].into(),
            };
            stage.happens(Event::Frame { connection, frame });
        }
    }
    assert!(stage.sent.is_empty());
    stage.wait(PRESENCE_TICK_MS);
    for connection in 1..=10 {
        assert_eq!(stage.raw[&connection].len(), 1);
        assert_eq!(presence(&stage.sent[&connection]).len(), 10);
        assert_eq!(
            stage.raw[&connection][0].as_ptr(),
            stage.raw[&1][0].as_ptr()
        );
    }
}

/// [WIRE-7] PING is answered whatever the state of the document.
#[test]
fn ping_while_loading() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.join_as(1, "u", Rights::Read, None, Vec::new());
    stage.happens(Event::Frame {
        connection: 1,
        frame: ClientFrame::Ping {
            nonce: 5,
            rtt_ms: 0,
        },
    });
    assert_eq!(stage.take(1), [ServerFrame::Pong { nonce: 5 }]);
}

/// [LOG-9] A long tail is folded while people edit; everybody goes on, and newcomers get the snapshot.
#[test]
fn folding_while_editing() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    for i in 0..=FOLD_TAIL_ROWS as u64 {
        stage.push(1, i, &[insert(&doc, 0, "a")]);
    }
    stage.take(1);
    stage.join(2);
    let folded = FOLD_TAIL_ROWS as u64 + 1;
    assert!(
        matches!(stage.sent[&2][1], ServerFrame::Snapshot { position: Position { seq, .. }, .. } if seq == folded)
    );
    stage.push(1, 1_000, &[insert(&doc, 0, "b")]);
    assert_eq!(stage.answered(1), Ok(folded + 1));
}

/// [ROOM-12] A room that only waits is woken a few times in its life, not again and again.
#[test]
fn wakes_are_few() {
    let mut stage = Stage::new();
    let doc = stage.join(1);
    stage.push(1, 1, &[insert(&doc, 0, "a")]);
    stage.prompt = false;
    stage.happens(Event::Leave { connection: 1 });
    let mut ticks = 0;
    while !stage.evicted {
        let wake = stage.wakes.drain(..).next_back();
        let at_ms = wake.expect("somebody wakes it");
        assert!(at_ms > stage.now_ms);
        stage.now_ms = at_ms;
        stage.happens(Event::Tick);
        ticks += 1;
        if stage.now_ms > 2 * STALL_MS {
            stage.answer_all();
        }
    }
    assert!(ticks < 10, "{ticks}");
}

/// [LOG-6] A failed load without anybody there is not tried again and again.
#[test]
fn failed_load_of_nobody() {
    let mut stage = Stage::new();
    let settings = Settings {
        document: "page-1".to_owned(),
        key: LeaseKey::new([7; 32]),
        roots: &[],
        seed: 1,
    };
    (stage.room, _) = Room::new(0, settings);
    stage.prompt = false;
    stage.happens(Event::Loaded(Err(LogError::Unavailable("x".to_owned()))));
    let mut ticks = 0;
    while !stage.evicted {
        stage.now_ms = stage.wakes.drain(..).next_back().expect("a wake");
        stage.happens(Event::Tick);
        ticks += 1;
    }
    assert!(stage.todo.is_empty() && ticks < 5, "{ticks}");
}
