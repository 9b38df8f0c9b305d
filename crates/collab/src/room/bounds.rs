//! What a room may hold at most, for the simulation to ask after every event.

use super::Room;
use crate::limits::*;

/// The largest frame that the simulation makes a room send.
const FRAME_BYTES: usize = 16 << 10;

impl Room {
    /// [ROOM-7] [ROOM-11] Nothing grows with what clients do or fail to do.
    pub(crate) fn check_bounds(&self) {
        assert!(self.waiting.bytes <= WAITING_BYTES_MAX);
        assert!(self.held_bytes <= WAITING_BYTES_MAX);
        let held: usize = self.held.iter().map(|batch| batch.bytes()).sum();
        assert_eq!(held, self.held_bytes, "held bytes are miscounted");
        let waiting: usize = self.waiting.batches.iter().map(|batch| batch.bytes()).sum();
        assert_eq!(waiting, self.waiting.bytes, "waiting bytes are miscounted");
        for (id, connection) in &self.connections {
            connection.check_bounds(FRAME_BYTES);
            let groups = self.running.iter().chain([&self.waiting]);
            let judged = groups.flat_map(|group| &group.batches);
            let own = judged.chain(&self.held).filter(|b| b.connection == *id);
            assert_eq!(own.count(), connection.unanswered, "miscounted batches");
        }
        let people = self.connections.len();
        assert!(
            self.people.held() <= 2 * people + DEPARTED,
            "presence grows"
        );
    }
}

/// Departures that may wait for somebody who is slow.
const DEPARTED: usize = 400;
