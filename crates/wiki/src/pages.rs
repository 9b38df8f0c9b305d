//! Pages and blog posts: reading, the tree, making, renaming, moving, the trash.

use crate::actor::{Actor, Person};
use crate::attachments::Attachment;
use crate::changes;
use crate::comments::Comment;
use crate::error::Result;
use crate::head;
use crate::ids::{ContentId, SpaceId, UserId};
use crate::lists;
use crate::permissions::{self, Right};
use crate::spaces::SpaceMode;
use crate::tree;
use crate::view;
use crate::wiki::Wiki;
use serde::Serialize;
use std::sync::Arc;
use storage::Row;

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

impl ContentKind {
    /// The value of column `kind`.
    pub fn column(self) -> &'static str {
        match self {
            ContentKind::Page => "page",
            ContentKind::BlogPost => "blogpost",
            ContentKind::Comment => "comment",
            ContentKind::Attachment => "attachment",
        }
    }

    pub(crate) fn of_column(text: &str) -> ContentKind {
        match text {
            "blogpost" => ContentKind::BlogPost,
            "comment" => ContentKind::Comment,
            "attachment" => ContentKind::Attachment,
            _ => ContentKind::Page,
        }
    }
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

impl Status {
    pub(crate) fn of_column(text: &str) -> Status {
        match text {
            "draft" => Status::Draft,
            "trashed" => Status::Trashed,
            "archived" => Status::Archived,
            _ => Status::Current,
        }
    }
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

impl PageHead {
    /// The canonical address, without the host.
    pub fn url(&self) -> String {
        crate::addresses::content_url(
            self.kind,
            &self.space.key,
            self.id,
            self.posted_on.as_deref(),
            &self.title,
        )
    }
}

/// The person of columns `user_id`, `user_name`, `user_full_name` of an outer join.
pub(crate) fn person_joined(row: &Row) -> Result<Option<Person>> {
    match row.opt_i64("user_id")? {
        Some(id) => Ok(Some(Person {
            id: UserId::new(id),
            name: row.text("user_name")?,
            full_name: row.text("user_full_name")?,
        })),
        None => Ok(None),
    }
}

/// Pages and blog posts.
#[derive(Clone, Copy)]
pub struct Pages<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Pages<'_> {
    /// Identity, rights and cache keys in one query. `NotFound`, or `Forbidden` for anonymous visitors.
    pub async fn head(&self, actor: &Actor, id: ContentId) -> Result<PageHead> {
        let actor = actor.clone();
        self.wiki.read(move |tx| head::read(tx, &actor, id)).await
    }

    /// Everything the reading page shows: one query when cached. Drafts that were never published show an empty body.
    pub async fn view(&self, actor: &Actor, id: ContentId) -> Result<PageView> {
        let head = self.head(actor, id).await?;
        self.view_of(actor, head).await
    }

    /// The same after `head` was asked already.
    pub async fn view_of(&self, actor: &Actor, head: PageHead) -> Result<PageView> {
        view::view_of(self.wiki, actor, head).await
    }

    /// The top of a space's tree, opened along the way to the current page and one level below it.
    pub async fn tree(
        &self,
        actor: &Actor,
        space_key: &str,
        current: Option<ContentId>,
    ) -> Result<Vec<TreeNode>> {
        let (actor, key) = (actor.clone(), space_key.to_owned());
        self.wiki
            .read(move |tx| tree::of_space(tx, &actor, &key, current))
            .await
    }

    /// The pages right below one page, in order.
    pub async fn children(&self, actor: &Actor, parent: ContentId) -> Result<Vec<TreeNode>> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| tree::below(tx, &actor, parent))
            .await
    }

    /// Pages and posts changed last, of one space or of all this actor may read.
    pub async fn recent(
        &self,
        actor: &Actor,
        space_key: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PageSummary>> {
        let (actor, key) = (actor.clone(), space_key.map(str::to_owned));
        self.wiki
            .read(move |tx| lists::recent(tx, &actor, key.as_deref(), limit))
            .await
    }

    /// Blog posts of a space, newest first; `day` is a prefix of yyyy-mm-dd.
    pub async fn blog_posts(
        &self,
        actor: &Actor,
        space_key: &str,
        day: Option<&str>,
        limit: usize,
    ) -> Result<Vec<PageSummary>> {
        let (actor, key, day) = (
            actor.clone(),
            space_key.to_owned(),
            day.unwrap_or_default().to_owned(),
        );
        self.wiki
            .read(move |tx| lists::blog_posts(tx, &actor, &key, &day, limit))
            .await
    }

    /// Pages with a label, of one space or of all this actor may read, by title.
    pub async fn labelled(
        &self,
        actor: &Actor,
        label: &str,
        space_key: Option<&str>,
    ) -> Result<Vec<PageSummary>> {
        let (actor, label, key) = (
            actor.clone(),
            label.to_owned(),
            space_key.map(str::to_owned),
        );
        self.wiki
            .read(move |tx| lists::labelled(tx, &actor, &label, key.as_deref()))
            .await
    }

    /// What is in a space's trash, newest first. Those who may edit the space.
    pub async fn trashed(&self, actor: &Actor, space_key: &str) -> Result<Vec<PageSummary>> {
        let (actor, key) = (actor.clone(), space_key.to_owned());
        self.wiki
            .read(move |tx| lists::trashed(tx, &actor, &key))
            .await
    }

    /// Makes a draft. Publishing makes its first version.
    pub async fn create(&self, actor: &Actor, page: NewPage) -> Result<PageHead> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let id = changes::create(tx, &actor, &page, now_ms)?;
                head::read(tx, &actor, id)
            })
            .await
    }

    /// Makes a page and publishes a body (storage format) as its first version in one step.
    pub async fn create_published(
        &self,
        actor: &Actor,
        page: NewPage,
        storage: &str,
    ) -> Result<PageHead> {
        let (actor, storage, now_ms) = (actor.clone(), storage.to_owned(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let id = changes::create_published(tx, &actor, &page, &storage, now_ms)?;
                head::read(tx, &actor, id)
            })
            .await
    }

    /// Moves a page within its space, or with all below it to another space (`Under` a page there).
    pub async fn move_to(&self, actor: &Actor, id: ContentId, place: Place) -> Result<()> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| tree::move_to(tx, &actor, id, place, now_ms))
            .await
    }

    /// Puts a page in the trash; the pages below move up to its parent. A draft that was never published goes too.
    pub async fn trash(&self, actor: &Actor, id: ContentId) -> Result<()> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| changes::trash(tx, &actor, id, now_ms))
            .await
    }

    /// Takes a page out of the trash, to where it was if that still exists. `Conflict` when its title was taken.
    pub async fn restore_from_trash(&self, actor: &Actor, id: ContentId) -> Result<()> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| changes::restore_from_trash(tx, &actor, id, now_ms))
            .await
    }

    /// Sanitised HTML of a body that is not stored (yet), with links resolved as on that page.
    pub async fn preview(&self, actor: &Actor, id: ContentId, storage: &str) -> Result<String> {
        let (actor, storage) = (actor.clone(), storage.to_owned());
        self.wiki
            .read(move |tx| {
                let (_, head) = permissions::require(tx, &actor, id, Right::View)?;
                Ok(view::render(tx, &view::Place::of(&head), &storage))
            })
            .await
    }
}
