//! Pages and blog posts: reading, the tree, making, renaming, moving, the trash.

use crate::actor::{Actor, Person};
use crate::attachments::Attachment;
use crate::comments::Comment;
use crate::error::Result;
use crate::ids::{ContentId, SpaceId};
use crate::spaces::SpaceMode;
use crate::wiki::Wiki;
use serde::Serialize;
use std::sync::Arc;

/// What a piece of content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentKind {
    /// A page in a space's tree.
    Page,
    /// A dated post of a space.
    BlogPost,
    /// A comment on a page or post.
    Comment,
    /// A file at a page or post.
    Attachment,
}

/// Where a piece of content is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Published.
    Current,
    /// Never published; for those who may edit.
    Draft,
    /// In the trash.
    Trashed,
    /// Put away, still readable.
    Archived,
}

/// The space of a page, as far as a page needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SpaceSummary {
    /// Its id.
    pub id: SpaceId,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// The page shown first.
    pub home_id: Option<ContentId>,
    /// How pages get published.
    pub mode: SpaceMode,
}

/// What one query finds out about a page: who may do what, and the keys of its cached forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageHead {
    /// Its id.
    pub id: ContentId,
    /// Page or blog post.
    pub kind: ContentKind,
    /// Its space.
    pub space: SpaceSummary,
    /// Grows with every change readers of the space see: `(id, stamp)` is the key of everything rendered.
    pub stamp: i64,
    /// Its title.
    pub title: String,
    /// Published, draft, in the trash, archived.
    pub status: Status,
    /// Number of the published version; 0 while never published.
    pub version: i64,
    /// The page above.
    pub parent_id: Option<ContentId>,
    /// yyyy-mm-dd of a blog post.
    pub posted_on: Option<String>,
    /// Whether this actor may comment.
    pub can_comment: bool,
    /// Whether this actor may edit.
    pub can_edit: bool,
    /// Whether this actor administers the space.
    pub can_administer: bool,
    /// Whether the live document differs from the published version.
    pub unpublished: bool,
    /// Whether reading or editing is restricted here or (reading) above.
    pub restricted: bool,
}

/// A page to link to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageLink {
    /// Its id.
    pub id: ContentId,
    /// Its title.
    pub title: String,
    /// Its canonical address, without the host.
    pub url: String,
}

/// Who wrote a page, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Byline {
    /// Who made it; imports of old exports do not always know.
    pub created_by: Option<Person>,
    /// When.
    pub created_at_ms: i64,
    /// Who published the current version.
    pub updated_by: Option<Person>,
    /// When.
    pub updated_at_ms: i64,
}

/// What everybody who may read a page sees of it. Shared and cached by `(id, stamp)`.
#[derive(Debug)]
pub struct PageContent {
    /// Canonical address, without the host.
    pub url: String,
    /// Sanitised body.
    pub html: String,
    /// The pages above, topmost first, without the page itself.
    pub breadcrumbs: Vec<PageLink>,
    /// Labels by name.
    pub labels: Vec<String>,
    /// Current attachments by name.
    pub attachments: Vec<Attachment>,
    /// Comments in the order of the conversation, answers after what they answer.
    pub comments: Vec<Comment>,
    /// Who wrote it, and when.
    pub byline: Byline,
}

/// A page as one actor sees it.
#[derive(Clone, Debug)]
pub struct PageView {
    /// Identity and rights.
    pub head: PageHead,
    /// The shared part.
    pub content: Arc<PageContent>,
    /// The pages below that this actor may read, in order.
    pub children: Arc<Vec<PageLink>>,
}

/// One page in the tree of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TreeNode {
    /// Its id.
    pub id: ContentId,
    /// Its title.
    pub title: String,
    /// Its canonical address.
    pub url: String,
    /// Whether it has pages below.
    pub has_children: bool,
    /// Never published.
    pub draft: bool,
    /// The pages below, if they were asked for (on the way to the current page).
    pub children: Vec<TreeNode>,
}

/// A page in a list: recent changes, blog posts, trash, pages with a label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PageSummary {
    /// Where it is.
    #[serde(flatten)]
    pub link: PageLink,
    /// Page or blog post.
    pub kind: ContentKind,
    /// Its space's key.
    pub space_key: String,
    /// Its space's name.
    pub space_name: String,
    /// Who changed it last.
    pub updated_by: Option<Person>,
    /// When.
    pub updated_at_ms: i64,
    /// yyyy-mm-dd of a blog post.
    pub posted_on: Option<String>,
    /// Number of the published version.
    pub version: i64,
}

/// Where a page goes in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Last among the pages below this one.
    Under(ContentId),
    /// At the top of its space, last.
    Top,
    /// Before this sibling.
    Before(ContentId),
    /// After this sibling.
    After(ContentId),
}

/// A page or blog post to be made, as a draft.
#[derive(Clone, Debug)]
pub struct NewPage {
    /// Key of its space.
    pub space_key: String,
    /// The page above; none: below the home page. Ignored for blog posts.
    pub parent: Option<ContentId>,
    /// Its title; must be free in the space.
    pub title: String,
    /// Page or blog post.
    pub kind: ContentKind,
}

/// Pages and blog posts.
#[derive(Clone, Copy)]
pub struct Pages<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Pages<'_> {
    /// Identity, rights and cache keys in one query. `NotFound`, or `Forbidden` for anonymous visitors.
    pub async fn head(&self, _actor: &Actor, _id: ContentId) -> Result<PageHead> {
        todo!()
    }

    /// Everything the reading page shows: one query when cached. Drafts that were never published show an empty body.
    pub async fn view(&self, _actor: &Actor, _id: ContentId) -> Result<PageView> {
        todo!()
    }

    /// The same after `head` was asked already.
    pub async fn view_of(&self, _actor: &Actor, _head: PageHead) -> Result<PageView> {
        todo!()
    }

    /// The top of a space's tree, opened along the way to the current page and one level below it.
    pub async fn tree(
        &self,
        _actor: &Actor,
        _space_key: &str,
        _current: Option<ContentId>,
    ) -> Result<Vec<TreeNode>> {
        todo!()
    }

    /// The pages right below one page, in order.
    pub async fn children(&self, _actor: &Actor, _parent: ContentId) -> Result<Vec<TreeNode>> {
        todo!()
    }

    /// Pages and posts changed last, of one space or of all this actor may read.
    pub async fn recent(
        &self,
        _actor: &Actor,
        _space_key: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<PageSummary>> {
        todo!()
    }

    /// Blog posts of a space, newest first; `day` is a prefix of yyyy-mm-dd.
    pub async fn blog_posts(
        &self,
        _actor: &Actor,
        _space_key: &str,
        _day: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<PageSummary>> {
        todo!()
    }

    /// Pages with a label, of one space or of all this actor may read.
    pub async fn labelled(
        &self,
        _actor: &Actor,
        _label: &str,
        _space_key: Option<&str>,
    ) -> Result<Vec<PageSummary>> {
        todo!()
    }

    /// Makes a draft. Publishing makes its first version.
    pub async fn create(&self, _actor: &Actor, _page: NewPage) -> Result<PageHead> {
        todo!()
    }

    /// Makes a page and publishes a body (storage format) as its first version in one step.
    pub async fn create_published(
        &self,
        _actor: &Actor,
        _page: NewPage,
        _storage: &str,
    ) -> Result<PageHead> {
        todo!()
    }

    /// Moves a page within its space, or with all below it to another space (`Under` a page there).
    pub async fn move_to(&self, _actor: &Actor, _id: ContentId, _place: Place) -> Result<()> {
        todo!()
    }

    /// Puts a page in the trash; the pages below move up to its parent.
    pub async fn trash(&self, _actor: &Actor, _id: ContentId) -> Result<()> {
        todo!()
    }

    /// Takes a page out of the trash, to where it was if that still exists. `Conflict` when its title was taken.
    pub async fn restore_from_trash(&self, _actor: &Actor, _id: ContentId) -> Result<()> {
        todo!()
    }

    /// What is in a space's trash. Those who may edit the space.
    pub async fn trashed(&self, _actor: &Actor, _space_key: &str) -> Result<Vec<PageSummary>> {
        todo!()
    }

    /// Sanitised HTML of a body that is not stored (yet), with links resolved as on that page.
    pub async fn preview(&self, _actor: &Actor, _id: ContentId, _storage: &str) -> Result<String> {
        todo!()
    }
}
