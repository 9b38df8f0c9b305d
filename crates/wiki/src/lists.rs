//! Lists of pages: recent changes, blog posts, pages with a label, the trash.

use crate::actor::Actor;
use crate::addresses::content_url;
use crate::error::Result;
use crate::ids::ContentId;
use crate::limits::LIST_MAX;
use crate::names;
use crate::pages::{ContentKind, PageLink, PageSummary, person_joined};
use crate::permissions::{self, LEVEL, Right, sql_user};
use crate::spaces;
use storage::{Row, Tx, Value, params};

const SELECT_SUMMARY: &str = "SELECT c.id, c.kind, c.title, c.updated_at_ms, c.posted_on, c.version,
    s.key AS space_key, s.name AS space_name, u.id AS user_id, u.name AS user_name, u.full_name AS user_full_name
    FROM content c JOIN space s ON s.id = c.space_id LEFT JOIN user_account u ON u.id = c.updated_by";

/// Pages and posts changed last.
pub(crate) fn recent(
    tx: &Tx,
    actor: &Actor,
    key: Option<&str>,
    limit: usize,
) -> Result<Vec<PageSummary>> {
    let condition = "c.status = 'current' AND c.kind IN ('page', 'blogpost')";
    List {
        tx,
        actor,
        key,
        limit,
    }
    .run(condition, "c.updated_at_ms DESC, c.id DESC", None)
}

/// Blog posts of a space, newest first.
pub(crate) fn blog_posts(
    tx: &Tx,
    actor: &Actor,
    key: &str,
    day: &str,
    limit: usize,
) -> Result<Vec<PageSummary>> {
    spaces::require(tx, actor, key, Right::View)?;
    let condition =
        "c.status = 'current' AND c.kind = 'blogpost' AND substr(c.posted_on, 1, length($4)) = $4";
    let list = List {
        tx,
        actor,
        key: Some(key),
        limit,
    };
    list.run(condition, "c.posted_on DESC, c.id DESC", Some(day.into()))
}

/// Pages with a label, by title.
pub(crate) fn labelled(
    tx: &Tx,
    actor: &Actor,
    label: &str,
    key: Option<&str>,
) -> Result<Vec<PageSummary>> {
    let condition = "c.status = 'current' AND c.kind IN ('page', 'blogpost') AND EXISTS (SELECT 1 FROM content_label cl
        JOIN label l ON l.id = cl.label_id WHERE cl.content_id = c.id AND l.name = $4)";
    let list = List {
        tx,
        actor,
        key,
        limit: LIST_MAX,
    };
    list.run(
        condition,
        "c.lower_title, c.id",
        Some(names::fold(label).into()),
    )
}

/// What is in a space's trash, newest first.
pub(crate) fn trashed(tx: &Tx, actor: &Actor, key: &str) -> Result<Vec<PageSummary>> {
    spaces::require(tx, actor, key, Right::Edit)?;
    let condition = "c.status = 'trashed' AND c.kind IN ('page', 'blogpost')";
    let list = List {
        tx,
        actor,
        key: Some(key),
        limit: LIST_MAX,
    };
    list.run(condition, "c.updated_at_ms DESC, c.id DESC", None)
}

struct List<'a> {
    tx: &'a Tx,
    actor: &'a Actor,
    key: Option<&'a str>,
    limit: usize,
}

impl List<'_> {
    /// Runs a list over the spaces this actor may read and leaves out pages that are restricted to others. `$4` in the
    /// condition is the extra value.
    fn run(&self, condition: &str, order: &str, extra: Option<Value>) -> Result<Vec<PageSummary>> {
        let denied = permissions::denied_pages(self.tx, self.actor)?;
        let limit = self.limit.min(LIST_MAX);
        // Restricted pages are few; reading this many more fills the list again in all but odd cases.
        let spare = if denied.is_empty() { 0 } else { LIST_MAX };
        let mut sql = format!(
            "{SELECT_SUMMARY} WHERE {condition} AND (CAST($2 AS BIGINT) = 1 OR {LEVEL} > 0) AND (CAST($3 AS TEXT) = '' OR s.lower_key = $3)"
        );
        let key = self.key.map(names::fold).unwrap_or_default();
        let mut values: Vec<Value> =
            params![sql_user(self.actor), self.actor.is_admin(), key].to_vec();
        values.extend(extra);
        sql.push_str(&format!(" ORDER BY {order} LIMIT {}", limit + spare));
        let mut found = Vec::new();
        for row in self.tx.query(&sql, &values)? {
            if found.len() < limit
                && !permissions::is_below_denied(self.tx, &denied, row.i64("id")?)?
            {
                found.push(summary_of(&row)?);
            }
        }
        Ok(found)
    }
}

fn summary_of(row: &Row) -> Result<PageSummary> {
    let (id, title) = (ContentId::new(row.i64("id")?), row.text("title")?);
    let kind = ContentKind::of_column(row.text_ref("kind")?);
    let (space_key, posted_on) = (row.text("space_key")?, row.opt_text("posted_on")?);
    let url = content_url(kind, &space_key, id, posted_on.as_deref(), &title);
    Ok(PageSummary {
        link: PageLink { id, title, url },
        kind,
        space_key,
        space_name: row.text("space_name")?,
        updated_by: person_joined(row)?,
        updated_at_ms: row.i64("updated_at_ms")?,
        posted_on,
        version: row.i64("version")?,
    })
}
