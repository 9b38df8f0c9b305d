//! Finding content by what people and old addresses call it: titles present and former, ids present and former.

use crate::error::Result;
use crate::ids::{ContentId, SpaceId};
use crate::import;
use crate::names;
use crate::pages::ContentKind;
use storage::{Tx, params};

/// What an id leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The content itself.
    pub(crate) content: ContentId,
    /// What it is.
    pub(crate) kind: ContentKind,
    /// The page or blog post it belongs to; itself if it is one.
    pub(crate) page: ContentId,
    /// The version, when the id was a version's.
    pub(crate) version: Option<i64>,
}

/// The space of a key, ignoring case; also the key that an imported space had where it came from.
pub(crate) fn space_by_key(tx: &Tx, key: &str) -> Result<Option<SpaceId>> {
    let lower_key = names::fold(key);
    let row = tx.query_opt(
        "SELECT id FROM space WHERE lower_key = $1",
        params![&lower_key],
    )?;
    let id = match row {
        Some(row) => Some(row.i64("id")?),
        None => import::former_space(tx, &lower_key)?,
    };
    Ok(id.map(SpaceId::new))
}

/// The page of a title: a current one, else an archived one, else one that had the title before.
pub(crate) fn page_by_title(tx: &Tx, space: SpaceId, title: &str) -> Result<Option<ContentId>> {
    let lower_title = names::fold(title);
    let sql = "SELECT id FROM content WHERE space_id = $1 AND kind = 'page' AND lower_title = $2
        AND status IN ('current', 'archived') ORDER BY CASE WHEN status = 'current' THEN 0 ELSE 1 END, id";
    if let Some(row) = tx.query_opt(sql, params![space, &lower_title])? {
        return Ok(Some(ContentId::new(row.i64("id")?)));
    }
    let sql = "SELECT h.content_id FROM title_history h JOIN content c ON c.id = h.content_id
        WHERE h.space_id = $1 AND h.lower_title = $2 AND c.status IN ('current', 'archived')
        ORDER BY h.until_ms DESC, h.content_id DESC";
    let row = tx.query_opt(sql, params![space, lower_title])?;
    Ok(row
        .map(|row| row.i64("content_id"))
        .transpose()?
        .map(ContentId::new))
}

/// The blog post of a title; `day` is a prefix of yyyy-mm-dd, empty for any day (then the newest).
pub(crate) fn blog_post(
    tx: &Tx,
    space: SpaceId,
    day: &str,
    title: &str,
) -> Result<Option<ContentId>> {
    let sql = "SELECT id, posted_on FROM content WHERE space_id = $1 AND kind = 'blogpost' AND lower_title = $2
        AND status IN ('current', 'archived') ORDER BY posted_on DESC, id DESC";
    for row in tx.query(sql, params![space, names::fold(title)])? {
        if row
            .opt_text_ref("posted_on")?
            .unwrap_or_default()
            .starts_with(day)
        {
            return Ok(Some(ContentId::new(row.i64("id")?)));
        }
    }
    Ok(None)
}

/// What an id leads to: content, an old id of content, or the id an import gave to an old version.
pub(crate) fn by_id(tx: &Tx, id: i64) -> Result<Option<Found>> {
    if let Some(found) = content(tx, id, None)? {
        return Ok(Some(found));
    }
    if let Some(row) = tx.query_opt(
        "SELECT content_id FROM content_redirect WHERE old_id = $1",
        params![id],
    )? {
        return content(tx, row.i64("content_id")?, None);
    }
    let sql = "SELECT content_id, number FROM content_version WHERE historical_id = $1
        UNION ALL SELECT attachment_id, number FROM attachment_version WHERE historical_id = $1";
    match tx.query_opt(sql, params![id])? {
        Some(row) => content(tx, row.i64("content_id")?, Some(row.i64("number")?)),
        None => Ok(None),
    }
}

fn content(tx: &Tx, id: i64, version: Option<i64>) -> Result<Option<Found>> {
    let sql = "SELECT kind, COALESCE(page_id, id) AS page FROM content WHERE id = $1";
    let Some(row) = tx.query_opt(sql, params![id])? else {
        return Ok(None);
    };
    Ok(Some(Found {
        content: ContentId::new(id),
        kind: ContentKind::of_column(row.text_ref("kind")?),
        page: ContentId::new(row.i64("page")?),
        version,
    }))
}
