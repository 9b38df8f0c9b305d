//! Frames from clients.

use super::{ClientFrame, Request, flag, lease, open, position, put_lease, put_position};
use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

impl ClientFrame {
    /// Reads a frame; the updates and blobs share the frame's memory.
    pub fn decode(bytes: &Bytes) -> Result<ClientFrame, Malformed> {
        let (kind, mut r) = open(bytes)?;
        let frame = match kind {
            0x01 => hello(&mut r)?,
            0x02 => {
                let batch_id = r.number()?;
                let count = r.count(1, PUSH_UPDATES_MAX as u64)?;
                if count == 0 {
                    return Err(Malformed::BadValue);
                }
                let mut updates = Vec::with_capacity(count);
                for _ in 0..count {
                    updates.push(bytes.slice_ref(r.bytes(FRAME_BYTES_MAX)?));
                }
                ClientFrame::Push { batch_id, updates }
            }
            0x03 => ClientFrame::Presence {
                blob: bytes.slice_ref(r.bytes(PRESENCE_BYTES_MAX)?),
            },
            0x04 => ClientFrame::Ping {
                nonce: r.number()?,
                rtt_ms: r.number()?,
            },
            0x05 => ClientFrame::Auth {
                token: r.text(TOKEN_BYTES_MAX)?.to_owned(),
            },
            0x06 => ClientFrame::Ask {
                what: Request::from_code(r.number()?).ok_or(Malformed::BadValue)?,
            },
            _ => return Err(Malformed::UnknownType),
        };
        r.end()?;
        Ok(frame)
    }

    /// Writes the frame: for clients in Rust, tests and load programs.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        match self {
            ClientFrame::Hello {
                version,
                document,
                resume,
                leases,
            } => {
                out.push(0x01);
                put_number(&mut out, *version);
                put_bytes(&mut out, document.as_bytes());
                put_number(&mut out, u64::from(resume.is_some()));
                if let Some(at) = resume {
                    put_position(&mut out, *at);
                }
                put_number(&mut out, leases.len() as u64);
                for lease in leases {
                    put_lease(&mut out, lease);
                }
            }
            ClientFrame::Push { batch_id, updates } => {
                out.push(0x02);
                put_number(&mut out, *batch_id);
                put_number(&mut out, updates.len() as u64);
                for update in updates {
                    put_bytes(&mut out, update);
                }
            }
            ClientFrame::Presence { blob } => {
                out.push(0x03);
                put_bytes(&mut out, blob);
            }
            ClientFrame::Ping { nonce, rtt_ms } => {
                out.push(0x04);
                put_number(&mut out, *nonce);
                put_number(&mut out, *rtt_ms);
            }
            ClientFrame::Auth { token } => {
                out.push(0x05);
                put_bytes(&mut out, token.as_bytes());
            }
            ClientFrame::Ask { what } => {
                out.push(0x06);
                put_number(&mut out, what.code());
            }
        }
        out.into()
    }
}

fn hello(r: &mut Reader<'_>) -> Result<ClientFrame, Malformed> {
    let version = r.number()?;
    let document = r.text(DOCUMENT_NAME_BYTES_MAX)?.to_owned();
    let resume = if flag(r)? { Some(position(r)?) } else { None };
    let count = r.number()?;
    if count > HELLO_LEASES_MAX as u64 {
        return Err(Malformed::TooLarge);
    }
    let mut leases = Vec::new();
    for _ in 0..count {
        leases.push(lease(r)?);
    }
    Ok(ClientFrame::Hello {
        version,
        document,
        resume,
        leases,
    })
}
