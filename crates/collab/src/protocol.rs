//! The frames of `docs/spec/collab.md`: bytes to values and back, nothing else. `protocol/client.rs` and `protocol/server.rs` read and
//! write those of each side.

mod client;
mod server;
mod snapshot;

pub(crate) use server::batch_frame;
pub(crate) use snapshot::SnapshotFrames;
pub use snapshot::{OutOfPlace, SnapshotParts};

use crate::limits::*;
use crate::varint::{Malformed, Reader, put_bytes, put_number};
use bytes::Bytes;

/// The version of the protocol that this engine speaks.
pub const PROTOCOL_VERSION: u64 = 2;

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

/// Why a connection may do no more than it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cause {
    /// Its permission goes no further.
    #[default]
    Permission,
    /// Everything is read-only for now.
    ReadOnlyMode,
    /// One writes at a time, and somebody else does.
    Locked,
    /// As many write as may; it may ask.
    Full,
}

/// What a connection asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To write, when its turn comes.
    Write,
    /// To write no longer, so that somebody else may.
    LetGo,
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
        /// The last round trip that the client measured; 0 when it knows none.
        rtt_ms: u64,
    },
    /// Who the client is, where its requests carry neither cookie nor header: before HELLO.
    Auth {
        /// A signed token or a personal access token.
        token: String,
    },
    /// A wish about the right to write.
    Ask {
        /// Which.
        what: Request,
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
        /// Why not more.
        cause: Cause,
        /// The connection's number in BATCH and PRESENCE.
        connection_id: u64,
        /// The client id leased to it, and the proof.
        lease: Lease,
        /// Bytes that one update may have.
        update_bytes_max: u64,
        /// Whether a snapshot comes first.
        snapshot_follows: bool,
    },
    /// A part of a folded prefix of the log.
    Snapshot {
        /// Up to where.
        position: Position,
        /// Bytes of all parts together: one Yjs update (v1).
        total_bytes: u64,
        /// Where this part belongs.
        offset: u64,
        /// The part.
        part: Bytes,
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
        /// Why not more.
        cause: Cause,
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
    /// The client has a document from before the present epoch.
    Conflict = 4409,
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

fn cause(r: &mut Reader<'_>) -> Result<Cause, Malformed> {
    match r.number()? {
        0 => Ok(Cause::Permission),
        1 => Ok(Cause::ReadOnlyMode),
        2 => Ok(Cause::Locked),
        3 => Ok(Cause::Full),
        _ => Err(Malformed::BadValue),
    }
}

/// Splits a frame into its type and its body.
fn open(bytes: &[u8]) -> Result<(u8, Reader<'_>), Malformed> {
    let (kind, rest) = bytes.split_first().ok_or(Malformed::Empty)?;
    Ok((*kind, Reader::new(rest)))
}

fn put_position(out: &mut Vec<u8>, at: Position) {
    put_number(out, at.epoch);
    put_number(out, at.seq);
}

fn put_lease(out: &mut Vec<u8>, lease: &Lease) {
    put_number(out, lease.client_id);
    put_bytes(out, &lease.proof);
}

impl Rights {
    fn code(self) -> u64 {
        self as u64
    }
}

impl Cause {
    fn code(self) -> u64 {
        self as u64
    }
}

impl Request {
    fn code(self) -> u64 {
        self as u64 + 1
    }

    fn from_code(code: u64) -> Option<Request> {
        [Request::Write, Request::LetGo]
            .into_iter()
            .find(|what| what.code() == code)
    }
}

impl Refusal {
    pub(crate) const ALL: [Refusal; 8] = [
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

    /// A word for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Refusal::ReadOnly => "read only",
            Refusal::Malformed => "malformed",
            Refusal::TooLarge => "too large",
            Refusal::NotLeased => "not leased",
            Refusal::Gap => "gap",
            Refusal::Rate => "rate",
            Refusal::Unavailable => "unavailable",
            Refusal::WrongEpoch => "wrong epoch",
        }
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
