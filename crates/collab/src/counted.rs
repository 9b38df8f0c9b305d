//! What is counted for metrics: plain numbers in a room, atomic ones in the engine.

use crate::protocol::Refusal;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Buckets of a histogram besides the one for everything above them.
const BUCKETS: usize = 14;
/// The bound of the lowest bucket; each further one is twice as wide.
const LOWEST_US: u64 = 500;
/// Reasons for which a batch can be refused.
const REASONS: usize = 8;

/// How often something took how long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS + 1],
    sum_us: u64,
}

impl Histogram {
    /// Upper bounds in microseconds, and how often it took at most so long; `None` is "any time".
    pub fn cumulative(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        let bounds = (0..BUCKETS).map(|bucket| Some(LOWEST_US << bucket));
        let mut total = 0;
        self.counts
            .iter()
            .zip(bounds.chain([None]))
            .map(move |(count, bound)| {
                total += count;
                (bound, total)
            })
    }

    /// How often.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All times together, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    pub(crate) fn note(&mut self, us: u64) {
        let bucket = (0..BUCKETS)
            .find(|bucket| us <= LOWEST_US << bucket)
            .unwrap_or(BUCKETS);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        }
        self.sum_us += us;
    }
}

/// A histogram that many tasks write to.
#[derive(Debug, Default)]
pub(crate) struct SharedHistogram {
    counts: [AtomicU64; BUCKETS + 1],
    sum_us: AtomicU64,
}

impl SharedHistogram {
    pub(crate) fn add(&self, times: &Histogram) {
        for (shared, count) in self.counts.iter().zip(times.counts) {
            if count > 0 {
                shared.fetch_add(count, Relaxed);
            }
        }
        self.sum_us.fetch_add(times.sum_us, Relaxed);
    }

    pub(crate) fn note(&self, us: u64) {
        let mut one = Histogram::default();
        one.note(us);
        self.add(&one);
    }

    pub(crate) fn read(&self) -> Histogram {
        let mut read = Histogram::default();
        for (count, shared) in read.counts.iter_mut().zip(&self.counts) {
            *count = shared.load(Relaxed);
        }
        read.sum_us = self.sum_us.load(Relaxed);
        read
    }
}

/// Refused batches by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused([u64; REASONS]);

impl Refused {
    /// All reasons, and how often each.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.into_iter().zip(self.0)
    }

    pub(crate) fn note(&mut self, reason: Refusal) {
        for (of, count) in Refusal::ALL.into_iter().zip(&mut self.0) {
            *count += u64::from(of == reason);
        }
    }
}

/// What one room counted since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    /// From the arrival of a batch to its acknowledgement.
    pub(crate) acknowledged: Histogram,
    pub(crate) refused: Refused,
}

/// The engine's counters.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) joins: AtomicU64,
    pub(crate) updates: AtomicU64,
    pub(crate) commits_failed: AtomicU64,
    pub(crate) commit_times: SharedHistogram,
    pub(crate) acknowledgement_times: SharedHistogram,
    refused: [AtomicU64; REASONS],
}

impl Counters {
    pub(crate) fn add(&self, counted: &Counted) {
        if counted.acknowledged.count() > 0 {
            self.acknowledgement_times.add(&counted.acknowledged);
        }
        for (shared, (_, count)) in self.refused.iter().zip(counted.refused.iter()) {
            if count > 0 {
                shared.fetch_add(count, Relaxed);
            }
        }
    }

    pub(crate) fn refused(&self) -> Refused {
        let mut refused = Refused::default();
        for (count, shared) in refused.0.iter_mut().zip(&self.refused) {
            *count = shared.load(Relaxed);
        }
        refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_up_to_each_bound() {
        let shared = SharedHistogram::default();
        for us in [0, 500, 501, 4_000, u64::from(u32::MAX)] {
            shared.note(us);
        }
        let read = shared.read();
        let up_to: Vec<_> = read.cumulative().collect();
        assert_eq!(up_to[0], (Some(500), 2));
        assert_eq!(up_to[1], (Some(1_000), 3));
        assert_eq!(up_to[3], (Some(4_000), 4));
        assert_eq!(up_to[BUCKETS], (None, 5));
        assert_eq!(read.count(), 5);
        assert_eq!(read.sum_us(), 5_001 + u64::from(u32::MAX));
    }

    #[test]
    fn refusals_are_counted_by_reason() {
        let counters = Counters::default();
        let mut counted = Counted::default();
        counted.refused.note(Refusal::Gap);
        counters.add(&counted);
        counters.add(&counted);
        let refused = counters.refused();
        assert!(
            refused
                .iter()
                .all(|(reason, count)| count == if reason == Refusal::Gap { 2 } else { 0 })
        );
    }
}
