//! Who may do what: rights of a space, restrictions of a page, and the grant that proves a check was made.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::{ContentId, GroupId, SpaceId, UserId};
use crate::pages::PageHead;
use serde::Serialize;
use std::collections::HashSet;
use storage::{Tx, params};

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

impl Right {
    /// The number in column `level`.
    pub(crate) fn level(self) -> i64 {
        match self {
            Right::View => 1,
            Right::Comment => 2,
            Right::Edit => 3,
            Right::Admin => 4,
        }
    }

    /// The right of a level; none for 0.
    pub(crate) fn of_level(level: i64) -> Option<Right> {
        match level {
            1 => Some(Right::View),
            2 => Some(Right::Comment),
            3 => Some(Right::Edit),
            4.. => Some(Right::Admin),
            _ => None,
        }
    }
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

impl Subject {
    /// The values of columns `subject_kind` and `subject_id`.
    pub(crate) fn columns(self) -> (&'static str, i64) {
        match self {
            Subject::Anonymous => ("anonymous", 0),
            Subject::Users => ("users", 0),
            Subject::Group(id) => ("group", id.get()),
            Subject::User(id) => ("user", id.get()),
        }
    }

    /// The subject of the two columns.
    pub(crate) fn of_columns(kind: &str, id: i64) -> Subject {
        match kind {
            "anonymous" => Subject::Anonymous,
            "group" => Subject::Group(GroupId::new(id)),
            "user" => Subject::User(UserId::new(id)),
            _ => Subject::Users,
        }
    }
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

/// Proof that an actor may do something to a space or a piece of content. Only this file makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    space: SpaceId,
    content: ContentId,
    right: Right,
    user: Option<UserId>,
}

impl Grant {
    /// The space it is for.
    pub fn space(&self) -> SpaceId {
        self.space
    }

    /// The page or blog post it is for.
    pub fn content(&self) -> ContentId {
        self.content
    }

    /// What it allows: the right that was asked for.
    pub fn right(&self) -> Right {
        self.right
    }

    /// Who was granted it; none for anonymous visitors and the program itself.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

impl crate::Wiki {
    /// Asks for a right on a page or blog post. This is what the live connection asks at join and after every change
    /// of rights.
    pub async fn grant(&self, actor: &Actor, content: ContentId, right: Right) -> Result<Grant> {
        let actor = actor.clone();
        self.read(move |tx| Ok(require(tx, &actor, content, right)?.0))
            .await
    }
}

/// The page and the proof, or why not.
pub(crate) fn require(
    tx: &Tx,
    actor: &Actor,
    content: ContentId,
    right: Right,
) -> Result<(Grant, PageHead)> {
    let head = head::read(tx, actor, content)?;
    let allowed = match right {
        Right::View => true,
        Right::Comment => head.can_comment,
        Right::Edit => head.can_edit,
        Right::Admin => head.can_administer,
    };
    if !allowed {
        return Err(refusal(actor, right, &format!("page `{}`", head.title)));
    }
    let grant = Grant {
        space: head.space.id,
        content: head.id,
        right,
        user: actor.user_id(),
    };
    Ok((grant, head))
}

/// Why somebody may not, and what to do about it.
pub(crate) fn refusal(actor: &Actor, right: Right, what: &str) -> Error {
    let verb = match right {
        Right::View => "read",
        Right::Comment => "comment on",
        Right::Edit => "edit",
        Right::Admin => "administer",
    };
    if actor.is_anonymous() {
        return Error::Forbidden(format!("log in to {verb} {what}"));
    }
    Error::Forbidden(format!(
        "you may not {verb} {what}; ask an administrator of the space for the right"
    ))
}

/// The number that stands for an actor in SQL: 0 for those who are nobody in particular.
pub(crate) fn sql_user(actor: &Actor) -> i64 {
    actor.user_id().map_or(0, UserId::get)
}

/// SQL: the level that user `$1` has in the space of alias `s`; 0 for none. Administrators of the site are not in here.
pub(crate) const LEVEL: &str = "COALESCE((SELECT MAX(p.level) FROM space_permission p WHERE p.space_id = s.id AND (
    p.subject_kind = 'anonymous'
    OR (p.subject_kind = 'users' AND CAST($1 AS BIGINT) > 0)
    OR (p.subject_kind = 'user' AND p.subject_id = CAST($1 AS BIGINT))
    OR (p.subject_kind = 'group' AND p.subject_id IN (SELECT m.group_id FROM membership m WHERE m.user_id = CAST($1 AS BIGINT))))), 0)";

/// SQL: whether user `$1` is among the subjects of a restriction of alias `r`.
pub(crate) const NAMED: &str = "((r.subject_kind = 'user' AND r.subject_id = CAST($1 AS BIGINT))
    OR (r.subject_kind = 'users' AND CAST($1 AS BIGINT) > 0)
    OR (r.subject_kind = 'group' AND r.subject_id IN (SELECT m.group_id FROM membership m WHERE m.user_id = CAST($1 AS BIGINT))))";

/// The spaces this actor may read.
pub(crate) fn readable_spaces(tx: &Tx, actor: &Actor) -> Result<Vec<i64>> {
    let sql = if actor.is_admin() {
        "SELECT s.id FROM space s WHERE CAST($1 AS BIGINT) >= 0".to_owned()
    } else {
        format!("SELECT s.id FROM space s WHERE {LEVEL} > 0")
    };
    tx.query(&sql, params![sql_user(actor)])?
        .iter()
        .map(|row| Ok(row.i64(0)?))
        .collect()
}

/// Pages that restrict reading to others than this actor. They and all below them are out of bounds.
pub(crate) fn denied_pages(tx: &Tx, actor: &Actor) -> Result<HashSet<i64>> {
    if actor.is_admin() {
        return Ok(HashSet::new());
    }
    let sql = format!(
        "SELECT r.content_id FROM content_restriction r WHERE r.operation = 'view' GROUP BY r.content_id
         HAVING MAX(CASE WHEN {NAMED} THEN 1 ELSE 0 END) = 0"
    );
    tx.query(&sql, params![sql_user(actor)])?
        .iter()
        .map(|row| Ok(row.i64(0)?))
        .collect()
}

/// Whether a page or one above it is among the denied ones.
pub(crate) fn is_below_denied(tx: &Tx, denied: &HashSet<i64>, page: i64) -> Result<bool> {
    if denied.is_empty() {
        return Ok(false);
    }
    let above = tx.query(head::SELECT_UP, params![page])?;
    for row in above {
        if denied.contains(&row.i64("id")?) {
            return Ok(true);
        }
    }
    Ok(false)
}
