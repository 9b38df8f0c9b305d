//! Labels of pages and blog posts.

use crate::actor::Actor;
use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;
use serde::Serialize;

/// A label and how many pages this actor may read have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub name: String,
    /// Pages and posts with it.
    pub pages: i64,
}

/// Labels.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Labels<'_> {
    /// Adds labels (lower case, no blanks) to a page; those it has are fine.
    pub async fn add(&self, _actor: &Actor, _page: ContentId, _names: &[String]) -> Result<()> {
        todo!()
    }

    /// Takes a label off a page; one it does not have is fine.
    pub async fn remove(&self, _actor: &Actor, _page: ContentId, _name: &str) -> Result<()> {
        todo!()
    }

    /// The labels of a space, or of all this actor may read, most used first.
    pub async fn list(
        &self,
        _actor: &Actor,
        _space_key: Option<&str>,
        _limit: usize,
    ) -> Result<Vec<LabelCount>> {
        todo!()
    }
}
