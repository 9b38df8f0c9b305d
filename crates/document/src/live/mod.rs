//! The live document: the shared, mergeable form of a document, in the shape of y-prosemirror 1.3 on Yjs 13.
//!
//! `seed.rs` writes a fresh one, `mirror.rs` reads one, `rewrite.rs` and `text.rs` change one. `guard.rs` looks at foreign bytes first.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use yrs::updates::decoder::Decode as _;
use yrs::{
    ClientID, Doc, GetString as _, OffsetKind, Options, ReadTxn as _, Transact as _,
    TransactionMut, Update,
};

use crate::limits::LIVE_STACK_BYTES;
use crate::tree::{Document, Note};

mod authorship;
mod encode;
mod guard;
mod marks;
mod mirror;
mod rewrite;
mod seed;
mod text;

pub use authorship::Written;
use mirror::{Reading, join_texts};

/// Name of the XML fragment that is the body.
const BODY: &str = "default";
/// Name of the text that is the title.
const TITLE: &str = "title";

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
    pub fn seed(document: &Document, title: &str, client_id: u64) -> Vec<u8> {
        seed::seed(document, title, client_id)
    }

    /// The document and title that these updates add up to; applied in order, as one state.
    pub fn read<B: AsRef<[u8]>>(
        updates: &[B],
    ) -> Result<(Document, String, Vec<Note>), Unreadable> {
        let updates: Vec<&[u8]> = updates.iter().map(AsRef::as_ref).collect();
        apart(|| {
            let doc = hydrate(&updates, 0)?;
            let body = doc.get_or_insert_xml_fragment(BODY);
            let title = doc.get_or_insert_text(TITLE);
            let txn = doc.transact();
            let bytes = updates.iter().map(|update| update.len()).sum();
            let mut reading = Reading::new(&txn, bytes);
            let (mut content, _) = reading.body(&body);
            join_texts(&mut content);
            Ok((
                Document::new(content),
                title.get_string(&txn),
                reading.notes,
            ))
        })
    }

    /// Who wrote what: the runs of each text of the body, in the order of reading. The updates are applied in order, as one state.
    pub fn authorship<B: AsRef<[u8]>>(updates: &[B]) -> Result<Vec<Vec<Written>>, Unreadable> {
        let updates: Vec<&[u8]> = updates.iter().map(AsRef::as_ref).collect();
        apart(|| {
            let doc = hydrate(&updates, 0)?;
            let body = doc.get_or_insert_xml_fragment(BODY);
            Ok(authorship::of_body(&mut doc.transact_mut(), &body))
        })
    }

    /// The first of these updates that does not fit on those before it, and why. None when they can all be read.
    pub fn fault<B: AsRef<[u8]>>(updates: &[B]) -> Option<(usize, Unreadable)> {
        let updates: Vec<&[u8]> = updates.iter().map(AsRef::as_ref).collect();
        let reached = AtomicUsize::new(0);
        let outcome = apart(|| {
            let doc = Doc::new();
            for (at, bytes) in updates.iter().enumerate() {
                reached.store(at, Ordering::Relaxed);
                apply(&mut doc.transact_mut(), bytes)?;
                if doc.transact().has_missing_updates() {
                    return Err(unreadable("updates before this one are missing"));
                }
            }
            Ok(())
        });
        let why = outcome.err()?;
        Some((reached.load(Ordering::Relaxed), why))
    }

    /// One update by `client_id` that, applied to `state`, makes it read as `document` and `title` while it keeps what is equal.
    ///
    /// The client id must be one that has written nothing in `state`, or continue where it left off there.
    pub fn rewrite(
        state: &[u8],
        document: &Document,
        title: &str,
        client_id: u64,
    ) -> Result<Vec<u8>, Unreadable> {
        apart(|| {
            let doc = hydrate(&[state], client_id)?;
            let body = doc.get_or_insert_xml_fragment(BODY);
            let name = doc.get_or_insert_text(TITLE);
            let mut txn = doc.transact_mut();
            let (nodes, mirrors) = Reading::new(&txn, state.len()).body(&body);
            let live = rewrite::Live {
                nodes: &nodes,
                mirrors: &mirrors,
            };
            rewrite::update_children(&mut txn, &body, live, &document.content);
            let old = name.get_string(&txn);
            text::update_plain(&mut txn, &name, &old, title);
            Ok(txn.encode_update_v1())
        })
    }
}

/// A Yjs document in the state that the updates add up to.
fn hydrate(updates: &[&[u8]], client_id: u64) -> Result<Doc, Unreadable> {
    let doc = Doc::with_options(Options {
        client_id: ClientID::new(client_id),
        offset_kind: OffsetKind::Utf16,
        ..Options::default()
    });
    {
        let mut txn = doc.transact_mut();
        for bytes in updates {
            apply(&mut txn, bytes)?;
        }
        if txn.has_missing_updates() {
            return Err(unreadable("updates before the last one are missing"));
        }
    }
    Ok(doc)
}

fn apply(txn: &mut TransactionMut<'_>, bytes: &[u8]) -> Result<(), Unreadable> {
    guard::check(bytes)?;
    let update = Update::decode_v1(bytes).map_err(unreadable)?;
    txn.apply_update(update).map_err(unreadable)
}

/// Runs on a thread with a stack of its own, where a panic of the library is an error and no more.
fn apart<T: Send>(work: impl FnOnce() -> Result<T, Unreadable> + Send) -> Result<T, Unreadable> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("live-document".into())
            .stack_size(LIVE_STACK_BYTES)
            .spawn_scoped(scope, work);
        match thread.map(thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(unreadable("the library gave up on these bytes")),
            Err(error) => Err(unreadable(error)),
        }
    })
}

fn unreadable(reason: impl fmt::Display) -> Unreadable {
    Unreadable {
        reason: format!("the live document cannot be read: {reason}"),
    }
}

#[cfg(test)]
mod tests;
