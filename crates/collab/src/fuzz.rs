//! What must hold for any bytes at all. `fuzz/` gives these functions to libFuzzer; the tests below give them seeded mutations of
//! what real clients send, in every run of the tests.
//!
//! None of them may panic, or take more than time and memory in proportion to the bytes.

use crate::lease::LeaseKey;
use crate::limits::PROOF_BYTES;
use crate::protocol::{ClientFrame, Lease, ServerFrame};
use crate::scan::{Bounds, scan};
use crate::value::{check_any, check_json};
use crate::varint::Reader;
use crate::yjs::{HocuspocusFrame, YMessage, decode_awareness, decode_state_vector, merge_updates};
use bytes::Bytes;
use yrs::Update;
use yrs::updates::decoder::Decode;

/// [SCAN-1] What the scan accepts, yrs decodes; what it finds is not more than the bytes.
pub fn scanner(data: &[u8]) {
    for bounds in [Bounds::update(&["default", "title"]), Bounds::snapshot()] {
        let Ok(found) = scan(data, &bounds) else {
            continue;
        };
        let ranges = found.brings.len() + found.deletes.len() + found.needs.len();
        assert!(ranges <= data.len(), "more ranges than bytes");
        assert!(Update::decode_v1(data).is_ok(), "accepted, and no update");
    }
}

/// [WIRE-3] [WIRE-4] A frame that is read is written so that it is read as the same.
pub fn client_frames(data: &[u8]) {
    if let Ok(frame) = ClientFrame::decode(&Bytes::copy_from_slice(data)) {
        let again = ClientFrame::decode(&frame.encode());
        assert_eq!(again.as_ref(), Ok(&frame));
    }
}

/// [WIRE-3] [WIRE-4] The same for what servers send.
pub fn server_frames(data: &[u8]) {
    if let Ok(frame) = ServerFrame::decode(&Bytes::copy_from_slice(data)) {
        let again = ServerFrame::decode(&frame.encode());
        assert_eq!(again.as_ref(), Ok(&frame));
    }
}

/// [ROOM-2] A proof holds for nothing but what it was made for.
pub fn leases(data: &[u8]) {
    let Some((proof, rest)) = data.split_first_chunk::<PROOF_BYTES>() else {
        return;
    };
    let key = LeaseKey::new([7; 32]);
    let client_id = rest
        .iter()
        .fold(0_u64, |id, byte| id << 8 | u64::from(*byte));
    let text = String::from_utf8_lossy(rest);
    let lease = Lease {
        client_id,
        proof: *proof,
    };
    let made = key.lease(&text, "5", client_id);
    assert_eq!(key.holds(&text, "5", &lease), made.as_ref() == Some(&lease));
    let other = key.lease(&text, "6", client_id);
    assert!(!other.is_some_and(|lease| key.holds(&text, "5", &lease)));
}

/// [SCAN-1] [SCAN-2] Values of both forms are stepped over without recursion.
pub fn values(data: &[u8]) {
    let mut reader = Reader::new(data);
    while reader.left() > 0 && check_any(&mut reader).is_ok() {}
    if let Ok(text) = std::str::from_utf8(data)
        && check_json(text).is_ok()
    {
        let parsed = serde_json::from_str::<serde_json::Value>(text);
        assert!(parsed.is_ok(), "accepted, and no JSON");
    }
}

/// [YJS-3] [YJS-5] Messages of y-websocket and Hocuspocus, awareness, state vectors.
pub fn yjs_messages(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    if let Ok(message) = YMessage::decode(&bytes) {
        assert_eq!(YMessage::decode(&message.encode()).as_ref(), Ok(&message));
    }
    let _ = HocuspocusFrame::decode(&bytes);
    if let Ok(entries) = decode_awareness(data) {
        assert!(entries.len() <= data.len(), "more people than bytes");
    }
    let _ = decode_state_vector(data);
}

/// [YJS-9] Updates that the scan accepts are joined to one that it accepts, or left as they are.
pub fn yjs_updates(data: &[u8]) {
    let bounds = Bounds::snapshot();
    let updates: Vec<Bytes> = data
        .split(|byte| *byte == b'|')
        .filter(|update| scan(update, &bounds).is_ok())
        .map(Bytes::copy_from_slice)
        .collect();
    let before: usize = updates.iter().map(Bytes::len).sum();
    if let Ok(merged) = merge_updates(&updates, None) {
        let rest: usize = merged.rest.iter().map(Bytes::len).sum();
        // Numbers may take a few bytes more where sections are counted together.
        assert!(merged.update.len() + rest <= before + 16 * (updates.len() + 1));
        assert!(scan(&merged.update, &bounds).is_ok(), "no update any more");
    }
}

#[cfg(test)]
#[path = "fuzz_tests.rs"]
mod tests;
