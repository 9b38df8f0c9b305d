//! The gate that joins go through, so that a thousand reconnects at once are served one after the other instead of all badly.
//!
//! So many joins, and so many bytes of snapshots, are under way at a time; a join is under way until it has been given the whole
//! document. What comes beyond that waits in a queue, and beyond the queue it is told when to come back. [ROOM-20]

use crate::limits::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;
use tokio::time::Duration;

/// The gate of one engine.
pub(crate) struct Gate {
    /// A lock held for a few steps only.
    state: Mutex<State>,
}

struct State {
    under_way: usize,
    bytes: usize,
    queue: VecDeque<Waiting>,
    /// Joins that were sent away since the queue was empty; the next is asked to come after them.
    turned_away: u64,
    turned_away_in_all: u64,
    chance: u64,
}

struct Waiting {
    bytes: usize,
    enter: oneshot::Sender<Slot>,
}

/// A join under way; dropping it makes place for the next.
pub(crate) struct Slot {
    gate: Arc<Gate>,
    bytes: usize,
    given_up: bool,
}

/// Too many at once: come back after so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Later(pub(crate) u64);

impl State {
    fn fits(&self, bytes: usize) -> bool {
        // One is always let in, whatever its size.
        self.under_way == 0
            || (self.under_way < JOINS_UNDER_WAY_MAX
                && self.bytes + bytes <= SNAPSHOT_BYTES_UNDER_WAY_MAX)
    }

    fn enter(&mut self, bytes: usize) {
        self.under_way += 1;
        self.bytes += bytes;
    }

    /// Grows with those who wait and with those who were sent away before; jittered, so that they do not come back at once.
    fn later(&mut self) -> Later {
        self.turned_away += 1;
        self.turned_away_in_all += 1;
        let ahead = self.queue.len() as u64 + self.turned_away;
        let wait_ms = (RETRY_AFTER_MS + ahead * 1_000 / JOINS_PER_SECOND).min(RETRY_AFTER_MAX_MS);
        // splitmix64
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Later(wait_ms + (z ^ (z >> 31)) % (wait_ms / 2).max(1))
    }
}

impl Gate {
    pub(crate) fn new(seed: u64) -> Arc<Gate> {
        let state = State {
            under_way: 0,
            bytes: 0,
            queue: VecDeque::new(),
            turned_away: 0,
            turned_away_in_all: 0,
            chance: seed,
        };
        Arc::new(Gate {
            state: Mutex::new(state),
        })
    }

    /// Lets a join in, at once or when it is its turn. `bytes`: what it will be sent, as far as that is known.
    pub(crate) async fn enter(self: &Arc<Self>, bytes: usize) -> Result<Slot, Later> {
        let turn = {
            let mut state = self.state();
            if state.queue.is_empty() && state.fits(bytes) {
                state.enter(bytes);
                return Ok(self.slot(bytes));
            }
            if state.queue.len() >= JOINS_QUEUED_MAX {
                state.queue.retain(|waiting| !waiting.enter.is_closed());
            }
            if state.queue.len() >= JOINS_QUEUED_MAX {
                return Err(state.later());
            }
            let (enter, turn) = oneshot::channel();
            state.queue.push_back(Waiting { bytes, enter });
            turn
        };
        match tokio::time::timeout(Duration::from_millis(JOIN_WAIT_MS), turn).await {
            Ok(Ok(slot)) => Ok(slot),
            _ => Err(self.state().later()),
        }
    }

    /// Joins that wait, and those sent away since the start.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let state = self.state();
        (state.queue.len() as u64, state.turned_away_in_all)
    }

    fn slot(self: &Arc<Self>, bytes: usize) -> Slot {
        Slot {
            gate: self.clone(),
            bytes,
            given_up: false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(self: &Arc<Self>, bytes: usize) {
        {
            let mut state = self.state();
            state.under_way = state.under_way.saturating_sub(1);
            state.bytes = state.bytes.saturating_sub(bytes);
        }
        while let Some(next) = self.next() {
            let slot = self.slot(next.bytes);
            // Who waits no longer gives the place to the next; not by its drop, which would be a recursion.
            if let Err(mut slot) = next.enter.send(slot) {
                slot.given_up = true;
                let mut state = self.state();
                state.under_way = state.under_way.saturating_sub(1);
                state.bytes = state.bytes.saturating_sub(slot.bytes);
            }
        }
    }

    fn next(&self) -> Option<Waiting> {
        let mut state = self.state();
        let bytes = state.queue.front()?.bytes;
        if !state.fits(bytes) {
            return None;
        }
        let next = state.queue.pop_front()?;
        state.enter(bytes);
        if state.queue.is_empty() {
            state.turned_away = 0;
        }
        Some(next)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.given_up {
            self.gate.release(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    async fn filled(gate: &Arc<Gate>) -> Vec<Slot> {
        let mut inside = Vec::new();
        for _ in 0..JOINS_UNDER_WAY_MAX {
            inside.push(gate.enter(0).await.unwrap());
        }
        inside
    }

    /// [ROOM-20] So many at a time, the others in order; who has gone takes no place, and no place is lost.
    #[tokio::test(start_paused = true)]
    async fn in_order() {
        let gate = Gate::new(1);
        let mut inside = filled(&gate).await;
        let (sender, mut entered) = mpsc::unbounded_channel();
        let mut tasks = Vec::new();
        for n in 0..6 {
            let (gate, sender) = (gate.clone(), sender.clone());
            tasks.push(tokio::spawn(async move {
                let _ = sender.send((n, gate.enter(0).await.ok()));
            }));
            tokio::task::yield_now().await;
        }
        assert_eq!(gate.counts(), (6, 0));
        for gone in [1, 2, 4] {
            tasks[gone].abort();
        }
        tokio::task::yield_now().await;
        for expected in [0, 3, 5] {
            assert!(entered.try_recv().is_err());
            inside.pop();
            let (n, slot) = entered.recv().await.unwrap();
            assert_eq!(n, expected);
            inside.extend(slot);
        }
        inside.clear();
        assert_eq!(gate.state().under_way, 0);
    }

    /// [ROOM-20] [WIRE-11] Beyond the queue: come back later, the later the more there are; not all at the same moment.
    #[tokio::test(start_paused = true)]
    async fn sent_away() {
        let gate = Gate::new(1);
        let inside = filled(&gate).await;
        for _ in 0..JOINS_QUEUED_MAX {
            let gate = gate.clone();
            tokio::spawn(async move { gate.enter(0).await });
        }
        tokio::task::yield_now().await;
        let mut waits = Vec::new();
        for _ in 0..2_000 {
            let Err(Later(wait_ms)) = gate.enter(0).await else {
                panic!("beyond the queue");
            };
            assert!((RETRY_AFTER_MS..=2 * RETRY_AFTER_MAX_MS).contains(&wait_ms));
            waits.push(wait_ms);
        }
        let (first, last): (u64, u64) = (waits[..100].iter().sum(), waits[1_900..].iter().sum());
        assert!(last > 2 * first, "{first} {last}");
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 500);
        // Nobody waits in the queue for ever.
        tokio::time::advance(Duration::from_millis(JOIN_WAIT_MS)).await;
        tokio::task::yield_now().await;
        drop(inside);
        assert_eq!(gate.state().under_way, 0);
        assert!(gate.enter(0).await.is_ok());
        assert_eq!(gate.counts().0, 0);
    }

    /// [ROOM-20] Large snapshots count by their bytes; one is let in whatever its size.
    #[tokio::test(start_paused = true)]
    async fn bytes() {
        let gate = Gate::new(1);
        let huge = gate.enter(2 * SNAPSHOT_BYTES_UNDER_WAY_MAX).await.unwrap();
        assert!(gate.enter(1).await.is_err());
        drop(huge);
        let half = gate.enter(SNAPSHOT_BYTES_UNDER_WAY_MAX / 2).await.unwrap();
        let other = gate.enter(SNAPSHOT_BYTES_UNDER_WAY_MAX / 2).await.unwrap();
        assert!(gate.enter(1).await.is_err());
        drop((half, other));
        assert_eq!(gate.state().bytes, 0);
    }
}
