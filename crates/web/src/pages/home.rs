//! The start page: what changed lately, and the spaces.

use axum::extract::State;
use maud::{Markup, html};
use wiki::{PageSummary, Space};

use crate::addresses::redirect;
use crate::failure::Answer;
use crate::layout::{Section, Sheet, column};
use crate::limits;
use crate::params::encode;
use crate::parts::icons::icon;
use crate::parts::{lists, people};
use crate::state::Web;
use crate::visitor::Visitor;

/// `GET /`.
pub(crate) async fn home(State(web): State<Web>, visitor: Visitor) -> Answer {
    if web.first_run().await? {
        return Ok(redirect("/setup"));
    }
    let spaces = web.wiki().spaces().list(&visitor.actor).await?;
    let recent = web
        .wiki()
        .pages()
        .recent(&visitor.actor, None, limits::LIST_ROWS)
        .await?;
    let site = web.wiki().settings().await?.name;
    let main = column(true, main(&visitor, &site, &spaces, &recent));
    web.page(&visitor, Sheet::new(site.clone(), Section::Home, main))
        .await
}

fn main(visitor: &Visitor, site: &str, spaces: &[Space], recent: &[PageSummary]) -> Markup {
    let shown: Vec<&Space> = spaces
        .iter()
        .filter(|space| !space.archived && !space.personal)
        .take(12)
        .collect();
    html! {
        div.page-head { h1 { @if let Some(person) = visitor.actor.person() { "Hello, " (first_name(people::shown(person))) } @else { (site) } } }
        @if spaces.is_empty() { (nothing_yet(visitor)) }
        @else {
            section.section aria-labelledby="spaces-title" {
                div.section-head { h2 #spaces-title { "Spaces" } a.meta href="/spaces" { "All spaces" } }
                (lists::space_tiles(&shown))
            }
            section.section aria-labelledby="recent-title" {
                h2 #recent-title { "Recently updated" }
                @if recent.is_empty() { (lists::empty("Pages that somebody publishes will be listed here.")) }
                @else { (lists::page_rows(recent, true)) }
            }
        }
    }
}

fn first_name(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}

fn nothing_yet(visitor: &Visitor) -> Markup {
    html! {
        @if visitor.actor.is_anonymous() {
            div.empty { "Log in to see the spaces of this wiki." div.buttons { a.button.primary href={ "/login?os_destination=" (encode("/")) } { "Log in" } } }
        } @else {
            div.empty {
                "There is no space yet. Make one, or bring one along from Confluence."
                div.buttons {
                    @if visitor.actor.is_admin() { a.button.primary href="/admin/import" { (icon("upload")) "Import from Confluence" } }
                    a.button href="/spaces/new" { (icon("plus")) "New space" }
                }
            }
        }
    }
}
