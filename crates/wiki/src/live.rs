//! Live documents: what people edit together, what becomes of it when somebody publishes or discards, or writes by another way.
//!
//! This file has the documents that are open in this process: the engine, and who is in. `live/log.rs` is the durable log behind
//! `collab`'s engine, `live/rights.rs` judges connections again, `live/mode.rs` switches editing on and off.
//!
//! What needs no engine, and so can be done by any process on the same database: `live/drafts.rs` publishes and discards,
//! `live/writes.rs` brings versions from elsewhere into a live document, `live/epochs.rs` begins it anew. Open editors, wherever they
//! are, hear of all that by announcement (`live/news.rs`); the engine also compares heads once a second.

mod authors;
mod base;
mod drafts;
mod epochs;
mod follow;
mod log;
mod mode;
mod names;
mod news;
mod open;
mod rights;
mod sizes;
mod travel;
mod writes;
mod written;

#[cfg(test)]
mod tests;

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::settings;
use crate::wiki::Wiki;
use collab::{
    Engine, EngineSettings, EngineStats, Join, LeaseKey, Link, LogError, Outbox, Rights, Who,
};
use names::{Name, no_document};
use rights::Watched;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::WriteTx;

pub use collab::Mode;
pub use drafts::{Drafts, Published};
pub use epochs::{Compacted, OfflineEdits, OfflineMerge};
pub(crate) use log::check;
pub use mode::{LiveMode, mode_of_word};
pub(crate) use news::{head_moved, moved, rights_changed};
pub use open::{OpenDocument, open_rights};
pub use sizes::LogSize;
pub use travel::{DraftHistory, DraftState, Moment};
pub(crate) use writes::{Written, follow, onto_published};
pub use written::{LiveAuthors, OriginRun};

/// The roots of a page's live document: the body and the title.
const ROOTS: &[&str] = &["default", "title"];
/// Setting: the secret for leases of client ids.
const LEASE_KEY: &str = "live_lease_key";

/// The live documents of a wiki, open in this process. Clones are cheap and share everything.
#[derive(Clone)]
pub struct LiveDocuments {
    inner: Arc<Inner>,
}

struct Inner {
    wiki: Wiki,
    engine: Engine,
    /// Grows whenever rights are about to be judged again, so that a join in that moment is not left out.
    rights_asked: AtomicU64,
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

impl LiveDocuments {
    /// Starts the engine on the current Tokio runtime.
    pub async fn start(wiki: Wiki) -> Result<Self> {
        let mut secret = [0; 32];
        wiki.random().fill(&mut secret);
        let offered = hex::encode(secret);
        let stored = wiki.write(move |tx| lease_key(tx, &offered)).await?;
        let key = parse_lease_key(Some(stored))?;
        let mut seed = [0; 8];
        wiki.random().fill(&mut seed);
        let log = Arc::new(log::WikiLog::new(wiki.clone()));
        let announcements = wiki.database().announcements();
        let settings = EngineSettings {
            key,
            seed: u64::from_le_bytes(seed),
            roots: roots_of,
        };
        let engine = Engine::start(log, settings);
        let inner = Arc::new(Inner {
            wiki,
            engine,
            rights_asked: AtomicU64::new(0),
            watched: Mutex::new(HashMap::new()),
        });
        mode::apply(&inner).await;
        tokio::spawn(news::listen(Arc::downgrade(&inner), announcements));
        tokio::spawn(epochs::sweep(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// How many may write in one document at a time while editing is on; 0: any number.
    pub async fn set_writers_max(&self, writers_max: usize) {
        self.inner.engine.set_writers_max(writers_max).await;
    }

    /// Opens a document for somebody: `page-<id>`. `Forbidden` or `NotFound` when they may not read it.
    pub async fn join(
        &self,
        actor: &Actor,
        document: &str,
        how: Join,
    ) -> Result<(LiveLink, Outbox)> {
        self.join_at_most(actor, Rights::Write, document, how).await
    }

    /// The same with a token that may allow less than the wiki does.
    pub async fn join_at_most(
        &self,
        actor: &Actor,
        most: Rights,
        document: &str,
        how: Join,
    ) -> Result<(LiveLink, Outbox)> {
        let page = page_of(document).ok_or_else(|| no_document(document))?;
        let asking = actor.clone();
        let asked = self.inner.rights_asked.load(Ordering::SeqCst);
        let rights = self
            .inner
            .wiki
            .read(move |tx| rights::of(tx, &asking, page))
            .await?
            .min(most);
        if rights == Rights::None {
            return Err(refused(actor, document));
        }
        let watched = Watched {
            actor: actor.clone(),
            page: Some(page),
            document: document.to_owned(),
            most,
            rights,
        };
        self.join_watched(who(actor, rights), watched, how, asked)
            .await
    }

    /// Into the room. `asked`: the count of judgements before these rights were read.
    async fn join_watched(
        &self,
        who: Who,
        watched: Watched,
        how: Join,
        asked: u64,
    ) -> Result<(LiveLink, Outbox)> {
        let (link, outbox) = self.inner.engine.join(&watched.document, who, how).await;
        self.inner.watched().insert(link.connection(), watched);
        if self.inner.rights_asked.load(Ordering::SeqCst) != asked {
            rights::judge_again(&self.inner).await;
        }
        let inner = self.inner.clone();
        Ok((LiveLink { link, inner }, outbox))
    }

    /// Commits what was pushed and ends all connections: the end of the server.
    pub async fn drain(&self) {
        self.inner.engine.drain().await;
    }

    /// Whether people edit together, only look, or take turns.
    pub fn mode(&self) -> Mode {
        self.inner.engine.mode()
    }

    /// Numbers for metrics.
    pub fn stats(&self) -> EngineStats {
        self.inner.engine.stats()
    }
}

impl Inner {
    fn watched(&self) -> MutexGuard<'_, HashMap<u64, Watched>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a stored setting.
fn parse_lease_key(stored: Option<String>) -> Result<LeaseKey> {
    let bytes = stored.and_then(|stored| hex::decode(stored).ok());
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let key = key.ok_or_else(|| Error::internal(format!("the setting `{LEASE_KEY}` is no key")))?;
    Ok(LeaseKey::new(key))
}

/// The stored key, which is the offered one at the first start.
fn lease_key(tx: &WriteTx, offered: &str) -> Result<String> {
    if let Some(stored) = settings::get(tx, LEASE_KEY)? {
        return Ok(stored);
    }
    settings::put(tx, LEASE_KEY, offered)?;
    Ok(offered.to_owned())
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
