//! The updates behind a snapshot, packed: the records of BATCH frames one behind the other, so that many small updates cost little more
//! than their bytes, and a frame of them is a copy of one or two stretches.

use crate::limits::TAIL_BLOCK_BYTES;
use crate::varint::{Reader, put_bytes, put_number};
use std::collections::VecDeque;

/// Every so many records a block remembers where the record begins.
const MARK_EVERY: usize = 16;

/// Records of updates that follow each other: the author's connection and the update, as on the wire.
struct Block {
    first_seq: u64,
    count: usize,
    records: Vec<u8>,
    /// Where the records 0, 16, 32, … begin.
    marks: Vec<u32>,
}

/// Committed updates in order.
pub(crate) struct Tail {
    blocks: VecDeque<Block>,
    first_seq: u64,
    len: usize,
    bytes: usize,
}

/// Records in a row, for a frame.
pub(crate) struct Stretch<'a> {
    pub(crate) count: usize,
    pub(crate) records: Vec<&'a [u8]>,
}

impl Block {
    fn new(first_seq: u64) -> Block {
        Block {
            first_seq,
            count: 0,
            records: Vec::new(),
            marks: Vec::new(),
        }
    }

    fn append(&mut self, connection: u64, update: &[u8]) {
        if self.count.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.records.len() as u32);
        }
        put_number(&mut self.records, connection);
        put_bytes(&mut self.records, update);
        self.count += 1;
    }

    /// What begins with the n-th record.
    fn at(&self, n: usize) -> &[u8] {
        let mark = self.marks.get(n / MARK_EVERY);
        let start = mark.map_or(self.records.len(), |mark| *mark as usize);
        let mut rest = self.records.get(start..).unwrap_or_default();
        for _ in 0..n % MARK_EVERY {
            rest = split(rest).map_or(&[], |(_, _, rest)| rest);
        }
        rest
    }

    fn close(&mut self) {
        self.records.shrink_to_fit();
        self.marks.shrink_to_fit();
    }
}

/// The first record and what follows it.
fn split(records: &[u8]) -> Option<(u64, &[u8], &[u8])> {
    let mut r = Reader::new(records);
    let connection = r.number().ok()?;
    let update = r.bytes(usize::MAX).ok()?;
    let rest = records.get(records.len() - r.left()..)?;
    Some((connection, update, rest))
}

impl Tail {
    /// Nothing yet; the first update will be `first_seq`.
    pub(crate) fn new(first_seq: u64) -> Tail {
        Tail {
            blocks: VecDeque::new(),
            first_seq,
            len: 0,
            bytes: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the updates.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn append(&mut self, connection: u64, update: &[u8]) {
        let next_seq = self.first_seq + self.len as u64;
        let has_room = |block: &&mut Block| block.records.len() + update.len() <= TAIL_BLOCK_BYTES;
        if let Some(block) = self.blocks.back_mut().filter(has_room) {
            block.append(connection, update);
        } else {
            if let Some(full) = self.blocks.back_mut() {
                full.close();
            }
            let mut block = Block::new(next_seq);
            block.append(connection, update);
            self.blocks.push_back(block);
        }
        self.len += 1;
        self.bytes += update.len();
    }

    /// Author's connection and update, from one on.
    pub(crate) fn since(&self, seq: u64) -> impl Iterator<Item = (u64, &[u8])> {
        let first = self.block_of(seq);
        let blocks = self.blocks.range(first.min(self.blocks.len())..);
        blocks.flat_map(move |block| {
            let skip = seq.saturating_sub(block.first_seq) as usize;
            let mut rest = block.at(skip);
            std::iter::from_fn(move || {
                let (connection, update, after) = split(rest)?;
                rest = after;
                Some((connection, update))
            })
        })
    }

    /// The records from one on, not beyond `until` and at least one, up to so many bytes.
    pub(crate) fn stretch(&self, seq: u64, until: u64, bytes_max: usize) -> Stretch<'_> {
        let mut stretch = Stretch {
            count: 0,
            records: Vec::new(),
        };
        let (mut left, mut bytes) = ((until + 1).saturating_sub(seq) as usize, 0);
        let first = self.block_of(seq);
        for block in self.blocks.range(first.min(self.blocks.len())..) {
            let records = block.at(seq.saturating_sub(block.first_seq) as usize);
            let mut rest = records;
            let mut full = false;
            while left > 0
                && let Some((_, update, after)) = split(rest)
            {
                full = stretch.count > 0 && bytes + update.len() > bytes_max;
                if full {
                    break;
                }
                bytes += update.len();
                left -= 1;
                stretch.count += 1;
                rest = after;
            }
            let taken = records.len() - rest.len();
            stretch.records.extend(records.get(..taken));
            if full || left == 0 {
                break;
            }
        }
        stretch
    }

    /// Drops everything up to and including `seq`.
    pub(crate) fn drop_until(&mut self, seq: u64) {
        if seq < self.first_seq {
            return;
        }
        let dropped: Vec<usize> = self
            .since(self.first_seq)
            .take((seq + 1 - self.first_seq) as usize)
            .map(|(_, update)| update.len())
            .collect();
        let ends_by = |block: &Block| block.first_seq + block.count as u64 <= seq + 1;
        while self.blocks.front().is_some_and(ends_by) {
            self.blocks.pop_front();
        }
        if let Some(block) = self.blocks.front_mut().filter(|b| b.first_seq <= seq) {
            let mut rest = block.at((seq + 1 - block.first_seq) as usize);
            let mut kept = Block::new(seq + 1);
            while let Some((connection, update, after)) = split(rest) {
                kept.append(connection, update);
                rest = after;
            }
            *block = kept;
        }
        self.first_seq = seq + 1;
        self.len -= dropped.len();
        self.bytes -= dropped.iter().sum::<usize>();
    }

    /// Which block has an update.
    fn block_of(&self, seq: u64) -> usize {
        self.blocks
            .partition_point(|block| block.first_seq <= seq)
            .saturating_sub(1)
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let block = |block: &Block| block.records.capacity() + 4 * block.marks.capacity();
        self.blocks.iter().map(block).sum::<usize>() + self.blocks.capacity() * size_of::<Block>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [ROOM-21] Whatever is appended and dropped, what is left is there in order, and stretches are its records.
    #[test]
    fn packed() {
        let (mut tail, mut plain) = (Tail::new(10), VecDeque::new());
        let mut chance = 1_u64;
        let mut below = move |n: u64| {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (chance >> 33) % n
        };
        let mut first_seq = 10;
        for step in 0..3_000 {
            if below(40) == 0 && !plain.is_empty() {
                let gone = 1 + below(plain.len() as u64);
                tail.drop_until(first_seq + gone - 1);
                plain.drain(..gone as usize);
                first_seq += gone;
            } else {
                let len = if below(50) == 0 {
                    3 * TAIL_BLOCK_BYTES as u64
                } else {
                    below(60)
                };
                let update = vec![step as u8; len as usize];
                tail.append(below(400), &update);
                plain.push_back(update);
            }
            assert_eq!(tail.len(), plain.len());
            assert_eq!(tail.bytes(), plain.iter().map(Vec::len).sum::<usize>());
            let skip = below(plain.len() as u64 + 1);
            let found = tail.since(first_seq + skip).map(|(_, update)| update);
            assert!(found.eq(plain.iter().skip(skip as usize).map(|update| &update[..])));
            if skip < plain.len() as u64 {
                let most = 1 + below(300);
                let until = first_seq + skip + most - 1;
                let stretch = tail.stretch(first_seq + skip, until, 2_000);
                let records = stretch.records.concat();
                let mut rest = &records[..];
                for n in 0..stretch.count {
                    let (_, update, after) = split(rest).unwrap();
                    assert_eq!(update, &plain[skip as usize + n][..]);
                    rest = after;
                }
                assert!(rest.is_empty() && (1..=most as usize).contains(&stretch.count));
            }
        }
    }

    /// [ROOM-21] Keystrokes take little more than their bytes.
    #[test]
    fn keystrokes_are_small() {
        let mut tail = Tail::new(1);
        for _ in 0..50_000 {
            tail.append(123, &[7; 28]);
        }
        let (held, bytes) = (tail.memory(), tail.bytes());
        assert!(held * 10 <= bytes * 12, "{held} for {bytes}");
    }
}
