//! Versions: what was published when and by whom; comparing and restoring.

use crate::actor::{Actor, Person};
use crate::compare::Comparison;
use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;
use serde::Serialize;

/// One published state, without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionSummary {
    /// 1, 2, 3 ...; imports may have gaps.
    pub number: i64,
    /// The title it had.
    pub title: String,
    /// Who published it.
    pub author: Option<Person>,
    /// Who else wrote in it.
    pub contributors: Vec<Person>,
    /// What the author said about it.
    pub message: String,
    /// Not worth telling others.
    pub minor: bool,
    /// When.
    pub created_at_ms: i64,
}

/// One published state with its body.
#[derive(Clone, Debug)]
pub struct VersionBody {
    /// Number, author, date.
    pub summary: VersionSummary,
    /// The storage format.
    pub storage: String,
    /// Sanitised HTML.
    pub html: String,
}

/// Versions of pages and blog posts.
#[derive(Clone, Copy)]
pub struct Versions<'a> {
    pub(crate) wiki: &'a Wiki,
}

impl Versions<'_> {
    /// Newest first, below `before` (none: from the newest on).
    pub async fn list(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _before: Option<i64>,
        _limit: usize,
    ) -> Result<Vec<VersionSummary>> {
        todo!()
    }

    /// One version with its body; none: the current one.
    pub async fn body(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _number: Option<i64>,
    ) -> Result<VersionBody> {
        todo!()
    }

    /// What changed from one version to another, on the rendered page.
    pub async fn compare(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _from: i64,
        _to: i64,
    ) -> Result<Comparison> {
        todo!()
    }

    /// Publishes an old version again as a new one, for open editors too. Returns the new number.
    pub async fn restore(&self, _actor: &Actor, _page: ContentId, _number: i64) -> Result<i64> {
        todo!()
    }
}
