//! Search, and pages by label.

use axum::extract::{RawQuery, State};
use axum::http::Uri;
use maud::{Markup, html};
use wiki::{ContentKind, SearchQuery, SearchResult, Space};

use crate::failure::Answer;
use crate::layout::{Section, Sheet, column};
use crate::limits;
use crate::pages::spaces::in_space;
use crate::params::{Params, decode_title, encode};
use crate::parts::icons::icon;
use crate::parts::lists;
use crate::parts::sidebar::Here;
use crate::state::Web;
use crate::visitor::Visitor;

const KINDS: [(&str, &str, Option<ContentKind>); 5] = [
    ("", "Everything", None),
    ("page", "Pages", Some(ContentKind::Page)),
    ("blogpost", "Blog posts", Some(ContentKind::BlogPost)),
    ("comment", "Comments", Some(ContentKind::Comment)),
    ("attachment", "Attachments", Some(ContentKind::Attachment)),
];

/// The kind that a word of an address names.
pub(crate) fn kind_of(word: &str) -> Option<ContentKind> {
    KINDS
        .iter()
        .find(|(name, _, _)| *name == word)
        .and_then(|(_, _, kind)| *kind)
}

/// `GET /search?q=&space=&type=&label=&start=`.
pub(crate) async fn search(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let spaces = web.wiki().spaces().list(&visitor.actor).await?;
    let asked = query_of(&params);
    let found = if asked.text.is_empty() && asked.label.is_none() {
        None
    } else {
        Some(web.wiki().search(&visitor.actor, asked).await?)
    };
    let text = params.get("q").unwrap_or("");
    let title = if text.is_empty() {
        "Search".to_owned()
    } else {
        format!("{text} - Search")
    };
    let main = column(
        false,
        html! {
            h1.visually-hidden { "Search" }
            (form(&params, &spaces))
            @if let Some(found) = &found { (results(&params, found)) }
            @else { (lists::empty("Type words of a title or a text. The last word may be unfinished.")) }
        },
    );
    web.page(&visitor, Sheet::new(title, Section::Search, main))
        .await
}

fn query_of(params: &Params) -> SearchQuery {
    SearchQuery {
        text: params.get("q").unwrap_or("").to_owned(),
        space_key: params.get("space").map(str::to_owned),
        kind: params.get("type").and_then(kind_of),
        label: params.get("label").map(str::to_owned),
        offset: usize::try_from(params.number("start").unwrap_or(0)).unwrap_or(0),
        limit: limits::LIST_ROWS,
    }
}

fn form(params: &Params, spaces: &[Space]) -> Markup {
    html! {
        form action="/search" role="search" aria-label="Search this wiki" {
            div.search-box {
                input.input type="search" name="q" value=(params.raw("q")) aria-label="Words" placeholder="Search" autofocus[params.get("q").is_none()];
                button.button.primary type="submit" { (icon("search")) "Search" }
            }
            div.filters {
                select.select.short name="space" aria-label="Space" data-submit {
                    option value="" { "All spaces" }
                    @for space in spaces { option value=(space.key) selected[params.get("space") == Some(&space.key)] { (space.name) } }
                }
                select.select.short name="type" aria-label="Kind" data-submit {
                    @for (name, words, _) in KINDS { option value=(name) selected[params.raw("type") == name] { (words) } }
                }
            }
        }
    }
}

fn results(params: &Params, found: &SearchResult) -> Markup {
    let start = usize::try_from(params.number("start").unwrap_or(0)).unwrap_or(0);
    let link = |start: usize| {
        format!(
            "/search?q={}&space={}&type={}&start={start}",
            encode(params.raw("q")),
            encode(params.raw("space")),
            encode(params.raw("type"))
        )
    };
    html! {
        @if found.hits.is_empty() {
            div.empty role="status" { "Nothing found for “" (params.raw("q")) "”. Try fewer or other words, or search in all spaces." }
        } @else {
            p.meta role="status" { (found.total) @if found.total == 1 { " result" } @else { " results" } }
            (lists::hits(&found.hits))
            div.pager {
                @if start > 0 { a.button href=(link(start.saturating_sub(limits::LIST_ROWS))) { "Previous" } }
                @if start + found.hits.len() < found.total { a.button href=(link(start + limits::LIST_ROWS)) { "Next" } }
            }
        }
    }
}

/// `GET /label/{key}`, `/label/{key}/{name}`, `/label/{name}`.
pub(crate) async fn label(State(web): State<Web>, visitor: Visitor, uri: Uri) -> Answer {
    let rest = uri.path().trim_start_matches("/label").trim_matches('/');
    let parts: Vec<String> = rest
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode_title)
        .collect();
    match parts.as_slice() {
        [key, name, ..] => in_one_space(&web, &visitor, key, Some(name)).await,
        [one] => match in_one_space(&web, &visitor, one, None).await {
            Err(failure) if failure.status == axum::http::StatusCode::NOT_FOUND => {
                everywhere(&web, &visitor, one).await
            }
            answer => answer,
        },
        [] => all_labels(&web, &visitor).await,
    }
}

async fn in_one_space(web: &Web, visitor: &Visitor, key: &str, name: Option<&str>) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, key).await?;
    let main = match name {
        Some(name) => {
            let pages = web
                .wiki()
                .pages()
                .labelled(&visitor.actor, name, Some(&space.key))
                .await?;
            html! {
                div.page-head { h1 { (name) } p { "Pages of " (space.name) " with this label. " a href={ "/label/" (encode(name)) } { "In all spaces" } } }
                @if pages.is_empty() { (lists::empty("No page here has this label.")) } @else { (lists::page_rows(&pages, false)) }
            }
        }
        None => {
            let labels = web
                .wiki()
                .labels()
                .list(&visitor.actor, Some(&space.key), limits::TREE_CHILDREN_MAX)
                .await?;
            html! { div.page-head { h1 { "Labels" } } (cloud(&format!("/label/{}", encode(&space.key)), &labels)) }
        }
    };
    in_space(
        web,
        visitor,
        &space,
        Here::Labels,
        format!("{} - {}", name.unwrap_or("Labels"), space.name),
        column(false, main),
    )
    .await
}

async fn everywhere(web: &Web, visitor: &Visitor, name: &str) -> Answer {
    let pages = web
        .wiki()
        .pages()
        .labelled(&visitor.actor, name, None)
        .await?;
    let main = html! {
        div.page-head { h1 { (name) } p { "Pages with this label" } }
        @if pages.is_empty() { (lists::empty("No page has this label.")) } @else { (lists::page_rows(&pages, true)) }
    };
    web.page(
        visitor,
        Sheet::new(format!("Label {name}"), Section::None, column(false, main)),
    )
    .await
}

async fn all_labels(web: &Web, visitor: &Visitor) -> Answer {
    let labels = web
        .wiki()
        .labels()
        .list(&visitor.actor, None, limits::TREE_CHILDREN_MAX)
        .await?;
    let main = html! { div.page-head { h1 { "Labels" } } (cloud("/label", &labels)) };
    web.page(
        visitor,
        Sheet::new("Labels", Section::None, column(false, main)),
    )
    .await
}

fn cloud(base: &str, labels: &[wiki::LabelCount]) -> Markup {
    html! {
        @if labels.is_empty() { (lists::empty("No labels yet. They are added at the head of a page.")) }
        @else { div.chips { @for label in labels { a.chip href={ (base) "/" (encode(&label.name)) } { (label.name) " " span.meta { (label.pages) } } } } }
    }
}
