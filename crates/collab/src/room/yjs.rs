//! Connections that speak the y-protocols: the same log, the same way of an edit, other messages.
//!
//! Such a client chooses its client id itself, asks with a state vector for what it lacks, and sends updates without waiting for an
//! answer. What it is sent is made of the log by structure alone, once for all who are equally far.

use super::connections::Stage;
use super::{Dialect, Phase, Room};
use crate::history::{History, Place};
use crate::limits::*;
use crate::people::People;
use crate::protocol::{CloseCode, Position, Refusal, Rights, ServerFrame};
use crate::scan::{Bounds, scan};
use crate::yjs::{
    Awareness, Deletes, Entry, YMessage, authorized, blob_of_state, decode_awareness,
    decode_state_vector, encode_state_vector, merge_updates, stateless, sync_status, with_identity,
};
use bytes::Bytes;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// What a client is told whose document is from before the present epoch.
const BEGUN_ANEW: &str = "the document has begun anew; load it again";

/// Everything about the Yjs clients of a room; there is none without them.
#[derive(Default)]
pub(super) struct YjsSide {
    connections: BTreeMap<u64, YjsConnection>,
    awareness: Awareness,
    /// Up to which version of the people the entries are.
    people_seen: u64,
    whole: Option<Whole>,
    frames: VecDeque<Joined>,
    renew_at_ms: u64,
}

/// What a connection has more than a native one.
#[derive(Default)]
struct YjsConnection {
    /// Before the document was loaded.
    held: Vec<YMessage>,
    held_bytes: usize,
    /// It has told what it knows, and was given the rest.
    synced: bool,
    awareness_seen: u64,
    resyncs: u32,
    batches: u64,
}

/// The whole document as messages, for all who come with nothing.
struct Whole {
    at: Position,
    messages: Vec<Bytes>,
    deletes: Deletes,
}

/// Updates of the log as one message.
struct Joined {
    first_seq: u64,
    last_seq: u64,
    message: Bytes,
}

impl Room {
    /// [YJS-12] A Yjs client is in: it hears of the others at once, and of the document when it has said what it knows.
    pub(super) fn welcome_yjs(&mut self, now_ms: u64, id: u64) {
        let (Some(history), Some(connection)) = (&self.history, self.connections.get_mut(&id))
        else {
            return;
        };
        connection.stage = Stage::Joined;
        connection.place = Place::At(history.head().seq);
        // A program that only writes something is nobody to be seen.
        if !connection.who.identity.is_empty() {
            self.people.join(id, connection.who.identity.clone());
            self.presence_due = true;
        }
        let may_write = connection.rights == Rights::Write;
        let side = self.yjs.get_or_insert_default();
        if side.renew_at_ms == 0 {
            side.renew_at_ms = now_ms + AWARENESS_RENEW_MS;
            side.awareness = Awareness::new(self.settings.seed);
        }
        let entry = side.connections.entry(id).or_default();
        let held = std::mem::take(&mut entry.held);
        self.tell_yjs(now_ms, id, authorized(may_write));
        for message in held {
            self.y_message(now_ms, id, message);
        }
        self.later(now_ms, id);
    }

    /// A message from a Yjs client.
    pub(super) fn y_message(&mut self, now_ms: u64, id: u64, message: YMessage) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if connection.dialect != Dialect::Yjs {
            return;
        }
        if !connection.joined() {
            return self.hold(id, message);
        }
        match message {
            YMessage::Step1(vector) => self.step1(now_ms, id, &vector),
            YMessage::Step2(update) => self.y_update(now_ms, id, update),
            YMessage::Update(update) => self.y_update(now_ms, id, update),
            YMessage::Awareness(entries) => self.y_awareness(id, &entries),
            YMessage::QueryAwareness => {
                let side = self.yjs.get_or_insert_default();
                let all = side.awareness.all();
                self.tell_yjs(now_ms, id, YMessage::Awareness(all).encode());
            }
            YMessage::Denied(_) => {}
        }
    }

    fn hold(&mut self, id: u64, message: YMessage) {
        let side = self.yjs.get_or_insert_default();
        let held = side.connections.entry(id).or_default();
        held.held_bytes += match &message {
            YMessage::Step1(bytes)
            | YMessage::Step2(bytes)
            | YMessage::Update(bytes)
            | YMessage::Awareness(bytes) => bytes.len(),
            _ => 0,
        };
        held.held.push(message);
        if held.held.len() > YJS_HELD_MESSAGES_MAX || held.held_bytes > YJS_HELD_BYTES_MAX {
            self.end(
                id,
                CloseCode::TryAgain,
                "too much before the document was loaded",
            );
        }
    }

    /// [YJS-13] Somebody says what they know: they are given the rest in one message, and asked for what they have.
    fn step1(&mut self, now_ms: u64, id: u64, vector: &[u8]) {
        let Ok(known) = decode_state_vector(vector) else {
            return self.end(id, CloseCode::Protocol, "a state vector is malformed");
        };
        if self.knows_the_past(known.iter().map(|(client, _)| client)) {
            return self.end(id, CloseCode::Conflict, BEGUN_ANEW);
        }
        let (Some(history), Some(connection)) = (&self.history, self.connections.get_mut(&id))
        else {
            return;
        };
        // Making it is a walk over the bytes, far cheaper than storing them.
        let cost = (history.bytes() as u64 / 4).min(PUSH_BYTES_BURST / 4);
        if !connection.budget.take(now_ms, cost) {
            return self.end(id, CloseCode::TryAgain, "asks too often for everything");
        }
        let head = history.head();
        let messages = if known.len() == 0 {
            self.whole().map(|whole| whole.messages.clone())
        } else {
            let merged = merge_updates(&history.updates(), Some(&known)).ok();
            merged.map(|merged| as_messages(merged.update, merged.rest))
        };
        let Some(messages) = messages else {
            return self.end(id, CloseCode::TryAgain, "the document cannot be read now");
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.place = Place::At(head.seq);
            connection.answers.extend(messages);
        }
        if let Some(side) = self.yjs_connection(id) {
            side.synced = true;
        }
        self.ask_for_rest(now_ms, id);
    }

    /// Our own step 1: what the log knows.
    fn ask_for_rest(&mut self, now_ms: u64, id: u64) {
        let vector = encode_state_vector(&self.clocks);
        self.tell_yjs(now_ms, id, YMessage::Step1(vector).encode());
    }

    /// [YJS-14] An update goes the way of every edit, unless it says only what is known; that is just acknowledged.
    fn y_update(&mut self, now_ms: u64, id: u64, update: Bytes) {
        match self.brings_nothing(&update) {
            Ok(true) => return self.tell_yjs(now_ms, id, sync_status(true)),
            Ok(false) => {}
            Err(reason) => return self.refuse_yjs(now_ms, id, reason),
        }
        let Some(side) = self.yjs_connection(id) else {
            return;
        };
        side.batches += 1;
        let batch_id = side.batches;
        self.push(now_ms, id, batch_id, vec![update]);
    }

    /// Whether everything in an update is in the log. [YJS-11]
    fn brings_nothing(&mut self, update: &Bytes) -> Result<bool, Refusal> {
        if self.phase != Phase::Ready {
            return Ok(false);
        }
        let bounds = Bounds::update(self.settings.roots);
        let found = scan(update, &bounds).map_err(|_| Refusal::Malformed)?;
        if self.knows_the_past(found.brings.iter().map(|run| run.client)) {
            return Err(Refusal::WrongEpoch);
        }
        let known = found
            .brings
            .iter()
            .all(|run| run.end <= self.clocks.get(run.client));
        if !known {
            return Ok(false);
        }
        Ok(found.deletes.is_empty()
            || self
                .whole()
                .is_some_and(|whole| whole.deletes.cover(&found.deletes)))
    }

    /// [YJS-15] Whether ids are among these that belong to a past epoch and to nobody in this one.
    fn knows_the_past(&self, mut clients: impl Iterator<Item = u64>) -> bool {
        !self.past.is_empty()
            && clients.any(|client| {
                self.past.binary_search(&client).is_ok() && self.clocks.get(client) == 0
            })
    }

    /// The whole document at the head, made once for all who ask before the next commit.
    fn whole(&mut self) -> Option<&Whole> {
        let (history, side) = (self.history.as_ref()?, self.yjs.as_mut()?);
        let at = history.head();
        if side.whole.as_ref().is_none_or(|whole| whole.at != at) {
            let updates = history.updates();
            let merged = merge_updates(&updates, Some(&Default::default())).ok()?;
            side.whole = Some(Whole {
                at,
                messages: as_messages(merged.update, merged.rest),
                deletes: Deletes::of(&updates).ok()?,
            });
        }
        side.whole.as_ref()
    }

    /// [YJS-6] [YJS-8] The entry of the client itself is taken over; what it says of others is not.
    fn y_awareness(&mut self, id: u64, bytes: &[u8]) {
        let Ok(entries) = decode_awareness(bytes) else {
            return self.end(id, CloseCode::Protocol, "an awareness message is malformed");
        };
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (user, identity) = (connection.who.user.clone(), connection.who.identity.clone());
        let is_page = !self.settings.roots.is_empty();
        for entry in entries {
            let Some(side) = &mut self.yjs else { return };
            let connections = &self.connections;
            let same_user = |other: u64| {
                connections
                    .get(&other)
                    .is_some_and(|other| other.who.user == user)
            };
            if !side.awareness.may_write(id, entry.client, same_user) {
                continue;
            }
            let Some(state) = taken_over(&entry) else {
                continue;
            };
            let blob = state.as_ref().map_or_else(Bytes::new, blob_of_state);
            let state = state.map(|state| {
                if is_page {
                    with_identity(state, &identity)
                } else {
                    state.to_string()
                }
            });
            let entry = Entry { state, ..entry };
            if side.awareness.write(id, entry) {
                self.people.change(id, blob);
                self.presence_due = true;
            }
        }
    }

    /// [YJS-16] A message of the application's own, for all other Yjs clients of the document.
    pub(super) fn relay(&mut self, now_ms: u64, id: u64, payload: &str) {
        let allowed = self.connections.get_mut(&id).is_some_and(|connection| {
            connection.joined()
                && connection.rights == Rights::Write
                && connection.budget.take(now_ms, payload.len() as u64)
        });
        let Some(side) = self.yjs.as_ref().filter(|_| allowed) else {
            return;
        };
        let others: Vec<u64> = side.connections.keys().copied().collect();
        let message = stateless(payload);
        for other in others.into_iter().filter(|other| *other != id) {
            self.tell_yjs(now_ms, other, message.clone());
        }
    }

    fn yjs_connection(&mut self, id: u64) -> Option<&mut YjsConnection> {
        self.yjs.as_mut()?.connections.get_mut(&id)
    }

    fn tell_yjs(&mut self, now_ms: u64, id: u64, message: Bytes) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.answers.push_back(message);
            self.later(now_ms, id);
        }
    }

    /// What a native client is told, as a Yjs client understands it.
    pub(super) fn answer_yjs(&mut self, now_ms: u64, id: u64, frame: &ServerFrame) {
        match frame {
            ServerFrame::Ack { .. } => {
                if let Some(side) = self.yjs_connection(id) {
                    side.resyncs = 0;
                }
                self.tell_yjs(now_ms, id, sync_status(true));
            }
            ServerFrame::Nack { reason, .. } => self.refuse_yjs(now_ms, id, *reason),
            ServerFrame::Access { rights, .. } => {
                self.tell_yjs(now_ms, id, authorized(*rights == Rights::Write));
            }
            ServerFrame::Reset { .. } => self.end(id, CloseCode::Conflict, BEGUN_ANEW),
            _ => {}
        }
    }

    /// [YJS-17] There is no answer with a reason in these protocols: what can be mended is asked for again, anything else ends the connection.
    fn refuse_yjs(&mut self, now_ms: u64, id: u64, reason: Refusal) {
        let (code, why) = match reason {
            Refusal::ReadOnly => return self.tell_yjs(now_ms, id, sync_status(false)),
            Refusal::Gap => {
                let Some(side) = self.yjs_connection(id) else {
                    return;
                };
                side.resyncs += 1;
                if side.resyncs <= YJS_RESYNCS_MAX {
                    return self.ask_for_rest(now_ms, id);
                }
                (
                    CloseCode::TryAgain,
                    "something before the update is missing",
                )
            }
            Refusal::Rate | Refusal::Unavailable => {
                (CloseCode::TryAgain, "the update could not be stored now")
            }
            Refusal::WrongEpoch => (CloseCode::Conflict, BEGUN_ANEW),
            Refusal::Malformed => (CloseCode::Protocol, "not an update that is allowed here"),
            Refusal::TooLarge => (
                CloseCode::Protocol,
                "the update or the document is too large",
            ),
            Refusal::NotLeased => (
                CloseCode::Protocol,
                "the client id belongs to somebody else",
            ),
        };
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.answers.push_back(sync_status(false));
        }
        self.end(id, code, why);
    }

    /// Before presence is told: entries of native people, and of those who have left.
    pub(super) fn settle_awareness(&mut self) {
        let Some(side) = &mut self.yjs else { return };
        if side.people_seen < self.people.version() {
            side.take_over(&self.people);
        }
    }

    /// [YJS-18] Renews the entries of all who are there, in one message for all.
    pub(super) fn renew_awareness(&mut self, now_ms: u64) {
        let Some(side) = &mut self.yjs else { return };
        if side.connections.is_empty() {
            self.yjs = None;
            return;
        }
        if now_ms < side.renew_at_ms || side.renew_at_ms == 0 {
            return;
        }
        side.renew_at_ms = now_ms + AWARENESS_RENEW_MS;
        side.awareness.renew();
        let message = YMessage::Awareness(side.awareness.all()).encode();
        for id in side.connections.keys().copied().collect::<Vec<_>>() {
            self.tell_yjs(now_ms, id, message.clone());
        }
    }

    /// When entries are to be renewed.
    pub(super) fn renew_at_ms(&self) -> Option<u64> {
        let side = self.yjs.as_ref()?;
        (side.renew_at_ms > 0).then_some(side.renew_at_ms)
    }

    /// The connection has gone.
    pub(super) fn forget_yjs(&mut self, id: u64) {
        if let Some(side) = &mut self.yjs {
            side.connections.remove(&id);
        }
    }
}

/// The document as messages: updates that could not be joined first, so that everything is there with the last.
fn as_messages(update: Bytes, rest: Vec<Bytes>) -> Vec<Bytes> {
    let rest = rest
        .into_iter()
        .map(|update| YMessage::Update(update).encode());
    rest.chain([YMessage::Step2(update).encode()]).collect()
}

/// The state in an entry, if it is one that is taken over; none inside when the client withdraws it.
fn taken_over(entry: &Entry) -> Option<Option<Value>> {
    let Some(state) = &entry.state else {
        return Some(None);
    };
    if state.len() > AWARENESS_STATE_BYTES_MAX {
        return None;
    }
    let state: Value = serde_json::from_str(state).ok()?;
    state.is_object().then_some(Some(state))
}

impl YjsSide {
    /// The next message for a connection: updates behind its place, then who is there. Shared by all who are equally far.
    pub(super) fn next(
        &mut self,
        id: u64,
        history: Option<&History>,
        place: &mut Place,
        until: u64,
        presence_due: bool,
    ) -> Option<Bytes> {
        let connection = self.connections.get_mut(&id)?;
        if let (true, Place::At(seq)) = (connection.synced, &mut *place)
            && *seq < until
        {
            let (message, last_seq) = joined(&mut self.frames, history?, *seq, until)?;
            *seq = last_seq;
            return Some(message);
        }
        if presence_due {
            return None;
        }
        let news = self.awareness.news(connection.awareness_seen);
        connection.awareness_seen = self.awareness.version();
        news.map(|entries| YMessage::Awareness(entries).encode())
    }

    fn take_over(&mut self, people: &People) {
        for (connection, kind) in people.changes(self.people_seen) {
            let is_yjs = self.connections.contains_key(&connection);
            self.awareness.person(connection, kind, is_yjs);
        }
        self.people_seen = people.version();
    }
}

/// [YJS-9] The updates after `seq` as one message, and up to where it goes.
fn joined(
    frames: &mut VecDeque<Joined>,
    history: &History,
    seq: u64,
    until: u64,
) -> Option<(Bytes, u64)> {
    let made = frames
        .iter()
        .rev()
        .find(|made| made.first_seq == seq + 1 && made.last_seq <= until);
    if let Some(made) = made {
        return Some((made.message.clone(), made.last_seq));
    }
    let (update, last_seq) = match history.after(seq, until) {
        Some(updates) => {
            let merged = merge_updates(&updates, None).ok()?;
            if merged.rest.is_empty() {
                (merged.update, seq + updates.len() as u64)
            } else {
                (updates.into_iter().next()?, seq + 1)
            }
        }
        // Folded meanwhile: everything, of which it takes what it lacks.
        None => {
            let merged = merge_updates(&history.updates(), Some(&Default::default())).ok()?;
            (merged.update, history.head().seq)
        }
    };
    let message = YMessage::Update(update).encode();
    if frames.len() >= RING_FRAMES_MAX {
        frames.pop_front();
    }
    frames.push_back(Joined {
        first_seq: seq + 1,
        last_seq,
        message: message.clone(),
    });
    Some((message, last_seq))
}
