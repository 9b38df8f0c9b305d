//! The y-protocols and Hocuspocus, for clients that are not ours: bytes to values and back, without a CRDT.
//!
//! `message.rs` has the messages, `update.rs` what can be done to updates by their structure alone, `awareness.rs` the entries of those
//! who are there, `cursor.rs` and `state.rs` the way between them and native presence.

mod awareness;
mod cursor;
mod message;
mod state;
mod update;
mod who;

#[cfg(test)]
pub(crate) use awareness::encode_awareness;
pub(crate) use awareness::{Entry, decode_awareness};
pub use message::{
    HocuspocusFrame, HocuspocusMessage, YMessage, addressed, closing, token_request,
};
pub(crate) use message::{authorized, stateless, sync_status};
pub(crate) use state::{blob_of_state, with_identity};
pub(crate) use update::{Deletes, decode_state_vector, encode_state_vector, merge_updates};
pub use update::{difference, is_update};
pub(crate) use who::Awareness;
