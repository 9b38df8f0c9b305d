//! Who wrote what: a version of a page with each passage in its author's colour.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use maud::{Markup, PreEscaped, html};
use serde_json::{Map, json};
use wiki::{Authorship, ContentId, Share};

use crate::failure::Answer;
use crate::pages::versions::{about, view};
use crate::parts::{dates, people};
use crate::state::Web;
use crate::visitor::Visitor;

/// `GET /content/{id}/authors`: of the current version.
pub(crate) async fn current(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Answer {
    show(&web, &visitor, id, None).await
}

/// `GET /content/{id}/history/{number}/authors`.
pub(crate) async fn of_version(
    State(web): State<Web>,
    visitor: Visitor,
    Path((id, number)): Path<(i64, i64)>,
) -> Answer {
    show(&web, &visitor, id, Some(number)).await
}

/// `GET /api/pages/{id}/authors`: whose the client ids of the live document are.
pub(crate) async fn of_draft(
    State(web): State<Web>,
    visitor: Visitor,
    Path(id): Path<i64>,
) -> Answer {
    let drafts = web.wiki().drafts();
    let authors = drafts.authors(&visitor.actor, ContentId::new(id)).await?;
    let people = authors
        .people
        .iter()
        .map(|person| json!({ "user": person.name, "name": people::shown(person) }));
    let clients = authors
        .clients
        .iter()
        .map(|(client, person)| (client.to_string(), json!(person)));
    let origin = authors
        .origin
        .map(|(client, runs)| json!({ "client_id": client, "runs": runs }));
    let answer = json!({ "people": people.collect::<Vec<_>>(), "clients": clients.collect::<Map<_, _>>(), "origin": origin });
    Ok(Json(answer).into_response())
}

async fn show(web: &Web, visitor: &Visitor, id: i64, number: Option<i64>) -> Answer {
    let view = view(web, visitor, id).await?;
    let versions = web.wiki().versions();
    let authorship = versions
        .authorship(&visitor.actor, view.head.id, number)
        .await?;
    let main = main(id, &authorship);
    about(web, visitor, &view, "Who wrote what", false, main).await
}

fn main(id: i64, authorship: &Authorship) -> Markup {
    let summary = &authorship.summary;
    let total: u64 = authorship.shares.iter().map(|share| share.units).sum();
    html! {
        div.page-head { h1 { "Who wrote what" } p { (summary.title) ", "
            a href={ "/content/" (id) "/history/" (summary.number) } { "version " (summary.number) }
            ", published " (dates::minute(summary.created_at_ms)) " by " (people::link(summary.author.as_ref())) } }
        @if total == 0 { p.empty { "Nothing is known of the authors of this version: it was imported, written by a program, or published before authors were kept." } }
        @else { ul.authors aria-label="Authors and their share of the text" {
            @for (index, share) in authorship.shares.iter().enumerate() { (line(index, share, total)) }
        } }
        div.wiki-body.with-authors data-part="body" { (PreEscaped(&authorship.html)) }
    }
}

fn line(index: usize, share: &Share, total: u64) -> Markup {
    let percent = (share.units * 100 + total / 2) / total;
    html! {
        li {
            @match &share.person {
                Some(person) => { button.author.by.{ "h" (index % 12) } type="button" data-author=(index) aria-pressed="false" { (people::shown(person)) } },
                None => { span.author { "Earlier text" } },
            }
            " " span.meta { @if percent == 0 { "under 1 %" } @else { (percent) " %" } }
        }
    }
}
