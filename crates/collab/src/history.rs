//! What a room keeps of a document's log: a snapshot and the updates behind it, and frames of them that are shared.

use crate::limits::{CATCH_UP_BYTES, RING_FRAMES_MAX};
use crate::protocol::{Position, ServerFrame, SnapshotFrames};
use bytes::Bytes;
use std::collections::VecDeque;

/// A committed update.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The author's connection, 0 if it is not known any more.
    pub(crate) connection: u64,
    pub(crate) update: Bytes,
}

/// How far somebody is with what the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing yet, not even the snapshot.
    Nothing,
    /// The first parts of the snapshot that reaches up to `seq`.
    Parts { seq: u64, given: usize },
    /// Everything up to this update.
    At(u64),
}

/// The snapshot: as it came, and from its first reader on as frames. Never both.
enum Snapshot {
    Plain(Bytes),
    Frames(SnapshotFrames),
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
    snapshot: Snapshot,
    snapshot_bytes: usize,
    tail: VecDeque<Entry>,
    tail_bytes: usize,
    ring: VecDeque<Shared>,
}

impl History {
    pub(crate) fn new(at: Position, snapshot: Bytes) -> History {
        History {
            epoch: at.epoch,
            snapshot_seq: at.seq,
            snapshot_bytes: snapshot.len(),
            snapshot: Snapshot::Plain(snapshot),
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
        self.snapshot_bytes + self.tail_bytes
    }

    pub(crate) fn snapshot_bytes(&self) -> usize {
        self.snapshot_bytes
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
        let snapshot = match &self.snapshot {
            Snapshot::Plain(snapshot) => snapshot.clone(),
            Snapshot::Frames(frames) => frames.state(),
        };
        std::iter::once(snapshot).chain(tail).collect()
    }

    /// The updates after `seq`, not beyond `until` and not too many bytes; none when they are folded.
    pub(crate) fn after(&self, seq: u64, until: u64) -> Option<Vec<Bytes>> {
        let skip = seq.checked_sub(self.snapshot_seq)? as usize;
        let mut bytes = 0;
        let tail = self.tail.iter().skip(skip);
        let wanted = tail.take(until.saturating_sub(seq) as usize);
        let updates: Vec<Bytes> = wanted
            .map(|entry| entry.update.clone())
            .take_while(|update| {
                let first = bytes == 0;
                bytes += update.len();
                first || bytes <= CATCH_UP_BYTES
            })
            .collect();
        (!updates.is_empty()).then_some(updates)
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
        self.snapshot_bytes = snapshot.len();
        self.snapshot = Snapshot::Plain(snapshot);
        self.ring.retain(|shared| shared.first_seq > at.seq);
    }

    /// The next frame for somebody who is at a place in the log, not beyond `until`; and where they are then.
    pub(crate) fn next_frame(&mut self, place: Place, until: u64) -> Option<(Bytes, Place)> {
        match place {
            Place::At(seq) if seq >= until => None,
            Place::At(seq) if seq >= self.snapshot_seq => {
                let (frame, last_seq) = self.batch_frame(seq + 1, until);
                Some((frame, Place::At(last_seq)))
            }
            Place::Parts { seq, given } if seq == self.snapshot_seq => self.snapshot_frame(given),
            // Also when the snapshot was replaced while its parts were given.
            _ => self.snapshot_frame(0),
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

    /// The n-th part of the snapshot. All readers share one piece of memory, which is made for the first of them.
    fn snapshot_frame(&mut self, n: usize) -> Option<(Bytes, Place)> {
        if let Snapshot::Plain(state) = &self.snapshot {
            let at = Position {
                epoch: self.epoch,
                seq: self.snapshot_seq,
            };
            self.snapshot = Snapshot::Frames(SnapshotFrames::new(at, state));
        }
        let Snapshot::Frames(frames) = &self.snapshot else {
            return None;
        };
        let (frame, last) = frames.frame(n)?;
        let seq = self.snapshot_seq;
        let place = if last {
            Place::At(seq)
        } else {
            Place::Parts { seq, given: n + 1 }
        };
        Some((frame, place))
    }
}
