//! The live document: the shared, mergeable form of a document, in the shape of y-prosemirror 1.3 on Yjs 13.

use std::fmt;

use crate::tree::{Document, Note};

/// The live face. The body is the XML fragment `default` of the Yjs document, the title its text `title`.
pub struct Live;

/// Why the bytes of a live document cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// One sentence without full stop.
    pub reason: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Unreadable {}

impl Live {
    /// A fresh live document, as one update (v1) by `client_id`.
    pub fn seed(_document: &Document, _title: &str, _client_id: u64) -> Vec<u8> {
        Vec::new()
    }

    /// The document and title that these updates add up to; applied in order, as one state.
    pub fn read<B: AsRef<[u8]>>(
        _updates: &[B],
    ) -> Result<(Document, String, Vec<Note>), Unreadable> {
        Err(unfinished())
    }

    /// One update by `client_id` that, applied to `state`, makes it read as `document` and `title` while it keeps what is equal.
    pub fn rewrite(
        _state: &[u8],
        _document: &Document,
        _title: &str,
        _client_id: u64,
    ) -> Result<Vec<u8>, Unreadable> {
        Err(unfinished())
    }
}

fn unfinished() -> Unreadable {
    Unreadable {
        reason: "the live face is not built yet".into(),
    }
}
