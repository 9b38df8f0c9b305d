//! The tree of a space: reading it level by level, moving pages in it.

use crate::actor::Actor;
use crate::addresses::page_url;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::{ContentId, SpaceId};
use crate::jobs;
use crate::limits::{CHILDREN_MAX, TREE_DEPTH_MAX};
use crate::live;
use crate::names;
use crate::pages::{ContentKind, PageHead, Place, TreeNode};
use crate::permissions::{self, Right};
use crate::publish;
use crate::spaces::{self, bump_stamp};
use std::collections::HashSet;
use storage::{Row, Tx, WriteTx, params};

const SELECT_NODE: &str = "SELECT c.id, c.title, c.lower_title, c.position, c.status,
    (SELECT COUNT(*) FROM content k WHERE k.parent_id = c.id AND k.kind = 'page' AND k.status = 'current') AS below
    FROM content c";

/// What one level of the tree is read with.
struct Level<'a> {
    tx: &'a Tx,
    key: String,
    drafts: bool,
    denied: HashSet<i64>,
}

/// The top of a space's tree, opened along the way to the current page.
pub(crate) fn of_space(
    tx: &Tx,
    actor: &Actor,
    key: &str,
    current: Option<ContentId>,
) -> Result<Vec<TreeNode>> {
    let space = spaces::require(tx, actor, key, Right::View)?;
    let denied = permissions::denied_pages(tx, actor)?;
    let level = Level {
        tx,
        key: space.key,
        drafts: space.right >= Right::Edit,
        denied,
    };
    let mut open = HashSet::new();
    if let Some(current) = current {
        for row in tx.query(head::SELECT_UP, params![current])? {
            open.insert(row.i64("id")?);
        }
    }
    let sql = format!(
        "{SELECT_NODE} WHERE c.space_id = $1 AND c.kind = 'page' AND c.status IN ('current', 'draft') AND c.parent_id IS NULL LIMIT $2"
    );
    let mut roots = level.nodes(&sql, space.id.get())?;
    for root in &mut roots {
        level.open(root, &open)?;
    }
    Ok(roots)
}

/// The pages right below one page.
pub(crate) fn below(tx: &Tx, actor: &Actor, parent: ContentId) -> Result<Vec<TreeNode>> {
    let head = head::read(tx, actor, parent)?;
    let denied = permissions::denied_pages(tx, actor)?;
    Level {
        tx,
        key: head.space.key,
        drafts: head.can_edit,
        denied,
    }
    .below(parent)
}

impl Level<'_> {
    fn below(&self, parent: ContentId) -> Result<Vec<TreeNode>> {
        let sql = format!(
            "{SELECT_NODE} WHERE c.parent_id = $1 AND c.kind = 'page' AND c.status IN ('current', 'draft') LIMIT $2"
        );
        self.nodes(&sql, parent.get())
    }

    /// Opens the nodes on the way, iteratively: the way has one node on each level.
    fn open(&self, root: &mut TreeNode, way: &HashSet<i64>) -> Result<()> {
        let mut next = Some(root);
        while let Some(node) = next.take().filter(|node| way.contains(&node.id.get())) {
            node.children = self.below(node.id)?;
            next = node
                .children
                .iter_mut()
                .find(|child| way.contains(&child.id.get()));
        }
        Ok(())
    }

    fn nodes(&self, sql: &str, of: i64) -> Result<Vec<TreeNode>> {
        let mut rows = self.tx.query(sql, params![of, CHILDREN_MAX])?;
        rows.retain(|row| self.shows(row).unwrap_or(false));
        let mut keyed = rows
            .iter()
            .map(|row| Ok((order_of(row)?, self.node(row)?)))
            .collect::<Result<Vec<_>>>()?;
        keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(keyed.into_iter().map(|(_, node)| node).collect())
    }

    fn shows(&self, row: &Row) -> Result<bool> {
        let draft = row.text_ref("status")? == "draft";
        Ok((self.drafts || !draft) && !self.denied.contains(&row.i64("id")?))
    }

    fn node(&self, row: &Row) -> Result<TreeNode> {
        let (id, title) = (ContentId::new(row.i64("id")?), row.text("title")?);
        let url = page_url(&self.key, id, &title);
        let draft = row.text_ref("status")? == "draft";
        Ok(TreeNode {
            id,
            title,
            url,
            has_children: row.i64("below")? > 0,
            draft,
            children: Vec::new(),
        })
    }
}

/// The order among siblings: by position, those without one last, by title.
pub(crate) fn order_of(row: &Row) -> Result<(i64, String, i64)> {
    let position = row.opt_i64("position")?.unwrap_or(i64::MAX);
    Ok((position, row.text("lower_title")?, row.i64("id")?))
}

/// The position after the last sibling; none when the siblings have none and stand by title.
pub(crate) fn last_position(
    tx: &Tx,
    space: SpaceId,
    parent: Option<ContentId>,
) -> Result<Option<i64>> {
    let row = match parent {
        Some(parent) => {
            let sql =
                "SELECT MAX(position) AS last FROM content WHERE parent_id = $1 AND kind = 'page'";
            tx.query_one(sql, params![parent])?
        }
        None => {
            let sql = "SELECT MAX(position) AS last FROM content WHERE space_id = $1 AND kind = 'page' AND parent_id IS NULL";
            tx.query_one(sql, params![space])?
        }
    };
    Ok(row.opt_i64("last")?.map(|last| last + 1))
}

/// Moves a page, with all below it.
pub(crate) fn move_to(
    tx: &WriteTx,
    actor: &Actor,
    id: ContentId,
    place: Place,
    now_ms: i64,
) -> Result<()> {
    let (_, page) = permissions::require(tx, actor, id, Right::Edit)?;
    if page.kind != ContentKind::Page {
        return Err(Error::Invalid(
            "only pages have a place in the tree; a blog post stays at its day".into(),
        ));
    }
    let target = target_of(tx, actor, &page, place)?;
    check_no_circle(tx, id, target.parent)?;
    if target.space != page.space.id {
        move_to_space(tx, &page, target.space, now_ms)?;
        bump_stamp(tx, target.space)?;
    }
    let sql = "UPDATE content SET parent_id = $2 WHERE id = $1";
    tx.execute(sql, params![id, target.parent])?;
    place_among_siblings(tx, id, &target, place)?;
    reindex_below(tx, id)?;
    tell_editors(tx, actor, id, target.space != page.space.id)?;
    bump_stamp(tx, page.space.id)
}

/// Whoever has the page open hears of its new place; in another space the pages below have new addresses too. Restrictions above are
/// others now. [WRITE-10]
fn tell_editors(tx: &WriteTx, actor: &Actor, id: ContentId, all: bool) -> Result<()> {
    let open = format!(
        "{SELECT_DOWN} SELECT down.id FROM down JOIN live_document d ON d.document_id = down.id WHERE down.depth <= $2"
    );
    let depth = if all { TREE_DEPTH_MAX } else { 0 };
    for row in tx.query(&open, params![id, depth])? {
        match head::read(tx, actor, ContentId::new(row.i64("id")?)) {
            Ok(head) => live::moved(tx, &head)?,
            Err(Error::NotFound(_) | Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        }
    }
    live::rights_changed(tx)
}

struct Target {
    space: SpaceId,
    parent: Option<ContentId>,
}

fn target_of(tx: &Tx, actor: &Actor, page: &PageHead, place: Place) -> Result<Target> {
    let near = match place {
        Place::Top => {
            return Ok(Target {
                space: page.space.id,
                parent: None,
            });
        }
        Place::Under(near) | Place::Before(near) | Place::After(near) => near,
    };
    let near = head::read(tx, actor, near)?;
    if near.kind != ContentKind::Page {
        return Err(Error::Invalid(format!(
            "`{}` is not a page; choose a page",
            near.title
        )));
    }
    spaces::require(tx, actor, &near.space.key, Right::Edit)?;
    let parent = if matches!(place, Place::Under(_)) {
        Some(near.id)
    } else {
        near.parent_id
    };
    Ok(Target {
        space: near.space.id,
        parent,
    })
}

fn check_no_circle(tx: &Tx, id: ContentId, parent: Option<ContentId>) -> Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    let above = tx.query(head::SELECT_UP, params![parent])?;
    for row in &above {
        if row.i64("id")? == id.get() {
            return Err(Error::Conflict(
                "a page cannot be moved below itself; choose another place".into(),
            ));
        }
    }
    if above.len() as i64 >= TREE_DEPTH_MAX - 1 {
        return Err(Error::Conflict(format!(
            "the tree would be deeper than {TREE_DEPTH_MAX} levels; choose a place further up"
        )));
    }
    Ok(())
}

/// Numbers the siblings anew with the page at its place. Siblings are few; rows that keep their number are not written.
fn place_among_siblings(tx: &WriteTx, id: ContentId, target: &Target, place: Place) -> Result<()> {
    let sql = "SELECT id, lower_title, position FROM content WHERE space_id = $1 AND kind = 'page'
        AND status IN ('current', 'draft') AND id <> $2 AND ";
    let rows = match target.parent {
        Some(parent) => tx.query(
            &format!("{sql} parent_id = $3"),
            params![target.space, id, parent],
        )?,
        None => tx.query(
            &format!("{sql} parent_id IS NULL"),
            params![target.space, id],
        )?,
    };
    let mut siblings = rows.iter().map(order_of).collect::<Result<Vec<_>>>()?;
    siblings.sort();
    let index_of = |near: ContentId| {
        siblings
            .iter()
            .position(|(_, _, sibling)| *sibling == near.get())
    };
    let at = match place {
        Place::Before(near) => index_of(near),
        Place::After(near) => index_of(near).map(|index| index + 1),
        Place::Under(_) | Place::Top => None,
    };
    let at = at.unwrap_or(siblings.len());
    siblings.insert(at, (-1, String::new(), id.get()));
    for (number, (position, _, sibling)) in (0_i64..).zip(&siblings) {
        if *position != number {
            tx.execute(
                "UPDATE content SET position = $2 WHERE id = $1",
                params![sibling, number],
            )?;
        }
    }
    Ok(())
}

/// Takes a page and all below it, with comments and attachments, to another space.
fn move_to_space(tx: &WriteTx, page: &PageHead, space: SpaceId, now_ms: i64) -> Result<()> {
    if page.space.home_id == Some(page.id) {
        return Err(Error::Conflict(
            "this is the home page of its space; choose another home page first".into(),
        ));
    }
    let sql = format!(
        "{SELECT_DOWN} SELECT c.id, c.title, c.kind, c.status FROM content c JOIN down ON down.id = c.id"
    );
    for row in tx.query(&sql, params![page.id])? {
        let (id, title) = (ContentId::new(row.i64("id")?), row.text("title")?);
        if row.text_ref("status")? == "current" {
            publish::check_title_free(tx, space, id, &title)?;
        }
        publish::note_former_title(tx, id, page.space.id, &names::fold(&title), now_ms)?;
        tx.execute(
            "UPDATE content SET space_id = $2 WHERE id = $1 OR page_id = $1",
            params![id, space],
        )?;
    }
    Ok(())
}

/// SQL: page `$1` and all pages below it, as `down(id, depth)`.
const SELECT_DOWN: &str = "WITH RECURSIVE down(id, depth) AS (
    SELECT c.id, CAST(0 AS BIGINT) FROM content c WHERE c.id = $1
    UNION ALL
    SELECT c.id, down.depth + 1 FROM content c JOIN down ON c.parent_id = down.id WHERE c.kind = 'page' AND down.depth < 200)";

/// Has a page, all below it, and their comments and attachments indexed again: what is above them is part of the index.
pub(crate) fn reindex_below(tx: &WriteTx, id: ContentId) -> Result<()> {
    let sql = format!(
        "{SELECT_DOWN} SELECT c.id FROM content c JOIN down ON c.id = down.id OR c.page_id = down.id"
    );
    for row in tx.query(&sql, params![id])? {
        jobs::enqueue_index(tx, ContentId::new(row.i64("id")?))?;
    }
    Ok(())
}
