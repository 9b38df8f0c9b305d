//! A snapshot on its way: made into frames once, in one piece of memory, and put together again from its parts.

use super::{Position, server::put_snapshot_part};
use crate::limits::SNAPSHOT_PART_BYTES;
use bytes::Bytes;

/// A snapshot as its frames, one behind the other in one buffer, of which every connection gets slices.
pub(crate) struct SnapshotFrames {
    frames: Bytes,
    /// Where each frame ends in the buffer; it ends with its part of the snapshot.
    ends: Vec<u32>,
    total_bytes: usize,
}

impl SnapshotFrames {
    pub(crate) fn new(position: Position, state: &[u8]) -> SnapshotFrames {
        let count = state.len().div_ceil(SNAPSHOT_PART_BYTES).max(1);
        let mut frames = Vec::with_capacity(state.len() + count * FRAME_HEAD_BYTES);
        let mut ends = Vec::with_capacity(count);
        let mut offset = 0;
        // Also without any bytes there is a part, or nobody would know.
        for part in state
            .chunks(SNAPSHOT_PART_BYTES)
            .chain(state.is_empty().then_some(state))
        {
            put_snapshot_part(&mut frames, position, state.len() as u64, offset, part);
            offset += part.len() as u64;
            ends.push(frames.len() as u32);
        }
        frames.shrink_to_fit();
        SnapshotFrames {
            frames: frames.into(),
            ends,
            total_bytes: state.len(),
        }
    }

    /// The n-th frame, and whether it is the last.
    pub(crate) fn frame(&self, n: usize) -> Option<(Bytes, bool)> {
        let end = *self.ends.get(n)? as usize;
        let before = n.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |end| *end as usize);
        Some((self.frames.slice(start..end), n + 1 == self.ends.len()))
    }

    /// The snapshot in one piece again: a copy.
    pub(crate) fn state(&self) -> Bytes {
        let mut state = Vec::with_capacity(self.total_bytes);
        for end in &self.ends {
            let (end, left) = (*end as usize, self.total_bytes - state.len());
            let part = end - left.min(SNAPSHOT_PART_BYTES)..end;
            state.extend_from_slice(self.frames.get(part).unwrap_or_default());
        }
        state.into()
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        self.frames.len() + 4 * self.ends.capacity()
    }
}

/// What a frame may have before its part: a type and five numbers.
const FRAME_HEAD_BYTES: usize = 48;

/// Puts a snapshot together from its frames: for clients in Rust, tests and load programs.
#[derive(Debug, Default)]
pub struct SnapshotParts {
    of: Option<Position>,
    state: Vec<u8>,
}

impl SnapshotParts {
    /// Takes the next part. A part with offset 0 begins anew; one that does not follow is given back as an error.
    /// Answers with the snapshot when it is complete.
    pub fn take(
        &mut self,
        position: Position,
        total_bytes: u64,
        offset: u64,
        part: &Bytes,
    ) -> Result<Option<Bytes>, OutOfPlace> {
        if offset == 0 {
            self.of = Some(position);
            self.state.clear();
        }
        if self.of != Some(position) || offset != self.state.len() as u64 {
            return Err(OutOfPlace);
        }
        self.state.extend_from_slice(part);
        if (self.state.len() as u64) < total_bytes {
            return Ok(None);
        }
        self.of = None;
        Ok(Some(std::mem::take(&mut self.state).into()))
    }
}

/// A part of a snapshot that does not follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfPlace;

impl std::fmt::Display for OutOfPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a part of the snapshot is missing; reconnect")
    }
}

impl std::error::Error for OutOfPlace {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ServerFrame;
    use crate::varint::Malformed;

    /// [WIRE-12] The parts together are the snapshot; they are slices of one buffer.
    #[test]
    fn in_parts_and_back() {
        let position = Position { epoch: 3, seq: 9 };
        for len in [
            0,
            1,
            SNAPSHOT_PART_BYTES,
            SNAPSHOT_PART_BYTES + 1,
            5 * SNAPSHOT_PART_BYTES - 7,
        ] {
            let state: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let frames = SnapshotFrames::new(position, &state);
            assert_eq!(frames.state(), state);
            let (mut parts, mut whole) = (SnapshotParts::default(), None);
            for n in 0.. {
                let (frame, last) = frames.frame(n).unwrap();
                assert!(frames.frames.as_ptr_range().contains(&frame.as_ptr()));
                let ServerFrame::Snapshot {
                    position: at,
                    total_bytes,
                    offset,
                    part,
                } = ServerFrame::decode(&frame).unwrap()
                else {
                    panic!("a snapshot");
                };
                assert!(part.len() <= SNAPSHOT_PART_BYTES && at == position);
                whole = parts.take(at, total_bytes, offset, &part).unwrap();
                assert_eq!(whole.is_some(), last);
                if last {
                    break;
                }
            }
            assert_eq!(whole.unwrap(), state);
        }
        let mut parts = SnapshotParts::default();
        assert_eq!(
            parts.take(position, 9, 3, &Bytes::from_static(b"abc")),
            Err(OutOfPlace)
        );
    }

    /// [WIRE-3] [WIRE-12] A part has a largest size.
    #[test]
    fn too_large() {
        let part = |bytes: usize| {
            let frame = ServerFrame::Snapshot {
                position: Position { epoch: 1, seq: 1 },
                total_bytes: 1 << 20,
                offset: 0,
                part: vec![0; bytes].into(),
            };
            ServerFrame::decode(&frame.encode()).map(|_| ())
        };
        assert_eq!(part(64 << 10), Ok(()));
        assert_eq!(part((64 << 10) + 1), Err(Malformed::TooLarge));
    }
}
