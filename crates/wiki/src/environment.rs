//! Clock and randomness are parameters, so that tests decide both.

/// The time.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01 UTC.
    fn now_ms(&self) -> i64;
}

/// Unpredictable bytes.
pub trait Randomness: Send + Sync + 'static {
    /// Fills the buffer with bytes fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}
