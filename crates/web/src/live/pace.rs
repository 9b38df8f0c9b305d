//! How fast a client that waits for no answer may write: beyond it, its socket is not read for a while.

use tokio::time::{Duration, Instant, sleep};

use crate::limits;

/// Two levels that fill with time.
pub(super) struct Pace {
    at: Instant,
    messages: f64,
    bytes: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            at: Instant::now(),
            messages: limits::YJS_MESSAGES_BURST,
            bytes: limits::YJS_BYTES_BURST,
        }
    }
}

impl Pace {
    /// Counts a message; waits until it may be taken. [YJS-21]
    pub(super) async fn keep(&mut self, bytes: usize) {
        let now = Instant::now();
        let passed = now.duration_since(self.at).as_secs_f64();
        self.at = now;
        let fill = |level: f64, rate: f64, most: f64| (level + passed * rate).min(most);
        self.messages = fill(
            self.messages,
            limits::YJS_MESSAGES_PER_SECOND,
            limits::YJS_MESSAGES_BURST,
        ) - 1.0;
        self.bytes = fill(
            self.bytes,
            limits::YJS_BYTES_PER_SECOND,
            limits::YJS_BYTES_BURST,
        ) - bytes as f64;
        let missing = (-self.messages / limits::YJS_MESSAGES_PER_SECOND)
            .max(-self.bytes / limits::YJS_BYTES_PER_SECOND);
        if missing > 0.0 {
            sleep(Duration::from_secs_f64(missing)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [YJS-21] A burst is taken at once; what goes beyond waits for as long as it is worth.
    #[tokio::test(start_paused = true)]
    async fn a_flood_is_slowed_down() {
        let mut pace = Pace::default();
        let start = Instant::now();
        for _ in 0..limits::YJS_MESSAGES_BURST as usize {
            pace.keep(10).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..limits::YJS_MESSAGES_PER_SECOND as usize {
            pace.keep(10).await;
        }
        let waited = start.elapsed().as_secs_f64();
        assert!((0.9..1.2).contains(&waited), "{waited}");
    }
}
