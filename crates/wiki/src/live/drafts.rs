//! Drafts: the head of a page's live document, published or discarded. Needs no open room, so any process can do it; those with open
//! editors hear of it by announcement.

use super::follow::{self, State};
use super::names::page_document;
use super::news::{self, name_of};
use super::{base, log, mode, unavailable, written};
use crate::actor::Actor;
use crate::authorship;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::permissions::{self, Right};
use crate::publish::{self, NewVersion};
use crate::wiki::Wiki;
use bytes::Bytes;
use collab::Position;
use document::{Document, Live, StorageFormat, Unreadable, Written};
use serde_json::json;
use storage::{Tx, WriteTx, params};

/// How often a publish starts again because another one was faster.
const PUBLISH_TRIES: usize = 3;

/// Drafts of pages.
#[derive(Clone, Copy)]
pub struct Drafts<'a> {
    pub(crate) wiki: &'a Wiki,
}

/// What a publish made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The version that is current now.
    pub version: i64,
    /// Its title.
    pub title: String,
    /// Its canonical address, without the host.
    pub url: String,
}

/// The state of a live document at some moment.
struct Draft {
    at: Position,
    /// The version that was published then.
    version: i64,
    document: Document,
    title: String,
    /// One update that makes it.
    state: Bytes,
    /// The runs of its text and their client ids.
    written: Vec<Vec<Written>>,
}

/// How a publish is to be noted.
#[derive(Clone)]
struct Note {
    message: String,
    minor: bool,
}

impl Drafts<'_> {
    /// Makes the draft at the head of the log the current version. Without changes the current version is the answer. [WRITE-1]
    pub async fn publish(
        &self,
        actor: &Actor,
        page: ContentId,
        message: &str,
        minor: bool,
    ) -> Result<Published> {
        let note = Note {
            message: message.to_owned(),
            minor,
        };
        for _ in 0..PUBLISH_TRIES {
            let draft = self.draft(actor, page).await?;
            if let Some(published) = self.publish_draft(actor, page, draft, note.clone()).await? {
                return Ok(published);
            }
        }
        Err(Error::Conflict(
            "others are publishing this page at this moment; look at their version first".into(),
        ))
    }

    /// The draft as a document with its title, as it would be published now.
    pub async fn read(&self, actor: &Actor, page: ContentId) -> Result<(Document, String)> {
        let draft = self.draft(actor, page).await?;
        Ok((draft.document, draft.title))
    }

    async fn draft(&self, actor: &Actor, page: ContentId) -> Result<Draft> {
        let actor = actor.clone();
        let checked = actor.clone();
        let read = move |tx: &Tx| permissions::require(tx, &checked, page, Right::Edit);
        self.wiki.read(read).await?;
        let log = log::WikiLog::new(self.wiki.clone());
        log.seeded(&page_document(page))
            .await
            .map_err(unavailable)?;
        let read = move |tx: &Tx| {
            let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
            let state = require_state(tx, page)?;
            let updates = log::updates_of(tx, page, &state).map_err(unavailable)?;
            Ok((head.version, state, updates))
        };
        let (version, state, updates) = self.wiki.read(read).await?;
        let hydrated = collab::hydrate(move || match Live::read(&updates) {
            Ok((document, title, _)) => {
                let merged = collab::merge(&updates)?;
                let corrupt = |why: Unreadable| collab::LogError::Corrupt(why.reason);
                let written = Live::authorship(&[&merged]).map_err(corrupt)?;
                Ok(Ok((document, title, merged, written)))
            }
            Err(why) => Ok(Err((why, updates))),
        });
        match hydrated.await.map_err(unavailable)? {
            Ok((document, title, merged, written)) => Ok(Draft {
                at: state.head(),
                version,
                document,
                title,
                state: merged,
                written,
            }),
            Err((why, updates)) => {
                let fault = collab::hydrate(move || Ok(Live::fault(&updates)));
                let place = fault.await.ok().flatten().map(|(at, _)| at);
                let why = why.reason;
                let read = move |tx: &Tx| at_fault(tx, page, &state, place, &why);
                Err(self.wiki.read(read).await?)
            }
        }
    }

    async fn publish_draft(
        &self,
        actor: &Actor,
        page: ContentId,
        draft: Draft,
        note: Note,
    ) -> Result<Option<Published>> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        let body = StorageFormat::write(&draft.document);
        self.wiki
            .write(move |tx| {
                mode::require_open(tx)?;
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                let state = require_state(tx, page)?;
                let seq = log::column(draft.at.seq);
                let is_old = state.head().epoch != draft.at.epoch || head.version != draft.version;
                if is_old || state.published_seq > seq {
                    return Ok(None);
                }
                if head.version > 0 && state.published_seq == seq {
                    return published(tx, &actor, page, head.version).map(Some);
                }
                let contributors = contributors(tx, page, &state, seq, actor.user_id())?;
                let version = NewVersion {
                    author: actor.user_id(),
                    contributors: &contributors,
                    message: &note.message,
                    minor: note.minor,
                    ..NewVersion::new(page, &draft.title, &body, now_ms)
                };
                let number = publish::insert_version_only(tx, &version)?;
                let runs = written::runs(tx, page, state.epoch, &draft.written)?;
                authorship::store(tx, page, number, &runs)?;
                follow::note_published(tx, page, draft.at, &draft.state)?;
                let done = published(tx, &actor, page, number)?;
                let told = json!({
                    "event": "published", "version": done.version, "title": done.title, "url": done.url,
                    "by": name_of(&actor), "message": note.message,
                });
                news::event(tx, page, told)?;
                Ok(Some(done))
            })
            .await
    }

    /// Goes back to the published version, for everybody; what was written since is gone. [WRITE-8]
    pub async fn discard(&self, actor: &Actor, page: ContentId) -> Result<()> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                mode::require_open(tx)?;
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                follow::start_again(tx, &head, now_ms)?;
                let told = json!({ "event": "discarded", "by": name_of(&actor) });
                news::event(tx, page, told)
            })
            .await
    }
}

pub(super) fn require_state(tx: &Tx, page: ContentId) -> Result<State> {
    State::read(tx, page)?.ok_or_else(|| super::names::no_document(&page_document(page)))
}

/// Who wrote since the last publish, besides the one who publishes. [WRITE-1]
fn contributors(
    tx: &Tx,
    page: ContentId,
    state: &State,
    until_seq: i64,
    author: Option<UserId>,
) -> Result<Vec<UserId>> {
    let mut users = base::unpublished_authors(tx, page, state, until_seq)?;
    users.retain(|user| Some(*user) != author);
    Ok(users)
}

/// Why a draft cannot be read: which change is at fault, and whose it is. [WRITE-6]
pub(super) fn at_fault(
    tx: &Tx,
    page: ContentId,
    state: &State,
    place: Option<usize>,
    why: &str,
) -> Result<Error> {
    let seq = place.map(|place| state.snapshot_seq + log::column(place as u64));
    let sql = "SELECT l.connection, u.full_name FROM live_update l LEFT JOIN user_account u ON u.id = l.user_id
        WHERE l.document_id = $1 AND l.epoch = $2 AND l.seq = $3";
    let row = match seq {
        Some(seq) => tx.query_opt(sql, params![page, state.epoch, seq])?,
        None => None,
    };
    let what = match (row, seq) {
        (Some(row), Some(seq)) => {
            let name = row.opt_text("full_name")?;
            let connection = row.i64("connection")?;
            let name = name.unwrap_or_else(|| "a visitor without an account".to_owned());
            format!(
                "change {seq} by {name} (connection {connection}) does not fit what is before it"
            )
        }
        _ => "what is stored does not fit together".to_owned(),
    };
    Ok(Error::Conflict(format!(
        "the draft cannot be read: {what} ({why}); discard the draft to go back to the published version"
    )))
}

fn published(tx: &WriteTx, actor: &Actor, page: ContentId, version: i64) -> Result<Published> {
    let (_, head) = permissions::require(tx, actor, page, Right::View)?;
    Ok(Published {
        version,
        url: head.url(),
        title: head.title,
    })
}
