//! Ids: one sequence for all content, one each for the smaller nouns. Imported ids are kept where they are free.

use crate::error::Result;
use crate::ids::ContentId;
use crate::limits::CONTENT_ID_MAX;
use storage::{WriteTx, params};

/// The next id of a sequence other than content's: `space`, `user`, `group`, `label`, `token`.
pub(crate) fn next_id(tx: &WriteTx, sequence: &str) -> Result<i64> {
    let sql = "UPDATE id_sequence SET next = next + 1 WHERE name = $1 RETURNING next - 1 AS id";
    Ok(tx.query_one(sql, params![sequence])?.i64("id")?)
}

/// The next free id of content.
pub(crate) fn next_content_id(tx: &WriteTx) -> Result<ContentId> {
    Ok(ContentId::new(next_id(tx, "content")?))
}

/// The id that imported content gets: the wanted one if it is free, else the next one and a redirect from the wanted one
/// (unless something else is there already). Ids handed out later are above all that were ever wanted.
pub(crate) fn claim_content_id(tx: &WriteTx, wanted: i64) -> Result<ContentId> {
    keep_clear_of(tx, wanted)?;
    if (1..=CONTENT_ID_MAX).contains(&wanted) && is_free(tx, wanted)? {
        return Ok(ContentId::new(wanted));
    }
    next_content_id(tx)
}

/// Notes that an id used elsewhere leads to content here. Whoever has the id already keeps it.
pub(crate) fn redirect(tx: &WriteTx, old_id: i64, content: ContentId) -> Result<()> {
    if old_id == content.get() || !is_free(tx, old_id)? {
        return Ok(());
    }
    let sql =
        "INSERT INTO content_redirect (old_id, content_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![old_id, content])?;
    Ok(())
}

/// Ids handed out later are above this one: somebody knows it as the address of something (an old version, say).
pub(crate) fn keep_clear_of(tx: &WriteTx, id: i64) -> Result<()> {
    if id < CONTENT_ID_MAX {
        let sql = "UPDATE id_sequence SET next = $1 WHERE name = 'content' AND next < $1";
        tx.execute(sql, params![id + 1])?;
    }
    Ok(())
}

fn is_free(tx: &WriteTx, id: i64) -> Result<bool> {
    let sql = "SELECT id FROM content WHERE id = $1
        UNION ALL SELECT old_id FROM content_redirect WHERE old_id = $1
        UNION ALL SELECT historical_id FROM content_version WHERE historical_id = $1
        UNION ALL SELECT id FROM open_document WHERE id = $1";
    Ok(tx.query_opt(sql, params![id])?.is_none())
}
