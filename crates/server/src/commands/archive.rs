//! `backup`, `restore` and `check`.

use std::path::Path;

use serde_json::json;
use storage::{BackupManifest, Database};

use super::with_wiki;
use crate::config::Config;
use crate::environment::now_ms;
use crate::outcome::{Failure, Output};
use crate::place::Place;
use crate::progress::ProgressLine;

pub(super) fn backup(config: &Config, file: &Path, output: &Output) -> Result<(), Failure> {
    let place = Place::existing(config)?;
    let database = Database::open_blocking(&config.database, wiki::MIGRATIONS)?;
    let mut line = ProgressLine::new();
    let written = storage::backup(
        &database,
        &place.blobs()?,
        file,
        now_ms(),
        &mut |progress| {
            line.show(progress.step, progress.done, None);
        },
    );
    drop(line);
    database.close_blocking();
    let manifest = written?;
    output.answer(&summary(file, &manifest), || {
        format!("`{}` holds {}", file.display(), counts(&manifest))
    })?;
    if manifest.damaged_blobs.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "these attachments are damaged and are not in the backup: {}",
        manifest.damaged_blobs.join(", ")
    )))
}

pub(super) fn restore(config: &Config, file: &Path, output: &Output) -> Result<(), Failure> {
    if !file.is_file() {
        return Err(Failure::new(format!(
            "there is no file `{}`",
            file.display()
        )));
    }
    let place = Place::make(config)?;
    let _locks = (place.lock(web::Role::All)?, place.lock(web::Role::Sync)?);
    let mut line = ProgressLine::new();
    let (url, blobs) = (&config.database, place.blobs()?);
    let restored = storage::restore(url, wiki::MIGRATIONS, &blobs, file, &mut |progress| {
        line.show(progress.step, progress.done, None);
    });
    drop(line);
    let manifest = restored?;
    output.answer(&summary(file, &manifest), || {
        format!("restored {}", counts(&manifest))
    })
}

pub(super) fn check(config: &Config, output: &Output) -> Result<(), Failure> {
    let place = Place::existing(config)?;
    with_wiki(&place, config, async |wiki| {
        let report = wiki.check().await?;
        output.answer(&report, || {
            let mut text = String::new();
            for (what, count) in &report.examined {
                text.push_str(&format!("{what}: {count}\n"));
            }
            for fault in &report.faults {
                text.push_str(&format!("fault: {fault}\n"));
            }
            text.push_str(match report.faults.len() {
                0 => "all is well",
                _ => "something is wrong; keep a copy of the data directory before you repair it",
            });
            text
        })?;
        match report.faults.len() {
            0 => Ok(()),
            _ => Err(Failure::told()),
        }
    })
}

fn summary(file: &Path, manifest: &BackupManifest) -> serde_json::Value {
    let rows: u64 = manifest.tables.values().map(|table| table.rows).sum();
    json!({
        "file": file.display().to_string(),
        "rows": rows,
        "attachments": manifest.blobs,
        "attachment_bytes": manifest.blob_bytes,
        "damaged_attachments": manifest.damaged_blobs,
    })
}

fn counts(manifest: &BackupManifest) -> String {
    let rows: u64 = manifest.tables.values().map(|table| table.rows).sum();
    format!("{rows} rows and {} attachments", manifest.blobs)
}
