//! Where the history of a present draft begins: the state at the last publish, discard or rewriting, and the rows since.

use super::follow::{self, State, position};
use super::log;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::limits::DRAFT_ROWS_KEPT_MAX;
use bytes::Bytes;
use collab::{LogError, Position};
use storage::{Tx, WriteTx, params};

/// Sets the beginning. `contributors`: who has unpublished edits in that state already.
pub(super) fn put(
    tx: &WriteTx,
    page: ContentId,
    at: Position,
    snapshot: &[u8],
    contributors: &[UserId],
) -> Result<()> {
    let ids: Vec<i64> = contributors.iter().map(|user| user.get()).collect();
    let ids = serde_json::to_string(&ids).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO live_base (document_id, epoch, base_seq, base_snapshot, checksum, contributors)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (document_id) DO UPDATE SET epoch = excluded.epoch,
            base_seq = excluded.base_seq, base_snapshot = excluded.base_snapshot, checksum = excluded.checksum,
            contributors = excluded.contributors",
        params![
            page,
            log::column(at.epoch),
            log::column(at.seq),
            snapshot,
            follow::checksum(snapshot),
            ids
        ],
    )?;
    Ok(())
}

/// Before a fold replaces the snapshot that the history still begins with: it is kept. When the history has become too long, it begins
/// at `folded` from now on.
pub(super) fn keep(
    tx: &WriteTx,
    page: ContentId,
    state: &State,
    folded: &collab::Fold,
) -> Result<()> {
    tx.execute(
        "INSERT INTO live_base (document_id, epoch, base_seq, base_snapshot, checksum)
         SELECT d.document_id, d.epoch, d.snapshot_seq, s.bytes, s.checksum
         FROM live_document d JOIN live_snapshot s ON s.document_id = d.document_id WHERE d.document_id = $1
         ON CONFLICT (document_id) DO NOTHING",
        params![page],
    )?;
    let sql = "SELECT base_seq FROM live_base WHERE document_id = $1";
    let base_seq = tx.query_one(sql, params![page])?.i64(0)?;
    let until = log::column(folded.at.seq);
    if until - base_seq <= DRAFT_ROWS_KEPT_MAX || until <= state.published_seq {
        return Ok(());
    }
    let users = unpublished_authors(tx, page, state, until)?;
    put(tx, page, folded.at, &folded.snapshot, &users)
}

/// Who has unpublished edits up to `until`.
pub(super) fn unpublished_authors(
    tx: &Tx,
    page: ContentId,
    state: &State,
    until: i64,
) -> Result<Vec<UserId>> {
    let sql = "SELECT contributors FROM live_base WHERE document_id = $1 AND epoch = $2";
    let mut users: Vec<UserId> = match tx.query_opt(sql, params![page, state.epoch])? {
        Some(row) => {
            let ids: Vec<i64> = serde_json::from_str(row.text_ref(0)?).map_err(Error::internal)?;
            ids.into_iter().map(UserId::new).collect()
        }
        None => Vec::new(),
    };
    let sql = "SELECT DISTINCT user_id FROM live_update WHERE document_id = $1 AND epoch = $2
        AND seq > $3 AND seq <= $4 AND user_id IS NOT NULL AND published = 0 ORDER BY user_id";
    let span = params![page, state.epoch, state.published_seq, until];
    for row in tx.query(sql, span)? {
        let user = UserId::new(row.i64(0)?);
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// The state with which the history of the present draft begins, and where that is; the rows behind it, put on it one by one, are
/// what happened since.
pub(crate) fn read(tx: &Tx, page: ContentId) -> Result<Option<(Position, Bytes)>, LogError> {
    let find = || -> Result<_> {
        let sql = "SELECT epoch, base_seq AS seq, base_snapshot AS snapshot, checksum FROM live_base WHERE document_id = $1";
        if let Some(row) = tx.query_opt(sql, params![page])? {
            return Ok(Some(row));
        }
        let sql = "SELECT d.epoch, d.snapshot_seq AS seq, s.bytes AS snapshot, s.checksum
            FROM live_document d JOIN live_snapshot s ON s.document_id = d.document_id WHERE d.document_id = $1";
        Ok(tx.query_opt(sql, params![page])?)
    };
    let row = find().map_err(log::log_error)?;
    row.map(|row| {
        let parts = || -> Result<_> {
            let at = position(row.i64("epoch")?, row.i64("seq")?);
            Ok((at, row.bytes("snapshot")?, row.i64("checksum")?))
        };
        let (at, bytes, checksum) = parts().map_err(log::log_error)?;
        let seq = log::column(at.seq);
        Ok((at, follow::verified(tx, page, seq, bytes, checksum)?))
    })
    .transpose()
}
