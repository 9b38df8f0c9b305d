//! What a document knows: the next clock of every client id, and whether an update fits onto that.

use crate::authors::Claimant;
use crate::protocol::Refusal;
use crate::scan::Scan;
use std::collections::BTreeMap;

/// The next clock of every client id (a state vector).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClockMap(BTreeMap<u64, u64>);

impl ClockMap {
    pub(crate) fn get(&self, client: u64) -> u64 {
        self.0.get(&client).copied().unwrap_or(0)
    }

    pub(crate) fn raise(&mut self, client: u64, clock: u64) {
        if clock > 0 {
            let known = self.0.entry(client).or_insert(0);
            *known = clock.max(*known);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        self.0.iter().map(|(client, clock)| (*client, *clock))
    }

    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        // Nodes of the tree are about two thirds full.
        self.0.len() * 16 * 3 / 2
    }

    /// Takes over everything that the other knows.
    pub(crate) fn join(&mut self, other: &ClockMap) {
        for (client, clock) in &other.0 {
            self.raise(*client, *clock);
        }
    }

    /// Takes over what a stored update brings, without judging it.
    pub(crate) fn absorb(&mut self, scan: &Scan) {
        for run in &scan.brings {
            self.raise(run.client, run.end);
        }
    }
}

/// Committed clocks, and above them those of updates that are on their way to the log.
pub(crate) struct Layers<'a> {
    pub(crate) committed: &'a ClockMap,
    pub(crate) running: Option<&'a ClockMap>,
    pub(crate) waiting: &'a ClockMap,
    pub(crate) batch: ClockMap,
}

impl Layers<'_> {
    fn get(&self, client: u64) -> u64 {
        self.committed
            .get(client)
            .max(self.running.map_or(0, |running| running.get(client)))
            .max(self.waiting.get(client))
            .max(self.batch.get(client))
    }

    /// Judges one update: true if it brings something new.
    pub(crate) fn judge(
        &mut self,
        scan: &Scan,
        claimant: &mut Claimant<'_>,
    ) -> Result<bool, Refusal> {
        for run in &scan.brings {
            if !claimant.may(run, self.get(run.client)) {
                return Err(Refusal::NotLeased);
            }
        }
        let mut fresh = !scan.deletes.is_empty();
        for run in &scan.brings {
            let known = self.get(run.client);
            if run.start > known {
                return Err(Refusal::Gap);
            }
            fresh |= run.end > known;
            self.batch.raise(run.client, run.end);
        }
        let known = scan
            .needs
            .iter()
            .all(|(client, clock)| self.get(*client) > *clock)
            && scan
                .deletes
                .iter()
                .all(|range| self.get(range.client) >= range.end);
        if known { Ok(fresh) } else { Err(Refusal::Gap) }
    }
}
