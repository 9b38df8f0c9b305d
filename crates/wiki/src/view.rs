//! The reading page: what everybody who may read it sees is loaded once and cached by `(id, stamp)`.

use crate::actor::Actor;
use crate::actor::Person;
use crate::addresses::page_url;
use crate::attachments;
use crate::comments;
use crate::error::Result;
use crate::head;
use crate::ids::{ContentId, SpaceId, UserId};
use crate::labels;
use crate::limits::{CHILDREN_SHOWN_MAX, RENDERED_AGE_MAX_S, RENDERED_BYTES_MAX};
use crate::links::PageLinks;
use crate::pages::{Byline, PageContent, PageHead, PageLink, PageView};
use crate::permissions;
use crate::publish;
use crate::readable::readable;
use crate::tree;
use crate::wiki::Wiki;
use document::Html;
use std::sync::Arc;
use std::time::Duration;
use storage::{Tx, params};

/// The page that a body stands on: links without a space or page mean these.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) space: SpaceId,
    pub(crate) space_key: String,
    pub(crate) page: ContentId,
    pub(crate) title: String,
}

impl Place {
    pub(crate) fn of(head: &PageHead) -> Place {
        Place {
            space: head.space.id,
            space_key: head.space.key.clone(),
            page: head.id,
            title: head.title.clone(),
        }
    }
}

/// Sanitised HTML of a body, with links looked up.
pub(crate) fn render(tx: &Tx, place: &Place, storage: &str) -> String {
    Html::render(&readable(storage), &place.title, &PageLinks::new(tx, place))
}

/// Rendered pages, bounded in bytes.
pub(crate) struct RenderCache {
    pages: moka::sync::Cache<(ContentId, i64), Rendered>,
}

#[derive(Clone)]
struct Rendered {
    content: Arc<PageContent>,
    children: Arc<Vec<PageLink>>,
    /// Whether some child restricts who may read it, so that the children differ between actors.
    children_restricted: bool,
}

impl RenderCache {
    pub(crate) fn new() -> Self {
        let pages = moka::sync::Cache::builder()
            .max_capacity(RENDERED_BYTES_MAX)
            .weigher(|_, rendered: &Rendered| weight(rendered))
            .time_to_live(Duration::from_secs(RENDERED_AGE_MAX_S))
            .build();
        Self { pages }
    }
}

fn weight(rendered: &Rendered) -> u32 {
    let comments: usize = rendered
        .content
        .comments
        .iter()
        .map(|comment| comment.html.len() + 300)
        .sum();
    let lists = (rendered.children.len() + rendered.content.attachments.len()) * 300;
    u32::try_from(rendered.content.html.len() + comments + lists + 1_000).unwrap_or(u32::MAX)
}

/// A page as one actor sees it.
pub(crate) async fn view_of(wiki: &Wiki, actor: &Actor, head: PageHead) -> Result<PageView> {
    let key = (head.id, head.stamp);
    let rendered = match wiki.rendered().pages.get(&key) {
        Some(rendered) => rendered,
        None => {
            let wanted = head.clone();
            let (stamp, rendered) = wiki.read(move |tx| load(tx, &wanted)).await?;
            // Something may have changed since `head` was asked; what was loaded belongs to the stamp it was loaded with.
            wiki.rendered()
                .pages
                .insert((head.id, stamp), rendered.clone());
            rendered
        }
    };
    let children = if rendered.children_restricted && !actor.is_admin() {
        let actor = actor.clone();
        let denied = wiki
            .read(move |tx| permissions::denied_pages(tx, &actor))
            .await?;
        let readable = rendered
            .children
            .iter()
            .filter(|child| !denied.contains(&child.id.get()));
        Arc::new(readable.cloned().collect())
    } else {
        rendered.children
    };
    Ok(PageView {
        head,
        content: rendered.content,
        children,
    })
}

fn load(tx: &Tx, head: &PageHead) -> Result<(i64, Rendered)> {
    let stamp = tx
        .query_one(
            "SELECT stamp FROM space WHERE id = $1",
            params![head.space.id],
        )?
        .i64("stamp")?;
    let place = Place::of(head);
    let (children, children_restricted) = children(tx, head)?;
    let content = PageContent {
        url: head.url(),
        html: body_html(tx, head, &place)?,
        breadcrumbs: breadcrumbs(tx, head)?,
        labels: labels::of_page(tx, head.id)?,
        attachments: attachments::of_page(tx, head.id)?,
        comments: comments::of_page(tx, &place)?,
        byline: byline(tx, head.id)?,
    };
    Ok((
        stamp,
        Rendered {
            content: Arc::new(content),
            children: Arc::new(children),
            children_restricted,
        },
    ))
}

fn body_html(tx: &Tx, head: &PageHead, place: &Place) -> Result<String> {
    if head.version == 0 {
        return Ok(String::new());
    }
    let body = publish::read_body(tx, head.id, head.version)?;
    Ok(render(tx, place, &body))
}

fn breadcrumbs(tx: &Tx, head: &PageHead) -> Result<Vec<PageLink>> {
    let sql = format!(
        "SELECT c.id, c.title, up.depth FROM content c JOIN ({}) up ON up.id = c.id WHERE up.depth > 0 ORDER BY up.depth DESC",
        head::SELECT_UP
    );
    let rows = tx.query(&sql, params![head.id])?;
    rows.iter()
        .map(|row| link_of(&head.space.key, row))
        .collect()
}

fn children(tx: &Tx, head: &PageHead) -> Result<(Vec<PageLink>, bool)> {
    let sql = "SELECT c.id, c.title, c.lower_title, c.position,
            (SELECT COUNT(*) FROM content_restriction r WHERE r.content_id = c.id AND r.operation = 'view') AS limits
        FROM content c WHERE c.parent_id = $1 AND c.kind = 'page' AND c.status = 'current' LIMIT $2";
    let mut restricted = false;
    let mut keyed = Vec::new();
    for row in tx.query(sql, params![head.id, CHILDREN_SHOWN_MAX])? {
        restricted |= row.i64("limits")? > 0;
        keyed.push((tree::order_of(&row)?, link_of(&head.space.key, &row)?));
    }
    keyed.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok((
        keyed.into_iter().map(|(_, link)| link).collect(),
        restricted,
    ))
}

fn byline(tx: &Tx, id: ContentId) -> Result<Byline> {
    let sql = "SELECT c.created_by, c.created_at_ms, c.updated_by, c.updated_at_ms FROM content c WHERE c.id = $1";
    let row = tx.query_one(sql, params![id])?;
    Ok(Byline {
        created_by: person(tx, row.opt_i64("created_by")?)?,
        created_at_ms: row.i64("created_at_ms")?,
        updated_by: person(tx, row.opt_i64("updated_by")?)?,
        updated_at_ms: row.i64("updated_at_ms")?,
    })
}

/// The person of an id, if it is one.
pub(crate) fn person(tx: &Tx, id: Option<i64>) -> Result<Option<Person>> {
    let Some(id) = id else { return Ok(None) };
    let row = tx.query_opt(
        "SELECT name, full_name FROM user_account WHERE id = $1",
        params![id],
    )?;
    match row {
        Some(row) => Ok(Some(Person {
            id: UserId::new(id),
            name: row.text("name")?,
            full_name: row.text("full_name")?,
        })),
        None => Ok(None),
    }
}

fn link_of(space_key: &str, row: &storage::Row) -> Result<PageLink> {
    let (id, title) = (ContentId::new(row.i64("id")?), row.text("title")?);
    Ok(PageLink {
        url: page_url(space_key, id, &title),
        id,
        title,
    })
}
