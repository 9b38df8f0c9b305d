//! Writes by another way than the editor: a version that a program, a restore or an import publishes goes into the live document as one
//! update of its author, merged by block with what is not published yet. Nobody's unpublished edits are lost by it.

use super::follow::{self, State};
use super::{authors, drafts, log, news, unavailable};
use crate::authorship;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::limits::{OVERLAP_CHARS_MAX, OVERLAPS_TOLD_MAX};
use crate::publish;
use crate::readable::readable;
use bytes::Bytes;
use collab::Position;
use document::{Document, Live, Merge, Node, Overlap, StorageFormat};
use serde_json::json;
use std::collections::HashMap;
use storage::{Tx, WriteTx, params};

/// A version that was stored just now, and not from the draft.
pub(crate) struct Written<'a> {
    pub(crate) page: ContentId,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
    pub(crate) author: Option<UserId>,
    /// Its number.
    pub(crate) version: i64,
    /// The number of the version that was published before; 0 for none.
    pub(crate) before: i64,
    pub(crate) now_ms: i64,
}

/// Body and title.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) document: Document,
    pub(super) title: String,
}

impl Content {
    /// That of a stored body.
    pub(super) fn of_body(body: &str, title: &str) -> Content {
        Content {
            document: follow::never_empty(readable(body)),
            title: title.to_owned(),
        }
    }

    fn of_version(tx: &Tx, page: ContentId, number: i64) -> Result<Content> {
        let sql = "SELECT title FROM content_version WHERE content_id = $1 AND number = $2";
        let row = tx.query_one(sql, params![page, number])?;
        let body = publish::read_body(tx, page, number)?;
        Ok(Content::of_body(&body, row.text_ref("title")?))
    }

    /// The same as it would be read after it was stored: only so are trees from the editor and trees from bodies alike.
    pub(super) fn as_stored(&self) -> Content {
        Content::of_body(&StorageFormat::write(&self.document), &self.title)
    }
}

/// A live document at its head, in the transaction that is about to write to it.
pub(super) struct Current {
    pub(super) page: ContentId,
    pub(super) state: State,
    /// One update that makes it.
    pub(super) bytes: Bytes,
}

impl Current {
    pub(super) fn read(tx: &Tx, page: ContentId, state: State) -> Result<Current> {
        let updates = log::updates_of(tx, page, &state).map_err(unavailable)?;
        match collab::merge(&updates) {
            Ok(bytes) => Ok(Current { page, state, bytes }),
            Err(why) => {
                let place = Live::fault(&updates).map(|(at, _)| at);
                let why = why.to_string();
                Err(drafts::at_fault(tx, page, &state, place, &why)?)
            }
        }
    }

    pub(super) fn content(&self, tx: &Tx) -> Result<Content> {
        match Live::read(&[&self.bytes]) {
            Ok((document, title, _)) => Ok(Content { document, title }),
            Err(why) => Err(drafts::at_fault(
                tx,
                self.page,
                &self.state,
                None,
                &why.reason,
            )?),
        }
    }

    /// Makes the live document read as this, by one update in somebody's name. `published`: a version holds it. Where the head is
    /// then; the same as before if nothing is different. [WRITE-4]
    pub(super) fn write(
        &mut self,
        tx: &WriteTx,
        content: &Content,
        author: Option<UserId>,
        published: bool,
        now_ms: i64,
    ) -> Result<Position> {
        let (page, epoch) = (self.page, self.state.epoch);
        let seq = self.state.head_seq + 1;
        let client_id = follow::server_client_id(tx, page, seq)?;
        let update = Live::rewrite(&self.bytes, &content.document, &content.title, client_id)
            .map_err(|why| Error::internal(why.reason))?;
        if update == follow::EMPTY_UPDATE {
            return Ok(self.state.head());
        }
        let checksum = follow::checksum(&update);
        tx.execute(
            "INSERT INTO live_update (document_id, epoch, seq, user_id, connection, bytes, checksum, committed_at_ms, published)
             VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8)",
            params![page, epoch, seq, author, update.as_slice(), checksum, now_ms, published],
        )?;
        tx.execute(
            "UPDATE live_document SET head_seq = $2 WHERE document_id = $1",
            params![page, seq],
        )?;
        authors::note_server(tx, page, epoch, client_id, author, now_ms)?;
        self.bytes = collab::merge(&[self.bytes.clone(), update.into()]).map_err(unavailable)?;
        self.state.head_seq = seq;
        news::head_moved(tx, page)?;
        Ok(self.state.head())
    }
}

/// Brings a version that was published by another way than the draft into the live document, if there is one. To be called in the
/// transaction that stores the version. `Conflict` when the draft has other changes in the same blocks. [WRITE-2] [WRITE-3]
pub(crate) fn follow(tx: &WriteTx, written: &Written<'_>) -> Result<()> {
    let Some(state) = State::read(tx, written.page)? else {
        return Ok(());
    };
    let page = written.page;
    let new = Content::of_body(written.body, written.title);
    let mut current = Current::read(tx, page, state)?;
    let target = if state.head_seq == state.published_seq {
        new.clone()
    } else {
        let draft = current.content(tx)?;
        let base = match written.before {
            0 => Content::of_body("", &draft.title),
            number => Content::of_version(tx, page, number)?,
        };
        merged(&base, &draft, &new).map_err(|overlaps| overlap(DRAFT, &overlaps))?
    };
    let head = current.write(tx, &target, written.author, true, written.now_ms)?;
    // [WRITE-5] What the draft has besides stays unpublished.
    if target.as_stored() == new.as_stored() {
        follow::note_published(tx, page, head, &current.bytes)?;
        let runs = super::written::of_state(tx, page, state.epoch, &current.bytes)?;
        authorship::store(tx, page, written.version, &runs)?;
    }
    let by = crate::view::person(tx, written.author.map(UserId::get))?;
    let by = by.map_or_else(|| "Watersmeet".to_owned(), |person| person.full_name);
    let told =
        json!({ "event": "written", "version": written.version, "title": written.title, "by": by });
    news::event(tx, page, told)
}

/// A change that builds on an older version, put on the version that is published now: its title and its body. [WRITE-7]
pub(crate) fn onto_published(
    tx: &Tx,
    page: ContentId,
    (expected, current): (i64, i64),
    title: &str,
    body: &str,
) -> Result<(String, String)> {
    publish::check_body(body)?;
    let base = Content::of_version(tx, page, expected)?;
    let ours = Content::of_version(tx, page, current)?;
    let theirs = Content::of_body(body, title);
    let merged = merged(&base, &ours, &theirs).map_err(|overlaps| overlap(VERSION, &overlaps))?;
    Ok((merged.title, StorageFormat::write(&merged.document)))
}

/// Both changes together. What is ours comes from an editor, the others were stored.
pub(super) fn merged(
    base: &Content,
    ours: &Content,
    theirs: &Content,
) -> Result<Content, Vec<Overlap>> {
    let stored = ours.as_stored();
    let title = merged_title(&base.title, &ours.title, &theirs.title)?;
    let mut document = Merge::blocks(&base.document, &stored.document, &theirs.document)?;
    // Blocks that nobody touched stay the very blocks of the editor.
    if stored.document.content.len() == ours.document.content.len() {
        let pairs = stored.document.content.iter().zip(&ours.document.content);
        let originals: HashMap<&Node, &Node> = pairs.collect();
        for block in &mut document.content {
            if let Some(original) = originals.get(&*block) {
                *block = (*original).clone();
            }
        }
    }
    Ok(Content { document, title })
}

fn merged_title(base: &str, ours: &str, theirs: &str) -> Result<String, Vec<Overlap>> {
    let (base, mine, other) = (base.trim(), ours.trim(), theirs.trim());
    if mine == other || other == base {
        Ok(ours.to_owned())
    } else if mine == base {
        Ok(theirs.to_owned())
    } else {
        Err(vec![Overlap {
            ours: mine.to_owned(),
            theirs: other.to_owned(),
        }])
    }
}

const DRAFT: &str = "the draft of the page has other changes in the same place";
const VERSION: &str = "the page was changed in the same place since the version this builds on";

/// The refusal that names the blocks. [WRITE-3]
fn overlap(what: &str, overlaps: &[Overlap]) -> Error {
    let quoted = |text: &str| match text {
        "" => "(removed)".to_owned(),
        text => format!("`{}`", shortened(text)),
    };
    let mut places: Vec<String> = overlaps
        .iter()
        .take(OVERLAPS_TOLD_MAX)
        .map(|overlap| {
            format!(
                "{} there, {} here",
                quoted(&overlap.ours),
                quoted(&overlap.theirs)
            )
        })
        .collect();
    if overlaps.len() > OVERLAPS_TOLD_MAX {
        places.push(format!("and {} more", overlaps.len() - OVERLAPS_TOLD_MAX));
    }
    Error::Conflict(format!(
        "{what}: {}; look at the newest state and make the change again",
        places.join("; ")
    ))
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(OVERLAP_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
