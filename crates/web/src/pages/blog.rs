//! Blog posts of a space: the list, one day or month, one post.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Uri};
use maud::html;

use crate::addresses::dated;
use crate::failure::{Answer, Failure};
use crate::layout::column;
use crate::limits;
use crate::pages::content;
use crate::pages::spaces::in_space;
use crate::params::encode;
use crate::parts::icons::icon;
use crate::parts::sidebar::Here;
use crate::parts::{dates, lists, people};
use crate::state::Web;
use crate::visitor::Visitor;

/// `GET /spaces/{key}/blog`.
pub(crate) async fn all(
    State(web): State<Web>,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Answer {
    list(&web, &visitor, &key, None).await
}

/// `GET /spaces/{key}/blog/yyyy[/mm[/dd[/ID[/slug]]]]`.
pub(crate) async fn dated_or_post(
    State(web): State<Web>,
    visitor: Visitor,
    Path((key, rest)): Path<(String, String)>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Answer {
    let (day, rest) = dated(&rest).ok_or_else(Failure::not_found)?;
    if rest.is_empty() {
        return list(&web, &visitor, &key, Some(&day)).await;
    }
    let id = rest
        .split('/')
        .next()
        .and_then(|id| id.parse().ok())
        .ok_or_else(Failure::not_found)?;
    content::show(&web, &visitor, id, &uri, query.as_deref(), &headers).await
}

async fn list(web: &Web, visitor: &Visitor, key: &str, day: Option<&str>) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, key).await?;
    let posts = web
        .wiki()
        .pages()
        .blog_posts(&visitor.actor, &space.key, day, limits::API_ROWS_MAX)
        .await?;
    let main = html! {
        div.page-head {
            h1 { "Blog" @if let Some(day) = day { " " (dates::posted(day)) } }
            @if space.right >= wiki::Right::Edit { a.button href={ "/spaces/" (encode(&space.key)) "/new?kind=blog" } { (icon("plus")) "New post" } }
        }
        @if posts.is_empty() { (lists::empty("No posts here yet.")) }
        @else { ul.rows { @for post in &posts { li.row {
            (people::face(post.updated_by.as_ref(), "mid"))
            span.grow {
                a.title href=(post.link.url) { (post.link.title) }
                span.meta { (post.updated_by.as_ref().map_or("Unknown", people::shown)) @if let Some(day) = &post.posted_on { " · " (dates::posted(day)) } }
            }
        } } } }
    };
    in_space(
        web,
        visitor,
        &space,
        Here::Blog,
        format!("Blog - {}", space.name),
        column(false, main),
    )
    .await
}
