//! Spaces: making, listing, settings, permissions.

use crate::actor::Actor;
use crate::error::Result;
use crate::ids::{ContentId, SpaceId};
use crate::permissions::{Permission, Right, Subject};
use crate::wiki::Wiki;
use serde::Serialize;

/// Whether pages are published explicitly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SpaceMode {
    /// People edit a shared draft and publish it.
    Drafts,
    /// What is typed is published by itself.
    Live,
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
    pub async fn list(&self, _actor: &Actor) -> Result<Vec<Space>> {
        todo!()
    }

    /// A space by key, ignoring case.
    pub async fn find(&self, _actor: &Actor, _key: &str) -> Result<Space> {
        todo!()
    }

    /// Makes a space with a home page. Everybody logged in may edit it; its maker administers it.
    pub async fn create(&self, _actor: &Actor, _space: NewSpace) -> Result<Space> {
        todo!()
    }

    /// Changes a space. Its administrators only.
    pub async fn update(&self, _actor: &Actor, _key: &str, _change: SpaceChange) -> Result<Space> {
        todo!()
    }

    /// Who may do what. Its administrators only.
    pub async fn permissions(&self, _actor: &Actor, _key: &str) -> Result<Vec<Permission>> {
        todo!()
    }

    /// Gives a subject a right instead of the one it has; `None` takes it away.
    pub async fn permit(
        &self,
        _actor: &Actor,
        _key: &str,
        _subject: Subject,
        _right: Option<Right>,
    ) -> Result<()> {
        todo!()
    }
}
