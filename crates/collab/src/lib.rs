//! How people edit one document together: frames, scan, log, rooms, presence.
//!
//! The hot path is **scan -> append -> acknowledge -> broadcast** and never builds a document. [`ClientFrame`] and
//! [`ServerFrame`] are the bytes on the wire.
//!
//! What it is not: it knows bytes, not paragraphs; connections with rights, not users; a `Log` trait, not SQL; frames, not HTTP.
//!
//! The rules are numbered in `docs/spec/collab.md`, and each has a test that names it. Invariants that everything else leans on:
//!
//! * nothing is acknowledged or shown to others before it is committed and synced;
//! * after any doubt about the log the room reads it again; after any error a hydrated document is thrown away;
//! * everything is bounded, and every bound has a name in `limits.rs`.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod limits;
mod protocol;
mod scan;
mod value;
mod varint;

pub use protocol::{
    ClientFrame, CloseCode, Lease, PROTOCOL_VERSION, Position, PresenceKind, Refusal, ResetReason,
    Rights, ServerFrame,
};
pub use varint::Malformed;
