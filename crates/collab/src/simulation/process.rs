//! A process with a room in it: its I/O, its clock, its way to the log.

use super::{World, store::Store};
use crate::lease::LeaseKey;
use crate::log::{Author, LogError, NewRow, Outcome};
use crate::protocol::{CloseCode, Position, ServerFrame};
use crate::room::{Effect, Event, Room, Settings};
use bytes::Bytes;
use std::collections::VecDeque;

/// I/O that the room has asked for and that takes its time.
pub(super) enum Io {
    Load(Option<Position>),
    Append(Position, Vec<NewRow>, Vec<Author>),
    Fold(Position, Vec<Bytes>, crate::clocks::ClockMap),
}

#[derive(Default)]
pub(super) struct Process {
    room: Option<Room>,
    io: VecDeque<Io>,
    /// How far its clock is off.
    pub(super) skew_ms: i64,
    /// It cannot reach the log.
    pub(super) cut_off: bool,
}

impl Process {
    pub(super) fn at_rest(&self) -> bool {
        self.io.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.room.is_some()
    }
}

fn shown(effect: &Effect) -> String {
    match effect {
        Effect::Send { connection, frame } => {
            format!("to {connection}: {:?}", ServerFrame::decode(frame))
        }
        other => format!("{other:?}"),
    }
}

fn down() -> LogError {
    LogError::Unavailable("by intent".to_owned())
}

/// What becomes of I/O.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Works,
    /// Nothing happens, and that is said.
    Fails,
    /// It happens, and the answer is lost.
    Silent,
}

impl World {
    fn clock_of(&self, process: usize) -> u64 {
        self.now_ms
            .saturating_add_signed(self.processes[process].skew_ms)
    }

    pub(super) fn happens(&mut self, process: usize, event: Event) {
        let now_ms = self.clock_of(process);
        let trace = self.trace;
        if let Some(room) = &mut self.processes[process].room {
            if trace {
                println!("process {process} at {now_ms}: {event:?}");
            }
            room.take(now_ms, event);
            // Several events may come before anything is done about them.
            if self.hurried && self.chance.one_in(3) && !room.ended() {
                return;
            }
            let effects = room.settled(now_ms);
            if trace {
                effects
                    .iter()
                    .for_each(|effect| println!("  {}", shown(effect)));
            }
            room.check_bounds();
            self.perform(process, effects);
        }
    }

    pub(super) fn open_room(&mut self, process: usize) {
        if self.processes[process].room.is_some() {
            return;
        }
        let settings = Settings {
            document: "page-1".to_owned(),
            key: LeaseKey::new([7; 32]),
            roots: &["title"],
            seed: self.chance.below(usize::MAX) as u64,
        };
        let (room, effects) = Room::new(self.clock_of(process), settings);
        self.processes[process].room = Some(room);
        self.perform(process, effects);
        self.happens(process, Event::Policy(self.policy));
    }

    fn perform(&mut self, process: usize, effects: Vec<Effect>) {
        for effect in effects {
            let io = match effect {
                Effect::Send { connection, frame } => {
                    self.deliver(connection, frame);
                    continue;
                }
                Effect::Close {
                    connection, code, ..
                } => {
                    let deleted = code == CloseCode::NotFound;
                    assert_eq!(deleted, deleted && self.store.gone, "ended with 4404");
                    self.cut(connection);
                    continue;
                }
                Effect::Wake { at_ms } => {
                    assert!(at_ms > self.clock_of(process), "woken in the past");
                    continue;
                }
                Effect::Evict => {
                    self.kill(process);
                    continue;
                }
                Effect::Arrived { .. } => continue,
                Effect::Load { since } => Io::Load(since),
                Effect::Append {
                    base,
                    rows,
                    new_authors,
                } => Io::Append(base, rows, new_authors),
                Effect::Fold {
                    at,
                    updates,
                    clocks,
                } => Io::Fold(at, updates, clocks),
            };
            self.processes[process].io.push_back(io);
        }
    }

    /// The room is gone with all that is not committed; clients see their links break.
    pub(super) fn kill(&mut self, process: usize) {
        self.processes[process].room = None;
        self.processes[process].io.clear();
        let here = self.wires.iter().filter(|(_, w)| w.process == process);
        for connection in here.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.cut(connection);
        }
    }

    /// Tells a process of the log's head, if it can know.
    pub(super) fn tell_head(&mut self, process: usize) {
        if !self.processes[process].cut_off {
            let head = Some(self.store.head()).filter(|_| !self.store.gone);
            self.happens(process, Event::Head(head));
        }
    }

    /// `trouble` of 8: how often I/O goes wrong.
    pub(super) fn finish_io(&mut self, trouble: usize) {
        let process = self.chance.below(self.processes.len());
        self.finish_io_of(process, trouble);
    }

    pub(super) fn finish_io_of(&mut self, process: usize, trouble: usize) {
        let Some(io) = self.processes[process].io.pop_front() else {
            return;
        };
        let fate = match self.chance.below(8) < trouble {
            _ if self.processes[process].cut_off => Fate::Fails,
            true if self.chance.one_in(2) => Fate::Silent,
            true => Fate::Fails,
            false => Fate::Works,
        };
        let event = io.finish(&mut self.store, fate);
        self.happens(process, event);
    }
}

impl Io {
    fn finish(self, store: &mut Store, fate: Fate) -> Event {
        match self {
            Io::Load(_) if fate != Fate::Works => Event::Loaded(Err(down())),
            Io::Load(_) if store.gone => Event::Loaded(Err(LogError::Gone)),
            Io::Load(since) => Event::Loaded(Ok(store.load(since))),
            Io::Append(base, rows, new_authors) => {
                if fate == Fate::Fails || (store.full && !store.gone) {
                    return Event::Appended(Err(down()));
                }
                let outcome = if store.gone {
                    Outcome::Gone
                } else {
                    store.append(base, &rows, new_authors)
                };
                Event::Appended(match fate {
                    Fate::Silent => Err(down()),
                    _ => Ok(outcome),
                })
            }
            Io::Fold(at, ..) if fate != Fate::Works || store.full || store.gone => {
                Event::Folded { at, snapshot: None }
            }
            Io::Fold(at, updates, clocks) => {
                let snapshot = crate::hydrate::fold(&updates, &clocks).unwrap();
                store.fold(at, &snapshot);
                let snapshot = Some(snapshot);
                Event::Folded { at, snapshot }
            }
        }
    }
}
