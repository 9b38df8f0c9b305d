//! What a room keeps of a document's log: a snapshot and the updates behind it, and frames of them that are shared.

use crate::limits::{CATCH_UP_BYTES, RING_FRAMES_MAX};
use crate::protocol::{Position, ServerFrame};
use bytes::Bytes;
use std::collections::VecDeque;

/// A committed update.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The author's connection, 0 if it is not known any more.
    pub(crate) connection: u64,
    pub(crate) update: Bytes,
}

/// A frame made of the log from `first_seq` on.
struct Shared {
    first_seq: u64,
    last_seq: u64,
    frame: Bytes,
}

/// Snapshot and tail of one document.
pub(crate) struct History {
    epoch: u64,
    snapshot_seq: u64,
    snapshot: Bytes,
    snapshot_frame: Option<Bytes>,
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    ring: VecDeque<Shared>,
}

impl History {
    pub(crate) fn new(at: Position, snapshot: Bytes) -> History {
        History {
            epoch: at.epoch,
            snapshot_seq: at.seq,
            snapshot,
            snapshot_frame: None,
            tail: VecDeque::new(),
            tail_bytes: 0,
            ring: VecDeque::new(),
        }
    }

    /// Where the log is.
    pub(crate) fn head(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.snapshot_seq + self.tail.len() as u64,
        }
    }

    pub(crate) fn snapshot_seq(&self) -> u64 {
        self.snapshot_seq
    }

    /// Bytes of snapshot and tail.
    pub(crate) fn bytes(&self) -> usize {
        self.snapshot.len() + self.tail_bytes
    }

    pub(crate) fn snapshot_bytes(&self) -> usize {
        self.snapshot.len()
    }

    pub(crate) fn tail_bytes(&self) -> usize {
        self.tail_bytes
    }

    pub(crate) fn tail_len(&self) -> usize {
        self.tail.len()
    }

    /// Everything that makes the document at the head, snapshot first.
    pub(crate) fn updates(&self) -> Vec<Bytes> {
        let tail = self.tail.iter().map(|entry| entry.update.clone());
        std::iter::once(self.snapshot.clone()).chain(tail).collect()
    }

    pub(crate) fn append(&mut self, entry: Entry) {
        self.tail_bytes += entry.update.len();
        self.tail.push_back(entry);
    }

    /// Puts a snapshot in the place of the log up to `seq`.
    pub(crate) fn fold(&mut self, at: Position, snapshot: Bytes) {
        if at.epoch != self.epoch || at.seq <= self.snapshot_seq || at.seq > self.head().seq {
            return;
        }
        for _ in self.snapshot_seq..at.seq {
            if let Some(entry) = self.tail.pop_front() {
                self.tail_bytes -= entry.update.len();
            }
        }
        self.snapshot_seq = at.seq;
        self.snapshot = snapshot;
        self.snapshot_frame = None;
        self.ring.retain(|shared| shared.first_seq > at.seq);
    }

    /// The next frame for somebody who has everything up to `applied` (`None`: nothing), not beyond `until`; and what it has then.
    pub(crate) fn next_frame(&mut self, applied: Option<u64>, until: u64) -> Option<(Bytes, u64)> {
        match applied {
            Some(seq) if seq >= until => None,
            Some(seq) if seq >= self.snapshot_seq => Some(self.batch_frame(seq + 1, until)),
            _ => Some((self.snapshot_frame(), self.snapshot_seq)),
        }
    }

    fn batch_frame(&mut self, first_seq: u64, until: u64) -> (Bytes, u64) {
        if let Some(shared) = self
            .ring
            .iter()
            .rev()
            .find(|shared| shared.first_seq == first_seq)
        {
            return (shared.frame.clone(), shared.last_seq);
        }
        let skip = (first_seq - self.snapshot_seq - 1) as usize;
        let mut bytes = 0;
        let mut updates = Vec::new();
        for entry in self
            .tail
            .iter()
            .skip(skip)
            .take((until + 1 - first_seq) as usize)
        {
            if !updates.is_empty() && bytes + entry.update.len() > CATCH_UP_BYTES {
                break;
            }
            bytes += entry.update.len();
            updates.push((entry.connection, entry.update.clone()));
        }
        let last_seq = first_seq + updates.len() as u64 - 1;
        let frame = ServerFrame::Batch {
            epoch: self.epoch,
            first_seq,
            updates,
        }
        .encode();
        if self.ring.len() >= RING_FRAMES_MAX {
            self.ring.pop_front();
        }
        self.ring.push_back(Shared {
            first_seq,
            last_seq,
            frame: frame.clone(),
        });
        (frame, last_seq)
    }

    /// The snapshot as a frame, made once; the snapshot itself then shares its memory.
    fn snapshot_frame(&mut self) -> Bytes {
        if let Some(frame) = &self.snapshot_frame {
            return frame.clone();
        }
        let position = Position {
            epoch: self.epoch,
            seq: self.snapshot_seq,
        };
        let frame = ServerFrame::Snapshot {
            position,
            state: self.snapshot.clone(),
        }
        .encode();
        self.snapshot = frame.slice(frame.len() - self.snapshot.len()..);
        self.snapshot_frame = Some(frame.clone());
        frame
    }
}
