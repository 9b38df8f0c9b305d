//! Numbers and lists of frames in the bodies of requests and answers, read without trust.

use bytes::Bytes;

/// Reads a number from the front of the bytes. `None`: cut short, or above 2^53-1.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..56).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return (number < 1 << 53).then_some(number);
        }
    }
    None
}

pub(crate) fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The parts of a list of `varBytes`, without a copy. `None`: not such a list, or too long.
pub(crate) fn parts(body: &Bytes, most: usize) -> Option<Vec<Bytes>> {
    let mut rest = body.as_ref();
    let mut parts = Vec::new();
    while !rest.is_empty() {
        if parts.len() >= most {
            return None;
        }
        let length = usize::try_from(read(&mut rest)?).ok()?;
        let (part, after) = rest.split_at_checked(length)?;
        rest = after;
        parts.push(body.slice_ref(part));
    }
    Some(parts)
}

/// The last update of the log that a frame brings: the end of a BATCH, or a SNAPSHOT with its last part.
pub(crate) fn last_seq(frame: &[u8]) -> Option<u64> {
    let (kind, mut rest) = frame.split_first()?;
    let mut number = || read(&mut rest);
    match kind {
        0x82 => {
            let (_epoch, seq, total, offset) = (number()?, number()?, number()?, number()?);
            let part = number()?;
            (offset + part == total).then_some(seq)
        }
        0x83 => {
            let (_epoch, first, count) = (number()?, number()?, number()?);
            (first + count).checked_sub(1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collab::{Position, ServerFrame};

    #[test]
    fn numbers_and_lists_come_back_as_they_were_written() {
        let mut out = Vec::new();
        for number in [0, 127, 128, 300, (1 << 53) - 1] {
            out.clear();
            write(&mut out, number);
            assert_eq!(read(&mut out.as_slice()), Some(number));
        }
        assert_eq!(read(&mut [0xff; 9].as_slice()), None);
        assert_eq!(read(&mut [0x80].as_slice()), None);
        let mut list = Vec::new();
        for part in [b"one".as_slice(), b"", b"three"] {
            write_bytes(&mut list, part);
        }
        let list = Bytes::from(list);
        assert_eq!(parts(&list, 3).unwrap(), [&b"one"[..], b"", b"three"]);
        assert_eq!(parts(&list, 2), None);
        assert_eq!(parts(&list.slice(..list.len() - 1), 3), None);
    }

    #[test]
    fn a_frame_says_how_far_it_brings_its_reader() {
        let updates = vec![(1, Bytes::from_static(b"x")), (1, Bytes::from_static(b"y"))];
        let batch = ServerFrame::Batch {
            epoch: 1,
            first_seq: 7,
            updates,
        };
        assert_eq!(last_seq(&batch.encode()), Some(8));
        let snapshot = |offset| ServerFrame::Snapshot {
            position: Position { epoch: 1, seq: 300 },
            total_bytes: 10,
            offset,
            part: Bytes::from_static(b"12345"),
        };
        assert_eq!(last_seq(&snapshot(0).encode()), None);
        assert_eq!(last_seq(&snapshot(5).encode()), Some(300));
        assert_eq!(last_seq(&ServerFrame::Pong { nonce: 1 }.encode()), None);
    }
}
