//! Live documents: what people edit together, what becomes of it when somebody publishes or discards.
//!
//! `live/log.rs` is the durable log behind `collab`'s engine, `live/follow.rs` keeps a live document in step with versions that come
//! from elsewhere, `live/rights.rs` pushes changed rights to open editors.
//!
//! Other processes on the same database (the command line) may write to the same logs: the engine compares heads once a second.

mod authors;
mod follow;
mod log;
mod names;
mod rights;

#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::ids::{ContentId, UserId};
use crate::pages::PageHead;
use crate::permissions::{self, Right};
use crate::publish::{self, NewVersion};
use crate::settings;
use crate::wiki::Wiki;
use collab::{
    Engine, EngineSettings, EngineStats, Join, LeaseKey, Link, LogError, Outbox, Position, Rights,
    Who,
};
use document::{Document, Live, StorageFormat};
use names::{Name, no_document, page_document as document_of};
use rights::Watched;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::{Tx, WriteTx, params};

pub(crate) use follow::follow;
pub(crate) use log::check;

/// The roots of a page's live document: the body and the title.
const ROOTS: &[&str] = &["default", "title"];
/// Setting: the secret for leases of client ids.
const LEASE_KEY: &str = "live_lease_key";
/// How often a publish starts again because another one was faster.
const PUBLISH_TRIES: usize = 3;

/// The live documents of a wiki, open in this process. Clones are cheap and share everything.
#[derive(Clone)]
pub struct LiveDocuments {
    inner: Arc<Inner>,
}

struct Inner {
    wiki: Wiki,
    engine: Engine,
    log: Arc<log::WikiLog>,
    /// A lock around a map, held only to look something up: connections whose rights are watched.
    watched: Mutex<HashMap<u64, Watched>>,
}

/// A connection's way into its room. Dropping it leaves.
pub struct LiveLink {
    link: Link,
    inner: Arc<Inner>,
}

impl Deref for LiveLink {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

impl Drop for LiveLink {
    fn drop(&mut self) {
        self.inner.watched().remove(&self.link.connection());
    }
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
    document: Document,
    title: String,
}

impl LiveDocuments {
    /// Starts the engine on the current Tokio runtime.
    pub async fn start(wiki: Wiki) -> Result<Self> {
        let mut secret = [0; 32];
        wiki.random().fill(&mut secret);
        let offered = hex::encode(secret);
        let stored = wiki.write(move |tx| lease_key(tx, &offered)).await?;
        let key = hex::decode(stored)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key =
            key.ok_or_else(|| Error::internal(format!("the setting `{LEASE_KEY}` is no key")))?;
        let mut seed = [0; 8];
        wiki.random().fill(&mut seed);
        let log = Arc::new(log::WikiLog::new(wiki.clone()));
        let settings = EngineSettings {
            key: LeaseKey::new(key),
            seed: u64::from_le_bytes(seed),
            roots: roots_of,
        };
        let engine = Engine::start(log.clone(), settings);
        let inner = Arc::new(Inner {
            wiki,
            engine,
            log,
            watched: Mutex::new(HashMap::new()),
        });
        tokio::spawn(rights::watch(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Opens a document for somebody: `page-<id>`. `Forbidden` or `NotFound` when they may not read it.
    pub async fn join(
        &self,
        actor: &Actor,
        document: &str,
        how: Join,
    ) -> Result<(LiveLink, Outbox)> {
        let page = page_of(document).ok_or_else(|| no_document(document))?;
        let asking = actor.clone();
        let rights = self
            .inner
            .wiki
            .read(move |tx| rights::of(tx, &asking, page))
            .await?;
        if rights == Rights::None {
            return Err(refused(actor, document));
        }
        let who = who(actor, rights);
        let (link, outbox) = self.inner.engine.join(document, who, how).await;
        let watched = Watched {
            actor: actor.clone(),
            page,
            rights,
        };
        self.inner.watched().insert(link.connection(), watched);
        Ok((
            LiveLink {
                link,
                inner: self.inner.clone(),
            },
            outbox,
        ))
    }

    /// Makes the draft at the head of the log the current version. Without changes the current version is the answer.
    pub async fn publish(
        &self,
        actor: &Actor,
        page: ContentId,
        message: &str,
        minor: bool,
    ) -> Result<Published> {
        for _ in 0..PUBLISH_TRIES {
            let draft = self.draft(actor, page).await?;
            if let Some(published) = self
                .publish_draft(actor, page, draft, message, minor)
                .await?
            {
                self.tell_published(actor, page, &published, message).await;
                return Ok(published);
            }
        }
        Err(Error::Conflict(
            "others are publishing this page at this moment; look at their version first".into(),
        ))
    }

    /// The draft as a document with its title, as it would be published now.
    pub async fn read_draft(&self, actor: &Actor, page: ContentId) -> Result<(Document, String)> {
        let draft = self.draft(actor, page).await?;
        Ok((draft.document, draft.title))
    }

    async fn draft(&self, actor: &Actor, page: ContentId) -> Result<Draft> {
        self.require_edit(actor, page).await?;
        let (at, updates) = self.inner.log.state(page).await.map_err(unavailable)?;
        let read = collab::hydrate(move || {
            Live::read(&updates).map_err(|why| LogError::Corrupt(why.reason))
        });
        let (document, title, _) = read.await.map_err(unavailable)?;
        Ok(Draft {
            at,
            document,
            title,
        })
    }

    async fn publish_draft(
        &self,
        actor: &Actor,
        page: ContentId,
        draft: Draft,
        message: &str,
        minor: bool,
    ) -> Result<Option<Published>> {
        let (actor, message, now_ms) =
            (actor.clone(), message.to_owned(), self.inner.wiki.now_ms());
        let body = StorageFormat::write(&draft.document);
        self.inner
            .wiki
            .write(move |tx| {
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                let state = follow::State::read(tx, page)?
                    .ok_or_else(|| no_document(&document_of(page)))?;
                let seq = log::column(draft.at.seq);
                if state.head().epoch != draft.at.epoch || state.published_seq > seq {
                    return Ok(None);
                }
                let version = if head.version > 0 && state.published_seq == seq {
                    head.version
                } else {
                    let contributors = contributors(tx, page, &state, seq, actor.user_id())?;
                    let version = NewVersion {
                        author: actor.user_id(),
                        contributors: &contributors,
                        message: &message,
                        minor,
                        ..NewVersion::new(page, &draft.title, &body, now_ms)
                    };
                    let number = publish::insert_version_only(tx, &version)?;
                    follow::note_published(tx, page, seq)?;
                    number
                };
                published(tx, &actor, page, version).map(Some)
            })
            .await
    }

    async fn tell_published(
        &self,
        actor: &Actor,
        page: ContentId,
        published: &Published,
        message: &str,
    ) {
        let event = serde_json::json!({
            "event": "published", "version": published.version, "title": published.title,
            "by": full_name(actor), "message": message,
        });
        self.inner
            .engine
            .notify(&document_of(page), event.to_string())
            .await;
    }

    /// Goes back to the published version, for everybody; what was written since is gone.
    pub async fn discard(&self, actor: &Actor, page: ContentId) -> Result<()> {
        let discarding = actor.clone();
        self.inner
            .wiki
            .write(move |tx| {
                let (_, head) = permissions::require(tx, &discarding, page, Right::Edit)?;
                follow::start_again(tx, &head)
            })
            .await?;
        let document = document_of(page);
        let event = serde_json::json!({ "event": "discarded", "by": full_name(actor) });
        self.inner.engine.notify(&document, event.to_string()).await;
        self.inner.engine.changed(&document).await;
        Ok(())
    }

    /// To be called after a page's versions were changed by another way (restore, a program), so that open editors see it at once.
    pub async fn changed(&self, page: ContentId) {
        self.inner.engine.changed(&document_of(page)).await;
    }

    /// Commits what was pushed and ends all connections: the end of the server.
    pub async fn drain(&self) {
        self.inner.engine.drain().await;
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> EngineStats {
        self.inner.engine.stats()
    }

    async fn require_edit(&self, actor: &Actor, page: ContentId) -> Result<PageHead> {
        let actor = actor.clone();
        self.inner
            .wiki
            .read(move |tx| Ok(permissions::require(tx, &actor, page, Right::Edit)?.1))
            .await
    }
}

impl Inner {
    fn watched(&self) -> MutexGuard<'_, HashMap<u64, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The stored key, which is the offered one at the first start.
fn lease_key(tx: &WriteTx, offered: &str) -> Result<String> {
    if let Some(stored) = settings::get(tx, LEASE_KEY)? {
        return Ok(stored);
    }
    settings::put(tx, LEASE_KEY, offered)?;
    Ok(offered.to_owned())
}

/// Who wrote since the last publish, besides the one who publishes.
fn contributors(
    tx: &Tx,
    page: ContentId,
    state: &follow::State,
    until_seq: i64,
    author: Option<UserId>,
) -> Result<Vec<UserId>> {
    let sql = "SELECT DISTINCT user_id FROM live_update
        WHERE document_id = $1 AND epoch = $2 AND seq > $3 AND seq <= $4 AND user_id IS NOT NULL ORDER BY user_id";
    let rows = tx.query(
        sql,
        params![page, state.epoch, state.published_seq, until_seq],
    )?;
    let mut users = Vec::with_capacity(rows.len());
    for row in rows {
        users.push(UserId::new(row.i64(0)?));
    }
    users.retain(|user| Some(*user) != author);
    Ok(users)
}

/// [SCAN-5] What roots a document may have: those of a page, or any if it belongs to another application.
fn roots_of(document: &str) -> &'static [&'static str] {
    match Name::parse(document) {
        Some(Name::Open { .. }) => &[],
        _ => ROOTS,
    }
}

fn who(actor: &Actor, rights: Rights) -> Who {
    let (id, user, name) = match actor.person() {
        Some(person) => (
            person.id.to_string(),
            person.name.as_str(),
            person.full_name.as_str(),
        ),
        None => (String::new(), "", "Anonymous"),
    };
    // FNV-1a: the same colour for the same name everywhere.
    let hash = user.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let identity = serde_json::json!({ "user": user, "name": name, "hue": hash % 360 }).to_string();
    Who {
        user: id,
        identity,
        rights,
    }
}

fn full_name(actor: &Actor) -> &str {
    actor
        .person()
        .map_or("Watersmeet", |person| &person.full_name)
}

/// The page of a document.
fn page_of(document: &str) -> Option<ContentId> {
    match Name::parse(document) {
        Some(Name::Page(page)) => Some(page),
        _ => None,
    }
}

fn refused(actor: &Actor, document: &str) -> Error {
    if actor.is_anonymous() {
        Error::Forbidden("log in to read this page".into())
    } else {
        no_document(document)
    }
}

fn unavailable(error: LogError) -> Error {
    match error {
        LogError::Gone => Error::NotFound("there is no such page".into()),
        LogError::Unavailable(detail) => Error::Unavailable {
            message: "the draft cannot be read now; try again in a moment".into(),
            detail,
        },
        LogError::Corrupt(detail) => Error::internal(detail),
    }
}

fn published(tx: &Tx, actor: &Actor, page: ContentId, version: i64) -> Result<Published> {
    let (_, head) = permissions::require(tx, actor, page, Right::View)?;
    Ok(Published {
        version,
        url: head.url(),
        title: head.title,
    })
}
