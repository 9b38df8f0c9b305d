//! Who may do what: rights of a space, restrictions of a page, and the grant that proves a check was made.

use crate::error::Result;
use crate::ids::{ContentId, GroupId, SpaceId, UserId};
use serde::Serialize;

/// What somebody may do in a space; each right includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// Read.
    View,
    /// Comment.
    Comment,
    /// Make and change pages, blog posts, attachments, labels.
    Edit,
    /// Change the space itself and who may do what in it.
    Admin,
}

/// To whom a right of a space is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "id")]
pub enum Subject {
    /// Everybody, logged in or not.
    Anonymous,
    /// Everybody who is logged in.
    Users,
    /// The members of a group.
    Group(GroupId),
    /// One account.
    User(UserId),
}

/// One line of a space's permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// To whom.
    pub subject: Subject,
    /// The subject's name, for people.
    pub subject_name: String,
    /// What.
    pub right: Right,
}

/// What a restriction of a page limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Reading; holds for all pages below too.
    View,
    /// Changing; holds for this page alone.
    Edit,
}

/// Proof that an actor may do something to a space or a piece of content. Only this file makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(crate) space: SpaceId,
    pub(crate) content: Option<ContentId>,
    pub(crate) right: Right,
    pub(crate) user: Option<UserId>,
}

impl Grant {
    /// The space it is for.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// The content it is for, if it is for one.
    pub fn content(&self) -> Option<ContentId> {
        self.content
    }

    /// What it allows.
    pub fn right(&self) -> Right {
        self.right
    }

    /// Who was granted it; none for anonymous visitors and the program itself.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

impl crate::Wiki {
    /// Asks for a right on a piece of content (for comments and attachments: on their page). This is what the
    /// live connection asks at join and after every change of rights.
    pub async fn grant(
        &self,
        _actor: &crate::Actor,
        _content: ContentId,
        _right: Right,
    ) -> Result<Grant> {
        todo!()
    }
}
