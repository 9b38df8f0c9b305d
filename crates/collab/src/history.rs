//! What a room keeps of a document's log: a snapshot and the updates behind it, and frames of them that are shared.

use crate::limits::{CATCH_UP_BYTES, RING_BYTES_MAX, RING_FRAMES_MAX};
use crate::protocol::{Position, SnapshotFrames, batch_frame};
use crate::tail::Tail;
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
    tail: Tail,
    ring: VecDeque<Shared>,
    ring_bytes: usize,
}

impl History {
    pub(crate) fn new(at: Position, snapshot: Bytes) -> History {
        History {
            epoch: at.epoch,
            snapshot_seq: at.seq,
            snapshot_bytes: snapshot.len(),
            snapshot: Snapshot::Plain(snapshot),
            tail: Tail::new(at.seq + 1),
            ring: VecDeque::new(),
            ring_bytes: 0,
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
        self.snapshot_bytes + self.tail.bytes()
    }

    pub(crate) fn snapshot_bytes(&self) -> usize {
        self.snapshot_bytes
    }

    pub(crate) fn tail_bytes(&self) -> usize {
        self.tail.bytes()
    }

    pub(crate) fn tail_len(&self) -> usize {
        self.tail.len()
    }

    /// Everything that makes the document at the head, snapshot first.
    pub(crate) fn updates(&self) -> Vec<Bytes> {
        let tail = self.tail.since(self.snapshot_seq + 1);
        let tail = tail.map(|(_, update)| Bytes::copy_from_slice(update));
        let snapshot = match &self.snapshot {
            Snapshot::Plain(snapshot) => snapshot.clone(),
            Snapshot::Frames(frames) => frames.state(),
        };
        std::iter::once(snapshot).chain(tail).collect()
    }

    /// The updates after `seq`, not beyond `until` and not too many bytes; none when they are folded.
    pub(crate) fn after(&self, seq: u64, until: u64) -> Option<Vec<Bytes>> {
        seq.checked_sub(self.snapshot_seq)?;
        let mut bytes = 0;
        let tail = self.tail.since(seq + 1);
        let wanted = tail.take(until.saturating_sub(seq) as usize);
        let updates: Vec<Bytes> = wanted
            .map(|(_, update)| Bytes::copy_from_slice(update))
            .take_while(|update| {
                let first = bytes == 0;
                bytes += update.len();
                first || bytes <= CATCH_UP_BYTES
            })
            .collect();
        (!updates.is_empty()).then_some(updates)
    }

    pub(crate) fn append(&mut self, entry: Entry) {
        self.tail.append(entry.connection, &entry.update);
    }

    /// Puts a snapshot in the place of the log up to `seq`.
    pub(crate) fn fold(&mut self, at: Position, snapshot: Bytes) {
        if at.epoch != self.epoch || at.seq <= self.snapshot_seq || at.seq > self.head().seq {
            return;
        }
        self.tail.drop_until(at.seq);
        self.snapshot_seq = at.seq;
        self.snapshot_bytes = snapshot.len();
        self.snapshot = Snapshot::Plain(snapshot);
        self.forget_frames();
    }

    /// The next frame for somebody who is at a place in the log, not beyond `until`; and where they are then.
    pub(crate) fn next_frame(&mut self, place: Place, until: u64) -> Option<(Bytes, Place)> {
        match place {
            Place::At(seq) if seq >= until => None,
            Place::At(seq) if seq >= self.snapshot_seq => {
                let (frame, last_seq) = self.batch_frame(seq + 1, until)?;
                Some((frame, Place::At(last_seq)))
            }
            Place::Parts { seq, given } if seq == self.snapshot_seq => self.snapshot_frame(given),
            // Also when the snapshot was replaced while its parts were given.
            _ => self.snapshot_frame(0),
        }
    }

    fn batch_frame(&mut self, first_seq: u64, until: u64) -> Option<(Bytes, u64)> {
        if let Some(shared) = self
            .ring
            .iter()
            .rev()
            .find(|shared| shared.first_seq == first_seq)
        {
            return Some((shared.frame.clone(), shared.last_seq));
        }
        let stretch = self.tail.stretch(first_seq, until, CATCH_UP_BYTES);
        if stretch.count == 0 {
            return None;
        }
        let last_seq = first_seq + stretch.count as u64 - 1;
        let frame = batch_frame(self.epoch, first_seq, stretch.count, &stretch.records);
        self.ring_bytes += frame.len();
        self.ring.push_back(Shared {
            first_seq,
            last_seq,
            frame: frame.clone(),
        });
        while self.ring.len() > RING_FRAMES_MAX
            || (self.ring_bytes > RING_BYTES_MAX && self.ring.len() > 1)
        {
            let oldest = self.ring.pop_front();
            self.ring_bytes -= oldest.map_or(0, |shared| shared.frame.len());
        }
        Some((frame, last_seq))
    }

    /// Drops the frames that are kept for others, when there is nobody else.
    pub(crate) fn forget_frames(&mut self) {
        self.ring.clear();
        self.ring_bytes = 0;
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let snapshot = match &self.snapshot {
            Snapshot::Plain(snapshot) => snapshot.len(),
            Snapshot::Frames(frames) => frames.memory(),
        };
        snapshot + self.tail.memory() + self.ring_bytes + self.ring.capacity() * size_of::<Shared>()
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
