//! Awareness: entries of (client id, clock, JSON state or `null`).

use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

/// What one client says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) client: u64,
    pub(crate) clock: u64,
    /// JSON; none when it has gone.
    pub(crate) state: Option<String>,
}

/// [YJS-6] Reads entries.
pub(crate) fn decode_awareness(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut r = Reader::new(bytes);
    let count = r.count(3, AWARENESS_ENTRIES_MAX)?;
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        let (client, clock) = (r.number()?, r.number()?);
        let state = r.text(AWARENESS_BYTES_MAX)?;
        entries.push(Entry {
            client,
            clock,
            state: (state != "null").then(|| state.to_owned()),
        });
    }
    r.end()?;
    Ok(entries)
}

/// Writes entries.
pub(crate) fn encode_awareness(entries: &[Entry]) -> Bytes {
    let mut out = Vec::new();
    put_number(&mut out, entries.len() as u64);
    for entry in entries {
        put_number(&mut out, entry.client);
        put_number(&mut out, entry.clock);
        let state = entry.state.as_deref().unwrap_or("null");
        put_bytes(&mut out, state.as_bytes());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [YJS-6] The bytes are those of y-protocols; counts and lengths are checked before anything is reserved.
    #[test]
    fn entries() {
        let entries = vec![
            Entry {
                client: 300,
                clock: 2,
                state: Some("{}".to_owned()),
            },
            Entry {
                client: 1,
                clock: 9,
                state: None,
            },
        ];
        let bytes = encode_awareness(&entries);
        assert_eq!(bytes, &b"\x02\xac\x02\x02\x02{}\x01\x09\x04null"[..]);
        assert_eq!(decode_awareness(&bytes), Ok(entries));
        let truncated = decode_awareness(b"\xff\xff\xff\x7f");
        assert_eq!(truncated, Err(Malformed::TooLarge));
        assert_eq!(decode_awareness(b"\x7f\x01"), Err(Malformed::Truncated));
        assert_eq!(decode_awareness(b"\x00\x00"), Err(Malformed::Trailing));
    }
}
