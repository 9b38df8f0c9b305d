//! Takes content out of the temporary database again, complete and in an order in which it can be written: what is above before
//! what is below, a few at a time.

use std::collections::BTreeMap;

use serde::Serialize;
use storage::{Row, Tx, params};

use super::body::hash;
use super::limits::{TITLE_CHARS_MAX, WRITE_BATCH, WRITE_BATCH_BYTES};
use crate::error::{Error, Result};

/// A page, blog post or comment with everything that is written together with it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ContentIn {
    pub(crate) id: i64,
    pub(crate) class: String,
    #[serde(skip)]
    pub(crate) line: u64,
    #[serde(skip)]
    pub(crate) depth: i64,
    pub(crate) space: i64,
    /// The page a comment or attachment is on.
    pub(crate) page: Option<i64>,
    pub(crate) container: Option<i64>,
    pub(crate) parent: Option<i64>,
    pub(crate) position: Option<i64>,
    pub(crate) status: &'static str,
    /// Day of a blog post, yyyy-mm-dd.
    pub(crate) posted_on: Option<String>,
    pub(crate) creator: Option<String>,
    pub(crate) created_ms: i64,
    /// The current version.
    pub(crate) current: VersionIn,
    /// Former versions, oldest first.
    pub(crate) former: Vec<VersionIn>,
    pub(crate) labels: Vec<LabelIn>,
    /// Operation and subject.
    pub(crate) restrictions: Vec<(String, String)>,
    pub(crate) properties: Vec<(String, String)>,
    #[serde(skip)]
    pub(crate) macros: BTreeMap<String, u64>,
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Option<i64>,
}

/// One version.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct VersionIn {
    /// Its id in the export: the content's own for the current one.
    pub(crate) id: i64,
    #[serde(skip)]
    pub(crate) line: u64,
    pub(crate) number: i64,
    pub(crate) title: String,
    pub(crate) author: Option<String>,
    pub(crate) at_ms: i64,
    pub(crate) message: String,
    pub(crate) hash: String,
    #[serde(skip)]
    pub(crate) packed: Vec<u8>,
    #[serde(skip)]
    pub(crate) has_body: bool,
    #[serde(skip)]
    pub(crate) malformed: Option<String>,
    /// Of an attachment.
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Option<i64>,
}

/// A label on content.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LabelIn {
    pub(crate) name: String,
    pub(crate) author: Option<String>,
    pub(crate) created_ms: Option<i64>,
}

impl ContentIn {
    /// Over everything the export says of it.
    pub(crate) fn hash(&self) -> Result<String> {
        Ok(hash(
            serde_json::to_string(self)
                .map_err(Error::internal)?
                .as_bytes(),
        ))
    }
}

/// The next contents of some classes of a space, after one that was the last before: level and id. The index `content_order`
/// gives them in this order, so that a batch costs the same wherever it is.
pub(crate) fn next(
    tx: &Tx,
    classes: &str,
    space: i64,
    after: (i64, i64),
) -> Result<Vec<ContentIn>> {
    let sql = next_sql(classes);
    let limit = i64::try_from(WRITE_BATCH).unwrap_or(1);
    let rows = tx.query(&sql, params![space, after.0, after.1, limit])?;
    let mut batch = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for row in rows {
        let content = complete(tx, &row)?;
        bytes += content.current.packed.len()
            + content
                .former
                .iter()
                .map(|version| version.packed.len())
                .sum::<usize>();
        batch.push(content);
        if bytes > WRITE_BATCH_BYTES {
            break;
        }
    }
    Ok(batch)
}

fn next_sql(classes: &str) -> String {
    format!(
        "{SELECT} WHERE c.role = 'current' AND c.space = $1 AND (c.depth, c.id) > ($2, $3) AND c.class IN ({classes})
            ORDER BY c.depth, c.id LIMIT $4"
    )
}

const SELECT: &str = "SELECT c.id, c.class, c.line, c.depth, c.space, c.page, c.container, c.parent, c.position, c.status,
    c.creator, c.modifier, c.created_ms, c.modified_ms, c.number, c.title, c.message,
    COALESCE(c.media_type, (SELECT MAX(p.value) FROM property p WHERE p.content = c.id AND p.name = 'MEDIA_TYPE')) AS media_type,
    COALESCE(c.bytes, (SELECT MAX(CAST(p.value AS BIGINT)) FROM property p WHERE p.content = c.id AND p.name = 'FILESIZE')) AS bytes,
    b.hash, b.packed, b.macros, b.malformed FROM content c LEFT JOIN body b ON b.content = c.id";

fn complete(tx: &Tx, row: &Row) -> Result<ContentIn> {
    let id = row.i64("id")?;
    let current = version_of(row)?;
    let sql =
        format!("{SELECT} WHERE c.role = 'version' AND c.original = $1 ORDER BY c.number, c.id");
    let former = tx
        .query(&sql, params![id])?
        .iter()
        .map(version_of)
        .collect::<Result<Vec<_>>>()?;
    let created_ms = row
        .opt_i64("created_ms")?
        .or(former.first().map(|first| first.at_ms))
        .unwrap_or(current.at_ms);
    let macros = row
        .opt_text("macros")?
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    Ok(ContentIn {
        id,
        class: row.text("class")?,
        line: row.i64("line")?.unsigned_abs(),
        depth: row.i64("depth")?,
        space: row.opt_i64("space")?.unwrap_or_default(),
        page: row.opt_i64("page")?,
        container: row.opt_i64("container")?,
        parent: row.opt_i64("parent")?,
        position: row.opt_i64("position")?,
        status: status_of(row.text_ref("status")?),
        posted_on: None,
        creator: row
            .opt_text("creator")?
            .or_else(|| former.first().and_then(|first| first.author.clone())),
        created_ms,
        labels: labels(tx, id)?,
        restrictions: pairs(
            tx,
            "SELECT operation, subject FROM restricted WHERE content = $1 ORDER BY operation, subject",
            id,
        )?,
        properties: pairs(
            tx,
            "SELECT name, value FROM property WHERE content = $1 ORDER BY name, id",
            id,
        )?,
        macros,
        media_type: row.opt_text("media_type")?,
        bytes: row.opt_i64("bytes")?,
        current,
        former,
    })
}

fn version_of(row: &Row) -> Result<VersionIn> {
    Ok(VersionIn {
        id: row.i64("id")?,
        line: row.i64("line")?.unsigned_abs(),
        number: row.opt_i64("number")?.unwrap_or(1),
        title: clean_title(row.text_ref("title")?),
        author: row.opt_text("modifier")?,
        at_ms: row.opt_i64("modified_ms")?.unwrap_or_default(),
        message: row.text("message")?,
        hash: row.opt_text("hash")?.unwrap_or_default(),
        has_body: row.opt_text_ref("hash")?.is_some(),
        packed: match row.value("packed")? {
            storage::Value::Bytes(bytes) => bytes.clone(),
            _ => crate::publish::compress("")?,
        },
        malformed: row.opt_text("malformed")?,
        media_type: row.opt_text("media_type")?,
        bytes: row.opt_i64("bytes")?,
    })
}

/// One line, without control characters. Its length is checked where it is written, so that the report can name it.
fn clean_title(title: &str) -> String {
    let title: String = title
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    title.trim().to_owned()
}

/// The title as it can be stored, and whether it had to be cut.
pub(crate) fn cut_title(title: &str) -> (String, bool) {
    let cut: String = title.chars().take(TITLE_CHARS_MAX).collect();
    let is_cut = cut.len() < title.len();
    (cut.trim_end().to_owned(), is_cut)
}

fn status_of(status: &str) -> &'static str {
    match status {
        "deleted" | "trashed" => "trashed",
        "archived" => "archived",
        _ => "current",
    }
}

fn labels(tx: &Tx, id: i64) -> Result<Vec<LabelIn>> {
    let sql = "SELECT name, author, created_ms FROM labelled WHERE content = $1 ORDER BY name";
    let of = |row: &Row| {
        Ok(LabelIn {
            name: row.text(0)?,
            author: row.opt_text(1)?,
            created_ms: row.opt_i64(2)?,
        })
    };
    tx.query(sql, params![id])?.iter().map(of).collect()
}

fn pairs(tx: &Tx, sql: &str, id: i64) -> Result<Vec<(String, String)>> {
    let mut found: Vec<(String, String)> = Vec::new();
    for row in tx.query(sql, params![id])? {
        let pair = (row.text(0)?, row.text(1)?);
        found.push(pair);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::table::Table;

    #[test]
    fn a_batch_is_found_by_the_index_and_never_sorted() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::create(&folder.path().join("table.sqlite")).unwrap();
        let plan = table.write(|tx| {
            tx.execute("CREATE INDEX body_content ON body (content)", params![])?;
            let sql = format!("EXPLAIN QUERY PLAN {}", next_sql("'Page', 'BlogPost'"));
            let steps = tx.query(&sql, params![1, 0, 0, 50])?;
            steps
                .iter()
                .map(|step| Ok(step.text("detail")?))
                .collect::<Result<Vec<_>>>()
        });
        let plan = plan.unwrap().join("\n");
        assert!(
            plan.contains("USING INDEX content_order (role=? AND space=? AND (depth,id)>(?,?))"),
            "{plan}"
        );
        assert!(
            !plan.contains("TEMP B-TREE") && !plan.contains("SCAN"),
            "{plan}"
        );
        table.close();
    }
}
