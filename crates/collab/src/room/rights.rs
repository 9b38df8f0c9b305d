//! Who may write now: the right of each connection, and what the mode, the lock and the places leave of it.

use super::connections::{Connection, Stage};
use super::{Batch, Room};
use crate::limits::*;
use crate::protocol::{Cause, CloseCode, Request, Rights, ServerFrame};
use std::collections::VecDeque;

/// Whether people may edit at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Together.
    #[default]
    On,
    /// Nobody.
    ReadOnly,
    /// One at a time in each document.
    Off,
}

impl Mode {
    /// The word for it in EVENT and in settings.
    pub fn word(self) -> &'static str {
        match self {
            Mode::On => "on",
            Mode::ReadOnly => "read-only",
            Mode::Off => "off",
        }
    }
}

/// What holds for all rooms of an engine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) mode: Mode,
    /// How many may write in one document; 0: any number.
    pub(crate) writers_max: usize,
}

impl Policy {
    fn places(self) -> usize {
        match self.mode {
            Mode::On if self.writers_max == 0 => usize::MAX,
            Mode::On => self.writers_max,
            Mode::ReadOnly => 0,
            Mode::Off => 1,
        }
    }

    /// Why somebody with the right to write has no place.
    fn cause(self) -> Cause {
        match self.mode {
            Mode::On => Cause::Full,
            Mode::ReadOnly => Cause::ReadOnlyMode,
            Mode::Off => Cause::Locked,
        }
    }

    /// The same for people.
    fn why(self) -> &'static str {
        match self.mode {
            Mode::On => "as many people write as may at a time; you may ask to write",
            Mode::ReadOnly => "everything is read-only for now",
            Mode::Off => "one person writes at a time; you may ask to write",
        }
    }
}

/// The places of writers, and who waits for one.
#[derive(Default)]
pub(super) struct Turns {
    policy: Policy,
    /// How many connections have a place.
    writers: usize,
    asking: VecDeque<u64>,
    /// Since when somebody asks whom the present holders have not made way for.
    asked_since_ms: u64,
    /// When to look for a holder that has been idle for too long.
    look_at_ms: u64,
    /// Connections that are to be told of their rights.
    tell: Vec<u64>,
    /// Somebody lost a place whose batches may wait.
    judge_again: bool,
}

impl Turns {
    /// When time alone gives somebody a turn.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let possible = !self.asking.is_empty() && self.policy.places() > 0;
        possible.then_some(self.look_at_ms)
    }

    fn is_place_free(&self) -> bool {
        self.writers < self.policy.places()
    }
}

impl Room {
    /// [ROOM-15] What somebody who joins with this right may do.
    pub(super) fn first_rights(&mut self, right: Rights) -> (Rights, Cause) {
        if right != Rights::Write {
            return (right, Cause::Permission);
        }
        if self.turns.is_place_free() && self.turns.asking.is_empty() {
            self.turns.writers += 1;
            return (Rights::Write, Cause::Permission);
        }
        (Rights::Read, self.turns.policy.cause())
    }

    /// [ROOM-16] Who comes back with a lease of a connection that is still there takes over its place: the end of the old one was
    /// not noticed yet.
    pub(super) fn take_over(&mut self, now_ms: u64, id: u64) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if connection.rights == connection.who.rights {
            return;
        }
        let before = self.connections.iter().find(|(_, other)| {
            other.rights == Rights::Write
                && other.who.user == connection.who.user
                && other.leased.iter().any(|id| connection.leased.contains(id))
        });
        let Some(before) = before.map(|(before, _)| *before) else {
            return;
        };
        let (judge_again, cause) = (self.turns.judge_again, self.turns.policy.cause());
        let reason = "you write by another connection".to_owned();
        self.give(now_ms, before, Rights::Read, cause, reason);
        // What the old connection pushed is the same person's.
        self.turns.judge_again = judge_again;
        self.give(now_ms, id, Rights::Write, Cause::Permission, String::new());
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.access_due = None; // WELCOME tells
        }
        self.turns.tell.retain(|told| *told != id);
    }

    /// Takes back the place or the wish of somebody who has gone.
    pub(super) fn leave_turns(&mut self, id: u64, connection: &Connection) {
        if connection.rights == Rights::Write {
            self.turns.writers = self.turns.writers.saturating_sub(1);
        }
        if connection.asks {
            self.turns.asking.retain(|asking| *asking != id);
        }
    }

    /// The permission of a connection has changed.
    pub(super) fn access(&mut self, now_ms: u64, id: u64, right: Rights, reason: String) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if connection.who.rights == right {
            return;
        }
        connection.who.rights = right;
        if right != Rights::Write {
            self.withdraw(id);
            return self.give(now_ms, id, right, Cause::Permission, reason);
        }
        if self.turns.is_place_free() && self.turns.asking.is_empty() {
            self.give(now_ms, id, right, Cause::Permission, reason);
        } else {
            let policy = self.turns.policy;
            self.give(
                now_ms,
                id,
                Rights::Read,
                policy.cause(),
                policy.why().to_owned(),
            );
        }
    }

    /// [ROOM-16] Other rules for all.
    pub(super) fn set_policy(&mut self, now_ms: u64, policy: Policy) {
        let before = std::mem::replace(&mut self.turns.policy, policy);
        if before == policy {
            return;
        }
        let mut order = self.candidates();
        let places = policy.places().min(order.len());
        let without = order.split_off(places);
        for id in order {
            self.withdraw(id);
            let reason = "you may edit".to_owned();
            self.give(now_ms, id, Rights::Write, Cause::Permission, reason);
        }
        for id in without {
            if places == 0 {
                self.withdraw(id);
            }
            let reason = policy.why().to_owned();
            self.give(now_ms, id, Rights::Read, policy.cause(), reason);
        }
        if before.mode != policy.mode {
            let word = policy.mode.word();
            self.notify(format!(r#"{{"event":"mode","mode":"{word}"}}"#));
        }
    }

    /// Who may write, those first who keep a place or get one: writers by their last edit, then who asks, then who came first.
    fn candidates(&self) -> Vec<u64> {
        let mut order: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.who.rights == Rights::Write)
            .map(|(id, connection)| {
                let asking = self.turns.asking.iter().position(|asking| asking == id);
                let edited = u64::MAX - connection.edited_at_ms;
                let writes = connection.rights == Rights::Write;
                let rank = if writes { 0 } else { 1 };
                let among = if writes {
                    edited
                } else {
                    asking.map_or(u64::MAX, |n| n as u64)
                };
                (rank, among, *id)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, id)| id).collect()
    }

    /// [ROOM-17] Somebody asks to write, or lets go.
    pub(super) fn ask(&mut self, now_ms: u64, id: u64, what: Request) {
        let Some(connection) = self.connections.get(&id).filter(|c| c.joined()) else {
            return;
        };
        let policy = self.turns.policy;
        let writes = connection.rights == Rights::Write;
        match what {
            Request::Write => {
                let possible = connection.who.rights == Rights::Write && policy.places() > 0;
                if possible && !writes && !connection.asks {
                    self.wish(now_ms, id);
                }
                self.answer_wish(now_ms, id);
            }
            Request::LetGo if connection.asks => self.withdraw(id),
            Request::LetGo if writes && policy.places() < usize::MAX => {
                // What it sent before is its own to keep.
                let judge_again = self.turns.judge_again;
                let reason = "you let somebody else write".to_owned();
                self.give(now_ms, id, Rights::Read, policy.cause(), reason);
                self.turns.judge_again = judge_again;
            }
            Request::LetGo => {}
        }
    }

    /// Says how things are, unless a change is going to be told anyway.
    fn answer_wish(&mut self, now_ms: u64, id: u64) {
        let place = self.turns.asking.iter().position(|asking| *asking == id);
        let reason = match place {
            Some(0) => "you are the next to write".to_owned(),
            Some(n) => format!("you will write when {n} others have had their turn"),
            None => String::new(),
        };
        let told = self.connections.get(&id);
        if told.is_some_and(|connection| connection.access_due.is_none()) {
            self.tell_rights(now_ms, id, &reason);
        }
    }

    fn wish(&mut self, now_ms: u64, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.asks = true;
        let told = connection
            .asked_at_ms
            .is_some_and(|at| now_ms < at + ASK_AGAIN_MS);
        let name = name_in(&connection.who.identity);
        if self.turns.asking.is_empty() {
            self.turns.asked_since_ms = now_ms;
        }
        self.turns.asking.push_back(id);
        self.turns.look_at_ms = now_ms;
        self.grant(now_ms);
        let waits = self.connections.get_mut(&id).filter(|c| c.asks);
        let Some(connection) = waits.filter(|_| !told) else {
            return;
        };
        connection.asked_at_ms = Some(now_ms);
        let json = serde_json::json!({ "event": "asked", "connection": id, "name": name });
        let event = ServerFrame::Event {
            json: json.to_string(),
        };
        for holder in self.holders() {
            self.answer(now_ms, holder, &event);
        }
    }

    fn holders(&self) -> Vec<u64> {
        let holders = self.connections.iter();
        holders
            .filter(|(_, connection)| connection.rights == Rights::Write)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Takes somebody out of the queue.
    fn withdraw(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id)
            && std::mem::take(&mut connection.asks)
        {
            self.turns.asking.retain(|asking| *asking != id);
        }
    }

    /// Changes what a connection may do; it is told when nothing of it is at the log any more.
    fn give(&mut self, now_ms: u64, id: u64, rights: Rights, cause: Cause, reason: String) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if (connection.rights, connection.cause) == (rights, cause) {
            return;
        }
        let (wrote, writes) = (connection.rights == Rights::Write, rights == Rights::Write);
        (connection.rights, connection.cause) = (rights, cause);
        if wrote && !writes {
            self.turns.writers = self.turns.writers.saturating_sub(1);
            self.turns.judge_again = true;
        } else if writes && !wrote {
            self.turns.writers += 1;
            connection.edited_at_ms = now_ms;
        }
        if connection.access_due.replace(reason).is_none() {
            self.turns.tell.push(id);
        }
    }

    /// After every event: places go to those who wait for them, and everybody is told.
    pub(super) fn settle_rights(&mut self, now_ms: u64) {
        self.hand_over(now_ms);
        self.grant(now_ms);
        if std::mem::take(&mut self.turns.judge_again) {
            self.refuse_of_readers(now_ms);
        }
        for id in std::mem::take(&mut self.turns.tell) {
            let group = self.running.as_ref();
            if group.is_some_and(|group| group.batches.iter().any(|b| b.connection == id)) {
                self.turns.tell.push(id);
            } else {
                self.tell_change(now_ms, id);
            }
        }
    }

    /// A place that is free goes to the first who asked.
    fn grant(&mut self, now_ms: u64) {
        while self.turns.is_place_free()
            && let Some(id) = self.turns.asking.pop_front()
        {
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.asks = false;
                let reason = "it is your turn to write".to_owned();
                self.give(now_ms, id, Rights::Write, Cause::Permission, reason);
            }
            self.turns.asked_since_ms = now_ms;
        }
    }

    /// [ROOM-18] While somebody asks, a holder that makes no edit loses its place.
    fn hand_over(&mut self, now_ms: u64) {
        if self.turns.due_ms().is_none_or(|due_ms| now_ms < due_ms) {
            return;
        }
        let asked_since_ms = self.turns.asked_since_ms;
        let writers = self.connections.iter();
        let longest = writers
            .filter(|(_, connection)| connection.rights == Rights::Write)
            .map(|(id, connection)| (connection.edited_at_ms.max(asked_since_ms), *id))
            .min();
        let Some((idle_since_ms, id)) = longest else {
            return;
        };
        self.turns.look_at_ms = idle_since_ms + HAND_OVER_MS;
        if now_ms >= self.turns.look_at_ms {
            let reason = "somebody else asked to write".to_owned();
            let cause = self.turns.policy.cause();
            self.give(now_ms, id, Rights::Read, cause, reason);
            self.grant(now_ms);
            self.turns.look_at_ms = now_ms + HAND_OVER_MS;
        }
    }

    /// [ROOM-19] What waits of those who may not write any more is refused; the rest is judged without it.
    fn refuse_of_readers(&mut self, now_ms: u64) {
        let of_reader = |batch: &Batch| {
            let connection = self.connections.get(&batch.connection);
            connection.is_some_and(|connection| connection.rights != Rights::Write)
        };
        if self.waiting.batches.iter().any(of_reader) {
            for batch in std::mem::take(&mut self.waiting).batches {
                self.judge(now_ms, batch);
            }
        }
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        for batch in held {
            let connection = self.connections.get(&batch.connection);
            if connection.is_some_and(|connection| connection.rights != Rights::Write) {
                self.refuse(now_ms, &batch, crate::protocol::Refusal::ReadOnly);
            } else {
                self.held_bytes += batch.bytes();
                self.held.push(batch);
            }
        }
    }

    /// [ROOM-9] Tells of rights that have changed; without any the connection ends.
    fn tell_change(&mut self, now_ms: u64, id: u64) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let reason = connection.access_due.take().unwrap_or_default();
        let ends = connection.rights == Rights::None;
        // Who waits for WELCOME is told there.
        if ends || !matches!(connection.stage, Stage::Waiting { .. }) {
            self.tell_rights(now_ms, id, &reason);
        }
        if ends {
            self.end(id, CloseCode::Forbidden, "no right to read any more");
        }
    }

    fn tell_rights(&mut self, now_ms: u64, id: u64, reason: &str) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let access = ServerFrame::Access {
            rights: connection.rights,
            cause: connection.cause,
            reason: reason.to_owned(),
        };
        self.answer(now_ms, id, &access);
    }
}

/// The name in an identity, for the eyes of those who are asked.
fn name_in(identity: &str) -> String {
    let identity: Option<serde_json::Value> = serde_json::from_str(identity).ok();
    let name = identity.as_ref().and_then(|identity| identity.get("name"));
    let name = name.and_then(serde_json::Value::as_str);
    name.unwrap_or_default().to_owned()
}
