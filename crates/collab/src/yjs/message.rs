//! Messages of the y-protocols, and their envelope in Hocuspocus v3 and v4.

use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

/// A message of the y-protocols.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum YMessage {
    /// What the sender knows: a state vector. The answer is what it lacks.
    Step1(Bytes),
    /// The answer: an update (v1).
    Step2(Bytes),
    /// An update (v1).
    Update(Bytes),
    /// Entries of those who are there.
    Awareness(Bytes),
    /// The sender may not do what it wants.
    Denied(String),
    /// Asks for the entries of all who are there.
    QueryAwareness,
}

const SYNC: u64 = 0;
const AWARENESS: u64 = 1;
const AUTH: u64 = 2;
const QUERY_AWARENESS: u64 = 3;
const SYNC_REPLY: u64 = 4;
const STATELESS: u64 = 5;
const CLOSE: u64 = 7;
const SYNC_STATUS: u64 = 8;
const PING: u64 = 9;
const PONG: u64 = 10;

impl YMessage {
    /// [YJS-3] Reads the message of one WebSocket frame; updates share its memory.
    pub fn decode(bytes: &Bytes) -> Result<YMessage, Malformed> {
        if bytes.is_empty() {
            return Err(Malformed::Empty);
        }
        let mut r = Reader::new(bytes);
        let message = match r.number()? {
            AUTH => match r.number()? {
                0 => YMessage::Denied(r.text(YJS_TOKEN_BYTES_MAX)?.to_owned()),
                _ => return Err(Malformed::BadValue),
            },
            kind => YMessage::body(kind, bytes, &mut r)?,
        };
        r.end()?;
        Ok(message)
    }

    fn body(kind: u64, bytes: &Bytes, r: &mut Reader<'_>) -> Result<YMessage, Malformed> {
        Ok(match kind {
            SYNC | SYNC_REPLY => match r.number()? {
                0 => YMessage::Step1(bytes.slice_ref(r.bytes(FRAME_BYTES_MAX)?)),
                1 => YMessage::Step2(bytes.slice_ref(r.bytes(FRAME_BYTES_MAX)?)),
                2 => YMessage::Update(bytes.slice_ref(r.bytes(FRAME_BYTES_MAX)?)),
                _ => return Err(Malformed::BadValue),
            },
            AWARENESS => YMessage::Awareness(bytes.slice_ref(r.bytes(AWARENESS_BYTES_MAX)?)),
            QUERY_AWARENESS => YMessage::QueryAwareness,
            _ => return Err(Malformed::UnknownType),
        })
    }

    /// Writes the message.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::new();
        let (numbers, body): (&[u64], Option<&[u8]>) = match self {
            YMessage::Step1(vector) => (&[SYNC, 0], Some(vector)),
            YMessage::Step2(update) => (&[SYNC, 1], Some(update)),
            YMessage::Update(update) => (&[SYNC, 2], Some(update)),
            YMessage::Awareness(entries) => (&[AWARENESS], Some(entries)),
            YMessage::Denied(reason) => (&[AUTH, 0], Some(reason.as_bytes())),
            YMessage::QueryAwareness => (&[QUERY_AWARENESS], None),
        };
        out.reserve(body.map_or(2, |body| body.len() + 12));
        for number in numbers {
            put_number(&mut out, *number);
        }
        if let Some(body) = body {
            put_bytes(&mut out, body);
        }
        out.into()
    }

    /// [YJS-4] What y-websocket clients are told instead of a message of ours; none when they would not understand it.
    pub fn for_y_websocket(message: &Bytes) -> Option<Bytes> {
        match message.first().copied().map(u64::from) {
            Some(SYNC | AWARENESS | QUERY_AWARENESS) => Some(message.clone()),
            Some(SYNC_STATUS) if message.get(1) == Some(&0) => {
                Some(YMessage::Denied("you may only read this document".to_owned()).encode())
            }
            Some(AUTH) if message.ends_with(b"readonly") => {
                Some(YMessage::Denied("you may only read this document now".to_owned()).encode())
            }
            _ => None,
        }
    }
}

/// A frame of Hocuspocus from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HocuspocusFrame {
    /// As the client wrote it; answers carry the same.
    pub address: String,
    /// The message.
    pub message: HocuspocusMessage,
}

/// What a Hocuspocus client says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HocuspocusMessage {
    /// A message of the y-protocols.
    Y(YMessage),
    /// Who it is.
    Token(String),
    /// Something of the application's own.
    Stateless(String),
    /// The client is done with the document.
    Close,
    /// A sign of life that wants another.
    Ping,
    /// A sign of life.
    Pong,
}

impl HocuspocusFrame {
    /// [YJS-5] Reads a frame; updates share its memory. PING and PONG come without an address too.
    pub fn decode(bytes: &Bytes) -> Result<HocuspocusFrame, Malformed> {
        match **bytes {
            [] => return Err(Malformed::Empty),
            [9] => return Ok(HocuspocusFrame::bare(HocuspocusMessage::Ping)),
            [10] => return Ok(HocuspocusFrame::bare(HocuspocusMessage::Pong)),
            _ => {}
        }
        let mut r = Reader::new(bytes);
        let address = r.text(YJS_ADDRESS_BYTES_MAX)?.to_owned();
        let message = match r.number()? {
            AUTH => match r.number()? {
                0 => {
                    let token = r.text(YJS_TOKEN_BYTES_MAX)?.to_owned();
                    // v4 says its version.
                    if r.left() > 0 {
                        r.text(YJS_ADDRESS_BYTES_MAX)?;
                    }
                    HocuspocusMessage::Token(token)
                }
                _ => return Err(Malformed::BadValue),
            },
            STATELESS => HocuspocusMessage::Stateless(r.text(STATELESS_BYTES_MAX)?.to_owned()),
            CLOSE => {
                if r.left() > 0 {
                    r.text(YJS_TOKEN_BYTES_MAX)?;
                }
                HocuspocusMessage::Close
            }
            PING => HocuspocusMessage::Ping,
            PONG => HocuspocusMessage::Pong,
            kind => HocuspocusMessage::Y(YMessage::body(kind, bytes, &mut r)?),
        };
        r.end()?;
        Ok(HocuspocusFrame { address, message })
    }

    fn bare(message: HocuspocusMessage) -> HocuspocusFrame {
        let address = String::new();
        HocuspocusFrame { address, message }
    }

    /// The document: the address without the session that v4 may append.
    pub fn document(&self) -> &str {
        let address = self.address.as_str();
        address
            .split_once('\0')
            .map_or(address, |(document, _)| document)
    }
}

/// A message as a Hocuspocus frame to a client.
pub fn addressed(address: &str, message: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(address.len() + message.len() + 2);
    put_bytes(&mut out, address.as_bytes());
    match message {
        // The y-protocols and Hocuspocus number the refusal differently.
        [2, 0, reason @ ..] => {
            out.extend_from_slice(&[2, 1]);
            out.extend_from_slice(reason);
        }
        _ => out.extend_from_slice(message),
    }
    out.into()
}

fn message(numbers: &[u64], text: Option<&str>) -> Bytes {
    let mut out = Vec::new();
    for number in numbers {
        put_number(&mut out, *number);
    }
    if let Some(text) = text {
        put_bytes(&mut out, text.as_bytes());
    }
    out.into()
}

/// The answer to a token, and what a change of rights is told with.
pub(crate) fn authorized(may_write: bool) -> Bytes {
    let scope = if may_write { "read-write" } else { "readonly" };
    message(&[AUTH, 2], Some(scope))
}

/// Asks for the token again.
pub fn token_request() -> Bytes {
    message(&[AUTH, 0], None)
}

/// The end of one document on a socket that serves several.
pub fn closing(reason: &str) -> Bytes {
    message(&[CLOSE], Some(reason))
}

/// Whether an update is on disk, or was refused.
pub(crate) fn sync_status(applied: bool) -> Bytes {
    message(&[SYNC_STATUS, u64::from(applied)], None)
}

/// Something of the application's own.
pub(crate) fn stateless(payload: &str) -> Bytes {
    message(&[STATELESS], Some(payload))
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
