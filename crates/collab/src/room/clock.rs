//! The time of a room: what it is told, without the steps back.

/// Goes on where a clock that is put back was.
pub(super) struct Clock {
    seen_ms: u64,
    put_back_ms: u64,
}

impl Clock {
    pub(super) fn new(now_ms: u64) -> Clock {
        Clock {
            seen_ms: now_ms,
            put_back_ms: 0,
        }
    }

    /// The room's time, and whether what was planned by the caller's clock is void.
    pub(super) fn read(&mut self, now_ms: u64) -> (u64, bool) {
        let back = self.seen_ms.saturating_sub(now_ms);
        self.put_back_ms += back;
        self.seen_ms = now_ms;
        (now_ms.saturating_add(self.put_back_ms), back > 0)
    }

    /// The caller's time for a moment of the room's.
    pub(super) fn theirs(&self, at_ms: u64) -> u64 {
        at_ms.saturating_sub(self.put_back_ms)
    }
}
