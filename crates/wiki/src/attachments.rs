//! Files at pages and blog posts. Bytes live in the blob store, by hash; a name has versions.

use crate::actor::{Actor, Person};
use crate::addresses::attachment_url;
use crate::changes::touched;
use crate::error::{Error, Result};
use crate::head;
use crate::ids::{ContentId, SpaceId, UserId};
use crate::media_types;
use crate::names;
use crate::pages::person_joined;
use crate::permissions::{self, Right};
use crate::sequence;
use crate::wiki::Wiki;
use serde::Serialize;
use std::io::Write;
use storage::{BlobReader, BlobRef, BlobWriter, Row, Tx, WriteTx, params};

/// A file at a page: one version of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attachment {
    /// Its id.
    pub id: ContentId,
    /// The page or blog post it is at.
    pub page_id: ContentId,
    /// The file name.
    pub name: String,
    /// From the bytes where they tell, else from the name.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// 1, 2, 3 ...
    pub version: i64,
    /// Who uploaded this version.
    pub author: Option<Person>,
    /// What they said about it.
    pub message: String,
    /// When.
    pub created_at_ms: i64,
    /// Where to download it: `/download/attachments/PAGE/NAME?version=N`.
    pub url: String,
}

/// A file to send.
#[derive(Clone, Debug)]
pub struct Download {
    /// What it is.
    pub attachment: Attachment,
    /// Its sha256 in hex: a strong entity tag.
    pub hash: String,
    /// Whether a browser may show it in the page's origin; all else must be sent as a download.
    pub inline: bool,
}

/// Attachments.
#[derive(Clone, Copy)]
pub struct Attachments<'a> {
    pub(crate) wiki: &'a Wiki,
}

/// A file that is being received. Dropped before `finish` it leaves nothing behind.
pub struct Upload {
    wiki: Wiki,
    actor: Actor,
    page: ContentId,
    name: String,
    start: Vec<u8>,
    writer: Box<dyn BlobWriter>,
}

impl Attachments<'_> {
    /// Current attachments of a page, by name.
    pub async fn list(&self, actor: &Actor, page: ContentId) -> Result<Vec<Attachment>> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                head::read(tx, &actor, page)?;
                of_page(tx, page)
            })
            .await
    }

    /// All versions of a file at a page, newest first.
    pub async fn versions(
        &self,
        actor: &Actor,
        page: ContentId,
        name: &str,
    ) -> Result<Vec<Attachment>> {
        let (actor, name) = (actor.clone(), name.to_owned());
        self.wiki
            .read(move |tx| {
                head::read(tx, &actor, page)?;
                let id = current(tx, page, &name)?.ok_or_else(|| no_file(&name))?;
                let sql = format!("{SELECT_ATTACHMENT} WHERE c.id = $1 ORDER BY v.number DESC");
                tx.query(&sql, params![id])?
                    .iter()
                    .map(attachment_of)
                    .collect()
            })
            .await
    }

    /// A file by page, name (any case) and version (none: the current one).
    pub async fn find(
        &self,
        actor: &Actor,
        page: ContentId,
        name: &str,
        version: Option<i64>,
    ) -> Result<Download> {
        let (actor, name) = (actor.clone(), name.to_owned());
        self.wiki
            .read(move |tx| {
                head::read(tx, &actor, page)?;
                let id = current(tx, page, &name)?.ok_or_else(|| no_file(&name))?;
                let sql = format!(
                    "{SELECT_ATTACHMENT} WHERE c.id = $1 AND v.number = COALESCE($2, c.version)"
                );
                let row = tx
                    .query_opt(&sql, params![id, version])?
                    .ok_or_else(|| no_file(&name))?;
                let attachment = attachment_of(&row)?;
                let inline = media_types::is_safe_inline(&attachment.media_type);
                Ok(Download {
                    attachment,
                    hash: row.text("blob")?,
                    inline,
                })
            })
            .await
    }

    /// The bytes of a file. Read them on a thread that may wait; at the end they are verified.
    pub async fn open(&self, download: &Download) -> Result<BlobReader> {
        let (blobs, hash) = (self.wiki.blobs().clone(), download.hash.clone());
        let opened = tokio::task::spawn_blocking(move || blobs.open(&hash))
            .await
            .map_err(Error::internal)?;
        match opened {
            Err(storage::Error::NoRow) => {
                let name = &download.attachment.name;
                Err(Error::Internal {
                    message: format!(
                        "the bytes of `{name}` are missing; ask an administrator to restore them"
                    ),
                    detail: format!("blob `{}` is missing", download.hash),
                })
            }
            opened => Ok(opened?),
        }
    }

    /// Begins to receive a file, after checking that the actor may. A name that is there gets a new version.
    pub async fn upload(&self, actor: &Actor, page: ContentId, name: &str) -> Result<Upload> {
        let name = file_name(name)?;
        self.wiki.grant(actor, page, Right::Edit).await?;
        let blobs = self.wiki.blobs().clone();
        let writer = tokio::task::spawn_blocking(move || blobs.writer())
            .await
            .map_err(Error::internal)??;
        Ok(Upload {
            wiki: self.wiki.clone(),
            actor: actor.clone(),
            page,
            name,
            start: Vec::new(),
            writer,
        })
    }

    /// Puts a file in the trash.
    pub async fn delete(&self, actor: &Actor, attachment: ContentId) -> Result<()> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                let (_, page) = head::page_of(tx, attachment)?;
                let (grant, _) = permissions::require(tx, &actor, page, Right::Edit)?;
                let sql =
                    "UPDATE content SET status = 'trashed', updated_by = $2, updated_at_ms = $3
                    WHERE id = $1 AND kind = 'attachment' AND status = 'current'";
                if tx.execute(sql, params![attachment, grant.user(), now_ms])? == 0 {
                    return Err(Error::NotFound(
                        "there is no such file; it may be deleted already".into(),
                    ));
                }
                touched(tx, grant.space(), attachment)
            })
            .await
    }
}

impl Upload {
    /// Takes a piece of the file. Blocks for the time a write to disk takes: call it where that is fine.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let wanted = media_types::SNIFFED_BYTES.saturating_sub(self.start.len());
        self.start.extend(bytes.iter().take(wanted));
        self.writer
            .write_all(bytes)
            .map_err(|error| Error::Unavailable {
                message: "the file could not be stored; try again later".into(),
                detail: error.to_string(),
            })
    }

    /// Takes a piece of the file on a thread that may wait.
    pub async fn write_chunk(mut self, bytes: Vec<u8>) -> Result<Upload> {
        tokio::task::spawn_blocking(move || self.write(&bytes).map(|()| self))
            .await
            .map_err(Error::internal)?
    }

    /// Makes the bytes durable and the attachment visible, with a message about this version.
    pub async fn finish(self, message: &str) -> Result<Attachment> {
        let Upload {
            wiki,
            actor,
            page,
            name,
            start,
            writer,
        } = self;
        let media_type = media_types::of(&name, &start);
        let blob = tokio::task::spawn_blocking(move || writer.finish())
            .await
            .map_err(Error::internal)??;
        let (message, now_ms) = (names::message(message), wiki.now_ms());
        wiki.write(move |tx| {
            let (grant, _) = permissions::require(tx, &actor, page, Right::Edit)?;
            let file = NewFile {
                page,
                space: grant.space(),
                name: &name,
                media_type,
                author: grant.user(),
                message: &message,
                now_ms,
            };
            let id = insert_version(tx, &file, &blob)?;
            let sql = format!("{SELECT_ATTACHMENT} WHERE c.id = $1 AND v.number = c.version");
            attachment_of(&tx.query_one(&sql, params![id])?)
        })
        .await
    }
}

/// A version of a file to be stored.
pub(crate) struct NewFile<'a> {
    pub(crate) page: ContentId,
    pub(crate) space: SpaceId,
    pub(crate) name: &'a str,
    pub(crate) media_type: &'a str,
    pub(crate) author: Option<UserId>,
    pub(crate) message: &'a str,
    pub(crate) now_ms: i64,
}

/// Stores the next version of a file at a page; the first one makes the attachment.
pub(crate) fn insert_version(
    tx: &WriteTx,
    file: &NewFile<'_>,
    blob: &BlobRef,
) -> Result<ContentId> {
    let id = match current(tx, file.page, file.name)? {
        Some(id) => id,
        None => insert_row(tx, file)?,
    };
    let version = tx
        .query_one("SELECT version FROM content WHERE id = $1", params![id])?
        .i64("version")?
        + 1;
    let size = i64::try_from(blob.size).map_err(Error::internal)?;
    tx.execute(
        "INSERT INTO attachment_version (attachment_id, number, blob, size, media_type, author, message, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![id, version, &blob.sha256, size, file.media_type, file.author, file.message, file.now_ms],
    )?;
    let sql = "UPDATE content SET version = $2, updated_by = $3, updated_at_ms = $4 WHERE id = $1";
    tx.execute(sql, params![id, version, file.author, file.now_ms])?;
    touched(tx, file.space, id)?;
    Ok(id)
}

fn insert_row(tx: &WriteTx, file: &NewFile<'_>) -> Result<ContentId> {
    let id = sequence::next_content_id(tx)?;
    tx.execute(
        "INSERT INTO content (id, kind, space_id, page_id, title, lower_title, status, version,
            created_by, created_at_ms, updated_by, updated_at_ms)
         VALUES ($1, 'attachment', $2, $3, $4, $5, 'current', 0, $6, $7, $6, $7)",
        params![
            id,
            file.space,
            file.page,
            file.name,
            names::fold(file.name),
            file.author,
            file.now_ms
        ],
    )?;
    Ok(id)
}

/// The id of a current attachment by page and name.
pub(crate) fn current(tx: &Tx, page: ContentId, name: &str) -> Result<Option<ContentId>> {
    let sql = "SELECT id FROM content WHERE page_id = $1 AND kind = 'attachment' AND status = 'current' AND lower_title = $2 ORDER BY id";
    let row = tx.query_opt(sql, params![page, names::fold(name)])?;
    Ok(row
        .map(|row| row.i64("id"))
        .transpose()?
        .map(ContentId::new))
}

/// Current attachments of a page, by name.
pub(crate) fn of_page(tx: &Tx, page: ContentId) -> Result<Vec<Attachment>> {
    let sql = format!(
        "{SELECT_ATTACHMENT} WHERE c.page_id = $1 AND c.kind = 'attachment' AND c.status = 'current' AND v.number = c.version"
    );
    let mut files = tx
        .query(&sql, params![page])?
        .iter()
        .map(attachment_of)
        .collect::<Result<Vec<_>>>()?;
    files.sort_by_cached_key(|file| (file.name.to_lowercase(), file.id));
    Ok(files)
}

const SELECT_ATTACHMENT: &str = "SELECT c.id, c.page_id, c.title, v.number, v.blob, v.size, v.media_type, v.message, v.created_at_ms,
        u.id AS user_id, u.name AS user_name, u.full_name AS user_full_name
    FROM content c JOIN attachment_version v ON v.attachment_id = c.id LEFT JOIN user_account u ON u.id = v.author";

fn attachment_of(row: &Row) -> Result<Attachment> {
    let (page_id, name) = (ContentId::new(row.i64("page_id")?), row.text("title")?);
    let version = row.i64("number")?;
    Ok(Attachment {
        id: ContentId::new(row.i64("id")?),
        url: attachment_url(page_id, &name, Some(version)),
        page_id,
        name,
        media_type: row.text("media_type")?,
        size: row.i64("size")?,
        version,
        author: person_joined(row)?,
        message: row.text("message")?,
        created_at_ms: row.i64("created_at_ms")?,
    })
}

/// The last part of a path, because some browsers send one.
fn file_name(name: &str) -> Result<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let name = names::name(last, "file name")?;
    if matches!(name.as_str(), "." | "..") {
        return Err(Error::Invalid(format!(
            "`{name}` cannot be a file name; choose another"
        )));
    }
    Ok(name)
}

fn no_file(name: &str) -> Error {
    Error::NotFound(format!(
        "there is no file `{name}` at this page, or not in this version"
    ))
}
