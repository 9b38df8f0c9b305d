//! Clock and randomness of the machine. Everywhere else they are parameters.

use std::time::{SystemTime, UNIX_EPOCH};

/// The machine's clock.
pub(crate) struct MachineClock;

impl wiki::Clock for MachineClock {
    fn now_ms(&self) -> i64 {
        now_ms()
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// The machine's source of randomness.
pub(crate) struct MachineRandomness;

impl wiki::Randomness for MachineRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness every secret would be guessable; there is no way to go on.
        getrandom::fill(bytes).expect("the system gives random bytes");
    }
}
