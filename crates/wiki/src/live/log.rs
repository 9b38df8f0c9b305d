//! The durable log behind the engine: one transaction for each group commit, a checksum for everything stored.

use super::follow::{self, State, position};
use super::names::{self, Name};
use super::open;
use super::{authors, base};
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::wiki::Wiki;
use bytes::Bytes;
use collab::{Answer, Append, Fold, Loaded, Log, LogError, Outcome, Position};
use std::sync::Arc;
use storage::{Tx, Value, WriteTx, params};

/// The log of all live documents.
pub(super) struct WikiLog {
    wiki: Wiki,
}

impl WikiLog {
    pub(super) fn new(wiki: Wiki) -> WikiLog {
        WikiLog { wiki }
    }

    /// Everything that makes a document at its head, seeded if need be.
    #[allow(
        dead_code,
        reason = "documents of other applications are read this way"
    )]
    pub(super) async fn state_of(
        &self,
        document: &str,
    ) -> Result<(Position, Vec<Bytes>), LogError> {
        let id = self.seeded(document).await?;
        self.wiki
            .read(move |tx| {
                let Some(state) = State::read(tx, id)? else {
                    return Ok(Err(LogError::Gone));
                };
                Ok(updates_of(tx, id, &state).map(|updates| (state.head(), updates)))
            })
            .await
            .map_err(log_error)?
    }

    /// The number of a document that is there and has its rows.
    pub(super) async fn seeded(&self, document: &str) -> Result<ContentId, LogError> {
        let asked = document.to_owned();
        let found = self.wiki.read(move |tx| {
            let Some(id) = names::id_of(tx, &asked)? else {
                return Ok(None);
            };
            Ok(Some((id, State::read(tx, id)?.is_some())))
        });
        match found.await.map_err(log_error)? {
            None => Err(LogError::Gone),
            Some((id, true)) => Ok(id),
            Some((id, false)) => {
                let page = matches!(Name::parse(document), Some(Name::Page(_)));
                let seed = move |tx: &WriteTx| {
                    if page {
                        follow::seed(tx, id)
                    } else {
                        follow::begin_empty(tx, id)
                    }
                };
                self.wiki.write(seed).await.map_err(log_error)?;
                Ok(id)
            }
        }
    }

    async fn load_document(
        &self,
        document: &str,
        since: Option<Position>,
    ) -> Result<Loaded, LogError> {
        let id = self.seeded(document).await?;
        self.wiki
            .read(move |tx| {
                let Some(state) = State::read(tx, id)? else {
                    return Ok(Err(LogError::Gone));
                };
                Ok(loaded(tx, id, &state, since))
            })
            .await
            .map_err(log_error)?
    }
}

impl Log for WikiLog {
    fn load<'a>(&'a self, document: &'a str, since: Option<Position>) -> Answer<'a, Loaded> {
        Box::pin(self.load_document(document, since))
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
            self.wiki
                .write(move |tx| match names::id_of(tx, &fold.document)? {
                    Some(id) => {
                        if let Some(Name::Open { .. }) = Name::parse(&fold.document) {
                            open::nothing_to_publish(tx, id, column(fold.at.seq))?;
                        }
                        store_fold(tx, id, &fold)
                    }
                    None => Err(names::no_document(&fold.document)),
                })
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

/// The head of a document that is there; none when it is gone.
fn head(tx: &Tx, document: &str) -> Result<Option<Position>> {
    let Some(id) = names::id_of(tx, document)? else {
        return Ok(None);
    };
    // Opened and not seeded yet: before everything.
    let unseeded = position(0, 0);
    Ok(Some(
        State::read(tx, id)?.map_or(unseeded, |state| state.head()),
    ))
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
            authors: authors::of_epoch(tx, page, state.epoch).map_err(log_error)?,
        });
    }
    Ok(Loaded::Whole {
        at: position(state.epoch, state.snapshot_seq),
        snapshot: snapshot(tx, page, state)?,
        tail: rows_after(tx, page, state, state.snapshot_seq)?,
        reason: state.reset_reason(),
        authors: authors::of_epoch(tx, page, state.epoch).map_err(log_error)?,
        past: authors::of_the_past(tx, page, state.epoch).map_err(log_error)?,
    })
}

/// Snapshot and tail of a document.
pub(super) fn updates_of(tx: &Tx, page: ContentId, state: &State) -> Result<Vec<Bytes>, LogError> {
    let mut updates = vec![snapshot(tx, page, state)?];
    updates.extend(rows_after(tx, page, state, state.snapshot_seq)?);
    Ok(updates)
}

fn snapshot(tx: &Tx, page: ContentId, state: &State) -> Result<Bytes, LogError> {
    let sql = "SELECT bytes, checksum FROM live_snapshot WHERE document_id = $1";
    let read = || {
        let row = tx.query_one(sql, params![page])?;
        Ok((row.bytes("bytes")?, row.i64("checksum")?))
    };
    let (bytes, expected) = read().map_err(database_error)?;
    follow::verified(tx, page, state.snapshot_seq, bytes, expected)
}

/// The updates after `seq`, in order, up to the head; a hole is an error.
pub(super) fn rows_after(
    tx: &Tx,
    page: ContentId,
    state: &State,
    seq: i64,
) -> Result<Vec<Bytes>, LogError> {
    let sql = "SELECT seq, bytes, checksum FROM live_update
        WHERE document_id = $1 AND epoch = $2 AND seq > $3 AND seq <= $4 ORDER BY seq";
    let rows = tx
        .query(sql, params![page, state.epoch, seq, state.head_seq])
        .map_err(database_error)?;
    let mut updates = Vec::with_capacity(rows.len());
    let mut expected_seq = seq;
    for row in rows {
        expected_seq += 1;
        let read = || Ok((row.i64("seq")?, row.bytes("bytes")?, row.i64("checksum")?));
        let (found_seq, bytes, expected) = read().map_err(database_error)?;
        if found_seq != expected_seq {
            return Err(LogError::Corrupt(format!(
                "update {expected_seq} of `{}` is missing",
                names::name_of(tx, page)
            )));
        }
        updates.push(follow::verified(tx, page, found_seq, bytes, expected)?);
    }
    if expected_seq == state.head_seq {
        Ok(updates)
    } else {
        Err(LogError::Corrupt(format!(
            "the log of `{}` does not end at its head {}",
            names::name_of(tx, page),
            state.head_seq
        )))
    }
}

/// One document's part of a group commit. [LOG-1] [LOG-4]
fn append(tx: &WriteTx, write: &Append, now_ms: i64) -> Result<Outcome> {
    let page = match Name::parse(&write.document) {
        None => return Ok(Outcome::Gone),
        Some(Name::Page(page)) => page,
        Some(Name::Open { namespace, name }) => match names::open_id(tx, namespace, name)? {
            Some(id) => id,
            None => return Ok(Outcome::Gone),
        },
    };
    let (epoch, base) = (column(write.base.epoch), column(write.base.seq));
    let head = base + column(write.rows.len() as u64);
    if tx.execute(RAISE_HEAD, params![page, epoch, base, head])? == 0 {
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
        "INSERT INTO live_update (document_id, epoch, seq, user_id, connection, bytes, checksum, committed_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &rows,
    )?;
    authors::note(tx, page, epoch, &write.new_authors, now_ms)?;
    Ok(Outcome::Committed)
}

/// Only for what may be written to: a page that is not put away, or an open document.
const RAISE_HEAD: &str = "UPDATE live_document SET head_seq = $4 WHERE document_id = $1 AND epoch = $2 AND head_seq = $3
    AND (EXISTS (SELECT 1 FROM content c WHERE c.id = live_document.document_id AND c.status IN ('current', 'draft'))
        OR EXISTS (SELECT 1 FROM open_document o WHERE o.id = live_document.document_id))";

/// Whether an append could work at another head: the document is there and not put away.
fn head_is_there(tx: &Tx, page: ContentId) -> Result<bool> {
    let sql = "SELECT d.document_id FROM live_document d WHERE d.document_id = $1
        AND (EXISTS (SELECT 1 FROM content c WHERE c.id = d.document_id AND c.status IN ('current', 'draft'))
            OR EXISTS (SELECT 1 FROM open_document o WHERE o.id = d.document_id))";
    Ok(tx.query_opt(sql, params![page])?.is_some())
}

fn store_fold(tx: &WriteTx, page: ContentId, fold: &Fold) -> Result<()> {
    let state = State::read(tx, page)?.filter(|state| column(fold.at.epoch) == state.epoch);
    let Some(state) = state else {
        return Ok(());
    };
    base::keep(tx, page, &state, fold)?;
    let moved = tx.execute(
        "UPDATE live_document SET snapshot_seq = $3
         WHERE document_id = $1 AND epoch = $2 AND snapshot_seq < $3 AND head_seq >= $3",
        params![page, column(fold.at.epoch), column(fold.at.seq)],
    )?;
    if moved == 0 {
        return Ok(());
    }
    tx.execute(
        "UPDATE live_snapshot SET bytes = $2, checksum = $3 WHERE document_id = $1",
        params![
            page,
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
        "SELECT document_id FROM live_document ORDER BY document_id",
        params![],
    )?;
    for row in &pages {
        let page = ContentId::new(row.i64(0)?);
        if let Some(state) = State::read(tx, page)?
            && let Err(why) =
                updates_of(tx, page, &state).and_then(|updates| collab::merge(&updates))
        {
            let name = names::name_of(tx, page);
            faults.push(format!("live document `{name}`: {why}"));
        }
    }
    Ok((pages.len() as u64, faults))
}

/// A number of the engine as a column; the wire has no larger ones than 2^53.
pub(super) fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn log_error(error: Error) -> LogError {
    match error {
        Error::NotFound(_) => LogError::Gone,
        Error::Internal { detail, .. } => LogError::Corrupt(detail),
        other => LogError::Unavailable(other.to_string()),
    }
}

fn database_error(error: storage::Error) -> LogError {
    log_error(Error::from(error))
}
