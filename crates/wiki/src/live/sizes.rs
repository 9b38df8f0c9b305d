//! How much the logs of live documents hold, for administrators.

use super::LiveDocuments;
use super::names::page_document;
use crate::actor::Actor;
use crate::error::Result;
use crate::ids::ContentId;
use storage::{Row, Tx, params};

/// Most live documents that one question tells of.
const DOCUMENTS_MAX: usize = 1_000;

/// What the log of one live document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSize {
    /// Its name: `page-5` or `namespace/name`.
    pub document: String,
    /// The page, if it is one.
    pub page: Option<ContentId>,
    /// The page's title; of another document its name.
    pub title: String,
    /// Generation.
    pub epoch: i64,
    /// The last update.
    pub head_seq: i64,
    /// The update up to which a page is published.
    pub published_seq: i64,
    /// Bytes of the folded prefix.
    pub snapshot_bytes: i64,
    /// Updates behind it, and those that are kept for history.
    pub tail_rows: i64,
    /// Their bytes.
    pub tail_bytes: i64,
}

const SIZES: &str = "SELECT d.document_id, d.epoch, d.head_seq, d.published_seq, c.title, o.namespace, o.name,
        CAST(LENGTH(s.bytes) AS BIGINT) AS snapshot_bytes,
        CAST(COALESCE(u.tail_rows, 0) AS BIGINT) AS tail_rows, CAST(COALESCE(u.tail_bytes, 0) AS BIGINT) AS tail_bytes
    FROM live_document d JOIN live_snapshot s ON s.document_id = d.document_id
    LEFT JOIN (SELECT document_id, COUNT(*) AS tail_rows, SUM(LENGTH(bytes)) AS tail_bytes FROM live_update GROUP BY document_id) u
        ON u.document_id = d.document_id
    LEFT JOIN content c ON c.id = d.document_id
    LEFT JOIN open_document o ON o.id = d.document_id";

impl LiveDocuments {
    /// The largest logs, and those of these pages. Administrators only.
    pub async fn log_sizes(
        &self,
        actor: &Actor,
        largest: usize,
        pages: Vec<ContentId>,
    ) -> Result<Vec<LogSize>> {
        crate::accounts::require_admin(actor)?;
        self.inner
            .wiki
            .read(move |tx| sizes(tx, largest.min(DOCUMENTS_MAX), &pages))
            .await
    }
}

fn sizes(tx: &Tx, largest: usize, pages: &[ContentId]) -> Result<Vec<LogSize>> {
    let sql = format!(
        "{SIZES} ORDER BY LENGTH(s.bytes) + COALESCE(u.tail_bytes, 0) DESC, d.document_id LIMIT $1"
    );
    let largest = i64::try_from(largest).unwrap_or(i64::MAX);
    let mut sizes = Vec::new();
    for row in tx.query(&sql, params![largest])? {
        sizes.push(size(&row)?);
    }
    let sql = format!("{SIZES} WHERE d.document_id = $1");
    for page in pages.iter().take(DOCUMENTS_MAX) {
        if sizes.iter().any(|size| size.page == Some(*page)) {
            continue;
        }
        if let Some(row) = tx.query_opt(&sql, params![*page])? {
            sizes.push(size(&row)?);
        }
    }
    Ok(sizes)
}

fn size(row: &Row) -> Result<LogSize> {
    let id = ContentId::new(row.i64("document_id")?);
    let other = row
        .opt_text_ref("namespace")?
        .zip(row.opt_text_ref("name")?);
    let other = other.map(|(namespace, name)| format!("{namespace}/{name}"));
    let title = row.opt_text("title")?;
    Ok(LogSize {
        page: other.is_none().then_some(id),
        title: title.or_else(|| other.clone()).unwrap_or_default(),
        document: other.unwrap_or_else(|| page_document(id)),
        epoch: row.i64("epoch")?,
        head_seq: row.i64("head_seq")?,
        published_seq: row.i64("published_seq")?,
        snapshot_bytes: row.i64("snapshot_bytes")?,
        tail_rows: row.i64("tail_rows")?,
        tail_bytes: row.i64("tail_bytes")?,
    })
}
