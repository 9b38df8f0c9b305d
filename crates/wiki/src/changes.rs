//! Making content, the trash and back.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::{ContentId, SpaceId, UserId};
use crate::jobs;
use crate::live;
use crate::names;
use crate::pages::{ContentKind, NewPage, Status};
use crate::permissions::{self, Right};
use crate::publish::{self, NewVersion};
use crate::sequence;
use crate::spaces::{self, Space, bump_stamp};
use crate::tree;
use storage::{Tx, WriteTx, params};

/// A row of `content` to be made, as a draft without version.
pub(crate) struct NewContent<'a> {
    pub(crate) kind: ContentKind,
    pub(crate) space: SpaceId,
    pub(crate) parent: Option<ContentId>,
    pub(crate) title: &'a str,
    pub(crate) maker: Option<UserId>,
    /// yyyy-mm-dd of a blog post.
    pub(crate) posted_on: Option<&'a str>,
    pub(crate) now_ms: i64,
}

/// Stores a draft; pages come last among their siblings.
pub(crate) fn insert_draft(tx: &WriteTx, new: &NewContent<'_>) -> Result<ContentId> {
    let id = sequence::next_content_id(tx)?;
    let position = match new.kind {
        ContentKind::Page => tree::last_position(tx, new.space, new.parent)?,
        _ => None,
    };
    tx.execute(
        "INSERT INTO content (id, kind, space_id, parent_id, title, lower_title, position, status, version, posted_on,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'draft', 0, $8, $9, $10, $9, $10)",
        params![
            id,
            new.kind.column(),
            new.space,
            new.parent,
            new.title,
            names::fold(new.title),
            position,
            new.posted_on,
            new.maker,
            new.now_ms
        ],
    )?;
    Ok(id)
}

/// Makes a draft page or blog post. `Conflict` when a page of the space has the title.
pub(crate) fn create(
    tx: &WriteTx,
    actor: &Actor,
    page: &NewPage,
    now_ms: i64,
) -> Result<ContentId> {
    let space = spaces::require(tx, actor, &page.space_key, Right::Edit)?;
    let title = names::title(&page.title)?;
    let day = day_of(now_ms)?;
    let (parent, posted_on) = match page.kind {
        ContentKind::Page => {
            publish::check_title_free(tx, space.id, ContentId::new(0), &title)?;
            (parent_of(tx, actor, page, &space)?, None)
        }
        ContentKind::BlogPost => (None, Some(day.as_str())),
        ContentKind::Comment | ContentKind::Attachment => {
            return Err(Error::Invalid(
                "only pages and blog posts are made this way; add comments and attachments to one"
                    .into(),
            ));
        }
    };
    let new = NewContent {
        kind: page.kind,
        space: space.id,
        parent,
        title: &title,
        maker: actor.user_id(),
        posted_on,
        now_ms,
    };
    insert_draft(tx, &new)
}

/// Makes a page or blog post and publishes its first version.
pub(crate) fn create_published(
    tx: &WriteTx,
    actor: &Actor,
    page: &NewPage,
    body: &str,
    now_ms: i64,
) -> Result<ContentId> {
    let id = create(tx, actor, page, now_ms)?;
    let version = NewVersion {
        author: actor.user_id(),
        ..NewVersion::new(id, &page.title, body, now_ms)
    };
    publish::insert_version(tx, &version)?;
    Ok(id)
}

/// Puts a page in the trash; the pages below move up.
pub(crate) fn trash(tx: &WriteTx, actor: &Actor, id: ContentId, now_ms: i64) -> Result<()> {
    let (grant, head) = permissions::require(tx, actor, id, Right::Edit)?;
    if head.space.home_id == Some(id) {
        return Err(Error::Conflict(
            "this is the home page of its space; choose another home page first".into(),
        ));
    }
    tree::reindex_below(tx, id)?;
    tx.execute(
        "UPDATE content SET parent_id = $2 WHERE parent_id = $1 AND kind = 'page'",
        params![id, head.parent_id],
    )?;
    let sql =
        "UPDATE content SET status = 'trashed', updated_by = $2, updated_at_ms = $3 WHERE id = $1";
    tx.execute(sql, params![id, grant.user(), now_ms])?;
    // The page's editors are sent away; pages below it may have lost a restriction that stood above them.
    live::head_moved(tx, id)?;
    live::rights_changed(tx)?;
    bump_stamp(tx, grant.space())
}

/// Takes a page out of the trash.
pub(crate) fn restore_from_trash(
    tx: &WriteTx,
    actor: &Actor,
    id: ContentId,
    now_ms: i64,
) -> Result<()> {
    let head = head::read(tx, actor, id)?;
    if head.status != Status::Trashed {
        return Err(Error::Conflict(format!(
            "page `{}` is not in the trash",
            head.title
        )));
    }
    spaces::require(tx, actor, &head.space.key, Right::Edit)?;
    let status = if head.version > 0 { "current" } else { "draft" };
    if head.kind == ContentKind::Page && head.version > 0 {
        publish::check_title_free(tx, head.space.id, id, &head.title)?;
    }
    let sql = "UPDATE content SET status = $2, updated_by = $3, updated_at_ms = $4, parent_id =
            (SELECT p.id FROM content p WHERE p.id = content.parent_id AND p.status = 'current' AND p.space_id = content.space_id)
        WHERE id = $1";
    tx.execute(sql, params![id, status, actor.user_id(), now_ms])?;
    tree::reindex_below(tx, id)?;
    bump_stamp(tx, head.space.id)
}

fn parent_of(tx: &Tx, actor: &Actor, page: &NewPage, space: &Space) -> Result<Option<ContentId>> {
    let Some(parent) = page.parent else {
        return Ok(space.home_id);
    };
    let (_, head) = permissions::require(tx, actor, parent, Right::View)?;
    if head.space.id != space.id || head.kind != ContentKind::Page {
        return Err(Error::Invalid(format!(
            "page `{}` is not a page of space `{}`; choose another parent",
            head.title, space.key
        )));
    }
    Ok(Some(parent))
}

/// The day of a time, yyyy-mm-dd in UTC.
pub(crate) fn day_of(now_ms: i64) -> Result<String> {
    let time = jiff::Timestamp::from_millisecond(now_ms).map_err(Error::internal)?;
    Ok(time.strftime("%Y-%m-%d").to_string())
}

/// Notes that content must be indexed again, and that readers of its space see something else.
pub(crate) fn touched(tx: &WriteTx, space: SpaceId, content: ContentId) -> Result<()> {
    bump_stamp(tx, space)?;
    jobs::enqueue_index(tx, content)
}
