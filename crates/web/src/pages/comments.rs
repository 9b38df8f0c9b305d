//! Adding, editing and deleting comments, with forms that need no script.

use axum::extract::{Path, State};
use maud::html;
use wiki::{Address, ContentId, Destination};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::parts::forms;
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

/// `POST /content/{id}/comments`.
pub(crate) async fn add(
    State(web): State<Web>,
    Path(page): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let text = form
        .get("text")
        .ok_or_else(|| Failure::invalid("a comment needs some text"))?;
    let parent = form.number("parent").map(ContentId::new);
    let id = web
        .wiki()
        .comments()
        .add(&visitor.actor, ContentId::new(page), parent, text)
        .await?;
    back(&web, &visitor, page, &format!("#comment-{id}")).await
}

/// `GET /comments/{id}/edit`.
pub(crate) async fn edit_form(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(id): Path<i64>,
) -> Answer {
    let source = web
        .wiki()
        .comments()
        .source(&visitor.actor, ContentId::new(id))
        .await?;
    let main = html! {
        div.page-head { h1 { "Edit comment" } }
        form action={ "/comments/" (id) "/edit" } method="post" {
            (forms::csrf(&visitor))
            div.field { label for="text" { "Comment" } textarea.textarea #text name="text" required maxlength="32000" rows="10" autofocus { (source) } p.hint { "Markdown works here." } }
            div.field.buttons { button.button.primary type="submit" { "Save" } a.button href={ "/pages/viewpage.action?focusedCommentId=" (id) } { "Cancel" } }
        }
    };
    web.page(
        &visitor,
        Sheet::new("Edit comment", Section::None, column(false, main)),
    )
    .await
}

/// `POST /comments/{id}/edit`.
pub(crate) async fn edit(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let text = form
        .get("text")
        .ok_or_else(|| Failure::invalid("a comment needs some text; delete it instead"))?;
    let page = web
        .wiki()
        .comments()
        .edit(&visitor.actor, ContentId::new(id), text)
        .await?;
    back(&web, &visitor, page.get(), &format!("#comment-{id}")).await
}

/// `POST /comments/{id}/delete`.
pub(crate) async fn delete(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, _): ChangeForm,
) -> Answer {
    let page = web
        .wiki()
        .comments()
        .delete(&visitor.actor, ContentId::new(id))
        .await?;
    back(&web, &visitor, page.get(), "#comments").await
}

/// Back to a page after a change, by its canonical address.
pub(crate) async fn back(web: &Web, visitor: &Visitor, page: i64, fragment: &str) -> Answer {
    match web
        .wiki()
        .resolve(&visitor.actor, &Address::Id(page))
        .await?
    {
        Destination::Page { url, .. } => Ok(see_other(&format!("{url}{fragment}"))),
        _ => Ok(see_other("/")),
    }
}
