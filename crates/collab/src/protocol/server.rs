//! Frames from the server.

use super::{
    PROTOCOL_VERSION, Position, PresenceKind, Refusal, ResetReason, ServerFrame, cause, flag,
    lease, open, position, put_lease, put_position, rights,
};
use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

impl ServerFrame {
    /// Writes the frame.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(64);
        match self {
            ServerFrame::Welcome { .. } => put_welcome(&mut out, self),
            ServerFrame::Snapshot {
                position,
                total_bytes,
                offset,
                part,
            } => {
                out.reserve(part.len() + 64);
                put_snapshot_part(&mut out, *position, *total_bytes, *offset, part);
            }
            ServerFrame::Batch {
                epoch,
                first_seq,
                updates,
            } => {
                out.reserve(updates.iter().map(|(_, update)| update.len() + 10).sum());
                out.push(0x83);
                put_number(&mut out, *epoch);
                put_number(&mut out, *first_seq);
                put_number(&mut out, updates.len() as u64);
                for (connection, update) in updates {
                    put_number(&mut out, *connection);
                    put_bytes(&mut out, update);
                }
            }
            ServerFrame::Ack { batch_id, position } => {
                out.push(0x84);
                put_number(&mut out, *batch_id);
                put_position(&mut out, *position);
            }
            ServerFrame::Nack {
                batch_id,
                reason,
                message,
            } => {
                out.push(0x85);
                put_number(&mut out, *batch_id);
                put_number(&mut out, reason.code());
                put_bytes(&mut out, message.as_bytes());
            }
            ServerFrame::Presence { changes } => put_presence(&mut out, changes),
            ServerFrame::Access {
                rights,
                cause,
                reason,
            } => {
                out.push(0x87);
                put_number(&mut out, rights.code());
                put_number(&mut out, cause.code());
                put_bytes(&mut out, reason.as_bytes());
            }
            ServerFrame::Reset { epoch, reason } => {
                out.push(0x88);
                put_number(&mut out, *epoch);
                put_number(&mut out, reason.code());
            }
            ServerFrame::Pong { nonce } => {
                out.push(0x89);
                put_number(&mut out, *nonce);
            }
            ServerFrame::Event { json } => {
                out.push(0x8a);
                put_bytes(&mut out, json.as_bytes());
            }
        }
        out.into()
    }

    /// Reads a frame: for clients in Rust, tests and load programs.
    pub fn decode(bytes: &Bytes) -> Result<ServerFrame, Malformed> {
        let (kind, mut r) = open(bytes)?;
        let r = &mut r;
        let frame = match kind {
            0x81 => welcome(r)?,
            0x82 => snapshot_part(bytes, r)?,
            0x83 => batch(bytes, r)?,
            0x84 => ServerFrame::Ack {
                batch_id: r.number()?,
                position: position(r)?,
            },
            0x85 => ServerFrame::Nack {
                batch_id: r.number()?,
                reason: Refusal::from_code(r.number()?).ok_or(Malformed::BadValue)?,
                message: r.text(usize::MAX)?.to_owned(),
            },
            0x86 => presence(bytes, r)?,
            0x87 => ServerFrame::Access {
                rights: rights(r)?,
                cause: cause(r)?,
                reason: r.text(usize::MAX)?.to_owned(),
            },
            0x88 => ServerFrame::Reset {
                epoch: r.number()?,
                reason: ResetReason::from_code(r.number()?).ok_or(Malformed::BadValue)?,
            },
            0x89 => ServerFrame::Pong { nonce: r.number()? },
            0x8a => ServerFrame::Event {
                json: r.text(usize::MAX)?.to_owned(),
            },
            _ => return Err(Malformed::UnknownType),
        };
        r.end()?;
        Ok(frame)
    }
}

fn put_welcome(out: &mut Vec<u8>, frame: &ServerFrame) {
    let ServerFrame::Welcome {
        epoch,
        head_seq,
        rights,
        cause,
        connection_id,
        lease,
        update_bytes_max,
        snapshot_follows,
    } = frame
    else {
        return;
    };
    out.push(0x81);
    for number in [
        PROTOCOL_VERSION,
        *epoch,
        *head_seq,
        rights.code(),
        cause.code(),
        *connection_id,
    ] {
        put_number(out, number);
    }
    put_lease(out, lease);
    put_number(out, *update_bytes_max);
    put_number(out, u64::from(*snapshot_follows));
}

fn welcome(r: &mut Reader<'_>) -> Result<ServerFrame, Malformed> {
    if r.number()? != PROTOCOL_VERSION {
        return Err(Malformed::BadValue);
    }
    Ok(ServerFrame::Welcome {
        epoch: r.number()?,
        head_seq: r.number()?,
        rights: rights(r)?,
        cause: cause(r)?,
        connection_id: r.number()?,
        lease: lease(r)?,
        update_bytes_max: r.number()?,
        snapshot_follows: flag(r)?,
    })
}

/// One part of a snapshot as a frame.
pub(super) fn put_snapshot_part(
    out: &mut Vec<u8>,
    position: Position,
    total_bytes: u64,
    offset: u64,
    part: &[u8],
) {
    out.push(0x82);
    put_position(out, position);
    put_number(out, total_bytes);
    put_number(out, offset);
    put_bytes(out, part);
}

fn snapshot_part(bytes: &Bytes, r: &mut Reader<'_>) -> Result<ServerFrame, Malformed> {
    let position = position(r)?;
    let (total_bytes, offset) = (r.number()?, r.number()?);
    let part = bytes.slice_ref(r.bytes(SNAPSHOT_PART_BYTES_MAX)?);
    if offset.saturating_add(part.len() as u64) > total_bytes {
        return Err(Malformed::BadValue);
    }
    Ok(ServerFrame::Snapshot {
        position,
        total_bytes,
        offset,
        part,
    })
}

/// A BATCH frame of records that are in its form already.
pub(crate) fn batch_frame(epoch: u64, first_seq: u64, count: usize, records: &[&[u8]]) -> Bytes {
    let bytes: usize = records.iter().map(|records| records.len()).sum();
    let mut out = Vec::with_capacity(bytes + 32);
    out.push(0x83);
    for number in [epoch, first_seq, count as u64] {
        put_number(&mut out, number);
    }
    for records in records {
        out.extend_from_slice(records);
    }
    out.into()
}

fn batch(bytes: &Bytes, r: &mut Reader<'_>) -> Result<ServerFrame, Malformed> {
    let (epoch, first_seq) = (r.number()?, r.number()?);
    let count = r.count(2, NUMBER_MAX)?;
    let mut updates = Vec::with_capacity(count);
    for _ in 0..count {
        updates.push((r.number()?, bytes.slice_ref(r.bytes(usize::MAX)?)));
    }
    Ok(ServerFrame::Batch {
        epoch,
        first_seq,
        updates,
    })
}

fn put_presence(out: &mut Vec<u8>, changes: &[(u64, PresenceKind)]) {
    out.push(0x86);
    put_number(out, changes.len() as u64);
    for (connection, kind) in changes {
        put_number(out, *connection);
        match kind {
            PresenceKind::Gone => put_number(out, 0),
            PresenceKind::Joined { identity, blob } => {
                put_number(out, 1);
                put_bytes(out, identity.as_bytes());
                put_bytes(out, blob);
            }
            PresenceKind::Changed { blob } => {
                put_number(out, 2);
                put_bytes(out, blob);
            }
        }
    }
}

fn presence(bytes: &Bytes, r: &mut Reader<'_>) -> Result<ServerFrame, Malformed> {
    let count = r.count(2, NUMBER_MAX)?;
    let mut changes = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = r.number()?;
        let kind = match r.number()? {
            0 => PresenceKind::Gone,
            1 => PresenceKind::Joined {
                identity: r.text(usize::MAX)?.to_owned(),
                blob: bytes.slice_ref(r.bytes(PRESENCE_BYTES_MAX)?),
            },
            2 => PresenceKind::Changed {
                blob: bytes.slice_ref(r.bytes(PRESENCE_BYTES_MAX)?),
            },
            _ => return Err(Malformed::BadValue),
        };
        changes.push((connection, kind));
    }
    Ok(ServerFrame::Presence { changes })
}
