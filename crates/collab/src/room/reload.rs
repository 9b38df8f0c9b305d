//! What happens when the log has to be read: at the beginning, after a failure, and after others have written to it.

use super::{Effect, Phase, Room};
use crate::authors::Authors;
use crate::clocks::ClockMap;
use crate::history::{Entry, History};
use crate::limits::*;
use crate::log::{Loaded, LogError};
use crate::protocol::{CloseCode, Position, Refusal, ResetReason, ServerFrame};
use crate::scan::{Bounds, scan};
use bytes::Bytes;

impl Room {
    pub(super) fn load(&mut self) {
        self.phase = Phase::Loading;
        self.out.push(Effect::Load { since: self.head() });
    }

    /// [LOG-4] Somebody else has written: read that, and judge what waits again.
    pub(super) fn reload_and_keep(&mut self) {
        self.held = self.take_pending();
        self.held_bytes = self
            .held
            .iter()
            .flat_map(|batch| &batch.updates)
            .map(Bytes::len)
            .sum();
        self.load();
    }

    pub(super) fn retry_load(&mut self, now_ms: u64) {
        if let Phase::Failed { retry_at_ms } = self.phase
            && now_ms >= retry_at_ms
            && !self.connections.is_empty()
        {
            self.load();
        }
    }

    /// The log's head as the watch or another part of the program sees it.
    pub(super) fn head_seen(&mut self, head: Option<Position>) {
        if self.phase != Phase::Ready || self.running.is_some() {
            return; // our own append is under way, and will find out
        }
        match (head, self.head()) {
            (None, _) => self.gone(),
            (Some(theirs), Some(ours)) if (theirs.epoch, theirs.seq) > (ours.epoch, ours.seq) => {
                self.reload_and_keep();
            }
            _ => {} // the answer is older than what we have appended since
        }
    }

    pub(super) fn loaded(&mut self, now_ms: u64, loaded: Result<Loaded, LogError>) {
        let taken = match loaded {
            Ok(Loaded::Whole {
                at,
                snapshot,
                tail,
                reason,
                authors,
                past,
            }) => {
                let taken = self.take_whole(now_ms, at, snapshot, tail, reason);
                if taken.is_ok() {
                    self.authors = Authors::new(authors);
                    self.past = past;
                }
                taken
            }
            Ok(Loaded::Since { tail, authors }) => {
                let taken = self.take_since(tail);
                self.authors.absorb(authors);
                taken
            }
            Err(LogError::Gone) => return self.gone(),
            Err(why) => Err(why),
        };
        match taken {
            Ok(()) => self.ready(now_ms),
            Err(_) => self.load_failed(now_ms),
        }
    }

    fn take_whole(
        &mut self,
        now_ms: u64,
        at: Position,
        snapshot: Bytes,
        tail: Vec<Bytes>,
        reason: ResetReason,
    ) -> Result<(), LogError> {
        let mut clocks = ClockMap::default();
        clocks.absorb(&stored(&snapshot)?);
        for update in &tail {
            clocks.absorb(&stored(update)?);
        }
        let mut history = History::new(at, snapshot);
        for update in tail {
            history.append(Entry {
                connection: 0,
                update,
            });
        }
        let head = history.head();
        let before = self.history.replace(history).map(|history| history.head());
        self.clocks = clocks;
        // A log that went back is as good as another: a restored backup.
        if before.is_some_and(|before| before.epoch != head.epoch || before.seq > head.seq) {
            self.shown = head.seq;
            self.reset_all(
                now_ms,
                &ServerFrame::Reset {
                    epoch: head.epoch,
                    reason,
                },
            );
        }
        Ok(())
    }

    fn take_since(&mut self, tail: Vec<Bytes>) -> Result<(), LogError> {
        let mut clocks = ClockMap::default();
        for update in &tail {
            clocks.absorb(&stored(update)?);
        }
        let Some(history) = &mut self.history else {
            return Err(LogError::Corrupt("a tail without its beginning".to_owned()));
        };
        self.clocks.join(&clocks);
        for update in tail {
            history.append(Entry {
                connection: 0,
                update,
            });
        }
        Ok(())
    }

    fn ready(&mut self, now_ms: u64) {
        self.phase = Phase::Ready;
        self.pause_ms = 0;
        self.shown = self.head().map_or(0, |head| head.seq);
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.welcome(now_ms, id);
        }
        self.held_bytes = 0;
        for batch in std::mem::take(&mut self.held) {
            self.judge(now_ms, batch);
        }
        self.broadcast_due = true;
    }

    /// [LOG-6] What waits is refused, who waits is sent away; those who are in stay and wait for a better time.
    fn load_failed(&mut self, now_ms: u64) {
        self.pause_ms = (self.pause_ms * 2).clamp(RELOAD_PAUSE_MS, RELOAD_PAUSE_MAX_MS);
        self.phase = Phase::Failed {
            retry_at_ms: now_ms + self.pause_ms,
        };
        for batch in self.take_pending() {
            self.refuse(now_ms, &batch, Refusal::Unavailable);
        }
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            if self.connections.get(&id).is_some_and(|c| !c.joined()) {
                self.end(id, CloseCode::TryAgain, "the page could not be loaded");
            }
        }
        self.empty_since_ms = now_ms;
    }
}

fn stored(bytes: &[u8]) -> Result<crate::scan::Scan, LogError> {
    scan(bytes, &Bounds::snapshot())
        .map_err(|why| LogError::Corrupt(format!("a stored update is {why}")))
}
