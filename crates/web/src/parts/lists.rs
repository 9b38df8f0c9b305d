//! Rows of pages, search hits, spaces.

use maud::{Markup, html};
use wiki::{ContentKind, Fragment, PageSummary, SearchHit, Space};

use crate::params::encode;
use crate::parts::dates;
use crate::parts::icons::icon;
use crate::parts::people;

/// The icon of a kind of content.
pub(crate) fn kind_icon(kind: ContentKind) -> Markup {
    icon(match kind {
        ContentKind::Page => "page",
        ContentKind::BlogPost => "blog",
        ContentKind::Comment => "comment",
        ContentKind::Attachment => "clip",
    })
}

/// The word for a kind of content.
pub(crate) fn kind_word(kind: ContentKind) -> &'static str {
    match kind {
        ContentKind::Page => "Page",
        ContentKind::BlogPost => "Blog post",
        ContentKind::Comment => "Comment",
        ContentKind::Attachment => "Attachment",
    }
}

/// Pages changed last, or found by label: title, space, who and when.
pub(crate) fn page_rows(pages: &[PageSummary], with_space: bool) -> Markup {
    html! {
        ul.rows { @for page in pages { li.row {
            (kind_icon(page.kind))
            span.grow {
                a.title href=(page.link.url) { (page.link.title) }
                span.meta {
                    @if with_space { (page.space_name) " · " }
                    (page.updated_by.as_ref().map_or("Unknown", people::shown))
                }
            }
            span.end { (dates::day(page.updated_at_ms)) }
        } } }
    }
}

/// What search found.
pub(crate) fn hits(hits: &[SearchHit]) -> Markup {
    html! {
        @for hit in hits { article.result {
            h2.title { a href=(hit.url) { (hit.title) } }
            @if !hit.excerpt.is_empty() { p.snippet { (excerpt(&hit.excerpt)) } }
            p.where {
                span.badge { (kind_word(hit.kind)) }
                a href={ "/spaces/" (encode(&hit.space_key)) "/overview" } { (hit.space_name) }
                span { "·" } (dates::day(hit.updated_at_ms))
            }
        } }
    }
}

/// Text with the matching words marked.
pub(crate) fn excerpt(fragments: &[Fragment]) -> Markup {
    html! { @for piece in fragments { @if piece.matched { mark { (piece.text) } } @else { (piece.text) } } }
}

/// A square with the first letter of a space.
pub(crate) fn space_mark(key: &str, name: &str, size: &str) -> Markup {
    let letter = name
        .chars()
        .find(|c| c.is_alphanumeric())
        .or_else(|| key.chars().find(|c| c.is_alphanumeric()));
    html! { span.{ "space-mark h" (people::hue(key)) " " (size) } aria-hidden="true" { (letter.unwrap_or('#').to_uppercase()) } }
}

/// Spaces as tiles.
pub(crate) fn space_tiles(spaces: &[&Space]) -> Markup {
    html! {
        ul.cards { @for space in spaces { li {
            a.tile href={ "/spaces/" (encode(&space.key)) "/overview" } {
                (space_mark(&space.key, &space.name, "big"))
                span {
                    span.name { (space.name) }
                    span.about { @if space.description.is_empty() { (space.key) } @else { (space.description) } }
                }
            }
        } } }
    }
}

/// One sentence where a list would be.
pub(crate) fn empty(text: &str) -> Markup {
    html! { p.empty { (text) } }
}
