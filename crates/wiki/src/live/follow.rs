//! The rows of a live document: seeding, and keeping in step with versions that come from elsewhere.
//!
//! A page that nobody has opened has no rows here; it is seeded from the published version when somebody does. Once it has, whatever
//! publishes a version by another way than the draft also writes that content into the live document, in the same transaction.

use super::log::column;
use super::writes::Current;
use super::{authors, base, epochs, news, written};
use crate::authorship;
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::pages::PageHead;
use crate::publish;
use crate::readable::readable;
use bytes::Bytes;
use collab::{LogError, Position, ResetReason};
use document::{Document, Element, Kind, Live};
use storage::{Row, Tx, WriteTx, params};

/// The row of a live document, without its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) epoch: i64,
    pub(crate) head_seq: i64,
    pub(crate) snapshot_seq: i64,
    pub(crate) published_seq: i64,
    pub(crate) reason: i64,
}

impl State {
    /// The row, if the page was ever opened for editing.
    pub(crate) fn read(tx: &Tx, page: ContentId) -> Result<Option<State>> {
        let sql = "SELECT epoch, head_seq, snapshot_seq, published_seq, epoch_reason FROM live_document WHERE document_id = $1";
        tx.query_opt(sql, params![page])?
            .map(|row| State::of(&row))
            .transpose()
    }

    fn of(row: &Row) -> Result<State> {
        Ok(State {
            epoch: row.i64("epoch")?,
            head_seq: row.i64("head_seq")?,
            snapshot_seq: row.i64("snapshot_seq")?,
            published_seq: row.i64("published_seq")?,
            reason: row.i64("epoch_reason")?,
        })
    }

    /// Where the log is.
    pub(crate) fn head(&self) -> Position {
        position(self.epoch, self.head_seq)
    }

    /// The state after this one in a new epoch; everything in it is published up to `published_seq`. [LOG-1] Numbers go on.
    pub(super) fn next_epoch(&self, published_seq: i64, reason: i64) -> State {
        let seq = self.head_seq + 1;
        State {
            epoch: self.epoch + 1,
            head_seq: seq,
            snapshot_seq: seq,
            published_seq,
            reason,
        }
    }

    pub(crate) fn reset_reason(&self) -> ResetReason {
        match self.reason {
            2 => ResetReason::Rewritten,
            3 => ResetReason::Restored,
            _ => ResetReason::Discarded,
        }
    }
}

/// Columns as the engine counts; they are never negative.
pub(crate) fn position(epoch: i64, seq: i64) -> Position {
    Position {
        epoch: epoch.unsigned_abs(),
        seq: seq.unsigned_abs(),
    }
}

/// Makes the live document of a page from what is published, if there is none. [LOG-8]
pub(crate) fn seed(tx: &WriteTx, page: ContentId) -> Result<()> {
    let sql = "SELECT title, version FROM content WHERE id = $1";
    let row = tx
        .query_opt(sql, params![page])?
        .ok_or_else(|| crate::head::missing(page))?;
    let first = State {
        epoch: 1,
        head_seq: 0,
        snapshot_seq: 0,
        published_seq: 0,
        reason: 1,
    };
    let snapshot = published_state(tx, page, row.i64("version")?, row.text_ref("title")?, first)?;
    insert_or_keep(tx, page, first, &snapshot)
}

/// Makes an empty live document, if there is none: those of other applications begin with nothing.
pub(crate) fn begin_empty(tx: &WriteTx, id: ContentId) -> Result<()> {
    let first = State {
        epoch: 1,
        head_seq: 0,
        snapshot_seq: 0,
        published_seq: 0,
        reason: 1,
    };
    insert_or_keep(tx, id, first, EMPTY_UPDATE)
}

/// Removes the log of a live document. Who had which client id stays, so that a document from before is known as one.
pub(crate) fn remove(tx: &WriteTx, id: ContentId) -> Result<()> {
    for sql in [
        "DELETE FROM live_base WHERE document_id = $1",
        "DELETE FROM live_update WHERE document_id = $1",
        "DELETE FROM live_snapshot WHERE document_id = $1",
        "DELETE FROM live_document WHERE document_id = $1",
    ] {
        tx.execute(sql, params![id])?;
    }
    Ok(())
}

fn insert_or_keep(tx: &WriteTx, page: ContentId, state: State, snapshot: &[u8]) -> Result<()> {
    let inserted = tx.execute(
        "INSERT INTO live_document (document_id, epoch, head_seq, snapshot_seq, published_seq, epoch_reason)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (document_id) DO NOTHING",
        params![
            page,
            state.epoch,
            state.head_seq,
            state.snapshot_seq,
            state.published_seq,
            state.reason
        ],
    )?;
    if inserted > 0 {
        tx.execute(
            "INSERT INTO live_snapshot (document_id, bytes, checksum) VALUES ($1, $2, $3)",
            params![page, snapshot, checksum(snapshot)],
        )?;
    }
    Ok(())
}

/// A new epoch that begins with what is published; the old state is kept for clients that are offline. [ROOM-10]
pub(crate) fn start_again(tx: &WriteTx, head: &PageHead, now_ms: i64) -> Result<()> {
    if head.version == 0 {
        return Err(Error::Conflict(format!(
            "page `{}` was never published; delete it instead",
            head.title
        )));
    }
    let Some(old) = State::read(tx, head.id)? else {
        return Ok(());
    };
    // A draft that cannot be read is not worth keeping: this is how it is got rid of. [WRITE-6]
    if let Ok(current) = Current::read(tx, head.id, old) {
        epochs::keep(tx, &current, now_ms)?;
    }
    let seq = old.head_seq + 1;
    let new = old.next_epoch(seq, 1);
    let snapshot = published_state(tx, head.id, head.version, &head.title, new)?;
    begin_epoch(tx, head.id, new, &snapshot)
}

/// Puts a new epoch in the place of the old one.
pub(super) fn begin_epoch(
    tx: &WriteTx,
    page: ContentId,
    new: State,
    snapshot: &[u8],
) -> Result<()> {
    remove(tx, page)?;
    insert_or_keep(tx, page, new, snapshot)?;
    news::head_moved(tx, page)
}

/// The published version as a fresh live document.
fn published_state(
    tx: &WriteTx,
    page: ContentId,
    version: i64,
    title: &str,
    state: State,
) -> Result<Vec<u8>> {
    let document = never_empty(match version {
        0 => Document::new(Vec::new()),
        number => readable(&publish::read_body(tx, page, number)?),
    });
    let client_id = server_client_id(tx, page, state.head_seq)?;
    authors::note_server(tx, page, state.epoch, client_id, None, 0)?;
    let seed = Live::seed(&document, title, client_id);
    if let Some(runs) = authorship::read(tx, page, version)? {
        written::note_origin(tx, page, state.epoch, &seed, &runs)?;
    }
    Ok(seed)
}

/// A live document never begins empty: two people who type the first words at once would make two paragraphs of them.
pub(super) fn never_empty(mut document: Document) -> Document {
    if document.content.is_empty() {
        document.content.push(Element::new(Kind::Paragraph).into());
    }
    document
}

/// The client id of a write by the server: below 2^31 and used by nobody else. The number of its row, unless a client that chooses its
/// ids itself happened to choose that.
pub(super) fn server_client_id(tx: &Tx, page: ContentId, seq: i64) -> Result<u64> {
    let mut client_id = (seq.unsigned_abs() + 1) % (1 << 31);
    while authors::used(tx, page, client_id)? {
        client_id = (client_id + 1) % (1 << 31);
    }
    Ok(client_id)
}

/// An update (v1) without structs and deletions.
pub(super) const EMPTY_UPDATE: &[u8] = &[0, 0];

/// Everything up to there is published, and the history of the draft begins with that state: rows that are folded too are not needed
/// any more. [LOG-9]
pub(crate) fn note_published(
    tx: &WriteTx,
    page: ContentId,
    at: Position,
    state: &[u8],
) -> Result<()> {
    let sql = "UPDATE live_document SET published_seq = $3 WHERE document_id = $1 AND epoch = $2 AND published_seq <= $3";
    if tx.execute(sql, params![page, column(at.epoch), column(at.seq)])? > 0 {
        base::put(tx, page, at, state, &[])?;
    }
    remove_old_rows(tx, page)
}

/// Removes rows that are folded and that the history of the draft does not need: those of what is published.
pub(crate) fn remove_old_rows(tx: &WriteTx, page: ContentId) -> Result<()> {
    let sql = "SELECT d.epoch, d.snapshot_seq, d.published_seq, COALESCE(b.base_seq, 0) AS base_seq
        FROM live_document d LEFT JOIN live_base b ON b.document_id = d.document_id WHERE d.document_id = $1";
    let Some(row) = tx.query_opt(sql, params![page])? else {
        return Ok(());
    };
    let epoch = row.i64("epoch")?;
    let needed_after = row.i64("published_seq")?.max(row.i64("base_seq")?);
    let last = row.i64("snapshot_seq")?.min(needed_after);
    // By the key, so that a long draft is not looked through while everybody's edits wait.
    tx.execute(
        "DELETE FROM live_update WHERE document_id = $1 AND epoch < $2",
        params![page, epoch],
    )?;
    tx.execute(
        "DELETE FROM live_update WHERE document_id = $1 AND epoch = $2 AND seq <= $3",
        params![page, epoch, last],
    )?;
    Ok(())
}

/// The checksum of stored bytes, as its column has it. [LOG-7]
pub(crate) fn checksum(bytes: &[u8]) -> i64 {
    i64::from(crc32c::crc32c(bytes))
}

/// Stored bytes, if they are what was stored.
pub(crate) fn verified(
    tx: &Tx,
    page: ContentId,
    seq: i64,
    bytes: Vec<u8>,
    expected: i64,
) -> Result<Bytes, LogError> {
    if checksum(&bytes) == expected {
        Ok(bytes.into())
    } else {
        Err(LogError::Corrupt(format!(
            "update {seq} of `{}` does not match its checksum",
            super::names::name_of(tx, page)
        )))
    }
}
