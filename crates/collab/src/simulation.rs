//! Seeded simulation: processes with rooms over one log, honest clients with real documents and hostile ones without, links that
//! delay and break, a log that is slow, full, out of reach or silent about a commit, clocks that jump, other writers, rights that
//! change while people type, discards, deletion and restarts.
//!
//! A seed that fails is printed as the line to add to `fixtures/simulation/plans.txt`; what stands there is always played first.
//! `SIMULATION_SEED=n` plays one seed and prints what happens, `SIMULATION_SEEDS=n` plays so many.

mod client;
mod process;
mod rogue;
pub(crate) mod store;
mod troubles;

use crate::protocol::{ClientFrame, Refusal, Rights, ServerFrame};
use crate::room::{Event, Join, Policy, Who};
use bytes::Bytes;
use client::Client;
use process::Process;
use rogue::Rogue;
use std::collections::{HashMap, HashSet};
use store::{Store, text};
use troubles::Plan;

const SEEDS: u64 = 3_000;
const STEPS: usize = 450;

/// splitmix64
pub(super) struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Whose a connection is.
#[derive(Clone, Copy, PartialEq)]
enum Owner {
    Client(usize),
    Rogue(usize),
}

struct Wire {
    owner: Owner,
    process: usize,
}

struct World {
    chance: Chance,
    plan: Plan,
    trace: bool,
    /// Rooms do nothing after some events, and catch up after others.
    hurried: bool,
    now_ms: u64,
    store: Store,
    processes: Vec<Process>,
    clients: Vec<Client>,
    rogues: Vec<Rogue>,
    wires: HashMap<u64, Wire>,
    policy: Policy,
    next_connection: u64,
    next_char: u32,
    deleted: HashSet<char>,
    /// What other processes wrote, and in which epoch.
    written_aside: HashMap<char, u64>,
    /// What must never get into the log.
    forbidden: HashSet<char>,
    /// What must never be seen in a document.
    hidden: HashSet<char>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut chance = Chance(seed);
        let plan = Plan::new(&mut chance);
        let people = 2 + chance.below(6);
        World {
            now_ms: 10_000_000,
            store: Store::new(),
            processes: (0..plan.processes).map(|_| Process::default()).collect(),
            clients: (0..people).map(|_| Client::new()).collect(),
            rogues: (0..plan.rogues).map(|_| Rogue::default()).collect(),
            wires: HashMap::new(),
            policy: Policy::default(),
            next_connection: 1,
            next_char: 0,
            deleted: HashSet::new(),
            written_aside: HashMap::new(),
            forbidden: HashSet::new(),
            hidden: HashSet::new(),
            plan,
            hurried: true,
            trace: number("SIMULATION_SEED").is_some(),
            chance,
        }
    }

    /// [LOG-2] Whatever is sent of edits is in the log by then. [ROOM-5] Nothing of a refused batch is.
    fn deliver(&mut self, connection: u64, frame: Bytes) {
        let Some(Wire { owner, .. }) = self.wires.get(&connection) else {
            return;
        };
        let owner = *owner;
        let decoded = ServerFrame::decode(&frame).unwrap();
        if let ServerFrame::Batch { epoch, updates, .. } = &decoded
            && *epoch == self.store.epoch
        {
            for (_, update) in updates {
                assert!(self.store.has(update), "shown and not in the log");
            }
        }
        match owner {
            Owner::Rogue(i) => self.rogues[i].hear(decoded, frame.len(), &self.store),
            Owner::Client(i) => {
                self.hold_against_the_log(i, &decoded);
                self.clients[i].from_server.push_back(frame);
            }
        }
    }

    fn hold_against_the_log(&self, i: usize, frame: &ServerFrame) {
        let client = &self.clients[i];
        match frame {
            ServerFrame::Ack { batch_id, position } => {
                assert!(position.seq <= self.store.head().seq);
                for update in client.batch(*batch_id) {
                    let there = self.store.has(&update) || position.epoch != self.store.epoch;
                    assert!(there, "acknowledged and not in the log");
                }
            }
            ServerFrame::Nack {
                batch_id, reason, ..
            } if *reason != Refusal::Unavailable => {
                for update in client.sent_once(*batch_id) {
                    assert!(!self.store.has(&update), "refused, and in the log");
                }
            }
            _ => {}
        }
    }

    fn cut(&mut self, connection: u64) {
        match self.wires.remove(&connection).map(|wire| wire.owner) {
            Some(Owner::Client(i)) => self.clients[i].cut(),
            Some(Owner::Rogue(i)) => self.rogues[i] = Rogue::default(),
            None => {}
        }
    }

    fn wire_of(&self, owner: Owner) -> Option<(u64, usize)> {
        let mut wires = self.wires.iter();
        wires
            .find(|(_, wire)| wire.owner == owner)
            .map(|(id, wire)| (*id, wire.process))
    }

    /// A new connection to some process that is alive or starts.
    fn wire(&mut self, owner: Owner, user: String, rights: Rights, join: Join) {
        let process = self.chance.below(self.processes.len());
        self.open_room(process);
        let connection = self.next_connection;
        self.next_connection += 1;
        self.wires.insert(connection, Wire { owner, process });
        let who = Who {
            identity: format!("{{\"user\":\"{user}\"}}"),
            user,
            rights,
        };
        self.happens(
            process,
            Event::Join {
                connection,
                who,
                join,
            },
        );
    }

    fn connect(&mut self, i: usize) {
        if !self.clients[i].offline() {
            return;
        }
        let (resume, leases) = self.clients[i].hello();
        let rights = self.clients[i].granted;
        let join = Join {
            resume,
            leases,
            ..Join::default()
        };
        self.wire(Owner::Client(i), format!("u{i}"), rights, join);
    }

    fn drop_link(&mut self, owner: Owner) {
        if let Some((connection, process)) = self.wire_of(owner) {
            self.cut(connection);
            self.happens(process, Event::Leave { connection });
        }
    }

    fn server_takes(&mut self, i: usize) {
        if let Some((connection, process)) = self.wire_of(Owner::Client(i))
            && let Some(bytes) = self.clients[i].to_server.pop_front()
        {
            let frame = ClientFrame::decode(&bytes).unwrap();
            self.happens(process, Event::Frame { connection, frame });
        }
    }

    fn client_takes(&mut self, i: usize) {
        if let Some((connection, process)) = self.wire_of(Owner::Client(i))
            && let Some(bytes) = self.clients[i].from_server.pop_front()
        {
            let reconnect = self.clients[i].receive(ServerFrame::decode(&bytes).unwrap());
            let bytes = bytes.len();
            self.happens(process, Event::Taken { connection, bytes });
            if reconnect {
                self.drop_link(Owner::Client(i));
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

    fn step(&mut self) {
        let i = self.chance.below(self.clients.len());
        let stuck = self.clients[i].stuck;
        match self.chance.below(100) {
            0..21 => {
                let (at, new) = (self.chance.below(1_000), self.new_char());
                self.clients[i].type_char(at, new);
            }
            21..24 => {
                let at = self.chance.below(1_000);
                self.deleted.extend(self.clients[i].delete(at));
            }
            24..39 => {
                let most = 1 + self.chance.below(4);
                self.clients[i].send(most);
            }
            39..55 if !stuck => self.server_takes(i),
            55..71 if !stuck => self.client_takes(i),
            71..82 if !self.plan.slow_disk || self.chance.one_in(4) => self.finish_io(1),
            82..87 => self.connect(i),
            87..91 => {
                self.now_ms += [1, 20, 60, 7_000][self.chance.below(4)];
                let process = self.chance.below(self.processes.len());
                self.happens(process, Event::Tick);
            }
            91..95 => self.rogue_acts(),
            95..100 => self.trouble(),
            _ => {}
        }
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
        for (c, _) in saved
            .chain(&self.written_aside)
            .filter(|(c, epoch)| **epoch == self.store.epoch && !self.deleted.contains(c))
        {
            assert!(count.contains_key(c), "{c} was saved and is missing");
        }
        for c in self.forbidden.iter().chain(&self.hidden) {
            assert!(!count.contains_key(c), "{c} was refused and is there");
        }
    }
}

fn play(seed: u64) -> usize {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.heal();
    if !world.store.gone {
        world.check();
    }
    world.check_log();
    world.clients.iter().map(|client| client.saved.len()).sum()
}

/// Seeds that found something once.
fn kept() -> Vec<u64> {
    let plans = include_str!("../../../fixtures/simulation/plans.txt");
    let seeds = plans
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().parse().ok());
    seeds.collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// How many edits were saved, and which seeds fail.
fn play_all(seeds: &[u64]) -> (usize, Vec<u64>) {
    let (mut saved, mut failed) = (0, Vec::new());
    for seed in seeds {
        match std::panic::catch_unwind(|| play(*seed)) {
            Ok(edits) => saved += edits,
            Err(_) => {
                println!("add to fixtures/simulation/plans.txt: `{seed} # what it was`");
                failed.push(*seed);
            }
        }
    }
    (saved, failed)
}

/// [LOG-1] [LOG-2] [LOG-3] [LOG-4] [LOG-10] [ROOM-1] [ROOM-2] [ROOM-3] [ROOM-4] [ROOM-5] [ROOM-6] [ROOM-7] [ROOM-8] [ROOM-9]
/// [ROOM-10] [ROOM-11] [ROOM-19] Whatever happens, nothing saved is lost, nothing is doubled, nothing refused is kept, memory stays
/// bounded, and all end equal.
#[test]
fn simulation() {
    let seeds: Vec<u64> = match number("SIMULATION_SEED") {
        Some(seed) => vec![seed],
        None => {
            let more = 0..number("SIMULATION_SEEDS").unwrap_or(SEEDS);
            kept().into_iter().chain(more).collect()
        }
    };
    let half = seeds.len().div_ceil(2);
    let parts: Vec<_> = std::thread::scope(|scope| {
        let parts: Vec<_> = seeds
            .chunks(half)
            .map(|part| scope.spawn(|| play_all(part)))
            .collect();
        parts.into_iter().map(|part| part.join().unwrap()).collect()
    });
    let failed: Vec<_> = parts.iter().flat_map(|(_, failed)| failed).collect();
    assert!(failed.is_empty(), "plans fail: {failed:?}");
    let saved: usize = parts.iter().map(|(saved, _)| saved).sum();
    // The simulation must not be empty: people do get their edits saved.
    assert!(saved > 10 * seeds.len(), "only {saved} edits were saved");
}
