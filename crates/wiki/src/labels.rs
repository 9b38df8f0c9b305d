//! Labels of pages and blog posts.

use crate::actor::Actor;
use crate::changes::touched;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::limits::LABELS_PER_PAGE_MAX;
use crate::names;
use crate::permissions::{self, LEVEL, Right, sql_user};
use crate::sequence;
use crate::wiki::Wiki;
use serde::Serialize;
use std::collections::HashMap;
use storage::{Tx, WriteTx, params};

/// A label and how many pages this actor may read have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub name: String,
    /// Pages and posts with it.
    pub pages: i64,
}

/// Labels.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Labels<'_> {
    /// Adds labels (lower case, no blanks) to a page; those it has are fine.
    pub async fn add(&self, actor: &Actor, page: ContentId, names: &[String]) -> Result<()> {
        let names = names
            .iter()
            .map(|name| names::label(name))
            .collect::<Result<Vec<_>>>()?;
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let (grant, _) = permissions::require(tx, &actor, page, Right::Edit)?;
                for name in &names {
                    attach(tx, page, name, grant.user(), now_ms)?;
                }
                let sql = "SELECT COUNT(*) AS count FROM content_label WHERE content_id = $1";
                if tx.query_one(sql, params![page])?.i64("count")? > LABELS_PER_PAGE_MAX {
                    return Err(Error::Invalid(format!(
                        "a page has at most {LABELS_PER_PAGE_MAX} labels; remove some first"
                    )));
                }
                touched(tx, grant.space(), page)
            })
            .await
    }

    /// Takes a label off a page; one it does not have is fine.
    pub async fn remove(&self, actor: &Actor, page: ContentId, name: &str) -> Result<()> {
        let (actor, name) = (actor.clone(), names::fold(name));
        self.wiki
            .write(move |tx| {
                let (grant, _) = permissions::require(tx, &actor, page, Right::Edit)?;
                let sql = "DELETE FROM content_label WHERE content_id = $1 AND label_id IN (SELECT id FROM label WHERE name = $2)";
                tx.execute(sql, params![page, &name])?;
                touched(tx, grant.space(), page)
            })
            .await
    }

    /// The labels of a space, or of all this actor may read, most used first.
    pub async fn list(
        &self,
        actor: &Actor,
        space_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<LabelCount>> {
        let (actor, key) = (
            actor.clone(),
            space_key.map(names::fold).unwrap_or_default(),
        );
        self.wiki
            .read(move |tx| list(tx, &actor, &key, limit))
            .await
    }
}

/// Puts a label on content; the label is made if it is new.
pub(crate) fn attach(
    tx: &WriteTx,
    content: ContentId,
    name: &str,
    by: Option<UserId>,
    now_ms: i64,
) -> Result<()> {
    let id = match tx.query_opt("SELECT id FROM label WHERE name = $1", params![name])? {
        Some(row) => row.i64("id")?,
        None => {
            let id = sequence::next_id(tx, "label")?;
            tx.execute(
                "INSERT INTO label (id, name) VALUES ($1, $2)",
                params![id, name],
            )?;
            id
        }
    };
    let sql = "INSERT INTO content_label (content_id, label_id, created_by, created_at_ms) VALUES ($1, $2, $3, $4)
        ON CONFLICT (content_id, label_id) DO NOTHING";
    tx.execute(sql, params![content, id, by, now_ms])?;
    Ok(())
}

/// The labels of content, by name.
pub(crate) fn of_page(tx: &Tx, content: ContentId) -> Result<Vec<String>> {
    let sql = "SELECT l.name FROM content_label cl JOIN label l ON l.id = cl.label_id WHERE cl.content_id = $1";
    let mut names = tx
        .query(sql, params![content])?
        .iter()
        .map(|row| Ok(row.text("name")?))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn list(tx: &Tx, actor: &Actor, lower_key: &str, limit: usize) -> Result<Vec<LabelCount>> {
    let denied = permissions::denied_pages(tx, actor)?;
    let sql = format!(
        "SELECT l.name, c.id FROM content_label cl JOIN label l ON l.id = cl.label_id
         JOIN content c ON c.id = cl.content_id JOIN space s ON s.id = c.space_id
         WHERE c.status = 'current' AND c.kind IN ('page', 'blogpost')
         AND (CAST($2 AS BIGINT) = 1 OR {LEVEL} > 0) AND (CAST($3 AS TEXT) = '' OR s.lower_key = $3)"
    );
    let mut counts: HashMap<String, i64> = HashMap::new();
    for row in tx.query(&sql, params![sql_user(actor), actor.is_admin(), lower_key])? {
        if !permissions::is_below_denied(tx, &denied, row.i64("id")?)? {
            *counts.entry(row.text("name")?).or_default() += 1;
        }
    }
    let mut labels: Vec<LabelCount> = counts
        .into_iter()
        .map(|(name, pages)| LabelCount { name, pages })
        .collect();
    labels.sort_by(|a, b| b.pages.cmp(&a.pages).then_with(|| a.name.cmp(&b.name)));
    labels.truncate(limit);
    Ok(labels)
}
