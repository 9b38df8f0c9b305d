//! The durable log behind the engine: one transaction for each group commit, a checksum for everything stored.

use super::follow::{self, State, position};
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::wiki::Wiki;
use bytes::Bytes;
use collab::{Answer, Append, Fold, Loaded, Log, LogError, Outcome, Position};
use std::sync::Arc;
use storage::{Tx, Value, WriteTx, params};

/// The log of all pages' live documents.
pub(super) struct WikiLog {
    wiki: Wiki,
}

impl WikiLog {
    pub(super) fn new(wiki: Wiki) -> WikiLog {
        WikiLog { wiki }
    }

    /// Everything that makes the document at its head, seeded if need be.
    pub(super) async fn state(&self, page: ContentId) -> Result<(Position, Vec<Bytes>), LogError> {
        self.seeded(page).await?;
        self.wiki
            .read(move |tx| {
                let Some(state) = State::read(tx, page)? else {
                    return Ok(Err(LogError::Gone));
                };
                Ok(updates_of(tx, page, &state).map(|updates| (state.head(), updates)))
            })
            .await
            .map_err(log_error)?
    }

    async fn seeded(&self, page: ContentId) -> Result<(), LogError> {
        let state = self
            .wiki
            .read(move |tx| Ok((alive(tx, page)?, State::read(tx, page)?)))
            .await;
        match state.map_err(log_error)? {
            (false, _) => Err(LogError::Gone),
            (true, Some(_)) => Ok(()),
            (true, None) => self
                .wiki
                .write(move |tx| follow::seed(tx, page))
                .await
                .map_err(log_error),
        }
    }

    async fn load_page(
        &self,
        page: ContentId,
        since: Option<Position>,
    ) -> Result<Loaded, LogError> {
        self.seeded(page).await?;
        self.wiki
            .read(move |tx| {
                let Some(state) = State::read(tx, page)? else {
                    return Ok(Err(LogError::Gone));
                };
                Ok(loaded(tx, page, &state, since))
            })
            .await
            .map_err(log_error)?
    }
}

impl Log for WikiLog {
    fn load<'a>(&'a self, document: &'a str, since: Option<Position>) -> Answer<'a, Loaded> {
        Box::pin(async move {
            let page = super::page_of(document).ok_or(LogError::Gone)?;
            self.load_page(page, since).await
        })
    }

    fn append(&self, writes: Vec<Append>) -> Answer<'_, Vec<Outcome>> {
        let (writes, now_ms) = (Arc::new(writes), self.wiki.now_ms());
        Box::pin(async move {
            self.wiki
                .write(move |tx| {
                    writes
                        .iter()
                        .map(|write| append(tx, write, now_ms))
                        .collect()
                })
                .await
                .map_err(log_error)
        })
    }

    fn fold(&self, fold: Fold) -> Answer<'_, ()> {
        Box::pin(async move {
            let page = super::page_of(&fold.document).ok_or(LogError::Gone)?;
            self.wiki
                .write(move |tx| store_fold(tx, page, &fold))
                .await
                .map_err(log_error)
        })
    }

    fn heads(&self, documents: Vec<String>) -> Answer<'_, Vec<Option<Position>>> {
        Box::pin(async move {
            self.wiki
                .read(move |tx| {
                    documents
                        .iter()
                        .map(|document| head(tx, document))
                        .collect()
                })
                .await
                .map_err(log_error)
        })
    }
}

/// Whether a page is there to be edited.
fn alive(tx: &Tx, page: ContentId) -> Result<bool> {
    let sql = "SELECT id FROM content WHERE id = $1 AND kind IN ('page', 'blogpost') AND status IN ('current', 'draft', 'archived')";
    Ok(tx.query_opt(sql, params![page])?.is_some())
}

/// The head of a living page's document; none when the page is gone.
fn head(tx: &Tx, document: &str) -> Result<Option<Position>> {
    let sql = "SELECT d.epoch, d.head_seq FROM live_document d JOIN content c ON c.id = d.page_id
        WHERE d.page_id = $1 AND c.status IN ('current', 'draft', 'archived')";
    let Some(page) = super::page_of(document) else {
        return Ok(None);
    };
    match tx.query_opt(sql, params![page])? {
        Some(row) => Ok(Some(position(row.i64("epoch")?, row.i64("head_seq")?))),
        // Opened and not seeded yet.
        None if alive(tx, page)? => Ok(Some(position(0, 0))),
        None => Ok(None),
    }
}

fn loaded(
    tx: &Tx,
    page: ContentId,
    state: &State,
    since: Option<Position>,
) -> Result<Loaded, LogError> {
    let head = state.head();
    let folded = state.snapshot_seq.unsigned_abs();
    if let Some(at) = since
        && at.epoch == head.epoch
        && (folded..=head.seq).contains(&at.seq)
    {
        return Ok(Loaded::Since {
            tail: rows_after(tx, page, state, column(at.seq))?,
            authors: Vec::new(),
        });
    }
    Ok(Loaded::Whole {
        at: position(state.epoch, state.snapshot_seq),
        snapshot: snapshot(tx, page, state)?,
        tail: rows_after(tx, page, state, state.snapshot_seq)?,
        reason: state.reset_reason(),
        authors: Vec::new(),
    })
}

/// Snapshot and tail of a document.
pub(super) fn updates_of(tx: &Tx, page: ContentId, state: &State) -> Result<Vec<Bytes>, LogError> {
    let mut updates = vec![snapshot(tx, page, state)?];
    updates.extend(rows_after(tx, page, state, state.snapshot_seq)?);
    Ok(updates)
}

fn snapshot(tx: &Tx, page: ContentId, state: &State) -> Result<Bytes, LogError> {
    let sql = "SELECT snapshot, checksum FROM live_document WHERE page_id = $1";
    let read = || {
        let row = tx.query_one(sql, params![page])?;
        Ok((row.bytes("snapshot")?, row.i64("checksum")?))
    };
    let (bytes, expected) = read().map_err(database_error)?;
    follow::verified(page, state.snapshot_seq, bytes, expected)
}

/// The updates after `seq`, in order, up to the head; a hole is an error.
fn rows_after(tx: &Tx, page: ContentId, state: &State, seq: i64) -> Result<Vec<Bytes>, LogError> {
    let sql = "SELECT seq, bytes, checksum FROM live_update
        WHERE page_id = $1 AND epoch = $2 AND seq > $3 ORDER BY seq";
    let rows = tx
        .query(sql, params![page, state.epoch, seq])
        .map_err(database_error)?;
    let mut updates = Vec::with_capacity(rows.len());
    let mut expected_seq = seq;
    for row in rows {
        expected_seq += 1;
        let read = || Ok((row.i64("seq")?, row.bytes("bytes")?, row.i64("checksum")?));
        let (found_seq, bytes, expected) = read().map_err(database_error)?;
        if found_seq != expected_seq {
            return Err(LogError::Corrupt(format!(
                "update {expected_seq} of `page-{page}` is missing"
            )));
        }
        updates.push(follow::verified(page, found_seq, bytes, expected)?);
    }
    if expected_seq == state.head_seq {
        Ok(updates)
    } else {
        Err(LogError::Corrupt(format!(
            "the log of `page-{page}` does not end at its head {}",
            state.head_seq
        )))
    }
}

/// One document's part of a group commit. [LOG-1] [LOG-4]
fn append(tx: &WriteTx, write: &Append, now_ms: i64) -> Result<Outcome> {
    let Some(page) = super::page_of(&write.document) else {
        return Ok(Outcome::Gone);
    };
    let (epoch, base) = (column(write.base.epoch), column(write.base.seq));
    let head = base + column(write.rows.len() as u64);
    let moved = "UPDATE live_document SET head_seq = $4 WHERE page_id = $1 AND epoch = $2 AND head_seq = $3
        AND EXISTS (SELECT 1 FROM content c WHERE c.id = live_document.page_id AND c.status IN ('current', 'draft'))";
    if tx.execute(moved, params![page, epoch, base, head])? == 0 {
        return Ok(if head_is_there(tx, page)? {
            Outcome::Moved
        } else {
            Outcome::Gone
        });
    }
    let rows: Vec<[Value; 8]> = write
        .rows
        .iter()
        .zip(base + 1..)
        .map(|(row, seq)| {
            [
                page.into(),
                epoch.into(),
                seq.into(),
                row.user.parse::<i64>().ok().into(),
                column(row.connection).into(),
                row.update.to_vec().into(),
                follow::checksum(&row.update).into(),
                now_ms.into(),
            ]
        })
        .collect();
    tx.execute_many(
        "INSERT INTO live_update (page_id, epoch, seq, user_id, connection, bytes, checksum, committed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &rows,
    )?;
    Ok(Outcome::Committed)
}

/// Whether an append could work at another head: the page is there and not put away.
fn head_is_there(tx: &Tx, page: ContentId) -> Result<bool> {
    let sql = "SELECT c.id FROM content c JOIN live_document d ON d.page_id = c.id
        WHERE c.id = $1 AND c.status IN ('current', 'draft')";
    Ok(tx.query_opt(sql, params![page])?.is_some())
}

fn store_fold(tx: &WriteTx, page: ContentId, fold: &Fold) -> Result<()> {
    tx.execute(
        "UPDATE live_document SET snapshot = $4, checksum = $5, snapshot_seq = $3
         WHERE page_id = $1 AND epoch = $2 AND snapshot_seq < $3 AND head_seq >= $3",
        params![
            page,
            column(fold.at.epoch),
            column(fold.at.seq),
            fold.snapshot.as_ref(),
            follow::checksum(&fold.snapshot)
        ],
    )?;
    follow::remove_old_rows(tx, page)
}

/// What `watersmeet check` finds wrong with the logs: a line each, and how many documents were looked at.
pub(crate) fn check(tx: &Tx) -> Result<(u64, Vec<String>)> {
    let mut faults = Vec::new();
    let pages = tx.query(
        "SELECT page_id FROM live_document ORDER BY page_id",
        params![],
    )?;
    for row in &pages {
        let page = ContentId::new(row.i64(0)?);
        if let Some(state) = State::read(tx, page)?
            && let Err(why) =
                updates_of(tx, page, &state).and_then(|updates| collab::merge(&updates))
        {
            faults.push(format!("live document `page-{page}`: {why}"));
        }
    }
    Ok((pages.len() as u64, faults))
}

/// A number of the engine as a column; the wire has no larger ones than 2^53.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn log_error(error: Error) -> LogError {
    match error {
        Error::NotFound(_) => LogError::Gone,
        Error::Internal { detail, .. } => LogError::Corrupt(detail),
        other => LogError::Unavailable(other.to_string()),
    }
}

fn database_error(error: storage::Error) -> LogError {
    log_error(Error::from(error))
}
