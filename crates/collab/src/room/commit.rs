//! The way of an edit: judged, appended, acknowledged, and only then shown to others.

use super::connections::Stage;
use super::{Batch, Dialect, Effect, Phase, Room};
use crate::authors::Claimant;
use crate::clocks::{ClockMap, Layers};
use crate::history::Entry;
use crate::limits::*;
use crate::log::{Author, LogError, NewRow, Outcome};
use crate::protocol::{CloseCode, Refusal, Rights, ServerFrame};
use crate::scan::{Bounds, scan};
use crate::varint::Malformed;
use bytes::Bytes;

impl Batch {
    pub(super) fn bytes(&self) -> usize {
        self.updates.iter().map(Bytes::len).sum()
    }
}

/// A batch that may go to the log.
struct Fit {
    /// The updates with something new.
    fresh: Vec<Bytes>,
    /// The clocks they bring.
    clocks: ClockMap,
    /// Client ids that nobody has used before.
    first: Vec<u64>,
}

impl Room {
    pub(super) fn push(&mut self, now_ms: u64, id: u64, batch_id: u64, updates: Vec<Bytes>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let bytes = updates.iter().map(Bytes::len).sum::<usize>();
        let refusal = match connection.stage {
            Stage::Reset => Some(Refusal::WrongEpoch),
            Stage::Waiting { .. } => Some(Refusal::Unavailable),
            Stage::Joined if connection.rights != Rights::Write => Some(Refusal::ReadOnly),
            // Yjs clients do not wait for answers: what brings their messages here keeps them to the same pace.
            Stage::Joined if connection.dialect == Dialect::Yjs => None,
            Stage::Joined if connection.unanswered >= BATCHES_IN_FLIGHT_MAX => Some(Refusal::Rate),
            Stage::Joined if !connection.budget.take(now_ms, bytes as u64) => Some(Refusal::Rate),
            Stage::Joined => None,
        };
        let user = connection.who.user.clone();
        let full = self.waiting.bytes + self.held_bytes + bytes > WAITING_BYTES_MAX;
        let failed = self.closing || full || matches!(self.phase, Phase::Failed { .. });
        if let Some(reason) = refusal.or(failed.then_some(Refusal::Unavailable)) {
            return self.nack(now_ms, id, batch_id, reason);
        }
        connection.unanswered += 1;
        let batch = Batch {
            connection: id,
            user,
            batch_id,
            updates,
            arrived_ms: now_ms,
            fresh: Vec::new(),
        };
        if self.phase == Phase::Loading {
            self.held_bytes += bytes;
            self.held.push(batch);
        } else {
            self.judge(now_ms, batch);
        }
    }

    /// Puts a batch into the next group, or refuses it.
    pub(super) fn judge(&mut self, now_ms: u64, mut batch: Batch) {
        match self.fits(&batch) {
            Ok(fit) => {
                batch.fresh = fit.fresh;
                if let Some(connection) = self.connections.get_mut(&batch.connection)
                    && !batch.fresh.is_empty()
                {
                    connection.edited_at_ms = now_ms;
                }
                self.waiting.bytes += batch.bytes();
                self.waiting.clocks.join(&fit.clocks);
                let user = &batch.user;
                let author = |client_id| Author {
                    client_id,
                    user: user.clone(),
                };
                let authors = fit.first.into_iter().map(author).collect();
                self.waiting.authors.absorb(authors);
                self.waiting.batches.push(batch);
            }
            Err(reason) => self.refuse(now_ms, &batch, reason),
        }
    }

    pub(super) fn refuse(&mut self, now_ms: u64, batch: &Batch, reason: Refusal) {
        self.answered(batch.connection);
        self.nack(now_ms, batch.connection, batch.batch_id, reason);
    }

    fn answered(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.unanswered = connection.unanswered.saturating_sub(1);
        }
    }

    /// [ROOM-5] Checks all updates of a batch.
    fn fits(&self, batch: &Batch) -> Result<Fit, Refusal> {
        // Only after a reload can the author be gone here; the client keeps what is not acknowledged.
        let connection = self
            .connections
            .get(&batch.connection)
            .ok_or(Refusal::Unavailable)?;
        if connection.rights != Rights::Write {
            return Err(Refusal::ReadOnly);
        }
        if connection.stage != Stage::Joined {
            return Err(Refusal::WrongEpoch);
        }
        let stored = self.history.as_ref().map_or(0, |history| history.bytes());
        if stored + self.waiting.bytes + batch.bytes() > DOCUMENT_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let mut layers = Layers {
            committed: &self.clocks,
            running: self.running.as_ref().map(|group| &group.clocks),
            waiting: &self.waiting.clocks,
            batch: ClockMap::default(),
        };
        let bounds = Bounds::update(self.settings.roots);
        let leased_elsewhere = |client: u64| {
            let others = self
                .connections
                .iter()
                .filter(|(id, _)| **id != batch.connection);
            others
                .map(|(_, other)| other)
                .any(|other| other.leased.contains(&client))
        };
        let running = self.running.as_ref().map(|group| &group.authors);
        let mut claimant = Claimant {
            dialect: connection.dialect,
            user: &batch.user,
            leased: &connection.leased,
            authors: [Some(&self.authors), running, Some(&self.waiting.authors)],
            leased_elsewhere: &leased_elsewhere,
            first: Vec::new(),
        };
        let mut fresh = Vec::new();
        for update in &batch.updates {
            let scan = scan(update, &bounds).map_err(|why| match why {
                Malformed::TooLarge => Refusal::TooLarge,
                _ => Refusal::Malformed,
            })?;
            if layers.judge(&scan, &mut claimant)? {
                fresh.push(update.clone());
            }
        }
        Ok(Fit {
            fresh,
            clocks: layers.batch,
            first: claimant.first,
        })
    }

    /// [LOG-5] Starts the next append if none is running.
    pub(super) fn append_waiting(&mut self, now_ms: u64) {
        if self.phase != Phase::Ready || self.running.is_some() || self.waiting.batches.is_empty() {
            return;
        }
        let Some(base) = self.head() else { return };
        let group = std::mem::take(&mut self.waiting);
        let rows: Vec<NewRow> = group.batches.iter().flat_map(rows).collect();
        let new_authors = group.authors.list();
        self.running = Some(group);
        if rows.is_empty() {
            self.committed(now_ms);
        } else {
            self.out.push(Effect::Append {
                base,
                rows,
                new_authors,
            });
        }
    }

    pub(super) fn appended(&mut self, now_ms: u64, outcome: Result<Outcome, LogError>) {
        match outcome {
            Ok(Outcome::Committed) => self.committed(now_ms),
            Ok(Outcome::Moved) => self.reload_and_keep(),
            Ok(Outcome::Gone) | Err(LogError::Gone) => self.gone(),
            Err(_) => self.append_failed(now_ms),
        }
    }

    /// [LOG-2] The running group is on disk: now it is part of the document, is acknowledged and shown.
    fn committed(&mut self, now_ms: u64) {
        let Some(group) = self.running.take() else {
            return;
        };
        let Some(history) = &mut self.history else {
            return;
        };
        self.clocks.join(&group.clocks);
        self.authors.absorb(group.authors.list());
        let mut acks = Vec::with_capacity(group.batches.len());
        for batch in group.batches {
            for update in batch.fresh {
                history.append(Entry {
                    connection: batch.connection,
                    update,
                });
            }
            acks.push((batch.connection, batch.batch_id, history.head()));
            let took_ms = now_ms.saturating_sub(batch.arrived_ms);
            self.counted.acknowledged.note(took_ms * 1_000);
        }
        // Sent at once even among many: the tick is for what others see.
        for (connection, batch_id, position) in acks {
            self.answered(connection);
            self.answer(now_ms, connection, &ServerFrame::Ack { batch_id, position });
        }
        self.broadcast_due = true;
    }

    /// [LOG-3] Nothing is known of the running group: everything is refused, and the log is read again.
    fn append_failed(&mut self, now_ms: u64) {
        for batch in self.take_pending() {
            self.refuse(now_ms, &batch, Refusal::Unavailable);
        }
        self.load();
    }

    /// Takes back all batches that are not committed, in order.
    pub(super) fn take_pending(&mut self) -> Vec<Batch> {
        let running = self.running.take().unwrap_or_default();
        let waiting = std::mem::take(&mut self.waiting);
        self.held_bytes = 0;
        let held = std::mem::take(&mut self.held);
        running
            .batches
            .into_iter()
            .chain(waiting.batches)
            .chain(held)
            .collect()
    }

    pub(super) fn gone(&mut self) {
        self.take_pending();
        self.notify(r#"{"event":"deleted"}"#.to_owned());
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.end(id, CloseCode::NotFound, "no such page");
        }
        self.evict();
    }
}

fn rows(batch: &Batch) -> impl Iterator<Item = NewRow> + '_ {
    batch.fresh.iter().map(|update| NewRow {
        user: batch.user.clone(),
        connection: batch.connection,
        update: update.clone(),
    })
}
