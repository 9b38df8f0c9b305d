//! Whose client ids are whose: written with the update that first uses an id, kept for as long as the document is.
//!
//! The rows of past epochs stay: they tell a client that still has a document from before from one that is new.

use super::log::column;
use crate::error::Result;
use crate::ids::{ContentId, UserId};
use collab::Author;
use storage::{Tx, Value, WriteTx, params};

/// The users of an epoch's client ids.
pub(crate) fn of_epoch(tx: &Tx, id: ContentId, epoch: i64) -> Result<Vec<Author>> {
    let sql = "SELECT client_id, user_id FROM live_author
        WHERE document_id = $1 AND epoch = $2 ORDER BY client_id";
    let mut authors = Vec::new();
    for row in tx.query(sql, params![id, epoch])? {
        authors.push(Author {
            client_id: row.i64("client_id")?.unsigned_abs(),
            user: row
                .opt_i64("user_id")?
                .map_or_else(String::new, |user| user.to_string()),
        });
    }
    Ok(authors)
}

/// Client ids of epochs before this one.
pub(crate) fn of_the_past(tx: &Tx, id: ContentId, epoch: i64) -> Result<Vec<u64>> {
    let sql = "SELECT DISTINCT client_id FROM live_author
        WHERE document_id = $1 AND epoch < $2 ORDER BY client_id";
    let mut ids = Vec::new();
    for row in tx.query(sql, params![id, epoch])? {
        ids.push(row.i64(0)?.unsigned_abs());
    }
    Ok(ids)
}

/// Notes who was the first to use client ids. Who is known already stays.
pub(crate) fn note(
    tx: &WriteTx,
    id: ContentId,
    epoch: i64,
    authors: &[Author],
    now_ms: i64,
) -> Result<()> {
    let rows: Vec<[Value; 5]> = authors
        .iter()
        .map(|author| {
            [
                id.into(),
                epoch.into(),
                column(author.client_id).into(),
                author.user.parse::<i64>().ok().into(),
                now_ms.into(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        tx.execute_many(
            "INSERT INTO live_author (document_id, epoch, client_id, user_id, since_ms)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            &rows,
        )?;
    }
    Ok(())
}

/// Notes the client id of a write by the server itself, in the name of somebody or of nobody.
pub(crate) fn note_server(
    tx: &WriteTx,
    id: ContentId,
    epoch: i64,
    client_id: u64,
    user: Option<UserId>,
    now_ms: i64,
) -> Result<()> {
    let user = user.map_or_else(String::new, |user| user.to_string());
    note(tx, id, epoch, &[Author { client_id, user }], now_ms)
}

/// Whether a client id was ever used in a document.
pub(crate) fn used(tx: &Tx, id: ContentId, client_id: u64) -> Result<bool> {
    let sql = "SELECT 1 FROM live_author WHERE document_id = $1 AND client_id = $2";
    Ok(tx.query_opt(sql, params![id, column(client_id)])?.is_some())
}
