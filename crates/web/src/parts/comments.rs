//! The conversation below a page.

use maud::{Markup, PreEscaped, html};
use wiki::{Comment, PageHead};

use crate::parts::dates;
use crate::parts::forms::{act, csrf};
use crate::parts::people;
use crate::visitor::Visitor;

/// Answers deeper than this stand below each other.
const DEPTH_MAX: usize = 5;

/// All comments of a page, and the box to add one.
pub(crate) fn section(visitor: &Visitor, head: &PageHead, comments: &[Comment]) -> Markup {
    html! {
        section #comments aria-labelledby="comments-title" {
            h2 #comments-title { "Comments" @if !comments.is_empty() { span.count { (comments.len()) } } }
            @if comments.is_empty() && !head.can_comment { p.meta { "No comments yet." } }
            (threads(visitor, head, comments, 0))
            @if head.can_comment { (compose(visitor, head)) }
            @else if visitor.actor.is_anonymous() { p.meta { a href={ "/login?os_destination=/pages/viewpage.action?pageId=" (head.id) } { "Log in" } " to comment." } }
        }
    }
}

/// Comments come in the order of the conversation with a depth; answers stand inside what they answer.
fn threads(visitor: &Visitor, head: &PageHead, comments: &[Comment], level: usize) -> Markup {
    let mut rest = comments;
    let mut drawn = Vec::new();
    while let Some((first, after)) = rest.split_first() {
        let deeper = after
            .iter()
            .take_while(|other| other.depth > first.depth)
            .count();
        let below = if level < DEPTH_MAX { deeper } else { 0 };
        let (answers, next) = after.split_at(below);
        drawn.push(one(visitor, head, first, answers, level));
        rest = next;
    }
    html! { @for comment in &drawn { (comment) } }
}

fn one(
    visitor: &Visitor,
    head: &PageHead,
    comment: &Comment,
    answers: &[Comment],
    level: usize,
) -> Markup {
    let mine = comment
        .author
        .as_ref()
        .is_some_and(|author| visitor.actor.user_id() == Some(author.id));
    let may_change = (mine && head.can_comment) || head.can_administer;
    html! {
        article.comment #{ "comment-" (comment.id) } {
            (people::face(comment.author.as_ref(), "mid"))
            div.comment-main {
                div.comment-head {
                    span.who { (people::link(comment.author.as_ref())) }
                    a.meta href={ "#comment-" (comment.id) } { (dates::minute(comment.created_at_ms)) }
                    @if let Some(at) = comment.edited_at_ms { span.meta { "edited " (dates::day(at)) } }
                }
                div.comment-body.wiki-body { (PreEscaped(&comment.html)) }
                div.comment-acts {
                    @if head.can_comment { (answer_form(visitor, head, comment)) }
                    @if may_change {
                        a.button.link href={ "/comments/" (comment.id) "/edit" } { "Edit" }
                        (act(visitor, &format!("/comments/{}/delete", comment.id), "Delete", "link", Some("Delete this comment? Answers to it stay.")))
                    }
                }
            }
            @if !answers.is_empty() { (threads(visitor, head, answers, level + 1)) }
        }
    }
}

fn answer_form(visitor: &Visitor, head: &PageHead, comment: &Comment) -> Markup {
    let field = format!("answer-{}", comment.id);
    html! {
        details {
            summary { "Reply" }
            form action={ "/content/" (head.id) "/comments" } method="post" {
                (csrf(visitor))
                input type="hidden" name="parent" value=(comment.id);
                label.visually-hidden for=(field) { "Your reply" }
                textarea.textarea #(field) name="text" required maxlength="32000" {}
                div.buttons { button.button.primary type="submit" { "Reply" } span.meta { "Markdown works here." } }
            }
        }
    }
}

fn compose(visitor: &Visitor, head: &PageHead) -> Markup {
    html! {
        form.compose action={ "/content/" (head.id) "/comments" } method="post" {
            (csrf(visitor))
            div.field {
                label for="comment-text" { "Add a comment" }
                textarea.textarea #comment-text name="text" required maxlength="32000" {}
            }
            div.buttons { button.button.primary type="submit" { "Comment" } span.meta { "Markdown works here. Ctrl+Enter sends it." } }
        }
    }
}
