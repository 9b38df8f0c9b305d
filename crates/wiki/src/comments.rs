//! Comments on pages and blog posts: threaded, written in Markdown, stored as storage format.

use crate::actor::{Actor, Person};
use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its id; its anchor is `comment-ID`.
    pub id: ContentId,
    /// The comment it answers.
    pub parent_id: Option<ContentId>,
    /// 0 for the first of a thread, 1 for an answer to it, ...
    pub depth: usize,
    /// Who wrote it.
    pub author: Option<Person>,
    /// When.
    pub created_at_ms: i64,
    /// When it was edited, if it was.
    pub edited_at_ms: Option<i64>,
    /// Sanitised HTML.
    pub html: String,
}

/// Comments.
#[derive(Clone, Copy)]
pub struct Comments<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Comments<'_> {
    /// Adds a comment in Markdown to a page, or an answer to a comment of the page.
    pub async fn add(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _parent: Option<ContentId>,
        _markdown: &str,
    ) -> Result<ContentId> {
        todo!()
    }

    /// A comment's text as Markdown, to edit it. Its author, or an administrator of the space.
    pub async fn source(&self, _actor: &Actor, _comment: ContentId) -> Result<String> {
        todo!()
    }

    /// Changes a comment. Its author, or an administrator of the space. Returns its page.
    pub async fn edit(
        &self,
        _actor: &Actor,
        _comment: ContentId,
        _markdown: &str,
    ) -> Result<ContentId> {
        todo!()
    }

    /// Deletes a comment; answers stay. Its author, or an administrator of the space. Returns its page.
    pub async fn delete(&self, _actor: &Actor, _comment: ContentId) -> Result<ContentId> {
        todo!()
    }
}
