//! Reading a page or blog post: the most asked-for answer of all. From the cache it costs one query.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use maud::{Markup, PreEscaped, html};
use wiki::{Address, ContentId, ContentKind, PageHead, PageLink, PageView, Status, tiny_code};

use crate::addresses::{go, redirect};
use crate::assets;
use crate::cache::{Kept, Key};
use crate::failure::{Answer, Failure};
use crate::layout::{self, Section, Sheet};
use crate::params::{Params, encode};
use crate::parts::icons::icon;
use crate::parts::{comments, contents, dates, forms, people, sidebar};
use crate::state::Web;
use crate::visitor::Visitor;

/// How the page is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Reading,
    Editing,
}

/// `GET /spaces/{key}/pages/{id}[/{slug}]`: the slug and the key are decoration.
pub(crate) async fn page(
    State(web): State<Web>,
    visitor: Visitor,
    Path(parts): Path<Vec<(String, String)>>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let id = parts
        .iter()
        .find(|(name, _)| name == "id")
        .and_then(|(_, id)| id.parse().ok())
        .ok_or_else(Failure::not_found)?;
    show(&web, &visitor, id, &uri, query.as_deref(), &headers).await
}

/// Shows a page by id. An id that moved leads on; an address that is not the canonical one is redirected to it.
pub(crate) async fn show(
    web: &Web,
    visitor: &Visitor,
    id: i64,
    uri: &Uri,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Answer {
    let head = match web
        .wiki()
        .pages()
        .head(&visitor.actor, ContentId::new(id))
        .await
    {
        Ok(head) => head,
        Err(wiki::Error::NotFound(message)) => {
            let elsewhere = go(web, &visitor.actor, Address::Id(id)).await;
            return elsewhere.map_err(|_| Failure::new(StatusCode::NOT_FOUND, message));
        }
        Err(error) => return Err(error.into()),
    };
    let params = Params::parse(query.unwrap_or(""));
    let opening = if params.ticked("edit") && head.can_edit {
        Opening::Editing
    } else {
        Opening::Reading
    };
    let site = web.wiki().settings().await?.name;
    let key = Key::new(&head, visitor, &site, u8::from(opening == Opening::Editing));
    let kept = match web.cache().get(&key, web.metrics()) {
        Some(kept) => kept,
        None => {
            let kept = Arc::new(render(web, visitor, &site, head, opening).await?);
            web.cache().keep(key, kept.clone());
            kept
        }
    };
    if kept.url != uri.path() {
        let query = query
            .filter(|query| !query.is_empty())
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        return Ok(redirect(&format!("{}{query}", kept.url)));
    }
    Ok(kept.answer(headers, web.metrics()))
}

async fn render(
    web: &Web,
    visitor: &Visitor,
    site: &str,
    head: PageHead,
    opening: Opening,
) -> Answer<Kept> {
    let view = web.wiki().pages().view_of(&visitor.actor, head).await?;
    let here = if view.head.kind == ContentKind::BlogPost {
        sidebar::Here::Blog
    } else {
        sidebar::Here::Page(view.head.id)
    };
    let sidebar = sidebar::of(web, visitor, &view.head.space.key, here).await?;
    let sheet = Sheet::new(
        format!("{} - {}", view.head.title, view.head.space.name),
        Section::None,
        main(visitor, &view, opening),
    )
    .with_sidebar(sidebar)
    .with_head(meta(web, &view))
    .with_new_at(format!(
        "/spaces/{}/new?parent={}",
        encode(&view.head.space.key),
        view.head.id
    ));
    let text = layout::document(visitor, site, web, &sheet);
    Ok(Kept::new(view.content.url.clone(), text, visitor))
}

/// What scripts of old and programs look for.
fn meta(web: &Web, view: &PageView) -> Markup {
    html! {
        link rel="canonical" href={ (web.public_url()) (view.content.url) };
        link rel="shortlink" href={ (web.public_url()) "/x/" (tiny_code(view.head.id)) };
        meta name="ajs-page-id" content=(view.head.id);
        meta name="ajs-page-title" content=(view.head.title);
        meta name="ajs-page-version" content=(view.head.version);
        meta name="ajs-space-key" content=(view.head.space.key);
        meta name="ajs-space-name" content=(view.head.space.name);
    }
}

fn main(visitor: &Visitor, view: &PageView, opening: Opening) -> Markup {
    let head = &view.head;
    let headings = contents::headings(&view.content.html);
    let with_contents = contents::worth_it(&headings);
    let user = visitor.actor.person();
    html! {
        wm-page data-page-id=(head.id) data-document={ "page-" (head.id) } data-space=(head.space.key) data-version=(head.version)
            data-can-edit=(head.can_edit) data-unpublished=(head.unpublished) data-user=(visitor.name())
            data-user-name=(user.map_or("", people::shown)) data-autoedit=(opening == Opening::Editing)
            data-editor-src=[assets::address("editor.js")] data-editor-css=[assets::address("editor.css")] {
            (toolbar(view))
            div.article.has-contents[with_contents] {
                div.column {
                    (notices(visitor, view, opening))
                    h1 data-part="title" { (head.title) }
                    (byline(visitor, view))
                    @if with_contents { (contents::folded(&headings)) }
                    div.wiki-body data-part="body" { (PreEscaped(&view.content.html)) }
                    div data-part="rest" { (rest(visitor, view)) }
                }
                @if with_contents { (contents::column(&headings)) }
            }
        }
    }
}

fn toolbar(view: &PageView) -> Markup {
    let head = &view.head;
    html! {
        div.toolbar {
            nav.crumbs aria-label="Breadcrumbs" { (crumbs(head, &view.content.breadcrumbs)) }
            @if head.can_edit {
                @if head.unpublished { span.badge.warn.not-phone title="There are edits that readers do not see yet. Edit and publish to show them." { "Unpublished changes" } }
                form.inline action="/pages/editpage.action" {
                    input type="hidden" name="pageId" value=(head.id);
                    button.button.primary.small data-action="edit" data-key="e" title="Edit this page (E)" { "Edit" }
                }
            }
            (actions_menu(view))
        }
    }
}

/// The way to this page; each name may shrink, the last two stay readable.
pub(crate) fn crumbs(head: &PageHead, above: &[PageLink]) -> Markup {
    let key = encode(&head.space.key);
    html! {
        ol {
            li { a href={ "/spaces/" (key) "/overview" } { (head.space.name) } }
            @if head.kind == ContentKind::BlogPost { li { a href={ "/spaces/" (key) "/blog" } { "Blog" } } }
            @for page in above.iter().filter(|page| Some(page.id) != head.space.home_id || page.id == head.id) { li { a href=(page.url) title=(page.title) { (page.title) } } }
        }
    }
}

fn actions_menu(view: &PageView) -> Markup {
    let head = &view.head;
    let at = format!("/content/{}", head.id);
    html! {
        a.button.quiet.icon href={ (at) "/history" } data-key="h" aria-label="History" title="History (H)" { (icon("history")) }
        details.menu {
            summary.button.quiet.icon aria-label="More actions" title="More actions" { (icon("more")) }
            div.menu-box {
                a href={ (at) "/attachments" } { (icon("clip")) "Attachments" span.meta { (view.content.attachments.len()) } }
                a href={ (at) "/info" } { (icon("info")) "Page information" }
                a href={ (at) "/source" } { (icon("code")) "View storage format" }
                a href={ "/x/" (tiny_code(head.id)) } { (icon("link")) "Short link" }
                hr;
                a href={ (at) "/export?format=markdown" } { (icon("download")) "Export as Markdown" }
                a href={ (at) "/export?format=html" } { (icon("download")) "Export as HTML" }
                @if head.can_edit {
                    hr;
                    @if head.kind == ContentKind::Page {
                        a href={ "/spaces/" (encode(&head.space.key)) "/new?parent=" (head.id) } { (icon("plus")) "New page below" }
                        a href={ (at) "/move" } data-key="m" { (icon("move")) "Move" kbd { "M" } }
                    }
                    a.danger href={ (at) "/delete" } { (icon("trash")) "Delete" }
                }
            }
        }
    }
}

fn notices(visitor: &Visitor, view: &PageView, opening: Opening) -> Markup {
    let head = &view.head;
    html! {
        @if head.status != Status::Current || opening == Opening::Editing {
            div.page-notices {
                @match head.status {
                    Status::Draft => div.notice { (icon("edit")) div.grow { "This page is a draft. Only people who may edit here see it; publish it to show it to all readers." } },
                    Status::Trashed => div.notice.warn { (icon("trash")) div.grow { "This page is in the trash." }
                        @if head.can_edit { (forms::act(visitor, &format!("/content/{}/restore-from-trash", head.id), "Restore", "small", None)) } },
                    Status::Archived => div.notice { (icon("info")) div.grow { "This page is archived." } },
                    Status::Current => {},
                }
                @if opening == Opening::Editing {
                    noscript { div.notice.warn { (icon("warn")) div.grow { "Editing needs JavaScript, because several people may edit at once. Reading and commenting work without." } } }
                }
            }
        }
    }
}

fn byline(visitor: &Visitor, view: &PageView) -> Markup {
    let by = &view.content.byline;
    let head = &view.head;
    html! {
        a.meta-skip #page-metadata-start href="#page-metadata-end" { "Skip to end of page metadata" }
        div.byline {
            (people::face(by.created_by.as_ref(), ""))
            span { (people::link(by.created_by.as_ref())) }
            @if let Some(day) = &head.posted_on { span.dot { "posted " (dates::posted(day)) } }
            @if head.version > 1 && by.updated_at_ms != by.created_at_ms {
                span.dot { "updated " (dates::day(by.updated_at_ms)) @if by.updated_by != by.created_by { " by " (people::link(by.updated_by.as_ref())) } }
            } @else if head.posted_on.is_none() {
                span.dot { "created " (dates::day(by.created_at_ms)) }
            }
            @if head.restricted { span.badge title="Only some people may read or edit this page" { (icon("lock")) "Restricted" } }
            (labels(visitor, view))
        }
        a.meta-skip #page-metadata-end href="#page-metadata-start" { "Go to start of page metadata" }
    }
}

fn labels(visitor: &Visitor, view: &PageView) -> Markup {
    let head = &view.head;
    let key = encode(&head.space.key);
    html! {
        @for label in &view.content.labels { a.chip href={ "/label/" (key) "/" (encode(label)) } { (label) } }
        @if head.can_edit {
            details.menu {
                @let name = if view.content.labels.is_empty() { "Add label" } else { "Edit labels" };
                summary.chip aria-label=(name) title=(name) { (icon("label")) @if view.content.labels.is_empty() { "Add label" } }
                div.menu-box.start {
                    form action={ "/content/" (head.id) "/labels" } method="post" {
                        (forms::csrf(visitor))
                        label.head for="new-label" { "New label" }
                        input.input #new-label name="name" required maxlength="255" autocomplete="off";
                    }
                    @for label in &view.content.labels {
                        form action={ "/content/" (head.id) "/labels/remove" } method="post" {
                            (forms::csrf(visitor))
                            input type="hidden" name="name" value=(label);
                            button type="submit" { (icon("trash")) "Remove " (label) }
                        }
                    }
                }
            }
        }
    }
}

fn rest(visitor: &Visitor, view: &PageView) -> Markup {
    let head = &view.head;
    html! {
        @if !view.children.is_empty() {
            section aria-labelledby="children-title" {
                h2 #children-title { "Pages below" span.count { (view.children.len()) } }
                ul.pages-below { @for child in view.children.iter() { li { a href=(child.url) { (icon("page")) (child.title) } } } }
            }
        }
        @if !view.content.attachments.is_empty() {
            section aria-labelledby="files-title" {
                h2 #files-title { "Attachments" span.count { (view.content.attachments.len()) } }
                (crate::pages::attachments::files(&view.content.attachments))
            }
        }
        (comments::section(visitor, head, &view.content.comments))
        p.meta.section { a href={ "/content/" (head.id) "/history" } { "Page history" } " · version " (head.version.max(0)) }
    }
}
