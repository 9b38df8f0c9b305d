//! What happens to live documents from elsewhere: announced in the transaction that does it, heard by every process with open editors.
//!
//! In one process and in several it is the same way, so nothing depends on who does it: a page, a program, the command line.

use super::names::page_document;
use super::{Inner, mode, rights};
use crate::actor::Actor;
use crate::error::Result;
use crate::ids::ContentId;
use crate::limits::RIGHTS_GATHERED;
use crate::pages::PageHead;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use storage::{Announcement, Announcements, WriteTx};
use tokio::time::Instant;

/// What is announced.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
#[serde(tag = "t", rename_all = "lowercase")]
enum News {
    /// The log of a document has a new head, a new epoch, or the document is gone.
    Head { d: String },
    /// Something for the eyes of everybody who has the document open.
    Event { d: String, e: Value },
    /// Somebody's rights may have changed.
    Rights,
    /// The mode of editing has changed.
    Mode,
}

fn announce(tx: &WriteTx, news: &News) -> Result<()> {
    let text = serde_json::to_string(news).map_err(crate::Error::internal)?;
    Ok(tx.announce(&text)?)
}

/// Rights, memberships, accounts, sessions, tokens, places in the tree: whatever decides who may do what has changed. [WRITE-9]
pub(crate) fn rights_changed(tx: &WriteTx) -> Result<()> {
    announce(tx, &News::Rights)
}

pub(super) fn mode_changed(tx: &WriteTx) -> Result<()> {
    announce(tx, &News::Mode)
}

/// A page's log was written to by the server, or the page is gone.
pub(crate) fn head_moved(tx: &WriteTx, page: ContentId) -> Result<()> {
    let d = page_document(page);
    announce(tx, &News::Head { d })
}

/// Something happened to a page that the people who have it open should know.
pub(super) fn event(tx: &WriteTx, page: ContentId, e: Value) -> Result<()> {
    let d = page_document(page);
    announce(tx, &News::Event { d, e })
}

/// A page has another address or title. [WRITE-10]
pub(crate) fn moved(tx: &WriteTx, head: &PageHead) -> Result<()> {
    let e = json!({ "event": "moved", "url": head.url(), "title": head.title });
    event(tx, head.id, e)
}

/// What the open editors call somebody.
pub(super) fn name_of(actor: &Actor) -> &str {
    let person = actor.person();
    person.map_or("Watersmeet", |person| &person.full_name)
}

/// Hears what is announced and tells the engine, until the engine is gone. Rights that change together are looked at once.
pub(super) async fn listen(inner: Weak<Inner>, mut announcements: Announcements) {
    // Soon, for what happened while the ear was put on.
    let mut rights_due = Instant::now() + rights::RETRY;
    loop {
        tokio::select! {
            heard = announcements.next() => {
                let (Some(inner), Some(heard)) = (inner.upgrade(), heard) else { return };
                match heard {
                    Announcement::Message(text) => {
                        if tell(&inner, &text).await {
                            rights_due = rights_due.min(Instant::now() + RIGHTS_GATHERED);
                        }
                    }
                    Announcement::Missed => {
                        rights_due = Instant::now();
                        look_again(&inner).await;
                    }
                }
            }
            () = tokio::time::sleep_until(rights_due) => {
                let Some(inner) = inner.upgrade() else { return };
                inner.rights_asked.fetch_add(1, Ordering::SeqCst);
                let done = rights::judge_again(&inner).await;
                rights_due = Instant::now() + if done { rights::RECHECK } else { rights::RETRY };
            }
        }
    }
}

/// Does what was announced; whether rights have to be looked at.
async fn tell(inner: &Inner, text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(News::Head { d }) => inner.engine.changed(&d).await,
        Ok(News::Event { d, e }) => inner.engine.notify(&d, e.to_string()).await,
        Ok(News::Mode) => mode::apply(inner).await,
        Ok(News::Rights) => return true,
        // A newer process on the same database may know more kinds.
        Err(error) => tracing::debug!(%error, text, "an announcement was not understood"),
    }
    false
}

/// Something was missed: every document that is open here may have changed.
async fn look_again(inner: &Inner) {
    mode::apply(inner).await;
    let open: HashSet<String> = {
        let watched = inner.watched();
        watched
            .values()
            .map(|watched| watched.document.clone())
            .collect()
    };
    for document in open {
        inner.engine.changed(&document).await;
    }
}
