//! The sidebar of a space: its name, its lists, its page tree.

use maud::{Markup, html};
use wiki::{ContentId, Right, Space, TreeNode};

use crate::failure::Answer;
use crate::limits;
use crate::params::encode;
use crate::parts::icons::icon;
use crate::parts::lists::space_mark;
use crate::state::Web;
use crate::visitor::Visitor;

/// Which list of the space is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    Page(ContentId),
    Overview,
    Blog,
    Labels,
    Trash,
    Settings,
    Elsewhere,
}

/// The sidebar of a space for this visitor.
pub(crate) async fn of(
    web: &Web,
    visitor: &Visitor,
    space_key: &str,
    here: Here,
) -> Answer<Markup> {
    let space = web.wiki().spaces().find(&visitor.actor, space_key).await?;
    of_space(web, visitor, &space, here).await
}

/// The same when the space is known already.
pub(crate) async fn of_space(
    web: &Web,
    visitor: &Visitor,
    space: &Space,
    here: Here,
) -> Answer<Markup> {
    let current = match here {
        Here::Page(id) => Some(id),
        _ => None,
    };
    let tree = web
        .wiki()
        .pages()
        .tree(&visitor.actor, &space.key, current.or(space.home_id))
        .await?;
    Ok(draw(space, &tree, current, here))
}

fn draw(space: &Space, tree: &[TreeNode], current: Option<ContentId>, here: Here) -> Markup {
    let key = encode(&space.key);
    let mark = |at: Here| (here == at).then_some("page");
    html! {
        div.sidebar-scroll {
            a.side-space href={ "/spaces/" (key) "/overview" } title=(space.name) { (space_mark(&space.key, &space.name, "")) span { (space.name) } }
            div.side-links {
                a href={ "/spaces/" (key) "/pages" } aria-current=[mark(Here::Overview)] { (icon("contents")) "All pages" }
                a href={ "/spaces/" (key) "/blog" } aria-current=[mark(Here::Blog)] { (icon("blog")) "Blog" }
                a href={ "/label/" (key) } aria-current=[mark(Here::Labels)] { (icon("label")) "Labels" }
                @if space.right >= Right::Edit { a href={ "/spaces/" (key) "/trash" } aria-current=[mark(Here::Trash)] { (icon("trash")) "Trash" } }
                @if space.right >= Right::Admin { a href={ "/spaces/" (key) "/settings" } aria-current=[mark(Here::Settings)] { (icon("settings")) "Space settings" } }
            }
            div.side-head { span #pages-title { "Pages" }
                @if space.right >= Right::Edit { a href={ "/spaces/" (key) "/new" } title="New page" aria-label="New page in this space" { (icon("plus")) } }
            }
            @if tree.is_empty() { p.meta { "No pages yet." } }
            @else { ul.tree role="tree" aria-labelledby="pages-title" { (branch(&key, tree, current)) } }
        }
    }
}

/// Pages of one level; open ones with what is below them.
pub(crate) fn branch(space_key: &str, nodes: &[TreeNode], current: Option<ContentId>) -> Markup {
    html! {
        @for node in nodes.iter().take(limits::TREE_CHILDREN_MAX) {
            @let open = !node.children.is_empty();
            @let fetched = node.has_children.then(|| format!("/spaces/{space_key}/tree?parent={}", node.id));
            li role="none" {
                a role="treeitem" href=(node.url) aria-current=[(current == Some(node.id)).then_some("page")] title=(node.title)
                    aria-expanded=[node.has_children.then_some(if open { "true" } else { "false" })] data-children=[fetched] {
                    span.twist.leaf[!node.has_children] {}
                    span.name { (node.title) }
                    @if node.draft { span.draft-dot title="Draft" {} }
                }
                @if open { ul role="group" { (branch(space_key, &node.children, current)) } }
            }
        }
        @if nodes.len() > limits::TREE_CHILDREN_MAX {
            li role="none" { a.more role="treeitem" href={ "/spaces/" (space_key) "/pages" } { "More pages…" } }
        }
    }
}
