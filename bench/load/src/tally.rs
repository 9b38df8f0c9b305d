//! What is counted, by all editors of a run together.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Counters and times; one thread.
pub(crate) struct Tally {
    began: Instant,
    /// Whether this part of the run counts.
    counting: Cell<bool>,
    timing: bool,
    deliveries: Cell<u64>,
    acknowledged: Cell<u64>,
    told: Cell<u64>,
    refused: RefCell<BTreeMap<u64, u64>>,
    sent: RefCell<HashMap<u64, Vec<u32>>>,
    ack_us: RefCell<Vec<u32>>,
    seen_us: RefCell<Vec<u32>>,
}

/// Numbers of one run.
pub(crate) struct Counted {
    /// Updates that came to somebody who did not write them.
    pub(crate) deliveries: u64,
    /// Updates acknowledged.
    pub(crate) acknowledged: u64,
    /// Presence changes told.
    pub(crate) told: u64,
    /// Refused batches.
    pub(crate) refused: u64,
    /// From sending to acknowledgement, sorted, in microseconds.
    pub(crate) ack_us: Vec<u32>,
    /// From sending to arrival at another, sorted, in microseconds.
    pub(crate) seen_us: Vec<u32>,
}

impl Tally {
    /// With `timing`, each delivery is looked up.
    pub(crate) fn new(timing: bool) -> Tally {
        Tally {
            began: Instant::now(),
            counting: Cell::new(false),
            timing,
            deliveries: Cell::new(0),
            acknowledged: Cell::new(0),
            told: Cell::new(0),
            refused: RefCell::default(),
            sent: RefCell::default(),
            ack_us: RefCell::default(),
            seen_us: RefCell::default(),
        }
    }

    /// Microseconds since the beginning.
    pub(crate) fn now_us(&self) -> u32 {
        self.began.elapsed().as_micros() as u32
    }

    /// Begins to count.
    pub(crate) fn start(&self) {
        self.counting.set(true);
    }

    /// Whether deliveries are looked up.
    pub(crate) fn times(&self) -> bool {
        self.timing && self.counting.get()
    }

    /// An edit up to this clock goes out now.
    pub(crate) fn sent(&self, client: u64, clock: u64, now: u32) {
        if self.timing {
            let mut sent = self.sent.borrow_mut();
            let times = sent.entry(client).or_default();
            times.resize(clock as usize + 1, 0);
            times[clock as usize] = now;
        }
    }

    /// An edit up to this clock has come to another.
    pub(crate) fn seen(&self, client: u64, clock: u64, now: u32) {
        let sent = self.sent.borrow();
        if let Some(at) = sent
            .get(&client)
            .and_then(|times| times.get(clock as usize))
        {
            self.seen_us.borrow_mut().push(now.saturating_sub(*at));
        }
    }

    /// So many updates have come to another.
    pub(crate) fn delivered(&self, count: u64) {
        if self.counting.get() {
            self.deliveries.set(self.deliveries.get() + count);
        }
    }

    /// So many presence changes have come.
    pub(crate) fn told(&self, count: u64) {
        if self.counting.get() {
            self.told.set(self.told.get() + count);
        }
    }

    /// An edit is acknowledged.
    pub(crate) fn acknowledged(&self, us: u32) {
        if self.counting.get() {
            self.acknowledged.set(self.acknowledged.get() + 1);
            if self.timing {
                self.ack_us.borrow_mut().push(us);
            }
        }
    }

    /// An edit is refused.
    pub(crate) fn refuse(&self, reason: u64) {
        *self.refused.borrow_mut().entry(reason).or_default() += 1;
    }

    /// Ends the counting.
    pub(crate) fn finish(&self) -> Counted {
        self.counting.set(false);
        let sorted = |times: &RefCell<Vec<u32>>| {
            let mut times = times.take();
            times.sort_unstable();
            times
        };
        if !self.refused.borrow().is_empty() {
            eprintln!("refused, by reason: {:?}", self.refused.borrow());
        }
        Counted {
            deliveries: self.deliveries.get(),
            acknowledged: self.acknowledged.get(),
            told: self.told.get(),
            refused: self.refused.borrow().values().sum(),
            ack_us: sorted(&self.ack_us),
            seen_us: sorted(&self.seen_us),
        }
    }
}
