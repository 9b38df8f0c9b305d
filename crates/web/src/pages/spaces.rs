//! Spaces: the list, the front of one, all its pages, a new one; branches of the page tree for the sidebar.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use wiki::{Address, ContentId, NewSpace, Right, Space, TreeNode};

use crate::addresses::{go, see_other};
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column, html_answer};
use crate::limits;
use crate::params::{Params, encode};
use crate::parts::forms::{self, Field};
use crate::parts::icons::icon;
use crate::parts::lists;
use crate::parts::sidebar::{self, Here};
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

/// `GET /spaces`.
pub(crate) async fn list(State(web): State<Web>, visitor: Visitor) -> Answer {
    let spaces = web.wiki().spaces().list(&visitor.actor).await?;
    let groups = [
        (
            "",
            spaces
                .iter()
                .filter(|space| !space.archived && !space.personal)
                .collect::<Vec<_>>(),
        ),
        (
            "Personal spaces",
            spaces
                .iter()
                .filter(|space| !space.archived && space.personal)
                .collect(),
        ),
        (
            "Archived",
            spaces.iter().filter(|space| space.archived).collect(),
        ),
    ];
    let main = html! {
        div.page-head {
            h1 { "Spaces" }
            @if !visitor.actor.is_anonymous() { a.button href="/spaces/new" { (icon("plus")) "New space" } }
        }
        @if spaces.is_empty() { (lists::empty("No space that you may read.")) }
        @for (title, group) in &groups { @if !group.is_empty() {
            section.section { @if !title.is_empty() { h2 { (title) } } (lists::space_tiles(group)) }
        } }
    };
    web.page(
        &visitor,
        Sheet::new("Spaces", Section::Spaces, column(true, main)),
    )
    .await
}

/// `GET /spaces/new`.
pub(crate) async fn new_form(State(web): State<Web>, Member(visitor): Member) -> Answer {
    draw_new(&web, &visitor, &Params::default(), None).await
}

async fn draw_new(web: &Web, visitor: &Visitor, form: &Params, wrong: Option<&str>) -> Answer {
    let field = |name, label| Field {
        name,
        label,
        value: form.raw(name),
        ..Field::default()
    };
    let main = html! {
        div.page-head { h1 { "New space" } p { "A space holds pages about one subject, team or project." } }
        (forms::wrong(wrong))
        form action="/spaces" method="post" {
            (forms::csrf(visitor))
            (Field { autofocus: true, ..field("name", "Name") }.draw())
            (Field { hint: "Letters and digits; part of every address of the space, for example DOC.", ..field("key", "Key") }.draw())
            (Field { optional: true, ..field("description", "What it is about") }.draw())
            div.field.buttons { button.button.primary type="submit" { "Create space" } a.button href="/spaces" { "Cancel" } }
        }
    };
    web.page(
        visitor,
        Sheet::new("New space", Section::Spaces, column(false, main)),
    )
    .await
}

/// `POST /spaces`.
pub(crate) async fn create(
    State(web): State<Web>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let space = NewSpace {
        key: form.get("key").unwrap_or("").to_owned(),
        name: form.get("name").unwrap_or("").to_owned(),
        description: form.get("description").unwrap_or("").to_owned(),
    };
    match web.wiki().spaces().create(&visitor.actor, space).await {
        Ok(space) => Ok(see_other(&format!(
            "/spaces/{}/overview",
            encode(&space.key)
        ))),
        Err(error @ (wiki::Error::Invalid(_) | wiki::Error::Conflict(_))) => {
            draw_new(&web, &visitor, &form, Some(error.message())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `GET /spaces/{key}` and `/spaces/{key}/overview`: leads to the home page.
pub(crate) async fn overview(
    State(web): State<Web>,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Answer {
    go(&web, &visitor.actor, Address::Space { key }).await
}

/// `GET /spaces/{key}/pages`: what changed lately, and the top of the tree.
pub(crate) async fn all_pages(
    State(web): State<Web>,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, &key).await?;
    let tree = web
        .wiki()
        .pages()
        .tree(&visitor.actor, &space.key, space.home_id)
        .await?;
    let recent = web
        .wiki()
        .pages()
        .recent(&visitor.actor, Some(&space.key), limits::LIST_ROWS)
        .await?;
    let main = html! {
        (space_head(&space))
        div.split {
            div { section.section aria-labelledby="tree-title" { h2 #tree-title { "Pages" }
                @if tree.is_empty() { (nothing_yet(&space)) } @else { ul.rows { (levels(&tree, 1)) } }
            } }
            div { section.section aria-labelledby="recent-title" { h2 #recent-title { "Recently updated" }
                @if recent.is_empty() { (lists::empty("Nothing was published yet.")) } @else { (lists::page_rows(&recent, false)) }
            } }
        }
    };
    let title = format!("All pages - {}", space.name);
    in_space(
        &web,
        &visitor,
        &space,
        Here::Overview,
        title,
        column(true, main),
    )
    .await
}

fn nothing_yet(space: &Space) -> Markup {
    html! {
        div.empty { "This space has no pages yet."
            @if space.right >= Right::Edit { div.buttons { a.button.primary href={ "/spaces/" (encode(&space.key)) "/new" } { (icon("plus")) "New page" } } }
        }
    }
}

fn levels(nodes: &[TreeNode], level: usize) -> Markup {
    html! {
        @for node in nodes {
            li.{ "row level" (level.min(4)) } {
                (icon("page"))
                span.grow { a.title href=(node.url) { (node.title) } }
                @if node.draft { span.badge.warn { "Draft" } }
            }
            (levels(&node.children, level + 1))
        }
    }
}

/// Name, key and description of a space as the head of one of its pages.
pub(crate) fn space_head(space: &Space) -> Markup {
    html! {
        div.page-head { h1 { (space.name) } @if space.archived { span.badge { "Archived" } }
            @if !space.description.is_empty() { p { (space.description) } }
        }
    }
}

/// A page of a space that is not content: with the space's sidebar.
pub(crate) async fn in_space(
    web: &Web,
    visitor: &Visitor,
    space: &Space,
    here: Here,
    title: String,
    main: Markup,
) -> Answer {
    let sidebar = sidebar::of_space(web, visitor, space, here).await?;
    let new_at = format!("/spaces/{}/new", encode(&space.key));
    web.page(
        visitor,
        Sheet::new(title, Section::Spaces, main)
            .with_sidebar(sidebar)
            .with_new_at(new_at),
    )
    .await
}

/// `GET /spaces/{key}/tree?parent=`: one branch of the sidebar's tree, as a list.
pub(crate) async fn tree(
    State(web): State<Web>,
    visitor: Visitor,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let parent = Params::parse(&query.unwrap_or_default())
        .number("parent")
        .ok_or_else(Failure::not_found)?;
    let nodes = web
        .wiki()
        .pages()
        .children(&visitor.actor, ContentId::new(parent))
        .await?;
    Ok(html_answer(
        html! { ul role="group" { (sidebar::branch(&encode(&key), &nodes, None)) } }.into_string(),
    ))
}
