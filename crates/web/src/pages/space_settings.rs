//! Settings of a space for its administrators, and its trash.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use wiki::{Permission, Right, Space, SpaceChange, Subject, UserId};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::layout::column;
use crate::pages::spaces::in_space;
use crate::params::{Params, encode};
use crate::parts::forms::{self, Field};
use crate::parts::sidebar::Here;
use crate::parts::{dates, lists, people};
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

/// `GET /spaces/{key}/settings`.
pub(crate) async fn form(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, &key).await?;
    let permissions = web
        .wiki()
        .spaces()
        .permissions(&visitor.actor, &key)
        .await?;
    let saved = Params::parse(&query.unwrap_or_default()).ticked("saved");
    let main = html! {
        div.page-head { h1 { "Space settings" } p { (space.name) " (" (space.key) ")" } }
        (forms::done(saved.then_some("Saved.")))
        (details(&visitor, &space))
        (permission_box(&visitor, &space, &permissions))
    };
    let title = format!("Settings - {}", space.name);
    in_space(
        &web,
        &visitor,
        &space,
        Here::Settings,
        title,
        column(false, main),
    )
    .await
}

fn details(visitor: &Visitor, space: &Space) -> Markup {
    html! {
        form.panel-box action={ "/spaces/" (encode(&space.key)) "/settings" } method="post" {
            h2 { "Details" }
            (forms::csrf(visitor))
            (Field { name: "name", label: "Name", value: &space.name, ..Field::default() }.draw())
            (Field { name: "description", label: "What it is about", value: &space.description, optional: true, ..Field::default() }.draw())
            label.check { input type="checkbox" name="anonymous_reading" checked[space.anonymous_reading]; span { "Anybody may read, without logging in" } }
            label.check { input type="checkbox" name="archived" checked[space.archived]; span { "Archived" span.hint { "Still readable, but not offered first." } } }
            div.buttons { button.button.primary type="submit" { "Save" } }
        }
    }
}

fn right_word(right: Right) -> &'static str {
    match right {
        Right::View => "may read",
        Right::Comment => "may comment",
        Right::Edit => "may edit",
        Right::Admin => "administers",
    }
}

const RIGHTS: [(Right, &str); 4] = [
    (Right::View, "view"),
    (Right::Comment, "comment"),
    (Right::Edit, "edit"),
    (Right::Admin, "admin"),
];

fn permission_box(visitor: &Visitor, space: &Space, permissions: &[Permission]) -> Markup {
    let action = format!("/spaces/{}/permissions", encode(&space.key));
    html! {
        section.panel-box {
            h2 { "Who may do what" }
            p { "Everybody who is logged in, groups, and single people. Each right includes the ones before it." }
            div.scroll { table.list {
                thead { tr { th scope="col" { "Who" } th scope="col" { "Right" } th scope="col" { span.visually-hidden { "Change" } } } }
                tbody { @for permission in permissions { tr {
                    td { (subject_word(permission)) }
                    td { (right_word(permission.right)) }
                    td.acts { form.inline action=(action) method="post" {
                        (forms::csrf(visitor))
                        input type="hidden" name="subject" value=(subject_text(permission.subject));
                        button.button.small type="submit" { "Remove" }
                    } }
                } } }
            } }
            form action=(action) method="post" {
                (forms::csrf(visitor))
                (Field { name: "user", label: "Give a right to", hint: "A username. Leave empty for everybody who is logged in.", optional: true, ..Field::default() }.draw())
                div.field { label for="right" { "Right" }
                    select.select.short #right name="right" { @for (right, name) in RIGHTS { option value=(name) { (right_word(right)) } } }
                }
                div.buttons { button.button type="submit" { "Give" } }
            }
        }
    }
}

fn subject_word(permission: &Permission) -> &str {
    match permission.subject {
        Subject::Anonymous => "Anybody, without logging in",
        Subject::Users => "Everybody who is logged in",
        Subject::Group(_) | Subject::User(_) => &permission.subject_name,
    }
}

fn subject_text(subject: Subject) -> String {
    match subject {
        Subject::Anonymous => "anonymous".into(),
        Subject::Users => "users".into(),
        Subject::Group(id) => format!("group:{id}"),
        Subject::User(id) => format!("user:{id}"),
    }
}

fn subject_of(text: &str) -> Option<Subject> {
    match text.split_once(':') {
        Some(("group", id)) => id.parse().ok().map(Subject::Group),
        Some(("user", id)) => id.parse::<UserId>().ok().map(Subject::User),
        _ if text == "anonymous" => Some(Subject::Anonymous),
        _ if text == "users" => Some(Subject::Users),
        _ => None,
    }
}

/// `POST /spaces/{key}/settings`.
pub(crate) async fn save(
    State(web): State<Web>,
    Path(key): Path<String>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let change = SpaceChange {
        name: form.get("name").map(str::to_owned),
        description: Some(form.raw("description").trim().to_owned()),
        anonymous_reading: Some(form.ticked("anonymous_reading")),
        archived: Some(form.ticked("archived")),
        ..SpaceChange::default()
    };
    let space = web
        .wiki()
        .spaces()
        .update(&visitor.actor, &key, change)
        .await?;
    Ok(see_other(&format!(
        "/spaces/{}/settings?saved",
        encode(&space.key)
    )))
}

/// `POST /spaces/{key}/permissions`: with `subject` takes a right away, else gives one.
pub(crate) async fn permit(
    State(web): State<Web>,
    Path(key): Path<String>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let right = RIGHTS
        .iter()
        .find(|(_, name)| form.get("right") == Some(name))
        .map(|(right, _)| *right);
    let subject = match (form.get("subject"), form.get("user")) {
        (Some(text), _) => subject_of(text)
            .ok_or_else(|| Failure::invalid("`subject` is not one of this space"))?,
        (None, Some(name)) => Subject::User(
            web.wiki()
                .accounts()
                .find(&visitor.actor, name)
                .await?
                .person
                .id,
        ),
        (None, None) => Subject::Users,
    };
    web.wiki()
        .spaces()
        .permit(&visitor.actor, &key, subject, right)
        .await?;
    Ok(see_other(&format!(
        "/spaces/{}/settings?saved",
        encode(&key)
    )))
}

/// `GET /spaces/{key}/trash`.
pub(crate) async fn trash(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(key): Path<String>,
) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, &key).await?;
    let pages = web.wiki().pages().trashed(&visitor.actor, &key).await?;
    let main = html! {
        div.page-head { h1 { "Trash" } p { "Deleted pages and posts of this space. They can be restored as long as they are here." } }
        @if pages.is_empty() { (lists::empty("The trash is empty.")) }
        @else { div.scroll { table.list.stack {
            thead { tr { th scope="col" { "Title" } th scope="col" { "Last changed by" } th scope="col" { "On" } th scope="col" { span.visually-hidden { "Restore" } } } }
            tbody { @for page in &pages { tr {
                td.full { (page.link.title) }
                td { (people::link(page.updated_by.as_ref())) }
                td.nowrap { (dates::day(page.updated_at_ms)) }
                td.acts { (forms::act(&visitor, &format!("/content/{}/restore-from-trash", page.link.id), "Restore", "small", None)) }
            } } }
        } } }
    };
    in_space(
        &web,
        &visitor,
        &space,
        Here::Trash,
        format!("Trash - {}", space.name),
        column(true, main),
    )
    .await
}
