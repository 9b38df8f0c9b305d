//! What a page is: a tree of nodes and marks, and its faces.
//!
//! A [`Document`] is what people read and edit. It can be had from, and given as, the storage format ([`StorageFormat`]), the
//! live document that people edit together ([`Live`]), HTML ([`Html`]) and Markdown ([`Markdown`]); it can be given as ProseMirror JSON ([`Json`])
//! and plain text ([`PlainText`]). Two lists of blocks are compared by [`align`], two changes of one document put together by [`Merge`]. What it points at is collected by [`References`] and answered by whoever implements [`Links`]. The schema of the
//! tree is shared with the editor: `fixtures/document/schema.json`.
//!
//! **Not here:** files, network, clocks, database ids, asynchronous code, the meaning of a link. A face takes text or bytes and gives a
//! tree, or the other way round.
//!
//! **Invariants.**
//! * Storage format in, storage format out: the same XML infoset for every well-formed body. What has no typed node is kept as a preserved
//!   node with its exact source, and a [`Note`] says so. What is not well-formed is refused with line, column and reason ([`Malformed`]).
//! * The same holds on the way through the live document.
//! * Neighbouring texts differ in marks, no text is empty, marks stand in the order of [`MarkKind::ALL`], attributes with their
//!   default value are absent. Two equal documents compare equal.
//! * Rendered HTML executes nothing, whatever the document holds: it is written through a closed list of elements and attributes.
//! * No input overflows the stack or takes quadratic time; the limits have names in `limits.rs`.
//!
//! **Start** at `tree.rs` and `schema.rs`; then `storage_format/`, which says how each element of the storage format becomes a node; `live/`
//! is the port of y-prosemirror; `html/` and `markdown/` say in their `mod.rs` what becomes of what.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod align;
mod date;
mod html;
mod json;
mod limits;
mod line;
mod links;
mod live;
mod markdown;
mod merge;
mod references;
mod schema;
mod source;
mod spelling;
mod storage_format;
mod text;
mod tree;
mod xml;

#[cfg(test)]
mod build;
#[cfg(test)]
mod corpus;
#[cfg(test)]
#[path = "../tests/pages/mod.rs"]
mod pages;

pub use align::{Aligned, align};
pub use html::{Heading, Html};
pub use json::Json;
pub use links::{LinkTarget, Links, Resource};
pub use live::{Live, Unreadable, Written};
pub use markdown::Markdown;
pub use merge::{Merge, Overlap};
pub use references::References;
pub use schema::{Kind, MarkKind};
pub use storage_format::StorageFormat;
pub use text::PlainText;
pub use tree::{Attrs, Document, Element, Malformed, Mark, Node, Note, Text, Value};
