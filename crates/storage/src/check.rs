//! Verifies what this crate can verify by itself: the database's own structure, references, and the hashes of blobs.

use std::collections::HashSet;
use std::io;

use crate::blobs::{self, Hashing};
use crate::session::Mode;
use crate::{BlobStore, Database, Error, Progress};

use sha2::{Digest, Sha256};

/// What a check of the blobs found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobCheck {
    /// How many blobs were read.
    pub examined: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// Blobs whose content is not what their name says, or that cannot be read.
    pub damaged: Vec<String>,
    /// Names that are needed but missing.
    pub missing: Vec<String>,
    /// Blobs that nobody needs. Not a fault: an upload that is not yet named by a row looks the same.
    pub orphans: Vec<String>,
}

/// Faults that the database finds in itself, one line each: structure and references. Blocks; call it on a thread that may
/// wait, outside an async runtime.
pub fn check_database(database: &Database) -> Result<Vec<String>, Error> {
    database.alone(Mode::Read, |tx| tx.with(|session| session.self_check()))
}

/// Reads every blob and compares its hash; `needed` are the names that rows of the database refer to. Blocks.
pub fn check_blobs(
    blobs: &dyn BlobStore,
    needed: &HashSet<String>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BlobCheck, Error> {
    let mut found = BlobCheck::default();
    let mut seen = HashSet::new();
    blobs.list(&mut |blob| {
        let copied = match blobs.open(&blob.sha256) {
            Ok(mut reader) => blobs::copy(&mut reader, &mut Hashing(Sha256::new())),
            Err(Error::NoRow) => return Ok(()),
            Err(error) => Err(io::Error::other(error)),
        };
        found.examined += 1;
        match copied {
            Ok(length) => found.bytes += length,
            Err(error) => {
                tracing::debug!(blob = %blob.sha256, %error, "a blob failed its check");
                found.damaged.push(blob.sha256.clone());
            }
        }
        if !needed.contains(&blob.sha256) {
            found.orphans.push(blob.sha256.clone());
        }
        seen.insert(blob.sha256);
        progress(Progress {
            step: "attachments",
            done: found.examined,
        });
        Ok(())
    })?;
    found.missing = needed.difference(&seen).cloned().collect();
    found.missing.sort();
    found.damaged.sort();
    found.orphans.sort();
    Ok(found)
}
