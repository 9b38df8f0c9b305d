//! Making, moving, deleting and labelling pages. The body itself is changed in the editor.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use wiki::{ContentId, ContentKind, NewPage, PageHead, Place, Right, Space, TreeNode};

use crate::addresses::{redirect, see_other};
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::pages::comments::back;
use crate::pages::spaces::in_space;
use crate::params::{Params, encode};
use crate::parts::forms::{self, Field};
use crate::parts::lists;
use crate::parts::sidebar::Here;
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

/// `GET /new`: in which space?
pub(crate) async fn choose_space(State(web): State<Web>, Member(visitor): Member) -> Answer {
    let spaces = web.wiki().spaces().list(&visitor.actor).await?;
    let mine: Vec<&Space> = spaces
        .iter()
        .filter(|space| space.right >= Right::Edit && !space.archived)
        .collect();
    if let [only] = mine.as_slice() {
        return Ok(redirect(&format!("/spaces/{}/new", encode(&only.key))));
    }
    let main = html! {
        div.page-head { h1 { "New page" } p { "In which space?" } }
        @if mine.is_empty() { (lists::empty("There is no space in which you may make pages. Make one, or ask its administrator.")) a.button href="/spaces/new" { "New space" } }
        @else { ul.cards { @for space in mine { li { a.tile href={ "/spaces/" (encode(&space.key)) "/new" } {
            (lists::space_mark(&space.key, &space.name, "big")) span { span.name { (space.name) } span.about { (space.key) } }
        } } } } }
    };
    web.page(
        &visitor,
        Sheet::new("New page", Section::None, column(true, main)),
    )
    .await
}

/// `GET /spaces/{key}/new?parent=&kind=`.
pub(crate) async fn new_form(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    draw_new(
        &web,
        &visitor,
        &key,
        &Params::parse(&query.unwrap_or_default()),
        None,
    )
    .await
}

async fn draw_new(
    web: &Web,
    visitor: &Visitor,
    key: &str,
    form: &Params,
    wrong: Option<&str>,
) -> Answer {
    let space = web.wiki().spaces().find(&visitor.actor, key).await?;
    let blog = form.get("kind") == Some("blog");
    let parent = match form.number("parent") {
        Some(id) if !blog => web
            .wiki()
            .pages()
            .head(&visitor.actor, ContentId::new(id))
            .await
            .ok(),
        _ => None,
    };
    let word = if blog { "New blog post" } else { "New page" };
    let main = html! {
        div.page-head { h1 { (word) } p { "In " (space.name) @if let Some(parent) = &parent { ", below " (parent.title) } } }
        (forms::wrong(wrong))
        form action={ "/spaces/" (encode(&space.key)) "/new" } method="post" {
            (forms::csrf(visitor))
            input type="hidden" name="kind" value=(if blog { "blog" } else { "page" });
            @if let Some(parent) = &parent { input type="hidden" name="parent" value=(parent.id); }
            (Field { name: "title", label: "Title", value: form.raw("title"), autofocus: true, ..Field::default() }.draw())
            p.hint.meta { "You write the text next. Only people who may edit here see the page until it is published." }
            div.field.buttons { button.button.primary type="submit" { "Create draft" } a.button href={ "/spaces/" (encode(&space.key)) "/overview" } { "Cancel" } }
        }
    };
    in_space(
        web,
        visitor,
        &space,
        Here::Elsewhere,
        word.to_owned(),
        column(false, main),
    )
    .await
}

/// `POST /spaces/{key}/new`: makes the draft and opens the editor.
pub(crate) async fn create(
    State(web): State<Web>,
    Path(key): Path<String>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let kind = if form.get("kind") == Some("blog") {
        ContentKind::BlogPost
    } else {
        ContentKind::Page
    };
    let page = NewPage {
        space_key: key.clone(),
        parent: form.number("parent").map(ContentId::new),
        title: form.get("title").unwrap_or("").to_owned(),
        kind,
    };
    match web.wiki().pages().create(&visitor.actor, page).await {
        Ok(head) => back(&web, &visitor, head.id.get(), "?edit=1").await,
        Err(error @ (wiki::Error::Invalid(_) | wiki::Error::Conflict(_))) => {
            draw_new(&web, &visitor, &key, &form, Some(error.message())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The page that is to be changed: its identity and what this visitor may do with it.
async fn head_of(web: &Web, visitor: &Visitor, id: i64) -> Answer<PageHead> {
    let pages = web.wiki().pages();
    Ok(pages.head(&visitor.actor, ContentId::new(id)).await?)
}

/// `GET /content/{id}/move`.
pub(crate) async fn move_form(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(id): Path<i64>,
) -> Answer {
    let head = head_of(&web, &visitor, id).await?;
    let space = web
        .wiki()
        .spaces()
        .find(&visitor.actor, &head.space.key)
        .await?;
    let tree = web
        .wiki()
        .pages()
        .tree(&visitor.actor, &space.key, Some(head.id))
        .await?;
    let main = html! {
        div.page-head { h1 { "Move " (head.title) } p { "The pages below move along. All addresses go on working." } }
        form action={ "/content/" (id) "/move" } method="post" {
            (forms::csrf(&visitor))
            div.field { label for="place" { "Where to" }
                select.select.short #place name="place" {
                    option value="under" { "Below the page" }
                    option value="before" { "Right before the page" }
                    option value="after" { "Right after the page" }
                    option value="top" { "To the top of this space" }
                }
            }
            div.field { label for="target" { "The page" }
                input.input #target name="target" list="pages" autocomplete="off" aria-describedby="target-hint";
                datalist #pages { (options(&tree, head.id)) }
                p.hint #target-hint { "The number, address or title of a page; in another space too when it is its number or address." }
            }
            div.field.buttons { button.button.primary type="submit" { "Move" } a.button href={ "/pages/viewpage.action?pageId=" (id) } { "Cancel" } }
        }
    };
    in_space(
        &web,
        &visitor,
        &space,
        Here::Page(head.id),
        format!("Move {}", head.title),
        column(false, main),
    )
    .await
}

fn options(nodes: &[TreeNode], but: ContentId) -> Markup {
    html! {
        @for node in nodes { @if node.id != but {
            option value=(node.title) {}
            (options(&node.children, but))
        } }
    }
}

/// `POST /content/{id}/move`.
pub(crate) async fn move_to(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let place = match form.get("place") {
        Some("top") => Place::Top,
        place => {
            let target = target(&web, &visitor, id, form.get("target").unwrap_or("")).await?;
            match place {
                Some("before") => Place::Before(target),
                Some("after") => Place::After(target),
                _ => Place::Under(target),
            }
        }
    };
    web.wiki()
        .pages()
        .move_to(&visitor.actor, ContentId::new(id), place)
        .await?;
    back(&web, &visitor, id, "").await
}

/// The page that a number, an address of this site, or a title in the same space names.
async fn target(web: &Web, visitor: &Visitor, moving: i64, text: &str) -> Answer<ContentId> {
    let number = text.parse().ok().or_else(|| {
        text.split(['/', '=', '?', '&'])
            .find_map(|piece| piece.parse().ok())
    });
    let address = match number {
        Some(id) => wiki::Address::Id(id),
        None => {
            let head = web
                .wiki()
                .pages()
                .head(&visitor.actor, ContentId::new(moving))
                .await?;
            wiki::Address::Title {
                key: head.space.key,
                title: text.to_owned(),
            }
        }
    };
    match web.wiki().resolve(&visitor.actor, &address).await {
        Ok(wiki::Destination::Page { id, .. }) => Ok(id),
        _ => Err(Failure::invalid(format!(
            "no page is called `{text}` here; give its title, number or address"
        ))),
    }
}

/// `GET /content/{id}/delete`.
pub(crate) async fn delete_form(
    State(web): State<Web>,
    Member(visitor): Member,
    Path(id): Path<i64>,
) -> Answer {
    let head = head_of(&web, &visitor, id).await?;
    let main = html! {
        div.stage { div.card.wide {
            h1 { "Delete “" (head.title) "”?" }
            p { "It goes to the trash of " (head.space.name) ", from where it can be restored. Pages below it move up." }
            div.field.buttons {
                (forms::act(&visitor, &format!("/content/{id}/delete"), "Move to trash", "danger", None))
                a.button href={ "/pages/viewpage.action?pageId=" (id) } { "Keep it" }
            }
        } }
    };
    web.page(
        &visitor,
        Sheet::new(format!("Delete {}", head.title), Section::None, main),
    )
    .await
}

/// `POST /content/{id}/delete`.
pub(crate) async fn delete(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, _): ChangeForm,
) -> Answer {
    let head = head_of(&web, &visitor, id).await?;
    web.wiki().pages().trash(&visitor.actor, head.id).await?;
    let key = encode(&head.space.key);
    match head.parent_id {
        Some(parent) => back(&web, &visitor, parent.get(), "")
            .await
            .or_else(|_| Ok(see_other(&format!("/spaces/{key}/pages")))),
        None => Ok(see_other(&format!("/spaces/{key}/pages"))),
    }
}

/// `POST /content/{id}/restore-from-trash`.
pub(crate) async fn restore(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, _): ChangeForm,
) -> Answer {
    web.wiki()
        .pages()
        .restore_from_trash(&visitor.actor, ContentId::new(id))
        .await?;
    back(&web, &visitor, id, "").await
}

/// `POST /content/{id}/labels`: one or several, parted by blanks or commas.
pub(crate) async fn add_labels(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let names: Vec<String> = form
        .raw("name")
        .split([' ', ','])
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    web.wiki()
        .labels()
        .add(&visitor.actor, ContentId::new(id), &names)
        .await?;
    back(&web, &visitor, id, "").await
}

/// `POST /content/{id}/labels/remove`.
pub(crate) async fn remove_label(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    web.wiki()
        .labels()
        .remove(&visitor.actor, ContentId::new(id), form.raw("name"))
        .await?;
    back(&web, &visitor, id, "").await
}
