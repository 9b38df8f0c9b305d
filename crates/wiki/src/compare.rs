//! Two versions of a page compared in place: the page as it reads, with insertions and deletions marked.

use crate::versions::VersionSummary;
use serde::Serialize;

/// What happened to a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The same in both.
    Same,
    /// Only in the newer one.
    Added,
    /// Only in the older one.
    Removed,
    /// In both, with words marked by `<ins>` and `<del>`.
    Changed,
}

/// One top-level block of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComparedBlock {
    /// What happened to it.
    pub change: Change,
    /// Sanitised HTML, with `<ins>` and `<del>` around changed words.
    pub html: String,
}

/// Two versions, compared.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The older one.
    pub from: VersionSummary,
    /// The newer one.
    pub to: VersionSummary,
    /// The page from top to bottom.
    pub blocks: Vec<ComparedBlock>,
    /// Blocks that are not the same.
    pub changes: usize,
}
