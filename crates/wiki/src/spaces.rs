//! Spaces: making, listing, settings, permissions.

use crate::accounts::require_login;
use crate::actor::Actor;
use crate::changes::{self, NewContent};
use crate::error::{Error, Result};
use crate::ids::{ContentId, SpaceId, UserId};
use crate::live;
use crate::lookup;
use crate::names;
use crate::pages::ContentKind;
use crate::permissions::{LEVEL, Permission, Right, Subject, refusal, sql_user};
use crate::publish::{self, NewVersion};
use crate::sequence;
use crate::wiki::Wiki;
use serde::Serialize;
use storage::{Row, Tx, WriteTx, params};

/// Whether pages are published explicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceMode {
    /// People edit a shared draft and publish it.
    Drafts,
    /// What is typed is published by itself.
    Live,
}

impl SpaceMode {
    pub(crate) fn of_column(text: &str) -> SpaceMode {
        if text == "live" {
            SpaceMode::Live
        } else {
            SpaceMode::Drafts
        }
    }

    fn column(self) -> &'static str {
        match self {
            SpaceMode::Drafts => "drafts",
            SpaceMode::Live => "live",
        }
    }
}

/// A space as one actor sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Space {
    /// Its id.
    pub id: SpaceId,
    /// Its key, in the case it was made with.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Plain text.
    pub description: String,
    /// Whether it belongs to one person (`~name`).
    pub personal: bool,
    /// Whether it is put away: readable, not listed first.
    pub archived: bool,
    /// How pages get published.
    pub mode: SpaceMode,
    /// The page shown first.
    pub home_id: Option<ContentId>,
    /// Grows with every change that readers see.
    pub stamp: i64,
    /// What this actor may do here.
    pub right: Right,
    /// Whether anonymous visitors may read.
    pub anonymous_reading: bool,
}

/// A space to be made.
#[derive(Clone, Debug, Default)]
pub struct NewSpace {
    /// Letters and digits, or `~name` for a personal space.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Plain text.
    pub description: String,
}

/// What to change of a space; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct SpaceChange {
    /// Its name.
    pub name: Option<String>,
    /// Plain text.
    pub description: Option<String>,
    /// Whether anonymous visitors may read.
    pub anonymous_reading: Option<bool>,
    /// How pages get published.
    pub mode: Option<SpaceMode>,
    /// The page shown first.
    pub home_id: Option<ContentId>,
    /// Whether it is put away.
    pub archived: Option<bool>,
}

/// The spaces of the site.
#[derive(Clone, Copy)]
pub struct Spaces<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Spaces<'_> {
    /// The spaces this actor may read, by name; archived ones last.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<Space>> {
        let actor = actor.clone();
        let sql = format!(
            "{} WHERE {LEVEL} > 0 OR CAST($2 AS BIGINT) = 1",
            select_space()
        );
        let mut spaces: Vec<Space> = self
            .wiki
            .read(move |tx| {
                let rows = tx.query(&sql, params![sql_user(&actor), actor.is_admin()])?;
                rows.iter().map(|row| space_of(row, &actor)).collect()
            })
            .await?;
        spaces.sort_by_cached_key(|space| (space.archived, space.name.to_lowercase(), space.id));
        Ok(spaces)
    }

    /// A space by key, ignoring case. `NotFound`, or `Forbidden` for anonymous visitors.
    pub async fn find(&self, actor: &Actor, key: &str) -> Result<Space> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.wiki
            .read(move |tx| require(tx, &actor, &key, Right::View))
            .await
    }

    /// Makes a space with a home page. Everybody logged in may edit it; its maker administers it.
    pub async fn create(&self, actor: &Actor, space: NewSpace) -> Result<Space> {
        require_login(actor)?;
        let space = NewSpace {
            key: names::space_key(&space.key)?,
            name: names::name(&space.name, "space name")?,
            description: space.description.trim().to_owned(),
        };
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let id = insert(tx, &space, actor.user_id(), now_ms)?;
                set_permission(tx, id, Subject::Users, Some(Right::Edit))?;
                if let Some(user) = actor.user_id() {
                    set_permission(tx, id, Subject::User(user), Some(Right::Admin))?;
                }
                insert_home(tx, id, &space.name, actor.user_id(), now_ms)?;
                require(tx, &actor, &space.key, Right::View)
            })
            .await
    }

    /// Changes a space. Its administrators only.
    pub async fn update(&self, actor: &Actor, key: &str, change: SpaceChange) -> Result<Space> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.wiki
            .write(move |tx| {
                let space = require(tx, &actor, &key, Right::Admin)?;
                apply(tx, &space, &change)?;
                bump_stamp(tx, space.id)?;
                require(tx, &actor, &key, Right::View)
            })
            .await
    }

    /// Who may do what. Its administrators only.
    pub async fn permissions(&self, actor: &Actor, key: &str) -> Result<Vec<Permission>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        let sql = "SELECT p.subject_kind, p.subject_id, p.level, COALESCE(u.full_name, g.name, '') AS subject_name
            FROM space_permission p
            LEFT JOIN user_account u ON p.subject_kind = 'user' AND u.id = p.subject_id
            LEFT JOIN user_group g ON p.subject_kind = 'group' AND g.id = p.subject_id
            WHERE p.space_id = $1 ORDER BY p.subject_kind, p.subject_id";
        self.wiki
            .read(move |tx| {
                let space = require(tx, &actor, &key, Right::Admin)?;
                tx.query(sql, params![space.id])?
                    .iter()
                    .map(permission_of)
                    .collect()
            })
            .await
    }

    /// Gives a subject a right instead of the one it has; `None` takes it away. Administrators of the space only.
    pub async fn permit(
        &self,
        actor: &Actor,
        key: &str,
        subject: Subject,
        right: Option<Right>,
    ) -> Result<()> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.wiki
            .write(move |tx| {
                let space = require(tx, &actor, &key, Right::Admin)?;
                set_permission(tx, space.id, subject, right)?;
                bump_stamp(tx, space.id)
            })
            .await
    }
}

/// The space of a key, if this actor has the right in it.
pub(crate) fn require(tx: &Tx, actor: &Actor, key: &str, right: Right) -> Result<Space> {
    let sql = format!("{} WHERE s.id = $2", select_space());
    let missing = || Error::NotFound(format!("there is no space `{key}`, or you may not read it"));
    let id = lookup::space_by_key(tx, key)?.ok_or_else(missing)?;
    let row = tx
        .query_opt(&sql, params![sql_user(actor), id])?
        .ok_or_else(missing)?;
    let level = if actor.is_admin() {
        Right::Admin.level()
    } else {
        row.i64("level")?
    };
    if level < Right::View.level() {
        return Err(if actor.is_anonymous() {
            refusal(actor, Right::View, "this space")
        } else {
            missing()
        });
    }
    if level < right.level() {
        return Err(refusal(actor, right, &format!("space `{key}`")));
    }
    space_of(&row, actor)
}

/// Stores a space without permissions and pages. `Conflict` when the key is in use.
pub(crate) fn insert(
    tx: &WriteTx,
    space: &NewSpace,
    maker: Option<UserId>,
    now_ms: i64,
) -> Result<SpaceId> {
    let lower_key = names::fold(&space.key);
    if tx
        .query_opt(
            "SELECT id FROM space WHERE lower_key = $1",
            params![&lower_key],
        )?
        .is_some()
    {
        return Err(Error::Conflict(format!(
            "there is a space `{}` already; choose another key",
            space.key
        )));
    }
    let id = SpaceId::new(sequence::next_id(tx, "space")?);
    let kind = if space.key.starts_with('~') {
        "personal"
    } else {
        "global"
    };
    tx.execute(
        "INSERT INTO space (id, key, lower_key, name, kind, description, created_by, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            id,
            &space.key,
            &lower_key,
            &space.name,
            kind,
            &space.description,
            maker,
            now_ms
        ],
    )?;
    Ok(id)
}

/// Gives a subject a right in a space, or takes it away.
pub(crate) fn set_permission(
    tx: &WriteTx,
    space: SpaceId,
    subject: Subject,
    right: Option<Right>,
) -> Result<()> {
    let (kind, id) = subject.columns();
    live::rights_changed(tx)?;
    let Some(right) = right else {
        let sql = "DELETE FROM space_permission WHERE space_id = $1 AND subject_kind = $2 AND subject_id = $3";
        tx.execute(sql, params![space, kind, id])?;
        return Ok(());
    };
    let sql = "INSERT INTO space_permission (space_id, subject_kind, subject_id, level) VALUES ($1, $2, $3, $4)
        ON CONFLICT (space_id, subject_kind, subject_id) DO UPDATE SET level = excluded.level";
    tx.execute(sql, params![space, kind, id, right.level()])?;
    Ok(())
}

/// Notes that readers of the space see something else now. Part of every change.
pub(crate) fn bump_stamp(tx: &WriteTx, space: SpaceId) -> Result<()> {
    tx.execute(
        "UPDATE space SET stamp = stamp + 1 WHERE id = $1",
        params![space],
    )?;
    Ok(())
}

fn insert_home(
    tx: &WriteTx,
    space: SpaceId,
    name: &str,
    maker: Option<UserId>,
    now_ms: i64,
) -> Result<()> {
    let new = NewContent {
        kind: ContentKind::Page,
        space,
        parent: None,
        title: name,
        maker,
        posted_on: None,
        now_ms,
    };
    let home = changes::insert_draft(tx, &new)?;
    publish::insert_version(
        tx,
        &NewVersion {
            author: maker,
            ..NewVersion::new(home, name, "", now_ms)
        },
    )?;
    tx.execute(
        "UPDATE space SET home_id = $2 WHERE id = $1",
        params![space, home],
    )?;
    Ok(())
}

fn apply(tx: &WriteTx, space: &Space, change: &SpaceChange) -> Result<()> {
    if let Some(name) = &change.name {
        let name = names::name(name, "space name")?;
        tx.execute(
            "UPDATE space SET name = $2 WHERE id = $1",
            params![space.id, name],
        )?;
    }
    if let Some(description) = &change.description {
        tx.execute(
            "UPDATE space SET description = $2 WHERE id = $1",
            params![space.id, description.trim()],
        )?;
    }
    if let Some(mode) = change.mode {
        tx.execute(
            "UPDATE space SET mode = $2 WHERE id = $1",
            params![space.id, mode.column()],
        )?;
    }
    if let Some(archived) = change.archived {
        let status = if archived { "archived" } else { "current" };
        tx.execute(
            "UPDATE space SET status = $2 WHERE id = $1",
            params![space.id, status],
        )?;
    }
    if let Some(home) = change.home_id {
        let sql = "UPDATE space SET home_id = $2 WHERE id = $1 AND EXISTS
            (SELECT 1 FROM content WHERE id = $2 AND space_id = $1 AND kind = 'page' AND status = 'current')";
        if tx.execute(sql, params![space.id, home])? == 0 {
            return Err(Error::Invalid(format!(
                "page `{home}` is not a published page of this space; choose one"
            )));
        }
    }
    match change.anonymous_reading {
        Some(true) => set_permission(tx, space.id, Subject::Anonymous, Some(Right::View)),
        Some(false) => set_permission(tx, space.id, Subject::Anonymous, None),
        None => Ok(()),
    }
}

fn select_space() -> String {
    format!(
        "SELECT s.id, s.key, s.name, s.kind, s.status, s.mode, s.home_id, s.description, s.stamp,
            CAST({LEVEL} AS BIGINT) AS level,
            (SELECT COUNT(*) FROM space_permission a WHERE a.space_id = s.id AND a.subject_kind = 'anonymous') AS anonymous
         FROM space s"
    )
}

fn space_of(row: &Row, actor: &Actor) -> Result<Space> {
    let right = if actor.is_admin() {
        Some(Right::Admin)
    } else {
        Right::of_level(row.i64("level")?)
    };
    Ok(Space {
        id: SpaceId::new(row.i64("id")?),
        key: row.text("key")?,
        name: row.text("name")?,
        description: row.text("description")?,
        personal: row.text_ref("kind")? == "personal",
        archived: row.text_ref("status")? == "archived",
        mode: SpaceMode::of_column(row.text_ref("mode")?),
        home_id: row.opt_i64("home_id")?.map(ContentId::new),
        stamp: row.i64("stamp")?,
        right: right.unwrap_or(Right::View),
        anonymous_reading: row.i64("anonymous")? > 0,
    })
}

fn permission_of(row: &Row) -> Result<Permission> {
    let subject = Subject::of_columns(row.text_ref("subject_kind")?, row.i64("subject_id")?);
    let right = Right::of_level(row.i64("level")?).unwrap_or(Right::View);
    Ok(Permission {
        subject,
        subject_name: row.text("subject_name")?,
        right,
    })
}
