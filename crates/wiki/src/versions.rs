//! Versions: what was published when and by whom; comparing and restoring.

use crate::actor::{Actor, Person};
use crate::compare::{self, Comparison};
use crate::error::{Error, Result};
use crate::head;
use crate::ids::ContentId;
use crate::limits::LIST_MAX;
use crate::links::PageLinks;
use crate::live;
use crate::pages::{PageHead, Status, person_joined};
use crate::permissions::{self, Right};
use crate::publish::{self, NewVersion};
use crate::readable::readable;
use crate::view::{self, Place};
use crate::wiki::Wiki;
use document::Document;
use serde::Serialize;
use storage::{Row, Tx, params};

/// One published state, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionSummary {
    /// 1, 2, 3 ...; imports may have gaps.
    pub number: i64,
    /// The title it had.
    pub title: String,
    /// Who published it.
    pub author: Option<Person>,
    /// Who else wrote in it.
    pub contributors: Vec<Person>,
    /// What the author said about it.
    pub message: String,
    /// Not worth telling others.
    pub minor: bool,
    /// When.
    pub created_at_ms: i64,
}

/// One published state with its body.
#[derive(Clone, Debug)]
pub struct VersionBody {
    /// Number, author, date.
    pub summary: VersionSummary,
    /// The storage format.
    pub storage: String,
    /// Sanitised HTML.
    pub html: String,
}

/// Versions of pages and blog posts.
#[derive(Clone, Copy)]
pub struct Versions<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Versions<'_> {
    /// Newest first, below `before` (none: from the newest on).
    pub async fn list(
        &self,
        actor: &Actor,
        page: ContentId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<VersionSummary>> {
        let actor = actor.clone();
        let limit = i64::try_from(limit.min(LIST_MAX)).map_err(Error::internal)?;
        let sql = format!(
            "{SELECT_VERSION} WHERE v.content_id = $1 AND v.number < $2 ORDER BY v.number DESC LIMIT $3"
        );
        self.wiki
            .read(move |tx| {
                head::read(tx, &actor, page)?;
                let rows = tx.query(&sql, params![page, before.unwrap_or(i64::MAX), limit])?;
                rows.iter().map(|row| summary_of(tx, row)).collect()
            })
            .await
    }

    /// One version with its body; none: the current one.
    pub async fn body(
        &self,
        actor: &Actor,
        page: ContentId,
        number: Option<i64>,
    ) -> Result<VersionBody> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let head = head::read(tx, &actor, page)?;
                let number = number.unwrap_or(head.version);
                let summary = summary(tx, page, number)?;
                let storage = publish::read_body(tx, page, number)?;
                let place = Place {
                    title: summary.title.clone(),
                    ..Place::of(&head)
                };
                let html = view::render(tx, &place, &storage);
                Ok(VersionBody {
                    summary,
                    storage,
                    html,
                })
            })
            .await
    }

    /// What changed from one version to another, on the rendered page.
    pub async fn compare(
        &self,
        actor: &Actor,
        page: ContentId,
        from: i64,
        to: i64,
    ) -> Result<Comparison> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let head = head::read(tx, &actor, page)?;
                let (from, to) = (from.min(to), from.max(to));
                let (older, newer) = (document_of(tx, page, from)?, document_of(tx, page, to)?);
                let place = Place::of(&head);
                let blocks =
                    compare::blocks(&older, &newer, &place.title, &PageLinks::new(tx, &place));
                Ok(compare::comparison(
                    summary(tx, page, from)?,
                    summary(tx, page, to)?,
                    blocks,
                ))
            })
            .await
    }

    /// Publishes an old version again as a new one, for open editors too. Returns the new number.
    pub async fn restore(&self, actor: &Actor, page: ContentId, number: i64) -> Result<i64> {
        let message = format!("restored from version {number}");
        let (restoring, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let head = require_published(tx, &restoring, page)?;
                let title = summary(tx, page, number)?.title;
                let body = publish::read_body(tx, page, number)?;
                let version = NewVersion {
                    author: restoring.user_id(),
                    message: &message,
                    ..NewVersion::new(head.id, &title, &body, now_ms)
                };
                publish::insert_version(tx, &version)
            })
            .await
    }

    /// Publishes a body (storage format) as the next version: what programs do. `expected` is the number of the version
    /// it builds on; what was published since, and what the draft has besides, is merged with it by block. `Conflict` when the same
    /// block was changed there too. Returns the new number.
    pub async fn publish(&self, actor: &Actor, page: ContentId, update: PageUpdate) -> Result<i64> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                let merged = merged_with_newer(tx, &head, &update)?;
                let (title, body) = match &merged {
                    Some((title, body)) => (title, body),
                    None => (&update.title, &update.storage),
                };
                let version = NewVersion {
                    author: actor.user_id(),
                    message: &update.message,
                    minor: update.minor,
                    ..NewVersion::new(page, title, body, now_ms)
                };
                publish::insert_version(tx, &version)
            })
            .await
    }
}

/// A whole new state of a page, from a program.
#[derive(Clone, Debug)]
pub struct PageUpdate {
    /// The number of the version it builds on.
    pub expected: i64,
    /// The title.
    pub title: String,
    /// The body in storage format.
    pub storage: String,
    /// What to say about it.
    pub message: String,
    /// Not worth telling others.
    pub minor: bool,
}

/// What a change that builds on an older version becomes on the newest one: title and body; none when it builds on the newest.
/// [WRITE-7]
fn merged_with_newer(
    tx: &Tx,
    head: &PageHead,
    update: &PageUpdate,
) -> Result<Option<(String, String)>> {
    let (expected, current) = (update.expected, head.version);
    if expected == current {
        return Ok(None);
    }
    if !(1..current).contains(&expected) {
        return Err(Error::Conflict(format!(
            "the page is at version {current} and the change builds on {expected}; load it again"
        )));
    }
    let span = (expected, current);
    live::onto_published(tx, head.id, span, &update.title, &update.storage).map(Some)
}

fn require_published(tx: &Tx, actor: &Actor, page: ContentId) -> Result<PageHead> {
    let (_, head) = permissions::require(tx, actor, page, Right::Edit)?;
    if head.status != Status::Current {
        return Err(Error::Conflict(format!(
            "page `{}` was never published; publish it first",
            head.title
        )));
    }
    Ok(head)
}

fn document_of(tx: &Tx, page: ContentId, number: i64) -> Result<Document> {
    let body = publish::read_body(tx, page, number)?;
    Ok(readable(&body))
}

const SELECT_VERSION: &str =
    "SELECT v.number, v.title, v.message, v.minor, v.created_at_ms, v.contributors,
        u.id AS user_id, u.name AS user_name, u.full_name AS user_full_name
    FROM content_version v LEFT JOIN user_account u ON u.id = v.author";

/// One version without its body; `NotFound` when there is none of that number.
pub(crate) fn summary(tx: &Tx, page: ContentId, number: i64) -> Result<VersionSummary> {
    let sql = format!("{SELECT_VERSION} WHERE v.content_id = $1 AND v.number = $2");
    match tx.query_opt(&sql, params![page, number])? {
        Some(row) => summary_of(tx, &row),
        None => Err(Error::NotFound(format!(
            "page `{page}` has no version {number}; its history lists them"
        ))),
    }
}

fn summary_of(tx: &Tx, row: &Row) -> Result<VersionSummary> {
    let ids: Vec<i64> =
        serde_json::from_str(row.text_ref("contributors")?).map_err(Error::internal)?;
    let mut contributors = Vec::with_capacity(ids.len());
    for id in ids {
        contributors.extend(view::person(tx, Some(id))?);
    }
    Ok(VersionSummary {
        number: row.i64("number")?,
        title: row.text("title")?,
        author: person_joined(row)?,
        contributors,
        message: row.text("message")?,
        minor: row.bool("minor")?,
        created_at_ms: row.i64("created_at_ms")?,
    })
}
