//! Writes the one file, while others go on reading and writing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::rows::{Header, Line};
use super::{BackupManifest, FORMAT, Progress, SchemaVersions, TableEntry};
use crate::blobs::{self, BlobRef, Hashing};
use crate::session::Mode;
use crate::{BlobStore, Database, Error, Tx, migration, params, schema};

type Zip = ZipWriter<BufWriter<File>>;

/// Writes everything into a new file and returns its manifest. The tables are those of one moment; blobs are written after
/// them, so that every blob a row names is there. Must be called on a thread that may wait, outside an async runtime.
///
/// Refused when the file exists. When it fails, no file is left.
pub fn backup(
    database: &Database,
    blobs: &dyn BlobStore,
    target: &Path,
    created_at_ms: i64,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<BackupManifest, Error> {
    let exists = || {
        Error::Refused(format!(
            "`{}` exists already; name another file",
            target.display()
        ))
    };
    if target.exists() {
        return Err(exists());
    }
    let folder = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let failed = |error: &io::Error| Error::io("write", target, error);
    let file = tempfile::Builder::new()
        .prefix(".watersmeet-backup-")
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    let writer = BufWriter::new(file.reopen().map_err(|error| failed(&error))?);
    let mut archive = Archive {
        zip: ZipWriter::new(writer),
        target,
    };
    let manifest = archive.write(database, blobs, created_at_ms, progress)?;
    archive.finish(&manifest)?;
    file.persist_noclobber(target).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists {
            exists()
        } else {
            failed(&error.error)
        }
    })?;
    blobs::sync_folder(folder).map_err(|error| failed(&error))?;
    Ok(manifest)
}

struct Archive<'a> {
    zip: Zip,
    target: &'a Path,
}

impl Archive<'_> {
    fn write(
        &mut self,
        database: &Database,
        blobs: &dyn BlobStore,
        created_at_ms: i64,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<BackupManifest, Error> {
        let mut begun = false;
        let (schema, tables) = database.alone(Mode::Read, |tx| {
            if std::mem::replace(&mut begun, true) {
                return Err(Error::Unavailable(
                    "the connection to the database was lost during the backup; start it again"
                        .into(),
                ));
            }
            let schema = SchemaVersions {
                storage: migration::version(tx, migration::STORAGE)?,
                caller: migration::version(tx, migration::CALLER)?,
            };
            Ok((schema, self.tables(tx, progress)?))
        })?;
        let mut manifest = BackupManifest {
            format: FORMAT,
            created_at_ms,
            schema,
            tables,
            blobs: 0,
            blob_bytes: 0,
            damaged_blobs: Vec::new(),
        };
        blobs.list(&mut |blob| {
            self.blob(blobs, &blob, &mut manifest)?;
            progress(Progress {
                step: "attachments",
                done: manifest.blobs,
            });
            Ok(())
        })?;
        Ok(manifest)
    }

    fn tables(
        &mut self,
        tx: &Tx,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<BTreeMap<String, TableEntry>, Error> {
        let mut entries = BTreeMap::new();
        for (table, columns) in schema::tables(tx)? {
            let entry = self.table(tx, &table, columns, progress)?;
            entries.insert(table, entry);
        }
        Ok(entries)
    }

    fn table(
        &mut self,
        tx: &Tx,
        table: &str,
        columns: Vec<String>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<TableEntry, Error> {
        self.start(
            &format!("tables/{table}.jsonl"),
            CompressionMethod::Deflated,
        )?;
        let sql = format!(
            "SELECT {} FROM {}",
            schema::quoted(&columns),
            schema::quoted(&[table.to_owned()])
        );
        let step = format!("table {table}");
        let (mut hash, mut rows) = (Hashing(Sha256::new()), 0);
        self.line(&Header { columns }, &mut hash)?;
        tx.query_each(&sql, params![], |row| {
            self.line(&Line(row.values()), &mut hash)?;
            rows += 1;
            progress(Progress {
                step: &step,
                done: rows,
            });
            Ok::<_, Error>(())
        })?;
        let sha256 = hash.finish();
        Ok(TableEntry { rows, sha256 })
    }

    fn line(&mut self, line: &impl serde::Serialize, hash: &mut Hashing) -> Result<(), Error> {
        let mut bytes = serde_json::to_vec(line).map_err(|error| {
            Error::Internal(format!("a row cannot be written as JSON: {error}"))
        })?;
        bytes.push(b'\n');
        self.zip
            .write_all(&bytes)
            .and_then(|()| hash.write_all(&bytes))
            .map_err(|error| Error::io("write", self.target, &error))
    }

    fn blob(
        &mut self,
        blobs: &dyn BlobStore,
        blob: &BlobRef,
        manifest: &mut BackupManifest,
    ) -> Result<(), Error> {
        let mut reader = match blobs.open(&blob.sha256) {
            Ok(reader) => reader,
            // Deleted since the list was read; no row of the backup can name it and still be needed.
            Err(Error::NoRow) => return Ok(()),
            Err(error) => return Err(error),
        };
        // Attachments are mostly compressed already.
        self.start(&format!("blobs/{}", blob.sha256), CompressionMethod::Stored)?;
        match blobs::copy(&mut reader, &mut self.zip) {
            Ok(length) => {
                manifest.blobs += 1;
                manifest.blob_bytes += length;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                manifest.damaged_blobs.push(blob.sha256.clone());
                self.zip.abort_file().map_err(|error| self.failed(error))
            }
            Err(error) => Err(Error::io("write", self.target, &error)),
        }
    }

    fn start(&mut self, name: &str, method: CompressionMethod) -> Result<(), Error> {
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .large_file(true);
        self.zip
            .start_file(name, options)
            .map_err(|error| self.failed(error))
    }

    fn finish(mut self, manifest: &BackupManifest) -> Result<(), Error> {
        self.start("manifest.json", CompressionMethod::Deflated)?;
        let text = serde_json::to_vec_pretty(manifest)
            .map_err(|error| Error::Internal(format!("the manifest cannot be written: {error}")))?;
        let target = self.target;
        self.zip
            .write_all(&text)
            .map_err(|error| Error::io("write", target, &error))?;
        let writer = self
            .zip
            .finish()
            .map_err(|error| zip_failed(target, error))?;
        writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(|error| Error::io("write", target, &error))
    }

    fn failed(&self, error: zip::result::ZipError) -> Error {
        zip_failed(self.target, error)
    }
}

fn zip_failed(target: &Path, error: zip::result::ZipError) -> Error {
    Error::io("write", target, &io::Error::from(error))
}
