//! What a plan has in store beside people who type, and how the world is put right in the end.

use super::{Chance, Owner, World};
use crate::protocol::{ClientFrame, Request, Rights};
use crate::room::{Event, Mode, Policy};

/// Which troubles a seed brings.
pub(super) struct Plan {
    pub(super) processes: usize,
    pub(super) rogues: usize,
    pub(super) slow_disk: bool,
    full_disk: bool,
    partitions: bool,
    clock_jumps: bool,
    discards: bool,
    rights: bool,
    modes: bool,
    deletion: bool,
}

impl Plan {
    pub(super) fn new(chance: &mut Chance) -> Plan {
        Plan {
            processes: [1, 1, 2, 3][chance.below(4)],
            rogues: [0, 1, 2][chance.below(3)],
            slow_disk: chance.one_in(3),
            full_disk: chance.one_in(3),
            partitions: chance.one_in(2),
            clock_jumps: chance.one_in(3),
            discards: chance.one_in(4),
            rights: chance.one_in(3),
            modes: chance.one_in(4),
            deletion: chance.one_in(20),
        }
    }
}

impl World {
    pub(super) fn trouble(&mut self) {
        let i = self.chance.below(self.clients.len());
        let process = self.chance.below(self.processes.len());
        match self.chance.below(24) {
            0..6 => self.write_aside(),
            6..8 => self.drop_link(Owner::Client(i)),
            8..11 => self.tell_head(process),
            11 if self.chance.one_in(3) => self.kill(process),
            12 if self.plan.discards && self.chance.one_in(3) => self.discard(),
            13 if self.plan.full_disk => self.store.full = self.chance.one_in(2),
            14..16 if self.plan.partitions => {
                let reachable = &mut self.processes[process].cut_off;
                *reachable = !*reachable && self.chance.one_in(2);
            }
            16..18 if self.plan.partitions => self.clients[i].stuck ^= true,
            18 if self.plan.clock_jumps => {
                let far = [-3_600_000, -40_000, -50, 40, 31_000, 3_600_000];
                self.processes[process].skew_ms += far[self.chance.below(far.len())];
            }
            19..21 if self.plan.rights => {
                let rights = [Rights::Write, Rights::Read, Rights::None][self.chance.below(3)];
                self.grant(i, rights);
            }
            21 if self.plan.modes => {
                let mode = [Mode::On, Mode::ReadOnly, Mode::Off][self.chance.below(3)];
                let writers_max = self.chance.below(4);
                self.set_policy(Policy { mode, writers_max });
            }
            22 if self.plan.modes => {
                let what = [Request::Write, Request::LetGo][self.chance.below(2)];
                let frame = ClientFrame::Ask { what };
                if self.clients[i].joined() {
                    self.clients[i].to_server.push_back(frame.encode());
                }
            }
            23 if self.plan.deletion && self.chance.one_in(3) => self.store.gone = true,
            _ => {}
        }
    }

    fn write_aside(&mut self) {
        if self.store.full || self.store.gone {
            return;
        }
        let new = self.new_char();
        self.written_aside.insert(new, self.store.epoch);
        let client = 900_000_000_000 + u64::from(self.next_char);
        self.store.write_aside(client, &new.to_string());
        if self.chance.one_in(2) {
            let process = self.chance.below(self.processes.len());
            self.tell_head(process);
        }
    }

    fn discard(&mut self) {
        if self.store.full || self.store.gone {
            return;
        }
        self.check_log();
        self.store.discard();
        let process = self.chance.below(self.processes.len());
        self.tell_head(process);
    }

    fn grant(&mut self, i: usize, rights: Rights) {
        self.clients[i].granted = rights;
        if let Some((connection, process)) = self.wire_of(Owner::Client(i)) {
            let reason = "by intent".to_owned();
            self.happens(
                process,
                Event::Access {
                    connection,
                    rights,
                    reason,
                },
            );
        }
    }

    fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
        for process in 0..self.processes.len() {
            self.happens(process, Event::Policy(policy));
        }
    }

    /// Everything works again: all come back, and all is delivered.
    pub(super) fn heal(&mut self) {
        self.hurried = false;
        self.store.full = false;
        for process in &mut self.processes {
            process.cut_off = false;
        }
        for i in 0..self.rogues.len() {
            self.drop_link(Owner::Rogue(i));
        }
        self.set_policy(Policy::default());
        for i in 0..self.clients.len() {
            self.grant(i, Rights::Write);
        }
        for round in 0..5_000 {
            self.now_ms += 100;
            self.round();
            if round > 3 && self.is_done() {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn round(&mut self) {
        for process in 0..self.processes.len() {
            self.happens(process, Event::Tick);
            while !self.processes[process].at_rest() {
                self.finish_io_of(process, 0);
            }
            self.tell_head(process);
        }
        for i in 0..self.clients.len() {
            if !self.store.gone {
                self.connect(i);
            }
            self.clients[i].send(10);
            while !self.clients[i].to_server.is_empty() {
                self.server_takes(i);
            }
            while !self.clients[i].from_server.is_empty() && !self.clients[i].offline() {
                self.client_takes(i);
            }
        }
    }

    fn is_done(&self) -> bool {
        if self.store.gone {
            // [ROOM-12] Nobody is left in the room of a deleted page, nor the room.
            return self.wires.is_empty() && !self.processes.iter().any(|p| p.has_room());
        }
        let head = Some(self.store.head());
        self.processes.iter().all(|process| process.at_rest())
            && self
                .clients
                .iter()
                .all(|client| client.quiet() && client.at() == head)
    }

    /// [ROOM-5] Nothing refused is in the log of this epoch, also where nobody sees it.
    pub(super) fn check_log(&self) {
        for update in self.store.ever() {
            for c in String::from_utf8_lossy(update).chars() {
                assert!(!self.forbidden.contains(&c), "{c} was refused and is there");
            }
        }
    }
}
