//! Files at pages and blog posts. Bytes live in the blob store, by hash; a name has versions.

use crate::actor::{Actor, Person};
use crate::error::Result;
use crate::ids::ContentId;
use crate::wiki::Wiki;
use serde::Serialize;

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

impl Attachments<'_> {
    /// Current attachments of a page, by name.
    pub async fn list(&self, _actor: &Actor, _page: ContentId) -> Result<Vec<Attachment>> {
        todo!()
    }

    /// All versions of a file at a page, newest first.
    pub async fn versions(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _name: &str,
    ) -> Result<Vec<Attachment>> {
        todo!()
    }

    /// A file by page, name (any case) and version (none: the current one).
    pub async fn find(
        &self,
        _actor: &Actor,
        _page: ContentId,
        _name: &str,
        _version: Option<i64>,
    ) -> Result<Download> {
        todo!()
    }

    /// Puts a file in the trash.
    pub async fn delete(&self, _actor: &Actor, _attachment: ContentId) -> Result<()> {
        todo!()
    }
}
