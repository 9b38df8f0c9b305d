//! History: the list of versions, one old version, two compared in place, restoring; page information, source, export.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use document::Markdown;
use maud::{Markup, PreEscaped, html};
use wiki::{
    Change, Comparison, ContentId, PageHead, PageLink, PageView, Person, VersionSummary, tiny_code,
};

use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet};
use crate::limits;
use crate::pages::comments::back;
use crate::pages::content::crumbs;
use crate::params::{Params, encode};
use crate::parts::icons::icon;
use crate::parts::{dates, forms, people, sidebar};
use crate::state::Web;
use crate::visitor::{ChangeForm, Visitor};

/// A page about a page: its breadcrumbs with the page itself as the last one, then the content.
pub(crate) async fn about(
    web: &Web,
    visitor: &Visitor,
    view: &PageView,
    title: &str,
    wide: bool,
    content: Markup,
) -> Answer {
    let head = &view.head;
    let itself = PageLink {
        id: head.id,
        title: head.title.clone(),
        url: view.content.url.clone(),
    };
    let above: Vec<PageLink> = view
        .content
        .breadcrumbs
        .iter()
        .cloned()
        .chain([itself])
        .collect();
    let main = html! {
        div.toolbar { nav.crumbs aria-label="Breadcrumbs" { (crumbs(head, &above)) }
            a.button.small href=(view.content.url) { "Back to the page" }
        }
        div.article { div.column.wide[wide] { (content) } }
    };
    let sidebar = sidebar::of(web, visitor, &head.space.key, sidebar::Here::Page(head.id)).await?;
    let new_at = format!("/spaces/{}/new?parent={}", encode(&head.space.key), head.id);
    let sheet = Sheet::new(format!("{title} - {}", head.title), Section::None, main)
        .with_sidebar(sidebar)
        .with_new_at(new_at);
    web.page(visitor, sheet).await
}

/// The page that `about` is about.
pub(crate) async fn view(web: &Web, visitor: &Visitor, id: i64) -> Answer<PageView> {
    Ok(web
        .wiki()
        .pages()
        .view(&visitor.actor, ContentId::new(id))
        .await?)
}

/// `GET /content/{id}/history?before=`.
pub(crate) async fn history(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let view = view(&web, &visitor, id).await?;
    let mut versions = web
        .wiki()
        .versions()
        .list(
            &visitor.actor,
            view.head.id,
            params.number("before"),
            limits::LIST_ROWS + 1,
        )
        .await?;
    let more = versions.len() > limits::LIST_ROWS;
    versions.truncate(limits::LIST_ROWS);
    let next = versions
        .last()
        .filter(|_| more)
        .map(|version| version.number);
    about(
        &web,
        &visitor,
        &view,
        "History",
        true,
        history_main(&visitor, &view.head, &versions, next),
    )
    .await
}

fn history_main(
    visitor: &Visitor,
    head: &PageHead,
    versions: &[VersionSummary],
    next: Option<i64>,
) -> Markup {
    html! {
        div.page-head { h1 { "History of " (head.title) } }
        @if versions.is_empty() { p.empty { "This page was never published." } }
        @else {
            form action={ "/content/" (head.id) "/compare" } data-versions {
                div.buttons { button.button.primary type="submit" data-compare { "Compare the chosen versions" } span.meta { "Choose two." } }
                div.scroll { table.list.stack {
                    thead { tr {
                        th scope="col" { span.visually-hidden { "Choose" } } th scope="col" { "Version" } th scope="col" { "Published" } th scope="col" { "By" }
                        th scope="col" { "Note" } th scope="col" { span.visually-hidden { "Actions" } }
                    } }
                    tbody { @for (index, version) in versions.iter().enumerate() { (history_row(head, version, index)) } }
                } }
            }
            @if let Some(before) = next { div.pager { a.button href={ "/content/" (head.id) "/history?before=" (before) } { "Older versions" } } }
        }
        @if head.unpublished && head.can_edit { p.meta.section { "There are unpublished changes. They are not a version yet. " a href={ "/content/" (head.id) "/draft" } { "See how the draft grew" } } }
        @if visitor.actor.is_anonymous() && versions.is_empty() { p.meta { "Log in to see more." } }
    }
}

fn history_row(head: &PageHead, version: &VersionSummary, index: usize) -> Markup {
    let number = version.number;
    let at = format!("/content/{}/history/{number}", head.id);
    html! {
        tr {
            td.pick { input type="checkbox" name="version" value=(number) checked[index < 2] aria-label={ "Version " (number) }; }
            td.nowrap { a href=(at) { "Version " (number) } @if number == head.version { " " span.badge.ok { "Current" } } }
            td.nowrap { (dates::minute(version.created_at_ms)) }
            td { (people::link(version.author.as_ref())) (with_others(version)) }
            td.message { (version.message) @if version.minor { " " span.badge { "Minor" } } @if version.title != head.title { " " span.meta { "as “" (version.title) "”" } } }
            td.acts { a href={ (at) "/authors" } { "Authors" } " " @if number > 1 { a href={ "/content/" (head.id) "/compare?to=" (number) } { "Changes" } } }
        }
    }
}

fn with_others(version: &VersionSummary) -> Markup {
    let others: Vec<&Person> = version
        .contributors
        .iter()
        .filter(|person| Some(*person) != version.author.as_ref())
        .collect();
    html! { @if !others.is_empty() { span.meta { " with " @for (index, person) in others.iter().enumerate() { @if index > 0 { ", " } (people::shown(person)) } } } }
}

/// `GET /content/{id}/history/{number}`.
pub(crate) async fn one(
    State(web): State<Web>,
    visitor: Visitor,
    Path((id, number)): Path<(i64, i64)>,
) -> Answer {
    let view = view(&web, &visitor, id).await?;
    let version = web
        .wiki()
        .versions()
        .body(&visitor.actor, view.head.id, Some(number))
        .await?;
    let summary = &version.summary;
    let main = html! {
        div.page-notices { div.notice.warn { (icon("history"))
            div.grow { "You see version " (number) ", published " (dates::minute(summary.created_at_ms)) " by " (people::link(summary.author.as_ref()))
                @if !summary.message.is_empty() { ": “" (summary.message) "”" } ". "
                a href={ "/content/" (id) "/compare?from=" (number) "&to=" (view.head.version) } { "Compare with the current one" } " · " a href={ "/content/" (id) "/history/" (number) "/authors" } { "Who wrote what" } " · " a href={ "/content/" (id) "/history" } { "History" }
            }
            @if view.head.can_edit && number != view.head.version { (restore_button(&visitor, id, number)) }
        } }
        h1 { (summary.title) }
        div.wiki-body data-part="body" { (PreEscaped(&version.html)) }
    };
    about(
        &web,
        &visitor,
        &view,
        &format!("Version {number}"),
        false,
        main,
    )
    .await
}

fn restore_button(visitor: &Visitor, id: i64, number: i64) -> Markup {
    html! {
        form.inline action={ "/content/" (id) "/restore" } method="post" data-confirm={ "Publish version " (number) " again as the newest one? Nothing is lost: all versions stay." } {
            (forms::csrf(visitor))
            input type="hidden" name="version" value=(number);
            button.button.small type="submit" { "Restore this version" }
        }
    }
}

/// `POST /content/{id}/restore`.
pub(crate) async fn restore(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let number = form
        .number("version")
        .ok_or_else(|| Failure::invalid("`version` takes the number of a version"))?;
    web.wiki()
        .versions()
        .restore(&visitor.actor, ContentId::new(id), number)
        .await?;
    back(&web, &visitor, id, "").await
}

/// `GET /content/{id}/compare?from=&to=` or `?version=&version=`: the page with what changed marked in place.
pub(crate) async fn compare(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let view = view(&web, &visitor, id).await?;
    let (from, to) = chosen(&web, &visitor, &view.head, &params).await?;
    let comparison = web
        .wiki()
        .versions()
        .compare(&visitor.actor, view.head.id, from, to)
        .await?;
    about(
        &web,
        &visitor,
        &view,
        "Changes",
        false,
        comparison_main(&visitor, &view.head, &comparison),
    )
    .await
}

/// Which two versions: as given; else the current one, or `to`, against the one before it.
async fn chosen(
    web: &Web,
    visitor: &Visitor,
    head: &PageHead,
    params: &Params,
) -> Answer<(i64, i64)> {
    let mut ticked: Vec<i64> = params
        .all("version")
        .filter_map(|number| number.parse().ok())
        .collect();
    ticked.sort_unstable();
    if let [from, .., to] = ticked.as_slice() {
        return Ok((*from, *to));
    }
    let to = params
        .number("to")
        .or(ticked.first().copied())
        .unwrap_or(head.version);
    if let Some(from) = params.number("from") {
        return Ok((from.min(to), from.max(to)));
    }
    let before = web
        .wiki()
        .versions()
        .list(&visitor.actor, head.id, Some(to), 1)
        .await?;
    let from = before.first().ok_or_else(|| {
        Failure::invalid("this is the first version; there is nothing to compare it with")
    })?;
    Ok((from.number, to))
}

fn comparison_main(visitor: &Visitor, head: &PageHead, comparison: &Comparison) -> Markup {
    let title_changed = comparison.from.title != comparison.to.title;
    html! {
        div.page-head { h1 { "What changed" } }
        div.versions { (version_card(visitor, head, &comparison.from, "Before")) (version_card(visitor, head, &comparison.to, "After")) }
        div.compare-bar {
            span.grow { span.meta data-change-count { (count(comparison.changes, "change", "changes")) } }
            span.legend { ins { "added" } del { "removed" } }
            button.button.small type="button" data-change="previous" aria-label="Previous change" hidden { (icon("up")) }
            button.button.small type="button" data-change="next" aria-label="Next change" hidden { (icon("down")) }
        }
        h2.compare-title { @if title_changed { del { (comparison.from.title) } " " ins { (comparison.to.title) } } @else { (comparison.to.title) } }
        @if comparison.changes == 0 && !title_changed { p.empty { "The text of these two versions is the same." } }
        div.wiki-body data-part="body" { @for block in &comparison.blocks {
            @match block.change {
                Change::Same | Change::Changed => (PreEscaped(unlisted(&block.html))),
                Change::Added => ins.diff-added { (PreEscaped(unlisted(&block.html))) },
                Change::Removed => del.diff-removed { (PreEscaped(unlisted(&block.html))) },
            }
        } }
    }
}

/// Blocks are drawn one by one here, so tables of several blocks have the same name: they are groups, not landmarks.
pub(crate) fn unlisted(html: &str) -> String {
    html.replace(
        "class=\"table-scroll\" role=\"region\"",
        "class=\"table-scroll\" role=\"group\"",
    )
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn version_card(
    visitor: &Visitor,
    head: &PageHead,
    version: &VersionSummary,
    label: &str,
) -> Markup {
    html! {
        div {
            span.meta { (label) }
            a href={ "/content/" (head.id) "/history/" (version.number) } { b { "Version " (version.number) } }
            span.meta { (people::link(version.author.as_ref())) ", " (dates::minute(version.created_at_ms)) }
            @if !version.message.is_empty() { span.meta { "“" (version.message) "”" } }
            @if head.can_edit && version.number != head.version { (restore_button(visitor, head.id.get(), version.number)) }
        }
    }
}

/// `GET /content/{id}/info`.
pub(crate) async fn info(State(web): State<Web>, visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let view = view(&web, &visitor, id).await?;
    let (head, by) = (&view.head, &view.content.byline);
    let short = format!("{}/x/{}", web.public_url(), tiny_code(head.id));
    let main = html! {
        div.page-head { h1 { "Page information" } }
        dl.facts {
            dt { "Title" } dd { (head.title) }
            dt { "Number" } dd { (head.id) }
            dt { "Space" } dd { a href={ "/spaces/" (encode(&head.space.key)) "/overview" } { (head.space.name) } " (" (head.space.key) ")" }
            dt { "Short link" } dd { a href=(short) { (short) } }
            dt { "Created" } dd { (dates::minute(by.created_at_ms)) " by " (people::link(by.created_by.as_ref())) }
            dt { "Updated" } dd { (dates::minute(by.updated_at_ms)) " by " (people::link(by.updated_by.as_ref())) }
            dt { "Version" } dd { (head.version) " · " a href={ "/content/" (id) "/history" } { "History" } }
            dt { "Labels" } dd { @if view.content.labels.is_empty() { "None" } @else { (view.content.labels.join(", ")) } }
            dt { "Attachments" } dd { a href={ "/content/" (id) "/attachments" } { (view.content.attachments.len()) } }
            dt { "Pages below" } dd { (view.children.len()) }
            dt { "Reading and editing" } dd { @if head.restricted { "Restricted to some people, here or on a page above" } @else { "As the space allows" } }
        }
    };
    about(&web, &visitor, &view, "Page information", false, main).await
}

/// `GET /content/{id}/source`: the storage format.
pub(crate) async fn source(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Answer {
    let view = view(&web, &visitor, id).await?;
    let body = web
        .wiki()
        .versions()
        .body(&visitor.actor, view.head.id, None)
        .await?;
    let main = html! {
        div.page-head { h1 { "Storage format" } p { (view.head.title) ", version " (body.summary.number) } }
        pre.source tabindex="0" aria-label="Source" { (body.storage) }
    };
    about(&web, &visitor, &view, "Storage format", true, main).await
}

/// `GET /content/{id}/export?format=markdown|html|storage|text`.
pub(crate) async fn export(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let body = web
        .wiki()
        .versions()
        .body(&visitor.actor, ContentId::new(id), None)
        .await?;
    let title = &body.summary.title;
    let (text, kind, ext) = match params.get("format") {
        Some("storage") => (body.storage, "application/xml; charset=utf-8", "xml"),
        Some("html") => (
            standalone(title, &body.html),
            "text/html; charset=utf-8",
            "html",
        ),
        None | Some("markdown") => (
            markdown(title, &body.storage),
            "text/markdown; charset=utf-8",
            "md",
        ),
        _ => {
            return Err(Failure::invalid(
                "`format` takes `storage`, `html` or `markdown`",
            ));
        }
    };
    Ok(as_file(text, kind, &format!("{title}.{ext}")))
}

fn markdown(title: &str, storage: &str) -> String {
    format!("# {title}\n\n{}", Markdown::write(&wiki::readable(storage)))
}

fn standalone(title: &str, body: &str) -> String {
    html! { (maud::DOCTYPE) html lang="en" { head { meta charset="utf-8"; title { (title) } } body { h1 { (title) } (PreEscaped(body)) } } }.into_string()
}

fn as_file(text: String, kind: &'static str, name: &str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&crate::download::disposition("attachment", name)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
