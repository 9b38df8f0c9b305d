//! Search over titles and bodies. The index is under the data directory and can always be built again.

use crate::actor::Actor;
use crate::error::Result;
use crate::ids::ContentId;
use crate::pages::ContentKind;
use crate::wiki::Wiki;
use serde::Serialize;

/// What somebody looks for.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words; the last one may be unfinished.
    pub text: String,
    /// Only in this space.
    pub space_key: Option<String>,
    /// Only this kind.
    pub kind: Option<ContentKind>,
    /// Only with this label.
    pub label: Option<String>,
    /// How many hits to skip.
    pub offset: usize,
    /// How many hits to return; 0 means the default.
    pub limit: usize,
}

/// A piece of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fragment {
    /// Plain text.
    pub text: String,
    /// Whether it matches.
    pub matched: bool,
}

/// Something found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchHit {
    /// Its id.
    pub id: ContentId,
    /// What it is.
    pub kind: ContentKind,
    /// Its title (a comment's: its page's).
    pub title: String,
    /// Its space's key.
    pub space_key: String,
    /// Its space's name.
    pub space_name: String,
    /// Its address.
    pub url: String,
    /// The place that matches.
    pub excerpt: Vec<Fragment>,
    /// When it changed last.
    pub updated_at_ms: i64,
}

/// A page of hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchResult {
    /// How many there are in all.
    pub total: usize,
    /// Best first.
    pub hits: Vec<SearchHit>,
}

impl Wiki {
    /// Finds what this actor may read.
    pub async fn search(&self, _actor: &Actor, _query: SearchQuery) -> Result<SearchResult> {
        todo!()
    }
}
