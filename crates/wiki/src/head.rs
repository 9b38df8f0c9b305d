//! The hot query: one statement (two where content is restricted) that says who may do what to a page, and under which keys its rendered forms are cached.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::ids::{ContentId, SpaceId};
use crate::limits::TREE_DEPTH_MAX;
use crate::pages::{ContentKind, PageHead, SpaceSummary, Status};
use crate::permissions::{LEVEL, NAMED, Right, refusal, sql_user};
use crate::spaces::SpaceMode;
use std::sync::LazyLock;
use storage::{Row, Tx, params};

/// SQL: ids of page `$1` and all above it, the page itself first.
pub(crate) const SELECT_UP: &str = "WITH RECURSIVE up(id, parent_id, depth) AS (
        SELECT c.id, c.parent_id, CAST(0 AS BIGINT) FROM content c WHERE c.id = $1
        UNION ALL
        SELECT c.id, c.parent_id, up.depth + 1 FROM content c JOIN up ON c.id = up.parent_id WHERE up.depth < 200)
    SELECT id, depth FROM up ORDER BY depth";

/// `$1` the user, `$2` the page. `limits`: whether any content of the wiki is restricted, so that wikis without
/// restrictions never pay for them.
static SELECT_HEAD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT c.id, c.kind, c.title, c.status, c.version, c.parent_id, c.posted_on,
            s.id AS space_id, s.key AS space_key, s.name AS space_name, s.home_id, s.mode, s.stamp,
            CAST({LEVEL} AS BIGINT) AS level,
            (SELECT COUNT(*) FROM (SELECT r.content_id FROM content_restriction r LIMIT 1) first) AS limits,
            (SELECT COUNT(*) FROM live_document d WHERE d.document_id = c.id AND d.head_seq > d.published_seq) AS unpublished
         FROM content c JOIN space s ON s.id = c.space_id WHERE c.id = $2 AND c.kind IN ('page', 'blogpost')"
    )
});

/// `$1` the user, `$2` the page: restrictions of reading on it and above it, of editing on it alone.
static SELECT_LIMITS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH RECURSIVE up(id, parent_id, depth) AS (
            SELECT c.id, c.parent_id, CAST(0 AS BIGINT) FROM content c WHERE c.id = $2
            UNION ALL
            SELECT c.id, c.parent_id, up.depth + 1 FROM content c JOIN up ON c.id = up.parent_id WHERE up.depth < {TREE_DEPTH_MAX})
         SELECT r.operation, MAX(CASE WHEN {NAMED} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END) AS named
         FROM up JOIN content_restriction r ON r.content_id = up.id AND (r.operation = 'view' OR up.depth = 0)
         GROUP BY r.operation, r.content_id"
    )
});

/// The head of a page or blog post, if this actor may read it. `NotFound`, or `Forbidden` for anonymous visitors.
pub(crate) fn read(tx: &Tx, actor: &Actor, id: ContentId) -> Result<PageHead> {
    let row = tx
        .query_opt(&SELECT_HEAD, params![sql_user(actor), id])?
        .ok_or_else(|| missing(id))?;
    let limits = if row.i64("limits")? > 0 {
        Limits::read(tx, actor, id)?
    } else {
        Limits::default()
    };
    let access = Access::of(actor, &row, &limits)?;
    let head = head_of(&row, &access, &limits)?;
    let hidden = match head.status {
        Status::Current | Status::Archived => false,
        Status::Draft | Status::Trashed => !access.edit,
    };
    if access.view && !hidden {
        return Ok(head);
    }
    if actor.is_anonymous() && !hidden {
        return Err(refusal(actor, Right::View, "this page"));
    }
    Err(missing(id))
}

/// The page or blog post that content belongs to: itself, or that of a comment or attachment.
pub(crate) fn page_of(tx: &Tx, id: ContentId) -> Result<(ContentKind, ContentId)> {
    let sql = "SELECT kind, COALESCE(page_id, id) AS page FROM content WHERE id = $1";
    let row = tx.query_opt(sql, params![id])?.ok_or_else(|| missing(id))?;
    Ok((
        ContentKind::of_column(row.text_ref("kind")?),
        ContentId::new(row.i64("page")?),
    ))
}

pub(crate) fn missing(id: ContentId) -> Error {
    Error::NotFound(format!("there is no page `{id}`, or you may not read it"))
}

/// Restrictions that apply to a page.
#[derive(Default)]
struct Limits {
    any: bool,
    /// Some restriction of reading, here or above, names others.
    denies_view: bool,
    /// The restriction of editing names others.
    denies_edit: bool,
}

impl Limits {
    fn read(tx: &Tx, actor: &Actor, id: ContentId) -> Result<Limits> {
        let mut limits = Limits::default();
        for row in tx.query(&SELECT_LIMITS, params![sql_user(actor), id])? {
            let (view, named) = (row.text_ref("operation")? == "view", row.bool("named")?);
            limits.any = true;
            limits.denies_view |= view && !named;
            limits.denies_edit |= !view && !named;
        }
        Ok(limits)
    }
}

struct Access {
    view: bool,
    comment: bool,
    edit: bool,
    admin: bool,
}

impl Access {
    fn of(actor: &Actor, row: &Row, limits: &Limits) -> Result<Access> {
        if actor.is_admin() {
            return Ok(Access {
                view: true,
                comment: true,
                edit: true,
                admin: true,
            });
        }
        let level = row.i64("level")?;
        let view = level >= Right::View.level() && !limits.denies_view;
        Ok(Access {
            view,
            comment: view && level >= Right::Comment.level(),
            edit: view && level >= Right::Edit.level() && !limits.denies_edit,
            admin: level >= Right::Admin.level(),
        })
    }
}

fn head_of(row: &Row, access: &Access, limits: &Limits) -> Result<PageHead> {
    let status = Status::of_column(row.text_ref("status")?);
    let alive = matches!(status, Status::Current | Status::Draft);
    Ok(PageHead {
        id: ContentId::new(row.i64("id")?),
        kind: ContentKind::of_column(row.text_ref("kind")?),
        space: space_of(row)?,
        stamp: row.i64("stamp")?,
        title: row.text("title")?,
        status,
        version: row.i64("version")?,
        parent_id: row.opt_i64("parent_id")?.map(ContentId::new),
        posted_on: row.opt_text("posted_on")?,
        can_comment: access.comment && status == Status::Current,
        can_edit: access.edit && alive,
        can_administer: access.admin,
        unpublished: row.i64("unpublished")? > 0,
        restricted: limits.any,
    })
}

fn space_of(row: &Row) -> Result<SpaceSummary> {
    Ok(SpaceSummary {
        id: SpaceId::new(row.i64("space_id")?),
        key: row.text("space_key")?,
        name: row.text("space_name")?,
        home_id: row.opt_i64("home_id")?.map(ContentId::new),
        mode: SpaceMode::of_column(row.text_ref("mode")?),
    })
}
