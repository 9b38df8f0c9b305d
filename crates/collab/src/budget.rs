//! How fast one connection may push: two buckets that fill with time.

use crate::limits::*;

/// Batches and bytes that a connection may still push now.
pub(crate) struct Budget {
    filled_at_ms: u64,
    /// In thousandths, so that slow filling is not lost.
    batches: u64,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(now_ms: u64) -> Budget {
        Budget {
            filled_at_ms: now_ms,
            batches: BATCHES_BURST * 1_000,
            bytes: PUSH_BYTES_BURST * 1_000,
        }
    }

    /// Takes one batch of so many bytes, if there is room for it.
    pub(crate) fn take(&mut self, now_ms: u64, bytes: u64) -> bool {
        let passed = now_ms.saturating_sub(self.filled_at_ms);
        self.filled_at_ms = now_ms;
        let fill = |level: u64, rate: u64, max: u64| {
            level
                .saturating_add(passed.saturating_mul(rate))
                .min(max * 1_000)
        };
        self.batches = fill(self.batches, BATCHES_PER_SECOND, BATCHES_BURST);
        self.bytes = fill(self.bytes, PUSH_BYTES_PER_SECOND, PUSH_BYTES_BURST);
        let cost = bytes.saturating_mul(1_000);
        if self.batches < 1_000 || self.bytes < cost {
            return false;
        }
        self.batches -= 1_000;
        self.bytes -= cost;
        true
    }
}
