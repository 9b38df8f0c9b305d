//! How fast presence may change, and who is still to be told of departures.

use super::{Dialect, Room};
use crate::limits::*;
use bytes::Bytes;

impl Room {
    /// [PRES-6] Takes a blob, or keeps it for later when they come too fast.
    pub(super) fn set_presence(&mut self, now_ms: u64, id: u64, blob: Bytes) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let due_ms = connection
            .presence_at_ms
            .map(|at_ms| at_ms + PRESENCE_EVERY_MS);
        if due_ms.is_some_and(|due_ms| now_ms < due_ms) {
            if connection.presence_waits.replace(blob).is_none() {
                self.presence_waiting.push(id);
            }
            return;
        }
        connection.presence_at_ms = Some(now_ms);
        // What waited is older.
        connection.presence_waits = None;
        self.people.change(id, blob);
        self.presence_due = true;
    }

    /// Takes the blobs that had to wait and need not any more.
    pub(super) fn settle_presence(&mut self, now_ms: u64) {
        for id in std::mem::take(&mut self.presence_waiting) {
            let connection = self.connections.get_mut(&id);
            if let Some(blob) = connection.and_then(|c| c.presence_waits.take()) {
                self.set_presence(now_ms, id, blob);
            }
        }
    }

    /// Forgets departures that everybody was told of. Who is to say HELLO again knows the people of before.
    pub(super) fn forget_departed(&mut self) {
        let told = self
            .connections
            .values()
            .filter(|c| c.dialect == Dialect::Native && c.presence_seen > 0)
            .map(|c| c.presence_seen);
        let told_all = told.min().unwrap_or(u64::MAX);
        self.people.forget(told_all);
    }
}
