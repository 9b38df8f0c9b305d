//! Verifies what is stored: hashes of blobs, continuity of logs, references, the search index.

use crate::error::Result;
use crate::wiki::Wiki;
use serde::Serialize;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was looked at: name and number.
    pub examined: Vec<(String, u64)>,
    /// One line for each thing that is wrong. Empty: all is well.
    pub faults: Vec<String>,
}

impl Wiki {
    /// Verifies everything that is stored.
    pub async fn check(&self) -> Result<CheckReport> {
        todo!()
    }
}
