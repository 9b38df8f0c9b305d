//! What the engine asks of the durable log. The implementation lives beside the database.

use crate::protocol::{Position, ResetReason};
use bytes::Bytes;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// The answer to a question that takes I/O.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, LogError>> + Send + 'a>>;

/// Why the log did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogError {
    /// It may work later. Whether a write happened is not known.
    Unavailable(String),
    /// What is stored does not match its checksum or its rules.
    Corrupt(String),
    /// There is no such document (any more).
    Gone,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Unavailable(why) => write!(f, "the log is unavailable: {why}"),
            LogError::Corrupt(why) => {
                write!(f, "the log is damaged: {why}; run `watersmeet check`")
            }
            LogError::Gone => f.write_str("no such document"),
        }
    }
}

impl std::error::Error for LogError {}

/// Who was the first to put something under a client id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The Yjs client id.
    pub client_id: u64,
    /// The account, as in [`NewRow`].
    pub user: String,
}

/// What a load brings.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Everything.
    Whole {
        /// What the snapshot includes.
        at: Position,
        /// Yjs update (v1).
        snapshot: Bytes,
        /// The updates behind it, in order, without a hole.
        tail: Vec<Bytes>,
        /// Why the present epoch began.
        reason: ResetReason,
        /// The users of this epoch's client ids.
        authors: Vec<Author>,
        /// Client ids of past epochs.
        past: Vec<u64>,
    },
    /// What has come since the position that was asked for; the epoch is the same.
    Since {
        /// The updates behind it, in order, without a hole.
        tail: Vec<Bytes>,
        /// The users of client ids, at least of those that came since.
        authors: Vec<Author>,
    },
}

/// One update for the log.
#[derive(Debug, Clone)]
pub struct NewRow {
    /// Who made it.
    pub user: String,
    /// The connection it came by.
    pub connection: u64,
    /// Yjs update (v1), scanned.
    pub update: Bytes,
}

/// Updates for one document's log.
#[derive(Debug, Clone)]
pub struct Append {
    /// Which document.
    pub document: String,
    /// The head they build on; the first row gets `base.seq + 1`.
    pub base: Position,
    /// In order.
    pub rows: Vec<NewRow>,
    /// Client ids that these rows are the first to use; written in the same transaction.
    pub new_authors: Vec<Author>,
}

/// What became of one document's part of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Committed and synced.
    Committed,
    /// Nothing written: the head is not `base` any more.
    Moved,
    /// Nothing written: there is no such document (any more).
    Gone,
}

/// A snapshot to take the place of a prefix of the log.
#[derive(Debug, Clone)]
pub struct Fold {
    /// Which document.
    pub document: String,
    /// The prefix that it includes.
    pub at: Position,
    /// Yjs update (v1).
    pub snapshot: Bytes,
}

/// The durable log of all documents.
pub trait Log: Send + Sync + 'static {
    /// Reads a document, or what has come after `since` if that is possible. Seeds it at the first time.
    fn load<'a>(&'a self, document: &'a str, since: Option<Position>) -> Answer<'a, Loaded>;

    /// Writes for several documents in one transaction; outcomes in the order of `writes`. An error means that nothing is known.
    fn append(&self, writes: Vec<Append>) -> Answer<'_, Vec<Outcome>>;

    /// Stores a snapshot and removes rows that are folded and not needed otherwise. Has no effect if the epoch is over.
    fn fold(&self, fold: Fold) -> Answer<'_, ()>;

    /// The heads of documents, `None` for those that are gone: to notice what other processes write.
    fn heads(&self, documents: Vec<String>) -> Answer<'_, Vec<Option<Position>>>;
}
