//! Comments on pages and blog posts: threaded, written in Markdown, stored as storage format.

use crate::actor::{Actor, Person};
use crate::changes::touched;
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::jobs;
use crate::limits::{COMMENT_BYTES_MAX, COMMENTS_SHOWN_MAX};
use crate::pages::{PageHead, person_joined};
use crate::permissions::{self, Right, refusal};
use crate::publish::{self, NewVersion, VersionRow};
use crate::readable::readable;
use crate::sequence;
use crate::view::{self, Place};
use crate::wiki::Wiki;
use document::{Markdown, StorageFormat};
use std::collections::HashMap;
use storage::{Row, Tx, WriteTx, params};

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id; its anchor is `comment-ID`.
    pub id: ContentId,
    /// The comment it answers.
    pub parent_id: Option<ContentId>,
    /// 0 for the first of a thread, 1 for an answer to it, ...
    pub depth: usize,
    /// Who wrote it.
    pub author: Option<Person>,
    /// When.
    pub created_at_ms: i64,
    /// When it was edited, if it was.
    pub edited_at_ms: Option<i64>,
    /// Sanitised HTML.
    pub html: String,
}

/// Comments.
#[derive(Clone, Copy)]
pub struct Comments<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Comments<'_> {
    /// Adds a comment in Markdown to a page, or an answer to a comment of the page.
    pub async fn add(
        &self,
        actor: &Actor,
        page: ContentId,
        parent: Option<ContentId>,
        markdown: &str,
    ) -> Result<ContentId> {
        let body = body_of(markdown)?;
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| add(tx, &actor, page, parent, &body, now_ms))
            .await
    }

    /// A comment's text as Markdown, to edit it. Its author, or an administrator of the space.
    pub async fn source(&self, actor: &Actor, comment: ContentId) -> Result<String> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let own = require_own(tx, &actor, comment)?;
                let body = publish::read_body(tx, comment, own.version)?;
                Ok(Markdown::write(&readable(&body)))
            })
            .await
    }

    /// Changes a comment. Its author, or an administrator of the space. Returns its page.
    pub async fn edit(
        &self,
        actor: &Actor,
        comment: ContentId,
        markdown: &str,
    ) -> Result<ContentId> {
        let body = body_of(markdown)?;
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let own = require_own(tx, &actor, comment)?;
                let version = NewVersion {
                    author: actor.user_id(),
                    ..NewVersion::new(comment, "comment", &body, now_ms)
                };
                store(tx, &version, own.version + 1)?;
                touched(tx, own.page.space.id, comment)?;
                Ok(own.page.id)
            })
            .await
    }

    /// Deletes a comment; answers stay. Its author, or an administrator of the space. Returns its page.
    pub async fn delete(&self, actor: &Actor, comment: ContentId) -> Result<ContentId> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let own = require_own(tx, &actor, comment)?;
                let sql = "UPDATE content SET parent_id = (SELECT up.parent_id FROM content up WHERE up.id = $1) WHERE parent_id = $1";
                tx.execute(sql, params![comment])?;
                let sql = "UPDATE content SET status = 'trashed', updated_by = $2, updated_at_ms = $3 WHERE id = $1";
                tx.execute(sql, params![comment, actor.user_id(), now_ms])?;
                touched(tx, own.page.space.id, comment)?;
                Ok(own.page.id)
            })
            .await
    }
}

fn add(
    tx: &WriteTx,
    actor: &Actor,
    page: ContentId,
    parent: Option<ContentId>,
    body: &str,
    now_ms: i64,
) -> Result<ContentId> {
    let (grant, _) = permissions::require(tx, actor, page, Right::Comment)?;
    if let Some(parent) = parent {
        let sql = "SELECT id FROM content WHERE id = $1 AND page_id = $2 AND kind = 'comment' AND status = 'current'";
        if tx.query_opt(sql, params![parent, page])?.is_none() {
            return Err(Error::NotFound(
                "the comment to answer is gone; reload the page".into(),
            ));
        }
    }
    let id = sequence::next_content_id(tx)?;
    tx.execute(
        "INSERT INTO content (id, kind, space_id, page_id, parent_id, title, lower_title, status, version,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, 'comment', $2, $3, $4, '', '', 'current', 0, $5, $6, $5, $6)",
        params![id, grant.space(), page, parent, grant.user(), now_ms],
    )?;
    store(
        tx,
        &NewVersion {
            author: grant.user(),
            ..NewVersion::new(id, "", body, now_ms)
        },
        1,
    )?;
    touched(tx, grant.space(), id)?;
    Ok(id)
}

/// A comment's version: without a title, which pages must have.
fn store(tx: &WriteTx, version: &NewVersion<'_>, number: i64) -> Result<()> {
    let row = VersionRow {
        number,
        title: "",
        author: version.author,
        contributors: &[],
        historical_id: None,
    };
    publish::store_version(tx, version, &row)?;
    let sql = "UPDATE content SET version = $2, updated_by = $3, updated_at_ms = $4 WHERE id = $1";
    tx.execute(
        sql,
        params![version.content, number, version.author, version.now_ms],
    )?;
    jobs::enqueue_index(tx, version.content)
}

struct Own {
    version: i64,
    page: PageHead,
}

/// The comment, if this actor wrote it or administers the space, and may still read and comment on the page.
fn require_own(tx: &Tx, actor: &Actor, comment: ContentId) -> Result<Own> {
    let sql = "SELECT page_id, version, created_by FROM content WHERE id = $1 AND kind = 'comment' AND status = 'current'";
    let gone = || Error::NotFound("this comment is gone; reload the page".into());
    let row = tx.query_opt(sql, params![comment])?.ok_or_else(gone)?;
    let page = ContentId::new(row.opt_i64("page_id")?.ok_or_else(gone)?);
    let (_, page) = permissions::require(tx, actor, page, Right::Comment)?;
    let own = actor.user_id().is_some_and(|user| {
        row.opt_i64("created_by")
            .is_ok_and(|by| by == Some(user.get()))
    });
    if !own && !page.can_administer {
        return Err(refusal(actor, Right::Admin, "comments of others here"));
    }
    Ok(Own {
        version: row.i64("version")?,
        page,
    })
}

fn body_of(markdown: &str) -> Result<String> {
    if markdown.trim().is_empty() {
        return Err(Error::Invalid(
            "the comment is empty; write something".into(),
        ));
    }
    if markdown.len() > COMMENT_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "the comment is longer than {COMMENT_BYTES_MAX} bytes; shorten it"
        )));
    }
    let clean: String = markdown
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    let (document, _) = Markdown::parse(&clean);
    Ok(StorageFormat::write(&document))
}

/// The comments of a page in the order of the conversation.
pub(crate) fn of_page(tx: &Tx, place: &Place) -> Result<Vec<Comment>> {
    let sql = "SELECT c.id, c.parent_id, c.version, c.created_at_ms, c.updated_at_ms, v.body,
            u.id AS user_id, u.name AS user_name, u.full_name AS user_full_name
        FROM content c JOIN content_version v ON v.content_id = c.id AND v.number = c.version
        LEFT JOIN user_account u ON u.id = c.created_by
        WHERE c.page_id = $1 AND c.kind = 'comment' AND c.status = 'current' ORDER BY c.created_at_ms, c.id LIMIT $2";
    let mut comments = Vec::new();
    for row in tx.query(sql, params![place.page, COMMENTS_SHOWN_MAX])? {
        comments.push(comment_of(tx, place, &row)?);
    }
    Ok(in_order(comments))
}

fn comment_of(tx: &Tx, place: &Place, row: &Row) -> Result<Comment> {
    let body = publish::decompress(row.bytes_ref("body")?)?;
    let edited = row.i64("version")? > 1;
    Ok(Comment {
        id: ContentId::new(row.i64("id")?),
        parent_id: row.opt_i64("parent_id")?.map(ContentId::new),
        depth: 0,
        author: person_joined(row)?,
        created_at_ms: row.i64("created_at_ms")?,
        edited_at_ms: if edited {
            Some(row.i64("updated_at_ms")?)
        } else {
            None
        },
        html: view::render(tx, place, &body),
    })
}

/// Puts answers after what they answer. Answers to comments that are not there stand by themselves; circles cannot occur
/// because only comments without a parent in the list are starting points, and each is taken out once.
fn in_order(comments: Vec<Comment>) -> Vec<Comment> {
    let known: std::collections::HashSet<ContentId> =
        comments.iter().map(|comment| comment.id).collect();
    let mut answers: HashMap<Option<ContentId>, Vec<Comment>> = HashMap::new();
    for mut comment in comments {
        comment.parent_id = comment.parent_id.filter(|parent| known.contains(parent));
        answers.entry(comment.parent_id).or_default().push(comment);
    }
    let mut waiting: Vec<Comment> = answers.remove(&None).unwrap_or_default();
    waiting.reverse();
    let mut ordered = Vec::new();
    while let Some(comment) = waiting.pop() {
        for mut answer in answers
            .remove(&Some(comment.id))
            .unwrap_or_default()
            .into_iter()
            .rev()
        {
            answer.depth = comment.depth + 1;
            waiting.push(answer);
        }
        ordered.push(comment);
    }
    ordered
}
