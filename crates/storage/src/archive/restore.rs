//! Reads the one file into an empty database and an empty blob store, all or nothing.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::rows::{self, Header};
use super::{BackupManifest, FORMAT, Progress, TableEntry};
use crate::blobs::Hashing;
use crate::session::Mode;
use crate::{
    BlobStore, Database, DatabaseUrl, Error, Migration, Value, WriteTx, limits, migration, params,
    schema,
};

/// Restores a backup into a database without tables and a blob store without blobs, and returns its manifest. Everything is
/// verified against the manifest before it becomes visible; when anything is wrong, the target is as empty as before. An older
/// backup is migrated after it has been read. Must be called on a thread that may wait, outside an async runtime.
pub fn restore(
    url: &DatabaseUrl,
    migrations: &[Migration],
    blobs: &dyn BlobStore,
    source: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BackupManifest, Error> {
    let mut archive = open(source)?;
    let manifest = manifest(&mut archive, migrations)?;
    let mut has_blobs = false;
    blobs.list(&mut |_| {
        has_blobs = true;
        Ok(())
    })?;
    if has_blobs {
        return Err(Error::Refused(
            "the data directory already holds attachments; restore into a new data directory"
                .into(),
        ));
    }
    let database = Database::start(url)?;
    let mut began = false;
    let restored = database.alone(Mode::Write, |tx| {
        tx.with(|session| session.lock_schema())?;
        refuse_used(tx, url)?;
        began = true;
        let versions = manifest.schema;
        migration::apply(tx, migrations, Some(versions))?;
        tx.with(|session| session.defer_references())?;
        load_tables(tx, &mut archive, &manifest, progress)?;
        tx.with(|session| session.restore_references())?;
        migration::apply(tx, migrations, None)?;
        load_blobs(blobs, &mut archive, &manifest, progress)
    });
    if restored.is_err() && began {
        remove_all(blobs);
    }
    database.close_blocking();
    restored.map(|()| manifest)
}

type Archive = ZipArchive<BufReader<File>>;

fn open(source: &Path) -> Result<Archive, Error> {
    let file = File::open(source).map_err(|error| Error::io("read", source, &error))?;
    ZipArchive::new(BufReader::new(file)).map_err(|error| {
        Error::Damaged(format!(
            "`{}` is not a complete backup ({error}); use another one",
            source.display()
        ))
    })
}

fn manifest(archive: &mut Archive, migrations: &[Migration]) -> Result<BackupManifest, Error> {
    let mut text = String::new();
    entry(archive, "manifest.json")?
        .take(limits::BACKUP_LINE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| damaged(format!("its manifest cannot be read: {error}")))?;
    #[derive(serde::Deserialize)]
    struct Format {
        format: u64,
    }
    let unreadable =
        |error: serde_json::Error| damaged(format!("its manifest cannot be read: {error}"));
    let Format { format } = serde_json::from_str(&text).map_err(unreadable)?;
    if format != FORMAT {
        return Err(Error::Refused(format!(
            "the backup has form {format} and this program reads form {FORMAT}; use the program that made it"
        )));
    }
    let manifest: BackupManifest = serde_json::from_str(&text).map_err(unreadable)?;
    let newest = migrations.len() as i64;
    if manifest.schema.caller > newest || manifest.schema.storage > migration::storage_version() {
        return Err(Error::Refused(format!(
            "the backup was made at version {} of the database and this program knows only {newest}; use the newer program",
            manifest.schema.caller
        )));
    }
    Ok(manifest)
}

fn refuse_used(tx: &WriteTx, url: &DatabaseUrl) -> Result<(), Error> {
    if tx.with(|session| session.schema())?.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "the database `{url}` is not empty; restore into a new data directory or a new database"
    )))
}

fn load_tables(
    tx: &WriteTx,
    archive: &mut Archive,
    manifest: &BackupManifest,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    let tables = schema::tables(tx)?;
    for (table, expected) in &manifest.tables {
        let Some((_, columns)) = tables.iter().find(|(name, _)| name == table) else {
            return Err(damaged(format!(
                "it holds a table `{table}` that does not belong to it"
            )));
        };
        let reader = entry(archive, &format!("tables/{table}.jsonl"))?;
        // Migrations put first rows into some tables; those in the backup take their place.
        let name = schema::quoted(std::slice::from_ref(table));
        tx.execute(&format!("DELETE FROM {name}"), params![])?;
        let found = load_table(tx, table, columns, reader, progress)?;
        if found != *expected {
            return Err(damaged(format!(
                "table `{table}` has {} rows with hash {} where the manifest says {} with {}",
                found.rows, found.sha256, expected.rows, expected.sha256
            )));
        }
    }
    Ok(())
}

fn load_table(
    tx: &WriteTx,
    table: &str,
    columns: &[String],
    reader: impl Read,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<TableEntry, Error> {
    let mut lines = Lines {
        reader: BufReader::new(reader),
        hash: Hashing(Sha256::new()),
        line: String::new(),
    };
    let header = lines.next()?.unwrap_or_default();
    let header: Header = serde_json::from_str(header).map_err(|error| {
        damaged(format!(
            "the head of table `{table}` cannot be read: {error}"
        ))
    })?;
    if let Some(column) = header
        .columns
        .iter()
        .find(|column| !columns.contains(column))
    {
        return Err(damaged(format!(
            "table `{table}` has an unknown column `{column}`"
        )));
    }
    let places: Vec<String> = (1..=header.columns.len())
        .map(|number| format!("${number}"))
        .collect();
    let insert = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        schema::quoted(&[table.to_owned()]),
        schema::quoted(&header.columns),
        places.join(", ")
    );
    let step = format!("table {table}");
    let (mut rows, mut batch) = (0, Vec::new());
    while let Some(line) = lines.next()? {
        let values = rows::parse(line, header.columns.len())
            .map_err(|error| damaged(format!("row {} of table `{table}`: {error}", rows + 1)))?;
        rows += 1;
        batch.push(values);
        if batch.len() >= limits::RESTORE_BATCH {
            flush(tx, &insert, &mut batch)?;
            progress(Progress {
                step: &step,
                done: rows,
            });
        }
    }
    flush(tx, &insert, &mut batch)?;
    progress(Progress {
        step: &step,
        done: rows,
    });
    let sha256 = lines.hash.finish();
    Ok(TableEntry { rows, sha256 })
}

fn flush(tx: &WriteTx, insert: &str, batch: &mut Vec<Vec<Value>>) -> Result<(), Error> {
    tx.execute_many(insert, batch)?;
    batch.clear();
    Ok(())
}

struct Lines<R> {
    reader: R,
    hash: Hashing,
    line: String,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<&str>, Error> {
        if !rows::next_line(&mut self.reader, &mut self.line)? {
            return Ok(None);
        }
        self.hash.0.update(self.line.as_bytes());
        Ok(Some(self.line.trim_end_matches('\n')))
    }
}

fn load_blobs(
    blobs: &dyn BlobStore,
    archive: &mut Archive,
    manifest: &BackupManifest,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Error> {
    let mut done = 0;
    for position in 0..archive.len() {
        let mut file = archive
            .by_index(position)
            .map_err(|error| damaged(format!("an entry cannot be read: {error}")))?;
        let name = file
            .name()
            .map_err(|error| damaged(format!("an entry has a bad name: {error}")))?
            .into_owned();
        let Some(expected) = name.strip_prefix("blobs/") else {
            continue;
        };
        let blob = blobs.put(&mut file)?;
        if blob.sha256 != expected {
            return Err(damaged(format!(
                "attachment `{expected}` does not have its content"
            )));
        }
        done += 1;
        progress(Progress {
            step: "attachments",
            done,
        });
    }
    if done == manifest.blobs {
        return Ok(());
    }
    Err(damaged(format!(
        "it holds {done} attachments where the manifest says {}",
        manifest.blobs
    )))
}

/// The store was empty when the restore began, so everything in it came from the backup.
fn remove_all(blobs: &dyn BlobStore) {
    let mut names = Vec::new();
    let listed = blobs.list(&mut |blob| {
        names.push(blob.sha256);
        Ok(())
    });
    let removed = names.iter().try_for_each(|name| blobs.delete(name));
    if let Err(error) = listed.and(removed) {
        tracing::warn!(%error, "attachments of a failed restore are left behind; delete the data directory");
    }
}

fn entry<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    name: &str,
) -> Result<impl Read + use<'a, R>, Error> {
    archive
        .by_name(name)
        .map_err(|error| damaged(format!("`{name}` is missing or cannot be read: {error}")))
}

fn damaged(what: String) -> Error {
    Error::Damaged(format!("the backup is damaged: {what}; use another one"))
}
