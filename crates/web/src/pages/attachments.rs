//! The files at a page: list, versions, upload, deleting.

use axum::extract::{Path, State};
use maud::{Markup, html};
use wiki::{Attachment, ContentId};

use crate::failure::Answer;
use crate::pages::comments::back;
use crate::pages::versions::{about, view};
use crate::parts::icons::icon;
use crate::parts::{dates, forms, lists, people};
use crate::state::Web;
use crate::visitor::{ChangeForm, Visitor};

/// Files as a short list, below a page's text.
pub(crate) fn files(attachments: &[Attachment]) -> Markup {
    html! {
        ul.files { @for file in attachments { li {
            (icon("clip"))
            a.name href=(file.url) title=(file.name) { (file.name) }
            span.meta { (dates::size(file.size)) }
            span.meta.not-phone { (dates::day(file.created_at_ms)) }
        } } }
    }
}

/// `GET /content/{id}/attachments`.
pub(crate) async fn list(State(web): State<Web>, visitor: Visitor, Path(id): Path<i64>) -> Answer {
    let view = view(&web, &visitor, id).await?;
    let can_edit = view.head.can_edit;
    let main = html! {
        div.page-head { h1 { "Attachments" } p { "of " (view.head.title) } }
        @if can_edit { (upload_form(&visitor, id)) }
        @if view.content.attachments.is_empty() { (lists::empty("No files are attached to this page.")) }
        @else { div.scroll { table.list.stack {
            thead { tr { th scope="col" { "Name" } th.num scope="col" { "Size" } th scope="col" { "Uploaded by" } th scope="col" { "On" } th scope="col" { span.visually-hidden { "Delete" } } } }
            tbody { @for file in &view.content.attachments { (row(&visitor, file, can_edit)) } }
        } } }
    };
    about(&web, &visitor, &view, "Attachments", true, main).await
}

fn row(visitor: &Visitor, file: &Attachment, can_edit: bool) -> Markup {
    html! {
        tr {
            td.full { a href=(file.url) { (file.name) } @if file.version > 1 { " " span.badge { "v" (file.version) } } @if !file.message.is_empty() { " " span.meta { (file.message) } } }
            td.num { (dates::size(file.size)) }
            td { (people::link(file.author.as_ref())) }
            td.nowrap { (dates::minute(file.created_at_ms)) }
            td.acts { @if can_edit { (forms::act(visitor, &format!("/attachments/{}/delete?page={}", file.id, file.page_id), "Delete", "small danger", Some("Delete this file with all its versions?"))) } }
        }
    }
}

fn upload_form(visitor: &Visitor, id: i64) -> Markup {
    html! {
        form action={ "/content/" (id) "/attachments" } method="post" enctype="multipart/form-data" {
            (forms::csrf(visitor))
            div.field { label.visually-hidden for="file" { "Files" } div.drop { input #file type="file" name="file" multiple required; } }
            div.field.buttons { button.button.primary type="submit" { (icon("upload")) "Upload" } }
        }
    }
}

/// `POST /attachments/{id}/delete?page=`.
pub(crate) async fn delete(
    State(web): State<Web>,
    Path(id): Path<i64>,
    axum::extract::RawQuery(query): axum::extract::RawQuery,
    ChangeForm(visitor, _): ChangeForm,
) -> Answer {
    let page = crate::params::Params::parse(&query.unwrap_or_default())
        .number("page")
        .unwrap_or_default();
    web.wiki()
        .attachments()
        .delete(&visitor.actor, ContentId::new(id))
        .await?;
    back(&web, &visitor, page, "").await
}
