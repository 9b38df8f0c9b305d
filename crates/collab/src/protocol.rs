//! The frames of `docs/spec/collab.md`: bytes to values and back, nothing else.

use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

/// The version of the protocol that this engine speaks.
pub const PROTOCOL_VERSION: u64 = 1;

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rights {
    /// Not even read.
    None,
    /// Read, and be present.
    Read,
    /// Read and edit.
    Write,
}

/// Why a batch was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The connection may only read.
    ReadOnly,
    /// Not an update, or one with forbidden parts.
    Malformed,
    /// The batch or the document would be too large.
    TooLarge,
    /// A client id that is not leased to the connection.
    NotLeased,
    /// Something before it is missing; synchronise, then send again.
    Gap,
    /// Too much at once; wait, then send again.
    Rate,
    /// The log failed; wait, then send again.
    Unavailable,
    /// The document has been rewritten since.
    WrongEpoch,
}

/// Why a document starts a new epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetReason {
    /// The draft was discarded.
    Discarded,
    /// The live document was rewritten to shed its past.
    Rewritten,
    /// The content was restored from elsewhere, a backup or a version.
    Restored,
}

/// A client id with the proof that it was leased to this user for this document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The Yjs client id.
    pub client_id: u64,
    /// HMAC over document, user and client id.
    pub proof: [u8; PROOF_BYTES],
}

/// A place in a document's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The generation of the live document.
    pub epoch: u64,
    /// The last update that is included.
    pub seq: u64,
}

/// A frame from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// The first frame of a connection.
    Hello {
        /// The protocol version that the client speaks.
        version: u64,
        /// Which document, e.g. `page-42`.
        document: String,
        /// What the client has already.
        resume: Option<Position>,
        /// Client ids from before that it still needs.
        leases: Vec<Lease>,
    },
    /// Edits.
    Push {
        /// The client's number for the batch; the answer names it.
        batch_id: u64,
        /// Yjs updates (v1) in order.
        updates: Vec<Bytes>,
    },
    /// The client's presence; empty withdraws.
    Presence {
        /// Opaque to the server.
        blob: Bytes,
    },
    /// Asks for a PONG.
    Ping {
        /// Comes back in the PONG.
        nonce: u64,
    },
}

/// What has become of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceKind {
    /// The connection has ended.
    Gone,
    /// Somebody not told of before.
    Joined {
        /// JSON with `user`, `name` and `hue`.
        identity: String,
        /// The latest blob.
        blob: Bytes,
    },
    /// A new blob.
    Changed {
        /// The latest blob.
        blob: Bytes,
    },
}

/// A frame from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame {
    /// The answer to HELLO.
    Welcome {
        /// The generation of the live document.
        epoch: u64,
        /// The last committed update.
        head_seq: u64,
        /// What the connection may do.
        rights: Rights,
        /// The connection's number in BATCH and PRESENCE.
        connection_id: u64,
        /// The client id leased to it, and the proof.
        lease: Lease,
        /// Bytes that one update may have.
        update_bytes_max: u64,
        /// Whether a snapshot comes first.
        snapshot_follows: bool,
    },
    /// A folded prefix of the log.
    Snapshot {
        /// Up to where.
        position: Position,
        /// Yjs update (v1).
        state: Bytes,
    },
    /// Committed updates in order.
    Batch {
        /// The generation of the live document.
        epoch: u64,
        /// The sequence number of the first.
        first_seq: u64,
        /// Author's connection (0 when it is not known any more) and update.
        updates: Vec<(u64, Bytes)>,
    },
    /// The batch is on disk.
    Ack {
        /// Which batch.
        batch_id: u64,
        /// Up to where the log is then.
        position: Position,
    },
    /// The batch is refused.
    Nack {
        /// Which batch.
        batch_id: u64,
        /// Why.
        reason: Refusal,
        /// For people.
        message: String,
    },
    /// What has become of the others.
    Presence {
        /// Connection and what is new.
        changes: Vec<(u64, PresenceKind)>,
    },
    /// The connection's rights have changed.
    Access {
        /// The new rights.
        rights: Rights,
        /// For people.
        reason: String,
    },
    /// The document starts again.
    Reset {
        /// The new generation.
        epoch: u64,
        /// Why.
        reason: ResetReason,
    },
    /// The answer to PING.
    Pong {
        /// From the PING.
        nonce: u64,
    },
    /// News about the page.
    Event {
        /// An object with `event`.
        json: String,
    },
}

/// Close codes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// A frame that is none, or out of turn.
    Protocol = 4400,
    /// Nobody is logged in.
    NotLoggedIn = 4401,
    /// No right to read.
    Forbidden = 4403,
    /// No such document.
    NotFound = 4404,
    /// The server restarts.
    Restart = 1012,
    /// Come back later.
    TryAgain = 1013,
}

fn position(r: &mut Reader<'_>) -> Result<Position, Malformed> {
    Ok(Position {
        epoch: r.number()?,
        seq: r.number()?,
    })
}

fn flag(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    match r.number()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::BadValue),
    }
}

fn lease(r: &mut Reader<'_>) -> Result<Lease, Malformed> {
    let client_id = r.number()?;
    let proof = r
        .bytes(usize::MAX)?
        .try_into()
        .map_err(|_| Malformed::BadValue)?;
    Ok(Lease { client_id, proof })
}

fn rights(r: &mut Reader<'_>) -> Result<Rights, Malformed> {
    match r.number()? {
        0 => Ok(Rights::None),
        1 => Ok(Rights::Read),
        2 => Ok(Rights::Write),
        _ => Err(Malformed::BadValue),
    }
}

/// Splits a frame into its type and its body.
fn open(bytes: &[u8]) -> Result<(u8, Reader<'_>), Malformed> {
    let (kind, rest) = bytes.split_first().ok_or(Malformed::Empty)?;
    Ok((*kind, Reader::new(rest)))
}

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
            0x04 => ClientFrame::Ping { nonce: r.number()? },
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
            ClientFrame::Ping { nonce } => {
                out.push(0x04);
                put_number(&mut out, *nonce);
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

fn put_position(out: &mut Vec<u8>, at: Position) {
    put_number(out, at.epoch);
    put_number(out, at.seq);
}

fn put_lease(out: &mut Vec<u8>, lease: &Lease) {
    put_number(out, lease.client_id);
    put_bytes(out, &lease.proof);
}

impl ServerFrame {
    /// Writes the frame.
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(64);
        match self {
            ServerFrame::Welcome { .. } => put_welcome(&mut out, self),
            ServerFrame::Snapshot { position, state } => {
                out.reserve(state.len() + 32);
                out.push(0x82);
                put_position(&mut out, *position);
                put_bytes(&mut out, state);
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
            ServerFrame::Access { rights, reason } => {
                out.push(0x87);
                put_number(&mut out, rights.code());
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
            0x82 => ServerFrame::Snapshot {
                position: position(r)?,
                state: bytes.slice_ref(r.bytes(usize::MAX)?),
            },
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
        connection_id: r.number()?,
        lease: lease(r)?,
        update_bytes_max: r.number()?,
        snapshot_follows: flag(r)?,
    })
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

impl Rights {
    fn code(self) -> u64 {
        self as u64
    }
}

impl Refusal {
    const ALL: [Refusal; 8] = [
        Refusal::ReadOnly,
        Refusal::Malformed,
        Refusal::TooLarge,
        Refusal::NotLeased,
        Refusal::Gap,
        Refusal::Rate,
        Refusal::Unavailable,
        Refusal::WrongEpoch,
    ];

    /// The number on the wire.
    pub fn code(self) -> u64 {
        self as u64 + 1
    }

    fn from_code(code: u64) -> Option<Refusal> {
        Refusal::ALL
            .into_iter()
            .find(|reason| reason.code() == code)
    }

    /// What people are told.
    pub fn message(self) -> &'static str {
        match self {
            Refusal::ReadOnly => "you may read this page but not edit it",
            Refusal::Malformed => "the change is not valid and was not taken",
            Refusal::TooLarge => "the change or the page is too large",
            Refusal::NotLeased => {
                "the change names a client id that is not leased to this connection"
            }
            Refusal::Gap => {
                "something before this change is missing; synchronise, then send it again"
            }
            Refusal::Rate => "too much at once; wait, then send it again",
            Refusal::Unavailable => "the change could not be saved; it will be sent again",
            Refusal::WrongEpoch => "the page has been rewritten since this change was made",
        }
    }
}

impl ResetReason {
    fn code(self) -> u64 {
        self as u64 + 1
    }

    fn from_code(code: u64) -> Option<ResetReason> {
        [
            ResetReason::Discarded,
            ResetReason::Rewritten,
            ResetReason::Restored,
        ]
        .into_iter()
        .find(|reason| reason.code() == code)
    }
}
