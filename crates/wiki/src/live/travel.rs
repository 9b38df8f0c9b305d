//! Time travel: the draft of a page at each moment since its last version, and who wrote then. [WHO-4] [WHO-5]
//!
//! The history of a draft is its base (the state at the last version) and the updates behind it, which stay in the log until the
//! next version. A moment is a run of updates by one person without a longer pause.

use super::drafts::Drafts;
use super::follow::State;
use super::writes::{Content, Current};
use super::{base, log, mode, unavailable};
use crate::actor::{Actor, Person};
use crate::compare::{self, ComparedBlock};
use crate::error::{Error, Result};
use crate::ids::ContentId;
use crate::limits::{MOMENT_PAUSE_MS, MOMENTS_MAX};
use crate::links::PageLinks;
use crate::permissions::{self, Right};
use crate::publish;
use crate::readable::readable;
use crate::view::{self, Place};
use bytes::Bytes;
use collab::LogError;
use document::{Document, Live};
use storage::{Tx, params};

/// What was written since the last version.
#[derive(Clone, Debug)]
pub struct DraftHistory {
    /// The last version; 0: none yet.
    pub since_version: i64,
    /// The place in the log where the history begins.
    pub base_seq: u64,
    /// Oldest first.
    pub moments: Vec<Moment>,
    /// Whether moments were put together because there were too many.
    pub cut: bool,
}

/// A run of changes by one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The place in the log behind its last change.
    pub seq: u64,
    /// When the last change was committed.
    pub at_ms: i64,
    /// Updates in it.
    pub changes: u64,
    /// Who; `None`: nobody with an account.
    pub person: Option<Person>,
}

/// The draft at one moment.
#[derive(Clone, Debug)]
pub struct DraftState {
    /// The place in the log.
    pub seq: u64,
    /// The title then.
    pub title: String,
    /// The page from top to bottom, what changed since the last version marked.
    pub blocks: Vec<ComparedBlock>,
    /// Blocks that are not as in the last version.
    pub changes: usize,
}

/// One row of the log, without its bytes.
struct Step {
    seq: i64,
    user: Option<i64>,
    at_ms: i64,
}

impl Drafts<'_> {
    /// The moments of the draft since the last version. For those who may edit.
    pub async fn history(&self, actor: &Actor, page: ContentId) -> Result<DraftHistory> {
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                let Some(state) = State::read(tx, page)? else {
                    return Ok(DraftHistory {
                        since_version: head.version,
                        base_seq: 0,
                        moments: Vec::new(),
                        cut: false,
                    });
                };
                let (base, _) = base_of(tx, page, &state)?;
                let steps = steps(tx, page, &state, base)?;
                let (groups, cut) = grouped(&steps);
                let mut moments = Vec::with_capacity(groups.len());
                for (last, changes) in groups {
                    moments.push(Moment {
                        seq: last.seq.unsigned_abs(),
                        at_ms: last.at_ms,
                        changes,
                        person: view::person(tx, last.user)?,
                    });
                }
                Ok(DraftHistory {
                    since_version: head.version,
                    base_seq: base.unsigned_abs(),
                    moments,
                    cut,
                })
            })
            .await
    }

    /// The draft as it was at a place in the log, compared with the last version.
    pub async fn at(&self, actor: &Actor, page: ContentId, seq: u64) -> Result<DraftState> {
        let (document, title) = self.read_at(actor, page, seq).await?;
        let actor = actor.clone();
        self.wiki
            .read(move |tx| {
                let (_, head) = permissions::require(tx, &actor, page, Right::Edit)?;
                let published = match head.version {
                    0 => Document::new(Vec::new()),
                    number => readable(&publish::read_body(tx, page, number)?),
                };
                let place = Place::of(&head);
                let blocks =
                    compare::blocks(&published, &document, &title, &PageLinks::new(tx, &place));
                Ok(DraftState {
                    seq,
                    title: title.clone(),
                    changes: compare::changed(&blocks),
                    blocks,
                })
            })
            .await
    }

    /// Makes the draft again what it was at a place in the log, by one more update; nothing of the log is removed.
    pub async fn restore(&self, actor: &Actor, page: ContentId, seq: u64) -> Result<()> {
        let (document, title) = self.read_at(actor, page, seq).await?;
        let content = Content { document, title };
        let (actor, now_ms) = (actor.clone(), self.wiki.now_ms());
        self.wiki
            .write(move |tx| {
                mode::require_open(tx)?;
                permissions::require(tx, &actor, page, Right::Edit)?;
                let state = State::read(tx, page)?.ok_or_else(|| no_moment(seq))?;
                let mut current = Current::read(tx, page, state)?;
                current.write(tx, &content, actor.user_id(), false, now_ms)?;
                Ok(())
            })
            .await
    }

    async fn read_at(
        &self,
        actor: &Actor,
        page: ContentId,
        seq: u64,
    ) -> Result<(Document, String)> {
        let actor = actor.clone();
        let read = move |tx: &Tx| {
            permissions::require(tx, &actor, page, Right::Edit)?;
            updates_until(tx, page, seq)
        };
        let updates = self.wiki.read(read).await?;
        let hydrated = collab::hydrate(move || {
            Live::read(&updates).map_err(|why| LogError::Corrupt(why.reason))
        });
        let (document, title, _) = hydrated.await.map_err(unavailable)?;
        Ok((document, title))
    }
}

/// The base of the draft and the updates behind it up to `seq`.
fn updates_until(tx: &Tx, page: ContentId, seq: u64) -> Result<Vec<Bytes>> {
    let state = State::read(tx, page)?.ok_or_else(|| no_moment(seq))?;
    let (base_seq, base) = base_of(tx, page, &state)?;
    let until = log::column(seq);
    if until < base_seq || until > state.head_seq {
        return Err(no_moment(seq));
    }
    let until = State {
        head_seq: until,
        ..state
    };
    let rows = log::rows_after(tx, page, &until, base_seq).map_err(unavailable)?;
    Ok(std::iter::once(base).chain(rows).collect())
}

/// The state with which the history begins, and where that is.
fn base_of(tx: &Tx, page: ContentId, state: &State) -> Result<(i64, Bytes)> {
    match base::read(tx, page).map_err(unavailable)? {
        Some((at, bytes)) if at.epoch == state.epoch.unsigned_abs() => {
            Ok((log::column(at.seq), bytes))
        }
        _ => Err(Error::Unavailable {
            message: "the history of this draft cannot be read; publish or discard the draft to begin a new one".into(),
            detail: format!("live document {page} has no base in epoch {}", state.epoch),
        }),
    }
}

fn no_moment(seq: u64) -> Error {
    Error::NotFound(format!(
        "the draft has no moment {seq} (any more); load its history again"
    ))
}

fn steps(tx: &Tx, page: ContentId, state: &State, base: i64) -> Result<Vec<Step>> {
    let sql = "SELECT seq, user_id, committed_at_ms FROM live_update
        WHERE document_id = $1 AND epoch = $2 AND seq > $3 ORDER BY seq";
    let rows = tx.query(sql, params![page, state.epoch, base])?;
    rows.iter()
        .map(|row| {
            Ok(Step {
                seq: row.i64("seq")?,
                user: row.opt_i64("user_id")?,
                at_ms: row.i64("committed_at_ms")?,
            })
        })
        .collect()
}

/// The last step of each moment and how many there are in it. The pause that ends a moment is doubled until there are few enough.
fn grouped(steps: &[Step]) -> (Vec<(&Step, u64)>, bool) {
    let mut pause_ms = MOMENT_PAUSE_MS;
    loop {
        let mut groups: Vec<(&Step, u64)> = Vec::new();
        for step in steps {
            match groups.last_mut() {
                Some((last, changes))
                    if last.user == step.user && step.at_ms - last.at_ms < pause_ms =>
                {
                    (*last, *changes) = (step, *changes + 1);
                }
                _ => groups.push((step, 1)),
            }
        }
        if groups.len() <= MOMENTS_MAX {
            return (groups, pause_ms > MOMENT_PAUSE_MS);
        }
        if pause_ms > i64::MAX / 4 {
            // Many people in turn: every n-th moment.
            let skip = groups.len().div_ceil(MOMENTS_MAX);
            let last = groups.len() - 1;
            let kept = groups.into_iter().enumerate();
            let kept = kept.filter(|(index, _)| index % skip == skip - 1 || *index == last);
            return (kept.map(|(_, group)| group).collect(), true);
        }
        pause_ms *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(seq: i64, user: i64, at_ms: i64) -> Step {
        Step {
            seq,
            user: Some(user),
            at_ms,
        }
    }

    fn ends(steps: &[Step]) -> Vec<(i64, u64)> {
        grouped(steps)
            .0
            .iter()
            .map(|(last, changes)| (last.seq, *changes))
            .collect()
    }

    #[test]
    fn a_moment_is_what_one_person_wrote_without_a_pause() {
        let steps = [
            step(1, 1, 0),
            step(2, 1, 100),
            step(3, 2, 150),
            step(4, 1, 200),
            step(5, 1, 200 + MOMENT_PAUSE_MS),
        ];
        assert_eq!(ends(&steps), [(2, 2), (3, 1), (4, 1), (5, 1)]);
    }

    #[test]
    fn a_long_history_has_no_more_moments_than_can_be_shown_and_keeps_the_last() {
        let count = i64::try_from(MOMENTS_MAX).unwrap() * 3;
        let steps: Vec<Step> = (1..=count).map(|n| step(n, n % 2, n)).collect();
        let (moments, cut) = grouped(&steps);
        assert!(cut && moments.len() <= MOMENTS_MAX + 1, "{}", moments.len());
        assert_eq!(moments.last().unwrap().0.seq, count);
    }
}
