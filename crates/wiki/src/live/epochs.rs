//! Beginning a live document anew when it has grown out of proportion to what it says, and what becomes of edits that somebody made
//! offline, in the meantime, on the old one.

use super::follow::{self, State, position};
use super::names::page_document;
use super::writes::{self, Content, Current};
use super::{
    Inner, LEASE_KEY, ROOTS, authors, base, drafts, log, mode, parse_lease_key, unavailable,
    written,
};
use crate::accounts::require_admin;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::limits::{
    EPOCH_KEPT_MS, EPOCHS_KEPT_MAX, OFFLINE_UPDATES_MAX, REWRITE_BATCH, REWRITE_BYTES_MIN,
    REWRITE_CLIENTS_BYTES, REWRITE_GAIN, REWRITE_SWEEP, REWRITE_TEXT_FACTOR,
};
use crate::permissions::{self, Right};
use crate::settings;
use crate::wiki::Wiki;
use bytes::Bytes;
use collab::{Lease, LogError};
use document::{Live, Overlap, PlainText};
use std::collections::HashSet;
use std::sync::Weak;
use storage::{Tx, WriteTx, params};

/// What a rewriting brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Encoded size before.
    pub bytes_before: usize,
    /// Encoded size now; the same when it was not worth it.
    pub bytes_after: usize,
    /// The epoch that it is in now.
    pub epoch: u64,
}

/// What somebody typed while they were offline and the epoch ended.
#[derive(Clone, Debug)]
pub struct OfflineEdits {
    /// The epoch they had.
    pub epoch: u64,
    /// The client id they wrote with.
    pub client_id: u64,
    /// The proof that came with it.
    pub proof: [u8; 16],
    /// Yjs updates (v1), in order.
    pub updates: Vec<Bytes>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfflineMerge {
    /// It is in the draft now.
    Merged {
        /// The sequence number of the update that brought it, or the head if there was nothing new in it.
        seq: u64,
    },
    /// It is not, and will not be: the author gets the text back.
    Refused {
        /// Why, for people.
        why: String,
        /// What was written.
        text: String,
    },
}

/// Keeps the last state of an epoch that is about to end. [EPOCH-3]
pub(super) fn keep(tx: &WriteTx, current: &Current, now_ms: i64) -> Result<()> {
    let (page, epoch) = (current.page, current.state.epoch);
    tx.execute(
        "INSERT INTO live_epoch (document_id, epoch, snapshot, checksum, ended_at_ms)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (document_id, epoch) DO NOTHING",
        params![
            page,
            epoch,
            current.bytes.as_ref(),
            follow::checksum(&current.bytes),
            now_ms
        ],
    )?;
    tx.execute(
        "DELETE FROM live_epoch WHERE document_id = $1 AND epoch <= $2",
        params![page, epoch - EPOCHS_KEPT_MAX],
    )?;
    prune(tx, now_ms)
}

fn prune(tx: &WriteTx, now_ms: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM live_epoch WHERE ended_at_ms < $1",
        params![now_ms - EPOCH_KEPT_MS],
    )?;
    Ok(())
}

/// The last state of an epoch that is over, if it is still kept.
fn kept(tx: &Tx, page: ContentId, epoch: i64, now_ms: i64) -> Result<Option<Bytes>> {
    let sql = "SELECT snapshot, checksum FROM live_epoch WHERE document_id = $1 AND epoch = $2 AND ended_at_ms >= $3";
    let Some(row) = tx.query_opt(sql, params![page, epoch, now_ms - EPOCH_KEPT_MS])? else {
        return Ok(None);
    };
    let (bytes, checksum) = (row.bytes("snapshot")?, row.i64("checksum")?);
    let bytes = follow::verified(tx, page, epoch, bytes, checksum).map_err(unavailable)?;
    Ok(Some(bytes))
}

/// A live document and what it would be when written afresh.
struct Weighed {
    bytes: usize,
    fresh: Vec<u8>,
    client_id: u64,
    text_bytes: usize,
    client_bytes: usize,
    /// It holds what the schema does not know, and what would be lost.
    foreign: bool,
}

impl Weighed {
    fn of(state: &Bytes, client_id: u64) -> Result<Weighed, LogError> {
        let corrupt = |why: document::Unreadable| LogError::Corrupt(why.reason);
        let (document, title, notes) = Live::read(&[state]).map_err(corrupt)?;
        Ok(Weighed {
            bytes: state.len(),
            text_bytes: PlainText::write(&document).len() + title.len(),
            fresh: Live::seed(&follow::never_empty(document), &title, client_id),
            client_id,
            client_bytes: collab::client_bytes(state),
            foreign: !notes.is_empty(),
        })
    }

    /// [EPOCH-1]
    fn is_due(&self) -> bool {
        let large = self.bytes > REWRITE_BYTES_MIN
            && self.bytes > REWRITE_TEXT_FACTOR * self.text_bytes
            && self.fresh.len() * REWRITE_GAIN < self.bytes;
        !self.foreign && (large || self.client_bytes > REWRITE_CLIENTS_BYTES)
    }
}

impl super::Drafts<'_> {
    /// Writes the live document of a page afresh, in a new epoch; drafts stay drafts. Administrators only. [EPOCH-2]
    pub async fn compact(&self, actor: &Actor, page: ContentId) -> Result<Compacted> {
        require_admin(actor)?;
        rewrite(self.wiki, page, true).await
    }

    /// Puts what somebody typed offline, on an epoch that is over, into the present draft, as one update of theirs. [EPOCH-4]
    pub async fn merge_offline(
        &self,
        actor: &Actor,
        page: ContentId,
        edits: OfflineEdits,
    ) -> Result<OfflineMerge> {
        if edits.updates.len() > OFFLINE_UPDATES_MAX {
            return Err(Error::Invalid(format!(
                "more than {OFFLINE_UPDATES_MAX} updates at once; merge them first"
            )));
        }
        let (asking, now_ms) = (actor.clone(), self.wiki.now_ms());
        let epoch = log::column(edits.epoch);
        let read = move |tx: &Tx| {
            mode::require_open(tx)?;
            permissions::require(tx, &asking, page, Right::Edit)?;
            let state = drafts::require_state(tx, page)?;
            if state.epoch == epoch {
                return Err(Error::Invalid(format!(
                    "epoch {epoch} is not over; connect and send the edits"
                )));
            }
            let key = settings::get(tx, LEASE_KEY)?;
            Ok((key, kept(tx, page, epoch, now_ms)?))
        };
        let (key, state) = self.wiki.read(read).await?;
        let Some(state) = state else {
            return Ok(OfflineMerge::Refused {
                why: "the page has changed too much since this was written offline, and what it was then is not kept any more; put the text in by hand".into(),
                text: collab::written_text(&edits.updates),
            });
        };
        let document = page_document(page);
        let user = actor
            .user_id()
            .map_or_else(String::new, |id| id.to_string());
        let lease = Lease {
            client_id: edits.client_id,
            proof: edits.proof,
        };
        let kept = collab::OfflineEdits {
            document: &document,
            user: &user,
            lease: &lease,
            updates: &edits.updates,
        };
        let key = parse_lease_key(key)?;
        kept.check(&key, ROOTS, &state).map_err(|why| {
            Error::Invalid(format!(
                "these edits do not fit the state of their epoch ({why:?})"
            ))
        })?;
        let changed = collab::hydrate(move || changed(state, edits.updates)).await;
        let (base, theirs) = changed.map_err(unavailable)?;
        self.put(actor, page, base, theirs).await
    }

    async fn put(
        &self,
        actor: &Actor,
        page: ContentId,
        base: Content,
        theirs: Content,
    ) -> Result<OfflineMerge> {
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                permissions::require(tx, &actor, page, Right::Edit)?;
                let state = drafts::require_state(tx, page)?;
                let mut current = Current::read(tx, page, state)?;
                let ours = current.content(tx)?;
                match writes::merged(&base, &ours, &theirs) {
                    Ok(merged) => {
                        let at = current.write(tx, &merged, actor.user_id(), false, now_ms)?;
                        Ok(OfflineMerge::Merged { seq: at.seq })
                    }
                    Err(overlaps) => Ok(OfflineMerge::Refused {
                        why: "others have changed the same place since; put the text in by hand"
                            .into(),
                        text: text_of(&overlaps),
                    }),
                }
            })
            .await
    }
}

/// What the document was at the end of its epoch, and what it is with the edits; both as they would be stored.
fn changed(state: Bytes, edits: Vec<Bytes>) -> Result<(Content, Content), LogError> {
    let corrupt = |why: document::Unreadable| LogError::Corrupt(why.reason);
    let (document, title, _) = Live::read(&[&state]).map_err(corrupt)?;
    let base = Content { document, title }.as_stored();
    let mut updates = vec![state];
    updates.extend(edits);
    let (document, title, _) = Live::read(&updates).map_err(corrupt)?;
    Ok((base, Content { document, title }.as_stored()))
}

fn text_of(overlaps: &[Overlap]) -> String {
    let texts: Vec<&str> = overlaps
        .iter()
        .map(|overlap| overlap.theirs.as_str())
        .collect();
    texts.join("\n")
}

/// Writes a live document afresh if that is due, or `forced`. Whoever has it open gets RESET 2. [EPOCH-2]
async fn rewrite(wiki: &Wiki, page: ContentId, forced: bool) -> Result<Compacted> {
    let read = move |tx: &Tx| {
        let state = drafts::require_state(tx, page)?;
        let client_id = follow::server_client_id(tx, page, state.head_seq + 1)?;
        let current = Current::read(tx, page, state)?;
        Ok((state, client_id, current.bytes))
    };
    let (state, client_id, bytes) = wiki.read(read).await?;
    let weighed = collab::hydrate(move || Weighed::of(&bytes, client_id)).await;
    let weighed = weighed.map_err(unavailable)?;
    if weighed.foreign && forced {
        return Err(Error::Conflict(
            "the live document holds something that only another program understands; it is left as it is".into(),
        ));
    }
    let worth = weighed.is_due() || (forced && !weighed.foreign);
    let now_ms = wiki.now_ms();
    wiki.write(move |tx| {
        let unchanged = Compacted {
            bytes_before: weighed.bytes,
            bytes_after: weighed.bytes,
            epoch: state.epoch.unsigned_abs(),
        };
        if State::read(tx, page)?.map(|now| now.head()) != Some(state.head()) {
            // Somebody is writing: another time.
            return Ok(unchanged);
        }
        if !worth {
            note_weighed(tx, page, state.head_seq)?;
            return Ok(unchanged);
        }
        let new = begin_rewritten(tx, page, &state, &weighed, now_ms)?;
        note_weighed(tx, page, new.head_seq)?;
        Ok(Compacted {
            bytes_after: weighed.fresh.len(),
            epoch: new.epoch.unsigned_abs(),
            ..unchanged
        })
    })
    .await
}

fn begin_rewritten(
    tx: &WriteTx,
    page: ContentId,
    old: &State,
    weighed: &Weighed,
    now_ms: i64,
) -> Result<State> {
    let current = Current::read(tx, page, *old)?;
    keep(tx, &current, now_ms)?;
    let runs = written::of_state(tx, page, old.epoch, &current.bytes)?;
    let users = base::unpublished_authors(tx, page, old, old.head_seq)?;
    // What was not published before is not published now: the mark stays behind the head.
    let is_draft = old.head_seq > old.published_seq;
    let seq = old.head_seq + 1;
    let new = old.next_epoch(if is_draft { old.head_seq } else { seq }, REWRITTEN);
    follow::begin_epoch(tx, page, new, &weighed.fresh)?;
    authors::note_server(tx, page, new.epoch, weighed.client_id, None, now_ms)?;
    written::note_origin(tx, page, new.epoch, &weighed.fresh, &runs)?;
    if is_draft {
        base::put(tx, page, position(new.epoch, seq), &weighed.fresh, &users)?;
    }
    Ok(new)
}

/// The reason of an epoch that holds the same as the one before.
const REWRITTEN: i64 = 2;

fn note_weighed(tx: &WriteTx, page: ContentId, head_seq: i64) -> Result<()> {
    let sql = "INSERT INTO live_weighed (document_id, head_seq) VALUES ($1, $2)
        ON CONFLICT (document_id) DO UPDATE SET head_seq = excluded.head_seq";
    tx.execute(sql, params![page, head_seq])?;
    Ok(())
}

/// Now and then looks at live documents that were folded and that nobody has open. [EPOCH-1]
pub(super) async fn sweep(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(REWRITE_SWEEP).await;
        let Some(inner) = inner.upgrade() else { return };
        if let Err(error) = sweep_once(&inner).await {
            tracing::warn!(%error, "live documents could not be looked at for rewriting");
        }
    }
}

/// Looks at some of them; how many were rewritten.
pub(super) async fn sweep_once(inner: &Inner) -> Result<usize> {
    let open: HashSet<ContentId> = {
        let watched = inner.watched();
        watched
            .values()
            .filter_map(|watched| watched.page)
            .collect()
    };
    let now_ms = inner.wiki.now_ms();
    inner.wiki.write(move |tx| prune(tx, now_ms)).await?;
    let smallest = REWRITE_BYTES_MIN.min(REWRITE_CLIENTS_BYTES) as i64;
    let read = move |tx: &Tx| -> Result<Vec<ContentId>> {
        let sql = "SELECT d.document_id FROM live_document d JOIN content c ON c.id = d.document_id
            JOIN live_snapshot s ON s.document_id = d.document_id
            LEFT JOIN live_weighed w ON w.document_id = d.document_id
            WHERE c.status IN ('current', 'draft') AND d.head_seq = d.snapshot_seq AND LENGTH(s.bytes) > $1
                AND (w.head_seq IS NULL OR w.head_seq < d.head_seq) LIMIT $2";
        let rows = tx.query(sql, params![smallest, REWRITE_BATCH])?;
        rows.iter()
            .map(|row| Ok(ContentId::new(row.i64(0)?)))
            .collect()
    };
    let mut rewritten = 0;
    for page in inner.wiki.read(read).await? {
        if open.contains(&page) {
            continue;
        }
        match rewrite(&inner.wiki, page, false).await {
            Ok(done) => rewritten += usize::from(done.bytes_after != done.bytes_before),
            Err(error) => {
                tracing::warn!(%error, %page, "a live document could not be written afresh");
                let given_up = move |tx: &WriteTx| match State::read(tx, page)? {
                    Some(state) => note_weighed(tx, page, state.head_seq),
                    None => Ok(()),
                };
                inner.wiki.write(given_up).await?;
            }
        }
    }
    Ok(rewritten)
}
