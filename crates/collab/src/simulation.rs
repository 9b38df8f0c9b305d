//! Seeded simulation: rooms, honest clients with real documents, links that delay and break, a log that fails, other writers,
//! discards and restarts. A seed that fails is printed; `SIMULATION_SEED=n cargo test -p collab simulation` plays it again.

mod client;
pub(crate) mod store;

use crate::lease::LeaseKey;
use crate::log::{Author, LogError, NewRow, Outcome};
use crate::protocol::{ClientFrame, Position, Rights, ServerFrame};
use crate::room::{Effect, Event, Join, Room, Settings, Who};
use bytes::Bytes;
use client::Client;
use std::collections::{HashMap, HashSet, VecDeque};
use store::{Store, text};

const SEEDS: u64 = 400;
const STEPS: usize = 500;

/// splitmix64
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// I/O that the room has asked for and that takes its time.
enum Io {
    Load(Option<Position>),
    Append(Position, Vec<NewRow>, Vec<Author>),
    Fold(Position, Vec<Bytes>, crate::clocks::ClockMap),
}

struct World {
    chance: Chance,
    now_ms: u64,
    store: Store,
    room: Option<Room>,
    io: VecDeque<Io>,
    clients: Vec<Client>,
    /// Which client a connection belongs to.
    links: HashMap<u64, usize>,
    next_connection: u64,
    next_char: u32,
    deleted: HashSet<char>,
    written_aside: HashSet<char>,
    discards: bool,
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance(seed);
        let people = 2 + chance.below(6);
        World {
            now_ms: 0,
            store: Store::new(),
            room: None,
            io: VecDeque::new(),
            clients: (0..people).map(|_| Client::new()).collect(),
            links: HashMap::new(),
            next_connection: 1,
            next_char: 0,
            deleted: HashSet::new(),
            written_aside: HashSet::new(),
            discards: chance.below(4) == 0,
            chance,
        }
    }

    fn settings(&mut self) -> Settings {
        Settings {
            document: "page-1".to_owned(),
            key: LeaseKey::new([7; 32]),
            roots: &["title"],
            seed: self.chance.0,
        }
    }

    fn happens(&mut self, event: Event) {
        if let Some(room) = &mut self.room {
            let effects = room.handle(self.now_ms, event);
            self.perform(effects);
        }
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send { connection, frame } => self.deliver(connection, frame),
                Effect::Close { connection, .. } => self.cut(connection),
                Effect::Load { since } => self.io.push_back(Io::Load(since)),
                Effect::Append {
                    base,
                    rows,
                    new_authors,
                } => self.io.push_back(Io::Append(base, rows, new_authors)),
                Effect::Fold {
                    at,
                    updates,
                    clocks,
                } => {
                    self.io.push_back(Io::Fold(at, updates, clocks));
                }
                Effect::Wake { at_ms } => assert!(at_ms > self.now_ms),
                Effect::Arrived { .. } => {}
                Effect::Evict => self.kill(),
            }
        }
    }

    /// [LOG-2] Whatever is sent of edits is in the log by then.
    fn deliver(&mut self, connection: u64, frame: Bytes) {
        let Some(client) = self.links.get(&connection).map(|i| &mut self.clients[*i]) else {
            return;
        };
        match ServerFrame::decode(&frame).unwrap() {
            ServerFrame::Ack { batch_id, position } => {
                assert!(position.seq <= self.store.head().seq);
                for update in client.batch(batch_id) {
                    assert!(self.store.has(&update), "acknowledged and not in the log");
                }
            }
            ServerFrame::Batch { epoch, updates, .. } if epoch == self.store.epoch => {
                for (_, update) in &updates {
                    assert!(self.store.has(update), "shown and not in the log");
                }
            }
            _ => {}
        }
        client.from_server.push_back(frame);
    }

    fn cut(&mut self, connection: u64) {
        if let Some(client) = self.links.remove(&connection) {
            self.clients[client].cut();
        }
    }

    /// The room is gone with all that is not committed; clients see their links break.
    fn kill(&mut self) {
        self.room = None;
        self.io.clear();
        for connection in self.links.keys().copied().collect::<Vec<_>>() {
            self.cut(connection);
        }
    }

    fn connection_of(&self, client: usize) -> Option<u64> {
        self.links
            .iter()
            .find(|(_, c)| **c == client)
            .map(|(id, _)| *id)
    }

    fn connect(&mut self, i: usize) {
        if !self.clients[i].offline() {
            return;
        }
        if self.room.is_none() {
            let settings = self.settings();
            let (room, effects) = Room::new(self.now_ms, settings);
            self.room = Some(room);
            self.perform(effects);
        }
        let connection = self.next_connection;
        self.next_connection += 1;
        self.links.insert(connection, i);
        let (resume, leases) = self.clients[i].hello();
        let identity = format!("{{\"user\":\"u{i}\"}}");
        let who = Who {
            user: format!("u{i}"),
            identity,
            rights: Rights::Write,
        };
        self.happens(Event::Join {
            connection,
            who,
            join: Join {
                resume,
                leases,
                ..Join::default()
            },
        });
    }

    fn drop_link(&mut self, i: usize) {
        if let Some(connection) = self.connection_of(i) {
            self.cut(connection);
            self.happens(Event::Leave { connection });
        }
    }

    fn server_takes(&mut self, i: usize) {
        if let Some(connection) = self.connection_of(i)
            && let Some(bytes) = self.clients[i].to_server.pop_front()
        {
            let frame = ClientFrame::decode(&bytes).unwrap();
            self.happens(Event::Frame { connection, frame });
        }
    }

    fn client_takes(&mut self, i: usize) {
        if let Some(connection) = self.connection_of(i)
            && let Some(bytes) = self.clients[i].from_server.pop_front()
        {
            let reconnect = self.clients[i].receive(ServerFrame::decode(&bytes).unwrap());
            self.happens(Event::Taken {
                connection,
                bytes: bytes.len(),
            });
            if reconnect {
                self.drop_link(i);
            }
        }
    }

    fn new_char(&mut self) -> char {
        self.next_char += 1;
        // Every third one is a surrogate pair in UTF-16.
        let base = if self.next_char.is_multiple_of(3) {
            0x2_0000
        } else {
            0x4e00
        };
        char::from_u32(base + self.next_char).unwrap()
    }

    /// `trouble` of 8: how often I/O goes wrong.
    fn finish_io(&mut self, trouble: usize) {
        let Some(io) = self.io.pop_front() else {
            return;
        };
        let down = || LogError::Unavailable("by intent".to_owned());
        let wrong = self.chance.below(8) < trouble;
        match io {
            Io::Load(_) if wrong => self.happens(Event::Loaded(Err(down()))),
            Io::Load(since) => {
                let loaded = self.store.load(since);
                self.happens(Event::Loaded(Ok(loaded)));
            }
            Io::Append(base, rows, new_authors) => {
                // A commit whose answer is lost may have happened.
                let reached = !wrong || self.chance.below(2) == 0;
                let outcome = if reached {
                    self.store.append(base, &rows, new_authors)
                } else {
                    Outcome::Committed
                };
                self.happens(Event::Appended(if wrong {
                    Err(down())
                } else {
                    Ok(outcome)
                }));
            }
            Io::Fold(at, ..) if wrong => self.happens(Event::Folded { at, snapshot: None }),
            Io::Fold(at, updates, clocks) => {
                let snapshot = crate::hydrate::fold(&updates, &clocks).unwrap();
                self.store.fold(at, &snapshot);
                self.happens(Event::Folded {
                    at,
                    snapshot: Some(snapshot),
                });
            }
        }
    }

    fn write_aside(&mut self) {
        let new = self.new_char();
        self.written_aside.insert(new);
        let client = 900_000_000_000 + u64::from(self.next_char);
        self.store.write_aside(client, &new.to_string());
        if self.chance.below(2) == 0 {
            let head = Some(self.store.head());
            self.happens(Event::Head(head));
        }
    }

    fn discard(&mut self) {
        self.store.discard();
        self.deleted.clear();
        self.written_aside.clear();
        for client in &mut self.clients {
            client.saved.clear();
        }
        let head = Some(self.store.head());
        self.happens(Event::Head(head));
    }

    fn step(&mut self) {
        let i = self.chance.below(self.clients.len());
        match self.chance.below(64) {
            0..14 => {
                let (at, new) = (self.chance.below(1_000), self.new_char());
                self.clients[i].type_char(at, new);
            }
            14..16 => {
                let at = self.chance.below(1_000);
                self.deleted.extend(self.clients[i].delete(at));
            }
            16..26 => {
                let most = 1 + self.chance.below(4);
                self.clients[i].send(most);
            }
            26..37 => self.server_takes(i),
            37..47 => self.client_takes(i),
            47..54 => self.finish_io(1),
            54..58 => self.connect(i),
            58 => self.drop_link(i),
            59..62 => {
                self.now_ms += [1, 20, 60, 7_000][self.chance.below(4)];
                self.happens(Event::Tick);
            }
            62 => match self.chance.below(8) {
                0 => self.kill(),
                1 if self.discards => self.discard(),
                _ => {}
            },
            _ => self.write_aside(),
        }
    }

    /// Everything works again: all come back, and all is delivered.
    fn heal(&mut self) {
        for round in 0..5_000 {
            self.now_ms += 100;
            self.happens(Event::Tick);
            while !self.io.is_empty() {
                self.finish_io(0);
            }
            let head = Some(self.store.head());
            self.happens(Event::Head(head));
            for i in 0..self.clients.len() {
                self.connect(i);
                self.clients[i].send(10);
                while !self.clients[i].to_server.is_empty() {
                    self.server_takes(i);
                }
                while !self.clients[i].from_server.is_empty() && !self.clients[i].offline() {
                    self.client_takes(i);
                }
            }
            let head = Some(self.store.head());
            let done = |client: &Client| client.quiet() && client.at() == head;
            if round > 3 && self.io.is_empty() && self.clients.iter().all(done) {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    /// [LOG-10] [ROOM-4] All replicas are the log; what was saved is there; nothing is there twice.
    fn check(&self) {
        let expected = text(&self.store.document());
        for client in &self.clients {
            assert_eq!(
                text(client.doc.as_ref().unwrap()),
                expected,
                "replicas differ"
            );
        }
        let mut count: HashMap<char, usize> = HashMap::new();
        for c in expected.chars() {
            *count.entry(c).or_default() += 1;
        }
        assert!(count.values().all(|n| *n == 1), "something is there twice");
        let saved = self.clients.iter().flat_map(|client| &client.saved);
        for c in saved
            .chain(&self.written_aside)
            .filter(|c| !self.deleted.contains(c))
        {
            assert!(count.contains_key(c), "{c} was saved and is missing");
        }
    }
}

fn play(seed: u64) -> usize {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.heal();
    world.check();
    world.clients.iter().map(|client| client.saved.len()).sum()
}

/// [LOG-1] [LOG-2] [LOG-3] [LOG-4] [LOG-10] [ROOM-1] [ROOM-3] [ROOM-4] [ROOM-6] [ROOM-7] [ROOM-10] Whatever happens, nothing saved is
/// lost, nothing is doubled, and all end equal.
#[test]
fn simulation() {
    let seeds = match std::env::var("SIMULATION_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 0..=SEEDS,
    };
    let mut saved = 0;
    for seed in seeds.clone() {
        let played = std::panic::catch_unwind(|| play(seed));
        saved += played.unwrap_or_else(|_| panic!("SIMULATION_SEED={seed} fails"));
    }
    // The simulation must not be empty: people do get their edits saved.
    assert!(
        saved as u64 > 10 * (seeds.end() - seeds.start()),
        "only {saved} edits were saved"
    );
}
