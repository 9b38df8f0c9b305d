//! The part of an import that brings the bytes of attachments into the blob store, one file at a time.

use std::io::{self, Read};
use std::sync::Arc;

use storage::BlobStore;

use super::batch::{self, ContentIn, VersionIn};
use super::body::hash;
use super::record::Source;
use super::report::{Place, Severity};
use super::run::{Run, changed};
use super::write_attachment::{self, StoredAttachment, StoredVersion};
use super::write_page::{Outcome, Target};
use super::write_space::SpaceIn;
use crate::error::{Error, Result};
use crate::ids::SpaceId;
use crate::{media_types, spaces};

const CLASS: &str = "Attachment";

impl Run<'_> {
    pub(crate) fn write_attachments(
        &mut self,
        space: &SpaceIn,
        source: &Source,
        id: SpaceId,
    ) -> Result<()> {
        let space_id = space.id;
        let (mut after, mut done) = ((-1, i64::MIN), 0);
        loop {
            let attachments = self
                .table
                .read(move |tx| batch::next(tx, "'Attachment'", space_id, after))?;
            let Some(last) = attachments.last() else {
                return Ok(());
            };
            after = (last.depth, last.id);
            done += attachments.len() as u64;
            let mut stored = Vec::new();
            for attachment in attachments {
                stored.extend(self.store(attachment, source)?);
            }
            self.write_stored(stored, source, id)?;
            self.tell("attachments", done, None);
        }
    }

    fn write_stored(
        &mut self,
        stored: Vec<StoredAttachment>,
        source: &Source,
        id: SpaceId,
    ) -> Result<()> {
        let stored = Arc::new(stored);
        let (people, source, batch) = (
            Arc::clone(&self.people),
            source.clone(),
            Arc::clone(&stored),
        );
        let outcomes = self.write(move |tx| {
            let target = Target {
                source: &source,
                people: &people,
                space: id,
            };
            let write = |stored: &StoredAttachment| write_attachment::write(tx, target, stored);
            let outcomes = batch.iter().map(write).collect::<Result<Vec<_>>>()?;
            if outcomes.iter().any(changed) {
                spaces::bump_stamp(tx, id)?;
            }
            Ok(outcomes)
        })?;
        for (stored, outcome) in stored.iter().zip(&outcomes) {
            self.note(&stored.attachment, outcome)?;
        }
        Ok(())
    }

    /// Stores the bytes of all versions of an attachment. Nothing if it is here already, or if it has no file at all.
    fn store(
        &mut self,
        attachment: ContentIn,
        source: &Source,
    ) -> Result<Option<StoredAttachment>> {
        let files: Vec<Option<[String; 2]>> = attachment
            .former
            .iter()
            .chain([&attachment.current])
            .map(|version| self.file_of(&attachment, version))
            .collect();
        let hash = hash(format!("{} {files:?}", attachment.hash()?).as_bytes());
        let (own, id, wanted) = (source.clone(), attachment.id, hash.clone());
        if self
            .wiki
            .database()
            .read_blocking(move |tx| write_attachment::is_known(tx, &own, id, &wanted))?
        {
            let versions_kept = files.iter().flatten().count() as u64;
            self.note(
                &attachment,
                &Outcome {
                    versions_kept,
                    ..Outcome::default()
                },
            )?;
            for version in attachment
                .former
                .iter()
                .chain([&attachment.current])
                .zip(&files)
                .filter(|(_, file)| file.is_none())
            {
                self.miss(version.0, "its file is not in the export")?;
            }
            return Ok(None);
        }
        let mut versions = Vec::new();
        for (version, file) in attachment
            .former
            .iter()
            .chain([&attachment.current])
            .zip(files)
        {
            match file {
                Some([content, folder]) => {
                    versions.extend(self.store_version(version, &content, &folder)?)
                }
                None => self.miss(version, "its file is not in the export")?,
            }
        }
        if versions.is_empty() {
            self.report.result("attachment").skipped += 1;
            self.lose(attachment.id)?;
            return Ok(None);
        }
        Ok(Some(StoredAttachment {
            attachment,
            versions,
            hash,
        }))
    }

    /// The folders in which the file of a version is: usually the container's and the current attachment's.
    fn file_of(&mut self, attachment: &ContentIn, version: &VersionIn) -> Option<[String; 2]> {
        let containers = [attachment.container, attachment.page];
        for container in containers.into_iter().flatten() {
            for id in [attachment.id, version.id] {
                let (container, id) = (container.to_string(), id.to_string());
                if self.archive.has_attachment(&container, &id, version.number) {
                    self.used_files
                        .insert(format!("attachments/{container}/{id}/{}", version.number));
                    return Some([container, id]);
                }
            }
        }
        None
    }

    fn miss(&mut self, version: &VersionIn, what: &str) -> Result<()> {
        let id = version.id.to_string();
        let what = format!("`{}`, version {}: {what}", version.title, version.number);
        self.report.problem(
            Severity::Error,
            Place::object(CLASS, &id, version.line),
            what,
            "left out",
        );
        self.report.result("attachment version").skipped += 1;
        let id = version.id;
        self.table.write(move |tx| {
            tx.execute(
                "UPDATE content SET role = 'lost' WHERE id = $1 AND role = 'version'",
                storage::params![id],
            )?;
            Ok(())
        })
    }

    fn store_version(
        &mut self,
        version: &VersionIn,
        content: &str,
        folder: &str,
    ) -> Result<Option<StoredVersion>> {
        let blobs = (!self.options.dry_run).then(|| self.wiki.blobs().as_ref());
        let fetched = {
            match self.archive.attachment(content, folder, version.number) {
                Ok(Some(reader)) => fetch(reader, blobs)?,
                Ok(None) => return Ok(None),
                Err(error) => Fetched::Unreadable(error.0),
            }
        };
        match fetched {
            Fetched::Unreadable(reason) => {
                self.miss(version, &format!("its file cannot be read: {reason}"))?;
                Ok(None)
            }
            Fetched::Stored { blob, bytes, start } => {
                self.check_size(version, bytes);
                let media_type = media_type(version, &start);
                Ok(Some(StoredVersion {
                    version: version.clone(),
                    blob,
                    bytes,
                    media_type,
                }))
            }
        }
    }

    fn check_size(&mut self, version: &VersionIn, bytes: i64) {
        if version.bytes.is_some_and(|said| said != bytes) {
            let id = version.id.to_string();
            let what = format!(
                "`{}`: its file has {bytes} bytes, not {}",
                version.title,
                version.bytes.unwrap_or_default()
            );
            self.report.problem(
                Severity::Warning,
                Place::object(CLASS, &id, version.line),
                what,
                "the file was taken as it is",
            );
        }
    }
}

enum Fetched {
    Stored {
        blob: String,
        bytes: i64,
        start: Vec<u8>,
    },
    Unreadable(String),
}

/// Reads a file to its end, into the blob store if there is one.
fn fetch(reader: Box<dyn Read + '_>, blobs: Option<&dyn BlobStore>) -> Result<Fetched> {
    let mut watched = Watched {
        reader,
        failure: None,
        start: Vec::new(),
    };
    let stored = match blobs {
        Some(blobs) => blobs
            .put(&mut watched)
            .map(|blob| (blob.sha256, blob.size))
            .map_err(Error::from),
        None => io::copy(&mut watched, &mut io::sink())
            .map(|size| (String::new(), size))
            .map_err(Error::internal),
    };
    if let Some(failure) = watched.failure {
        return Ok(Fetched::Unreadable(failure));
    }
    let (blob, size) = stored?;
    Ok(Fetched::Stored {
        blob,
        bytes: i64::try_from(size).unwrap_or(i64::MAX),
        start: watched.start,
    })
}

/// The type by bytes and name; what the export says counts only where those do not tell, and not for what browsers show.
fn media_type(version: &VersionIn, start: &[u8]) -> String {
    let known = media_types::of(&version.title, start);
    let said = version.media_type.as_deref().unwrap_or(known).trim();
    let is_plain =
        said.len() < 100 && said.contains('/') && said.bytes().all(|byte| byte.is_ascii_graphic());
    if known != media_types::UNKNOWN || !is_plain || media_types::is_safe_inline(said) {
        return known.to_owned();
    }
    said.to_lowercase()
}

/// A reader that tells whether it was reading that failed, and keeps the first bytes.
struct Watched<'a> {
    reader: Box<dyn Read + 'a>,
    failure: Option<String>,
    start: Vec<u8>,
}

impl Read for Watched<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.reader.read(into) {
            Ok(count) => {
                let room = media_types::SNIFFED_BYTES.saturating_sub(self.start.len());
                self.start.extend_from_slice(&into[..count.min(room)]);
                Ok(count)
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::Interrupted {
                    self.failure = Some(error.to_string());
                }
                Err(error)
            }
        }
    }
}
