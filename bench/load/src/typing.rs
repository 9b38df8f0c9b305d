//! The smallest edits there are, made without a document: one character behind the last one of the same client.
//!
//! And the other way: which characters of whom an update brings, for updates that were made here and then merged by a server.

/// Appends a variable-length number.
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends bytes with their length.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads a number and moves on; `None` at the end.
pub(crate) fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Reads bytes with their length and moves on.
pub(crate) fn block<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = number(bytes)? as usize;
    let taken = bytes.get(..len)?;
    *bytes = &bytes[len..];
    Some(taken)
}

const ELEMENT: u8 = 3;
const TEXT: u8 = 6;
const TYPE: u8 = 7;
const STRING: u8 = 4;
const ORIGIN: u8 = 0x80;
/// Clocks of the paragraph and of the text in it, before the first character.
pub(crate) const FIRST: u64 = 2;

/// A paragraph of the client's own with a character in it. Three clocks.
pub(crate) fn paragraph(client: u64) -> Vec<u8> {
    let mut out = vec![1, 3];
    put_number(&mut out, client);
    out.push(0);
    out.extend([TYPE, 1]);
    put_bytes(&mut out, b"default");
    out.push(ELEMENT);
    put_bytes(&mut out, b"paragraph");
    out.extend([TYPE, 0]);
    put_number(&mut out, client);
    out.extend([0, TEXT]);
    out.extend([STRING, 0]);
    put_number(&mut out, client);
    out.push(1);
    put_bytes(&mut out, b"k");
    out.push(0);
    out
}

/// One more character at this clock, behind the one at another.
pub(crate) fn character(out: &mut Vec<u8>, client: u64, clock: u64, behind: u64) {
    out.extend([1, 1]);
    put_number(out, client);
    put_number(out, clock);
    out.push(ORIGIN | STRING);
    put_number(out, client);
    put_number(out, behind);
    out.extend([1, b'k', 0]);
}

/// Much text at once: a paragraph of the client's own at clock 0, or more behind the last character.
pub(crate) fn text(client: u64, clock: u64, bytes: usize) -> Vec<u8> {
    if clock == 0 {
        return paragraph(client);
    }
    let mut out = vec![1, 1];
    put_number(&mut out, client);
    put_number(&mut out, clock);
    out.push(ORIGIN | STRING);
    put_number(&mut out, client);
    put_number(&mut out, clock - 1);
    let words = b"a river and a meeting of waters ";
    put_bytes(
        &mut out,
        &words
            .iter()
            .copied()
            .cycle()
            .take(bytes)
            .collect::<Vec<_>>(),
    );
    out.push(0);
    out
}

/// Calls `each(client, first clock, end clock)` for every section of an update; false if it is none of ours.
pub(crate) fn sections(mut bytes: &[u8], each: &mut impl FnMut(u64, u64, u64)) -> bool {
    let r = &mut bytes;
    let Some(count) = number(r) else { return false };
    for _ in 0..count {
        let Some((structs, client, first)) = head(r) else {
            return false;
        };
        let mut clock = first;
        for _ in 0..structs {
            match one_struct(r) {
                Some(len) => clock += len,
                None => return false,
            }
        }
        each(client, first, clock);
    }
    true
}

fn head(r: &mut &[u8]) -> Option<(u64, u64, u64)> {
    Some((number(r)?, number(r)?, number(r)?))
}

fn one_struct(r: &mut &[u8]) -> Option<u64> {
    let (info, rest) = r.split_first()?;
    *r = rest;
    for bit in [ORIGIN, 0x40] {
        if info & bit != 0 {
            number(r)?;
            number(r)?;
        }
    }
    if info & (ORIGIN | 0x40) == 0 && *info != 0 {
        if number(r)? == 1 {
            block(r)?;
        } else {
            number(r)?;
            number(r)?;
        }
    }
    match info & 0x1f {
        0 => number(r),
        STRING => Some(block(r)?.len() as u64),
        TYPE => {
            if number(r)? == u64::from(ELEMENT) {
                block(r)?;
            }
            Some(1)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yrs::updates::decoder::Decode;
    use yrs::{Doc, ReadTxn, Transact, Update, XmlFragment};

    #[test]
    fn a_library_reads_what_is_typed() {
        let doc = Doc::new();
        let root = doc.get_or_insert_xml_fragment("default");
        let mut updates = vec![paragraph(3_000_000_000)];
        for clock in 3..300 {
            let mut update = Vec::new();
            character(&mut update, 3_000_000_000, clock, clock - 1);
            updates.push(update);
        }
        for update in &updates {
            let update = Update::decode_v1(update).unwrap();
            doc.transact_mut().apply_update(update).unwrap();
        }
        let transaction = doc.transact();
        assert_eq!(root.len(&transaction), 1);
        assert_eq!(
            transaction
                .state_vector()
                .get(&yrs::block::ClientID::new(3_000_000_000)),
            300
        );
        let mut seen = Vec::new();
        for update in &updates {
            assert!(sections(update, &mut |client, from, to| seen
                .push((client, from, to))));
        }
        assert_eq!(seen[0], (3_000_000_000, 0, 3));
        assert_eq!(seen[1], (3_000_000_000, 3, 4));
    }
}
