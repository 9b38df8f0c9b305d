//! Joining, leaving, rights, and what each connection is sent and when.

use super::{Dialect, Effect, Join, Phase, Room, Who};
use crate::budget::Budget;
use crate::history::Place;
use crate::limits::*;
use crate::protocol::{
    Cause, ClientFrame, CloseCode, Lease, Position, Refusal, Rights, ServerFrame,
};
use bytes::Bytes;
use std::collections::VecDeque;

/// How far a connection is with its join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits for the load with its HELLO.
    Waiting {
        resume: Option<Position>,
        leases: Vec<Lease>,
    },
    Joined,
    /// Was told of a new epoch and has not said HELLO again.
    Reset,
}

/// Answers that a connection keeps memory for while it has none.
const IDLE_ANSWERS: usize = 4;

/// One link to a client.
pub(super) struct Connection {
    pub(super) who: Who,
    pub(super) dialect: Dialect,
    pub(super) stage: Stage,
    /// What it may do now, and why not more.
    pub(super) rights: Rights,
    pub(super) cause: Cause,
    /// Its rights have changed and it has not been told yet.
    pub(super) access_due: Option<String>,
    /// It waits for a place to write.
    pub(super) asks: bool,
    pub(super) asked_at_ms: Option<u64>,
    pub(super) edited_at_ms: u64,
    /// Client ids it may use.
    pub(super) leased: Vec<u64>,
    /// What it was sent of the log.
    pub(super) place: Place,
    pub(super) presence_seen: u64,
    /// When it last changed its presence, and the newest blob that came too soon after that.
    pub(super) presence_at_ms: Option<u64>,
    pub(super) presence_waits: Option<Bytes>,
    /// Frames for it alone, which come before everything else.
    pub(super) answers: VecDeque<Bytes>,
    /// Whether it is among those that get something next.
    due: bool,
    /// Bytes it was given and has not written.
    in_flight: usize,
    taken_at_ms: u64,
    pub(super) unanswered: usize,
    pub(super) budget: Budget,
}

impl Connection {
    pub(super) fn joined(&self) -> bool {
        self.stage == Stage::Joined
    }
}

#[cfg(test)]
impl Connection {
    /// [ROOM-21] Bytes that the room holds for it alone.
    pub(super) fn memory(&self) -> usize {
        let answers: usize = self.answers.iter().map(Bytes::len).sum();
        let texts = self.who.user.len() + self.who.identity.len();
        let waits = self.presence_waits.as_ref().map_or(0, Bytes::len);
        size_of::<Connection>()
            + texts
            + waits
            + answers
            + self.answers.capacity() * size_of::<Bytes>()
            + self.leased.capacity() * 8
    }

    pub(super) fn check_bounds(&self, frame_bytes: usize) {
        assert!(self.in_flight <= WINDOW_BYTES + frame_bytes);
        assert!(self.unanswered <= BATCHES_IN_FLIGHT_MAX);
        assert!(self.answers.len() <= ANSWERS_MAX + 1);
    }
}

impl Room {
    pub(super) fn join(&mut self, now_ms: u64, id: u64, who: Who, join: Join) {
        let Join {
            dialect,
            resume,
            leases,
        } = join;
        if self.closing {
            return self.refuse_join(id, CloseCode::Restart, "the server restarts");
        }
        if matches!(self.phase, Phase::Failed { retry_at_ms } if now_ms < retry_at_ms) {
            return self.refuse_join(id, CloseCode::TryAgain, "the page could not be loaded");
        }
        if self.connections.len() >= JOINS_WAITING_MAX {
            return self.refuse_join(id, CloseCode::TryAgain, "too many at once");
        }
        if who.rights == Rights::None {
            return self.refuse_join(id, CloseCode::Forbidden, "no right to read");
        }
        let (rights, cause) = self.first_rights(who.rights);
        let connection = Connection {
            who,
            dialect,
            rights,
            cause,
            access_due: None,
            asks: false,
            asked_at_ms: None,
            edited_at_ms: now_ms,
            stage: Stage::Waiting { resume, leases },
            leased: Vec::new(),
            place: Place::Nothing,
            presence_seen: 0,
            presence_at_ms: None,
            presence_waits: None,
            answers: VecDeque::new(),
            due: false,
            in_flight: 0,
            taken_at_ms: now_ms,
            unanswered: 0,
            budget: Budget::new(now_ms),
        };
        self.connections.insert(id, connection);
        self.arriving.push((now_ms, id));
        if self.phase == Phase::Ready {
            self.welcome(now_ms, id);
        }
    }

    fn refuse_join(&mut self, connection: u64, code: CloseCode, reason: &'static str) {
        self.out.push(Effect::Close {
            connection,
            code,
            reason: reason.into(),
        });
    }

    /// [ROOM-20] Says which joins are done, so that others can begin.
    pub(super) fn settle_arrivals(&mut self, now_ms: u64) {
        let (connections, shown) = (&self.connections, self.shown);
        let out = &mut self.out;
        self.arriving.retain(|(since_ms, id)| {
            let under_way = connections.get(id).is_some_and(|connection| {
                let given = matches!(connection.place, Place::At(seq) if seq >= shown);
                !(connection.joined() && given)
            });
            let arrives = under_way && now_ms < since_ms + JOIN_SLOW_MS;
            if !arrives {
                out.push(Effect::Arrived { connection: *id });
            }
            arrives
        });
    }

    /// Answers a HELLO; the state of the log is known.
    pub(super) fn welcome(&mut self, now_ms: u64, id: u64) {
        if self
            .connections
            .get(&id)
            .is_none_or(|c| !matches!(c.stage, Stage::Waiting { .. }))
        {
            return;
        }
        if self.connections.get(&id).map(|c| c.dialect) == Some(Dialect::Yjs) {
            return self.welcome_yjs(now_ms, id);
        }
        let Some((lease, resume)) = self.lease_ids(id) else {
            return;
        };
        self.take_over(now_ms, id);
        let (Some(history), Some(connection)) = (&self.history, self.connections.get_mut(&id))
        else {
            return;
        };
        let head = history.head();
        connection.place = resume
            .filter(|at| at.epoch == head.epoch)
            .map(|at| at.seq)
            .filter(|seq| (history.snapshot_seq()..=head.seq).contains(seq))
            .map_or(Place::Nothing, Place::At);
        let welcome = ServerFrame::Welcome {
            epoch: head.epoch,
            head_seq: head.seq,
            rights: connection.rights,
            cause: connection.cause,
            connection_id: id,
            lease,
            update_bytes_max: UPDATE_BYTES_MAX as u64,
            snapshot_follows: connection.place == Place::Nothing,
        };
        connection.answers.push_back(welcome.encode());
        self.people.join(id, connection.who.identity.clone());
        self.presence_due = true;
        self.broadcast_due |= self.shown < head.seq;
        self.later(now_ms, id);
    }

    /// [ROOM-2] Ends the wait of a connection: leases it a new client id, and those of before that it has proofs of.
    fn lease_ids(&mut self, id: u64) -> Option<(Lease, Option<Position>)> {
        let client_id = self.new_client_id()?;
        let connection = self.connections.get_mut(&id)?;
        let (document, user) = (&self.settings.document, &connection.who.user);
        let lease = self.settings.key.lease(document, user, client_id)?;
        let Stage::Waiting { resume, leases } =
            std::mem::replace(&mut connection.stage, Stage::Joined)
        else {
            return None;
        };
        let held = leases
            .iter()
            .filter(|lease| self.settings.key.holds(document, user, lease));
        connection.leased = held
            .map(|lease| lease.client_id)
            .chain([client_id])
            .collect();
        connection.leased.shrink_to_fit();
        Some((lease, resume))
    }

    /// A client id that nobody has used in this document: 32 bits with the highest set; those below are the server's own.
    fn new_client_id(&mut self) -> Option<u64> {
        for _ in 0..64 {
            // splitmix64 over a seed from the shell
            self.ids_made = self.ids_made.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.settings.seed.wrapping_add(self.ids_made);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let id = (z ^ (z >> 31)) & 0xffff_ffff | SERVER_CLIENT_IDS;
            if self.clocks.get(id) == 0 && self.authors.user_of(id).is_none() {
                return Some(id);
            }
        }
        None
    }

    pub(super) fn frame(&mut self, now_ms: u64, id: u64, frame: ClientFrame) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        match frame {
            ClientFrame::Ping { nonce, .. } => {
                self.answer(now_ms, id, &ServerFrame::Pong { nonce })
            }
            ClientFrame::Push { batch_id, updates } => self.push(now_ms, id, batch_id, updates),
            ClientFrame::Presence { blob } => self.set_presence(now_ms, id, blob),
            ClientFrame::Hello { resume, leases, .. } if connection.stage == Stage::Reset => {
                connection.stage = Stage::Waiting { resume, leases };
                if self.phase == Phase::Ready {
                    self.welcome(now_ms, id);
                }
            }
            ClientFrame::Hello { .. } => self.end(id, CloseCode::Protocol, "a second hello"),
            ClientFrame::Auth { .. } => {
                self.end(id, CloseCode::Protocol, "auth comes before hello")
            }
            ClientFrame::Ask { what } => self.ask(now_ms, id, what),
        }
    }

    pub(super) fn taken(&mut self, now_ms: u64, id: u64, bytes: usize) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.in_flight = connection.in_flight.saturating_sub(bytes);
            connection.taken_at_ms = now_ms;
            if connection.answers.is_empty() && connection.answers.capacity() > IDLE_ANSWERS {
                connection.answers = VecDeque::new();
            }
            self.later(now_ms, id);
        }
    }

    pub(super) fn leave(&mut self, now_ms: u64, id: u64) {
        if let Some(connection) = self.connections.remove(&id) {
            self.leave_turns(id, &connection);
            self.forget_yjs(id);
            self.people.leave(id);
            self.presence_due = true;
            self.empty_since_ms = now_ms;
        }
    }

    /// Ends a connection from this side.
    pub(super) fn end(&mut self, id: u64, code: CloseCode, reason: &'static str) {
        if let Some(mut connection) = self.connections.remove(&id) {
            self.leave_turns(id, &connection);
            for frame in connection.answers.drain(..) {
                self.out.push(Effect::Send {
                    connection: id,
                    frame,
                });
            }
            self.out.push(Effect::Close {
                connection: id,
                code,
                reason: reason.into(),
            });
            self.forget_yjs(id);
            self.people.leave(id);
            self.presence_due = true;
        }
    }

    pub(super) fn notify(&mut self, json: String) {
        let frame = ServerFrame::Event { json }.encode();
        for connection in self
            .connections
            .values_mut()
            .filter(|c| c.joined() && c.rights != Rights::None && c.dialect == Dialect::Native)
        {
            connection.answers.push_back(frame.clone());
        }
        self.broadcast_due = true;
    }

    pub(super) fn nack(&mut self, now_ms: u64, id: u64, batch_id: u64, reason: Refusal) {
        self.counted.refused.note(reason);
        let message = reason.message().to_owned();
        self.answer(
            now_ms,
            id,
            &ServerFrame::Nack {
                batch_id,
                reason,
                message,
            },
        );
    }

    /// Sends a frame to one connection, before everything else it waits for.
    pub(super) fn answer(&mut self, now_ms: u64, id: u64, frame: &ServerFrame) {
        if let Some(connection) = self.connections.get_mut(&id) {
            if connection.dialect == Dialect::Yjs {
                return self.answer_yjs(now_ms, id, frame);
            }
            connection.answers.push_back(frame.encode());
            self.later(now_ms, id);
        }
    }

    /// Notes that a connection may have something to get, once all events at hand are taken.
    pub(super) fn later(&mut self, now_ms: u64, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.in_flight == 0 {
            connection.taken_at_ms = now_ms;
        }
        if !std::mem::replace(&mut connection.due, true) {
            self.due.push(id);
        }
    }

    pub(super) fn pump_due(&mut self, now_ms: u64) {
        for id in std::mem::take(&mut self.due) {
            self.pump(now_ms, id);
        }
    }

    /// How many updates the connection furthest behind has not been given.
    pub(super) fn lag(&self) -> u64 {
        let behind = |c: &Connection| match c.place {
            Place::At(seq) | Place::Parts { seq, .. } => self.shown.saturating_sub(seq),
            Place::Nothing => 0,
        };
        self.connections.values().map(behind).max().unwrap_or(0)
    }

    pub(super) fn pump_all(&mut self, now_ms: u64) {
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.pump(now_ms, id);
        }
    }

    /// [ROOM-7] Gives a connection what it can take now: answers, then the log from its place on, then presence.
    pub(super) fn pump(&mut self, now_ms: u64, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.due = false;
        if connection.in_flight == 0 {
            connection.taken_at_ms = now_ms;
        }
        while connection.in_flight < WINDOW_BYTES {
            let frame = if let Some(answer) = connection.answers.pop_front() {
                answer
            } else if !connection.joined() || connection.rights == Rights::None {
                return;
            } else if connection.dialect == Dialect::Yjs {
                let (history, until) = (self.history.as_ref(), self.shown);
                let next = self.yjs.as_mut().and_then(|side| {
                    side.next(id, history, &mut connection.place, until, self.presence_due)
                });
                match next {
                    Some(message) => message,
                    None => return,
                }
            } else if let Some((frame, place)) = self
                .history
                .as_mut()
                .and_then(|h| h.next_frame(connection.place, self.shown))
            {
                connection.place = place;
                frame
            } else if self.presence_due {
                return;
            } else if let Some(news) = self.people.news(connection.presence_seen) {
                connection.presence_seen = self.people.version();
                news
            } else {
                return;
            };
            connection.in_flight += frame.len();
            self.out.push(Effect::Send {
                connection: id,
                frame,
            });
        }
        if connection.answers.len() > ANSWERS_MAX {
            self.end(id, CloseCode::TryAgain, "too slow");
        }
    }

    /// Looks at everybody, so it does that only when the first of them may have stalled.
    pub(super) fn end_stalled(&mut self, now_ms: u64) {
        if now_ms < self.stall_at_ms {
            return;
        }
        let mut stalled = Vec::new();
        self.stall_at_ms = now_ms + STALL_MS;
        for (id, connection) in self.connections.iter().filter(|(_, c)| c.in_flight > 0) {
            let at_ms = connection.taken_at_ms + STALL_MS;
            if at_ms <= now_ms {
                stalled.push(*id);
            } else {
                self.stall_at_ms = self.stall_at_ms.min(at_ms);
            }
        }
        for id in stalled {
            self.end(id, CloseCode::TryAgain, "too slow");
            self.empty_since_ms = now_ms;
        }
    }

    /// [ROOM-10] Tells everybody of a new epoch; each says HELLO again.
    pub(super) fn reset_all(&mut self, now_ms: u64, frame: &ServerFrame) {
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            if let Some(connection) = self.connections.get_mut(&id).filter(|c| c.joined()) {
                connection.stage = Stage::Reset;
                connection.leased.clear();
                self.answer(now_ms, id, frame);
            }
        }
    }
}
