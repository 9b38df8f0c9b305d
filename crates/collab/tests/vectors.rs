//! The byte vectors that Rust and TypeScript both read.

use bytes::Bytes;
use collab::{ClientFrame, PresenceKind, ServerFrame};
use serde_json::{Value, json};

fn unhex(text: &str) -> Bytes {
    let digit = |i: usize| u8::from_str_radix(&text[i..i + 2], 16).unwrap();
    (0..text.len())
        .step_by(2)
        .map(digit)
        .collect::<Vec<_>>()
        .into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn client_json(frame: &ClientFrame) -> Value {
    match frame {
        ClientFrame::Hello {
            version,
            document,
            resume,
            leases,
        } => json!({
            "type": "hello", "version": version, "document": document,
            "resume": resume.map(|at| json!({"epoch": at.epoch, "seq": at.seq})),
            "leases": leases.iter().map(|lease|
                json!({"client_id": lease.client_id, "proof": hex(&lease.proof)})).collect::<Vec<_>>(),
        }),
        ClientFrame::Push { batch_id, updates } => json!({
            "type": "push", "batch_id": batch_id,
            "updates": updates.iter().map(|update| hex(update)).collect::<Vec<_>>(),
        }),
        ClientFrame::Presence { blob } => json!({"type": "presence", "blob": hex(blob)}),
        ClientFrame::Ping { nonce, rtt_ms } => {
            json!({"type": "ping", "nonce": nonce, "rtt_ms": rtt_ms})
        }
        ClientFrame::Auth { token } => json!({"type": "auth", "token": token}),
        ClientFrame::Ask { what } => json!({"type": "ask", "what": *what as u8 + 1}),
    }
}

fn server_json(frame: &ServerFrame) -> Value {
    match frame {
        ServerFrame::Welcome {
            epoch,
            head_seq,
            rights,
            cause,
            connection_id,
            lease,
            update_bytes_max,
            snapshot_follows,
        } => json!({
            "type": "welcome", "version": 2, "epoch": epoch, "head_seq": head_seq, "rights": *rights as u8, "cause": *cause as u8,
            "connection_id": connection_id, "client_id": lease.client_id, "proof": hex(&lease.proof),
            "update_bytes_max": update_bytes_max, "mode": u8::from(*snapshot_follows),
        }),
        ServerFrame::Snapshot {
            position,
            total_bytes,
            offset,
            part,
        } => json!({
            "type": "snapshot", "epoch": position.epoch, "seq": position.seq,
            "total_bytes": total_bytes, "offset": offset, "part": hex(part)}),
        ServerFrame::Batch {
            epoch,
            first_seq,
            updates,
        } => json!({
            "type": "batch", "epoch": epoch, "first_seq": first_seq,
            "updates": updates.iter().map(|(connection, update)|
                json!({"connection_id": connection, "update": hex(update)})).collect::<Vec<_>>(),
        }),
        ServerFrame::Ack { batch_id, position } => json!({
            "type": "ack", "batch_id": batch_id, "epoch": position.epoch, "seq": position.seq}),
        ServerFrame::Nack {
            batch_id,
            reason,
            message,
        } => json!({
            "type": "nack", "batch_id": batch_id, "reason": reason.code(), "message": message}),
        ServerFrame::Presence { changes } => json!({
            "type": "presence",
            "changes": changes.iter().map(|(id, kind)| presence_json(*id, kind)).collect::<Vec<_>>(),
        }),
        ServerFrame::Access {
            rights,
            cause,
            reason,
        } => json!({
            "type": "access", "rights": *rights as u8, "cause": *cause as u8, "reason": reason}),
        ServerFrame::Reset { epoch, reason } => {
            json!({"type": "reset", "epoch": epoch, "reason": *reason as u8 + 1})
        }
        ServerFrame::Pong { nonce } => json!({"type": "pong", "nonce": nonce}),
        ServerFrame::Event { json } => json!({"type": "event", "json": json}),
    }
}

fn presence_json(connection_id: u64, kind: &PresenceKind) -> Value {
    match kind {
        PresenceKind::Gone => json!({"connection_id": connection_id, "kind": "gone"}),
        PresenceKind::Joined { identity, blob } => json!({
            "connection_id": connection_id, "kind": "joined", "identity": identity, "blob": hex(blob)}),
        PresenceKind::Changed { blob } => {
            json!({"connection_id": connection_id, "kind": "changed", "blob": hex(blob)})
        }
    }
}

/// [WIRE-2] [WIRE-3] [WIRE-4] Every vector decodes to its value and back, or is refused for its reason.
#[test]
fn vectors() {
    let file: Value =
        serde_json::from_str(include_str!("../../../fixtures/protocol/frames.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 50);
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let bytes = unhex(vector["hex"].as_str().unwrap());
        let (decoded, again) = if vector["direction"] == "client" {
            let frame = ClientFrame::decode(&bytes);
            (
                frame.as_ref().map(client_json).map_err(|e| *e),
                frame.map(|f| f.encode()).ok(),
            )
        } else {
            let frame = ServerFrame::decode(&bytes);
            (
                frame.as_ref().map(server_json).map_err(|e| *e),
                frame.map(|f| f.encode()).ok(),
            )
        };
        match decoded {
            Ok(value) => {
                assert_eq!(value, vector["frame"], "{name}");
                assert_eq!(again.unwrap(), bytes, "{name}");
            }
            Err(reason) => assert_eq!(Value::from(reason.word()), vector["refused"], "{name}"),
        }
    }
}

/// [WIRE-3] No prefix and no one-byte change of a vector makes the decoder panic or keep a wrong length.
#[test]
fn damaged_vectors() {
    let file: Value =
        serde_json::from_str(include_str!("../../../fixtures/protocol/frames.json")).unwrap();
    for vector in file["vectors"].as_array().unwrap() {
        let bytes = unhex(vector["hex"].as_str().unwrap());
        for end in 0..bytes.len().min(200) {
            let _ = ClientFrame::decode(&bytes.slice(..end));
            let _ = ServerFrame::decode(&bytes.slice(..end));
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.to_vec();
                changed[end] = value;
                let changed = Bytes::from(changed);
                if let Ok(frame) = ClientFrame::decode(&changed) {
                    assert_eq!(ClientFrame::decode(&frame.encode()), Ok(frame));
                }
                if let Ok(frame) = ServerFrame::decode(&changed) {
                    assert_eq!(ServerFrame::decode(&frame.encode()), Ok(frame));
                }
            }
        }
    }
}
