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
mod varint;

mod scan;
mod tail;
mod value;

mod admission;
mod yjs;

mod authors;
mod budget;
mod clocks;
mod history;
mod lease;
mod people;
mod room;

mod contents;
mod counted;
mod hydrate;
mod log;
mod offline;

mod engine;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;

#[cfg(test)]
mod differential;
#[cfg(test)]
mod simulation;

pub use contents::contents;
pub use counted::{Histogram, Refused};
pub use engine::{Engine, EngineSettings, EngineStats, Link, Outbox, Outgoing};
pub use hydrate::{hydrate, hydrate_of, merge};
pub use lease::LeaseKey;
pub use log::{Answer, Append, Author, Fold, Loaded, Log, LogError, NewRow, Outcome};
pub use offline::{OfflineEdits, client_bytes, written_text};
pub use protocol::{
    Cause, ClientFrame, CloseCode, Lease, OutOfPlace, PROTOCOL_VERSION, Position, PresenceKind,
    Refusal, Request, ResetReason, Rights, ServerFrame, SnapshotParts,
};
pub use room::{Dialect, Join, Mode, Who};
pub use varint::Malformed;
pub use yjs::{
    HocuspocusFrame, HocuspocusMessage, YMessage, addressed, closing, difference, is_update,
    token_request,
};
