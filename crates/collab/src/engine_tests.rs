//! The shell, with a log in memory that counts and fails on order.

use super::*;
use crate::log::{Answer, Loaded};
use crate::protocol::ServerFrame;
use crate::simulation::store::{Store, insert, new_doc, text};
use std::sync::atomic::AtomicUsize;
use tokio::sync::Semaphore;

/// One store for each document.
#[derive(Default)]
struct MemoryLog {
    stores: Mutex<HashMap<String, Store>>,
    loads: AtomicUsize,
    commits: AtomicUsize,
    /// Appends wait for a permit while there is a gate.
    gate: Option<Semaphore>,
    /// And loads.
    load_gate: Option<Semaphore>,
}

impl MemoryLog {
    fn with<T>(&self, document: &str, run: impl FnOnce(&mut Store) -> T) -> T {
        let mut stores = self.stores.lock().unwrap();
        run(stores.entry(document.to_owned()).or_insert_with(Store::new))
    }

    fn gated() -> Arc<MemoryLog> {
        Arc::new(MemoryLog {
            gate: Some(Semaphore::new(0)),
            ..MemoryLog::default()
        })
    }
}

impl Log for MemoryLog {
    fn load<'a>(&'a self, document: &'a str, since: Option<Position>) -> Answer<'a, Loaded> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if let Some(gate) = &self.load_gate {
                gate.acquire().await.unwrap().forget();
            }
            Ok(self.with(document, |store| store.load(since)))
        })
    }

    fn append(&self, writes: Vec<Append>) -> Answer<'_, Vec<Outcome>> {
        Box::pin(async move {
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            self.commits.fetch_add(1, Ordering::SeqCst);
            let append = |write: Append| {
                self.with(&write.document, |store| {
                    store.append(write.base, &write.rows, write.new_authors)
                })
            };
            Ok(writes.into_iter().map(append).collect())
        })
    }

    fn fold(&self, fold: Fold) -> Answer<'_, ()> {
        Box::pin(async move {
            self.with(&fold.document, |store| store.fold(fold.at, &fold.snapshot));
            Ok(())
        })
    }

    fn heads(&self, documents: Vec<String>) -> Answer<'_, Vec<Option<Position>>> {
        let head = |document: &String| Some(self.with(document, |store| store.head()));
        Box::pin(async move { Ok(documents.iter().map(head).collect()) })
    }
}

fn start(log: &Arc<MemoryLog>) -> Engine {
    let settings = EngineSettings {
        key: LeaseKey::new([7; 32]),
        seed: 1,
        roots: |_| &["title"],
    };
    Engine::start(log.clone(), settings)
}

/// A connection and the document it edits.
struct Person {
    link: Link,
    outbox: Outbox,
    doc: yrs::Doc,
}

impl Person {
    async fn join(engine: &Engine, document: &str) -> Person {
        let identity = "{}".to_owned();
        let who = Who {
            user: "u".to_owned(),
            identity,
            rights: Rights::Write,
        };
        let (link, mut outbox) = engine.join(document, who, Join::default()).await;
        let doc = loop {
            if let ServerFrame::Welcome { lease, .. } = frame(&link, &mut outbox).await.unwrap() {
                break new_doc(lease.client_id);
            }
        };
        Person { link, outbox, doc }
    }

    async fn push(&self, batch_id: u64, new: &str) {
        let updates = vec![insert(&self.doc, 0, new)];
        self.link
            .frame(ClientFrame::Push { batch_id, updates })
            .await;
    }

    /// The next frame of the wanted kind.
    async fn wait<T>(&mut self, wanted: impl Fn(&ServerFrame) -> Option<T>) -> T {
        loop {
            let frame = frame(&self.link, &mut self.outbox)
                .await
                .expect("not the end");
            if let Some(found) = wanted(&frame) {
                return found;
            }
        }
    }

    async fn wait_ack(&mut self) -> u64 {
        let ack = |frame: &ServerFrame| match frame {
            ServerFrame::Ack { position, .. } => Some(position.seq),
            ServerFrame::Nack { reason, .. } => panic!("{reason:?}"),
            _ => None,
        };
        self.wait(ack).await
    }
}

/// The next frame, or how it ended.
async fn frame(link: &Link, outbox: &mut Outbox) -> Result<ServerFrame, CloseCode> {
    match outbox.next().await.expect("a room") {
        Outgoing::Frame(frame) => {
            link.taken(frame.len()).await;
            Ok(ServerFrame::decode(&frame).unwrap())
        }
        Outgoing::Close { code, .. } => Err(code),
    }
}

/// [LOG-5] A commit starts at once; what comes from all rooms while it runs goes into one more.
#[tokio::test]
async fn group_commit() {
    let log = MemoryLog::gated();
    let engine = start(&log);
    let mut people = Vec::new();
    for i in 0..20 {
        people.push(Person::join(&engine, &format!("page-{i}")).await);
    }
    for person in &people {
        person.push(1, "a").await;
    }
    // All rooms have handed in their rows when their pongs are there.
    for person in &mut people {
        person
            .link
            .frame(ClientFrame::Ping {
                nonce: 1,
                rtt_ms: 0,
            })
            .await;
        person
            .wait(|f| matches!(f, ServerFrame::Pong { .. }).then_some(()))
            .await;
    }
    log.gate.as_ref().unwrap().add_permits(2);
    for person in &mut people {
        assert_eq!(person.wait_ack().await, 1);
    }
    assert!(log.commits.load(Ordering::SeqCst) <= 2);
    assert_eq!(engine.stats().updates, 20);
}

/// [LOG-6] Many who come at once share one load.
#[tokio::test]
async fn one_load_for_all() {
    let log = Arc::new(MemoryLog::default());
    let engine = start(&log);
    let joins = (0..30).map(|_| {
        let engine = engine.clone();
        tokio::spawn(async move { Person::join(&engine, "page-1").await })
    });
    let mut people = Vec::new();
    for join in joins.collect::<Vec<_>>() {
        people.push(join.await.unwrap());
    }
    assert_eq!(log.loads.load(Ordering::SeqCst), 1);
    assert_eq!(engine.stats().connections, 30);
}

/// [ROOM-16] A mode holds for open rooms and for those that open later.
#[tokio::test]
async fn modes() {
    let engine = start(&Arc::new(MemoryLog::default()));
    let rights = |frame: &ServerFrame| match frame {
        ServerFrame::Access { rights, .. } => Some(*rights),
        _ => None,
    };
    let mut ann = Person::join(&engine, "page-1").await;
    engine.set_mode(Mode::ReadOnly).await;
    assert_eq!(engine.mode(), Mode::ReadOnly);
    assert_eq!(ann.wait(rights).await, Rights::Read);
    let mut bob = Person::join(&engine, "page-2").await;
    bob.push(1, "a").await;
    let refused = |frame: &ServerFrame| match frame {
        ServerFrame::Nack { reason, .. } => Some(*reason),
        _ => None,
    };
    assert_eq!(bob.wait(refused).await, crate::protocol::Refusal::ReadOnly);
    engine.set_mode(Mode::On).await;
    assert_eq!(bob.wait(rights).await, Rights::Write);
    engine.set_writers_max(1).await;
    let mut cleo = Person::join(&engine, "page-2").await;
    cleo.push(1, "a").await;
    assert_eq!(cleo.wait(refused).await, crate::protocol::Refusal::ReadOnly);
}

/// [ROOM-20] [WIRE-11] Beyond what can be under way and wait, people are asked to come back; those who wait get in.
#[tokio::test]
async fn storm() {
    let log = Arc::new(MemoryLog {
        load_gate: Some(Semaphore::new(0)),
        ..MemoryLog::default()
    });
    let engine = start(&log);
    let joins = (0..100).map(|i| {
        let engine = engine.clone();
        tokio::spawn(async move {
            let who = Who {
                user: "u".to_owned(),
                identity: "{}".to_owned(),
                rights: Rights::Read,
            };
            let document = format!("page-{}", i % 7);
            let (link, mut outbox) = engine.join(&document, who, Join::default()).await;
            let first = outbox.next().await.expect("an answer");
            (first, link, outbox)
        })
    });
    let joins: Vec<_> = joins.collect();
    while engine.stats().joins_turned_away == 0 {
        tokio::task::yield_now().await;
    }
    log.load_gate.as_ref().unwrap().add_permits(100);
    let (mut welcome, mut later) = (0, 0);
    for join in joins {
        let (first, _link, _outbox) = join.await.unwrap();
        match first {
            Outgoing::Frame(_) => welcome += 1,
            Outgoing::Close { code, reason } => {
                assert_eq!(code, CloseCode::TryAgain);
                let wait_ms = reason.strip_prefix("retry_after_ms=").unwrap();
                assert!(wait_ms.parse::<u64>().unwrap() >= RETRY_AFTER_MS);
                later += 1;
            }
        }
    }
    assert!(
        welcome >= JOINS_UNDER_WAY_MAX + JOINS_QUEUED_MAX,
        "{welcome}"
    );
    assert_eq!(welcome + later, 100);
    assert_eq!(engine.stats().joins_turned_away, later as u64);
    assert!(log.loads.load(Ordering::SeqCst) <= 7);
}

/// [ROOM-13] Drain commits and acknowledges what was pushed, then ends with 1012; later joins end so too.
#[tokio::test]
async fn drain() {
    let log = MemoryLog::gated();
    let engine = start(&log);
    let mut ann = Person::join(&engine, "page-1").await;
    ann.push(1, "a").await;
    ann.link
        .frame(ClientFrame::Ping {
            nonce: 1,
            rtt_ms: 0,
        })
        .await;
    ann.wait(|f| matches!(f, ServerFrame::Pong { .. }).then_some(()))
        .await;
    let draining = tokio::spawn({
        let engine = engine.clone();
        async move { engine.drain().await }
    });
    log.gate.as_ref().unwrap().add_permits(1);
    assert_eq!(ann.wait_ack().await, 1);
    let ended = loop {
        if let Err(code) = frame(&ann.link, &mut ann.outbox).await {
            break code;
        }
    };
    assert_eq!(ended, CloseCode::Restart);
    draining.await.unwrap();
    assert_eq!(text(&log.with("page-1", |store| store.document())), "a");
    let who = Who {
        user: String::new(),
        identity: String::new(),
        rights: Rights::Read,
    };
    let (link, mut outbox) = engine.join("page-1", who, Join::default()).await;
    assert_eq!(frame(&link, &mut outbox).await, Err(CloseCode::Restart));
}

/// Saves one edit, pushes another, and is gone with its whole runtime: the state of the document and the edit that was not saved.
fn edit_and_die(log: Arc<MemoryLog>) -> (Vec<u8>, Bytes) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let left = runtime.block_on(async {
        let engine = start(&log);
        let mut ann = Person::join(&engine, "page-1").await;
        log.gate.as_ref().unwrap().add_permits(1);
        ann.push(1, "a").await;
        ann.wait_ack().await;
        let unsaved = insert(&ann.doc, 0, "b");
        let updates = vec![unsaved.clone()];
        let push = ClientFrame::Push {
            batch_id: 2,
            updates,
        };
        ann.link.frame(push).await;
        ann.link
            .frame(ClientFrame::Ping {
                nonce: 1,
                rtt_ms: 0,
            })
            .await;
        ann.wait(|f| matches!(f, ServerFrame::Pong { .. }).then_some(()))
            .await;
        let tx = yrs::Transact::transact(&ann.doc);
        let state = yrs::ReadTxn::encode_state_as_update_v1(&tx, &yrs::StateVector::default());
        (state, unsaved)
    });
    runtime.shutdown_background();
    left
}

/// [LOG-10] An engine that ends without a drain keeps what was acknowledged, and the next one takes the rest again.
#[tokio::test]
async fn killed_in_the_middle() {
    let log = MemoryLog::gated();
    let dying = {
        let log = log.clone();
        std::thread::spawn(move || edit_and_die(log))
    };
    let (state, unsaved) = dying.join().unwrap();
    assert_eq!(text(&log.with("page-1", |store| store.document())), "a");
    log.gate.as_ref().unwrap().add_permits(1);
    let engine = start(&log);
    let scan = crate::scan::scan(&unsaved, &crate::scan::Bounds::snapshot()).unwrap();
    let client_id = scan.brings[0].client;
    let lease = LeaseKey::new([7; 32])
        .lease("page-1", "u", client_id)
        .unwrap();
    let who = Who {
        user: "u".to_owned(),
        identity: "{}".to_owned(),
        rights: Rights::Write,
    };
    let (link, outbox) = engine
        .join(
            "page-1",
            who,
            Join {
                leases: vec![lease],
                ..Join::default()
            },
        )
        .await;
    let doc = new_doc(client_id);
    let mut ann = Person { link, outbox, doc };
    ann.wait(|f| matches!(f, ServerFrame::Welcome { .. }).then_some(()))
        .await;
    // All of it again, known and unknown: [ROOM-4].
    let updates = vec![state.into()];
    let push = ClientFrame::Push {
        batch_id: 1,
        updates,
    };
    ann.link.frame(push).await;
    assert_eq!(ann.wait_ack().await, 2);
    assert_eq!(text(&log.with("page-1", |store| store.document())), "ba");
}

/// [LOG-4] What another process writes is noticed by the watch.
#[tokio::test(start_paused = true)]
async fn watched_log() {
    let log = Arc::new(MemoryLog::default());
    let engine = start(&log);
    let mut ann = Person::join(&engine, "page-1").await;
    log.with("page-1", |store| store.write_aside(77, "x"));
    let batch = |frame: &ServerFrame| match frame {
        ServerFrame::Batch { first_seq, .. } => Some(*first_seq),
        _ => None,
    };
    assert_eq!(ann.wait(batch).await, 1);
}

/// [ROOM-12] A room that nobody is in ends, and opens again for the next.
#[tokio::test(start_paused = true)]
async fn idle_rooms() {
    let log = Arc::new(MemoryLog::default());
    let engine = start(&log);
    let mut ann = Person::join(&engine, "page-1").await;
    ann.push(1, "a").await;
    ann.wait_ack().await;
    drop(ann);
    let ended = engine.inner.room_ended.notified();
    assert_eq!(engine.stats().rooms, 1);
    ended.await;
    assert_eq!((engine.stats().rooms, engine.stats().connections), (0, 0));
    let mut bob = Person::join(&engine, "page-1").await;
    let snapshot = |frame: &ServerFrame| match frame {
        ServerFrame::Snapshot { position, .. } => Some(position.seq),
        _ => None,
    };
    assert_eq!(bob.wait(snapshot).await, 1);
}
