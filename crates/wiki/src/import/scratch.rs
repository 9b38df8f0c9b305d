//! A folder below the data directory for the temporary table of one import; gone when the import is over.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};

/// Folders that an import which was killed left behind are removed after this long.
const STALE: Duration = Duration::from_secs(2 * 24 * 3_600);

/// The folder.
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// Makes a folder that nobody else has, and removes old ones.
    pub(crate) fn create(work_dir: &Path, now_ms: i64) -> Result<Scratch> {
        let failed = |error| Error::Unavailable {
            message: "the import has no place for its temporary files; look at the data directory"
                .to_owned(),
            detail: format!("{}: {error}", work_dir.display()),
        };
        fs::create_dir_all(work_dir).map_err(failed)?;
        remove_stale(work_dir, now_ms);
        for attempt in 0..1_000 {
            let folder = work_dir.join(format!("import-{}-{now_ms}-{attempt}", std::process::id()));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Scratch { folder }),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(Error::internal("no free name for a temporary folder"))
    }

    /// The file for the temporary table.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("table.sqlite")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by a later import.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn remove_stale(work_dir: &Path, now_ms: i64) {
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now_ms.unsigned_abs());
    let Ok(entries) = fs::read_dir(work_dir) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with("import-");
        let modified = entry.metadata().and_then(|about| about.modified());
        let is_stale = modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > STALE));
        if is_ours && is_stale {
            // Not ours to fail on.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
