//! One file that holds everything: the tables as lines of JSON, the blobs, and a manifest with counts and hashes.
//!
//! The file is a zip. `tables/NAME.jsonl` starts with a line `{"columns":[...]}`; every further line is one row, an array in
//! the order of the columns, with numbers, strings, null, and `{"b64":"..."}` for bytes. `blobs/SHA256` are the blobs.
//! `manifest.json` comes last, because it tells how many rows and which hashes there were. Nothing in it depends on the kind
//! of database: a backup of SQLite is restored into PostgreSQL and the other way round.

mod backup;
mod restore;
mod rows;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use backup::backup;
pub use restore::restore;

/// The form of the file that this program writes and reads.
const FORMAT: u64 = 1;

/// What a backup file says about itself.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct BackupManifest {
    /// The form of the file.
    pub format: u64,
    /// When it was made, in epoch milliseconds.
    pub created_at_ms: i64,
    /// The migrations that had been applied.
    pub schema: SchemaVersions,
    /// Rows and hash of every table.
    pub tables: BTreeMap<String, TableEntry>,
    /// How many blobs there are.
    pub blobs: u64,
    /// How many bytes they have.
    pub blob_bytes: u64,
    /// Blobs that were found damaged and are therefore not in the file.
    pub damaged_blobs: Vec<String>,
}

/// Numbers of the last migrations.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct SchemaVersions {
    /// Of the tables of this crate.
    pub storage: i64,
    /// Of the caller's tables.
    pub caller: i64,
}

/// What the manifest tells of one table.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct TableEntry {
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 of the lines.
    pub sha256: String,
}

/// What a backup, a restore or a check is doing, for people who wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    /// `table NAME`, or `attachments`.
    pub step: &'a str,
    /// Rows or attachments so far.
    pub done: u64,
}
